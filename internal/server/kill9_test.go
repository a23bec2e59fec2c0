package server_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"purser"
	"purser/internal/fold"
	"purser/internal/gate"
	"purser/internal/ledger"
	"purser/internal/store/sqlite"
	"purser/internal/telephony"
)

// A hundred times kill -9 under load: nothing that was acknowledged is
// missing, no budget is overdrawn, and what is opened again is what a replay
// of the entries gives.
//
// PURSER_KILLS, PURSER_KILL_ENTRIES and PURSER_KILL_SEED ask for another run.
func TestSuiteKill9(t *testing.T) {
	killed(t, int(asked(t, "PURSER_KILLS", 100)), purser.Pos(asked(t, "PURSER_KILL_ENTRIES", 200_000)),
		asked(t, "PURSER_KILL_SEED", time.Now().UnixNano()))
}

// asked returns the number in an environment variable, or what is usual.
func asked(t *testing.T, variable string, usual int64) int64 {
	text := os.Getenv(variable)
	if text == "" {
		return usual
	}
	n, err := strconv.ParseInt(text, 10, 64)
	must(t, err)
	return n
}

// The same with three kills.
func TestKill9(t *testing.T) { killed(t, 3, 5000, 1) }

// morgue is a deployment whose processes are killed, and what is known of it.
type morgue struct {
	*airline
	t       *testing.T
	seed    int64
	draw    *rand.Rand
	orders  orders
	crew    []*member
	guard   *member
	recount *recount
	trail   *recount // as far as the last snapshot
	file    string
	early   int // lives that were ended before they served
	told    int // acknowledgements
	missed  int // of these, that no entry stands for
}

func killed(t *testing.T, kills int, entries purser.Pos, seed int64) {
	m := newMorgue(t, seed)
	began := time.Now()
	for m.orders.Life < kills {
		if m.orders.Life%8 == 0 {
			m.shift()
		}
		m.orders.Life++
		acks, ready := m.live(entries, kills)
		if !ready {
			m.early++
		}
		m.check(acks)
	}
	r := m.recount
	if m.frontier() < entries {
		t.Errorf("seed %d: got %d entries, want %d or more", seed, m.frontier(), entries)
	}
	if r.first == 0 || r.refused == 0 || r.allowed == r.first || len(r.locks) == 0 {
		t.Errorf("seed %d: %d first disclosures of %d, %d refusals, %d locks: the load is none", seed, r.first, r.allowed, r.refused, len(r.locks))
	}
	m.prove()
	t.Logf("seed %d: %d kills (%d before the first answer), %d entries, %d acknowledged, %d of them lost; "+
		"%d disclosures (%d first), %d refusals, %d locks, %d snapshots, %d starts; %v",
		seed, kills, m.early, m.frontier(), m.told, m.missed,
		r.allowed, r.first, r.refused, len(r.locks), r.snapshots, r.starts, time.Since(began).Round(time.Second))
}

// newMorgue makes an airline of 24 agents whose switches may vouch for numbers.
func newMorgue(t *testing.T, seed int64) *morgue {
	t.Helper()
	a := newAirline(t, 300)
	a.clock.Advance(96 * time.Hour) // so that numbers on file are old enough
	m := &morgue{
		airline: a, t: t, seed: seed, draw: rand.New(rand.NewPCG(uint64(seed), 0)),
		recount: newRecount(), trail: newRecount(), file: filepath.Join(t.TempDir(), "orders"),
	}
	m.orders = orders{Dir: a.dir, Seed: uint64(seed), Customers: len(a.customers)}
	for i, v := range a.vendors {
		var made struct {
			Source purser.SourceID
			Secret string
		}
		must(t, a.door("/door/sources", dict{"name": "trunk", "vendor": v, "trust": []string{"carrier"}}, &made))
		secret, err := base64.StdEncoding.DecodeString(made.Secret)
		must(t, err)
		m.orders.Sources[i].ID, m.orders.Sources[i].Secret = made.Source, secret
		a.phones[i] = &switchboard{id: made.Source, secret: secret, Client: telephony.NewClient(made.Source, secret, 1, a.clock.Now, a.event)}
		for range 12 {
			m.crew = append(m.crew, a.add(i, "agent"))
		}
	}
	m.guard = a.add(0, "security")
	a.stop()
	return m
}

// shift logs everybody in, as a session lasts for half a day.
func (m *morgue) shift() {
	m.t.Helper()
	m.serve()
	m.guard.login("office")
	m.orders.Security = gate.Asker{Session: m.guard.session, Lane: m.vendors[0]}
	m.orders.Agents = nil
	for _, p := range m.crew {
		p.login("desk")
		m.orders.Agents = append(m.orders.Agents, order{
			Asker: gate.Asker{Session: p.session, Lane: m.vendors[p.centre]}, Person: p.person, Centre: p.centre, Agent: p.agent,
		})
	}
	m.stop()
	m.check(nil)
}

