package record

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"purser"
	"purser/internal/ledger"
	"purser/internal/rule/forbidden"
	"purser/internal/seal"
)

// Destroyed counts what an erasure destroyed.
type Destroyed struct {
	Records    int // 0 or 1
	Keys       int
	Indexes    int
	Channels   int
	Superseded int
	Salts      int
	Texts      int // of cases and notes
}

// Erasure is what its receipt says. The customer's identifier names nobody any
// more.
type Erasure struct {
	Pos       purser.Pos // of the entry
	At        purser.Stamp
	Until     purser.Stamp // when no backup can hold the key any more
	Cause     purser.EraseCause
	Customer  purser.CustomerID
	Destroyed Destroyed
}

// Erase destroys, in the transaction of the entry that tells of it, the data
// key of a customer, what finds him, every salt, text and replaced value, and
// the record. What is read after the commit does not find him.
func (b *Book) Erase(tx ledger.Tx, pos purser.Pos, at purser.Stamp, e *purser.Erase) (Erasure, error) {
	out := Erasure{Pos: pos, At: at, Until: e.Until, Cause: e.Cause}
	r, err := b.store.SealedIn(tx, e.Customer)
	if err != nil && !errors.Is(err, ErrNoCustomer) {
		return out, fmt.Errorf("read customer %d: %w", e.Customer, err)
	}
	out.Customer = r.Customer
	found, err := b.foundIn(tx, e.Customer)
	if err != nil {
		return out, err
	}
	if out.Destroyed, err = b.store.Erase(tx, e.Customer, found); err != nil {
		return out, fmt.Errorf("erase customer %d: %w", e.Customer, err)
	}
	if err := b.store.PutErasure(tx, out); err != nil {
		return out, fmt.Errorf("keep what was erased: %w", err)
	}
	return out, nil
}

// Erasure returns what the erasure of the entry at pos destroyed, or
// ErrNoCustomer.
func (b *Book) Erasure(ctx context.Context, pos purser.Pos) (Erasure, error) {
	e, found, err := b.store.Erasure(ctx, pos)
	if err != nil {
		return e, fmt.Errorf("read erasure: %w", err)
	}
	if !found {
		return e, ErrNoCustomer
	}
	return e, nil
}

// holdNote says what a row of a hold's words is.
const holdNote seal.NoteKind = "legal hold"

// MaxMatter is the longest description of a matter in bytes.
const MaxMatter = 2048

// Matter is what a legal hold is about, read and sealed.
type Matter struct {
	Hold       purser.HoldID
	Commitment purser.Commitment
	sealed     []byte
}

// Matter reads the words of a hold. What they cannot be fails with *ValueError.
func (b *Book) Matter(h purser.HoldID, text string) (Matter, error) {
	text = tidy(text)
	problem := checkText(text, MaxMatter)
	if found := forbidden.Find(text); len(found) > 0 {
		problem = found[0].Message()
	}
	if problem == "" && (text == "" || !utf8.ValidString(text)) {
		problem = "is empty"
	}
	if problem != "" {
		return Matter{}, &ValueError{"matter", problem}
	}
	sealed, err := b.keys.SealNote(holdNote, h[:], []byte(text))
	if err != nil {
		return Matter{}, fmt.Errorf("seal matter: %w", err)
	}
	return Matter{Hold: h, Commitment: b.keys.Commit("matter", h[:], []byte(text)), sealed: sealed}, nil
}

// PutMatter keeps the words of a hold in the transaction of its entry.
func (b *Book) PutMatter(tx ledger.Tx, m Matter) error { return b.store.PutHold(tx, m.Hold, m.sealed) }

// MatterOf returns the words of a hold, for those who keep it.
func (b *Book) MatterOf(ctx context.Context, h purser.HoldID) (string, error) {
	sealed, err := b.store.HoldText(ctx, h)
	if err != nil || len(sealed) == 0 {
		return "", err
	}
	text, err := b.keys.OpenNote(holdNote, h[:], sealed)
	if err != nil {
		return "", fmt.Errorf("open matter: %w", err)
	}
	defer clear(text)
	return string(text), nil
}
