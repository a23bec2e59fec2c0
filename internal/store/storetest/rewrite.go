package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"purser"
	"purser/internal/ledger"
	"purser/internal/record"
	"purser/internal/seal"
)

// rewriting is customer o with every kind of row that a rewriting changes.
func rewriting(o purser.Ordinal) record.Rewriting {
	c := customer(o)
	r := c.Record
	r.Version, r.Sealed, r.Wrapped = 2, holding(purser.Mask(3, 12), 1000+o), []byte("other key")
	return record.Rewriting{
		Record: r,
		Gone:   c.Indexes[:1], Come: []record.IndexRow{{Field: 3, Index: index(900)}, c.Indexes[1]},
		Channels: []record.ChannelRow{{Field: 3, Since: 500}}, Lost: purser.Mask(5),
		Past:     []record.PastRow{{Field: 3, Version: 1, Replaced: 500, Until: 900, Sealed: []byte("past")}},
		Expiries: []record.ExpiryRow{{Ordinal: o, Field: 12, At: 700}},
		Salt:     []byte("sixteen bytes of"),
	}
}

func rewrite(t *testing.T, s Records, pos purser.Pos, w record.Rewriting) {
	t.Helper()
	if err := put(t, s, func(tx ledger.Tx) error { return s.Rewrite(tx, pos, w) }); err != nil {
		t.Fatalf("rewrite: %v", err)
	}
}

func rewrites(t *testing.T, s Records) {
	ctx := t.Context()
	mustPut(t, s, customersFrom(1, 3))
	if _, err := s.SealedAgain(ctx, 2); err != nil { // now it may be remembered
		t.Fatal(err)
	}
	want := rewriting(2)
	rewrite(t, s, 9, want)
	for name, read := range map[string]func() (seal.Record, error){
		"sealed": func() (seal.Record, error) { return s.Sealed(ctx, 2) },
		"again":  func() (seal.Record, error) { return s.SealedAgain(ctx, 2) },
	} {
		got, err := read()
		if err != nil || got.Version != 2 || got.Written != 9 || !slices.Equal(got.Sealed, want.Record.Sealed) || !slices.Equal(got.Wrapped, want.Record.Wrapped) {
			t.Errorf("%s: got %+v %v, want %+v", name, got, err, want.Record)
		}
	}
	for row, holders := range map[record.IndexRow][]purser.Ordinal{
		{Field: 3, Index: index(2)}: nil, {Field: 3, Index: index(900)}: {2}, {Field: 12, Index: index(0)}: {1, 2, 3},
	} {
		if got, err := s.Holders(ctx, row, 9); !slices.Equal(got, holders) || err != nil {
			t.Errorf("holders of %d %x: got %v %v, want %v", row.Field, row.Index, got, err, holders)
		}
	}
	if since, found, _ := s.ChannelSince(ctx, 2, 3); since != 500 || !found {
		t.Errorf("channel 3: got since %d %v, want 500", since, found)
	}
	if _, found, _ := s.ChannelSince(ctx, 2, 5); found {
		t.Error("channel 5 is still there")
	}
	if got, err := s.Superseded(ctx, 2); !reflect.DeepEqual(got, want.Past) || err != nil {
		t.Errorf("superseded: got %+v %v, want %+v", got, err, want.Past)
	}
	if got, err := s.Salt(ctx, 9); !slices.Equal(got, want.Salt) || err != nil {
		t.Errorf("salt: got %q %v", got, err)
	}
	if got, err := s.Salt(ctx, 10); len(got) != 0 || err != nil {
		t.Errorf("salt of another entry: got %q %v", got, err)
	}
}

