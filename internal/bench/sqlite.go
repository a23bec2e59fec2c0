package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// rawSQLite is the reference of P1: the same driver, the same settings, and
// for each disclosure the least that a system with a durable audit row and a
// counter could do: one insert of an entry's length and one update, in
// transactions of 128.
type rawSQLite struct {
	conn           *sqlite.Conn
	insert, update *sqlite.Stmt
	next           int64
}

const rawBatch = 128

func openRawSQLite(dir string) (*rawSQLite, error) {
	conn, err := sqlite.OpenConn(filepath.Join(dir, "reference.db"), sqlite.OpenReadWrite, sqlite.OpenCreate, sqlite.OpenWAL)
	if err != nil {
		return nil, fmt.Errorf("open reference: %w", err)
	}
	r := &rawSQLite{conn: conn}
	err = sqlitex.ExecuteTransient(conn, `PRAGMA synchronous=FULL`, nil) // not inside a script, which is a transaction
	if err == nil {
		err = sqlitex.ExecuteScript(conn, `CREATE TABLE entry (seq INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
		CREATE TABLE head (id INTEGER PRIMARY KEY, size INTEGER NOT NULL);
		INSERT INTO head VALUES (1, 0);`, nil)
	}
	if err == nil {
		r.insert, err = conn.Prepare(`INSERT INTO entry VALUES (?, ?)`)
	}
	if err == nil {
		r.update, err = conn.Prepare(`UPDATE head SET size = ? WHERE id = 1`)
	}
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("set up reference: %w", err)
	}
	return r, nil
}

// rate inserts for about d and returns rows a second.
func (r *rawSQLite) rate(d time.Duration) (float64, error) {
	row := make([]byte, 150)
	rows, start := 0, time.Now()
	for time.Since(start) < d {
		if err := r.batch(row); err != nil {
			return 0, err
		}
		rows += rawBatch
	}
	return float64(rows) / time.Since(start).Seconds(), nil
}

func (r *rawSQLite) batch(row []byte) (err error) {
	defer sqlitex.Transaction(r.conn)(&err)
	for range rawBatch {
		r.insert.BindInt64(1, r.next)
		r.insert.BindBytes(2, row)
		r.next++
		if err := step(r.insert); err != nil {
			return err
		}
		r.update.BindInt64(1, r.next)
		if err := step(r.update); err != nil {
			return err
		}
	}
	return nil
}

func step(s *sqlite.Stmt) error {
	if _, err := s.Step(); err != nil {
		return fmt.Errorf("step reference: %w", err)
	}
	return s.Reset()
}

func (r *rawSQLite) close() error { return r.conn.Close() }

// appendSync is the reference of P2: seconds for one append of 256 bytes and
// fdatasync, the median of n.
func appendSync(dir string, n int) (float64, error) {
	f, err := os.OpenFile(filepath.Join(dir, "append"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return 0, fmt.Errorf("open append reference: %w", err)
	}
	defer f.Close()
	times := make([]float64, 0, n)
	block := make([]byte, 256)
	for range n {
		start := time.Now()
		if _, err := f.Write(block); err != nil {
			return 0, fmt.Errorf("append: %w", err)
		}
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			return 0, fmt.Errorf("fdatasync: %w", err)
		}
		times = append(times, time.Since(start).Seconds())
	}
	return median(times), nil
}
