package retention_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"purser"
	"purser/internal/fold"
	"purser/internal/gate"
	"purser/internal/ledger"
	"purser/internal/record"
	"purser/internal/retention"
	"purser/internal/rule/policy"
	"purser/internal/seal"
	"purser/internal/store/sqlite"
	"purser/internal/synth"
)

// world is a scratch deployment with the real ledger, database and keys.
type world struct {
	*synth.World
	*retention.Retention
	t     *testing.T
	dir   string
	store *sqlite.DB
	cfg   ledger.Config[*fold.State]
	dies  int // at which commit from now on, and at which point of it; 0 never
	at    string
}

var errKilled = errors.New("killed")

func newWorld(t *testing.T, customers int) *world {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("make world: %v", err)
		}
	}
	w := &world{t: t, dir: t.TempDir()}
	var err error
	w.store, err = sqlite.Open(t.Context(), sqlite.Config{Dir: filepath.Join(w.dir, "data"), Create: true})
	must(err)
	t.Cleanup(func() { must(w.store.Close()) })
	keys, err := seal.Create(seal.Options{Path: filepath.Join(w.dir, "keyset"), Deployment: "scratch"})
	must(err)
	schema, err := record.Default()
	must(err)
	set, err := policy.Default()
	must(err)
	clock := synth.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	w.cfg = ledger.Config[*fold.State]{
		Store: w.store, New: fold.New, Clock: clock, Software: "test", FoldVersion: fold.Version,
		Fault: func(point string) error {
			if point != w.at || w.dies == 0 {
				return nil
			}
			if w.dies--; w.dies > 0 {
				return nil
			}
			return errKilled
		},
	}
	log, err := ledger.Open(t.Context(), w.cfg)
	must(err)
	records := record.New(w.store, keys, schema)
	w.World, err = synth.NewWorld(t.Context(), synth.WorldConfig{
		Log: log, Records: records, Clock: clock, Tag: keys.Tag, Policy: set.Hash(), Seed: 1, Population: customers,
	})
	must(err)
	w.serve(log)
	t.Cleanup(func() { _ = w.Log.Close() })
	return w
}

// serve starts the job over a log; it asks the gate nothing.
func (w *world) serve(log *ledger.Log[*fold.State]) {
	w.t.Helper()
	w.Log = log
	var err error
	w.Retention, err = retention.New(retention.Config{Log: log, Gate: new(gate.Gate), Records: w.Records})
	if err != nil {
		w.t.Fatal(err)
	}
}

// restart is what a new process does over the same database.
func (w *world) restart() {
	w.t.Helper()
	_ = w.Log.Close()
	log, err := ledger.Open(w.t.Context(), w.cfg)
	if err != nil {
		w.t.Fatalf("restart: %v", err)
	}
	w.serve(log)
}

func (w *world) pass(d purser.Stamp) { w.Clock.Advance(time.Duration(d) * time.Microsecond) }

func (w *world) expire() {
	w.t.Helper()
	if err := w.Expire(w.t.Context()); err != nil {
		w.t.Fatalf("turn: %v", err)
	}
}

// tell records an entry with rows beside it.
func (w *world) tell(e purser.Entry, rows func(ledger.Tx, purser.Pos) error) {
	w.t.Helper()
	receipt, err := w.Log.ProposeRows(w.t.Context(), purser.VendorID{}, func(*fold.State, purser.Stamp) purser.Entry {
		return e
	}, func(tx ledger.Tx, pos purser.Pos, _ purser.Entry) error {
		if rows == nil {
			return nil
		}
		return rows(tx, pos)
	})
	if err != nil || receipt.Refusal() != nil {
		w.t.Fatalf("record %T: %v, %v", e, err, receipt.Refusal())
	}
}

// writes gives customer o a value, with a time of its own unless until is zero.
func (w *world) writes(o purser.Ordinal, field, value string, until purser.Stamp) {
	w.t.Helper()
	f := w.field(field)
	wish := record.Writing{Customer: o, At: w.Log.Now(), Set: map[purser.Field]string{f: value}}
	if until != 0 {
		wish.Until = map[purser.Field]purser.Stamp{f: until}
	}
	w.tell(&purser.BackedUp{}, func(tx ledger.Tx, pos purser.Pos) error { // an entry that changes no state
		_, err := w.Records.Write(tx, pos, wish)
		return err
	})
}

func (w *world) field(name string) purser.Field {
	w.t.Helper()
	f, ok := w.Records.Schema().Field(name)
	if !ok {
		w.t.Fatalf("no field %s", name)
	}
	return f.Bit
}

// holds places a hold on customers, or on all.
func (w *world) holds(n byte, customers ...purser.Ordinal) purser.HoldID {
	w.t.Helper()
	e := &purser.HoldPlaced{
		Hold: purser.HoldID{n}, All: len(customers) == 0, Customers: customers, By: w.Security[0].Who,
		As: purser.RoleSecurity, Review: w.Log.Now() + purser.Day,
	}
	w.tell(e, nil)
	return e.Hold
}

// lifts has two people lift a hold.
func (w *world) lifts(h purser.HoldID) {
	w.t.Helper()
	w.tell(&purser.HoldLift{Hold: h, By: w.Security[0].Who, As: purser.RoleSecurity}, nil)
	w.tell(&purser.HoldLift{Hold: h, By: w.Security[1].Who, As: purser.RolePrivacy, Lifted: true}, nil)
}

// expired returns the entries of the job since a position, oldest first.
func (w *world) expired(from purser.Pos) (all []purser.Expired) {
	w.t.Helper()
	for stored, err := range w.store.Entries(context.Background(), from, w.Log.Size()) {
		if err != nil {
			w.t.Fatal(err)
		}
		_, e, err := purser.ParseEntry(stored.Bytes)
		if err != nil {
			w.t.Fatal(err)
		}
		if e, ok := e.(*purser.Expired); ok {
			all = append(all, *e)
		}
	}
	return all
}

// version is how often the record of o was written.
func (w *world) version(o purser.Ordinal) uint32 {
	w.t.Helper()
	r, err := w.Records.Sealed(w.t.Context(), o)
	if err != nil {
		w.t.Fatal(err)
	}
	return r.Version
}

// files returns what the database and its log hold.
func (w *world) files() (all []byte) {
	w.t.Helper()
	for _, name := range []string{"purser.db", "purser.db-wal"} {
		b, err := os.ReadFile(filepath.Join(w.dir, "data", name))
		if err != nil && !os.IsNotExist(err) {
			w.t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}

// stating is a decision that is made already.
func stating(e purser.Entry) func(*fold.State, purser.Stamp) purser.Entry {
	return func(*fold.State, purser.Stamp) purser.Entry { return e }
}
