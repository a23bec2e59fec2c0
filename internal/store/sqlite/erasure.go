package sqlite

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"

	"purser"
	"purser/internal/ledger"
	"purser/internal/record"
)

// PutErasure implements record.Store.
func (d *DB) PutErasure(t ledger.Tx, e record.Erasure) error {
	err := d.putRow(t, "put_erasure", func(s *sqlite.Stmt) {
		s.BindInt64(1, int64(e.Pos))
		s.BindInt64(2, int64(e.At))
		s.BindInt64(3, int64(e.Until))
		s.BindInt64(4, int64(e.Cause))
		s.BindBytes(5, e.Customer[:])
		gone := e.Destroyed
		for i, n := range []int{gone.Keys, gone.Indexes, gone.Channels, gone.Superseded, gone.Salts, gone.Texts} {
			s.BindInt64(6+i, int64(n))
		}
	})
	if err != nil {
		return fmt.Errorf("write erasure: %w", err)
	}
	return nil
}

// Erasure implements record.Store.
func (d *DB) Erasure(ctx context.Context, pos purser.Pos) (e record.Erasure, found bool, err error) {
	err = d.query(ctx, "erasure", func(s *sqlite.Stmt) { s.BindInt64(1, int64(pos)) }, func(s *sqlite.Stmt) error {
		found = true
		e = record.Erasure{
			Pos: pos, At: purser.Stamp(s.ColumnInt64(0)), Until: purser.Stamp(s.ColumnInt64(1)),
			Cause: purser.EraseCause(s.ColumnInt64(2)),
		}
		s.ColumnBytes(3, e.Customer[:])
		gone := &e.Destroyed
		gone.Records = 1
		for i, n := range []*int{&gone.Keys, &gone.Indexes, &gone.Channels, &gone.Superseded, &gone.Salts, &gone.Texts} {
			*n = s.ColumnInt(4 + i)
		}
		return nil
	})
	if err != nil {
		return e, false, fmt.Errorf("read erasure: %w", err)
	}
	return e, found, nil
}

// PutHold implements record.Store.
func (d *DB) PutHold(t ledger.Tx, h purser.HoldID, sealed []byte) error {
	err := d.putRow(t, "put_legal_hold", func(s *sqlite.Stmt) {
		s.BindBytes(1, h[:])
		s.BindBytes(2, sealed)
	})
	if err != nil {
		return fmt.Errorf("write hold: %w", err)
	}
	return nil
}

// HoldText implements record.Store.
func (d *DB) HoldText(ctx context.Context, h purser.HoldID) (sealed []byte, err error) {
	err = d.query(ctx, "legal_hold", func(s *sqlite.Stmt) { s.BindBytes(1, h[:]) }, func(s *sqlite.Stmt) error {
		sealed = column(s, 0)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read hold: %w", err)
	}
	return sealed, nil
}
