package seal_test

import (
	"bytes"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"purser"
	"purser/internal/seal"
)

// words indexes field 3 by its text in lower case, and field 12 by each word.
type words struct{}

func (words) Indexed(f purser.Field, value string) (string, []string) {
	if f == 3 {
		return "email", []string{strings.ToLower(value)}
	}
	if f == 12 {
		return "booking", strings.Fields(value)
	}
	return "", nil
}

func indexesOf(t *rapid.T, k *seal.Keys, values map[purser.Field]string) map[string]bool {
	out := make(map[string]bool)
	for f, v := range values {
		if v == "" {
			continue
		}
		name, normals := words{}.Indexed(f, v)
		for _, n := range normals {
			index, err := k.Index(name, n)
			if err != nil {
				t.Fatalf("index: %v", err)
			}
			out[fmt.Sprint(f, index)] = true
		}
	}
	return out
}

func opened(t testing.TB, k *seal.Keys, all receipts, r seal.Record) map[purser.Field]string {
	t.Helper()
	values, err := k.Open(all.disclosure(t, r.Ordinal, 0, 3, 9, 12), r)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	out := make(map[purser.Field]string)
	for f, v := range values {
		out[f] = v.Reveal()
	}
	return out
}

// Whatever is written in whatever order, the record holds what a map would, is
// found by what a map would be found by, and the past opens nothing by itself.
func TestRewritingIsLikeAMap(t *testing.T) {
	k, receipts := newKeys(t), newReceipts(t)
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom([]string{"", "a", "B", "b", "one two", "two three", "ÄÖ"})
		model := map[purser.Field]string{0: "name"}
		r, err := k.Seal(seal.Subject{Customer: purser.CustomerID{7}, Ordinal: 7, Version: 1}, model)
		if err != nil {
			t.Fatalf("seal: %v", err)
		}
		found := indexesOf(t, k, model)
		for range rapid.IntRange(1, 6).Draw(t, "writes") {
			set := rapid.MapOfN(rapid.SampledFrom([]purser.Field{0, 3, 9, 12}), text, 0, 4).Draw(t, "set")
			got, err := k.Rewrite(r, set, words{})
			if err != nil {
				t.Fatalf("rewrite: %v", err)
			}
			var wrote purser.FieldMask
			for f, v := range set {
				if model[f] != v {
					wrote |= purser.Mask(f)
				}
			}
			maps.Copy(model, set)
			if got.Wrote != wrote {
				t.Fatalf("wrote: got %b, want %b", got.Wrote, wrote)
			}
			if wrote == 0 && got.Record.Version != r.Version {
				t.Fatalf("nothing changed and the version did")
			}
			for _, f := range got.Gone {
				delete(found, fmt.Sprint(f.Field, f.Index))
			}
			for _, f := range got.Come {
				found[fmt.Sprint(f.Field, f.Index)] = true
			}
			if diff := cmp.Diff(indexesOf(t, k, model), found); diff != "" {
				t.Fatalf("found by: %s", diff)
			}
			for _, p := range got.Past {
				if bytes.Contains(p.Sealed, []byte("name")) {
					t.Fatal("a past value lies open")
				}
			}
			r = got.Record
		}
		for f, v := range model {
			if v == "" {
				delete(model, f)
			}
		}
		if diff := cmp.Diff(model, opened(outer, k, receipts, r)); diff != "" {
			t.Fatalf("holds: %s", diff)
		}
	})
}

func TestMergingKeepsBothAndPrefersWhatIsNamed(t *testing.T) {
	k, receipts := newKeys(t), newReceipts(t)
	into, err := k.Seal(seal.Subject{Customer: purser.CustomerID{1}, Ordinal: 1, Version: 1}, map[purser.Field]string{0: "first", 3: "a@x"})
	if err != nil {
		t.Fatal(err)
	}
	from, err := k.Seal(seal.Subject{Customer: purser.CustomerID{2}, Ordinal: 2, Version: 1}, map[purser.Field]string{0: "second", 3: "b@x", 9: "street"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := k.Merge(into, from, purser.Mask(3), words{})
	if err != nil {
		t.Fatalf("merge: %v", err)
	}
	want := map[purser.Field]string{0: "first", 3: "b@x", 9: "street"}
	if diff := cmp.Diff(want, opened(t, k, receipts, got.Record)); diff != "" {
		t.Fatalf("merged: %s", diff)
	}
	if got.Record.Customer != into.Customer || got.Record.Ordinal != 1 {
		t.Fatalf("merged into %v", got.Record.Customer)
	}
}
