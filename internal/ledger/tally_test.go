package ledger_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"purser"
	"purser/internal/ledger"
	"purser/internal/store/sqlite"
)

// budget is how many disclosures of one customer a tally allows.
const budget = 3

// tally is a small state that notices whatever a ledger could get wrong: a
// chain over every entry in order, disclosures against a budget, and refusals
// by session and minute.
type tally struct {
	base, top *counts
}

type counts struct {
	entries  uint64
	chain    purser.Hash
	shown    map[purser.Ordinal]uint32
	refused  map[purser.SessionID]uint32 // in minute
	minute   purser.Stamp
	findings map[purser.FindingKind]uint32
	counted  uint32 // refusals that had no entry of their own
	jumped   bool   // the wall clock, and nobody accepted it
}

var errImpossible = errors.New("budget overdrawn")

func newTally() *tally {
	c := &counts{}
	return &tally{base: c.clone(), top: c.clone()}
}

func (c *counts) clone() *counts {
	n := *c
	n.shown, n.refused, n.findings = maps.Clone(c.shown), maps.Clone(c.refused), maps.Clone(c.findings)
	if n.shown == nil {
		n.shown, n.refused = map[purser.Ordinal]uint32{}, map[purser.SessionID]uint32{}
		n.findings = map[purser.FindingKind]uint32{}
	}
	return &n
}

func (s *tally) Apply(h purser.Header, e purser.Entry) error {
	t := s.top
	encoded, err := purser.AppendEntry(t.chain[:], h.Pos, h.Stamp, e)
	if err != nil {
		return err
	}
	if uint64(h.Pos) != t.entries {
		return errors.New("entries out of order")
	}
	t.entries++
	t.chain = sha256.Sum256(encoded)
	if minute := h.Stamp - h.Stamp%purser.Minute; minute != t.minute {
		t.minute = minute
		clear(t.refused)
	}
	switch e := e.(type) {
	case *purser.Disclosure:
		if e.Reason != purser.Allowed {
			t.refused[e.Who.Session]++
		} else if t.shown[e.Customer]++; t.shown[e.Customer] > budget {
			return errImpossible
		}
	case *purser.Start:
		t.jumped = t.jumped || e.Held
	case *purser.ClockStep:
		t.jumped = true
	case *purser.ClockAccepted:
		t.jumped = false
	case *purser.Finding:
		t.findings[e.What] += e.Count
	case *purser.Refusals:
		t.counted += e.Count
	default:
	}
	return nil
}

func (s *tally) Commit()  { s.base = s.top.clone() }
func (s *tally) Discard() { s.top = s.base.clone() }

func (s *tally) Repeats(e purser.Entry, at purser.Stamp) (purser.Actor, bool) {
	d, ok := e.(*purser.Disclosure)
	if !ok {
		return purser.Actor{}, false
	}
	same := at-at%purser.Minute == s.top.minute
	return d.Who, same && s.top.refused[d.Who.Session] >= 20
}

func (s *tally) ClockAccepted() bool { return !s.top.jumped }

func (s *tally) Code(c *purser.Coder) {
	b := s.base
	c.U64(&b.entries)
	b.chain.Code(c)
	c.Stamp(&b.minute)
	c.U32(&b.counted)
	c.Flag(&b.jumped)
	codeMap(c, b.shown, func(k *purser.Ordinal) { c.Ordinal(k) })
	codeMap(c, b.refused, func(k *purser.SessionID) { k.Code(c) })
	codeMap(c, b.findings, func(k *purser.FindingKind) { c.U8((*uint8)(k)) })
	s.top = b.clone()
}

func codeMap[K comparable](c *purser.Coder, m map[K]uint32, key func(*K)) {
	n := c.CountLong(len(m), 5)
	if c.Reading() {
		for range n {
			var k K
			var v uint32
			key(&k)
			c.U32(&v)
			m[k] = v
		}
		return
	}
	encoded := map[K][]byte{}
	for k := range m {
		one := purser.NewEncoder(nil)
		switch k := any(k).(type) {
		case purser.Ordinal:
			one.Ordinal(&k)
		case purser.SessionID:
			k.Code(one)
		case purser.FindingKind:
			one.U8((*uint8)(&k))
		}
		encoded[k] = one.Bytes()
	}
	keys := slices.SortedFunc(maps.Keys(m), func(a, b K) int { return bytes.Compare(encoded[a], encoded[b]) })
	for _, k := range keys {
		v := m[k]
		key(&k)
		c.U32(&v)
	}
}

func (s *tally) bytes() []byte {
	c := purser.NewEncoder(nil)
	s.Code(c)
	return c.Bytes()
}

// handClock is moved by hand.
type handClock struct {
	mu   sync.Mutex
	wall time.Time
	mono time.Duration
}

func newClock() *handClock {
	return &handClock{wall: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)}
}

func (c *handClock) Wall() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.wall }

func (c *handClock) Mono() time.Duration { c.mu.Lock(); defer c.mu.Unlock(); return c.mono }

// pass lets time pass.
func (c *handClock) pass(d time.Duration) { c.set(d, d) }

// set moves the two clocks apart.
func (c *handClock) set(wall, mono time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wall, c.mono = c.wall.Add(wall), c.mono+mono
}

func openStore(t testing.TB, dir string) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir, Create: true})
	if err != nil {
		t.Fatalf("open store: %v", err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close store: %v", err)
		}
	})
	return db
}

func configOf(store ledger.Store, clock ledger.Clock) ledger.Config[*tally] {
	return ledger.Config[*tally]{Store: store, New: newTally, Clock: clock, Software: "test", FoldVersion: 1}
}

func openLog(t testing.TB, cfg ledger.Config[*tally]) *ledger.Log[*tally] {
	t.Helper()
	log, err := ledger.Open(t.Context(), cfg)
	if err != nil {
		t.Fatalf("open log: %v", err)
	}
	t.Cleanup(func() { _ = log.Close() })
	return log
}

func mustClose(t testing.TB, log *ledger.Log[*tally]) {
	t.Helper()
	if err := log.Close(); err != nil {
		t.Fatalf("close log: %v", err)
	}
}

// disclose decides a disclosure against the budget.
func disclose(who purser.Actor, customer purser.Ordinal) func(*tally, purser.Stamp) purser.Entry {
	return func(s *tally, _ purser.Stamp) purser.Entry {
		e := &purser.Disclosure{Who: who, Customer: customer, Asked: 3, Shown: 3}
		if s.top.shown[customer] >= budget {
			e.Reason, e.Shown = purser.BudgetDay, 0
		}
		return e
	}
}

func actor(n byte) purser.Actor {
	return purser.Actor{Session: purser.SessionID{n}, Person: purser.PersonID{n}, Vendor: purser.VendorID{n % 3}}
}

func stateBytes(t testing.TB, log *ledger.Log[*tally]) (b []byte) {
	t.Helper()
	err := log.Look(t.Context(), func(s *tally, _ purser.Stamp) error {
		again := tally{base: s.base.clone()}
		b = again.bytes()
		return nil
	})
	if err != nil {
		t.Fatalf("look: %v", err)
	}
	return b
}
