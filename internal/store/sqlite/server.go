package sqlite

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"

	"purser"
	"purser/internal/ledger"
)

// Setting returns a value that was fixed at init, or nil.
func (d *DB) Setting(ctx context.Context, name string) (value []byte, err error) {
	err = d.query(ctx, "setting",
		func(s *sqlite.Stmt) { s.BindText(1, name) },
		func(s *sqlite.Stmt) error { value = column(s, 0); return nil })
	if err != nil {
		return nil, fmt.Errorf("read setting %s: %w", name, err)
	}
	return value, nil
}

// PutSettings fixes values in one transaction. A name that has a value
// already is an error: settings never change.
func (d *DB) PutSettings(ctx context.Context, values map[string][]byte) error {
	return d.write(ctx, func(t *tx) error {
		for name, value := range values {
			err := t.exec("put_setting", func(s *sqlite.Stmt) {
				s.BindText(1, name)
				s.BindBytes(2, value)
			})
			if err != nil {
				return fmt.Errorf("write setting %s: %w", name, err)
			}
		}
		return nil
	})
}

// PutConfiguration keeps the text of a schema or policy set under its hash, in
// the transaction of the entry that names it.
func (d *DB) PutConfiguration(t ledger.Tx, hash purser.Hash, text []byte) error {
	own, err := d.inTx(t)
	if err != nil {
		return err
	}
	return own.exec("put_configuration", func(s *sqlite.Stmt) {
		s.BindBytes(1, hash[:])
		s.BindBytes(2, text)
	})
}

// Configuration returns the text kept under hash, or nil.
func (d *DB) Configuration(ctx context.Context, hash purser.Hash) (text []byte, err error) {
	err = d.query(ctx, "configuration",
		func(s *sqlite.Stmt) { s.BindBytes(1, hash[:]) },
		func(s *sqlite.Stmt) error { text = column(s, 0); return nil })
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return text, nil
}
