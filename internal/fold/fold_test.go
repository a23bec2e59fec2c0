package fold_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"purser"
	"purser/internal/fold"
	"purser/internal/synth"
)

// start is the stamp of the first entry in all these tests.
const start = 1_767_225_600 * purser.Second // 2026-01-01

type recorded struct {
	header purser.Header
	entry  purser.Entry
}

func snapshot(s *fold.State) []byte {
	c := purser.NewEncoder(nil)
	s.Code(c)
	return c.Bytes()
}

// grow applies n made-up entries to s and returns them. Each must be what the
// state takes without an error.
func grow(t fataler, s *fold.State, from *synth.Entries, n int) []recorded {
	t.Helper()
	all := make([]recorded, 0, n)
	for range n {
		h, e := from.Next(s)
		if err := s.Apply(h, e); err != nil {
			t.Fatalf("apply %T at position %d: %v", e, h.Pos, err)
		}
		s.Commit()
		all = append(all, recorded{h, e})
	}
	return all
}

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

func drawn(t *rapid.T) func(int) int {
	return func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "n") }
}

func seeded(seed uint64) func(int) int { return rand.New(rand.NewPCG(seed, 1)).IntN }

// replay parses each entry from its bytes and applies it to s, committing in
// batches of the given size.
func replay(t fataler, s *fold.State, all []recorded, batch int) {
	t.Helper()
	for i, r := range all {
		b, err := purser.AppendEntry(nil, r.header.Pos, r.header.Stamp, r.entry)
		if err != nil {
			t.Fatalf("encode %T: %v", r.entry, err)
		}
		h, e, err := purser.ParseEntry(b)
		if err != nil {
			t.Fatalf("parse %T: %v", r.entry, err)
		}
		if err := s.Apply(h, e); err != nil {
			t.Fatalf("replay %T at position %d: %v", r.entry, r.header.Pos, err)
		}
		if (i+1)%batch == 0 {
			s.Commit()
		}
	}
	s.Commit()
}

// What was folded live, what a replay of the stored bytes gives in other
// batches, and what a replay gives that goes on from snapshot after snapshot,
// are the same bytes.
//
// Seen to fail when the snapshot left out who bound a contact, when a desk
// session was not found again after a restore, and when a sweep looked at the
// first two rows of a map alone.
func TestLaw02ReplayGivesTheSameState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		n := rapid.IntRange(1, 400).Draw(t, "entries")
		live := fold.New()
		all := grow(t, live, synth.NewEntries(start, seeded(seed)), n)
		want := live.Digest()

		again := fold.New()
		replay(t, again, all, rapid.IntRange(1, 64).Draw(t, "batch"))
		if got := again.Digest(); got != want {
			t.Fatalf("seed %d: replay gives %x, want %x", seed, got, want)
		}

		hop := rapid.IntRange(10, 60).Draw(t, "hop")
		hopping := fold.New()
		for from := 0; from < n; from += hop {
			replay(t, hopping, all[from:min(n, from+hop)], 7)
			next, err := fold.Restore(snapshot(hopping))
			if err != nil {
				t.Fatalf("seed %d: restore after %d: %v", seed, from+hop, err)
			}
			if got := next.Digest(); got != hopping.Digest() {
				t.Fatalf("seed %d: restored after %d gives %x, want %x", seed, from+hop, got, hopping.Digest())
			}
			hopping = next
		}
		if got := hopping.Digest(); got != want {
			t.Fatalf("seed %d: from snapshot to snapshot gives %x, want %x", seed, got, want)
		}
	})
}

// A batch that was discarded leaves no trace, whatever was in it.
//
// Seen to fail when the budgets were not discarded with the rest.
func TestLaw02DiscardLeavesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := fold.New()
		from := synth.NewEntries(start, drawn(t))
		grow(t, s, from, 60)
		want := s.Digest()
		for range rapid.IntRange(1, 40).Draw(t, "batch") {
			h, e := from.Next(s)
			if err := s.Apply(h, e); err != nil {
				t.Fatalf("apply %T: %v", e, err)
			}
		}
		s.Discard()
		if got := s.Digest(); got != want {
			t.Fatalf("after a discard got %x, want %x", got, want)
		}
	})
}

// golden is the digest after 4,000 entries of seed 1. It is the same on every
// machine; it changes with Version alone.
const golden = "ec23a6b99cf66720bd29af4973399a4ba767e27944b09f7ea96a7a2cb69bc4ef"

