package seal_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"purser/internal/seal"
)

func create(t testing.TB, o seal.Options) *seal.Keys {
	t.Helper()
	k, err := seal.Create(o)
	if err != nil {
		t.Fatalf("create: %v", err)
	}
	return k
}

func options(t testing.TB, passphrase string) seal.Options {
	t.Helper()
	o := seal.Options{Path: filepath.Join(t.TempDir(), seal.KeysetName), Deployment: "airline-1", WorkFactor: 10}
	if passphrase != "" {
		o.Passphrase = []byte(passphrase)
	}
	return o
}

func TestAKeysetOpensAgain(t *testing.T) {
	for _, c := range []struct {
		name, passphrase string
		warns            bool
	}{{"passphrase", "correct horse", false}, {"file", "", true}} {
		t.Run(c.name, func(t *testing.T) {
			o := options(t, c.passphrase)
			k := create(t, o)
			o.Key = k.ID()
			again, err := seal.Open(o)
			if err != nil {
				t.Fatalf("open: %v", err)
			}
			if again.ID() != k.ID() || again.Reference(9) != k.Reference(9) || again.Commit("a") != k.Commit("a") {
				t.Fatal("the opened keyset is another")
			}
			a, errA := k.Index("email", "x")
			b, errB := again.Index("email", "x")
			if a != b || errA != nil || errB != nil {
				t.Fatalf("index: got %x %v, want %x %v", b, errB, a, errA)
			}
			note, err := k.SealNote("n", nil, []byte("x"))
			if err != nil {
				t.Fatalf("seal note: %v", err)
			}
			if _, err := again.OpenNote("n", nil, note); err != nil {
				t.Fatalf("open note: %v", err)
			}
			if warns := again.Warning() != ""; warns != c.warns {
				t.Fatalf("warning: got %q, want one %v", again.Warning(), c.warns)
			}
			if info, err := os.Stat(o.Path); err != nil || info.Mode().Perm() != 0o600 {
				t.Fatalf("file: got %v %v, want mode 0600", info.Mode(), err)
			}
			if _, err := seal.Create(o); !errors.Is(err, fs.ErrExist) {
				t.Fatalf("create over it: got %v, want fs.ErrExist", err)
			}
		})
	}
}

func TestAKeysetThatIsNotRightKeepsPurserFromStarting(t *testing.T) {
	o := options(t, "correct horse")
	k := create(t, o)
	whole, err := os.ReadFile(o.Path)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	for _, c := range []struct {
		name  string
		spoil func(o *seal.Options, file []byte) []byte
		want  error
		key   bool // the message names the key id
	}{
		{"missing", func(o *seal.Options, _ []byte) []byte { o.Key = k.ID(); return nil }, seal.ErrNoKeyset, true},
		{"wrong passphrase", func(o *seal.Options, f []byte) []byte { o.Passphrase = []byte("wrong"); return f }, seal.ErrPassphrase, true},
		{"no passphrase", func(o *seal.Options, f []byte) []byte { o.Passphrase = nil; return f }, seal.ErrPassphrase, true},
		{"empty passphrase", func(o *seal.Options, f []byte) []byte { o.Passphrase = []byte{}; return f }, seal.ErrPassphrase, true},
		{"another deployment", func(o *seal.Options, f []byte) []byte { o.Deployment = "airline-2"; return f }, seal.ErrWrongKeyset, true},
		{"another key", func(o *seal.Options, f []byte) []byte { o.Key = seal.KeyID{1}; return f }, seal.ErrWrongKeyset, true},
		{"deployment rewritten", func(o *seal.Options, f []byte) []byte {
			o.Deployment = "airline-2"
			return bytes.Replace(f, []byte("airline-1"), []byte("airline-2"), 1)
		}, seal.ErrKeysetDamaged, true},
		{"key id rewritten", func(_ *seal.Options, f []byte) []byte {
			return bytes.Replace(f, []byte("key "+k.ID().String()[:1]), []byte("key "+other(k.ID().String()[0])), 1)
		}, seal.ErrKeysetDamaged, false},
		{"protection rewritten", func(_ *seal.Options, f []byte) []byte {
			return bytes.Replace(f, []byte("protection passphrase"), []byte("protection file"), 1)
		}, seal.ErrKeysetDamaged, true},
		{"purpose rewritten", func(_ *seal.Options, f []byte) []byte {
			return bytes.Replace(f, []byte("purpose records"), []byte("purpose backups"), 1)
		}, seal.ErrWrongKeyset, false},
		{"newer format", func(_ *seal.Options, f []byte) []byte {
			return bytes.Replace(f, []byte("purser keyset 1"), []byte("purser keyset 2"), 1)
		}, seal.ErrWrongKeyset, false},
		{"truncated", func(_ *seal.Options, f []byte) []byte { return f[:len(f)-1] }, seal.ErrKeysetDamaged, true},
		{"truncated in the header", func(_ *seal.Options, f []byte) []byte { return f[:40] }, seal.ErrKeysetDamaged, false},
		{"empty", func(_ *seal.Options, f []byte) []byte { return f[:0] }, seal.ErrKeysetDamaged, false},
		{"with something after it", func(_ *seal.Options, f []byte) []byte { return append(bytes.Clone(f), 0) }, seal.ErrKeysetDamaged, true},
		{"huge", func(_ *seal.Options, f []byte) []byte { return append(bytes.Clone(f), make([]byte, 1<<20)...) }, seal.ErrKeysetDamaged, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := o
			o.Path = filepath.Join(t.TempDir(), seal.KeysetName)
			if b := c.spoil(&o, whole); b != nil {
				if err := os.WriteFile(o.Path, b, 0o600); err != nil {
					t.Fatalf("write: %v", err)
				}
			}
			_, err := seal.Open(o)
			var said *seal.KeysetError
			if !errors.Is(err, c.want) || !errors.As(err, &said) || said.WayOut == "" {
				t.Fatalf("got %v, want %v with a way out", err, c.want)
			}
			if c.key && !strings.Contains(err.Error(), k.ID().String()) {
				t.Fatalf("got %q, want the key id %v in it", err, k.ID())
			}
			if strings.Contains(err.Error(), "horse") || strings.Contains(err.Error(), "wrong ") {
				t.Fatalf("got %q, which holds the passphrase", err)
			}
		})
	}
}

