package seal

import (
	"errors"
	"sync/atomic"

	"purser"
	"purser/internal/ledger"
)

// Conditions of an opening that has no right to be.
var (
	// ErrNoReceipt says that the receipt opens nothing: of a refusal, of an
	// entry that opens nothing, or used before.
	ErrNoReceipt = errors.New("receipt opens nothing")
	// ErrOtherCustomer says that the receipt is about somebody else.
	ErrOtherCustomer = errors.New("receipt is about another customer")
	// ErrOlderReceipt says that the record was written after the decision, which
	// was taken on what it held before.
	ErrOlderReceipt = errors.New("receipt is older than the record")
)

// Open decrypts the fields that the receipt's entry allows, of the customer it
// names, and uses the receipt up: a second call, also with a copy and also
// after an error, fails with ErrNoReceipt. Masked bits come cut down, without
// the full value leaving this package. Fields that the record does not hold are
// not in the result. Bytes that were not sealed for this customer, ordinal and
// version fail with ErrRecord.
func (k *Keys) Open(receipt ledger.Receipt, r Record) (purser.Values, error) {
	customer, fields, ok := receipt.Redeem()
	if !ok || customer == 0 {
		return nil, ErrNoReceipt
	}
	if customer != r.Ordinal {
		return nil, ErrOtherCustomer
	}
	if receipt.Pos() < r.Written {
		return nil, ErrOlderReceipt
	}
	return k.open(r, fields)
}

// Dummy is a made-up record. Opening one needs no receipt, since it holds
// nothing of anybody, and costs what opening a real one does (L5).
type Dummy struct {
	keys   *Keys
	fields map[purser.Field]string
	record atomic.Pointer[Record]
}

// Dummy seals made-up fields.
func (k *Keys) Dummy(fields map[purser.Field]string, masks *Masks) (*Dummy, error) {
	d := &Dummy{keys: k, fields: fields}
	return d, d.seal(masks)
}

func (d *Dummy) seal(masks *Masks) error {
	r, err := d.keys.Seal(Subject{}, d.fields)
	if err != nil {
		return err
	}
	r.Masks = masks
	d.record.Store(&r)
	return nil
}

// Open decrypts the made-up fields. Once another wrapping key is in force they
// are sealed anew, as nobody else does it for them.
func (d *Dummy) Open(fields purser.FieldMask) (purser.Values, error) {
	r := d.record.Load()
	if under, _ := UnderKey(r.Wrapped); under != d.keys.wrap.force.Load().now {
		if err := d.seal(r.Masks); err != nil {
			return nil, err
		}
		r = d.record.Load()
	}
	return d.keys.open(*r, fields)
}
