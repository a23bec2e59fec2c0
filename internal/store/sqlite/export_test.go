package sqlite

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"purser"
)

// Remembered returns how many records are remembered.
func (d *DB) Remembered() int {
	d.recent.mu.Lock()
	defer d.recent.mu.Unlock()
	return len(d.recent.now) + len(d.recent.old)
}

// ReadAround reads a record for remembering while write runs between the read
// and the remembering.
func (d *DB) ReadAround(ctx context.Context, o purser.Ordinal, write func()) error {
	_, _, mark := d.recent.get(o)
	found, err := d.Sealed(ctx, o)
	write()
	d.recent.put(found, mark)
	return err
}

// MostRecent is mostRecent.
const MostRecent = mostRecent

// LimitPages lets the database grow by no more than n pages: a full disk.
// Zero lifts the limit.
func (d *DB) LimitPages(n int) error {
	d.writing.Lock()
	defer d.writing.Unlock()
	limit := 1 << 30
	if n > 0 {
		err := sqlitex.ExecuteTransient(d.writer, "PRAGMA page_count",
			&sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error { limit = s.ColumnInt(0) + n; return nil }})
		if err != nil {
			return err
		}
	}
	return sqlitex.ExecuteTransient(d.writer, fmt.Sprintf("PRAGMA max_page_count = %d", limit), nil)
}
