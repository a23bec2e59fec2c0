package seal

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"

	"purser"
)

// Value is one field of a record before it is sealed.
type Value struct {
	Field purser.Field
	Text  string
}

// errOrder says that fields came in another order than that of their bits.
var errOrder = errors.New("fields are not in ascending order")

// SealValues is Seal for fields in ascending order, each there once. It is for
// bringing in millions: nothing is sorted and no map is made.
func (k *Keys) SealValues(whose Subject, values []Value) (Record, error) {
	var key [dataKeySize]byte
	defer clear(key[:])
	if _, err := rand.Read(key[:]); err != nil {
		return Record{}, fmt.Errorf("draw data key: %w", err)
	}
	sealed, err := sealValues(key[:], whose, values)
	if err != nil {
		return Record{}, err
	}
	wrapped, err := k.wrap.Encrypt(key[:], whose.data().ofKey(sealed))
	if err != nil {
		return Record{}, fmt.Errorf("wrap data key: %w", err)
	}
	return Record{Subject: whose, Wrapped: wrapped, Sealed: sealed}, nil
}

// sealValues gives the sealed form of values in ascending order of field.
func sealValues(key []byte, whose Subject, values []Value) ([]byte, error) {
	aead, err := fieldCipher(key)
	if err != nil {
		return nil, err
	}
	size, longest := recordHead, 0
	for _, v := range values {
		size += fieldHead + overhead + len(v.Text)
		longest = max(longest, len(v.Text))
	}
	var held purser.FieldMask
	data, scratch := whose.data(), make([]byte, 0, longest)
	defer func() { clear(scratch[:cap(scratch)]) }()
	out := append(make([]byte, 0, size), formatVersion, 0, 0, 0, 0)
	for _, v := range values {
		if v.Text == "" {
			continue
		}
		if v.Field > purser.MaxField || len(v.Text) > MaxField {
			return nil, fmt.Errorf("seal field %d: %w", v.Field, errTooLong)
		}
		if held>>v.Field != 0 {
			return nil, fmt.Errorf("seal field %d: %w", v.Field, errOrder)
		}
		out = binary.BigEndian.AppendUint16(out, uint16(len(v.Text)+overhead))
		scratch = append(scratch[:0], v.Text...)
		out = aead.Seal(out, nil, scratch, data.of(v.Field))
		held |= purser.Mask(v.Field)
	}
	binary.BigEndian.PutUint32(out[1:], uint32(held))
	return out, nil
}

// HeldDigest returns the blind index, under a name of its own, of what form
// makes of the record's values; it is for telling whether two records are about
// one person. form is asked inside this call and keeps and tells nothing. What
// has no form has the zero index.
func (k *Keys) HeldDigest(r Record, name string, form func(map[purser.Field]string) string) (Index, error) {
	old, err := k.inside(r)
	if err != nil {
		return Index{}, err
	}
	normal := form(old)
	if normal == "" {
		return Index{}, nil
	}
	return k.Index(name, normal)
}

// inside opens all values of a record for the calls of this package that let
// none of them out.
func (k *Keys) inside(r Record) (map[purser.Field]string, error) {
	aead, err := k.cipherOf(r)
	if err != nil {
		return nil, err
	}
	return values(aead, r)
}

// cipherOf unwraps a record's data key.
func (k *Keys) cipherOf(r Record) (cipher.AEAD, error) {
	key, err := k.wrap.Decrypt(r.Wrapped, r.data().ofKey(r.Sealed))
	if err != nil || len(key) != dataKeySize {
		return nil, fmt.Errorf("%w: data key of %v under keyset %v", ErrRecord, r.Customer, k.id)
	}
	defer clear(key)
	return fieldCipher(key)
}
