package purser

import "math/bits"

// Field is one bit of a field mask. A field that may be shown both masked and
// in full has two bits, so that an entry says which of the two was shown. The
// schema names the bits.
type Field uint8

// MaxField is the highest field bit.
const MaxField Field = 31

// FieldMask is a set of field bits.
type FieldMask uint32

// Mask returns the set of the given bits.
func Mask(fields ...Field) FieldMask {
	var m FieldMask
	for _, f := range fields {
		m |= 1 << f
	}
	return m
}

// Has reports whether f is in the set.
func (m FieldMask) Has(f Field) bool { return m&(1<<f) != 0 }

// Len returns the number of bits set.
func (m FieldMask) Len() int { return bits.OnesCount32(uint32(m)) }

// Fields lists the bits in ascending order.
func (m FieldMask) Fields() []Field {
	out := make([]Field, 0, m.Len())
	for rest := uint32(m); rest != 0; rest &= rest - 1 {
		out = append(out, Field(bits.TrailingZeros32(rest)))
	}
	return out
}

// Code codes the mask as four bytes.
func (m *FieldMask) Code(c *Coder) { c.U32((*uint32)(m)) }

// Assurance is what a contact's verification is worth.
type Assurance uint8

// The assurances, in ascending order.
const (
	A0 Assurance = iota // none: break-glass only
	A1                  // knowledge
	A2                  // knowledge and something weaker than possession
	A3                  // something the customer holds, shown by the customer
)

// Code codes the assurance and refuses values above A3.
func (a *Assurance) Code(c *Coder) { codeEnum(c, a, A3) }

// codeEnum codes a small enumeration and refuses values above its last.
func codeEnum[E ~uint8](c *Coder, e *E, last E) {
	v := uint8(*e)
	c.U8(&v)
	if v > uint8(last) {
		c.Fail()
		v = 0
	}
	if c.reading {
		*e = E(v)
	}
}

// Hash is a SHA-256 digest.
type Hash [32]byte

// Code codes the 32 bytes.
func (h *Hash) Code(c *Coder) { c.Fixed(h[:]) }

// Commitment is a keyed or salted 128-bit digest of something the ledger must
// not hold: a spoken code, a claimed name at a switch, a request body.
type Commitment [16]byte

// Zero reports whether nothing is committed to.
func (m Commitment) Zero() bool { return m == Commitment{} }

// Code codes the 16 bytes.
func (m *Commitment) Code(c *Coder) { c.Fixed(m[:]) }

// Tag is a 64-bit keyed digest of a normal form under this month's attempt
// key. It counts attempts against somebody, existing customer or not, without
// naming them; the key is destroyed after 62 days. Zero means none.
type Tag uint64

// Code codes the eight bytes.
func (t *Tag) Code(c *Coder) { c.U64((*uint64)(t)) }
