package purser

import (
	"encoding/binary"
	"errors"
)

// ErrBadBytes says that bytes are not the canonical encoding of anything.
var ErrBadBytes = errors.New("not canonical bytes")

// Coder reads or writes one canonical encoding: fixed order, big endian,
// fixed widths, length-prefixed byte strings, flags that are 0 or 1. Each
// type lists its parts once, in a Code method, and the same list encodes and
// decodes, so the two cannot drift apart. A Coder is used by one goroutine.
//
// Decoding never panics and never allocates more than the input holds. After
// the first error every call is a no-op that leaves zero values; [Coder.Err]
// reports it. Encoding never writes to what it encodes, so an entry may be
// read by others meanwhile.
type Coder struct {
	buf     []byte
	reading bool
	err     error
}

// NewEncoder returns a coder that appends to buf, which may be nil.
func NewEncoder(buf []byte) *Coder { return &Coder{buf: buf} }

// NewDecoder returns a coder that reads b. The coder keeps no reference to b
// in what it decodes: byte strings are copied.
func NewDecoder(b []byte) *Coder { return &Coder{buf: b, reading: true} }

// Reading reports whether the coder decodes.
func (c *Coder) Reading() bool { return c.reading }

// Bytes returns what was encoded so far.
func (c *Coder) Bytes() []byte { return c.buf }

// Err returns the first error.
func (c *Coder) Err() error { return c.err }

// Fail records that what was decoded breaks a rule of its type.
func (c *Coder) Fail() {
	if c.err == nil {
		c.err = ErrBadBytes
	}
}

// End checks, after decoding, that every byte was used.
func (c *Coder) End() error {
	if c.err == nil && c.reading && len(c.buf) != 0 {
		c.Fail()
	}
	return c.err
}

func (c *Coder) take(n int) []byte {
	if c.err != nil {
		return nil
	}
	if len(c.buf) < n {
		c.Fail()
		return nil
	}
	b := c.buf[:n]
	c.buf = c.buf[n:]
	return b
}

// U8 codes one byte.
func (c *Coder) U8(v *uint8) {
	if !c.reading {
		c.buf = append(c.buf, *v)
		return
	}
	if b := c.take(1); b != nil {
		*v = b[0]
	}
}

// U16 codes two bytes.
func (c *Coder) U16(v *uint16) {
	if !c.reading {
		c.buf = binary.BigEndian.AppendUint16(c.buf, *v)
		return
	}
	if b := c.take(2); b != nil {
		*v = binary.BigEndian.Uint16(b)
	}
}

// U32 codes four bytes.
func (c *Coder) U32(v *uint32) {
	if !c.reading {
		c.buf = binary.BigEndian.AppendUint32(c.buf, *v)
		return
	}
	if b := c.take(4); b != nil {
		*v = binary.BigEndian.Uint32(b)
	}
}

// U64 codes eight bytes.
func (c *Coder) U64(v *uint64) {
	if !c.reading {
		c.buf = binary.BigEndian.AppendUint64(c.buf, *v)
		return
	}
	if b := c.take(8); b != nil {
		*v = binary.BigEndian.Uint64(b)
	}
}

// I64 codes eight bytes, two's complement.
func (c *Coder) I64(v *int64) {
	u := uint64(*v)
	c.U64(&u)
	if c.reading {
		*v = int64(u)
	}
}

// Stamp codes a stamp.
func (c *Coder) Stamp(v *Stamp) { c.I64((*int64)(v)) }

// Pos codes a position.
func (c *Coder) Pos(v *Pos) { c.U64((*uint64)(v)) }

// Ordinal codes an ordinal.
func (c *Coder) Ordinal(v *Ordinal) { c.U32((*uint32)(v)) }

// Flag codes a truth value as 0 or 1 and refuses other bytes.
func (c *Coder) Flag(v *bool) {
	var b uint8
	if *v {
		b = 1
	}
	c.U8(&b)
	if b > 1 {
		c.Fail()
	}
	if c.reading {
		*v = b == 1
	}
}

// Fixed codes len(b) bytes in place.
func (c *Coder) Fixed(b []byte) {
	if !c.reading {
		c.buf = append(c.buf, b...)
		return
	}
	copy(b, c.take(len(b)))
}

// Text codes a string of at most 65,535 bytes behind its length.
func (c *Coder) Text(v *string) {
	b := []byte(*v)
	c.Blob(&b)
	if c.reading {
		*v = string(b)
	}
}

// Blob codes a byte string of at most 65,535 bytes behind its length. Empty
// decodes as nil.
func (c *Coder) Blob(v *[]byte) {
	n := c.Count(len(*v), 1)
	if !c.reading {
		if c.err == nil {
			c.buf = append(c.buf, *v...)
		}
		return
	}
	*v = nil
	if b := c.take(n); len(b) > 0 {
		*v = append([]byte(nil), b...)
	}
}

// Count codes the length of a list of at most 65,535 elements, each at least
// size bytes wide, and returns it. When decoding, a count that the remaining
// bytes cannot hold is an error, so memory stays bounded by the input.
func (c *Coder) Count(n, size int) int {
	if n > 0xffff {
		c.Fail()
		return 0
	}
	u := uint16(n)
	c.U16(&u)
	if c.reading && int(u)*size > len(c.buf) {
		c.Fail()
		return 0
	}
	return int(u)
}

// CountLong is Count for snapshots: up to 2³²−1 elements.
func (c *Coder) CountLong(n, size int) int {
	u := uint32(n)
	c.U32(&u)
	if c.reading && uint64(u)*uint64(size) > uint64(len(c.buf)) {
		c.Fail()
		return 0
	}
	return int(u)
}

// MaxOrdinals is how many customers one entry names at most.
const MaxOrdinals = 4096

// Ordinals codes at most MaxOrdinals ordinals, ascending and each once: their
// count, then each one's distance from the one before as a base-128 number,
// least significant part first, in its shortest form.
func (c *Coder) Ordinals(v *[]Ordinal) {
	n := c.Count(len(*v), 1)
	if n > MaxOrdinals {
		c.Fail()
		return
	}
	if c.reading && n > 0 {
		*v = make([]Ordinal, n)
	}
	before := Ordinal(0)
	for i := range n {
		step := uint32((*v)[i] - before)
		if c.distance(&step); c.err != nil {
			break
		}
		next := before + Ordinal(step)
		if c.reading {
			(*v)[i] = next
		}
		if next <= before { // wrapped around
			c.Fail()
		}
		before = next
	}
	if c.reading && c.err != nil {
		*v = nil
	}
}

// distance codes a number from 1 to that of the last ordinal.
func (c *Coder) distance(v *uint32) {
	if !c.reading {
		c.buf = binary.AppendUvarint(c.buf, uint64(*v))
		return
	}
	u, n := binary.Uvarint(c.buf)
	if n <= 0 || u == 0 || u > 1<<32-1 || (n > 1 && c.buf[n-1] == 0) {
		c.Fail()
		return
	}
	c.buf = c.buf[n:]
	*v = uint32(u)
}
