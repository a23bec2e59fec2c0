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
	// fieldHead is the field bit and the length of what follows.
	fieldHead = 1 + 2
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
	wrapped, err := k.wrap.Encrypt(key[:], whose.wrapData())
	if err != nil {
		return Record{}, fmt.Errorf("wrap data key: %w", err)
	}
	return Record{Subject: whose, Wrapped: wrapped, Sealed: sealed}, nil
}

func sealFields(key []byte, whose Subject, fields map[purser.Field]string) ([]byte, error) {
	aead, err := fieldCipher(key)
	if err != nil {
		return nil, err
	}
	size := 2
	for _, v := range fields {
		size += fieldHead + overhead + len(v)
	}
	out := append(make([]byte, 0, size), formatVersion, 0)
	for _, f := range slices.Sorted(maps.Keys(fields)) {
		value := fields[f]
		if value == "" {
			continue
		}
		if f > purser.MaxField || len(value) > MaxField {
			return nil, fmt.Errorf("seal field %d: %w", f, errTooLong)
		}
		out = append(out, byte(f))
		out = binary.BigEndian.AppendUint16(out, uint16(len(value)+overhead))
		data := whose.fieldData(f)
		plain := []byte(value)
		out = aead.Seal(out, nil, plain, data[:])
		clear(plain)
		out[1]++
	}
	return out, nil
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

// wrapData is the associated data of the wrapped key.
func (s Subject) wrapData() []byte {
	d := s.fieldData(0xff)
	return d[:]
}

// fieldData is the associated data of one field; 0xff stands for the key.
func (s Subject) fieldData(f purser.Field) [26]byte {
	var d [26]byte
	d[0] = formatVersion
	copy(d[1:], s.Customer[:])
	binary.BigEndian.PutUint32(d[17:], uint32(s.Ordinal))
	binary.BigEndian.PutUint32(d[21:], s.Version)
	d[25] = byte(f)
	return d
}

// Holds returns the bits that the record has a value for, masked ones included
// where Masks is set. It reads the unopened form; damage shows only on opening.
func (r Record) Holds() purser.FieldMask {
	var held purser.FieldMask
	err := walk(r.Sealed, func(f purser.Field, _ []byte) error {
		held |= purser.Mask(f)
		return nil
	})
	if err != nil {
		return 0
	}
	return held | r.Masks.from(held)
}

// walk yields the sealed fields in order and reports whether b is the whole
// sealed form of a record.
func walk(b []byte, yield func(purser.Field, []byte) error) error {
	if len(b) < 2 || b[0] != formatVersion {
		return ErrRecord
	}
	count, rest, last := int(b[1]), b[2:], -1
	for range count {
		if len(rest) < fieldHead {
			return ErrRecord
		}
		f, n := purser.Field(rest[0]), int(binary.BigEndian.Uint16(rest[1:]))
		if f > purser.MaxField || int(f) <= last || n < overhead || len(rest) < fieldHead+n {
			return ErrRecord
		}
		if err := yield(f, rest[fieldHead:fieldHead+n]); err != nil {
			return err
		}
		rest, last = rest[fieldHead+n:], int(f)
	}
	if len(rest) != 0 {
		return ErrRecord
	}
	return nil
}

// open decrypts the asked bits of r. It must be called with bits that come
// from a receipt and nothing else.
func (k *Keys) open(r Record, asked purser.FieldMask) (purser.Values, error) {
	key, err := k.wrap.Decrypt(r.Wrapped, r.wrapData())
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
	err = walk(r.Sealed, func(f purser.Field, sealed []byte) error {
		if !needed.Has(f) {
			return nil
		}
		data := r.fieldData(f)
		plain, err := aead.Open(nil, nil, sealed, data[:])
		if err != nil {
			return fmt.Errorf("%w: field %d of %v", ErrRecord, f, r.Customer)
		}
		r.Masks.give(values, asked, f, string(plain))
		clear(plain)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return values, nil
}
