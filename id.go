package purser

import (
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"strings"
)

// kindOf names what an identifier points at. Each kind is an empty type, so
// that a CustomerID and a SessionID cannot be passed for one another.
type kindOf interface{ prefix() string }

type (
	customerKind      struct{}
	contactKind       struct{}
	sessionKind       struct{}
	personKind        struct{}
	teamKind          struct{}
	vendorKind        struct{}
	sourceKind        struct{}
	authenticatorKind struct{}
	lockKind          struct{}
	changeKind        struct{}
	mandateKind       struct{}
	caseKind          struct{}
	holdKind          struct{}
)

func (customerKind) prefix() string      { return "cus" }
func (contactKind) prefix() string       { return "con" }
func (sessionKind) prefix() string       { return "ses" }
func (personKind) prefix() string        { return "per" }
func (teamKind) prefix() string          { return "tea" }
func (vendorKind) prefix() string        { return "ven" }
func (sourceKind) prefix() string        { return "src" }
func (authenticatorKind) prefix() string { return "aut" }
func (lockKind) prefix() string          { return "loc" }
func (changeKind) prefix() string        { return "chg" }
func (mandateKind) prefix() string       { return "man" }
func (caseKind) prefix() string          { return "cas" }
func (holdKind) prefix() string          { return "hol" }

// The identifiers. Each is 128 random bits; its text form is a three-letter
// prefix, an underscore and 26 lower-case base32 characters. The zero value
// means "none".
type (
	CustomerID      = ID[customerKind]
	ContactID       = ID[contactKind]
	SessionID       = ID[sessionKind]
	PersonID        = ID[personKind]
	TeamID          = ID[teamKind]
	VendorID        = ID[vendorKind]
	SourceID        = ID[sourceKind]
	AuthenticatorID = ID[authenticatorKind]
	LockID          = ID[lockKind]
	ChangeID        = ID[changeKind]
	MandateID       = ID[mandateKind]
	CaseID          = ID[caseKind]
	HoldID          = ID[holdKind]
)

// ID is an identifier of kind K.
type ID[K kindOf] [16]byte

// ErrBadID says that a text is not an identifier of the wanted kind. The text
// itself is never part of the error.
var ErrBadID = errors.New("not an identifier of this kind")

var idEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// NewID draws an identifier from r, which is crypto/rand.Reader outside tests.
func NewID[K kindOf](r io.Reader) (ID[K], error) {
	var id ID[K]
	if _, err := io.ReadFull(r, id[:]); err != nil {
		return ID[K]{}, fmt.Errorf("draw identifier: %w", err)
	}
	return id, nil
}

// ParseID reads the text form and refuses every other spelling of it.
func ParseID[K kindOf](text string) (ID[K], error) {
	var k K
	var id ID[K]
	body, ok := strings.CutPrefix(text, k.prefix()+"_")
	if !ok || len(body) != idEncoding.EncodedLen(len(id)) {
		return ID[K]{}, fmt.Errorf("%w: want %s_ and 26 characters", ErrBadID, k.prefix())
	}
	if _, err := idEncoding.Decode(id[:], []byte(body)); err != nil || id.String() != text {
		return ID[K]{}, fmt.Errorf("%w: want %s_ and 26 characters", ErrBadID, k.prefix())
	}
	return id, nil
}

// Zero reports whether the identifier means "none".
func (id ID[K]) Zero() bool { return id == ID[K]{} }

// String returns the text form; the zero identifier is the empty string.
func (id ID[K]) String() string {
	if id.Zero() {
		return ""
	}
	var k K
	return k.prefix() + "_" + idEncoding.EncodeToString(id[:])
}

// MarshalText returns the text form.
func (id ID[K]) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads the text form; the empty text is the zero identifier.
func (id *ID[K]) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*id = ID[K]{}
		return nil
	}
	parsed, err := ParseID[K](string(text))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}

// Code reads or writes the 16 bytes.
func (id *ID[K]) Code(c *Coder) { c.Fixed(id[:]) }

// Ordinal is a customer's dense number inside one deployment, allocated in
// blocks from 1. Zero means no customer. It never leaves the process.
type Ordinal uint32

// Pos is a position in the ledger: the first entry has position 0.
type Pos uint64
