package seal

import (
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"purser"
)

// Forms says which of a record's values are found by blind index, and by what.
// It is asked inside a rewriting, with values that leave it no other way: an
// implementation keeps and tells nothing.
type Forms interface {
	// Indexed returns the field's name and the normal forms under which its
	// value is found; none for a field that is not indexed.
	Indexed(f purser.Field, value string) (name string, normals []string)
}

// Alike is what Forms may say too: whether a value is only another way of
// writing the one that is there, which then stays.
type Alike interface {
	Alike(f purser.Field, before, after string) bool
}

// Found is one blind index of a record.
type Found struct {
	Field purser.Field
	Index Index
}

// Past is a value that a rewriting replaced, sealed under the record's own data
// key: it opens as long as the record does.
type Past struct {
	Field  purser.Field
	Sealed []byte
}

// Rewritten is what a record becomes. Nothing of it is a value.
type Rewritten struct {
	Record Record           // one version on, under the same data key
	Wrote  purser.FieldMask // fields whose value is another than before
	Gone   []Found          // indexes it is no longer found by
	Come   []Found          // indexes it is found by from now on
	Past   []Past           // the values of Wrote that there were
}

// Rewrite seals the record anew with some fields set, or dropped where the
// value is empty; all others stay. No value leaves: what was there is compared,
// indexed and sealed inside this call, so it needs no receipt. Whoever calls it
// writes the result in the transaction of the entry that tells of it. Where
// every value is as before, Wrote is zero and Record is r.
func (k *Keys) Rewrite(r Record, set map[purser.Field]string, forms Forms) (Rewritten, error) {
	data := r.data()
	key, err := k.wrap.Decrypt(r.Wrapped, data.ofKey(r.Sealed))
	if err != nil || len(key) != dataKeySize {
		return Rewritten{}, fmt.Errorf("%w: data key of %v under keyset %v", ErrRecord, r.Customer, k.id)
	}
	defer clear(key)
	aead, err := fieldCipher(key)
	if err != nil {
		return Rewritten{}, err
	}
	old, err := values(aead, r)
	if err != nil {
		return Rewritten{}, err
	}
	out := Rewritten{Record: r}
	alike, _ := forms.(Alike)
	next := make(map[purser.Field]string, len(old)+len(set))
	for f, v := range old {
		next[f] = v
	}
	for f := range purser.MaxField + 1 {
		value, ok := set[f]
		if !ok || old[f] == value || alike != nil && alike.Alike(f, old[f], value) {
			continue
		}
		out.Wrote |= purser.Mask(f)
		next[f] = value
		if err := k.replaced(&out, aead, f, old[f], value, forms); err != nil {
			return Rewritten{}, err
		}
	}
	if out.Wrote == 0 {
		return out, nil
	}
	if r.Version == math.MaxUint32 {
		return Rewritten{}, fmt.Errorf("rewrite %v: no version is left", r.Customer)
	}
	out.Record.Version++
	return out, k.sealAgain(&out.Record, key, next)
}

// values opens every field of a record, for a rewriting.
func values(aead cipher.AEAD, r Record) (map[purser.Field]string, error) {
	data, out := r.data(), make(map[purser.Field]string)
	err := walk(r.Sealed, func(f purser.Field, sealed []byte) error {
		plain, err := aead.Open(nil, nil, sealed, data.of(f))
		if err != nil {
			return fmt.Errorf("%w: field %d of %v", ErrRecord, f, r.Customer)
		}
		out[f] = string(plain)
		clear(plain)
		return nil
	})
	return out, err
}

// replaced notes what the change of one field means for indexes and the past.
// What a value was found by goes under every key in force; what it is found by
// from now on comes under the new one alone.
func (k *Keys) replaced(out *Rewritten, aead cipher.AEAD, f purser.Field, before, after string, forms Forms) error {
	name, gone := normals(f, before, forms)
	_, come := normals(f, after, forms)
	for _, normal := range without(gone, come) {
		indexes, err := k.Indexes(name, normal)
		if err != nil {
			return err
		}
		for _, index := range indexes {
			out.Gone = append(out.Gone, Found{f, index})
		}
	}
	name, come = normals(f, after, forms)
	now, err := under(k.indexes.force.Load().now, f, name, without(come, gone))
	if err != nil {
		return err
	}
	out.Come = append(out.Come, now...)
	if before != "" {
		sealed := aead.Seal(nil, nil, []byte(before), out.Record.past(f))
		out.Past = append(out.Past, Past{Field: f, Sealed: sealed})
	}
	return nil
}

func normals(f purser.Field, value string, forms Forms) (name string, all []string) {
	if value == "" {
		return "", nil
	}
	return forms.Indexed(f, value)
}

// under returns the indexes of normal forms under one key.
func under(key indexKey, f purser.Field, name string, normals []string) ([]Found, error) {
	out := make([]Found, 0, len(normals))
	for _, normal := range normals {
		index, err := key.index(name, normal)
		if err != nil {
			return nil, err
		}
		out = append(out, Found{f, index})
	}
	return out, nil
}

func without(list, other []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(other, s) })
}

// past is the associated data of a value that was replaced in this version of
// the record: the customer and ordinal, which stay, the version it was held in,
// the field, and what it is.
func (s Subject) past(f purser.Field) []byte {
	return append(s.data().of(f), "past"...)
}

// sealAgain seals the fields of r.Version under the data key that it has.
func (k *Keys) sealAgain(r *Record, key []byte, fields map[purser.Field]string) error {
	sealed, err := sealFields(key, r.Subject, fields)
	if err != nil {
		return err
	}
	wrapped, err := k.wrap.Encrypt(key, r.data().ofKey(sealed))
	if err != nil {
		return fmt.Errorf("wrap data key: %w", err)
	}
	r.Sealed, r.Wrapped = sealed, wrapped
	return nil
}

// Merge seals into anew with the values that from holds and into does not, or,
// where both hold one, with those of the fields that prefer names. Both records
// belong to one person; the caller drops from.
func (k *Keys) Merge(into, from Record, prefer purser.FieldMask, forms Forms) (Rewritten, error) {
	data := from.data()
	key, err := k.wrap.Decrypt(from.Wrapped, data.ofKey(from.Sealed))
	if err != nil || len(key) != dataKeySize {
		return Rewritten{}, fmt.Errorf("%w: data key of %v under keyset %v", ErrRecord, from.Customer, k.id)
	}
	defer clear(key)
	aead, err := fieldCipher(key)
	if err != nil {
		return Rewritten{}, err
	}
	set, err := values(aead, from)
	if err != nil {
		return Rewritten{}, err
	}
	held := purser.FieldMask(0)
	if len(into.Sealed) >= recordHead {
		held = purser.FieldMask(binary.BigEndian.Uint32(into.Sealed[1:]))
	}
	for f := range set {
		if held.Has(f) && !prefer.Has(f) {
			delete(set, f)
		}
	}
	return k.Rewrite(into, set, forms)
}