func TestLaw02GoldenDigest(t *testing.T) {
	s := fold.New()
	kinds := map[purser.Kind]int{}
	for _, r := range grow(t, s, synth.NewEntries(start, seeded(1)), 4000) {
		kinds[r.header.Kind]++
	}
	for k := purser.KindStart; purser.NewEntry(k) != nil; k++ {
		if kinds[k] == 0 {
			t.Errorf("no entry of kind %d was made", k)
		}
	}
	digest := s.Digest()
	if got := hex.EncodeToString(digest[:]); got != golden {
		t.Errorf("got %s, want %s", got, golden)
	}
}

func TestApplyRefusesWhatCannotFollow(t *testing.T) {
	s := fold.New()
	grow(t, s, synth.NewEntries(start, seeded(2)), 50)
	next, last := s.Size(), start+400*purser.Day
	for name, c := range map[string]recorded{
		"position skipped":   {purser.Header{Kind: purser.KindStart, Pos: next + 1, Stamp: last}, &purser.Start{}},
		"position again":     {purser.Header{Kind: purser.KindStart, Pos: next - 1, Stamp: last}, &purser.Start{}},
		"stamp goes back":    {purser.Header{Kind: purser.KindStart, Pos: next, Stamp: 1}, &purser.Start{}},
		"kind of another":    {purser.Header{Kind: purser.KindDoor, Pos: next, Stamp: last}, &purser.Start{}},
		"unknown change":     {purser.Header{Kind: purser.KindChangeEnacted, Pos: next, Stamp: last}, &purser.ChangeEnacted{Change: purser.ChangeID{9}}},
		"unknown lock":       {purser.Header{Kind: purser.KindLockLift, Pos: next, Stamp: last}, &purser.LockLift{Lock: purser.LockID{9}}},
		"step-up of nobody":  {purser.Header{Kind: purser.KindSessionSteppedUp, Pos: next, Stamp: last}, &purser.SessionSteppedUp{}},
		"session without id": {purser.Header{Kind: purser.KindSessionOpened, Pos: next, Stamp: last}, &purser.SessionOpened{}},
	} {
		t.Run(name, func(t *testing.T) {
			want := s.Digest()
			if err := s.Apply(c.header, c.entry); err == nil {
				t.Error("got no error")
			}
			s.Discard()
			if got := s.Digest(); got != want {
				t.Errorf("got %x after the error, want %x", got, want)
			}
		})
	}
}

func TestRestoreRefusesOtherBytes(t *testing.T) {
	s := fold.New()
	grow(t, s, synth.NewEntries(start, seeded(3)), 400)
	good := snapshot(s)
	if again, err := fold.Restore(good); err != nil || !bytes.Equal(snapshot(again), good) {
		t.Fatalf("restore of a good snapshot: %v", err)
	}
	for name, b := range map[string][]byte{
		"empty":         nil,
		"cut":           good[:len(good)-1],
		"longer":        append(bytes.Clone(good), 0),
		"other version": append([]byte{0, 99}, good[2:]...),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := fold.Restore(b); !errors.Is(err, purser.ErrBadBytes) {
				t.Errorf("got %v, want ErrBadBytes", err)
			}
		})
	}
}

func FuzzRestore(f *testing.F) {
	for _, n := range []int{0, 30, 300} {
		s := fold.New()
		grow(f, s, synth.NewEntries(start, seeded(uint64(n))), n)
		f.Add(snapshot(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := fold.Restore(b)
		if err != nil {
			return
		}
		if !bytes.Equal(snapshot(s), b) {
			t.Error("a second encoding differs from the bytes restored")
		}
		// Whatever was restored, folding on must not panic.
		s.Sweep(start + purser.Day)
		s.Commit()
	})
}

func BenchmarkApplyDisclosure(b *testing.B) {
	s, from := fold.New(), synth.NewEntries(start, seeded(1))
	var d *purser.Disclosure
	var at purser.Stamp
	for d == nil || d.Reason != purser.Allowed || d.Flags&purser.FirstDisclosure == 0 {
		last := grow(b, s, from, 1)[0]
		d, _ = last.entry.(*purser.Disclosure)
		at = last.header.Stamp
	}
	b.ReportAllocs()
	for b.Loop() {
		h := purser.Header{Kind: purser.KindDisclosure, Pos: s.Size(), Stamp: at}
		if err := s.Apply(h, d); err != nil {
			b.Fatal(err)
		}
		if s.Size()%128 == 0 {
			s.Commit()
		}
	}
}
