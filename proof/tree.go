package proof

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/bits"

	"purser"
)

// ErrBadProof says that bytes do not prove what they should. Every finding of
// a verification wraps it.
var ErrBadProof = errors.New("proof does not hold")

// Prefixes that keep leaves and nodes apart (RFC 6962, section 2.1).
const (
	leafPrefix = 0
	nodePrefix = 1
)

// LeafHash returns the tree hash of one entry's canonical bytes.
func LeafHash(entry []byte) purser.Hash {
	var short [513]byte // most entries; keeps the copy off the heap
	if len(entry) < len(short) {
		short[0] = leafPrefix
		n := copy(short[1:], entry)
		return sha256.Sum256(short[:1+n])
	}
	return sha256.Sum256(append([]byte{leafPrefix}, entry...))
}

// NodeHash returns the tree hash over two subtrees.
func NodeHash(left, right purser.Hash) purser.Hash {
	var both [1 + 2*sha256.Size]byte
	both[0] = nodePrefix
	copy(both[1:], left[:])
	copy(both[1+sha256.Size:], right[:])
	return sha256.Sum256(both[:])
}

// Frontier is what must be kept of a tree to make it longer: the roots of its
// complete subtrees. It is a plain value: copying it copies the tree's state,
// and two of the same tree are equal.
// The zero Frontier is the empty tree.
type Frontier struct {
	size  purser.Pos
	peaks [64]purser.Hash // by level; zero where that bit of size is not set
}

// Size returns the number of leaves.
func (f *Frontier) Size() purser.Pos { return f.size }

// Append adds the leaf hash of the next entry.
func (f *Frontier) Append(leaf purser.Hash) {
	level := 0
	for f.size>>level&1 == 1 {
		leaf = NodeHash(f.peaks[level], leaf)
		f.peaks[level] = purser.Hash{}
		level++
	}
	f.peaks[level] = leaf
	f.size++
}

// Root returns the root of the tree so far.
func (f *Frontier) Root() purser.Hash {
	if f.size == 0 {
		return sha256.Sum256(nil)
	}
	level := bits.TrailingZeros64(uint64(f.size))
	root := f.peaks[level]
	for level++; f.size>>level != 0; level++ {
		if f.size>>level&1 == 1 {
			root = NodeHash(f.peaks[level], root)
		}
	}
	return root
}

// AppendBytes appends the peaks, the largest subtree first, 32 bytes each.
func (f *Frontier) AppendBytes(buf []byte) []byte {
	for level := bits.Len64(uint64(f.size)) - 1; level >= 0; level-- {
		if f.size>>level&1 == 1 {
			buf = append(buf, f.peaks[level][:]...)
		}
	}
	return buf
}

// ParseFrontier reads what AppendBytes wrote for a tree of size leaves.
func ParseFrontier(size purser.Pos, b []byte) (Frontier, error) {
	f := Frontier{size: size}
	if len(b) != sha256.Size*bits.OnesCount64(uint64(size)) {
		return Frontier{}, fmt.Errorf("%w: frontier of %d bytes for %d entries", ErrBadProof, len(b), size)
	}
	for level := bits.Len64(uint64(size)) - 1; level >= 0; level-- {
		if size>>level&1 == 1 {
			b = b[copy(f.peaks[level][:], b):]
		}
	}
	return f, nil
}
