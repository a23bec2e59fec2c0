package server_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	zombie "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"purser"
	"purser/internal/fold"
	"purser/internal/ledger"
	"purser/internal/record"
	"purser/internal/seal"
	"purser/internal/server"
	"purser/internal/store/sqlite"
	"purser/proof"
)

// kept is a backup with what a restore needs beside it.
type kept struct {
	dir                           string
	records, keys, keyset, ledger string
	made                          server.Backup
}

func (a *airline) backup() *kept {
	a.t.Helper()
	dir := a.t.TempDir()
	k := &kept{
		dir: dir, records: filepath.Join(dir, "records"), keys: filepath.Join(dir, "keys"),
		keyset: filepath.Join(dir, "keyset"), ledger: filepath.Join(dir, "ledger"),
	}
	var err error
	k.made, err = server.MakeBackup(a.t.Context(), server.BackupConfig{
		Data: a.dir, Records: k.records, Keys: k.keys, Passphrase: []byte("test passphrase"), Now: a.clock.Now(), Random: rand.Reader,
	})
	must(a.t, err)
	must(a.t, a.d.RecordBackup(a.t.Context(), k.made.Records, k.made.Keys))
	return k
}

// export writes keyset and ledger out, as they are now.
func (a *airline) export(k *kept) {
	a.t.Helper()
	b, err := os.ReadFile(filepath.Join(a.dir, seal.KeysetName))
	must(a.t, err)
	must(a.t, os.WriteFile(k.keyset, b, 0o600))
	must(a.t, os.RemoveAll(k.ledger))
	_, err = a.d.Export(a.t.Context(), k.ledger, nil)
	must(a.t, err)
}

func (a *airline) restore(k *kept, change func(*server.RestoreConfig)) (string, server.Restored, error) {
	a.t.Helper()
	c := server.RestoreConfig{
		Config: server.Config{
			Data: filepath.Join(a.t.TempDir(), "new"), Passphrase: []byte("test passphrase"), Clock: a.clock, Random: rand.Reader,
			Software: "test", Labelled: true, Region: "AU", Company: "Example Air", RP: rp, Logger: slog.New(slog.DiscardHandler),
		},
		Records: k.records, Keys: k.keys, Keyset: k.keyset, Ledger: k.ledger,
	}
	if change != nil {
		change(&c)
	}
	out, err := server.Restore(a.t.Context(), c)
	return c.Data, out, err
}

// erase destroys a customer as the second vote does.
func (a *airline) erase(o purser.Ordinal) {
	a.t.Helper()
	e := &purser.Erase{Customer: o, Cause: purser.EraseRetention, Done: true}
	var at purser.Stamp
	_, err := a.d.Ledger().ProposeRows(a.t.Context(), purser.VendorID{},
		func(_ *fold.State, now purser.Stamp) purser.Entry { at = now; return e },
		func(tx ledger.Tx, pos purser.Pos, _ purser.Entry) error {
			_, err := a.d.Records.Erase(tx, pos, at, e)
			return err
		})
	must(a.t, err)
}

// moved serves another directory from now on.
func (a *airline) moved(dir, verifier string) {
	a.stop()
	a.dir, a.verifier = dir, verifier
	a.serve()
}

func (a *airline) there(o purser.Ordinal) bool {
	a.t.Helper()
	_, err := a.d.Records.Sealed(a.t.Context(), o)
	if err != nil && !errors.Is(err, record.ErrNoCustomer) {
		a.t.Fatal(err)
	}
	return err == nil
}

