package sqlite_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"purser"
	"purser/internal/ledger"
	"purser/internal/record"
	"purser/internal/seal"
	"purser/internal/store/sqlite"
)

// What is destroyed leaves the write-ahead log too, also while somebody read it
// at the moment.
//
// Seen to fail while the log was only ever copied back: the key of an erased
// customer was there 50 commits later.
func TestLaw06WhatIsErasedLeavesEveryFile(t *testing.T) {
	dir := t.TempDir()
	db, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir, Create: true})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { _ = db.Close() })
	log := openLog(t, db)
	sealed, wrapped := bytes.Repeat([]byte("sealed form"), 9), bytes.Repeat([]byte("wrapped key"), 6)
	rows(t, log, func(tx ledger.Tx, pos purser.Pos) error {
		return db.PutCustomers(tx, pos, []record.Customer{{Record: seal.Record{
			Subject: seal.Subject{Customer: purser.CustomerID{1}, Ordinal: 1, Version: 1}, Sealed: sealed, Wrapped: wrapped,
		}}})
	})
	for read, err := range db.Entries(t.Context(), 0, log.Size()) {
		if err != nil {
			t.Fatalf("read: %v", err)
		}
		if read.Pos == 0 { // a reader stands in the way of the first try
			rows(t, log, func(tx ledger.Tx, _ purser.Pos) error {
				_, err := db.Erase(tx, 1, nil)
				return err
			})
		}
	}
	for range 50 {
		if !anywhere(t, dir, sealed) && !anywhere(t, dir, wrapped) {
			return
		}
		rows(t, log, func(ledger.Tx, purser.Pos) error { return nil })
	}
	t.Fatal("the record or the key of somebody erased is in a file 50 commits later")
}

// rows commits one entry with rows beside it.
func rows(t *testing.T, log *ledger.Log[*count], write func(ledger.Tx, purser.Pos) error) {
	t.Helper()
	_, err := log.ProposeRows(t.Context(), purser.VendorID{}, func(*count, purser.Stamp) purser.Entry {
		return &purser.Start{Software: "x"}
	}, func(tx ledger.Tx, pos purser.Pos, _ purser.Entry) error { return write(tx, pos) })
	if err != nil {
		t.Fatalf("commit: %v", err)
	}
}

// anywhere reports whether a file of the directory holds what.
func anywhere(t *testing.T, dir string, what []byte) bool {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, what) {
			return true
		}
	}
	return false
}
