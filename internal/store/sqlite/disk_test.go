package sqlite_test

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	engine "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"purser"
	"purser/internal/ledger"
	"purser/internal/store/sqlite"
)

// count is a state that counts entries.
type count struct{ base, top uint64 }

func (s *count) Apply(purser.Header, purser.Entry) error { s.top++; return nil }
func (s *count) Commit()                                 { s.base = s.top }
func (s *count) Discard()                                { s.top = s.base }
func (s *count) Code(c *purser.Coder)                    { c.U64(&s.base); s.top = s.base }

func (*count) Repeats(purser.Entry, purser.Stamp) (purser.Actor, bool) { return purser.Actor{}, false }

func (*count) ClockAccepted() bool { return true }

type clock struct{ from time.Time }

func (c clock) Wall() time.Time     { return time.Now() }
func (c clock) Mono() time.Duration { return time.Since(c.from) }

func openLog(t *testing.T, db *sqlite.DB) *ledger.Log[*count] {
	t.Helper()
	log, err := ledger.Open(t.Context(), ledger.Config[*count]{
		Store: db, New: func() *count { return new(count) }, Clock: clock{time.Now()},
	})
	if err != nil {
		t.Fatalf("open log: %v", err)
	}
	t.Cleanup(func() { _ = log.Close() })
	return log
}

// propose appends one long entry.
func propose(t *testing.T, log *ledger.Log[*count]) error {
	t.Helper()
	_, err := log.Propose(t.Context(), purser.VendorID{}, func(*count, purser.Stamp) purser.Entry {
		return &purser.Start{Software: strings.Repeat("x", 20_000)}
	})
	return err
}

// until proposes until that fails, and returns how often it did not.
func until(t *testing.T, log *ledger.Log[*count]) (int, error) {
	t.Helper()
	for n := range 10_000 {
		if err := propose(t, log); err != nil {
			return n, err
		}
	}
	t.Fatal("10,000 entries found room")
	return 0, nil
}

func TestAFullDatabase(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	log := openLog(t, db)
	if err := db.LimitPages(20); err != nil {
		t.Fatalf("limit: %v", err)
	}
	n, err := until(t, log)
	if !errors.Is(err, ledger.ErrNothingWritten) || n == 0 || log.Err() != nil {
		t.Fatalf("full after %d entries: got %v, log %v, want ErrNothingWritten and a log that goes on", n, err, log.Err())
	}
	if log.Size() != purser.Pos(n+1) {
		t.Fatalf("entries: got %d, want %d", log.Size(), n+1)
	}
	if err := db.LimitPages(0); err != nil {
		t.Fatalf("limit: %v", err)
	}
	if err := propose(t, log); err != nil {
		t.Fatalf("with room again: %v", err)
	}
	if log.Size() != purser.Pos(n+3) { // the finding that it was full, and the entry
		t.Fatalf("entries: got %d, want %d", log.Size(), n+3)
	}
	if err := log.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	if again := openLog(t, db); again.Size() != purser.Pos(n+4) {
		t.Fatalf("entries after a restart: got %d, want %d", again.Size(), n+4)
	}
}

// The kernel refuses to let any file of this process grow: SQLite sees a write
// that fails, and reports an I/O error that is not a full disk.
func TestADeviceThatFails(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	log := openLog(t, db)
	if err := propose(t, log); err != nil {
		t.Fatalf("propose: %v", err)
	}
	info, err := os.Stat(filepath.Join(dir, sqlite.FileName+"-wal"))
	if err != nil {
		t.Fatal(err)
	}
	restore := limitFiles(t, uint64(info.Size())+100_000)
	n, err := until(t, log)
	restore()
	if !errors.Is(err, ledger.ErrStopped) || errors.Is(err, ledger.ErrNothingWritten) {
		t.Fatalf("after %d entries: got %v, want ErrStopped", n, err)
	}
	if err := propose(t, log); !errors.Is(err, ledger.ErrStopped) {
		t.Fatalf("the device works again: got %v, want ErrStopped all the same", err)
	}
	if cause := log.Close(); cause == nil || !strings.Contains(cause.Error(), "append 1 entries") {
		t.Fatalf("close: got %v, want what could not be appended", cause)
	}
	if err := db.Close(); err != nil {
		t.Logf("close database: %v", err)
	}
	if again := openLog(t, open(t, dir)); again.Size() < purser.Pos(n+3) {
		t.Fatalf("entries after a restart: got %d, want %d or more", again.Size(), n+3)
	}
}

