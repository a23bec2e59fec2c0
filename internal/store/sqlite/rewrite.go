package sqlite

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"

	"purser"
	"purser/internal/ledger"
	"purser/internal/record"
	"purser/internal/seal"
)

// SealedIn implements record.Store.
func (d *DB) SealedIn(t ledger.Tx, o purser.Ordinal) (seal.Record, error) {
	own, err := d.inTx(t)
	if err != nil {
		return seal.Record{}, err
	}
	r, found := seal.Record{Subject: seal.Subject{Ordinal: o}}, false
	err = own.query("sealed_record", func(s *sqlite.Stmt) { s.BindInt64(1, int64(o)) }, func(s *sqlite.Stmt) error {
		sealedRow(s, &r)
		found = true
		return nil
	})
	if err != nil {
		return seal.Record{}, fmt.Errorf("read record: %w", err)
	}
	if !found {
		return seal.Record{}, record.ErrNoCustomer
	}
	return r, nil
}

// Rewrite implements record.Store.
func (d *DB) Rewrite(t ledger.Tx, pos purser.Pos, w record.Rewriting) error {
	own, err := d.inTx(t)
	if err != nil {
		return err
	}
	own.records, own.destroys = true, own.destroys || w.Destroys
	o := int64(w.Record.Ordinal)
	err = own.exec("rewrite_customer", func(s *sqlite.Stmt) {
		s.BindInt64(1, o)
		s.BindInt64(2, int64(w.Record.Version))
		s.BindInt64(3, int64(pos))
		s.BindBytes(4, w.Record.Sealed)
	})
	if err == nil && own.changes() == 0 {
		return record.ErrNoCustomer
	}
	if err == nil {
		err = own.exec("rewrite_data_key", func(s *sqlite.Stmt) {
			s.BindInt64(1, o)
			s.BindBytes(2, w.Record.Wrapped)
		})
	}
	if err == nil {
		err = own.rewriteRows(pos, &w)
	}
	if err != nil {
		return fmt.Errorf("write customer %d anew: %w", o, err)
	}
	return nil
}

// rewriteRows writes what hangs on a record.
func (t *tx) rewriteRows(pos purser.Pos, w *record.Rewriting) error {
	o := int64(w.Record.Ordinal)
	r := rows{tx: t}
	for _, row := range w.Gone {
		r.index("drop_blind_index", row, o)
	}
	for _, row := range w.Come {
		r.index("add_blind_index", row, o)
	}
	for _, row := range w.Channels {
		r.numbers("set_channel", o, int64(row.Field), int64(row.Since))
	}
	for _, f := range w.Lost.Fields() {
		r.numbers("drop_channel", o, int64(f))
	}
	for _, row := range w.Past {
		r.exec("put_superseded", func(s *sqlite.Stmt) {
			s.BindInt64(1, o)
			s.BindInt64(2, int64(row.Field))
			s.BindInt64(3, int64(row.Version))
			s.BindInt64(4, int64(row.Replaced))
			s.BindInt64(5, int64(row.Until))
			s.BindBytes(6, row.Sealed)
		})
	}
	for _, f := range w.Endless.Fields() {
		r.numbers("drop_expiry", o, int64(f))
	}
	for _, row := range w.Expiries {
		r.numbers("set_expiry", o, int64(row.Field), int64(row.At))
	}
	if len(w.Salt) > 0 {
		r.exec("put_salt", func(s *sqlite.Stmt) {
			s.BindInt64(1, int64(pos))
			s.BindInt64(2, o)
			s.BindBytes(3, w.Salt)
		})
	}
	return r.err
}

// rows runs statements until one fails.
type rows struct {
	tx  *tx
	err error
}

func (r *rows) exec(name string, bind func(*sqlite.Stmt)) {
	if r.err == nil {
		r.err = r.tx.exec(name, bind)
	}
}

func (r *rows) index(name string, row record.IndexRow, o int64) {
	r.exec(name, func(s *sqlite.Stmt) {
		s.BindInt64(1, int64(row.Field))
		s.BindBytes(2, row.Index[:])
		s.BindInt64(3, o)
	})
}

// numbers runs a statement whose parameters are numbers.
func (r *rows) numbers(name string, numbers ...int64) {
	r.exec(name, func(s *sqlite.Stmt) {
		for i, n := range numbers {
			s.BindInt64(i+1, n)
		}
	})
}

