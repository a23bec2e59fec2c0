// Package sqlite is the embedded database: everything Purser stores, in one
// directory, over SQLite's native API.
//
// It owns the connections (one writer, a pool of readers), the transactions,
// the migrations, the lock on the directory, and the SQL: one statement a
// file under statements/, named for the method that runs it. It owns no rule:
// the interfaces it satisfies are declared by the packages that call them.
//
// Laws carried here: L1 (an entry counts when its transaction is synced), L10
// (triggers refuse to change or delete an entry) and L6 (deleted bytes are
// overwritten).
//
// A further store is a file here with methods on [DB]: reads go through
// DB.query, writes in an entry's transaction through inTx, other writes
// through DB.write.
//
// Start reading at [Open], then ledger.go.
package sqlite

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"purser/internal/ledger"
)

// FileName is the database's name inside its directory.
const FileName = "purser.db"

//go:embed statements/*.sql
var statementFiles embed.FS

// ErrNoDatabase says that there is no database where one was looked for.
var ErrNoDatabase = errors.New("no database")

// Config says where the database is.
type Config struct {
	// Dir holds the database and its lock file.
	Dir string
	// Create makes the directory and the database if they do not exist.
	// Otherwise a missing database is ErrNoDatabase: a mistyped path must not
	// start an empty ledger.
	Create bool
	// Readers is the number of pooled read connections; zero means 4.
	Readers int
}

// DB is an open database. Its methods may be called by many goroutines.
type DB struct {
	dir   string
	lock  *os.File
	sql   map[string]string // statement text by name, never changed
	reads *sqlitex.Pool

	writing sync.Mutex // guards what follows: the one writer
	writer  *sqlite.Conn
	tx      tx
	ledger  ledgerStatements
	failed  error // of the device, for good: nothing is written or synced after it

	keeping sync.Mutex // one snapshot is written at a time
	wal     *checkpointer
	records *gatherer
	recent  recent

	closing sync.Once
	closed  error // what closing came to
}

// Open opens the database in c.Dir, brings its tables up to date and takes
// the directory's lock. It fails with ledger.ErrLocked while another process
// holds that, and with ErrNoDatabase.
func Open(ctx context.Context, c Config) (*DB, error) {
	if err := prepareDir(c); err != nil {
		return nil, err
	}
	lock, err := lockDir(c.Dir)
	if err != nil {
		return nil, err
	}
	d := &DB{dir: c.Dir, lock: lock}
	if err := d.open(ctx, c); err != nil {
		return nil, errors.Join(fmt.Errorf("open database in %s: %w", c.Dir, err), d.Close())
	}
	return d, nil
}

func prepareDir(c Config) error {
	if c.Create {
		if err := os.MkdirAll(c.Dir, 0o700); err != nil {
			return fmt.Errorf("make data directory: %w", err)
		}
		return nil
	}
	if _, err := os.Stat(filepath.Join(c.Dir, FileName)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w in %s", ErrNoDatabase, c.Dir)
		}
		return fmt.Errorf("look for database: %w", err)
	}
	return nil
}

func (d *DB) open(ctx context.Context, c Config) error {
	var err error
	if d.sql, err = readStatements(); err != nil {
		return err
	}
	file := filepath.Join(c.Dir, FileName)
	if err := touch(file); err != nil {
		return err
	}
	if d.writer, err = openWriter(file); err != nil {
		return err
	}
	if err := migrate(ctx, d.writer); err != nil {
		return err
	}
	d.tx = tx{db: d}
	if d.ledger, err = d.prepareLedger(); err != nil {
		return err
	}
	if d.reads, err = sqlitex.NewPool(file, sqlitex.PoolOptions{
		Flags: sqlite.OpenReadWrite, PoolSize: readers(c), PrepareConn: prepareReader,
	}); err != nil {
		return err
	}
	if d.wal, err = startCheckpointer(d, file); err != nil {
		return err
	}
	d.records, err = startGatherer(d, file)
	return err
}

func readers(c Config) int {
	if c.Readers > 0 {
		return c.Readers
	}
	return 4
}

// touch makes the file before SQLite would, so that nobody else can read it.
func touch(file string) error {
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func readStatements() (map[string]string, error) {
	texts := make(map[string]string)
	files, err := fs.ReadDir(statementFiles, "statements")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		text, err := fs.ReadFile(statementFiles, path.Join("statements", f.Name()))
		if err != nil {
			return nil, err
		}
		texts[strings.TrimSuffix(f.Name(), ".sql")] = strings.TrimSpace(string(text))
	}
	return texts, nil
}

// Pragmas of every connection.
var commonPragmas = []string{
	"PRAGMA busy_timeout = 5000",
	"PRAGMA foreign_keys = ON",
	"PRAGMA trusted_schema = OFF",
	"PRAGMA recursive_triggers = ON", // REPLACE must not slip past a delete trigger
	"PRAGMA temp_store = MEMORY",     // nothing of ours in a temporary file
}

var writerPragmas = []string{
	"PRAGMA journal_mode = WAL",
	"PRAGMA synchronous = FULL",
	"PRAGMA wal_autocheckpoint = 0", // see checkpointer
	"PRAGMA secure_delete = ON",
	"PRAGMA cache_size = -65536",
}