func other(digit byte) string {
	if digit == '0' {
		return "1"
	}
	return "0"
}

func TestAKeysetOthersCanReadIsRefused(t *testing.T) {
	o := options(t, "")
	create(t, o)
	if err := os.Chmod(o.Path, 0o640); err != nil {
		t.Fatalf("chmod: %v", err)
	}
	if _, err := seal.Open(o); !errors.Is(err, seal.ErrKeysetExposed) {
		t.Fatalf("got %v, want ErrKeysetExposed", err)
	}
}

// TestLaw10AnyChangedBitOfAKeysetShows was seen to fail when the checksum was
// not compared.
func TestLaw10AnyChangedBitOfAKeysetShows(t *testing.T) {
	o := options(t, "")
	create(t, o)
	whole, err := os.ReadFile(o.Path)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	for bit := range 8 * len(whole) {
		changed := bytes.Clone(whole)
		changed[bit/8] ^= 1 << (bit % 8)
		if err := os.WriteFile(o.Path, changed, 0o600); err != nil {
			t.Fatalf("write: %v", err)
		}
		if _, err := seal.Open(o); err == nil {
			t.Fatalf("bit %d changed: opened", bit)
		}
	}
}

func TestDeploymentNamesAreChecked(t *testing.T) {
	for _, name := range []string{"", "two words", "line\nbreak", strings.Repeat("x", 65), "é"} {
		o := options(t, "")
		o.Deployment = seal.Deployment(name)
		if _, err := seal.Create(o); err == nil {
			t.Errorf("%q: created", name)
		}
		if _, err := os.Stat(o.Path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: left a file behind", name)
		}
	}
}

// golden puts the stored keyset of format 1 where it can be opened. Its keys
// guard nothing but the tests.
func golden(t testing.TB) (o seal.Options, whole []byte) {
	t.Helper()
	whole, err := os.ReadFile("testdata/keyset.1")
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	o = options(t, "")
	if err := os.WriteFile(o.Path, whole, 0o600); err != nil {
		t.Fatalf("write: %v", err)
	}
	return o, whole
}

func FuzzKeyset(f *testing.F) {
	o, whole := golden(f)
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte("purser keyset 1\nkey 0011223344556677\ndeployment airline-1\npurpose records\nprotection file\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(o.Path, b, 0o600); err != nil {
			t.Fatalf("write: %v", err)
		}
		k, err := seal.Open(o)
		if err == nil && !bytes.Equal(b, whole) {
			// Only a keyset with a right checksum over other keys could.
			t.Fatalf("opened %v of %d bytes", k, len(b))
		}
		var said *seal.KeysetError
		if err != nil && !errors.As(err, &said) {
			t.Fatalf("got %v, want a *KeysetError", err)
		}
	})
}
