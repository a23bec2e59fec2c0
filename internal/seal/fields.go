package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"purser"
)

// formatVersion is the version of the sealed form of a record.
const formatVersion = 1

// The sizes of the sealed form.
const (
	dataKeySize = 32
	// recordHead is the version and the mask of the fields that follow.
	recordHead = 1 + 4
	// fieldHead is the length of the sealed field that follows.
	fieldHead = 2
	// MaxField is the longest value of one field in bytes.
	MaxField = 16 << 10
	overhead = 12 + 16 // nonce and tag
)

// ErrRecord says that sealed bytes are not what was sealed for this subject
// under these keys: damaged, moved or foreign.
var ErrRecord = errors.New("sealed record does not open")

// errTooLong never names the value.
var errTooLong = errors.New("value is too long to be sealed")

// Seal encrypts fields under a fresh data key. Empty values are left out. The
// field bits are those of full values; masked forms are computed when opened.
func (k *Keys) Seal(whose Subject, fields map[purser.Field]string) (Record, error) {
	var key [dataKeySize]byte
	defer clear(key[:])
	if _, err := rand.Read(key[:]); err != nil {
		return Record{}, fmt.Errorf("draw data key: %w", err)
	}
	sealed, err := sealFields(key[:], whose, fields)
	if err != nil {
		return Record{}, err
	}
	wrapped, err := k.wrap.Encrypt(key[:], whose.data().ofKey(sealed))
	if err != nil {
		return Record{}, fmt.Errorf("wrap data key: %w", err)
	}
	return Record{Subject: whose, Wrapped: wrapped, Sealed: sealed}, nil
}

func sealFields(key []byte, whose Subject, fields map[purser.Field]string) ([]byte, error) {
	list := make([]Value, 0, len(fields))
	for _, f := range slices.Sorted(maps.Keys(fields)) {
		list = append(list, Value{f, fields[f]})
	}
	return sealValues(key, whose, list)
}

func fieldCipher(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("prepare field cipher: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("prepare field cipher: %w", err)
	}
	return aead, nil
}

// subjectData is associated data: version of the format, customer, ordinal,
// version of the record, and which field. 0xff stands for the wrapped key and
// is followed by the head of the sealed form, which says what fields there are:
// none can be taken away or given another's name.
type subjectData []byte

const subjectDataSize = 1 + 16 + 4 + 4

func (s Subject) data() subjectData {
	d := make([]byte, 0, subjectDataSize+1+recordHead)
	d = append(d, formatVersion)
	d = append(d, s.Customer[:]...)
	d = binary.BigEndian.AppendUint32(d, uint32(s.Ordinal))
	return binary.BigEndian.AppendUint32(d, s.Version)
}

// of is the associated data of one field. It is valid until the next call.
func (d subjectData) of(f purser.Field) []byte { return append(d, byte(f)) }

// ofKey is the associated data of the wrapped key.
func (d subjectData) ofKey(sealed []byte) []byte {
	return append(append(d, 0xff), sealed[:min(len(sealed), recordHead)]...)
}

// Holds returns the bits that the record has a value for, masked ones included
// where Masks is set. It reads the unopened form; damage shows only on opening.
func (r Record) Holds() purser.FieldMask {
	if len(r.Sealed) < recordHead {
		return 0
	}
	held := purser.FieldMask(binary.BigEndian.Uint32(r.Sealed[1:]))
	return held | r.Masks.from(held)
}

// walk yields the sealed fields in order and fails if b is not the whole
// sealed form of a record.
func walk(b []byte, yield func(purser.Field, []byte) error) error {
	if len(b) < recordHead || b[0] != formatVersion {
		return ErrRecord
	}
	held, rest := purser.FieldMask(binary.BigEndian.Uint32(b[1:])), b[recordHead:]
	for ; held != 0; held &= held - 1 {
		if len(rest) < fieldHead {
			return ErrRecord
		}
		n := int(binary.BigEndian.Uint16(rest))
		if n < overhead || len(rest) < fieldHead+n {
			return ErrRecord
		}
		if err := yield(lowest(held), rest[fieldHead:fieldHead+n]); err != nil {
			return err
		}
		rest = rest[fieldHead+n:]
	}
	if len(rest) != 0 {
		return ErrRecord
	}
	return nil
}

// open decrypts the asked bits of r. It must be called with bits that come
// from a receipt and nothing else.
func (k *Keys) open(r Record, asked purser.FieldMask) (purser.Values, error) {
	data := r.data()
	key, err := k.wrap.Decrypt(r.Wrapped, data.ofKey(r.Sealed))
	if err != nil || len(key) != dataKeySize {
		return nil, fmt.Errorf("%w: data key of %v under keyset %v", ErrRecord, r.Customer, k.id)
	}
	defer clear(key)
	aead, err := fieldCipher(key)
	if err != nil {
		return nil, err
	}
	values := make(purser.Values, asked.Len())
	needed := asked | r.Masks.full(asked)
	scratch := make([]byte, 0, len(r.Sealed)) // room for any field
	defer func() { clear(scratch[:cap(scratch)]) }()
	err = walk(r.Sealed, func(f purser.Field, sealed []byte) error {
		if !needed.Has(f) {
			return nil
		}
		plain, err := aead.Open(scratch[:0], nil, sealed, data.of(f))
		if err != nil {
			return fmt.Errorf("%w: field %d of %v", ErrRecord, f, r.Customer)
		}
		r.Masks.give(values, asked, f, string(plain))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return values, nil
}