func limitFiles(t *testing.T, bytes uint64) (restore func()) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
			t.Fatal(err)
		}
		signal.Reset(syscall.SIGXFSZ)
	}
}

func withDatabase(t *testing.T, dir string, f func(*engine.Conn)) {
	t.Helper()
	conn, err := engine.OpenConn(filepath.Join(dir, sqlite.FileName), engine.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	f(conn)
}

func TestEntriesAreNeverChanged(t *testing.T) {
	dir := t.TempDir()
	log := openLog(t, open(t, dir))
	if err := propose(t, log); err != nil {
		t.Fatal(err)
	}
	withDatabase(t, dir, func(conn *engine.Conn) {
		for _, text := range []string{
			"UPDATE entry SET bytes = x'00' WHERE pos = 0",
			"DELETE FROM entry WHERE pos = 1",
			"DELETE FROM head",
			"INSERT INTO entry (pos, bytes) VALUES (1, x'00')",
			"PRAGMA recursive_triggers = ON; INSERT OR REPLACE INTO entry (pos, bytes) VALUES (1, x'00')",
		} {
			err := sqlitex.ExecuteScript(conn, text, nil)
			if code := engine.ErrCode(err).ToPrimary(); code != engine.ResultConstraint {
				t.Errorf("%s: got %v, want a constraint", text, err)
			}
		}
	})
}

func TestTextsAreNeverChanged(t *testing.T) {
	dir := t.TempDir()
	if err := open(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
	withDatabase(t, dir, func(conn *engine.Conn) {
		put := "INSERT INTO text (pos, kind, contact, topic, written, salt, sealed) VALUES (1, 2, zeroblob(16), 0, 0, zeroblob(16), x'01')"
		if err := sqlitex.ExecuteScript(conn, put, nil); err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{"UPDATE text SET sealed = x'00' WHERE pos = 1", "UPDATE text SET ordinal = 1"} {
			err := sqlitex.ExecuteScript(conn, text, nil)
			if code := engine.ErrCode(err).ToPrimary(); code != engine.ResultConstraint {
				t.Errorf("%s: got %v, want a constraint", text, err)
			}
		}
	})
}

func TestMigrations(t *testing.T) {
	for _, c := range []struct {
		name string
		sql  string
		want error
	}{
		{"untouched", "", nil},
		{"a later one that this program may run on", "INSERT INTO migration VALUES (900, 'later', 'x', 1)", nil},
		{"a later one that this program may not run on", "INSERT INTO migration VALUES (900, 'later', 'x', 900)", sqlite.ErrTooNew},
		{"another text", "UPDATE migration SET checksum = 'x' WHERE number = 1", sqlite.ErrMigrationChanged},
		{"another title", "UPDATE migration SET title = 'x' WHERE number = 1", sqlite.ErrMigrationChanged},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := open(t, dir).Close(); err != nil {
				t.Fatal(err)
			}
			withDatabase(t, dir, func(conn *engine.Conn) {
				if err := sqlitex.ExecuteScript(conn, c.sql, nil); err != nil {
					t.Fatal(err)
				}
			})
			db, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir})
			if !errors.Is(err, c.want) {
				t.Fatalf("open: got %v, want %v", err, c.want)
			}
			if db != nil {
				_ = db.Close()
			}
		})
	}
}

func TestAnotherProgramsDatabase(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, sqlite.FileName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	withDatabase(t, dir, func(conn *engine.Conn) {
		if err := sqlitex.ExecuteScript(conn, "CREATE TABLE t (x); PRAGMA application_id = 7", nil); err != nil {
			t.Fatal(err)
		}
	})
	if _, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir}); err == nil {
		t.Fatal("open: got no error")
	}
	garbage := t.TempDir()
	text := fmt.Appendf(nil, "%4096s", "no database")
	if err := os.WriteFile(filepath.Join(garbage, sqlite.FileName), text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), sqlite.Config{Dir: garbage}); err == nil {
		t.Fatal("open garbage: got no error")
	}
}