// Whoever was erased after a backup stays erased when it is restored, everybody
// else opens, and the ledger verifies, with what was written since.
//
// Seen to fail when the erasures of the later ledger were not applied.
func TestARestoreUndoesNoErasure(t *testing.T) {
	a := newAirline(t, 60)
	a.erase(4)
	k := a.backup()
	a.erase(7)
	must(t, a.d.RotateKey(t.Context(), purser.KeyWrap))
	_, err := a.d.FinishRotation(t.Context(), purser.KeyWrap, func(int64, int64) {})
	must(t, err)
	a.add(0, "agent") // a person whom the backup does not know
	a.export(k)
	size := a.d.Status().Size

	dir, out, err := a.restore(k, nil)
	must(t, err)
	if out.Rows != k.made.Size || out.Size != size || out.Erased != 1 {
		t.Fatalf("got %+v, want rows of %d, a ledger of %d and one erased", out, k.made.Size, size)
	}
	if len(out.Lost) == 0 {
		t.Error("nothing is said to be lost, and a person was added after the backup")
	}
	a.moved(dir, out.Verifier)
	for o, want := range map[purser.Ordinal]bool{3: true, 4: false, 7: false, 60: true} {
		if a.there(o) != want {
			t.Errorf("customer %d: is there: %v", o, !want)
		}
	}
	a.everybody(a.customers, 4, 7)
	// What was wrapped under the old key is, as it is in the backup.
	if keys := a.keys()["wrap"]; len(keys.leaving) != 1 {
		t.Errorf("got %+v, want the rotation to go on", keys)
	}
	_, err = a.d.FinishRotation(t.Context(), purser.KeyWrap, func(int64, int64) {})
	must(t, err)
	a.everybody(a.customers, 4, 7)
	a.export(k)
	verify(t, k.ledger, a.verifier)
}

// Somebody who puts an older database in place, with the ledger as it is now,
// brings nobody back. Seen to fail when a start did not look.
func TestAStartErasesAgain(t *testing.T) {
	a := newAirline(t, 20)
	k := a.backup()
	a.erase(7)
	a.export(k)
	dir, _, err := a.restore(k, nil)
	must(t, err)
	a.moved(dir, a.verifier)
	a.stop()
	putBack(t, dir, 7)
	a.serve()
	if a.there(7) {
		t.Error("a customer who was erased is back")
	}
}

func TestARestoreWithoutTheLedgerIsRefused(t *testing.T) {
	a := newAirline(t, 20)
	k := a.backup()
	a.erase(7)
	a.export(k)
	if _, _, err := a.restore(k, func(c *server.RestoreConfig) { c.Ledger = "" }); !errors.Is(err, server.ErrNoLedger) {
		t.Fatalf("got %v, want ErrNoLedger", err)
	}
	dir, out, err := a.restore(k, func(c *server.RestoreConfig) { c.Ledger, c.Lost = "", true })
	must(t, err)
	if out.Verifier == a.verifier {
		t.Error("the old ledger is signed under the same key at a size that it had before")
	}
	a.moved(dir, out.Verifier)
	if !a.there(7) {
		t.Error("nobody could know that customer 7 was erased")
	}
	a.export(k)
	verify(t, k.ledger, out.Verifier)
}

// Files that do not belong together make nothing, and leave nothing behind.
func TestARestoreTakesOnlyWhatBelongsTogether(t *testing.T) {
	a, other := newAirline(t, 20), newAirline(t, 20)
	k, foreign := a.backup(), other.backup()
	a.export(k)
	other.export(foreign)
	a.erase(3)
	second := a.backup()
	spoilt := func(name string, at int) string {
		b, err := os.ReadFile(name)
		must(t, err)
		b = bytes.Clone(b)
		if at < 0 {
			b = b[:len(b)+at]
		} else {
			b[at] ^= 1
		}
		to := filepath.Join(t.TempDir(), "spoilt")
		must(t, os.WriteFile(to, b, 0o600))
		return to
	}
	for _, c := range []struct {
		name   string
		change func(*server.RestoreConfig)
		want   error
	}{
		{"records of another deployment", func(c *server.RestoreConfig) { c.Records = foreign.records }, nil},
		{"keys of another deployment", func(c *server.RestoreConfig) { c.Keys = foreign.keys }, server.ErrOtherBackup},
		{"keys of a later backup", func(c *server.RestoreConfig) { c.Keys = second.keys }, server.ErrOtherBackup},
		{"a changed bit of the records", func(c *server.RestoreConfig) { c.Records = spoilt(k.records, 100<<10) }, nil},
		{"a changed bit of the keys", func(c *server.RestoreConfig) { c.Keys = spoilt(k.keys, 400) }, seal.ErrKeyFile},
		{"a changed bit of their beginning", func(c *server.RestoreConfig) { c.Keys = spoilt(k.keys, 120) }, nil},
		{"keys cut short", func(c *server.RestoreConfig) { c.Keys = spoilt(k.keys, -40) }, seal.ErrKeyFile},
		{"no file of keys", func(c *server.RestoreConfig) { c.Keys = k.records }, server.ErrKeyFile},
		{"keyset of another deployment", func(c *server.RestoreConfig) { c.Keyset = foreign.keyset }, seal.ErrWrongKeyset},
		{"ledger of another deployment", func(c *server.RestoreConfig) { c.Ledger = foreign.ledger }, proof.ErrBadProof},
		{"a ledger that ends before", func(c *server.RestoreConfig) {
			c.Records, c.Keys = second.records, second.keys
		}, server.ErrOtherBackup},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, _, err := a.restore(k, c.change)
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("left %s behind", dir)
			}
		})
	}
}