func (m *morgue) frontier() purser.Pos { return m.recount.frontier.Size() }

// live starts a process, kills it after a random number of answers, and
// returns what it was told. Some are killed before they can serve.
func (m *morgue) live(entries purser.Pos, kills int) (acks []string, ready bool) {
	m.t.Helper()
	m.orders.From = m.clock.Now()
	text, err := json.Marshal(m.orders)
	must(m.t, err)
	must(m.t, os.WriteFile(m.file, text, 0o600))
	process := exec.Command(os.Args[0], "-test.run=^$")
	process.Env = append(os.Environ(), doomedFile+"="+m.file)
	var complaint bytes.Buffer
	process.Stderr = &complaint
	out, err := process.StdoutPipe()
	must(m.t, err)
	must(m.t, process.Start())

	left := max(1, int(entries)-int(m.frontier()))
	most := 1 + int(float64(left)/float64(1+kills-m.orders.Life)*(0.6+m.draw.Float64()*1.2))
	if m.orders.Life == kills {
		most = left * 3 / 2
	}
	fast := m.draw.IntN(10) == 0 && m.orders.Life < kills
	lines, size := bufio.NewReader(out), m.frontier()
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // a line that was cut short was told to nobody
		}
		line = strings.TrimSuffix(line, "\n")
		switch line {
		case toldOpening:
			if fast {
				wait := time.Duration(m.draw.IntN(60_000)) * time.Microsecond
				timer := time.AfterFunc(wait, func() { _ = process.Process.Kill() })
				defer timer.Stop()
			}
		case toldReady:
			ready = true
		default:
			acks = append(acks, line)
			if size++; int(size-m.frontier()) == most {
				must(m.t, process.Process.Kill())
			}
		}
	}
	_ = process.Wait() // the state says how it ended
	if status, ok := process.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		m.t.Fatalf("seed %d, life %d: ended by itself: %v\n%s", m.seed, m.orders.Life, process.ProcessState, complaint.String())
	}
	return acks, ready
}

// check opens what a process left behind and holds it against what it said.
func (m *morgue) check(acks []string) {
	m.t.Helper()
	store, err := sqlite.Open(m.t.Context(), sqlite.Config{Dir: m.dir})
	must(m.t, err)
	before := m.frontier()
	m.read(store)
	fresh := m.entries(store, before)
	for _, a := range acks {
		m.told++
		if why := m.stands(fresh, a); why != "" {
			m.missed++
			m.t.Errorf("seed %d, life %d: %q was acknowledged: %s", m.seed, m.orders.Life, a, why)
		}
	}
	// Time that passed meanwhile, so that windows move.
	rest := m.recount.stamp.Time().Sub(m.clock.Now())
	m.clock.Advance(max(0, rest) + time.Duration(1+m.draw.IntN(15))*time.Minute)
	m.reopen(store)
	must(m.t, store.Close())
	if m.t.Failed() {
		m.t.FailNow()
	}
}

// read recounts the entries that are new, and the head.
func (m *morgue) read(store *sqlite.DB) {
	m.t.Helper()
	head, err := store.Head(m.t.Context())
	must(m.t, err)
	for s, err := range store.Entries(m.t.Context(), m.frontier(), head.Size) {
		must(m.t, err)
		e, err := m.recount.take(s.Pos, s.Bytes)
		if err != nil {
			m.t.Fatalf("seed %d, life %d: entry %d: %v", m.seed, m.orders.Life, s.Pos, err)
		}
		if snapshot, ok := e.(*purser.Snapshot); ok {
			m.snapshot(store, snapshot)
		}
	}
	if m.recount.frontier != head.Frontier || head.Root != m.recount.frontier.Root() {
		m.t.Fatalf("seed %d, life %d: the head of %d entries is not that of the entries", m.seed, m.orders.Life, head.Size)
	}
}

// snapshot checks a digest that a process wrote against a replay.
func (m *morgue) snapshot(store *sqlite.DB, s *purser.Snapshot) {
	m.t.Helper()
	for e, err := range store.Entries(m.t.Context(), m.trail.frontier.Size(), s.Size) {
		must(m.t, err)
		_, err := m.trail.take(e.Pos, e.Bytes)
		must(m.t, err)
	}
	if got := m.trail.fold.Digest(); got != s.Digest {
		m.t.Fatalf("seed %d, life %d: snapshot of %d: got digest %x, a replay gives %x", m.seed, m.orders.Life, s.Size, s.Digest, got)
	}
}

