package sqlite

import (
	"context"
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"

	"purser"
	"purser/internal/ledger"
	"purser/internal/record"
	"purser/internal/seal"
)

// PutCase implements record.Texts.
func (d *DB) PutCase(t ledger.Tx, row record.CaseRow) error {
	err := d.putRow(t, "put_case", func(s *sqlite.Stmt) {
		s.BindBytes(1, row.Case[:])
		s.BindInt64(2, int64(row.Pos))
		s.BindBytes(3, row.Contact[:])
		s.BindBytes(4, row.Vendor[:])
		s.BindInt64(5, int64(row.Customer))
		s.BindInt64(6, int64(row.Topic))
		s.BindInt64(7, int64(row.State))
		s.BindInt64(8, int64(row.Opened))
		s.BindInt64(9, int64(row.Changed))
	})
	if err != nil {
		return fmt.Errorf("write case: %w", err)
	}
	return nil
}

// MoveCase implements record.Texts.
func (d *DB) MoveCase(t ledger.Tx, row record.CaseRow) error {
	own, err := d.inTx(t)
	if err != nil {
		return err
	}
	err = own.exec("move_case", func(s *sqlite.Stmt) {
		s.BindBytes(1, row.Case[:])
		s.BindInt64(2, int64(row.Customer))
		s.BindInt64(3, int64(row.Topic))
		s.BindInt64(4, int64(row.State))
		s.BindInt64(5, int64(row.Changed))
	})
	if err != nil {
		return fmt.Errorf("write case: %w", err)
	}
	if own.changes() == 0 {
		return record.ErrNoCase
	}
	return nil
}

// CaseAt implements record.Texts.
func (d *DB) CaseAt(ctx context.Context, pos purser.Pos) (record.CaseRow, error) {
	row, found := record.CaseRow{}, false
	err := d.query(ctx, "case_at", func(s *sqlite.Stmt) { s.BindInt64(1, int64(pos)) }, func(s *sqlite.Stmt) error {
		found = true
		row = record.CaseRow{
			Pos: purser.Pos(s.ColumnInt64(1)), Customer: purser.Ordinal(s.ColumnInt64(4)),
			Topic: purser.Topic(s.ColumnInt64(5)), State: purser.CaseState(s.ColumnInt64(6)),
			Opened: purser.Stamp(s.ColumnInt64(7)), Changed: purser.Stamp(s.ColumnInt64(8)),
		}
		s.ColumnBytes(0, row.Case[:])
		s.ColumnBytes(2, row.Contact[:])
		s.ColumnBytes(3, row.Vendor[:])
		return nil
	})
	if err != nil {
		return record.CaseRow{}, fmt.Errorf("read case: %w", err)
	}
	if !found {
		return record.CaseRow{}, record.ErrNoCase
	}
	return row, nil
}

// PutText implements record.Texts.
func (d *DB) PutText(t ledger.Tx, row record.TextRow) error {
	err := d.putRow(t, "put_text", func(s *sqlite.Stmt) {
		s.BindInt64(1, int64(row.Pos))
		s.BindInt64(2, int64(row.Kind))
		s.BindInt64(3, int64(row.Customer))
		s.BindBytes(4, row.Contact[:])
		bindCase(s, 5, row.Case)
		s.BindInt64(6, int64(row.Topic))
		s.BindInt64(7, int64(row.Written))
		s.BindBytes(8, row.Salt)
		s.BindBytes(9, row.Sealed)
	})
	if err != nil {
		return fmt.Errorf("write text: %w", err)
	}
	return nil
}

// bindCase binds a case; none is null.
func bindCase(s *sqlite.Stmt, i int, id purser.CaseID) {
	if id.Zero() {
		s.BindNull(i)
		return
	}
	s.BindBytes(i, id[:])
}

// BlindTexts implements record.Texts.
func (d *DB) BlindTexts(t ledger.Tx, c purser.CaseID, contact purser.ContactID) ([]record.TextRow, error) {
	own, err := d.inTx(t)
	if err != nil {
		return nil, err
	}
	var rows []record.TextRow
	err = own.query("blind_texts", func(s *sqlite.Stmt) {
		bindCase(s, 1, c)
		s.BindBytes(2, contact[:])
	}, func(s *sqlite.Stmt) error {
		rows = append(rows, textRow(s))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read texts: %w", err)
	}
	return rows, nil
}

func textRow(s *sqlite.Stmt) record.TextRow {
	row := record.TextRow{
		Text: seal.Text{
			Pos: purser.Pos(s.ColumnInt64(0)), Kind: seal.TextKind(s.ColumnInt64(1)), Sealed: column(s, 8),
		},
		Customer: purser.Ordinal(s.ColumnInt64(2)), Topic: purser.Topic(s.ColumnInt64(5)),
		Written: purser.Stamp(s.ColumnInt64(6)), Salt: column(s, 7),
	}
	s.ColumnBytes(3, row.Contact[:])
	s.ColumnBytes(4, row.Case[:])
	return row
}

// DropText implements record.Texts.
func (d *DB) DropText(t ledger.Tx, pos purser.Pos) error {
	if err := d.putRow(t, "drop_text", func(s *sqlite.Stmt) { s.BindInt64(1, int64(pos)) }); err != nil {
		return fmt.Errorf("drop text: %w", err)
	}
	return nil
}

// TextsOf implements record.Texts.
func (d *DB) TextsOf(ctx context.Context, o purser.Ordinal, kind seal.TextKind, before purser.Pos, limit int) ([]record.TimelineRow, error) {
	var items []record.TimelineRow
	err := d.query(ctx, "texts_of_customer", func(s *sqlite.Stmt) {
		s.BindInt64(1, int64(o))
		s.BindInt64(2, int64(kind))
		s.BindInt64(3, int64(before))
		s.BindInt64(4, int64(limit))
	}, func(s *sqlite.Stmt) error {
		items = append(items, record.TimelineRow{TextRow: textRow(s), State: purser.CaseState(s.ColumnInt64(9))})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read texts: %w", err)
	}
	return items, nil
}

// DropBlind implements record.Texts.
func (d *DB) DropBlind(ctx context.Context, before purser.Stamp) error {
	return d.write(ctx, func(t *tx) error {
		old := func(s *sqlite.Stmt) { s.BindInt64(1, int64(before)) }
		t.destroys = true
		return errors.Join(t.exec("drop_blind_texts", old), t.exec("drop_blind_cases", old))
	})
}
