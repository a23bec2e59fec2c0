package seal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"purser"
)

// Index is the blind index of one normal form of one field.
type Index [16]byte

// Index returns the blind index that a record with this normal form in the
// field is given from now on. The same form in another field has another index.
func (k *Keys) Index(field, normal string) (Index, error) {
	return k.indexes.force.Load().now.index(field, normal)
}

// Indexes returns every blind index under which such a record is found: while
// index keys are exchanged, those under the keys being left, and last that under
// the new one. How many there are depends on nothing else (L5). Whoever asks a
// store for them one by one asks in this order: a record moves to the new one,
// and a lookup in the other order could miss it.
func (k *Keys) Indexes(field, normal string) ([]Index, error) {
	force := k.indexes.force.Load()
	out := make([]Index, 0, len(force.old)+1)
	for _, key := range append(slices.Clone(force.old), force.now) {
		index, err := key.index(field, normal)
		if err != nil {
			return nil, err
		}
		out = append(out, index)
	}
	return out, nil
}

// Commit returns a keyed digest of parts for the ledger, which must not hold
// the parts themselves. Classes keep commitments to different things apart. It
// does not change when indexes or attempt keys do.
func (k *Keys) Commit(class string, parts ...[]byte) purser.Commitment {
	mac := hmac.New(sha256.New, k.commits[:])
	mac.Write(lengthPrefixed(append([][]byte{[]byte(class)}, parts...)...))
	var sum [sha256.Size]byte
	return purser.Commitment(mac.Sum(sum[:0])[:len(purser.Commitment{})])
}

// NoteKind says what a sealed note is, so that one cannot be passed off as
// another.
type NoteKind string

// SealNote encrypts one of Purser's own secrets (never a customer's field) for
// the row that id names.
func (k *Keys) SealNote(kind NoteKind, id, note []byte) ([]byte, error) {
	sealed, err := k.notes.Encrypt(note, noteData(kind, id))
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", kind, err)
	}
	return sealed, nil
}

// ErrNote says that a sealed note is not what was sealed for this row under
// these keys.
var ErrNote = errors.New("sealed note does not open")

// OpenNote decrypts what SealNote gave for the same kind and row. The caller
// owns the result and clears it.
func (k *Keys) OpenNote(kind NoteKind, id, sealed []byte) ([]byte, error) {
	note, err := k.notes.Decrypt(sealed, noteData(kind, id))
	if err != nil {
		return nil, fmt.Errorf("%w: %s under keyset %v", ErrNote, kind, k.id)
	}
	return note, nil
}

func noteData(kind NoteKind, id []byte) []byte {
	return lengthPrefixed([]byte("note"), []byte(kind), id)
}

// Reference codes: a keyed permutation of 40 bits, written as eight characters
// that nobody misreads.
const (
	alphabet  = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	refLength = 8
	half      = 20
	rounds    = 10
	// MaxReference is the first position that has no reference code.
	MaxReference purser.Pos = 1 << (2 * half)
)

// ErrReference says that a text is no reference code.
var ErrReference = errors.New("not a reference code: want 8 letters and digits")

// shuffle permutes positions so that a code tells neither how many entries
// there are nor which came first.
type shuffle struct{ key [32]byte }

// Reference returns the code by which people name the entry at pos. It is the
// empty string for a position that has none.
func (k *Keys) Reference(pos purser.Pos) string {
	if pos >= MaxReference {
		return ""
	}
	left, right := uint32(pos>>half), uint32(pos)&(1<<half-1)
	for r := range rounds {
		left, right = right, left^k.shuffles.round(r, right)
	}
	v := uint64(left)<<half | uint64(right)
	var out [refLength]byte
	for i := range out {
		out[refLength-1-i] = alphabet[v&31]
		v >>= 5
	}
	return string(out[:])
}

// Position returns the position that a reference code names. Case, spaces and
// dashes do not matter; I and L read as 1, O as 0. Every well-formed code
// names a position, whether or not an entry is there.
func (k *Keys) Position(reference string) (purser.Pos, error) {
	if len(reference) > 4*refLength {
		return 0, ErrReference
	}
	var v uint64
	n := 0
	for _, c := range []byte(strings.ToUpper(reference)) {
		if c == ' ' || c == '-' {
			continue
		}
		at := strings.IndexByte(alphabet, readable(c))
		if at < 0 || n == refLength {
			return 0, ErrReference
		}
		v = v<<5 | uint64(at)
		n++
	}
	if n != refLength {
		return 0, ErrReference
	}
	left, right := uint32(v>>half), uint32(v)&(1<<half-1)
	for r := rounds - 1; r >= 0; r-- {
		left, right = right^k.shuffles.round(r, left), left
	}
	return purser.Pos(left)<<half | purser.Pos(right), nil
}

func readable(c byte) byte {
	switch c {
	case 'I', 'L':
		return '1'
	case 'O':
		return '0'
	}
	return c
}

// round is the round function: 20 bits of HMAC-SHA256 over round and half.
func (s *shuffle) round(r int, v uint32) uint32 {
	mac := hmac.New(sha256.New, s.key[:])
	mac.Write([]byte{byte(r), byte(v >> 16), byte(v >> 8), byte(v)})
	var sum [sha256.Size]byte
	return binary.BigEndian.Uint32(mac.Sum(sum[:0])) & (1<<half - 1)
}
