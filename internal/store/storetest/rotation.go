package storetest

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"purser"
	"purser/internal/record"
	"purser/internal/seal"
)

// wrapped is a data key that says which key it is wrapped under.
func wrapped(key uint32, what string) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{1}, key), what...)
}

func underKeys(t *testing.T, s Records, keys ...uint32) []record.Customer {
	t.Helper()
	var all []record.Customer
	for i, key := range keys {
		c := customer(purser.Ordinal(i + 1))
		c.Record.Wrapped = wrapped(key, "a")
		all = append(all, c)
	}
	mustPut(t, s, all)
	return all
}

func ordinals(list []seal.Record) (all []purser.Ordinal) {
	for _, r := range list {
		all = append(all, r.Ordinal)
	}
	return all
}

func walks(t *testing.T, s Records) {
	if got, err := s.Walk(t.Context(), purser.KeyIndex); err != nil || got != (record.Walk{Use: purser.KeyIndex}) {
		t.Fatalf("new: got %+v %v", got, err)
	}
	for n := range uint32(2) {
		w := record.Walk{Use: purser.KeyIndex, Now: 1<<32 - 1 - n, After: 7, Changed: 8, Total: 9}
		if err := s.PutWalk(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Walk(t.Context(), purser.KeyIndex); err != nil || got != w {
			t.Fatalf("got %+v %v, want %+v", got, err, w)
		}
	}
	if got, err := s.Walk(t.Context(), purser.KeyWrap); err != nil || got.Now != 0 {
		t.Fatalf("of the other use: got %+v %v", got, err)
	}
}

func rewraps(t *testing.T, s Records) {
	all := underKeys(t, s, 1, 2, 1, 1, 2)
	for _, c := range []struct {
		after, through purser.Ordinal
		limit          int
		want           []purser.Ordinal
	}{
		{0, 9, 9, []purser.Ordinal{1, 3, 4}},
		{1, 3, 9, []purser.Ordinal{3}},
		{0, 9, 2, []purser.Ordinal{1, 3}},
		{4, 9, 9, nil},
	} {
		got, err := s.WrappedElse(t.Context(), 2, c.after, c.through, c.limit)
		if diff := cmp.Diff(c.want, ordinals(got)); err != nil || diff != "" {
			t.Errorf("(%d, %d]: %s %v", c.after, c.through, diff, err)
		}
	}
	read, err := s.WrappedElse(t.Context(), 2, 0, 1, 1)
	if err != nil || len(read) != 1 || cmp.Diff(all[0].Record.Sealed, read[0].Sealed) != "" || read[0].Customer != all[0].Record.Customer {
		t.Fatalf("got %+v %v, want the first record", read, err)
	}
	w := record.Walk{Use: purser.KeyWrap, Now: 2, After: 4, Changed: 2}
	list := []record.Rewrapped{
		{Ordinal: 1, Before: wrapped(1, "a"), Now: wrapped(2, "b")},
		{Ordinal: 3, Before: wrapped(1, "other"), Now: wrapped(2, "b")},
		{Ordinal: 77, Before: wrapped(1, "a"), Now: wrapped(2, "b")},
	}
	if err := s.PutRewrapped(t.Context(), list, w); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Walk(t.Context(), purser.KeyWrap); err != nil || got != w {
		t.Errorf("walk: got %+v %v", got, err)
	}
	got, err := s.WrappedElse(t.Context(), 2, 0, 9, 9)
	if diff := cmp.Diff([]purser.Ordinal{3, 4}, ordinals(got)); err != nil || diff != "" {
		t.Errorf("left under the old key: %s %v", diff, err)
	}
	// Who reads from memory is told of it too.
	for range 2 {
		if r, err := s.SealedAgain(t.Context(), 1); err != nil || string(r.Wrapped) != string(wrapped(2, "b")) {
			t.Errorf("read again: %v", err)
		}
	}
}

func reindexes(t *testing.T, s Records) {
	all := underKeys(t, s, 1, 1, 1)
	read, err := s.SealedBetween(t.Context(), 0, 9, 2)
	if diff := cmp.Diff([]purser.Ordinal{1, 2}, ordinals(read)); err != nil || diff != "" {
		t.Fatalf("records: %s %v", diff, err)
	}
	come := record.IndexRow{Field: 3, Index: index(9999)}
	list := []record.Reindexed{
		{Ordinal: 1, Version: 1, Gone: all[0].Indexes[:1], Come: []record.IndexRow{come}},
		{Ordinal: 2, Version: 5, Gone: all[1].Indexes, Come: []record.IndexRow{come}},
		{Ordinal: 77, Version: 1, Come: []record.IndexRow{come}},
	}
	if err := s.PutReindexed(t.Context(), list, record.Walk{Use: purser.KeyIndex, Now: 2, After: 2}); err != nil {
		t.Fatal(err)
	}
	want := [][]record.IndexRow{{all[0].Indexes[1], come}, all[1].Indexes, all[2].Indexes}
	for i := range want {
		got, err := s.Standing(t.Context(), purser.Ordinal(i+1), append(slices.Clone(all[i].Indexes), come))
		if diff := cmp.Diff(want[i], got); err != nil || diff != "" {
			t.Errorf("%d: %s %v", i, diff, err)
		}
	}
	holders, err := s.Holders(t.Context(), come, 9)
	if diff := cmp.Diff([]purser.Ordinal{1}, holders); err != nil || diff != "" {
		t.Errorf("found by the new one: %s %v", diff, err)
	}
}
