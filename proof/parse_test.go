package proof_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"purser"
	"purser/proof"
)

// The roots are those of the library that signs the Go checksum database.
func TestFrontierAgreesWithTlog(t *testing.T) {
	var f proof.Frontier
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			out[i] = stored[x]
		}
		return out, nil
	})
	for n := range int64(600) {
		want, err := tlog.TreeHash(n, reader)
		if err != nil {
			t.Fatalf("tree of %d: %v", n, err)
		}
		if n > 0 && f.Root() != purser.Hash(want) || n == 0 && f.Root() != sha256.Sum256(nil) {
			t.Fatalf("root of %d: got %x, want %x", n, f.Root(), want)
		}
		again, err := proof.ParseFrontier(f.Size(), f.AppendBytes(nil))
		if err != nil || again != f {
			t.Fatalf("frontier of %d: got another one back, error %v", n, err)
		}
		entry := bytes.Repeat([]byte{byte(n)}, int(n)*3)
		more, err := tlog.StoredHashes(n, entry, reader)
		if err != nil {
			t.Fatalf("hashes of %d: %v", n, err)
		}
		stored = append(stored, more...)
		f.Append(proof.LeafHash(entry))
	}
}

func TestFrontierOfAnotherSize(t *testing.T) {
	for _, size := range []purser.Pos{0, 1, 3, 1 << 40} {
		if _, err := proof.ParseFrontier(size, make([]byte, 32*5)); err == nil {
			t.Errorf("five peaks for %d entries: got no error", size)
		}
	}
}

func TestCheckpointSpellings(t *testing.T) {
	k := newKeys(t, "test")
	root := "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	for _, c := range []struct{ name, text string }{
		{"leading zero", "o\n07\n" + root + "\n"},
		{"plus", "o\n+7\n" + root + "\n"},
		{"negative", "o\n-7\n" + root + "\n"},
		{"too large", "o\n9223372036854775808\n" + root + "\n"},
		{"no origin", "\n7\n" + root + "\n"},
		{"short root", "o\n7\nAAEC\n"},
		{"free bits", "o\n7\n" + root[:42] + "9=\n"},
		{"extension line", "o\n7\n" + root + "\nmore\n"},
		{"two lines", "o\n7\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			signed, err := note.Sign(&note.Note{Text: c.text}, k.signer)
			if err != nil {
				t.Fatalf("sign: %v", err)
			}
			if got, err := proof.OpenCheckpoint(signed, k.verifier); err == nil {
				t.Fatalf("open: got %+v, want an error", got)
			}
		})
	}
	if _, err := (proof.Checkpoint{Origin: "a\nb"}).Sign(k.signer); err == nil {
		t.Error("sign an origin of two lines: got no error")
	}
}

func TestBundlePaths(t *testing.T) {
	for _, c := range []struct {
		n     uint64
		width int
		want  string
	}{
		{0, 256, "tile/entries/000"},
		{7, 3, "tile/entries/007.p/3"},
		{1234067, 256, "tile/entries/x001/x234/067"},
		{1234067, 255, "tile/entries/x001/x234/067.p/255"},
	} {
		if got := proof.BundlePath(c.n, c.width); got != c.want {
			t.Errorf("bundle %d of %d: got %s, want %s", c.n, c.width, got, c.want)
		}
	}
}

func TestBundles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 1, 400), 0, 20).Draw(t, "entries")
		var b []byte
		for _, e := range want {
			var err error
			if b, err = proof.AppendBundle(b, e); err != nil {
				t.Fatalf("append: %v", err)
			}
		}
		got, err := proof.ParseBundle(nil, b, len(want))
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("bundle: got %v, error %v, want %v", got, err, want)
		}
		if _, err := proof.ParseBundle(nil, b, len(want)+1); err == nil {
			t.Fatal("one entry more: got no error")
		}
		if _, err := proof.ParseBundle(nil, append(b, 0), len(want)); err == nil {
			t.Fatal("one byte more: got no error")
		}
	})
}

func FuzzCheckpoint(f *testing.F) {
	k := newKeys(f, "test")
	signed, err := proof.Checkpoint{Origin: "o", Size: 7}.Sign(k.signer)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signed)
	f.Add([]byte("o\n0\n\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := proof.ReadCheckpoint(b)
		if err != nil {
			return
		}
		if text := c.Text(); !bytes.HasPrefix(b, []byte(text)) {
			t.Fatalf("read %q as %q", b, text)
		}
		if c, err := proof.OpenCheckpoint(b, k.verifier); err == nil {
			again, err := c.Sign(k.signer)
			if err != nil || !bytes.Equal(again, b) {
				t.Fatalf("opened %q, which is signed as %q", b, again)
			}
		}
	})
}

func FuzzBundle(f *testing.F) {
	b, _ := proof.AppendBundle(nil, []byte("entry"))
	f.Add(b, 1)
	f.Add([]byte{0, 1, 0, 0, 1, 1}, 2)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		n = min(max(n, 0), 256)
		entries, err := proof.ParseBundle(nil, b, n)
		if err != nil {
			return
		}
		var again []byte
		for _, e := range entries {
			again, _ = proof.AppendBundle(again, e)
		}
		if len(entries) != n || !bytes.Equal(again, b) {
			t.Fatalf("parsed %x, which is written as %x", b, again)
		}
	})
}

// unsigned accepts any signature, so that the fuzzer gets behind it.
type unsigned struct{}

func (unsigned) Name() string                { return "test" }
func (unsigned) KeyHash() uint32             { return 0x01020304 }
func (unsigned) Verify(_, _ []byte) bool     { return true }
func (unsigned) Sign([]byte) ([]byte, error) { return []byte{9}, nil }

func FuzzManifest(f *testing.F) {
	signed, err := proof.Manifest{Origin: "o", Files: []proof.File{{Path: "a/b", Length: 3}, {Path: "c"}}}.Sign(unsigned{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signed)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := proof.OpenManifest(b, unsigned{})
		if err != nil {
			return
		}
		if text := m.Text(); !bytes.HasPrefix(b, []byte(text+"\n")) {
			t.Fatalf("read %q as %q", b, text)
		}
	})
}
