package seal

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/prf"
	"github.com/tink-crypto/tink-go/v2/tink"

	"purser"
)

// Which keys are used is not in the keyset file: the ledger says it, and Force
// passes it on. So the file and the ledger need no common transaction. A key is
// written into the file before the entry that takes it into use, and leaves it
// before the entry that says so; a crash between the two leaves a key that
// nothing uses.

// wrapping wraps data keys under the key in force, and opens those under the
// ones before it too. It is a tink.AEAD.
type wrapping struct {
	handle *keyset.Handle // guarded by Keys.turning
	force  atomic.Pointer[wrapForce]
}

type wrapForce struct {
	aead tink.AEAD
	now  uint32
	old  []uint32
}

// Encrypt wraps under the key in force.
func (w *wrapping) Encrypt(plain, data []byte) ([]byte, error) {
	return w.force.Load().aead.Encrypt(plain, data)
}

// Decrypt opens what any of them wrapped.
func (w *wrapping) Decrypt(sealed, data []byte) ([]byte, error) {
	return w.force.Load().aead.Decrypt(sealed, data)
}

// indexing makes blind indexes under the key in force, and those under the ones
// before it for lookups.
type indexing struct {
	handle *keyset.Handle // guarded by Keys.turning
	force  atomic.Pointer[indexForce]
}

type indexForce struct {
	now indexKey
	old []indexKey
}

type indexKey struct {
	number uint32
	prf    prf.PRF
}

func (k indexKey) index(field, normal string) (Index, error) {
	input := make([]byte, 0, len(field)+1+len(normal))
	input = append(input, field...)
	input = append(input, 0)
	input = append(input, normal...)
	out, err := k.prf.ComputePRF(input, uint32(len(Index{})))
	clear(input)
	if err != nil {
		return Index{}, fmt.Errorf("compute blind index: %w", err)
	}
	return Index(out), nil
}

// load takes the keys of both uses that a file holds, its own primary in force.
func (k *Keys) load(s *secrets) error {
	var err error
	if k.wrap.handle, err = readHandle(s.wrap); err != nil {
		return err
	}
	if k.indexes.handle, err = readHandle(s.indexes); err != nil {
		return err
	}
	for _, use := range []purser.KeyUse{purser.KeyWrap, purser.KeyIndex} {
		if err := k.force(use, primary(k.handle(use)), nil); err != nil {
			return ErrKeysetDamaged
		}
	}
	return nil
}

func (k *Keys) handle(use purser.KeyUse) *keyset.Handle {
	if use == purser.KeyIndex {
		return k.indexes.handle
	}
	return k.wrap.handle
}

func primary(h *keyset.Handle) uint32 { return h.KeysetInfo().GetPrimaryKeyId() }

func numbers(h *keyset.Handle) []uint32 {
	var all []uint32
	for _, key := range h.KeysetInfo().GetKeyInfo() {
		all = append(all, key.GetKeyId())
	}
	slices.Sort(all)
	return all
}

// Numbers returns the keys of a use that the keyset file holds, ascending.
func (k *Keys) Numbers(use purser.KeyUse) []uint32 {
	k.turning.Lock()
	defer k.turning.Unlock()
	return numbers(k.handle(use))
}

// InForce returns the key that new work uses, and those that are asked beside
// it.
func (k *Keys) InForce(use purser.KeyUse) (now uint32, old []uint32) {
	if use == purser.KeyIndex {
		force := k.indexes.force.Load()
		for _, key := range force.old {
			old = append(old, key.number)
		}
		return force.now.number, old
	}
	force := k.wrap.force.Load()
	return force.now, slices.Clone(force.old)
}

// Force takes the keys into use that the ledger names: now for new work, and
// old for what is still under those. Zero for now is the key that the file
// began with. A key that the file lacks fails with ErrKeyMissing in a
// *KeysetError, and nothing changes.
func (k *Keys) Force(use purser.KeyUse, now uint32, old []uint32) error {
	k.turning.Lock()
	defer k.turning.Unlock()
	have := numbers(k.handle(use))
	for _, n := range append([]uint32{now}, old...) {
		if n != 0 && !slices.Contains(have, n) {
			return &KeysetError{
				Path: k.path, Key: k.id.String(), Cause: fmt.Errorf("%w: %v key %08x", ErrKeyMissing, use, n),
				WayOut: "put the keyset in its place that belongs to this ledger: this one is older than that key, or written after it was destroyed",
			}
		}
	}
	if now == 0 {
		now = primary(k.handle(use))
	}
	return k.force(use, now, old)
}

