package sqlite

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"purser"
	"purser/internal/ledger"
	"purser/internal/record"
	"purser/internal/seal"
)

// Import implements record.ImportStore.
func (d *DB) Import(ctx context.Context, file purser.Hash) (record.ImportRow, error) {
	return d.importRow(ctx, "import_of_file", func(s *sqlite.Stmt) { s.BindBytes(1, file[:]) })
}

// OpenImport implements record.ImportStore.
func (d *DB) OpenImport(ctx context.Context) (record.ImportRow, error) {
	return d.importRow(ctx, "import_open", nil)
}

func (d *DB) importRow(ctx context.Context, name string, bind func(*sqlite.Stmt)) (row record.ImportRow, err error) {
	found := false
	err = d.query(ctx, name, bind, func(s *sqlite.Stmt) error {
		found = true
		s.ColumnBytes(0, row.File[:])
		s.ColumnBytes(1, row.Options[:])
		row.First = purser.Ordinal(s.ColumnInt64(2))
		for i, n := range counts(&row) {
			*n = uint64(s.ColumnInt64(3 + i))
		}
		row.Ended = s.ColumnInt64(10) != 0
		return nil
	})
	if err != nil {
		return row, fmt.Errorf("read import: %w", err)
	}
	if !found {
		return row, record.ErrNoImport
	}
	return row, nil
}

// counts are the numbers of a row in the order of their columns.
func counts(r *record.ImportRow) []*uint64 {
	return []*uint64{&r.Rows, &r.Settled, &r.New, &r.Changed, &r.Same, &r.Merged, &r.Rejected}
}

// PutImport implements record.ImportStore.
func (d *DB) PutImport(t ledger.Tx, row record.ImportRow) error {
	own, err := d.inTx(t)
	if err != nil {
		return err
	}
	err = own.exec("put_import", func(s *sqlite.Stmt) {
		s.BindBytes(1, row.File[:])
		s.BindBytes(2, row.Options[:])
		s.BindInt64(3, int64(row.First))
		for i, n := range counts(&row) {
			s.BindInt64(4+i, int64(*n))
		}
		s.BindBool(11, row.Ended)
	})
	if err != nil {
		return fmt.Errorf("write import: %w", err)
	}
	return nil
}

// PutFates implements record.ImportStore.
func (d *DB) PutFates(t ledger.Tx, file purser.Hash, all []record.Fates) error {
	own, err := d.inTx(t)
	if err != nil {
		return err
	}
	for _, f := range all {
		whose := make([]byte, 0, 4*len(f.Whose))
		for _, o := range f.Whose {
			whose = binary.BigEndian.AppendUint32(whose, uint32(o))
		}
		err := own.exec("put_fates", func(s *sqlite.Stmt) {
			s.BindBytes(1, file[:])
			s.BindInt64(2, int64(f.Before))
			s.BindInt64(3, int64(f.Count))
			s.BindBytes(4, f.Rows)
			s.BindBytes(5, whose)
		})
		if err != nil {
			return fmt.Errorf("write fates of rows: %w", err)
		}
	}
	return nil
}

// Fates implements record.ImportStore.
func (d *DB) Fates(ctx context.Context, file purser.Hash) iter.Seq2[record.Fates, error] {
	return func(yield func(record.Fates, error) bool) {
		err := d.query(ctx, "fates", func(s *sqlite.Stmt) { s.BindBytes(1, file[:]) }, func(s *sqlite.Stmt) error {
			f := record.Fates{Before: uint64(s.ColumnInt64(0)), Count: uint32(s.ColumnInt64(1)), Rows: column(s, 2)}
			for whose := column(s, 3); len(whose) >= 4; whose = whose[4:] {
				f.Whose = append(f.Whose, purser.Ordinal(binary.BigEndian.Uint32(whose)))
			}
			if !yield(f, nil) {
				return errStop
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStop) {
			yield(record.Fates{}, fmt.Errorf("read fates of rows: %w", err))
		}
	}
}

// DropFates implements record.ImportStore.
func (d *DB) DropFates(t ledger.Tx, file purser.Hash) error { return d.dropOf(t, "drop_fates", file) }

// DropImport implements record.ImportStore.
func (d *DB) DropImport(t ledger.Tx, file purser.Hash) error { return d.dropOf(t, "drop_import", file) }

func (d *DB) dropOf(t ledger.Tx, name string, file purser.Hash) error {
	own, err := d.inTx(t)
	if err != nil {
		return err
	}
	return own.exec(name, func(s *sqlite.Stmt) { s.BindBytes(1, file[:]) })
}

// customerSpan is how many customers one transaction reads or drops.
const customerSpan = 20_000

// Written implements record.ImportStore.
func (d *DB) Written(ctx context.Context, from, to purser.Ordinal) iter.Seq2[seal.Subject, error] {
	return func(yield func(seal.Subject, error) bool) {
		for at := from; at < to; at += customerSpan {
			err := d.query(ctx, "written_customers", func(s *sqlite.Stmt) {
				s.BindInt64(1, int64(at))
				s.BindInt64(2, int64(min(at+customerSpan, to)))
			}, func(s *sqlite.Stmt) error {
				c := seal.Subject{Ordinal: purser.Ordinal(s.ColumnInt64(0)), Version: uint32(s.ColumnInt64(2))}
				s.ColumnBytes(1, c.Customer[:])
				if !yield(c, nil) {
					return errStop
				}
				return nil
			})
			if errors.Is(err, errStop) {
				return
			}
			if err != nil {
				yield(seal.Subject{}, fmt.Errorf("read customers: %w", err))
				return
			}
		}
	}
}

// DropCustomers implements record.ImportStore. The indexes go first: what is
// left after a break leads to nobody.
func (d *DB) DropCustomers(ctx context.Context, from, to purser.Ordinal) error {
	both := func(name string, a, b purser.Ordinal) func(*tx) error {
		return func(t *tx) error {
			return t.exec(name, func(s *sqlite.Stmt) {
				s.BindInt64(1, int64(a))
				s.BindInt64(2, int64(b))
			})
		}
	}
	for _, name := range []string{"drop_blind_indexes", "drop_customer_ids"} {
		if err := d.write(ctx, both(name, from, to)); err != nil {
			return fmt.Errorf("drop customers: %w", err)
		}
	}
	for at := from; at <= to; at += customerSpan {
		end := min(at+customerSpan, to+1)
		err := d.write(ctx, func(t *tx) error {
			t.records = true
			return errors.Join(both("drop_data_keys", at, end)(t), both("drop_channels", at, end)(t),
				both("drop_expiries", at, end)(t), both("drop_customers", at, end)(t))
		})
		if err != nil {
			return fmt.Errorf("drop customers: %w", err)
		}
	}
	return nil
}

// RowsImported reads from a database in use how far its import is that has not
// ended. It takes no lock and changes nothing.
func RowsImported(file string) (rows uint64, err error) {
	conn, err := sqlite.OpenConn(file, sqlite.OpenReadOnly)
	if err != nil {
		return 0, fmt.Errorf("read import: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	err = sqlitex.ExecuteTransient(conn, "SELECT done FROM import WHERE ended = 0", &sqlitex.ExecOptions{
		ResultFunc: func(s *sqlite.Stmt) error { rows = uint64(s.ColumnInt64(0)); return nil },
	})
	return rows, err
}