// A backup holds nothing readable, and its records no wrapped keys (L6).
func TestABackupKeepsTheKeysApart(t *testing.T) {
	a := newAirline(t, 40)
	r, err := a.d.Records.Sealed(t.Context(), 9)
	must(t, err)
	k := a.backup()
	for _, name := range []string{k.records, k.keys} {
		b, err := os.ReadFile(name)
		must(t, err)
		if bytes.Contains(b, r.Wrapped) {
			t.Errorf("%s holds a wrapped key as it is", name)
		}
		for n, c := range a.customers {
			for _, value := range []string{c.Email, c.FamilyName, c.Phone} {
				if len(value) > 6 && bytes.Contains(b, []byte(value)) {
					t.Errorf("%s holds a value of customer %d", name, n+1)
				}
			}
		}
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v %v", name, info.Mode(), err)
		}
	}
	left, err := filepath.Glob(filepath.Join(k.dir, "*.part*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestKeyFilesArePrunedWhenTheirTimeIsOver(t *testing.T) {
	a := newAirline(t, 5)
	k := a.backup()
	must(t, os.WriteFile(filepath.Join(k.dir, "notes"), []byte("purser wrapped keys 1\n"), 0o600))
	for _, c := range []struct {
		after time.Duration
		want  int
	}{{30*24*time.Hour - 2*time.Second, 0}, {30 * 24 * time.Hour, 1}} {
		pruned, err := server.PruneKeys(k.dir, a.clock.Now().Add(c.after))
		if err != nil || len(pruned) != c.want {
			t.Fatalf("after %v: got %v %v, want %d", c.after, pruned, err, c.want)
		}
	}
	if _, err := os.Stat(k.keys); !errors.Is(err, os.ErrNotExist) {
		t.Error("the file of wrapped keys is there")
	}
	if _, err := os.Stat(k.records); err != nil {
		t.Error("the records are gone")
	}
	if names, _ := filepath.Glob(filepath.Join(k.dir, "*")); !strings.Contains(strings.Join(names, " "), "notes") {
		t.Error("something else is gone")
	}
}

// putBack gives a customer a row who has none, as a copied file would.
func putBack(t *testing.T, dir string, o purser.Ordinal) {
	t.Helper()
	conn, err := zombie.OpenConn(filepath.Join(dir, sqlite.FileName), zombie.OpenReadWrite)
	must(t, err)
	must(t, sqlitex.ExecuteTransient(conn, "INSERT INTO customer (ordinal, id, version, written, sealed) VALUES (?1, randomblob(16), 1, 0, x'0100000000')",
		&sqlitex.ExecOptions{Args: []any{int64(o)}}))
	must(t, conn.Close())
}

func FuzzKeyFile(f *testing.F) {
	const whole = "purser wrapped keys 1\nkeyset 5f0c9d1be0a34c77\ndeployment airline-1\nentries 48213\nbackup 0011223344556677\n" +
		"made 2026-11-23T16:05:00Z\ngone by 2026-12-23T16:05:00Z\n\n"
	if again, err := server.KeyFile([]byte(whole)); err != nil || string(again) != whole {
		f.Fatalf("got %q %v", again, err)
	}
	f.Add([]byte(whole))
	f.Add([]byte(whole + "more"))
	f.Add([]byte(strings.Replace(whole, "12-23", "12-24", 1)))
	f.Add([]byte("purser wrapped keys 1\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		again, err := server.KeyFile(b)
		if err == nil && !bytes.HasPrefix(b, again) {
			t.Fatalf("read %q, and would write %q", b, again)
		}
		if err != nil && !errors.Is(err, server.ErrKeyFile) {
			t.Fatalf("got %v, want ErrKeyFile", err)
		}
	})
}
