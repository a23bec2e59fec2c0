package sqlite

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"

	"purser"
	"purser/internal/ledger"
	"purser/internal/telephony"
)

var _ telephony.Sources = (*DB)(nil)

// SecretsOf implements telephony.Sources.
func (d *DB) SecretsOf(ctx context.Context, id purser.SourceID) ([]telephony.SourceRow, error) {
	rows, err := listRows(ctx, d, "secrets_of", id[:], sourceRow)
	if err != nil {
		return nil, fmt.Errorf("read source: %w", err)
	}
	return rows, nil
}

// SourceRows implements telephony.Sources.
func (d *DB) SourceRows(ctx context.Context) ([]telephony.SourceRow, error) {
	var rows []telephony.SourceRow
	for row, err := range eachRow(ctx, d, "source_rows", sourceRow) {
		if err != nil {
			return nil, fmt.Errorf("read sources: %w", err)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func sourceRow(s *sqlite.Stmt) telephony.SourceRow {
	row := telephony.SourceRow{Name: s.ColumnText(2), Sealed: column(s, 4)}
	s.ColumnBytes(0, row.Source[:])
	s.ColumnBytes(1, row.Vendor[:])
	s.ColumnBytes(3, row.Secret[:])
	return row
}

// PutSource implements telephony.Sources.
func (d *DB) PutSource(t ledger.Tx, row telephony.SourceRow) error {
	err := d.putRow(t, "put_source", func(s *sqlite.Stmt) {
		s.BindBytes(1, row.Source[:])
		s.BindBytes(2, row.Vendor[:])
		s.BindText(3, row.Name)
		s.BindBytes(4, row.Secret[:])
		s.BindBytes(5, row.Sealed)
	})
	if err != nil {
		return fmt.Errorf("write source: %w", err)
	}
	return nil
}
