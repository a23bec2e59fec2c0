package seal

import (
	"fmt"
	"slices"

	"purser"
	"purser/internal/ledger"
)

// Release opens the customers of one released batch, each once. It is used by
// one goroutine.
type Release struct {
	keys   *Keys
	left   []purser.Ordinal // ascending; what comes before one that was opened is gone
	fields purser.FieldMask
	at     purser.Pos
}

// OpenAll takes the receipt of a release and uses it up: a second call, also
// with a copy, fails with ErrNoReceipt. What it may open stands in the entry
// alone.
func (k *Keys) OpenAll(receipt ledger.Receipt) (*Release, error) {
	customers, fields, ok := receipt.RedeemAll()
	if !ok || len(customers) == 0 {
		return nil, ErrNoReceipt
	}
	return &Release{keys: k, left: customers, fields: fields, at: receipt.Pos()}, nil
}

// Open decrypts the released fields of the next customer. Customers come in
// the order of the entry; some may be passed over, and are then gone. One that
// the entry does not name, or that was opened or passed over, fails with
// ErrOtherCustomer; one whose record was written after the entry with
// ErrOlderReceipt. Both open nothing.
func (r *Release) Open(record Record) (purser.Values, error) {
	i, found := slices.BinarySearch(r.left, record.Ordinal)
	if !found {
		return nil, ErrOtherCustomer
	}
	r.left = r.left[i+1:]
	if r.at < record.Written {
		return nil, ErrOlderReceipt
	}
	values, err := r.keys.open(record, r.fields)
	if err != nil {
		return nil, fmt.Errorf("open for the release at %d: %w", r.at, err)
	}
	return values, nil
}
