package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"purser/internal/ledger"
	"purser/internal/store/sqlite"
	"purser/internal/store/storetest"
)

func open(t testing.TB, dir string) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir, Create: true})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db
}

func TestLedgerStore(t *testing.T) {
	storetest.Ledger(t, func(t testing.TB) ledger.Store { return open(t, t.TempDir()) })
}

func TestASecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	if _, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir}); !errors.Is(err, ledger.ErrLocked) {
		t.Fatalf("open twice: got %v, want ErrLocked", err)
	}
	if err := db.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	open(t, dir)
}

func TestAMistypedPathCreatesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "absent")
	if _, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir}); !errors.Is(err, sqlite.ErrNoDatabase) {
		t.Fatalf("open: got %v, want ErrNoDatabase", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("directory: got %v, want none", err)
	}
}

func TestNobodyElseReadsTheFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	open(t, dir)
	for _, name := range []string{"", sqlite.FileName, sqlite.FileName + "-wal", sqlite.FileName + "-shm", "lock"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: got mode %v, want nothing for others", name, info.Mode())
		}
	}
}
