package storetest

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"sync"
	"testing"

	"purser"
	"purser/internal/ledger"
	"purser/internal/record"
	"purser/internal/seal"
)

// Records is a store of records beside the ledger whose entries change them.
type Records interface {
	ledger.Store
	record.Store
}

// Record checks an implementation of record.Store. open returns an empty one
// that the test closes by itself.
func Record(t *testing.T, open func(testing.TB) Records) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, Records)
	}{
		{"a new store has nobody", noCustomers},
		{"a customer comes back as it was put", putAndRead},
		{"an index leads to its holders alone, in order", holders},
		{"a number that is taken undoes the batch", takenOrdinal},
		{"a foreign transaction is refused", foreignTx},
		{"a rewriting replaces every row", rewrites},
		{"nobody is rewritten or erased", rewritesNobody},
		{"a transaction sees what it wrote", seesItsOwn},
		{"an erasure leaves no row", erases},
		{"an erasure searches what nobody knows", searchesAndErases},
		{"what runs out is told in order", runsOut},
		{"reads beside an append see all of a batch or nothing", wholeBatches},
		{"a walk is kept with what it changed", walks},
		{"a data key is replaced only where it is as it was read", rewraps},
		{"indexes are replaced only of the version that was read", reindexes},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

func customer(o purser.Ordinal) record.Customer {
	r := seal.Record{
		Subject: seal.Subject{Ordinal: o, Version: 1},
		Wrapped: binary.BigEndian.AppendUint32([]byte("key "), uint32(o)),
		Sealed:  holding(purser.Mask(3, 5, 12), o),
	}
	binary.BigEndian.PutUint32(r.Customer[:], uint32(o))
	return record.Customer{
		Record:   r,
		Indexes:  []record.IndexRow{{Field: 3, Index: index(uint32(o))}, {Field: 12, Index: index(uint32(o) / 4)}},
		Channels: []record.ChannelRow{{Field: 3, Since: purser.Stamp(o)}, {Field: 5}},
	}
}

// holding is a sealed form that says it has a value for fields.
func holding(fields purser.FieldMask, o purser.Ordinal) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32([]byte{1}, uint32(fields)), uint32(o))
}

func index(n uint32) (i seal.Index) {
	binary.BigEndian.PutUint32(i[:], n)
	return i
}

func customersFrom(first purser.Ordinal, n int) []record.Customer {
	var all []record.Customer
	for o := first; o < first+purser.Ordinal(n); o++ {
		all = append(all, customer(o))
	}
	return all
}

// put appends one entry and runs write in its transaction.
func put(t *testing.T, s Records, write func(ledger.Tx) error) error {
	t.Helper()
	b := next(mustHead(t, s), 1)
	b.Rows = []ledger.Row{{Write: write}}
	return s.Append(t.Context(), b)
}

func mustPut(t *testing.T, s Records, customers []record.Customer) {
	t.Helper()
	if err := put(t, s, func(tx ledger.Tx) error { return s.PutCustomers(tx, 7, customers) }); err != nil {
		t.Fatalf("put customers: %v", err)
	}
}

func noCustomers(t *testing.T, s Records) {
	ctx := t.Context()
	if _, err := s.Sealed(ctx, 1); !errors.Is(err, record.ErrNoCustomer) {
		t.Fatalf("sealed: got %v, want ErrNoCustomer", err)
	}
	if _, err := s.OrdinalOf(ctx, purser.CustomerID{1}); !errors.Is(err, record.ErrNoCustomer) {
		t.Fatalf("ordinal: got %v, want ErrNoCustomer", err)
	}
	if got, err := s.Holders(ctx, record.IndexRow{Field: 3, Index: index(1)}, 9); len(got) != 0 || err != nil {
		t.Fatalf("holders: got %v %v, want none", got, err)
	}
	if _, found, err := s.ChannelSince(ctx, 1, 3); found || err != nil {
		t.Fatalf("channel: got %v %v, want none", found, err)
	}
}

