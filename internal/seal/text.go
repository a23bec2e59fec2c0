package seal

import (
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"

	"purser"
	"purser/internal/ledger"
)

// MaxText is the longest text of a case or a note in bytes.
const MaxText = 4096

// blindText says what is sealed while a text is about nobody yet.
const blindText NoteKind = "text about nobody yet"

// ErrText says that sealed bytes are not the text that was sealed for this
// customer and entry under these keys.
var ErrText = errors.New("sealed text does not open")

// TextKind says which bit of a field mask stands for a text.
type TextKind uint8

// The kinds of texts.
const (
	CaseText TextKind = 1 + iota // what a case was opened with
	NoteText
)

// Text is one sealed text as the store keeps it. The entry that it was written
// with names it; nothing changes it.
type Text struct {
	Kind   TextKind
	Pos    purser.Pos
	Sealed []byte
}

// TextBits are the field bits under which texts are disclosed: one of each
// kind, or none.
type TextBits struct{ Case, Note purser.FieldMask }

// Of returns the bit of a kind; none for a kind there is not.
func (b TextBits) Of(kind TextKind) purser.FieldMask {
	switch kind {
	case CaseText:
		return b.Case
	case NoteText:
		return b.Note
	}
	return 0
}

// SealText encrypts a text about the customer of r under his record's data key:
// it opens as long as the record does, and goes with it.
func (k *Keys) SealText(r Record, kind TextKind, pos purser.Pos, text string) (Text, error) {
	if len(text) > MaxText {
		return Text{}, fmt.Errorf("seal text of position %d: %w", pos, errTooLong)
	}
	aead, done, err := k.dataCipher(r)
	if err != nil {
		return Text{}, err
	}
	defer done()
	t := Text{Kind: kind, Pos: pos}
	t.Sealed = aead.Seal(nil, nil, []byte(text), r.text(t))
	return t, nil
}

// SealBlind encrypts a text that is about nobody yet, under the keys of
// Purser's own secrets. Nothing but Adopt opens it.
func (k *Keys) SealBlind(kind TextKind, pos purser.Pos, text string) (Text, error) {
	if len(text) > MaxText {
		return Text{}, fmt.Errorf("seal text of position %d: %w", pos, errTooLong)
	}
	t := Text{Kind: kind, Pos: pos}
	var err error
	t.Sealed, err = k.SealNote(blindText, t.id(), []byte(text))
	return t, err
}

// Adopt seals a text that SealBlind gave anew, as one about the customer of r.
// It does not leave this call in any other form, so it needs no receipt.
func (k *Keys) Adopt(r Record, t Text) (Text, error) {
	plain, err := k.OpenNote(blindText, t.id(), t.Sealed)
	if err != nil {
		return Text{}, fmt.Errorf("text of position %d: %w", t.Pos, err)
	}
	defer clear(plain)
	return k.SealText(r, t.Kind, t.Pos, string(plain))
}

// OpenTexts decrypts texts of the customer whom the receipt's entry names, in
// their order, and uses the receipt up like Open. Each must be of a kind whose
// bit the entry allows, and older than the entry; else nothing opens, and the
// receipt is used up all the same. Other texts than were sealed for this
// customer and their own entry fail with ErrText.
func (k *Keys) OpenTexts(receipt ledger.Receipt, r Record, bits TextBits, texts []Text) ([]purser.Plain, error) {
	customer, fields, ok := receipt.Redeem()
	if !ok || customer == 0 {
		return nil, ErrNoReceipt
	}
	if customer != r.Ordinal {
		return nil, ErrOtherCustomer
	}
	return k.openTexts(r, fields&(bits.Case|bits.Note), receipt.Pos(), bits, texts)
}

// openTexts decrypts texts of kinds that fields allow and that are older than
// the entry at pos. Fields come from a receipt and nothing else.
func (k *Keys) openTexts(r Record, fields purser.FieldMask, pos purser.Pos, bits TextBits, texts []Text) ([]purser.Plain, error) {
	for _, t := range texts {
		if allowed := bits.Of(t.Kind); allowed == 0 || fields&allowed == 0 {
			return nil, ErrNoReceipt
		}
		if pos <= t.Pos {
			return nil, ErrOlderReceipt
		}
	}
	aead, done, err := k.dataCipher(r)
	if err != nil {
		return nil, err
	}
	defer done()
	out := make([]purser.Plain, len(texts))
	for i, t := range texts {
		plain, err := aead.Open(nil, nil, t.Sealed, r.text(t))
		if err != nil {
			return nil, fmt.Errorf("%w: position %d of %v", ErrText, t.Pos, r.Customer)
		}
		out[i] = purser.NewPlain(string(plain))
		clear(plain)
	}
	return out, nil
}

// dataCipher returns the cipher of a record's data key. done clears the key.
func (k *Keys) dataCipher(r Record) (aead cipher.AEAD, done func(), err error) {
	key, err := k.wrap.Decrypt(r.Wrapped, r.data().ofKey(r.Sealed))
	if err != nil || len(key) != dataKeySize {
		return nil, nil, fmt.Errorf("%w: data key of %v under keyset %v", ErrRecord, r.Customer, k.id)
	}
	if aead, err = fieldCipher(key); err != nil {
		clear(key)
		return nil, nil, err
	}
	return aead, func() { clear(key) }, nil
}

// text is the associated data of a text about the subject: not the version of
// the record, which texts outlive.
func (s Subject) text(t Text) []byte {
	return lengthPrefixed([]byte("text"), s.Customer[:], binary.BigEndian.AppendUint32(nil, uint32(s.Ordinal)), t.id())
}

// id names a text by its kind and entry.
func (t Text) id() []byte {
	return binary.BigEndian.AppendUint64([]byte{byte(t.Kind)}, uint64(t.Pos))
}
