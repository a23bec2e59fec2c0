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

var _ record.Store = (*DB)(nil)

// Sealed implements record.Store.
func (d *DB) Sealed(ctx context.Context, o purser.Ordinal) (seal.Record, error) {
	r, err := d.records.sealed(ctx, o)
	if err != nil {
		return seal.Record{}, fmt.Errorf("read record: %w", err)
	}
	return r, nil
}

// SealedAgain implements record.Store.
func (d *DB) SealedAgain(ctx context.Context, o purser.Ordinal) (seal.Record, error) {
	found, ok, mark := d.recent.get(o)
	if ok {
		return found, ctx.Err()
	}
	found, err := d.Sealed(ctx, o)
	if err == nil {
		d.recent.put(found, mark)
	}
	return found, err
}

// OrdinalOf implements record.Store.
func (d *DB) OrdinalOf(ctx context.Context, id purser.CustomerID) (purser.Ordinal, error) {
	n, found, err := d.number(ctx, "ordinal_of_customer", func(s *sqlite.Stmt) { s.BindBytes(1, id[:]) })
	if err != nil {
		return 0, fmt.Errorf("read ordinal: %w", err)
	}
	if !found {
		return 0, record.ErrNoCustomer
	}
	return purser.Ordinal(n), nil
}

// number runs a statement that yields at most one number.
func (d *DB) number(ctx context.Context, name string, bind func(*sqlite.Stmt)) (n int64, found bool, err error) {
	err = d.query(ctx, name, bind, func(s *sqlite.Stmt) error {
		n, found = s.ColumnInt64(0), true
		return nil
	})
	return n, found, err
}

// Holders implements record.Store.
func (d *DB) Holders(ctx context.Context, row record.IndexRow, limit int) ([]purser.Ordinal, error) {
	var holders []purser.Ordinal
	err := d.query(ctx, "holders", func(s *sqlite.Stmt) {
		s.BindInt64(1, int64(row.Field))
		s.BindBytes(2, row.Index[:])
		s.BindInt64(3, int64(limit))
	}, func(s *sqlite.Stmt) error {
		holders = append(holders, purser.Ordinal(s.ColumnInt64(0)))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read holders: %w", err)
	}
	return holders, nil
}

// Indexes implements record.Store.
func (d *DB) Indexes(ctx context.Context, o purser.Ordinal, f purser.Field) ([]seal.Index, error) {
	var indexes []seal.Index
	err := d.query(ctx, "indexes_of_customer", func(s *sqlite.Stmt) {
		s.BindInt64(1, int64(o))
		s.BindInt64(2, int64(f))
	}, func(s *sqlite.Stmt) error {
		var index seal.Index
		s.ColumnBytes(0, index[:])
		indexes = append(indexes, index)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read indexes: %w", err)
	}
	return indexes, nil
}

// ChannelSince implements record.Store.
func (d *DB) ChannelSince(ctx context.Context, o purser.Ordinal, f purser.Field) (purser.Stamp, bool, error) {
	since, found, err := d.number(ctx, "channel_since", func(s *sqlite.Stmt) {
		s.BindInt64(1, int64(o))
		s.BindInt64(2, int64(f))
	})
	if err != nil {
		return 0, false, fmt.Errorf("read channel: %w", err)
	}
	return purser.Stamp(since), found, nil
}

// RowsDone implements record.Store.
func (d *DB) RowsDone(ctx context.Context, file purser.Hash) (uint64, error) {
	n, _, err := d.number(ctx, "rows_done", func(s *sqlite.Stmt) { s.BindBytes(1, file[:]) })
	if err != nil {
		return 0, fmt.Errorf("read import: %w", err)
	}
	return uint64(n), nil
}

// PutCustomers implements record.Store.
func (d *DB) PutCustomers(t ledger.Tx, pos purser.Pos, customers []record.Customer) error {
	own, err := d.inTx(t)
	if err != nil {
		return err
	}
	own.records = true
	for i := range customers {
		if err := putCustomer(own, pos, &customers[i]); err != nil {
			return fmt.Errorf("write customer %d: %w", customers[i].Record.Ordinal, err)
		}
	}
	return nil
}

func putCustomer(t *tx, pos purser.Pos, c *record.Customer) error {
	r := &c.Record
	err := t.exec("put_customer", func(s *sqlite.Stmt) {
		s.BindInt64(1, int64(r.Ordinal))
		s.BindBytes(2, r.Customer[:])
		s.BindInt64(3, int64(r.Version))
		s.BindInt64(4, int64(pos))
		s.BindBytes(5, r.Sealed)
	})
	if err != nil {
		return err
	}
	err = t.exec("put_data_key", func(s *sqlite.Stmt) {
		s.BindInt64(1, int64(r.Ordinal))
		s.BindBytes(2, r.Wrapped)
	})
	if err != nil {
		return err
	}
	for _, row := range c.Indexes {
		err := t.exec("put_blind_index", func(s *sqlite.Stmt) {
			s.BindInt64(1, int64(row.Field))
			s.BindBytes(2, row.Index[:])
			s.BindInt64(3, int64(r.Ordinal))
		})
		if err != nil {
			return err
		}
	}
	for _, row := range c.Channels {
		err := t.exec("put_channel", func(s *sqlite.Stmt) {
			s.BindInt64(1, int64(r.Ordinal))
			s.BindInt64(2, int64(row.Field))
			s.BindInt64(3, int64(row.Since))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// PutBatch implements record.Store.
func (d *DB) PutBatch(t ledger.Tx, b record.Batch) error {
	own, err := d.inTx(t)
	if err != nil {
		return err
	}
	err = own.exec("put_import_batch", func(s *sqlite.Stmt) {
		s.BindInt64(1, int64(b.Pos))
		s.BindBytes(2, b.File[:])
		s.BindInt64(3, int64(b.Rows))
		s.BindInt64(4, int64(b.First))
		s.BindInt64(5, int64(b.Count))
		s.BindInt64(6, int64(b.Rejected))
	})
	if err != nil {
		return fmt.Errorf("write import batch: %w", err)
	}
	return nil
}