// entries returns those from a position on by position, and events by source
// and number.
func (m *morgue) entries(store *sqlite.DB, from purser.Pos) map[string]purser.Entry {
	m.t.Helper()
	all := make(map[string]purser.Entry)
	for s, err := range store.Entries(m.t.Context(), from, m.frontier()) {
		must(m.t, err)
		_, e, err := purser.ParseEntry(s.Bytes)
		must(m.t, err)
		all[fmt.Sprint(uint64(s.Pos))] = e
		switch e := e.(type) {
		case *purser.ContactEvent:
			all[fmt.Sprintln(toldEvent, e.Source, e.Seq)] = e
		case *purser.Claim:
			if e.Reason == purser.Allowed {
				all[fmt.Sprintln(toldClaim, e.Contact, e.Who.Session)] = e
			}
		case *purser.AttemptResult:
			if e.Reason == purser.Allowed {
				all[fmt.Sprintln(toldBound, e.Contact, e.Who.Session)] = e
			}
		}
	}
	return all
}

// stands says what is wrong with the entry of an acknowledgement, or nothing.
func (m *morgue) stands(entries map[string]purser.Entry, ack string) string {
	words := strings.Fields(ack)
	switch words[0] {
	case toldEvent, toldClaim, toldBound:
		if entries[ack+"\n"] == nil {
			return "there is no such entry"
		}
		return ""
	}
	got := saying(entries[words[1]], words)
	if got == ack {
		return ""
	}
	return fmt.Sprintf("got %q in a %T", got, entries[words[1]])
}

// saying returns what may be said of an entry, in the words of an
// acknowledgement. One of a refusal that was only counted names the last entry
// that refused something to the same session.
func saying(e purser.Entry, words []string) string {
	var session purser.SessionID
	switch e := e.(type) {
	case *purser.Disclosure:
		session = e.Who.Session
		if words[0] == toldEmpty && e.Reason == purser.Allowed {
			return fmt.Sprint(toldEmpty, " ", words[1], " ", session)
		}
		if words[0] != toldShown || e.Reason != purser.Allowed && e.Reason != purser.FieldsNotAllowed {
			break
		}
		shown, told := uint32(e.Shown), uint32(0)
		_, _ = fmt.Sscan(words[5], &told)
		return fmt.Sprint(toldShown, " ", words[1], " ", e.Contact, " ", session, " ", uint32(e.Asked), " ", shown&told)
	case *purser.LockPlaced:
		session = e.By.Session
		if e.Reason == purser.Allowed {
			return fmt.Sprint(toldLocked, " ", words[1], " ", e.Lock, " ", purser.PersonID(e.Target.ID))
		}
	case *purser.Claim:
		session = e.Who.Session
	case *purser.Attempt:
		session = e.Who.Session
	case *purser.AttemptResult:
		session = e.Who.Session
	}
	if d, ok := e.(purser.Decision); !ok || d.Refused() == purser.Allowed {
		return "nothing refused"
	}
	if words[0] == toldEmpty {
		return fmt.Sprint(toldEmpty, " ", words[1], " ", session)
	}
	return fmt.Sprint(toldRefused, " ", words[1], " ", session)
}

// reopen opens the ledger, as a server does, and compares the state that it
// comes to with the replay. The sequence goes on.
func (m *morgue) reopen(store *sqlite.DB) {
	m.t.Helper()
	verifier, err := note.NewVerifier(m.verifier)
	must(m.t, err)
	log, err := ledger.Open(m.t.Context(), ledger.Config[*fold.State]{
		Store: store, New: fold.New, Clock: m.clock, Software: "test", FoldVersion: fold.Version,
		Verifier: verifier, Origin: verifier.Name(),
	})
	must(m.t, err)
	if size := log.Size(); size != m.frontier()+1 {
		m.t.Errorf("seed %d, life %d: got %d entries after a start, want %d", m.seed, m.orders.Life, size, m.frontier()+1)
	}
	m.read(store)
	want := m.recount.fold.Digest()
	must(m.t, log.Look(m.t.Context(), func(s *fold.State, _ purser.Stamp) error {
		if got := s.Digest(); got != want {
			m.t.Errorf("seed %d, life %d: opened with digest %x, a replay gives %x", m.seed, m.orders.Life, got, want)
		}
		return nil
	}))
	must(m.t, log.Close())
}

// prove exports the whole ledger, verifies the export, and serves once more.
func (m *morgue) prove() {
	m.t.Helper()
	m.serve()
	dir := m.t.TempDir() + "/export"
	_, err := m.d.Export(m.t.Context(), dir, nil)
	must(m.t, err)
	verify(m.t, dir, m.verifier)
	m.settle()
	if got := m.d.Status(); got.Stopped != nil {
		m.t.Errorf("seed %d: stopped after the last start: %v", m.seed, got.Stopped)
	}
}
