package server_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"purser"
	"purser/internal/fold"
	"purser/internal/server"
	"purser/internal/synth"
)

// useKeys are the keys of one use.
type useKeys struct {
	now           string
	leaving, idle []string
	rotating      bool
}

// keys asks the local door for the keys.
func (a *airline) keys() map[string]useKeys {
	a.t.Helper()
	var report server.KeyReport
	must(a.t, a.door("/local/keys", dict{}, &report))
	out := make(map[string]useKeys)
	for _, use := range report.Uses {
		one := useKeys{now: use.Now, leaving: use.Leaving, rotating: use.Rotating}
		for _, idle := range use.Idle {
			one.idle = append(one.idle, idle.Number)
		}
		out[use.Use] = one
	}
	return out
}

// everybody opens every customer, but those who are gone, by a disclosure that
// the test writes.
func (a *airline) everybody(customers []synth.Customer, gone ...purser.Ordinal) {
	a.t.Helper()
	schema := a.d.Records.Schema()
	for n, c := range customers {
		o := purser.Ordinal(n + 1)
		if slices.Contains(gone, o) {
			continue
		}
		r, err := a.d.Records.Sealed(a.t.Context(), o)
		must(a.t, err)
		receipt, err := a.d.Ledger().Propose(a.t.Context(), purser.VendorID{}, func(*fold.State, purser.Stamp) purser.Entry {
			return &purser.Disclosure{Customer: o, Shown: r.Holds()}
		})
		must(a.t, err)
		values, err := a.d.Keys.Open(receipt, r)
		if err != nil {
			a.t.Fatalf("customer %d: %v", o, err)
		}
		for name, want := range map[string]string{"email": c.Email, "loyalty_number": c.LoyaltyNumber, "birth_date": c.BirthDate} {
			f, _ := schema.Field(name)
			if got := values[f.Bit]; want != "" && got.Reveal() != want {
				a.t.Errorf("customer %d: %s is another", o, name)
			}
		}
	}
}

// Both keys are exchanged while the server answers, and the old ones go when
// their time is over.
func TestKeysAreExchangedWhileServed(t *testing.T) {
	a := newAirline(t, 300)
	before := a.keys()
	for use := range before {
		must(t, a.door("/local/keys/rotate", dict{"use": use}, nil))
		if err := a.door("/local/keys/rotate", dict{"use": use}, nil); err == nil {
			t.Errorf("%s: a second rotation beside the first", use)
		}
	}
	a.everybody(a.customers)
	for turns := 0; a.keys()["wrap"].rotating || a.keys()["index"].rotating; turns++ {
		if turns > 2000 {
			t.Fatal("the rotation does not end")
		}
		a.clock.Advance(100 * time.Millisecond)
	}
	a.everybody(a.customers)
	for use, keys := range a.keys() {
		if keys.now == before[use].now || len(keys.idle) != 1 || keys.idle[0] != before[use].now {
			t.Fatalf("%s: got %+v after %+v", use, keys, before[use])
		}
		if err := a.door("/local/keys/destroy", dict{"use": use, "number": before[use].now}, nil); err == nil {
			t.Errorf("%s: destroyed at once", use)
		}
	}
	a.clock.Advance(30 * 24 * time.Hour)
	for use := range before {
		must(t, a.door("/local/keys/destroy", dict{"use": use, "number": before[use].now}, nil))
	}
	a.everybody(a.customers)
	a.stop()
	a.serve()
	a.everybody(a.customers)
	for use, keys := range a.keys() {
		if len(keys.idle)+len(keys.leaving) != 0 {
			t.Errorf("%s: got %+v, want one key", use, keys)
		}
	}
	if got, err := http.Get(a.base + "/healthz"); err != nil || got.Body.Close() != nil || got.StatusCode != http.StatusOK {
		t.Errorf("healthz: %v %v", got, err)
	}
}

// exchange rotates now and then, and goes on with what there is to change over.
func (w *worker) exchange(use purser.KeyUse, begin bool) error {
	if begin {
		if err := w.d.RotateKey(context.Background(), use); err != nil && !errors.Is(err, server.ErrRotating) {
			return err
		}
	}
	_, err := w.d.TurnKeys(context.Background())
	return err
}

// settle ends every rotation, destroys the old keys when their time is over, and
// opens everybody.
func (m *morgue) settle() {
	m.t.Helper()
	m.everybody(m.customers)
	if m.recount.rotations[purser.KeyAdded] == 0 {
		m.t.Errorf("seed %d: no rotation under load", m.seed)
	}
	for _, use := range []purser.KeyUse{purser.KeyWrap, purser.KeyIndex} {
		if err := m.d.RotateKey(m.t.Context(), use); err != nil && !errors.Is(err, server.ErrRotating) {
			m.t.Fatal(err)
		}
		_, err := m.d.FinishRotation(m.t.Context(), use, func(int64, int64) {})
		must(m.t, err)
	}
	m.clock.Advance(31 * 24 * time.Hour)
	destroyed := 0
	for use, keys := range m.keys() {
		for _, idle := range keys.idle {
			must(m.t, m.door("/local/keys/destroy", dict{"use": use, "number": idle}, nil))
			destroyed++
		}
	}
	if destroyed == 0 {
		m.t.Errorf("seed %d: no key was exchanged", m.seed)
	}
	m.everybody(m.customers)
	m.t.Logf("seed %d: %d rotations begun and %d done under load; %d old keys destroyed at the end, %d customers open and are found",
		m.seed, m.recount.rotations[purser.KeyAdded], m.recount.rotations[purser.KeyDone], destroyed, len(m.customers))
}