func openWriter(file string) (*sqlite.Conn, error) {
	conn, err := sqlite.OpenConn(file, sqlite.OpenReadWrite)
	if err != nil {
		return nil, err
	}
	if err := run(conn, commonPragmas, writerPragmas); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

func prepareReader(conn *sqlite.Conn) error {
	return run(conn, commonPragmas, []string{"PRAGMA query_only = ON"})
}

func run(conn *sqlite.Conn, lists ...[]string) error {
	for _, list := range lists {
		for _, text := range list {
			if err := sqlitex.ExecuteTransient(conn, text, nil); err != nil {
				return fmt.Errorf("%s: %w", text, err)
			}
		}
	}
	return nil
}

// Dir returns the directory the database is in.
func (d *DB) Dir() string { return d.dir }

// Close waits for what is running, closes every connection and gives the
// directory's lock back. Reads that are under way are interrupted. Closing
// again does nothing.
func (d *DB) Close() error {
	d.closing.Do(func() { d.closed = d.close() })
	return d.closed
}

func (d *DB) close() error {
	var errs []error
	if d.records != nil {
		d.records.stop()
	}
	if d.wal != nil {
		errs = append(errs, d.wal.stop())
	}
	if d.reads != nil {
		errs = append(errs, d.reads.Close())
	}
	d.writing.Lock()
	defer d.writing.Unlock()
	if d.writer != nil {
		if d.failed == nil {
			errs = append(errs, d.writer.Close())
		}
		// Closing the last connection would sync and copy the log. After a
		// failed sync that could make lost writes look kept, so the connection
		// is left to the end of the process; the next start reads the log anew.
		d.writer = nil
	}
	if d.lock != nil {
		errs = append(errs, d.lock.Close())
		d.lock = nil
	}
	return errors.Join(errs...)
}

// tx is the writer's transaction. There is one, since there is one writer; it
// is valid while the function that was handed it runs.
type tx struct {
	db      *DB
	open    bool
	records bool // it wrote service records
	// destroys says that it deleted what nobody is to read again: the log, which
	// holds it still, is emptied soon after.
	destroys bool
}

// end closes the transaction, whatever became of it.
func (t *tx) end() {
	if t.records {
		t.db.recent.empty()
	}
	t.open, t.records, t.destroys = false, false, false
}

// LedgerTx marks tx as a ledger.Tx.
func (*tx) LedgerTx() {}

var errForeignTx = errors.New("not an open transaction of this database")

// inTx returns the transaction that a row callback was handed.
func (d *DB) inTx(t ledger.Tx) (*tx, error) {
	own, ok := t.(*tx)
	if !ok || own.db != d || !own.open {
		return nil, errForeignTx
	}
	return own, nil
}

// exec runs the statement called name once. bind may be nil.
func (t *tx) exec(name string, bind func(*sqlite.Stmt)) error {
	return t.query(name, bind, nil)
}

// query runs the statement called name and hands each row to row, which may
// be nil. Rows read here include what the transaction wrote.
func (t *tx) query(name string, bind func(*sqlite.Stmt), row func(*sqlite.Stmt) error) error {
	return t.db.run(t.db.writer, name, bind, row)
}

// changes returns how many rows the last exec changed.
func (t *tx) changes() int { return t.db.writer.Changes() }

// query runs the statement called name on a pooled read connection, which
// sees what is committed. bind and row may be nil; an error of row ends the
// query and is returned.
func (d *DB) query(ctx context.Context, name string, bind func(*sqlite.Stmt), row func(*sqlite.Stmt) error) error {
	return d.read(ctx, func(conn *sqlite.Conn) error { return d.run(conn, name, bind, row) })
}

// read runs f with a pooled read connection.
func (d *DB) read(ctx context.Context, f func(*sqlite.Conn) error) error {
	conn, err := d.reads.Take(ctx)
	if err != nil {
		return err
	}
	defer d.reads.Put(conn)
	return f(conn)
}

// write runs f in a transaction of its own, for rows that no entry speaks of.
// It fails with ledger.ErrNothingWritten as Append does.
func (d *DB) write(ctx context.Context, f func(*tx) error) error {
	d.writing.Lock()
	defer d.writing.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := d.begin(); err != nil {
		return d.undone(err, nil)
	}
	if err := f(&d.tx); err != nil {
		return d.undone(err, d.rollback())
	}
	if err := d.commit(); err != nil {
		return d.undone(err, d.rollback())
	}
	return nil
}

// run steps through one cached statement. It is always reset before run
// returns, so that no read transaction stays open.
func (d *DB) run(conn *sqlite.Conn, name string, bind func(*sqlite.Stmt), row func(*sqlite.Stmt) error) (err error) {
	text, ok := d.sql[name]
	if !ok || conn == nil {
		return fmt.Errorf("statement %s: not there", name)
	}
	stmt, err := conn.Prepare(text)
	if err != nil {
		return fmt.Errorf("statement %s: %w", name, err)
	}
	defer func() {
		// The error of a reset is that of the step before it.
		_ = stmt.Reset()
		err = errors.Join(err, stmt.ClearBindings())
	}()
	if bind != nil {
		bind(stmt)
	}
	for {
		more, err := stmt.Step()
		if err != nil {
			return fmt.Errorf("statement %s: %w", name, err)
		}
		if !more {
			return nil
		}
		if row == nil {
			continue
		}
		if err := row(stmt); err != nil {
			return err
		}
	}
}

// column copies a blob out of the current row.
func column(stmt *sqlite.Stmt, i int) []byte {
	b := make([]byte, stmt.ColumnLen(i))
	stmt.ColumnBytes(i, b)
	return b
}
