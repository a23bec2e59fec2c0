package record

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"purser"
	"purser/internal/ledger"
	"purser/internal/rule/forbidden"
	"purser/internal/seal"
)

// ErrNoCase says that no case was opened by that entry.
var ErrNoCase = errors.New("no such case")

// TextError says why a text cannot be kept, whoever it is about: it depends on
// the text alone and holds no part of it.
type TextError struct{ Problem string }

// Error says what is wrong.
func (e *TextError) Error() string { return "text: " + e.Problem }

// Finding is one place of a text that holds what must not be kept: a class and
// where it stands, never the value.
type Finding = forbidden.Finding

// Words are a text that somebody wants kept, in normal form. The zero value is
// no text.
type Words struct {
	text  purser.Plain
	found []Finding
	some  bool
}

// ReadWords brings a text into normal form (NFC, lines ended by a line feed, no
// space around it) and searches it for what must not be kept. A text that is
// empty, too long, or shows otherwise than it is, is a *TextError.
func ReadWords(text string) (Words, error) {
	if problem := checkText(text, seal.MaxText); problem != "" {
		return Words{}, &TextError{problem}
	}
	text = tidy(strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n"))
	switch {
	case text == "":
		return Words{}, &TextError{"is empty"}
	case len(text) > seal.MaxText:
		return Words{}, &TextError{fmt.Sprintf("is over %d bytes", seal.MaxText)}
	}
	return Words{text: purser.NewPlain(text), found: forbidden.Find(text), some: true}, nil
}

// None reports whether there is no text.
func (w Words) None() bool { return !w.some }

// Forbidden returns what the text holds that must not be kept.
func (w Words) Forbidden() []Finding { return w.found }

// CaseRow is a case as the store keeps it. What decides about it is in the fold.
type CaseRow struct {
	Case     purser.CaseID
	Pos      purser.Pos // of the entry that opened it
	Contact  purser.ContactID
	Vendor   purser.VendorID
	Customer purser.Ordinal // zero: nobody's yet
	Topic    purser.Topic
	State    purser.CaseState
	Opened   purser.Stamp
	Changed  purser.Stamp
}

// TextRow is a text of a case or a note as the store keeps it.
type TextRow struct {
	seal.Text
	Customer purser.Ordinal // zero: about nobody yet
	Contact  purser.ContactID
	Case     purser.CaseID // zero: of none
	Topic    purser.Topic
	Written  purser.Stamp
	Salt     []byte // of the entry's commitment
}

// TimelineRow is one text of a customer's timeline, with the case it belongs to as it
// stands now, if it does.
type TimelineRow struct {
	TextRow
	State purser.CaseState // zero: of no case
}

// Texts keeps cases and the sealed texts of cases and notes. A text is put once
// and never changed; it goes when it is given to a customer (and put anew as
// his), with its customer, or when nobody claimed it in time.
type Texts interface {
	// PutCase adds a case; an identifier or position that is taken fails.
	PutCase(tx ledger.Tx, row CaseRow) error
	// MoveCase sets customer, topic, state and the stamp of the change.
	MoveCase(tx ledger.Tx, row CaseRow) error
	// CaseAt returns the case that the entry at pos opened, or ErrNoCase.
	CaseAt(ctx context.Context, pos purser.Pos) (CaseRow, error)
	// PutText adds a text; a position that is taken fails.
	PutText(tx ledger.Tx, row TextRow) error
	// BlindTexts returns, by position, the texts about nobody of a case or,
	// where the case is zero, those of a contact that belong to no case.
	BlindTexts(tx ledger.Tx, c purser.CaseID, contact purser.ContactID) ([]TextRow, error)
	// DropText removes the text of the entry at pos.
	DropText(tx ledger.Tx, pos purser.Pos) error
	// TextsOf returns a customer's texts of a kind before a position, the
	// newest first, at most limit.
	TextsOf(ctx context.Context, o purser.Ordinal, kind seal.TextKind, before purser.Pos, limit int) ([]TimelineRow, error)
	// DropBlind removes cases and texts about nobody that are older than a
	// stamp.
	DropBlind(ctx context.Context, before purser.Stamp) error
}

// Commit draws a salt and commits to a text with it. The salt is kept beside
// the text and goes with it.
func (b *Book) Commit(w Words) (purser.Commitment, []byte, error) {
	if w.None() {
		return purser.Commitment{}, nil, nil
	}
	salt, err := Salt()
	if err != nil {
		return purser.Commitment{}, nil, fmt.Errorf("draw a salt: %w", err)
	}
	return b.keys.Commit("text", salt, []byte(w.text.Reveal())), salt, nil
}

// Keep seals a text and puts it, in the transaction of the entry at row.Pos
// that tells of it. What is about somebody is sealed under his key as it is
// there; one who is gone has none, and nothing is kept (L5: nobody is told).
// With it he gets what was written in the contact before he was known.
func (b *Book) Keep(tx ledger.Tx, row TextRow, w Words) error {
	if row.Customer == 0 {
		return b.keepBlind(tx, row, w)
	}
	r, err := b.store.SealedIn(tx, row.Customer)
	if errors.Is(err, ErrNoCustomer) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read record: %w", err)
	}
	if !w.None() {
		if row.Text, err = b.keys.SealText(r, row.Kind, row.Pos, w.text.Reveal()); err != nil {
			return err
		}
		if err := b.store.PutText(tx, row); err != nil {
			return fmt.Errorf("keep a text: %w", err)
		}
	}
	return b.adopt(tx, r, purser.CaseID{}, row.Contact)
}

