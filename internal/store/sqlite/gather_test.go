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

// putCustomers writes customers first to last beside an entry; each has his
// number for a version. Failing rows undo it.
func putCustomers(t *testing.T, db *sqlite.DB, first, last purser.Ordinal, fail error) {
	t.Helper()
	var all []record.Customer
	for o := first; o <= last; o++ {
		r := seal.Record{Subject: seal.Subject{Ordinal: o, Version: uint32(o)}, Wrapped: []byte{1}, Sealed: []byte{byte(o)}}
		r.Customer[0], r.Customer[1] = byte(o), byte(o>>8)
		all = append(all, record.Customer{Record: r})
	}
	before, err := db.Head(t.Context())
	if err != nil {
		t.Fatalf("head: %v", err)
	}
	entry := []byte("customers")
	b := ledger.Batch{Before: before, After: before, Entries: [][]byte{entry}, Rows: []ledger.Row{{Write: func(tx ledger.Tx) error {
		return errors.Join(db.PutCustomers(tx, 0, all), fail)
	}}}}
	b.After.Frontier.Append(proof.LeafHash(entry))
	b.After.Size, b.After.Root = before.Size+1, b.After.Frontier.Root()
	if err := db.Append(t.Context(), &b); (err != nil) != (fail != nil) {
		t.Fatalf("put customers: got %v, want it to fail: %v", err, fail != nil)
	}
}

func TestReadsThatWaitTogetherGetTheirOwnRecords(t *testing.T) {
	const customers, callers, turns = 300, 100, 30
	db := open(t, t.TempDir())
	putCustomers(t, db, 1, customers, nil)
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
	putCustomers(t, db, 1, 1, nil)
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

func TestWritingRecordsForgetsWhatWasRead(t *testing.T) {
	db := open(t, t.TempDir())
	putCustomers(t, db, 1, 3, nil)
	again := func(o purser.Ordinal) {
		t.Helper()
		for range 2 {
			if got, err := db.SealedAgain(t.Context(), o); err != nil || got.Ordinal != o || got.Sealed[0] != byte(o) {
				t.Fatalf("customer %d: got %+v, %v", o, got, err)
			}
		}
	}
	remembers := func(when string, want int) {
		t.Helper()
		if got := db.Remembered(); got != want {
			t.Errorf("%s: %d records are remembered, want %d", when, got, want)
		}
	}
	again(1)
	again(2)
	remembers("after two were read", 2)
	if _, err := db.SealedAgain(t.Context(), 4); !errors.Is(err, record.ErrNoCustomer) {
		t.Errorf("nobody: got %v, want ErrNoCustomer", err)
	}
	if _, err := db.Sealed(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	remembers("after looking for nobody, and finding somebody", 2)
	putCustomers(t, db, 4, 4, nil)
	remembers("after records were written", 0)
	again(4)
	putCustomers(t, db, 5, 5, errors.New("failing rows"))
	again(4)
	if _, err := db.SealedAgain(t.Context(), 5); !errors.Is(err, record.ErrNoCustomer) {
		t.Errorf("undone: got %v, want ErrNoCustomer", err)
	}
}

func TestWhatWasReadBeforeAWriteIsNotRemembered(t *testing.T) {
	db := open(t, t.TempDir())
	putCustomers(t, db, 1, 1, nil)
	if err := db.ReadAround(t.Context(), 1, func() { putCustomers(t, db, 2, 2, nil) }); err != nil {
		t.Fatal(err)
	}
	if got := db.Remembered(); got != 0 {
		t.Errorf("%d records are remembered, want none", got)
	}
}

func TestOnlySoManyRecordsAreRemembered(t *testing.T) {
	const customers = 2*sqlite.MostRecent + 7
	db := open(t, t.TempDir())
	putCustomers(t, db, 1, customers, nil)
	for o := purser.Ordinal(1); o <= customers; o++ {
		for _, o := range []purser.Ordinal{o, 1} { // 1 is in use all the time
			if got, err := db.SealedAgain(t.Context(), o); err != nil || got.Ordinal != o {
				t.Fatalf("customer %d: got %+v, %v", o, got, err)
			}
		}
		if got := db.Remembered(); got > sqlite.MostRecent {
			t.Fatalf("%d records are remembered, want at most %d", got, sqlite.MostRecent)
		}
	}
}
