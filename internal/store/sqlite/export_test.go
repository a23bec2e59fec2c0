package sqlite

import (
	"fmt"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

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
