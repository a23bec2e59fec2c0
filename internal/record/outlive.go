package record

import (
	"context"
	"errors"
	"fmt"

	"purser"
	"purser/internal/ledger"
	"purser/internal/seal"
)

// Due returns fields whose time is over at a stamp, the earliest first, at most
// limit, behind the row last, and the row to go on behind; zero when there are
// no more. What an open import brought in is left out: it is not found yet, and
// what will find it is drawn from the values as they came.
func (b *Book) Due(ctx context.Context, at purser.Stamp, last ExpiryRow, limit int) (due []ExpiryRow, next ExpiryRow, err error) {
	rows, err := b.store.Expiring(ctx, at, last, limit)
	if err != nil {
		return nil, next, fmt.Errorf("read what is due: %w", err)
	}
	open, err := b.store.OpenImport(ctx) // after the rows: what is not open now was not brought in since
	if err != nil && !errors.Is(err, ErrNoImport) {
		return nil, next, fmt.Errorf("read open import: %w", err)
	}
	for _, row := range rows {
		if err != nil || row.Ordinal < open.First {
			due = append(due, row)
		}
	}
	if len(rows) == limit {
		next = rows[limit-1]
	}
	return due, next, nil
}

// Outlived returns, ascending, customers above after of whom a replaced value
// is to be destroyed at a stamp.
func (b *Book) Outlived(ctx context.Context, at purser.Stamp, after purser.Ordinal, limit int) ([]purser.Ordinal, error) {
	customers, err := b.store.Outlived(ctx, at, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read who has outlived values: %w", err)
	}
	return customers, nil
}

// PutOffError says of which customers fields cannot be dropped now.
type PutOffError struct {
	Customers []purser.Ordinal
	Cause     error // nil where a write gave the fields another time
}

// Error counts the customers.
func (e *PutOffError) Error() string {
	return fmt.Sprintf("fields of %d customers cannot be dropped now", len(e.Customers))
}

// Unwrap returns the cause.
func (e *PutOffError) Unwrap() error { return e.Cause }

// Expire does, in the transaction of the entry at pos, what the entry says:
// drops fields whose time is over at its stamp or, where it names none, destroys
// the replaced values whose time is over. It fails with *PutOffError where
// somebody's fields have another time by now, or do not open: then nothing of
// the entry is to stand. What a channel held is kept like a value that was
// replaced, so that codes and notices that went there can be told; of other
// fields nothing is kept.
func (b *Book) Expire(tx ledger.Tx, pos purser.Pos, at purser.Stamp, e *purser.Expired) error {
	if e.Fields == 0 {
		return b.store.Forget(tx, at, e.Customers)
	}
	var moved []purser.Ordinal
	for _, o := range e.Customers {
		over, err := b.store.ExpiredIn(tx, o, at)
		if err != nil {
			return err
		}
		if over&e.Fields != e.Fields {
			moved = append(moved, o)
		}
	}
	if len(moved) > 0 {
		return &PutOffError{Customers: moved}
	}
	set := make(map[purser.Field]string)
	for _, f := range e.Fields.Fields() {
		set[f] = ""
	}
	final := e.Fields&b.schema.Channels() == 0
	for _, o := range e.Customers {
		_, err := b.Write(tx, pos, Writing{Customer: o, At: at, Set: set, Final: final})
		if errors.Is(err, seal.ErrRecord) {
			return &PutOffError{Customers: []purser.Ordinal{o}, Cause: err}
		}
		if err != nil {
			return err
		}
	}
	return nil
}