// force does it for keys that are there.
func (k *Keys) force(use purser.KeyUse, now uint32, old []uint32) error {
	if use == purser.KeyWrap {
		opened, err := with(k.wrap.handle, now, old)
		if err != nil {
			return err
		}
		opens, err := aead.New(opened)
		if err != nil {
			return ErrKeysetDamaged
		}
		k.wrap.force.Store(&wrapForce{opens, now, slices.Clone(old)})
		return nil
	}
	set, err := prf.NewPRFSet(k.indexes.handle)
	if err != nil {
		return ErrKeysetDamaged
	}
	force := &indexForce{now: indexKey{now, set.PRFs[now]}}
	for _, n := range old {
		force.old = append(force.old, indexKey{n, set.PRFs[n]})
	}
	k.indexes.force.Store(force)
	return nil
}

// with returns the keyset with now as primary and without any key but that and
// those of keep.
func with(h *keyset.Handle, now uint32, keep []uint32) (*keyset.Handle, error) {
	m := keyset.NewManagerFromHandle(h)
	if err := m.SetPrimary(now); err != nil {
		return nil, ErrKeysetDamaged // the cause could quote key material
	}
	for _, n := range numbers(h) {
		if n == now || slices.Contains(keep, n) {
			continue
		}
		if err := m.Delete(n); err != nil {
			return nil, ErrKeysetDamaged
		}
	}
	out, err := m.Handle()
	if err != nil {
		return nil, ErrKeysetDamaged
	}
	return out, nil
}

// Add returns another key of a use, which nothing uses before Force. Known are
// the keys that the ledger names: one beside them and that in force is of an
// exchange that a crash ended before its first entry, and is taken. Else one is
// drawn and written into the keyset file, which o opens.
func (k *Keys) Add(o Options, use purser.KeyUse, known []uint32) (number uint32, err error) {
	now, _ := k.InForce(use)
	for _, n := range k.Numbers(use) {
		if n != now && !slices.Contains(known, n) {
			return n, nil
		}
	}
	template := aead.AES256GCMKeyTemplate()
	if use == purser.KeyIndex {
		template = prf.HMACSHA256PRFKeyTemplate()
	}
	err = k.edit(o, use, func(h *keyset.Handle) (*keyset.Handle, error) {
		m := keyset.NewManagerFromHandle(h)
		if number, err = m.Add(template); err != nil {
			return nil, fmt.Errorf("draw a key: %w", err)
		}
		return m.Handle()
	})
	return number, err
}

// Drop takes a key that is not in force out of the keyset file, which o opens,
// and overwrites the bytes of the file there was.
func (k *Keys) Drop(o Options, use purser.KeyUse, number uint32) error {
	now, old := k.InForce(use)
	if number == now || slices.Contains(old, number) {
		return fmt.Errorf("%v key %08x is in force", use, number)
	}
	return k.edit(o, use, func(h *keyset.Handle) (*keyset.Handle, error) {
		keep := slices.DeleteFunc(numbers(h), func(n uint32) bool { return n == number })
		return with(h, now, keep)
	})
}

// edit rewrites one part of the keyset file that o opens.
func (k *Keys) edit(o Options, use purser.KeyUse, change func(*keyset.Handle) (*keyset.Handle, error)) error {
	k.turning.Lock()
	defer k.turning.Unlock()
	head, s, err := k.read(&o)
	if err != nil {
		return err
	}
	defer s.clear()
	part := &s.wrap
	if use == purser.KeyIndex {
		part = &s.indexes
	}
	h, err := readHandle(*part)
	if err != nil {
		return err
	}
	if h, err = change(h); err != nil {
		return err
	}
	var out bytes.Buffer
	if err := insecurecleartextkeyset.Write(h, keyset.NewBinaryWriter(&out)); err != nil {
		return fmt.Errorf("encode keys: %w", err)
	}
	clear(*part)
	*part = out.Bytes()
	if err := k.write(head, s, o); err != nil {
		return err
	}
	if use == purser.KeyIndex {
		k.indexes.handle = h
	} else {
		k.wrap.handle = h
	}
	return nil
}

