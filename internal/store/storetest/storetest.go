// Package storetest is the conformance suite of the databases: what every
// implementation of a store must do, errors and concurrency included.
//
// It owns one function per store interface, which takes a function that opens
// a fresh store. It is imported by test files alone.
//
// Start reading at [Ledger].
package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"

	"purser"
	"purser/internal/ledger"
)

// Ledger checks an implementation of ledger.Store. open returns an empty one
// that the test closes by itself.
func Ledger(t *testing.T, open func(testing.TB) ledger.Store) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, ledger.Store)
	}{
		{"a new store has the empty head", newStore},
		{"entries come back in order", appendAndRead},
		{"a batch on another head is refused whole", headMoved},
		{"rows that fail undo the batch", rowsFail},
		{"rows see the transaction", rowsRun},
		{"breaking off an iteration releases it", breakOff},
		{"a missing entry is an error", missingEntry},
		{"snapshots come newest first and two are kept", snapshots},
		{"the latest checkpoint is kept", checkpoints},
		{"reads go on beside appends", readsBesideAppends},
		{"a fault before the commit leaves nothing", faultBefore},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

// next builds the batch of n entries that follows head. Their bytes name
// their positions; stores do not look inside.
func next(head ledger.Head, n int) *ledger.Batch {
	b := &ledger.Batch{Before: head, After: head}
	for range n {
		entry := fmt.Appendf(nil, "entry %d", b.After.Size)
		b.Entries = append(b.Entries, entry)
		b.After.Frontier.Append(sha256.Sum256(entry))
		b.After.Size++
	}
	b.After.Root = b.After.Frontier.Root()
	return b
}

func mustAppend(t *testing.T, s ledger.Store, n int) ledger.Head {
	t.Helper()
	b := next(mustHead(t, s), n)
	if err := s.Append(t.Context(), b); err != nil {
		t.Fatalf("append %d entries: %v", n, err)
	}
	return b.After
}

func mustHead(t *testing.T, s ledger.Store) ledger.Head {
	t.Helper()
	h, err := s.Head(t.Context())
	if err != nil {
		t.Fatalf("head: %v", err)
	}
	return h
}

func mustBe(t *testing.T, s ledger.Store, want ledger.Head) {
	t.Helper()
	if got := mustHead(t, s); got != want {
		t.Fatalf("head: got size %d root %x, want size %d root %x", got.Size, got.Root, want.Size, want.Root)
	}
	n := purser.Pos(0)
	for e, err := range s.Entries(t.Context(), 0, want.Size) {
		if err != nil {
			t.Fatalf("entries: %v", err)
		}
		if text := fmt.Sprintf("entry %d", n); e.Pos != n || string(e.Bytes) != text {
			t.Fatalf("entry: got %d %q, want %d %q", e.Pos, e.Bytes, n, text)
		}
		n++
	}
	if n != want.Size {
		t.Fatalf("entries: got %d, want %d", n, want.Size)
	}
	for _, err := range s.Entries(t.Context(), want.Size, want.Size+1) {
		if err == nil {
			t.Fatalf("entry %d: there, want nothing beyond the head", want.Size)
		}
	}
}

func newStore(t *testing.T, s ledger.Store) {
	mustBe(t, s, ledger.Head{Root: sha256.Sum256(nil)})
	if size, note, err := s.LatestCheckpoint(t.Context()); size != 0 || note != nil || err != nil {
		t.Fatalf("checkpoint: got %d %q %v, want none", size, note, err)
	}
	for range s.Snapshots(t.Context()) {
		t.Fatal("snapshot: got one, want none")
	}
}

func appendAndRead(t *testing.T, s ledger.Store) {
	var head ledger.Head
	for _, n := range []int{1, 256, 3, 5000} {
		head = mustAppend(t, s, n)
	}
	mustBe(t, s, head)
}

func headMoved(t *testing.T, s ledger.Store) {
	first := next(mustHead(t, s), 3)
	second := next(mustHead(t, s), 2)
	if err := s.Append(t.Context(), first); err != nil {
		t.Fatalf("append: %v", err)
	}
	second.Entries = [][]byte{}
	second.After.Root = purser.Hash{1}
	if err := s.Append(t.Context(), second); !errors.Is(err, ledger.ErrHeadMoved) {
		t.Fatalf("append on an old head: got %v, want ErrHeadMoved", err)
	}
	forked := next(first.After, 1)
	forked.Before.Root = purser.Hash{2}
	if err := s.Append(t.Context(), forked); !errors.Is(err, ledger.ErrHeadMoved) {
		t.Fatalf("append on another root: got %v, want ErrHeadMoved", err)
	}
	mustBe(t, s, first.After)
	mustBe(t, s, mustAppend(t, s, 1))
}

func rowsFail(t *testing.T, s ledger.Store) {
	head := mustAppend(t, s, 2)
	cause := errors.New("no such row")
	b := next(head, 3)
	b.Rows = []ledger.Row{
		{Index: 0, Write: func(ledger.Tx) error { return nil }},
		{Index: 2, Write: func(ledger.Tx) error { return cause }},
	}
	err := s.Append(t.Context(), b)
	var row *ledger.RowError
	if !errors.As(err, &row) || row.Index != 2 || !errors.Is(err, cause) || !errors.Is(err, ledger.ErrNothingWritten) {
		t.Fatalf("append: got %v, want RowError of entry 2 that wrote nothing", err)
	}
	mustBe(t, s, head)
	mustBe(t, s, mustAppend(t, s, 1))
}

func rowsRun(t *testing.T, s ledger.Store) {
	b := next(mustHead(t, s), 2)
	var order []int
	for i := range 2 {
		b.Rows = append(b.Rows, ledger.Row{Index: i, Write: func(tx ledger.Tx) error {
			if tx == nil {
				return errors.New("no transaction")
			}
			order = append(order, i)
			return nil
		}})
	}
	if err := s.Append(t.Context(), b); err != nil {
		t.Fatalf("append: %v", err)
	}
	if fmt.Sprint(order) != "[0 1]" {
		t.Fatalf("rows ran in order %v, want [0 1]", order)
	}
}

func breakOff(t *testing.T, s ledger.Store) {
	head := mustAppend(t, s, 100)
	for range 100 { // more often than there are connections
		for e, err := range s.Entries(t.Context(), 10, 100) {
			if err != nil || e.Pos != 10 {
				t.Fatalf("entry: got %d %v, want 10", e.Pos, err)
			}
			break
		}
	}
	mustPutSnapshot(t, s, 10, "ten")
	mustPutSnapshot(t, s, 20, "twenty")
	for range 100 {
		for range s.Snapshots(t.Context()) {
			break
		}
	}
	mustBe(t, s, head)
}

func missingEntry(t *testing.T, s ledger.Store) {
	mustAppend(t, s, 2)
	var last error
	n := 0
	for _, err := range s.Entries(t.Context(), 1, 4) {
		if last = err; err == nil {
			n++
		}
	}
	if n != 1 || !errors.Is(last, ledger.ErrCorrupt) {
		t.Fatalf("entries 1 to 4 of 2: got %d and %v, want 1 and ErrCorrupt", n, last)
	}
}

func mustPutSnapshot(t *testing.T, s ledger.Store, size purser.Pos, text string) {
	t.Helper()
	err := s.PutSnapshot(t.Context(), ledger.Snapshot{
		Size: size, FoldVersion: 7, Digest: sha256.Sum256([]byte(text)), Bytes: []byte(text),
		Frontier: next(ledger.Head{}, int(size)).After.Frontier,
	})
	if err != nil {
		t.Fatalf("put snapshot: %v", err)
	}
}

func snapshots(t *testing.T, s ledger.Store) {
	large := string(bytes.Repeat([]byte("0123456789abcdef"), 50_000))
	texts := map[purser.Pos]string{1: "one", 5: large, 9: "nine"}
	for _, size := range []purser.Pos{1, 5, 9} {
		mustPutSnapshot(t, s, size, texts[size])
	}
	mustPutSnapshot(t, s, 9, "nine again")
	texts[9] = "nine again"
	var sizes []purser.Pos
	for snap, err := range s.Snapshots(t.Context()) {
		if err != nil {
			t.Fatalf("snapshots: %v", err)
		}
		sizes = append(sizes, snap.Size)
		text := texts[snap.Size]
		if snap.Frontier != next(ledger.Head{}, int(snap.Size)).After.Frontier {
			t.Fatalf("snapshot %d: another frontier came back", snap.Size)
		}
		if string(snap.Bytes) != text || snap.Digest != sha256.Sum256([]byte(text)) || snap.FoldVersion != 7 {
			t.Fatalf("snapshot %d: got %d bytes, version %d, want %d and 7", snap.Size, len(snap.Bytes), snap.FoldVersion, len(text))
		}
	}
	if fmt.Sprint(sizes) != "[9 5]" {
		t.Fatalf("snapshots: got %v, want [9 5]", sizes)
	}
}

func checkpoints(t *testing.T, s ledger.Store) {
	for _, size := range []purser.Pos{3, 8} {
		if err := s.PutCheckpoint(t.Context(), size, fmt.Appendf(nil, "note %d", size)); err != nil {
			t.Fatalf("put checkpoint: %v", err)
		}
	}
	size, note, err := s.LatestCheckpoint(t.Context())
	if size != 8 || string(note) != "note 8" || err != nil {
		t.Fatalf("checkpoint: got %d %q %v, want 8", size, note, err)
	}
}

func readsBesideAppends(t *testing.T, s ledger.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	read := make(chan error)
	go func() {
		for ctx.Err() == nil {
			h, err := s.Head(context.WithoutCancel(ctx))
			if err == nil && h.Root != h.Frontier.Root() {
				err = fmt.Errorf("root of size %d is not that of its frontier", h.Size)
			}
			for _, e := range s.Entries(context.WithoutCancel(ctx), 0, h.Size) {
				err = errors.Join(err, e)
			}
			if err != nil {
				read <- err
				return
			}
		}
		read <- nil
	}()
	var head ledger.Head
	for range 200 {
		head = mustAppend(t, s, 5)
	}
	cancel()
	if err := <-read; err != nil {
		t.Fatalf("read: %v", err)
	}
	mustBe(t, s, head)
}

func faultBefore(t *testing.T, s ledger.Store) {
	head := mustAppend(t, s, 2)
	cause := errors.New("device gone")
	for _, point := range []string{"before-begin", "after-begin", "after-entries", "after-head", "before-commit"} {
		b := next(head, 3)
		b.Fault = func(at string) error {
			if at == point {
				return cause
			}
			return nil
		}
		err := s.Append(t.Context(), b)
		if !errors.Is(err, cause) || errors.Is(err, ledger.ErrNothingWritten) {
			t.Fatalf("fault at %s: got %v, want the cause and no promise", point, err)
		}
		mustBe(t, s, head)
	}
	b := next(head, 3)
	b.Fault = func(at string) error {
		if at == "after-commit" {
			return cause
		}
		return nil
	}
	if err := s.Append(t.Context(), b); !errors.Is(err, cause) {
		t.Fatalf("fault after the commit: got %v, want the cause", err)
	}
	mustBe(t, s, b.After)
}