func (b *Book) keepBlind(tx ledger.Tx, row TextRow, w Words) error {
	if w.None() {
		return nil
	}
	var err error
	if row.Text, err = b.keys.SealBlind(row.Kind, row.Pos, w.text.Reveal()); err != nil {
		return err
	}
	if err := b.store.PutText(tx, row); err != nil {
		return fmt.Errorf("keep a text: %w", err)
	}
	return nil
}

// adopt gives a customer the texts about nobody of a case, or of a contact that
// belong to no case.
func (b *Book) adopt(tx ledger.Tx, r seal.Record, c purser.CaseID, contact purser.ContactID) error {
	blind, err := b.store.BlindTexts(tx, c, contact)
	if err != nil {
		return fmt.Errorf("read texts about nobody: %w", err)
	}
	for _, row := range blind {
		if row.Text, err = b.keys.Adopt(r, row.Text); err != nil {
			return err
		}
		row.Customer = r.Ordinal
		if err := errors.Join(b.store.DropText(tx, row.Pos), b.store.PutText(tx, row)); err != nil {
			return fmt.Errorf("give a text to its customer: %w", err)
		}
	}
	return nil
}

// OpenCase puts a case and what it was opened with, in the transaction of the
// entry that opens it.
func (b *Book) OpenCase(tx ledger.Tx, row CaseRow, text TextRow, w Words) error {
	if row.Customer != 0 {
		_, err := b.store.SealedIn(tx, row.Customer)
		if errors.Is(err, ErrNoCustomer) {
			return nil // as in Keep
		}
		if err != nil {
			return fmt.Errorf("read record: %w", err)
		}
	}
	if err := b.store.PutCase(tx, row); err != nil {
		return fmt.Errorf("put a case: %w", err)
	}
	return b.Keep(tx, text, w)
}

// MoveCase moves a case on, in the transaction of the entry that does, and
// gives its texts to the customer that it has from then on, if he is new.
func (b *Book) MoveCase(tx ledger.Tx, row CaseRow) error {
	var r seal.Record
	var err error
	if row.Customer != 0 {
		r, err = b.store.SealedIn(tx, row.Customer)
	}
	if errors.Is(err, ErrNoCustomer) {
		return nil // who is erased has no cases; one that waited for him goes in time
	}
	if err != nil {
		return fmt.Errorf("read record: %w", err)
	}
	// A restored backup may lack the row of a case that the ledger knows.
	if err := b.store.MoveCase(tx, row); err != nil && !errors.Is(err, ErrNoCase) {
		return fmt.Errorf("move a case: %w", err)
	}
	if row.Customer == 0 {
		return nil
	}
	return b.adopt(tx, r, row.Case, purser.ContactID{})
}

// CaseAt returns the case that the entry at pos opened, or ErrNoCase.
func (b *Book) CaseAt(ctx context.Context, pos purser.Pos) (purser.CaseID, error) {
	row, err := b.store.CaseAt(ctx, pos)
	if err != nil {
		return purser.CaseID{}, fmt.Errorf("look for a case: %w", err)
	}
	return row.Case, nil
}

// TextsOf returns a customer's texts before a position, sealed, for each kind
// the newest first, at most limit of each.
func (b *Book) TextsOf(ctx context.Context, o purser.Ordinal, before purser.Pos, limit int) ([]TimelineRow, error) {
	var all []TimelineRow
	for _, kind := range []seal.TextKind{seal.CaseText, seal.NoteText} {
		items, err := b.store.TextsOf(ctx, o, kind, before, limit)
		if err != nil {
			return nil, fmt.Errorf("read texts: %w", err)
		}
		all = append(all, items...)
	}
	return all, nil
}

// DropBlind removes what was written about nobody before a stamp.
func (b *Book) DropBlind(ctx context.Context, before purser.Stamp) error {
	if err := b.store.DropBlind(ctx, before); err != nil {
		return fmt.Errorf("drop what was written about nobody: %w", err)
	}
	return nil
}

// Opened reports whether the text is what its case was opened with.
func (r *TimelineRow) Opened() bool { return r.Kind == seal.CaseText }
