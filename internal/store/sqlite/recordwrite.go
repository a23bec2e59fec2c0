package sqlite

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"

	"zombiezen.com/go/sqlite"

	"purser"
	"purser/internal/ledger"
	"purser/internal/record"
)

// rowsAtOnce is how many rows one statement inserts where there are many.
const rowsAtOnce = 32

// start is what a customer is found by from outside.
func start(id purser.CustomerID) int64 { return int64(binary.BigEndian.Uint64(id[:8]) >> 16) }

// putMany inserts n rows by the statement called name, whose text holds one
// list of values, all parameters. bind gives the values of row i from parameter at on and
// returns the parameter after them.
func (t *tx) putMany(name string, n int, bind func(s *sqlite.Stmt, at, i int) int) error {
	text, ok := t.db.sql[name]
	if !ok || t.db.writer == nil {
		return fmt.Errorf("statement %s: not there", name)
	}
	from, to := strings.Index(text, "VALUES (")+len("VALUES "), strings.IndexByte(text, '?')
	to += strings.IndexByte(text[to:], ')') + 1
	many := text[:to] + strings.Repeat(", "+text[from:to], rowsAtOnce-1) + text[to:]
	for i := 0; i < n; {
		text, rows := text, rowsAtOnce
		if n-i >= rowsAtOnce {
			text = many
		} else {
			rows = 1
		}
		stmt, err := t.db.writer.Prepare(text)
		if err != nil {
			return fmt.Errorf("statement %s: %w", name, err)
		}
		for at := 1; rows > 0; rows-- {
			at = bind(stmt, at, i)
			i++
		}
		if err := step(stmt); err != nil {
			return fmt.Errorf("statement %s: %w", name, err)
		}
	}
	return nil
}

// PutCustomers implements record.Store.
func (d *DB) PutCustomers(t ledger.Tx, pos purser.Pos, customers []record.Customer) error {
	if err := d.PutSealed(t, pos, customers); err != nil {
		return err
	}
	own, err := d.inTx(t)
	if err != nil {
		return err
	}
	var indexes []record.IndexEntry
	names := make([]record.NameEntry, 0, len(customers))
	for i := range customers {
		r := &customers[i].Record
		names = append(names, record.NameEntry{Customer: r.Customer, Ordinal: r.Ordinal})
		for _, row := range customers[i].Indexes {
			indexes = append(indexes, record.IndexEntry{IndexRow: row, Ordinal: r.Ordinal})
		}
	}
	if err := putIndexes(own, indexes); err != nil {
		return err
	}
	return putNames(own, names)
}

// PutSealed implements record.ImportStore.
func (d *DB) PutSealed(t ledger.Tx, pos purser.Pos, customers []record.Customer) error {
	own, err := d.inTx(t)
	if err != nil {
		return err
	}
	own.records = true
	err = own.putMany("put_customer", len(customers), func(s *sqlite.Stmt, at, i int) int {
		r := &customers[i].Record
		s.BindInt64(at, int64(r.Ordinal))
		s.BindBytes(at+1, r.Customer[:])
		s.BindInt64(at+2, int64(r.Version))
		s.BindInt64(at+3, int64(pos))
		s.BindBytes(at+4, r.Sealed)
		return at + 5
	})
	if err != nil {
		return fmt.Errorf("write customers: %w", err)
	}
	err = own.putMany("put_data_key", len(customers), func(s *sqlite.Stmt, at, i int) int {
		s.BindInt64(at, int64(customers[i].Record.Ordinal))
		s.BindBytes(at+1, customers[i].Record.Wrapped)
		return at + 2
	})
	if err != nil {
		return fmt.Errorf("write data keys: %w", err)
	}
	return own.putAges(customers)
}

// putAges writes the ages of channels that are known, and the ends of fields.
func (t *tx) putAges(customers []record.Customer) error {
	r := rows{tx: t}
	for i := range customers {
		c := &customers[i]
		for _, row := range c.Channels {
			if row.Since != 0 {
				r.numbers("set_channel", int64(c.Record.Ordinal), int64(row.Field), int64(row.Since))
			}
		}
		for _, row := range c.Expires {
			r.numbers("set_expiry", int64(c.Record.Ordinal), int64(row.Field), int64(row.At))
		}
	}
	if r.err != nil {
		return fmt.Errorf("write ages of channels: %w", r.err)
	}
	return nil
}

func putIndexes(t *tx, all []record.IndexEntry) error {
	err := t.putMany("put_blind_index", len(all), func(s *sqlite.Stmt, at, i int) int {
		s.BindInt64(at, int64(all[i].Field))
		s.BindBytes(at+1, all[i].Index[:])
		s.BindInt64(at+2, int64(all[i].Ordinal))
		return at + 3
	})
	if err != nil {
		return fmt.Errorf("write indexes: %w", err)
	}
	return nil
}

func putNames(t *tx, all []record.NameEntry) error {
	err := t.putMany("put_customer_id", len(all), func(s *sqlite.Stmt, at, i int) int {
		s.BindInt64(at, start(all[i].Customer))
		s.BindInt64(at+1, int64(all[i].Ordinal))
		return at + 2
	})
	if err != nil {
		return fmt.Errorf("write identifiers: %w", err)
	}
	return nil
}

// PutIndexes implements record.ImportStore.
func (d *DB) PutIndexes(ctx context.Context, all []record.IndexEntry) error {
	return d.write(ctx, func(t *tx) error { return putIndexes(t, all) })
}

// PutNames implements record.ImportStore.
func (d *DB) PutNames(ctx context.Context, all []record.NameEntry) error {
	return d.write(ctx, func(t *tx) error { return putNames(t, all) })
}
