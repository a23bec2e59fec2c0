package sqlite

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"

	"purser"
	"purser/internal/ledger"
)

// After implements record.Store.
func (d *DB) After(ctx context.Context, o purser.Ordinal, limit int) ([]purser.Ordinal, error) {
	var list []purser.Ordinal
	err := d.query(ctx, "customers_after", func(s *sqlite.Stmt) {
		s.BindInt64(1, int64(o))
		s.BindInt64(2, int64(limit))
	}, func(s *sqlite.Stmt) error {
		list = append(list, purser.Ordinal(s.ColumnInt64(0)))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read customers: %w", err)
	}
	return list, nil
}

// MandateWords returns what is kept sealed beside a mandate, or nil.
func (d *DB) MandateWords(ctx context.Context, id purser.MandateID) (sealed []byte, err error) {
	err = d.query(ctx, "mandate",
		func(s *sqlite.Stmt) { s.BindBytes(1, id[:]) },
		func(s *sqlite.Stmt) error { sealed = column(s, 0); return nil })
	if err != nil {
		return nil, fmt.Errorf("read mandate: %w", err)
	}
	return sealed, nil
}

// PutMandateWords keeps sealed words beside a mandate, in the transaction of
// its entry.
func (d *DB) PutMandateWords(t ledger.Tx, id purser.MandateID, sealed []byte) error {
	err := d.putRow(t, "put_mandate", func(s *sqlite.Stmt) {
		s.BindBytes(1, id[:])
		s.BindBytes(2, sealed)
	})
	if err != nil {
		return fmt.Errorf("write mandate: %w", err)
	}
	return nil
}

// Holdings returns the signed statement of the entry at pos, or nil.
func (d *DB) Holdings(ctx context.Context, pos purser.Pos) (note []byte, err error) {
	err = d.query(ctx, "holdings",
		func(s *sqlite.Stmt) { s.BindInt64(1, int64(pos)) },
		func(s *sqlite.Stmt) error { note = column(s, 0); return nil })
	if err != nil {
		return nil, fmt.Errorf("read statement: %w", err)
	}
	return note, nil
}

// PutHoldings keeps a signed statement, in the transaction of its entry.
func (d *DB) PutHoldings(t ledger.Tx, pos purser.Pos, hash purser.Hash, note []byte) error {
	err := d.putRow(t, "put_holdings", func(s *sqlite.Stmt) {
		s.BindInt64(1, int64(pos))
		s.BindBytes(2, hash[:])
		s.BindBytes(3, note)
	})
	if err != nil {
		return fmt.Errorf("write statement: %w", err)
	}
	return nil
}
