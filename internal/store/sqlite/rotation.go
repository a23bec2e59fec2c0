package sqlite

import (
	"context"
	"encoding/binary"
	"fmt"

	"zombiezen.com/go/sqlite"

	"purser"
	"purser/internal/record"
	"purser/internal/seal"
)

// Walk implements record.RotationStore.
func (d *DB) Walk(ctx context.Context, use purser.KeyUse) (record.Walk, error) {
	w := record.Walk{Use: use}
	err := d.query(ctx, "rotation",
		func(s *sqlite.Stmt) { s.BindInt64(1, int64(use)) },
		func(s *sqlite.Stmt) error {
			w.Now, w.After = uint32(s.ColumnInt64(0)), purser.Ordinal(s.ColumnInt64(1))
			w.Changed, w.Total = uint64(s.ColumnInt64(2)), uint64(s.ColumnInt64(3))
			return nil
		})
	if err != nil {
		return w, fmt.Errorf("read rotation: %w", err)
	}
	return w, nil
}

// PutWalk implements record.RotationStore.
func (d *DB) PutWalk(ctx context.Context, w record.Walk) error {
	if err := d.write(ctx, func(t *tx) error { return putWalk(t, w) }); err != nil {
		return fmt.Errorf("write rotation: %w", err)
	}
	return nil
}

func putWalk(t *tx, w record.Walk) error {
	return t.exec("put_rotation", func(s *sqlite.Stmt) {
		s.BindInt64(1, int64(w.Use))
		s.BindInt64(2, int64(w.Now))
		s.BindInt64(3, int64(w.After))
		s.BindInt64(4, int64(w.Changed))
		s.BindInt64(5, int64(w.Total))
	})
}

// WrappedElse implements record.RotationStore.
func (d *DB) WrappedElse(ctx context.Context, key uint32, after, through purser.Ordinal, limit int) ([]seal.Record, error) {
	under := binary.BigEndian.AppendUint32([]byte{1}, key)
	var list []seal.Record
	err := d.query(ctx, "wrapped_else", func(s *sqlite.Stmt) {
		s.BindInt64(1, int64(after))
		s.BindInt64(2, int64(through))
		s.BindBytes(3, under)
		s.BindInt64(4, int64(limit))
	}, func(s *sqlite.Stmt) error {
		list = append(list, listedRow(s))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read records under another key: %w", err)
	}
	return list, nil
}

func listedRow(s *sqlite.Stmt) seal.Record {
	r := seal.Record{Subject: seal.Subject{Ordinal: purser.Ordinal(s.ColumnInt64(0)), Version: uint32(s.ColumnInt64(2))}}
	s.ColumnBytes(1, r.Customer[:])
	r.Written = purser.Pos(s.ColumnInt64(3))
	r.Sealed, r.Wrapped = column(s, 4), column(s, 5)
	return r
}

// SealedBetween implements record.RotationStore.
func (d *DB) SealedBetween(ctx context.Context, after, through purser.Ordinal, limit int) ([]seal.Record, error) {
	var list []seal.Record
	err := d.query(ctx, "sealed_records", func(s *sqlite.Stmt) {
		s.BindInt64(1, int64(after))
		s.BindInt64(2, int64(through))
		s.BindInt64(3, int64(limit))
	}, func(s *sqlite.Stmt) error {
		list = append(list, listedRow(s))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read records: %w", err)
	}
	return list, nil
}

// Standing implements record.RotationStore.
func (d *DB) Standing(ctx context.Context, o purser.Ordinal, of []record.IndexRow) ([]record.IndexRow, error) {
	var out []record.IndexRow
	err := d.read(ctx, func(conn *sqlite.Conn) error {
		for _, row := range of {
			err := d.run(conn, "index_stands", func(s *sqlite.Stmt) {
				s.BindInt64(1, int64(row.Field))
				s.BindBytes(2, row.Index[:])
				s.BindInt64(3, int64(o))
			}, func(*sqlite.Stmt) error {
				out = append(out, row)
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for indexes: %w", err)
	}
	return out, nil
}

// IndexRows counts the blind indexes of everybody. It reads all of them.
func (d *DB) IndexRows(ctx context.Context) (uint64, error) {
	n, _, err := d.number(ctx, "count_blind_indexes", func(*sqlite.Stmt) {})
	return uint64(n), err
}

// PutRewrapped implements record.RotationStore.
func (d *DB) PutRewrapped(ctx context.Context, list []record.Rewrapped, w record.Walk) error {
	err := d.write(ctx, func(t *tx) error {
		t.records = t.records || len(list) > 0
		for _, r := range list {
			err := t.exec("rewrap", func(s *sqlite.Stmt) {
				s.BindInt64(1, int64(r.Ordinal))
				s.BindBytes(2, r.Before)
				s.BindBytes(3, r.Now)
			})
			if err != nil {
				return fmt.Errorf("data key of %d: %w", r.Ordinal, err)
			}
		}
		return putWalk(t, w)
	})
	if err != nil {
		return fmt.Errorf("write rewrapped keys: %w", err)
	}
	return nil
}

// PutReindexed implements record.RotationStore.
func (d *DB) PutReindexed(ctx context.Context, list []record.Reindexed, w record.Walk) error {
	err := d.write(ctx, func(t *tx) error {
		for _, r := range list {
			if err := reindex(t, r); err != nil {
				return fmt.Errorf("indexes of %d: %w", r.Ordinal, err)
			}
		}
		return putWalk(t, w)
	})
	if err != nil {
		return fmt.Errorf("write indexes: %w", err)
	}
	return nil
}

func reindex(t *tx, r record.Reindexed) error {
	fits := false
	err := t.query("version_of_customer",
		func(s *sqlite.Stmt) { s.BindInt64(1, int64(r.Ordinal)) },
		func(s *sqlite.Stmt) error { fits = uint32(s.ColumnInt64(0)) == r.Version; return nil })
	if err != nil || !fits {
		return err
	}
	for _, row := range r.Gone {
		if err := indexRow(t, "drop_blind_index", r.Ordinal, row); err != nil {
			return err
		}
	}
	for _, row := range r.Come {
		if err := indexRow(t, "put_blind_index", r.Ordinal, row); err != nil {
			return err
		}
	}
	return nil
}

func indexRow(t *tx, name string, o purser.Ordinal, row record.IndexRow) error {
	return t.exec(name, func(s *sqlite.Stmt) {
		s.BindInt64(1, int64(row.Field))
		s.BindBytes(2, row.Index[:])
		s.BindInt64(3, int64(o))
	})
}
