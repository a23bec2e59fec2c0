// Package seal owns everything that is encrypted or keyed: the keyset of a
// deployment, the sealed form of a service record, blind indexes, attempt
// tags, commitments, reference codes, and Purser's own sealed notes.
//
// It does not own which fields exist or how they are found (package record),
// nor who may see one (package gate): it opens a record only against a receipt
// of the ledger, takes customer and fields from that receipt alone, and cuts
// masked fields down before they leave. It stores nothing but the keyset file
// and the attempt keys beside it.
//
// Laws carried here: L1 (no receipt, no value; a receipt opens once) and L6
// (nothing readable at rest; a masked field never leaves in full).
//
// Start reading at [Keys], then [Keys.Seal] and [Keys.Open]. Formats:
// docs/formats/keyset.md and docs/formats/record.md.
package seal

import (
	"encoding/hex"
	"fmt"
	"sync"

	"github.com/tink-crypto/tink-go/v2/tink"

	"purser"
)

// KeyID names a keyset in files and messages. It says nothing about the keys.
type KeyID [8]byte

// String returns the 16 hexadecimal digits.
func (id KeyID) String() string { return hex.EncodeToString(id[:]) }

// ParseKeyID reads the 16 hexadecimal digits.
func ParseKeyID(text string) (KeyID, error) {
	var id KeyID
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(id) {
		return KeyID{}, fmt.Errorf("key id: want %d hexadecimal digits", 2*len(id))
	}
	copy(id[:], b)
	return id, nil
}

// Deployment names one installation with its own ledger. Every keyset and
// every sealed byte belongs to exactly one.
type Deployment string

// Keys seals and opens for one deployment. It may be used from any number of
// goroutines. It hides itself from every formatter.
type Keys struct {
	id         KeyID
	deployment Deployment
	path       string
	warning    string

	wrap     wrapping  // wraps the data keys of records; rotates
	notes    tink.AEAD // seals Purser's own secrets
	indexes  indexing  // blind indexes; rotates with old and new side by side
	commits  [32]byte  // commitments; never changes
	shuffles *shuffle  // reference codes; never changes

	ring     Ring
	turning  sync.Mutex          // guards the handles of wrap and indexes, and the file
	mu       sync.Mutex          // guards attempts and the ring
	attempts map[month]*[32]byte // what the ring holds
}

// ID names the keyset.
func (k *Keys) ID() KeyID { return k.id }

// Deployment returns whose keyset it is.
func (k *Keys) Deployment() Deployment { return k.deployment }

// Warning says what an operator should know about how the keyset is kept, or
// is empty.
func (k *Keys) Warning() string { return k.warning }

// Format shows the key id alone, for every verb.
func (k *Keys) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "keyset %s", k.id.String()) }

// lengthPrefixed codes parts so that no two lists give the same bytes.
func lengthPrefixed(parts ...[]byte) []byte {
	size := 0
	for _, p := range parts {
		size += 4 + len(p)
	}
	out := make([]byte, 0, size)
	for _, p := range parts {
		n := uint32(len(p))
		out = append(out, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
		out = append(out, p...)
	}
	return out
}

// Subject is whose record is sealed, and which version of it. All of it is
// authenticated: sealed bytes open for no other customer, row or version.
type Subject struct {
	Customer purser.CustomerID
	Ordinal  purser.Ordinal
	Version  uint32 // of the record, from 1
}

// Record is one customer's sealed fields as the store keeps them.
type Record struct {
	Subject
	Written purser.Pos // of the entry that wrote it last; no older receipt opens it
	Wrapped []byte     // the record's data key, wrapped
	Sealed  []byte     // the fields, each sealed under the data key
	// Masks says which bits are cut-down forms of which others. It is set by
	// the package that knows the schema; nil means there are none.
	Masks *Masks
}
