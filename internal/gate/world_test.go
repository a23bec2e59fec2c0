package gate_test

import (
	"context"
	"crypto/rand"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"purser"
	"purser/internal/fold"
	"purser/internal/gate"
	"purser/internal/ledger"
	"purser/internal/record"
	"purser/internal/rule/policy"
	"purser/internal/seal"
	"purser/internal/store/sqlite"
	"purser/internal/synth"
)

// world is a scratch deployment with the real ledger, database and keys.
type world struct {
	*synth.World
	gate  *gate.Gate
	keys  *seal.Keys
	store *sqlite.DB
	// between runs once, after the read of a record or of a channel's age that
	// comes after as many others as it says.
	between *between
}

// one is the only policy set of a test.
type one struct{ set *policy.Set }

func (o one) For(h purser.Hash) *policy.Set {
	if h != o.set.Hash() {
		return nil
	}
	return o.set
}

// start is a Monday morning.
func start() time.Time { return time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) }

// made is how a world is made; the zero value is the ordinary one.
type made struct {
	fault  func(point string) error
	erased map[purser.Ordinal]bool // whose records are gone
	agents int
}

// forgetful is a store that lost records, and lets something happen between
// two reads.
type forgetful struct {
	*sqlite.DB
	erased  map[purser.Ordinal]bool
	between *between
}

func (f forgetful) Sealed(ctx context.Context, o purser.Ordinal) (seal.Record, error) {
	if f.erased[o] {
		return seal.Record{}, record.ErrNoCustomer
	}
	r, err := f.DB.Sealed(ctx, o)
	f.between.read()
	return r, err
}

func (f forgetful) SealedAgain(ctx context.Context, o purser.Ordinal) (seal.Record, error) {
	return f.Sealed(ctx, o)
}

func (f forgetful) ChannelSince(ctx context.Context, o purser.Ordinal, bit purser.Field) (purser.Stamp, bool, error) {
	since, ok, err := f.DB.ChannelSince(ctx, o, bit)
	f.between.read()
	return since, ok, err
}

// between is something that happens in the middle of an ask.
type between struct {
	after int
	then  func()
}

func (b *between) read() {
	if b.then == nil {
		return
	}
	if b.after--; b.after < 0 {
		then := b.then
		b.then = nil
		then()
	}
}

func (f forgetful) SealedIn(tx ledger.Tx, o purser.Ordinal) (seal.Record, error) {
	if f.erased[o] {
		return seal.Record{}, record.ErrNoCustomer
	}
	return f.DB.SealedIn(tx, o)
}

// tester is what *testing.T, *testing.B and *rapid.T have in common.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

func newWorld(t testing.TB, customers int) *world { return made{}.world(t, customers) }

func (m made) world(t testing.TB, customers int) *world {
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
	clock := synth.NewClock(start())
	log, err := ledger.Open(ctx, ledger.Config[*fold.State]{
		Store: store, New: fold.New, Clock: clock, Software: "test", FoldVersion: fold.Version, Fault: m.fault,
	})
	must(err)
	t.Cleanup(func() { _ = log.Close() })
	hook := new(between)
	records := record.New(forgetful{store, m.erased, hook}, keys, schema)
	g, err := gate.New(gate.Config{
		Log: log, Records: records, Keys: keys, Policies: one{set},
		Now: func() purser.Stamp { return purser.StampOf(clock.Now()) }, Random: rand.Reader,
	})
	must(err)
	w, err := synth.NewWorld(ctx, synth.WorldConfig{
		Log: log, Records: records, Clock: clock, Tag: keys.Tag, Policy: set.Hash(), Seed: 1, Population: customers, Agents: m.agents,
	})
	must(err)
	return &world{World: w, gate: g, keys: keys, store: store, between: hook}
}

// connect gives an agent a claimed contact.
func (w *world) connect(t tester, m *synth.Member) purser.ContactID {
	t.Helper()
	c, err := w.Connect(context.Background(), m, 0)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	return c
}

// whole finds a customer from index from on whose record holds every item of
// the names, and whom the items find alone.
func (w *world) whole(t tester, from int, names ...string) int {
	t.Helper()
	for i := from; i < len(w.Customers); i++ {
		items := w.Items(i, names...)
		found, err := w.Records.Candidates(context.Background(), items)
		if err != nil {
			t.Fatal(err)
		}
		held := found.Ordinal == purser.Ordinal(i+1)
		for _, it := range items {
			held = held && it.Canonical != ""
		}
		if held {
			return i
		}
	}
	t.Fatalf("no customer from %d on holds %v", from, names)
	return 0
}

// verify identifies customer i, who has loyalty number and birth date.
func (w *world) verify(t tester, m *synth.Member, c purser.ContactID, i int) {
	t.Helper()
	got, err := w.gate.Identify(context.Background(), gate.IdentifyAsk{
		Asker: m.Asker(), Contact: c, Items: w.Items(i, "loyalty_number", "birth_date"),
	})
	if err != nil || got.Assurance != purser.A1 {
		t.Fatalf("identify customer %d: got %+v, %v (reason %d), want A1", i, got, err, reason(err))
	}
}

// reason is what a refusal is for; Allowed for no error, NoSession+9000 for a fault.
func reason(err error) purser.Reason {
	if err == nil {
		return purser.Allowed
	}
	if r, ok := errors.AsType[*purser.Refusal](err); ok {
		return r.Reason
	}
	return 9000
}

func mask(t tester, w *world, names ...string) purser.FieldMask {
	t.Helper()
	var m purser.FieldMask
	for _, name := range names {
		f, ok := w.Records.Schema().Field(name)
		if !ok {
			t.Fatalf("no field %s", name)
		}
		m |= purser.Mask(f.Bit)
	}
	return m
}

// entries reads the ledger from a position on.
func (w *world) entries(t tester, from purser.Pos) []purser.Entry {
	t.Helper()
	var out []purser.Entry
	for stored, err := range w.store.Entries(context.Background(), from, w.Log.Size()) {
		if err != nil {
			t.Fatal(err)
		}
		_, e, err := purser.ParseEntry(stored.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}
