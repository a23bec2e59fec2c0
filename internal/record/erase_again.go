package record

import (
	"errors"
	"fmt"

	"purser"
	"purser/internal/ledger"
	"purser/internal/seal"
)

// EraseAgain destroys, in the transaction of an entry that tells of a restore,
// a customer who was erased before and whose rows are back from a backup. The
// receipt of the erasure is that of its entry. A record that does not open has
// lost its key already; what finds it leads to nobody once it is gone.
func (b *Book) EraseAgain(tx ledger.Tx, o purser.Ordinal) error {
	found, err := b.foundIn(tx, o)
	if errors.Is(err, seal.ErrRecord) || errors.Is(err, ErrNoCustomer) {
		found, err = nil, nil
	}
	if err == nil {
		_, err = b.store.Erase(tx, o, found)
	}
	if err != nil {
		return fmt.Errorf("erase customer %d again: %w", o, err)
	}
	return nil
}
