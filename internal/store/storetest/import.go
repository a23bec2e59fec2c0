package storetest

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"purser"
	"purser/internal/ledger"
	"purser/internal/record"
)

// Import checks an implementation of record.ImportStore, like Record.
func Import(t *testing.T, open func(testing.TB) Records) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, Records)
	}{
		{"an import is kept until it is forgotten", importRow},
		{"fates come back in the order of the file", fates},
		{"who is sealed alone is found by nothing", sealedAlone},
		{"indexes and identifiers go in once", findable},
		{"dropped customers leave nothing", dropped},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

func importRow(t *testing.T, s Records) {
	ctx := t.Context()
	row := record.ImportRow{
		File: purser.Hash{1}, Options: purser.Hash{2}, First: 7, Rows: 30, Settled: 20,
		Tally: record.Tally{New: 1, Changed: 2, Same: 3, Merged: 4, Rejected: 5},
	}
	if _, err := s.OpenImport(ctx); !errors.Is(err, record.ErrNoImport) {
		t.Fatalf("open import of a new store: got %v, want ErrNoImport", err)
	}
	mustDo(t, s, func(tx ledger.Tx) error { return s.PutImport(tx, row) })
	if got, err := s.OpenImport(ctx); got != row || err != nil {
		t.Fatalf("open import: got %+v %v, want %+v", got, err, row)
	}
	row.Rows, row.Ended = 31, true
	mustDo(t, s, func(tx ledger.Tx) error { return s.PutImport(tx, row) })
	if got, err := s.Import(ctx, row.File); got != row || err != nil {
		t.Fatalf("import: got %+v %v, want %+v", got, err, row)
	}
	if _, err := s.OpenImport(ctx); !errors.Is(err, record.ErrNoImport) {
		t.Fatalf("open import after the end: got %v, want ErrNoImport", err)
	}
	mustDo(t, s, func(tx ledger.Tx) error { return s.DropImport(tx, row.File) })
	if _, err := s.Import(ctx, row.File); !errors.Is(err, record.ErrNoImport) {
		t.Fatalf("forgotten import: got %v, want ErrNoImport", err)
	}
}

func mustDo(t *testing.T, s Records, write func(ledger.Tx) error) {
	t.Helper()
	if err := put(t, s, write); err != nil {
		t.Fatalf("write: %v", err)
	}
}

func fates(t *testing.T, s Records) {
	file, other := purser.Hash{1}, purser.Hash{2}
	want := []record.Fates{
		{Before: 0, Count: 5, Rows: []byte{1, 2}, Whose: []purser.Ordinal{1, 1 << 31}},
		{Before: 5, Count: 300, Rows: make([]byte, 75)},
	}
	mustDo(t, s, func(tx ledger.Tx) error {
		return errors.Join(s.PutFates(tx, file, want[1:]), s.PutFates(tx, other, want[1:]))
	})
	mustDo(t, s, func(tx ledger.Tx) error { return s.PutFates(tx, file, want[:1]) })
	read := func(of purser.Hash) (all []record.Fates) {
		for f, err := range s.Fates(t.Context(), of) {
			if err != nil {
				t.Fatalf("fates: %v", err)
			}
			all = append(all, f)
		}
		return all
	}
	if got := read(file); !reflect.DeepEqual(got, want) {
		t.Fatalf("fates: got %+v, want %+v", got, want)
	}
	for range s.Fates(t.Context(), file) {
		break // releases what it holds
	}
	mustDo(t, s, func(tx ledger.Tx) error { return s.DropFates(tx, file) })
	if got := read(file); len(got) != 0 || len(read(other)) != 1 {
		t.Fatalf("fates after dropping one file's: got %d of it and %d of the other, want 0 and 1", len(got), len(read(other)))
	}
}

func sealedAlone(t *testing.T, s Records) {
	ctx := t.Context()
	mustDo(t, s, func(tx ledger.Tx) error { return s.PutSealed(tx, 7, customersFrom(1, 70)) })
	for _, o := range []purser.Ordinal{1, 33, 70} {
		want := customer(o).Record
		got, err := s.Sealed(ctx, o)
		if err != nil || got.Subject != want.Subject || got.Written != 7 || !slices.Equal(got.Wrapped, want.Wrapped) {
			t.Fatalf("sealed %d: got %+v %v, want %+v", o, got, err, want)
		}
		if _, err := s.OrdinalOf(ctx, want.Customer); !errors.Is(err, record.ErrNoCustomer) {
			t.Fatalf("ordinal of %d: got %v, want ErrNoCustomer", o, err)
		}
		if got, err := s.Holders(ctx, record.IndexRow{Field: 3, Index: index(uint32(o))}, 9); len(got) != 0 || err != nil {
			t.Fatalf("holders: got %v %v, want none", got, err)
		}
	}
	n := purser.Ordinal(5)
	for c, err := range s.Written(ctx, 5, 60) {
		if err != nil || c != customer(n).Record.Subject {
			t.Fatalf("written: got %+v %v, want customer %d", c, err, n)
		}
		n++
	}
	if n != 60 {
		t.Fatalf("written: ended before %d, want 60", n)
	}
}

func findable(t *testing.T, s Records) {
	ctx := t.Context()
	mustDo(t, s, func(tx ledger.Tx) error { return s.PutSealed(tx, 7, customersFrom(1, 70)) })
	var indexes []record.IndexEntry
	var names []record.NameEntry
	for o := purser.Ordinal(1); o <= 70; o++ {
		indexes = append(indexes, record.IndexEntry{IndexRow: record.IndexRow{Field: 3, Index: index(uint32(o) / 2)}, Ordinal: o})
		names = append(names, record.NameEntry{Customer: customer(o).Record.Customer, Ordinal: o})
	}
	for range 2 {
		if err := errors.Join(s.PutIndexes(ctx, indexes), s.PutNames(ctx, names)); err != nil {
			t.Fatalf("put indexes: %v", err)
		}
	}
	if got, err := s.Holders(ctx, record.IndexRow{Field: 3, Index: index(33)}, 9); !slices.Equal(got, []purser.Ordinal{66, 67}) || err != nil {
		t.Fatalf("holders: got %v %v, want 66 and 67", got, err)
	}
	for _, o := range []purser.Ordinal{1, 40, 70} {
		if got, err := s.OrdinalOf(ctx, customer(o).Record.Customer); got != o || err != nil {
			t.Fatalf("ordinal: got %d %v, want %d", got, err, o)
		}
	}
}

func dropped(t *testing.T, s Records) {
	ctx := t.Context()
	mustPut(t, s, customersFrom(1, 9))
	for range 2 {
		if err := s.DropCustomers(ctx, 4, 9); err != nil {
			t.Fatalf("drop: %v", err)
		}
	}
	for o := purser.Ordinal(1); o <= 9; o++ {
		_, err := s.Sealed(ctx, o)
		_, found := s.OrdinalOf(ctx, customer(o).Record.Customer)
		holders, _ := s.Holders(ctx, record.IndexRow{Field: 3, Index: index(uint32(o))}, 9)
		if gone := o >= 4; errors.Is(err, record.ErrNoCustomer) != gone || errors.Is(found, record.ErrNoCustomer) != gone || (len(holders) == 0) != gone {
			t.Fatalf("customer %d: got %v, %v and holders %v, want gone %v", o, err, found, holders, gone)
		}
	}
}
