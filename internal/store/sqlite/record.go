package sqlite

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"

	"purser"
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
	n, found, err := d.number(ctx, "ordinal_of_customer", func(s *sqlite.Stmt) {
		s.BindInt64(1, start(id))
		s.BindBytes(2, id[:])
	})
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

// ChannelSince implements record.Store.
func (d *DB) ChannelSince(ctx context.Context, o purser.Ordinal, f purser.Field) (purser.Stamp, bool, error) {
	var since purser.Stamp
	var held bool
	err := d.query(ctx, "channel_since", func(s *sqlite.Stmt) {
		s.BindInt64(1, int64(o))
		s.BindInt64(2, int64(f))
	}, func(s *sqlite.Stmt) error {
		since = purser.Stamp(s.ColumnInt64(0))
		held = seal.Record{Sealed: column(s, 1)}.Holds().Has(f)
		return nil
	})
	if err != nil {
		return 0, false, fmt.Errorf("read channel: %w", err)
	}
	if !held {
		since = 0
	}
	return since, held, nil
}