// Erase implements record.Store.
func (d *DB) Erase(t ledger.Tx, o purser.Ordinal, found []record.IndexRow) (record.Destroyed, error) {
	own, err := d.inTx(t)
	if err != nil {
		return record.Destroyed{}, err
	}
	own.records, own.destroys = true, true
	var gone record.Destroyed
	r := rows{tx: own}
	for _, row := range found {
		if r.index("drop_blind_index", row, int64(o)); r.err == nil {
			gone.Indexes += own.changes()
		}
	}
	if found == nil {
		if r.numbers("drop_blind_indexes", int64(o), int64(o)); r.err == nil {
			gone.Indexes = own.changes()
		}
	}
	for _, one := range []struct {
		name  string
		count *int
	}{
		{"erase_texts", &gone.Texts},
		{"erase_cases", new(int)},
		{"erase_superseded", &gone.Superseded},
		{"erase_salts", &gone.Salts},
		{"erase_expiries", new(int)},
		{"erase_customer_id", new(int)}, // reads the customer
		{"erase_channels", &gone.Channels},
		{"erase_data_key", &gone.Keys},
		{"erase_customer", &gone.Records}, // last: the others refer to it
	} {
		if r.numbers(one.name, int64(o)); r.err == nil {
			*one.count += own.changes()
		}
	}
	if r.err != nil {
		return record.Destroyed{}, fmt.Errorf("erase customer %d: %w", o, r.err)
	}
	return gone, nil
}

// Superseded implements record.Store.
func (d *DB) Superseded(ctx context.Context, o purser.Ordinal) ([]record.PastRow, error) {
	var past []record.PastRow
	err := d.query(ctx, "superseded_of_customer", func(s *sqlite.Stmt) { s.BindInt64(1, int64(o)) }, func(s *sqlite.Stmt) error {
		past = append(past, record.PastRow{
			Field: purser.Field(s.ColumnInt64(0)), Version: uint32(s.ColumnInt64(1)),
			Replaced: purser.Stamp(s.ColumnInt64(2)), Until: purser.Stamp(s.ColumnInt64(3)), Sealed: column(s, 4),
		})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read superseded values: %w", err)
	}
	return past, nil
}

// Salt implements record.Store.
func (d *DB) Salt(ctx context.Context, pos purser.Pos) ([]byte, error) {
	var salt []byte
	err := d.query(ctx, "salt", func(s *sqlite.Stmt) { s.BindInt64(1, int64(pos)) }, func(s *sqlite.Stmt) error {
		salt = column(s, 0)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read salt: %w", err)
	}
	return salt, nil
}

// Expiring implements record.Store.
func (d *DB) Expiring(ctx context.Context, at purser.Stamp, last record.ExpiryRow, limit int) ([]record.ExpiryRow, error) {
	var due []record.ExpiryRow
	err := d.query(ctx, "expired", func(s *sqlite.Stmt) {
		for i, n := range []int64{int64(at), int64(last.At), int64(last.Ordinal), int64(last.Field), int64(limit)} {
			s.BindInt64(i+1, n)
		}
	}, func(s *sqlite.Stmt) error {
		due = append(due, record.ExpiryRow{
			At: purser.Stamp(s.ColumnInt64(0)), Ordinal: purser.Ordinal(s.ColumnInt64(1)), Field: purser.Field(s.ColumnInt64(2)),
		})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read expiries: %w", err)
	}
	return due, nil
}

// ExpiredIn implements record.Store.
func (d *DB) ExpiredIn(t ledger.Tx, o purser.Ordinal, at purser.Stamp) (purser.FieldMask, error) {
	own, err := d.inTx(t)
	if err != nil {
		return 0, err
	}
	var over purser.FieldMask
	err = own.query("expired_of_customer", func(s *sqlite.Stmt) {
		s.BindInt64(1, int64(o))
		s.BindInt64(2, int64(at))
	}, func(s *sqlite.Stmt) error {
		over |= purser.Mask(purser.Field(s.ColumnInt64(0)))
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("read expiries of customer %d: %w", o, err)
	}
	return over, nil
}

// Outlived implements record.Store.
func (d *DB) Outlived(ctx context.Context, at purser.Stamp, after purser.Ordinal, limit int) ([]purser.Ordinal, error) {
	var customers []purser.Ordinal
	err := d.query(ctx, "superseded_over", func(s *sqlite.Stmt) {
		s.BindInt64(1, int64(at))
		s.BindInt64(2, int64(after))
		s.BindInt64(3, int64(limit))
	}, func(s *sqlite.Stmt) error {
		customers = append(customers, purser.Ordinal(s.ColumnInt64(0)))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read superseded values: %w", err)
	}
	return customers, nil
}

// Forget implements record.Store.
func (d *DB) Forget(t ledger.Tx, at purser.Stamp, customers []purser.Ordinal) error {
	own, err := d.inTx(t)
	if err != nil {
		return err
	}
	own.destroys = true
	r := rows{tx: own}
	for _, o := range customers {
		r.numbers("drop_superseded", int64(o), int64(at))
	}
	if r.err != nil {
		return fmt.Errorf("drop superseded values: %w", r.err)
	}
	return nil
}
