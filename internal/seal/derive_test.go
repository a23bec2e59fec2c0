package seal_test

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"purser"
	"purser/internal/seal"
)

func TestReferencesArePermutedPositions(t *testing.T) {
	k := newKeys(t)
	rapid.Check(t, func(t *rapid.T) {
		pos := purser.Pos(rapid.Uint64Range(0, uint64(seal.MaxReference)-1).Draw(t, "position"))
		code := k.Reference(pos)
		if len(code) != 8 {
			t.Fatalf("reference of %d: got %q, want 8 characters", pos, code)
		}
		if got, err := k.Position(code); got != pos || err != nil {
			t.Fatalf("position of %q: got %d %v, want %d", code, got, err, pos)
		}
	})
	seen := map[string]purser.Pos{}
	for pos := range purser.Pos(2000) {
		code := k.Reference(pos)
		if other, twice := seen[code]; twice {
			t.Fatalf("reference %q: of %d and %d", code, other, pos)
		}
		seen[code] = pos
	}
	if got := k.Reference(seal.MaxReference); got != "" {
		t.Fatalf("reference beyond the last: got %q, want none", got)
	}
	if a, b := k.Reference(5), newKeys(t).Reference(5); a == b {
		t.Fatalf("references of two keysets: got %q twice", a)
	}
}

func TestPositionReadsWhatPeopleWrite(t *testing.T) {
	k := newKeys(t)
	want, err := k.Position("A1B0-0C1D")
	if err != nil {
		t.Fatalf("position: %v", err)
	}
	for _, text := range []string{"a1b00c1d", "AIBOOCLD", "a1b0 0c1d", " ALB0-OCID "} {
		if got, err := k.Position(text); got != want || err != nil {
			t.Errorf("%q: got %d %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "A1B00C1", "A1B00C1DE", "A1B00C1U", "A1B00C1é", "A1B00C1\x00", string(make([]byte, 1000))} {
		if _, err := k.Position(text); !errors.Is(err, seal.ErrReference) {
			t.Errorf("%q: got %v, want ErrReference", text, err)
		}
	}
}

func TestCommitmentsAndIndexesAreKeptApart(t *testing.T) {
	k := newKeys(t)
	email, err := k.Index("email", "a")
	if err != nil {
		t.Fatalf("index: %v", err)
	}
	again, err := k.Index("email", "a")
	if err != nil || again != email {
		t.Fatalf("index again: got %x %v, want %x", again, err, email)
	}
	for _, c := range []struct{ field, normal string }{{"email", "b"}, {"phone", "a"}, {"emai", "la"}, {"", "email\x00a"}} {
		if other, err := k.Index(c.field, c.normal); err != nil || other == email {
			t.Errorf("index of %q %q: got %x %v, want another than %x", c.field, c.normal, other, err, email)
		}
	}
	commitment := k.Commit("code", []byte("12"), []byte("3"))
	if again := k.Commit("code", []byte("12"), []byte("3")); again != commitment {
		t.Fatalf("commitment again: got %x, want %x", again, commitment)
	}
	for name, other := range map[string]purser.Commitment{
		"other split": k.Commit("code", []byte("1"), []byte("23")),
		"other class": k.Commit("body", []byte("12"), []byte("3")),
		"one part":    k.Commit("code", []byte("123")),
		"other keys":  newKeys(t).Commit("code", []byte("12"), []byte("3")),
	} {
		if other == commitment {
			t.Errorf("%s: the same commitment", name)
		}
	}
}

func TestNotesOpenForTheirRowAlone(t *testing.T) {
	k := newKeys(t)
	note := []byte("the source's secret")
	sealed, err := k.SealNote("source secret", []byte{1}, note)
	if err != nil || bytes.Contains(sealed, note) {
		t.Fatalf("seal note: %v, readable %v", err, bytes.Contains(sealed, note))
	}
	if got, err := k.OpenNote("source secret", []byte{1}, sealed); !bytes.Equal(got, note) || err != nil {
		t.Fatalf("open note: got %q %v, want %q", got, err, note)
	}
	for _, c := range []struct {
		name   string
		keys   *seal.Keys
		kind   seal.NoteKind
		id     []byte
		sealed []byte
	}{
		{"another row", k, "source secret", []byte{2}, sealed},
		{"another kind", k, "session key", []byte{1}, sealed},
		{"another keyset", newKeys(t), "source secret", []byte{1}, sealed},
		{"cut off", k, "source secret", []byte{1}, sealed[:len(sealed)-1]},
		{"nothing", k, "source secret", []byte{1}, nil},
	} {
		if got, err := c.keys.OpenNote(c.kind, c.id, c.sealed); !errors.Is(err, seal.ErrNote) || got != nil {
			t.Errorf("%s: got %q %v, want ErrNote", c.name, got, err)
		}
	}
}
