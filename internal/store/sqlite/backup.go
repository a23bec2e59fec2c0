package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"purser"
)

// Copied is a copy of a database that nobody else has open. It is no data
// directory: it has no lock, and no log beside it.
type Copied struct {
	conn *sqlite.Conn
	db   DB // for its statements alone
}

// Copy copies the database in dir into a new file, as it stands between two
// transactions, beside a process that serves it.
func Copy(ctx context.Context, dir, file string) (c *Copied, err error) {
	from := filepath.Join(dir, FileName)
	if _, err := os.Stat(from); err != nil {
		return nil, fmt.Errorf("%w in %s", ErrNoDatabase, dir)
	}
	if f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		return nil, fmt.Errorf("make the copy: %w", err)
	} else if err := f.Close(); err != nil {
		return nil, err
	}
	conn, err := sqlite.OpenConn(from, sqlite.OpenReadWrite)
	if err != nil {
		return nil, fmt.Errorf("open the database to be copied: %w", err)
	}
	conn.SetInterrupt(ctx.Done())
	err = run(conn, commonPragmas)
	if err == nil {
		err = sqlitex.ExecuteTransient(conn, "VACUUM INTO ?1", &sqlitex.ExecOptions{Args: []any{file}})
	}
	if err = errors.Join(err, conn.Close()); err != nil {
		return nil, fmt.Errorf("copy the database: %w", err)
	}
	return openCopy(file)
}

func openCopy(file string) (c *Copied, err error) {
	c = new(Copied)
	if c.db.sql, err = readStatements(); err != nil {
		return nil, err
	}
	if c.conn, err = sqlite.OpenConn(file, sqlite.OpenReadWrite); err != nil {
		return nil, fmt.Errorf("open the copy: %w", err)
	}
	// Nothing of what is taken out may stay in the file, or in another beside it.
	err = run(c.conn, commonPragmas, []string{"PRAGMA journal_mode = MEMORY", "PRAGMA secure_delete = ON", "PRAGMA synchronous = FULL"})
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// Close closes the copy.
func (c *Copied) Close() error { return c.conn.Close() }

// Setting returns a value that was fixed at init, or nil.
func (c *Copied) Setting(name string) (value []byte, err error) {
	err = c.db.run(c.conn, "setting",
		func(s *sqlite.Stmt) { s.BindText(1, name) },
		func(s *sqlite.Stmt) error { value = column(s, 0); return nil })
	return value, err
}

// Size returns how many entries the copy holds.
func (c *Copied) Size() (size purser.Pos, err error) {
	err = c.db.run(c.conn, "head", nil, func(s *sqlite.Stmt) error { size = purser.Pos(s.ColumnInt64(0)); return nil })
	return size, err
}

// TakeKeys hands every wrapped data key to each, ascending, and then takes all
// of them out of the copy. The bytes are valid during the call.
func (c *Copied) TakeKeys(each func(o purser.Ordinal, wrapped []byte) error) error {
	err := c.db.run(c.conn, "data_keys", nil, func(s *sqlite.Stmt) error {
		return each(purser.Ordinal(s.ColumnInt64(0)), column(s, 1))
	})
	if err != nil {
		return fmt.Errorf("take the wrapped keys out: %w", err)
	}
	// Emptied first, so that the file that is made anew never held them.
	for _, text := range []string{"DELETE FROM data_key", "VACUUM"} {
		if err := sqlitex.ExecuteTransient(c.conn, text, nil); err != nil {
			return fmt.Errorf("take the wrapped keys out: %w", err)
		}
	}
	return nil
}

// PutDataKeys puts wrapped keys of customers back who have none.
func (d *DB) PutDataKeys(ctx context.Context, wrapped map[purser.Ordinal][]byte) error {
	err := d.write(ctx, func(t *tx) error {
		for o, key := range wrapped {
			err := t.exec("put_data_key", func(s *sqlite.Stmt) {
				s.BindInt64(1, int64(o))
				s.BindBytes(2, key)
			})
			if err != nil {
				return fmt.Errorf("data key of %d: %w", o, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("put wrapped keys back: %w", err)
	}
	return nil
}

// Present returns those customers of a list who have a record.
func (d *DB) Present(ctx context.Context, list []purser.Ordinal) (there []purser.Ordinal, err error) {
	err = d.read(ctx, func(conn *sqlite.Conn) error {
		for _, o := range list {
			err := d.run(conn, "present",
				func(s *sqlite.Stmt) { s.BindInt64(1, int64(o)) },
				func(*sqlite.Stmt) error { there = append(there, o); return nil })
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for records: %w", err)
	}
	return there, nil
}

// NewOrigin replaces settings that init fixed and forgets the signed checkpoints:
// a ledger that goes on without its later part signs under another name.
func (d *DB) NewOrigin(ctx context.Context, values map[string][]byte) error {
	err := d.write(ctx, func(t *tx) error {
		for name, value := range values {
			err := t.exec("replace_setting", func(s *sqlite.Stmt) {
				s.BindText(1, name)
				s.BindBytes(2, value)
			})
			if err != nil {
				return fmt.Errorf("setting %s: %w", name, err)
			}
		}
		return t.exec("drop_all_checkpoints", nil)
	})
	if err != nil {
		return fmt.Errorf("write a new origin: %w", err)
	}
	return nil
}