func rewritesNobody(t *testing.T, s Records) {
	err := put(t, s, func(tx ledger.Tx) error {
		if _, err := s.SealedIn(tx, 4); !errors.Is(err, record.ErrNoCustomer) {
			t.Errorf("sealed in the transaction: got %v, want ErrNoCustomer", err)
		}
		if gone, err := s.Erase(tx, 4, nil); err != nil || gone != (record.Destroyed{}) {
			t.Errorf("erase: got %+v %v, want nothing", gone, err)
		}
		if err := s.Rewrite(tx, 9, rewriting(4)); !errors.Is(err, record.ErrNoCustomer) {
			t.Errorf("rewrite: got %v, want ErrNoCustomer", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func seesItsOwn(t *testing.T, s Records) {
	mustPut(t, s, customersFrom(1, 1))
	err := put(t, s, func(tx ledger.Tx) error {
		if err := s.Rewrite(tx, 9, rewriting(1)); err != nil {
			return err
		}
		if got, err := s.SealedIn(tx, 1); err != nil || got.Version != 2 || got.Written != 9 {
			t.Errorf("in the transaction: got %+v %v, want version 2", got, err)
		}
		if got, err := s.Sealed(t.Context(), 1); err != nil || got.Version != 1 {
			t.Errorf("beside the transaction: got %+v %v, want version 1", got, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func erases(t *testing.T, s Records) {
	erase(t, s, []record.IndexRow{{Field: 3, Index: index(900)}, {Field: 12, Index: index(0)}})
}

func searchesAndErases(t *testing.T, s Records) { erase(t, s, nil) }

func erase(t *testing.T, s Records, found []record.IndexRow) {
	ctx := t.Context()
	mustPut(t, s, customersFrom(1, 3))
	rewrite(t, s, 9, rewriting(2))
	if _, err := s.SealedAgain(ctx, 2); err != nil {
		t.Fatal(err)
	}
	var gone record.Destroyed
	err := put(t, s, func(tx ledger.Tx) (err error) { gone, err = s.Erase(tx, 2, found); return err })
	if err != nil {
		t.Fatalf("erase: %v", err)
	}
	if want := (record.Destroyed{Records: 1, Keys: 1, Indexes: 2, Channels: 1, Superseded: 1, Salts: 1}); gone != want {
		t.Errorf("destroyed: got %+v, want %+v", gone, want)
	}
	for name, read := range map[string]func() error{
		"sealed":  func() error { _, err := s.Sealed(ctx, 2); return err },
		"again":   func() error { _, err := s.SealedAgain(ctx, 2); return err },
		"ordinal": func() error { _, err := s.OrdinalOf(ctx, customer(2).Record.Customer); return err },
	} {
		if err := read(); !errors.Is(err, record.ErrNoCustomer) {
			t.Errorf("%s: got %v, want ErrNoCustomer", name, err)
		}
	}
	if got, err := s.Holders(ctx, record.IndexRow{Field: 3, Index: index(900)}, 9); len(got) != 0 || err != nil {
		t.Errorf("holders: got %v %v, want none", got, err)
	}
	if got, err := s.Superseded(ctx, 2); len(got) != 0 || err != nil {
		t.Errorf("superseded: got %v %v, want none", got, err)
	}
	if got, err := s.Salt(ctx, 9); len(got) != 0 || err != nil {
		t.Errorf("salt: got %v %v, want none", got, err)
	}
	if got, err := s.Expiring(ctx, 1000, record.ExpiryRow{}, 9); len(got) != 0 || err != nil {
		t.Errorf("expiring: got %v %v, want none", got, err)
	}
	if _, err := s.Sealed(ctx, 3); err != nil {
		t.Errorf("the next customer: %v", err)
	}
}

func runsOut(t *testing.T, s Records) {
	ctx := t.Context()
	mustPut(t, s, customersFrom(1, 5))
	for o := purser.Ordinal(1); o <= 5; o++ {
		w := rewriting(o)
		w.Expiries[0].At += purser.Stamp(o % 2)
		w.Past[0].Until += purser.Stamp(o)
		rewrite(t, s, 8+purser.Pos(o), w)
	}
	var all []record.ExpiryRow
	var last record.ExpiryRow
	for {
		page, err := s.Expiring(ctx, 701, last, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		last = page[len(page)-1]
		all = append(all, page...)
	}
	var want []record.ExpiryRow
	for _, o := range []purser.Ordinal{2, 4, 1, 3, 5} {
		want = append(want, record.ExpiryRow{Ordinal: o, Field: 12, At: 700 + purser.Stamp(o%2)})
	}
	if !slices.Equal(all, want) {
		t.Errorf("expiring: got %v, want %v", all, want)
	}
	if got, err := s.Expiring(ctx, 699, record.ExpiryRow{}, 9); len(got) != 0 || err != nil {
		t.Errorf("expiring too early: got %v %v", got, err)
	}
	if err := put(t, s, func(tx ledger.Tx) error {
		for at, want := range map[purser.Stamp]purser.FieldMask{700: 0, 701: purser.Mask(12)} {
			if got, err := s.ExpiredIn(tx, 3, at); got != want || err != nil {
				return fmt.Errorf("expired of 3 at %d: got %b %v, want %b", at, got, err, want)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	w := rewriting(2)
	w.Record.Version, w.Expiries, w.Endless, w.Past, w.Salt = 3, nil, purser.Mask(12), nil, nil
	rewrite(t, s, 20, w)
	if got, err := s.Expiring(ctx, 701, record.ExpiryRow{}, 1); len(got) != 1 || got[0].Ordinal != 4 || err != nil {
		t.Errorf("expiring after one lost its end: got %v %v, want customer 4", got, err)
	}
	for _, c := range []struct {
		at    purser.Stamp
		after purser.Ordinal
		want  []purser.Ordinal
	}{{900, 0, nil}, {903, 0, []purser.Ordinal{1, 2, 3}}, {903, 1, []purser.Ordinal{2, 3}}} {
		if got, err := s.Outlived(ctx, c.at, c.after, 9); !slices.Equal(got, c.want) || err != nil {
			t.Errorf("outlived at %d above %d: got %v %v, want %v", c.at, c.after, got, err, c.want)
		}
	}
	if err := put(t, s, func(tx ledger.Tx) error { return s.Forget(tx, 903, []purser.Ordinal{1, 3, 5}) }); err != nil {
		t.Fatal(err)
	}
	for o, want := range map[purser.Ordinal]int{1: 0, 2: 1, 3: 0, 5: 1} {
		if got, err := s.Superseded(ctx, o); len(got) != want || err != nil {
			t.Errorf("superseded of %d: got %v %v, want %d", o, got, err, want)
		}
	}
}
