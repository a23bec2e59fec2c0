package seal_test

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"testing"

	"purser"
	"purser/internal/seal"
)

var update = flag.Bool("update", false, "write new golden files")

// vectors are what keyset testdata/keyset.1 gave when format 1 was made.
type vectors struct {
	Wrapped, Sealed, Note, Index, Commitment, Reference string
}

// What was sealed under format 1 opens as long as format 1 is read.
func TestFormatOneStillOpens(t *testing.T) {
	if *update {
		writeGolden(t)
	}
	o, _ := golden(t)
	k, err := seal.Open(o)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	b, err := os.ReadFile("testdata/vectors.1.json")
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	var v vectors
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("parse: %v", err)
	}
	if got := derived(t, k); got != (vectors{Index: v.Index, Commitment: v.Commitment, Reference: v.Reference}) {
		t.Fatalf("derived: got %+v, want those of %+v", got, v)
	}
	if note, err := k.OpenNote("source secret", []byte{1}, unhex(t, v.Note)); string(note) != "a note" || err != nil {
		t.Fatalf("note: got %q %v, want %q", note, err, "a note")
	}
	r := seal.Record{Subject: alice, Wrapped: unhex(t, v.Wrapped), Sealed: unhex(t, v.Sealed), Masks: masks()}
	values, err := k.Open(newReceipts(t).disclosure(t, alice.Ordinal, 0, 4), r)
	if err != nil || values[0].Reveal() != "Ada Example" || values[4].Reveal() != "k•••@e•••.com" {
		t.Fatalf("record: got %d values and %v, want what was sealed", len(values), err)
	}
}

func derived(t *testing.T, k *seal.Keys) vectors {
	t.Helper()
	index, err := k.Index("email", "kim@example.com")
	if err != nil {
		t.Fatalf("index: %v", err)
	}
	commitment := k.Commit("code", []byte("123456"))
	return vectors{
		Index: fmt.Sprintf("%x", index), Commitment: fmt.Sprintf("%x", commitment), Reference: k.Reference(purser.Pos(123_456)),
	}
}

func writeGolden(t *testing.T) {
	t.Helper()
	o := options(t, "")
	k := create(t, o)
	whole, err := os.ReadFile(o.Path)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	note, err := k.SealNote("source secret", []byte{1}, []byte("a note"))
	if err != nil {
		t.Fatalf("seal note: %v", err)
	}
	r, v := sealed(t, k), derived(t, k)
	v.Wrapped, v.Sealed, v.Note = fmt.Sprintf("%x", r.Wrapped), fmt.Sprintf("%x", r.Sealed), fmt.Sprintf("%x", note)
	b, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	for name, content := range map[string][]byte{"testdata/keyset.1": whole, "testdata/vectors.1.json": append(b, '\n')} {
		if err := os.WriteFile(name, content, 0o644); err != nil {
			t.Fatalf("write: %v", err)
		}
	}
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatalf("decode: %v", err)
	}
	return b
}