// Protect writes the keyset file anew under the protection that to names, in
// place of that which from opens.
func (k *Keys) Protect(from, to Options) error {
	k.turning.Lock()
	defer k.turning.Unlock()
	head, s, err := k.read(&from)
	if err != nil {
		return err
	}
	defer s.clear()
	head.protection = to.protection()
	return k.write(head, s, to)
}

// read opens the file that the keys came from, as far as o does, and notes what
// its passphrase costs.
func (k *Keys) read(o *Options) (header, *secrets, error) {
	o.Path, o.Deployment, o.Key = k.path, k.deployment, k.id
	b, err := readKeyset(*o)
	if err != nil {
		return header{}, nil, err
	}
	head, body, err := parseHeader(b)
	if err != nil {
		return header{}, nil, o.problem(o.Key.String(), err, "restore the file from its backup")
	}
	if err := head.check(*o); err != nil {
		return header{}, nil, err
	}
	if o.WorkFactor == 0 && head.protection == ByPassphrase {
		o.WorkFactor = workFactor(body)
	}
	s, err := decodeBody(head, body, *o)
	return head, s, err
}

func (k *Keys) write(head header, s *secrets, o Options) error {
	b, err := encodeKeyset(head, s, o)
	if err != nil {
		return fmt.Errorf("write keyset: %w", err)
	}
	if err := replace(k.path, b); err != nil {
		return fmt.Errorf("write keyset %s: %w", k.path, err)
	}
	return nil
}

// tinkPrefix is what a wrapped key begins with: a byte of the format, and the
// number of the key that wrapped it.
const tinkPrefix = 1 + 4

// UnderKey returns the number of the key that a wrapped data key says it is
// wrapped under. It is authenticated only by opening.
func UnderKey(wrapped []byte) (uint32, bool) {
	if len(wrapped) < tinkPrefix || wrapped[0] != 1 {
		return 0, false
	}
	return binary.BigEndian.Uint32(wrapped[1:]), true
}

// Rewrap returns the record's data key wrapped under the key in force, and
// whether that is another wrapping than it has. Nothing is opened but the data
// key, and that stays here.
func (k *Keys) Rewrap(r Record) (wrapped []byte, changed bool, err error) {
	now, _ := k.InForce(purser.KeyWrap)
	if under, ok := UnderKey(r.Wrapped); ok && under == now {
		return r.Wrapped, false, nil
	}
	data := r.data().ofKey(r.Sealed)
	key, err := k.wrap.Decrypt(r.Wrapped, data)
	if err != nil || len(key) != dataKeySize {
		return nil, false, fmt.Errorf("%w: data key of %v under keyset %v", ErrRecord, r.Customer, k.id)
	}
	defer clear(key)
	if wrapped, err = k.wrap.Encrypt(key, data); err != nil {
		return nil, false, fmt.Errorf("wrap data key: %w", err)
	}
	return wrapped, true, nil
}

// Reindex returns every blind index that the record may be found by: those under
// keys that are being left, and those under the one in force.
// Values are opened and indexed inside this call and leave it in no other form,
// so it needs no receipt.
func (k *Keys) Reindex(r Record, forms Forms) (old, now []Found, err error) {
	key, err := k.wrap.Decrypt(r.Wrapped, r.data().ofKey(r.Sealed))
	if err != nil || len(key) != dataKeySize {
		return nil, nil, fmt.Errorf("%w: data key of %v under keyset %v", ErrRecord, r.Customer, k.id)
	}
	defer clear(key)
	aead, err := fieldCipher(key)
	if err != nil {
		return nil, nil, err
	}
	held, err := values(aead, r)
	if err != nil {
		return nil, nil, err
	}
	force := k.indexes.force.Load()
	for f := range purser.MaxField + 1 {
		name, all := normals(f, held[f], forms)
		for _, key := range force.old {
			found, err := under(key, f, name, all)
			if err != nil {
				return nil, nil, err
			}
			old = append(old, found...)
		}
		found, err := under(force.now, f, name, all)
		if err != nil {
			return nil, nil, err
		}
		now = append(now, found...)
	}
	return old, now, nil
}
