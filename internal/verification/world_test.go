package verification_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"purser"
	"purser/internal/deliver"
	"purser/internal/fold"
	"purser/internal/gate"
	"purser/internal/ledger"
	"purser/internal/record"
	"purser/internal/rule/policy"
	"purser/internal/seal"
	"purser/internal/store/sqlite"
	"purser/internal/synth"
	"purser/internal/verification"
)

// world is a scratch deployment with the real ledger, database, keys and a
// mail server that keeps what it gets.
type world struct {
	*synth.World
	desk  *verification.Verification
	gate  *gate.Gate
	mail  *synth.MailCatcher
	store *sqlite.DB
	// config is that of desk, for tests that make another.
	config verification.Config
	disk   *disk
	// decided is called, if it is not nil, while a policy is asked: within a
	// decision, when the ask is queued for sure.
	decided *atomic.Pointer[func()]
}

type one struct {
	set     *policy.Set
	decided *atomic.Pointer[func()]
}

func (o one) For(purser.Hash) *policy.Set {
	if f := o.decided.Load(); f != nil {
		(*f)()
	}
	return o.set
}

// disk is the real store, and may be full for as many batches as full says.
type disk struct {
	*sqlite.DB
	full atomic.Int32
}

func (d *disk) Append(ctx context.Context, b *ledger.Batch) error {
	if d.full.Load() > 0 {
		d.full.Add(-1)
		return fmt.Errorf("append: %w", ledger.ErrNothingWritten)
	}
	return d.DB.Append(ctx, b)
}

func newWorld(t *testing.T, customers, agents int) *world {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("make world: %v", err)
		}
	}
	dir := t.TempDir()
	store, err := sqlite.Open(ctx, sqlite.Config{Dir: filepath.Join(dir, "data"), Create: true})
	must(err)
	t.Cleanup(func() { must(store.Close()) })
	keys, err := seal.Create(seal.Options{Path: filepath.Join(dir, "keyset"), Deployment: "scratch"})
	must(err)
	schema, err := record.Default()
	must(err)
	set, err := policy.Default()
	must(err)
	clock := synth.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	full, decided := &disk{DB: store}, new(atomic.Pointer[func()])
	log, err := ledger.Open(ctx, ledger.Config[*fold.State]{
		Store: full, New: fold.New, Clock: clock, Software: "test", FoldVersion: fold.Version,
	})
	must(err)
	t.Cleanup(func() { must(log.Close()) })
	records := record.New(store, keys, schema)
	g, err := gate.New(gate.Config{
		Log: log, Records: records, Keys: keys, Policies: one{set, decided},
		Now: func() purser.Stamp { return purser.StampOf(clock.Now()) }, Random: rand.Reader,
	})
	must(err)
	catcher, err := synth.NewMailCatcher()
	must(err)
	t.Cleanup(func() { must(catcher.Close()) })
	mail, err := deliver.NewMail(deliver.MailConfig{
		Host: catcher.Host(), Port: catcher.Port(), Security: deliver.PlainLoopback, From: "codes@airline.example", Hello: "purser.example",
	})
	must(err)
	config := verification.Config{
		Log: log, Entries: store, Gate: g, Schema: schema, Customers: records, Mail: mail, Region: "AU", Company: "the airline",
	}
	desk, err := verification.New(config)
	must(err)
	t.Cleanup(func() { must(desk.Close()) })
	made, err := synth.NewWorld(ctx, synth.WorldConfig{
		Log: log, Records: records, Clock: clock, Tag: keys.Tag, Policy: set.Hash(), Seed: 1, Population: customers, Agents: agents,
	})
	must(err)
	return &world{World: made, desk: desk, gate: g, mail: catcher, store: store, config: config, disk: full, decided: decided}
}

func (w *world) connect(t *testing.T, m *synth.Member) purser.ContactID {
	t.Helper()
	c, err := w.Connect(context.Background(), m, 0)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	return c
}

// said is what customer i says who knows these fields, not canonical.
func (w *world) said(i int, names ...string) []verification.Said {
	var out []verification.Said
	row, columns := w.Customers[i].Row(), synth.Columns()
	for _, name := range names {
		for n, column := range columns {
			if column == name {
				out = append(out, verification.Said{Item: name, Text: row[n]})
			}
		}
	}
	return out
}

// complete finds a customer from index from on who has e-mail, number and
// birth date.
func (w *world) complete(t *testing.T, from int) int {
	t.Helper()
	for i := from; i < len(w.Customers); i++ {
		if c := w.Customers[i]; c.Email != "" && c.LoyaltyNumber != "" && c.BirthDate != "" && c.Phone != "" {
			return i
		}
	}
	t.Fatal("no complete customer")
	return 0
}

func reason(err error) purser.Reason {
	if err == nil {
		return purser.Allowed
	}
	if r, ok := errors.AsType[*purser.Refusal](err); ok {
		return r.Reason
	}
	return 9000
}

var sixDigits = regexp.MustCompile(`(?m)^[0-9]{6}$`)

// code waits for the n-th mail to customer i and returns its code.
func (w *world) code(t *testing.T, i, n int) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	letter, err := w.mail.WaitForNth(ctx, w.Customers[i].Email, n)
	if err != nil {
		t.Fatal(err)
	}
	return sixDigits.FindString(letter.Text)
}

// grown waits until the ledger has n entries: the background has recorded.
func (w *world) grown(t *testing.T, n purser.Pos) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for w.Log.Size() < n {
		if ctx.Err() != nil {
			t.Fatalf("got %d entries, want %d", w.Log.Size(), n)
		}
		runtime.Gosched()
	}
}

// entries reads the ledger from a position on.
func (w *world) entries(t *testing.T, from purser.Pos) (out []purser.Entry, sizes []int) {
	t.Helper()
	for stored, err := range w.store.Entries(context.Background(), from, w.Log.Size()) {
		if err != nil {
			t.Fatal(err)
		}
		_, e, err := purser.ParseEntry(stored.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		out, sizes = append(out, e), append(sizes, len(stored.Bytes))
	}
	return out, sizes
}
