package sqlite_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"purser"
	"purser/internal/ledger"
	"purser/internal/record"
	"purser/internal/seal"
	"purser/internal/store/sqlite"
	"purser/proof"
)

// putCustomers writes customers 1 to n beside an entry; each has his number for
// a version.
func putCustomers(t *testing.T, db *sqlite.DB, n purser.Ordinal) {
	t.Helper()
	var all []record.Customer
	for o := purser.Ordinal(1); o <= n; o++ {
		r := seal.Record{Subject: seal.Subject{Ordinal: o, Version: uint32(o)}, Wrapped: []byte{1}, Sealed: []byte{byte(o)}}
		r.Customer[0], r.Customer[1] = byte(o), byte(o>>8)
		all = append(all, record.Customer{Record: r})
	}
	entry := []byte("customers")
	b := ledger.Batch{Entries: [][]byte{entry}, Rows: []ledger.Row{{Write: func(tx ledger.Tx) error {
		return db.PutCustomers(tx, 0, all)
	}}}}
	b.After.Frontier.Append(proof.LeafHash(entry))
	b.After.Size, b.After.Root = 1, b.After.Frontier.Root()
	before, err := db.Head(t.Context())
	if err != nil {
		t.Fatalf("head: %v", err)
	}
	b.Before = before
	if err := db.Append(t.Context(), &b); err != nil {
		t.Fatalf("put customers: %v", err)
	}
}

func TestReadsThatWaitTogetherGetTheirOwnRecords(t *testing.T) {
	const customers, callers, turns = 300, 100, 30
	db := open(t, t.TempDir())
	putCustomers(t, db, customers)
	var running sync.WaitGroup
	for caller := range callers {
		running.Go(func() {
			for turn := range turns {
				o := purser.Ordinal((caller*turns+turn)%(customers+10)) + 1
				got, err := db.Sealed(t.Context(), o)
				switch {
				case o > customers:
					if !errors.Is(err, record.ErrNoCustomer) {
						t.Errorf("customer %d: got %v, want ErrNoCustomer", o, err)
					}
				case err != nil || got.Ordinal != o || got.Version != uint32(o) || got.Sealed[0] != byte(o):
					t.Errorf("customer %d: got %+v, %v", o, got, err)
				}
			}
		})
	}
	running.Wait()
}

func TestReadsOfAClosedDatabaseFail(t *testing.T) {
	db := open(t, t.TempDir())
	putCustomers(t, db, 1)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := db.Sealed(gone, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("read by who gave up: got %v, want Canceled", err)
	}
	var running sync.WaitGroup
	for range 20 {
		running.Go(func() {
			for {
				if _, err := db.Sealed(t.Context(), 1); err != nil {
					return // what is under way at the close fails rather than hangs
				}
			}
		})
	}
	if err := db.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	running.Wait()
	if _, err := db.Sealed(t.Context(), 1); err == nil {
		t.Error("read after close: got no error, want one")
	}
}
