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
	open   purser.Ordinal // the last one opened, until his texts were
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

// Fields are the bits that the release opens.
func (r *Release) Fields() purser.FieldMask { return r.fields }

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
	r.open = record.Ordinal
	return values, nil
}

// Texts decrypts texts of the customer who was opened last, once, in their
// order: of kinds whose bit the entry releases, and older than the entry; else
// nothing opens.
func (r *Release) Texts(record Record, bits TextBits, texts []Text) ([]purser.Plain, error) {
	if r.open == 0 || r.open != record.Ordinal {
		return nil, ErrOtherCustomer
	}
	r.open = 0
	return r.keys.openTexts(record, r.fields, r.at, bits, texts)
}