func putAndRead(t *testing.T, s Records) {
	ctx := t.Context()
	mustPut(t, s, customersFrom(1, 8))
	for o := purser.Ordinal(1); o <= 8; o++ {
		want := customer(o)
		got, err := s.Sealed(ctx, o)
		if err != nil || got.Subject != want.Record.Subject || got.Written != 7 ||
			!slices.Equal(got.Wrapped, want.Record.Wrapped) || !slices.Equal(got.Sealed, want.Record.Sealed) {
			t.Fatalf("sealed %d: got %+v %v, want %+v", o, got, err, want.Record)
		}
		if n, err := s.OrdinalOf(ctx, want.Record.Customer); n != o || err != nil {
			t.Fatalf("ordinal: got %d %v, want %d", n, err, o)
		}
		if since, found, err := s.ChannelSince(ctx, o, 3); since != purser.Stamp(o) || !found || err != nil {
			t.Fatalf("channel 3 of %d: got %d %v %v, want %d", o, since, found, err, o)
		}
		if since, found, err := s.ChannelSince(ctx, o, 5); since != 0 || !found || err != nil {
			t.Fatalf("channel 5 of %d: got %d %v %v, want 0", o, since, found, err)
		}
	}
	if _, err := s.Sealed(ctx, 9); !errors.Is(err, record.ErrNoCustomer) {
		t.Fatalf("sealed 9: got %v, want ErrNoCustomer", err)
	}
}

func holders(t *testing.T, s Records) {
	mustPut(t, s, customersFrom(1, 40))
	for _, c := range []struct {
		name  string
		row   record.IndexRow
		limit int
		want  []purser.Ordinal
	}{
		{"one holder", record.IndexRow{Field: 3, Index: index(7)}, 9, []purser.Ordinal{7}},
		{"several", record.IndexRow{Field: 12, Index: index(2)}, 9, []purser.Ordinal{8, 9, 10, 11}},
		{"as many as asked for", record.IndexRow{Field: 12, Index: index(2)}, 2, []purser.Ordinal{8, 9}},
		{"same index of another field", record.IndexRow{Field: 5, Index: index(7)}, 9, nil},
		{"unknown", record.IndexRow{Field: 3, Index: index(700)}, 9, nil},
	} {
		if got, err := s.Holders(t.Context(), c.row, c.limit); !slices.Equal(got, c.want) || err != nil {
			t.Errorf("%s: got %v %v, want %v", c.name, got, err, c.want)
		}
	}
}

func takenOrdinal(t *testing.T, s Records) {
	mustPut(t, s, customersFrom(1, 3))
	head := mustHead(t, s)
	err := put(t, s, func(tx ledger.Tx) error { return s.PutCustomers(tx, 7, customersFrom(3, 2)) })
	if !errors.Is(err, ledger.ErrNothingWritten) {
		t.Fatalf("number taken: got %v, want ErrNothingWritten", err)
	}
	mustBe(t, s, head)
	if _, err := s.Sealed(t.Context(), 4); !errors.Is(err, record.ErrNoCustomer) {
		t.Fatalf("sealed 4: got %v, want ErrNoCustomer", err)
	}
}

type foreign struct{}

func (foreign) LedgerTx() {}

func foreignTx(t *testing.T, s Records) {
	if err := s.PutCustomers(foreign{}, 7, customersFrom(1, 1)); err == nil {
		t.Error("put customers in a foreign transaction: got no error")
	}
	var kept ledger.Tx
	if err := put(t, s, func(tx ledger.Tx) error { kept = tx; return nil }); err != nil {
		t.Fatalf("append: %v", err)
	}
	if err := s.PutImport(kept, record.ImportRow{}); err == nil {
		t.Error("put an import in a transaction that is over: got no error")
	}
	if _, err := s.Sealed(t.Context(), 1); !errors.Is(err, record.ErrNoCustomer) {
		t.Fatalf("sealed: got %v, want ErrNoCustomer", err)
	}
}

func wholeBatches(t *testing.T, s Records) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	shared := record.IndexRow{Field: 12, Index: index(77)}
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for ctx.Err() == nil {
				all, err := s.Holders(context.WithoutCancel(ctx), shared, 1000)
				if err != nil || len(all)%10 != 0 {
					t.Errorf("holders beside appends: got %d %v, want a multiple of 10", len(all), err)
					return
				}
				if len(all) == 0 {
					continue
				}
				if _, err := s.Sealed(context.WithoutCancel(ctx), all[len(all)-1]); err != nil {
					t.Errorf("sealed %d: %v", all[len(all)-1], err)
					return
				}
			}
		})
	}
	for i := range 30 {
		batch := customersFrom(purser.Ordinal(i*10+1), 10)
		for n := range batch {
			batch[n].Indexes = append(batch[n].Indexes, shared)
		}
		mustPut(t, s, batch)
	}
	cancel()
	readers.Wait()
}
