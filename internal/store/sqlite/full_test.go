package sqlite_test

import (
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"purser"
	"purser/internal/ledger"
)

// A checkpoint that finds no room is no reason to end the ledger: it is signed
// once there is room again.
func TestAFullDatabaseAndCheckpoints(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	secret, _, err := note.GenerateKey(rand.Reader, "example.com/ledger")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	log, err := ledger.Open(t.Context(), ledger.Config[*count]{
		Store: db, New: func() *count { return new(count) }, Clock: clock{time.Now()}, SnapshotEvery: 2,
		Signer: signer, Origin: "example.com/ledger",
	})
	if err != nil {
		t.Fatalf("open log: %v", err)
	}
	if err := db.LimitPages(20); err != nil {
		t.Fatalf("limit: %v", err)
	}
	if n, err := until(t, log); !errors.Is(err, ledger.ErrNothingWritten) || n == 0 {
		t.Fatalf("full after %d entries: got %v, want ErrNothingWritten", n, err)
	}
	for deadline := time.Now().Add(1200 * time.Millisecond); time.Now().Before(deadline); {
		if err := propose(t, log); !errors.Is(err, ledger.ErrNothingWritten) {
			t.Fatalf("propose on a full disk: got %v, want ErrNothingWritten", err)
		}
	}
	if err := db.LimitPages(0); err != nil {
		t.Fatalf("limit: %v", err)
	}
	if err := propose(t, log); err != nil {
		t.Fatalf("with room again: %v", err)
	}
	want := log.Size()
	if err := log.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	if _, signed := log.Checkpoint(); signed < want {
		t.Errorf("checkpoint of %d entries, want %d or more", signed, want)
	}
	var size purser.Pos
	if size, _, err = db.LatestCheckpoint(t.Context()); err != nil || size < want {
		t.Errorf("stored checkpoint: got %d and %v, want %d or more", size, err, want)
	}
}
