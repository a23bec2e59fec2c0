package seal

import (
	"errors"

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
	return k.open(r, fields)
}
