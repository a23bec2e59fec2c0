package sqlite

import (
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// Sizes of the write-ahead log, in pages of 4 KiB.
const (
	// checkpointEvery is after how many commits the log is copied back.
	checkpointEvery = 64
	// longLog is when a checkpoint waits for a pause of the writer, so that
	// the log can start over instead of growing.
	longLog = 4096
)

// checkpointer copies the write-ahead log back into the database beside the
// writer: inside it, one commit in a thousand would take 30 ms. Owned by DB,
// which stops it.
type checkpointer struct {
	db      *DB
	conn    *sqlite.Conn
	work    chan struct{} // holds one wake-up at most
	quit    chan struct{}
	done    chan struct{}
	commits int // since the last wake-up; guarded by DB.writing
	// destroyed says that the log holds what was deleted for good; guarded by
	// DB.writing.
	destroyed bool
}

func startCheckpointer(d *DB, file string) (*checkpointer, error) {
	conn, err := sqlite.OpenConn(file, sqlite.OpenReadWrite)
	if err != nil {
		return nil, err
	}
	if err := run(conn, commonPragmas, []string{"PRAGMA synchronous = FULL", "PRAGMA wal_autocheckpoint = 0", "PRAGMA busy_timeout = 0"}); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	c := &checkpointer{db: d, conn: conn, work: make(chan struct{}, 1)}
	c.quit, c.done = make(chan struct{}), make(chan struct{})
	go c.loop()
	return c, nil
}

// committed is called by the writer after every commit. destroyed says that it
// deleted what nobody is to read again: secure_delete overwrites that in the
// database, and the log keeps the pages of before until it is emptied. While a
// reader stands in the way every further commit is a new try (L6).
func (c *checkpointer) committed(destroyed bool) {
	c.destroyed = c.destroyed || destroyed
	if c.commits++; c.commits < checkpointEvery && !c.destroyed {
		return
	}
	c.commits = 0
	select {
	case c.work <- struct{}{}:
	default:
	}
}

func (c *checkpointer) loop() {
	defer close(c.done)
	for {
		select {
		case <-c.quit:
			return
		case <-c.work:
		}
		if c.over() {
			continue
		}
		log, err := c.passive()
		if err != nil {
			// What the log holds is not lost. A device that failed is not
			// asked again: a second sync could succeed without the data.
			c.db.writing.Lock()
			c.db.device(err)
			c.db.writing.Unlock()
			continue
		}
		c.finish(log)
	}
}

// finish copies what is left of a log that is long, or holds what was
// destroyed, in a pause of the writer.
func (c *checkpointer) finish(log int) {
	c.db.writing.Lock()
	defer c.db.writing.Unlock()
	if c.db.failed != nil {
		return
	}
	var err error
	if c.destroyed {
		var emptied bool
		emptied, err = c.empty()
		c.destroyed = !emptied
	} else if log >= longLog {
		// What the writer added meanwhile is little. With it copied too, the
		// next commit starts the log over.
		_, err = c.passive()
	}
	c.db.device(err)
}

// empty copies the whole log and cuts its file to nothing, unless a reader is
// in the way: it waits for none.
func (c *checkpointer) empty() (emptied bool, err error) {
	err = sqlitex.Execute(c.conn, "PRAGMA wal_checkpoint(TRUNCATE)",
		&sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error { emptied = s.ColumnInt(0) == 0; return nil }})
	if err != nil {
		return false, fmt.Errorf("empty write-ahead log: %w", err)
	}
	return emptied, nil
}

// over reports whether the device has failed.
func (c *checkpointer) over() bool {
	c.db.writing.Lock()
	defer c.db.writing.Unlock()
	return c.db.failed != nil
}

// passive copies what it can without waiting for anybody and returns the
// length of the log in pages.
func (c *checkpointer) passive() (log int, err error) {
	err = sqlitex.Execute(c.conn, "PRAGMA wal_checkpoint(PASSIVE)",
		&sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error { log = s.ColumnInt(1); return nil }})
	if err != nil {
		return 0, fmt.Errorf("copy write-ahead log: %w", err)
	}
	return log, nil
}

// stop ends the loop and waits for it.
func (c *checkpointer) stop() error {
	close(c.quit)
	<-c.done
	return c.conn.Close()
}
