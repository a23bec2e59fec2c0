// Package casefile owns cases: whose each is, which vendor's, how far it has
// come, and with what assurance it was opened; and how much one contact may
// still write.
//
// It does not own what was written (package record keeps the sealed texts), who
// holds a contact (internal/rule/contact), or who works on a case without one
// (internal/rule/mandate).
//
// Laws carried here: L2 (state follows from entries alone) and L5 (a case that
// the asker has nothing to do with is like none: see [Book.Change]).
//
// Start reading at [Book.Open], then [Book.Apply].
package casefile

import (
	"bytes"
	"cmp"
	"errors"
	"slices"

	"purser"
	"purser/internal/rule/overlay"
)

// The bounds of cases. They are part of the fold's version.
const (
	// MostCases is how many cases one contact may open.
	MostCases = 5
	// MostNotes is how many notes and moves of cases one contact, or one
	// mandate, may make.
	MostNotes = 20
	// KeepSolved is how long a solved case can be told from none.
	KeepSolved = 7 * purser.Day
	// KeepBlind is how long a case that was taken blind waits for its customer.
	KeepBlind = 30 * purser.Day
	// KeepIdle is how long a case of somebody stays when nobody touches it.
	KeepIdle = 400 * purser.Day

	keepSpent = purser.Day // after the last act; a contact lives three hours
)

// ErrImpossible says that an entry contradicts the cases there are: no decision
// allows it, so the ledger is corrupt.
var ErrImpossible = errors.New("case entry that nothing allows")

// Case is what decisions need of a case.
type Case struct {
	Customer  purser.Ordinal   // zero: taken blind, and nobody's yet
	Contact   purser.ContactID // in which it was opened
	Vendor    purser.VendorID  // of whoever opened it, as of then
	Team      purser.TeamID
	Assurance purser.Assurance // of the contact that gave it its customer
	State     purser.CaseState
	Topic     purser.Topic
	Opened    purser.Stamp
	Changed   purser.Stamp // the last note or move
	Origin    Origin       // of its customer and assurance; nobody's once solved
}

// Origin is where a case has its customer and its assurance from. The gate
// opens nothing under the case while a lock covers any part of it: a case must
// not launder what a rogue verified.
type Origin struct {
	Source purser.SourceID // of the contact
	// Through is whoever the verification came through, and last whoever opened
	// the case or gave it its customer, as of then.
	Through []purser.Actor
}

// work is where something is written: a contact or a mandate.
type work [16]byte

// workOf is where an entry was written: under its mandate, or else in its
// contact.
func workOf(c purser.ContactID, m purser.MandateID) work {
	if !m.Zero() {
		return work(m)
	}
	return work(c)
}

// spent is what a contact or a mandate has written.
type spent struct {
	Cases uint8
	Notes uint8
	Last  purser.Stamp
}

// Book is the state of cases. The zero Book is ready to use. It belongs to the
// fold, and through it to the ledger's writer.
type Book struct {
	cases overlay.Table[purser.CaseID, Case]
	spent overlay.Table[work, spent]
	swept overlay.Cell[purser.Stamp]
}

// Case returns a case that is not over its time, solved or not.
func (b *Book) Case(id purser.CaseID, at purser.Stamp) (Case, bool) {
	c, ok := b.cases.Get(id)
	if !ok || c.gone(at) {
		return Case{}, false
	}
	return c, true
}

// Open says whether a new case may be opened as e has it. Refusals: CaseUnknown
// for an identifier that is taken, CeilingExceeded.
func (b *Book) Open(e *purser.CaseOpened) purser.Reason {
	if _, taken := b.cases.Get(e.Case); taken || e.Case.Zero() {
		return purser.CaseUnknown
	}
	if row, _ := b.spent.Get(work(e.Contact)); row.Cases >= MostCases {
		return purser.CeilingExceeded
	}
	return purser.Allowed
}

// Note says whether a note may be appended, to the case that e names or to
// none, where customer is bound (zero: nobody). Refusals: those of Change, and
// CeilingExceeded.
func (b *Book) Note(e *purser.NoteAdded, customer purser.Ordinal, at purser.Stamp) (Case, purser.Reason) {
	where := workOf(e.Contact, e.Mandate)
	if e.Case.Zero() {
		return Case{}, b.left(where)
	}
	return b.reach(e.Case, e.Who.Vendor, where, customer, at)
}

// Change says whether a case may be moved on where customer is bound (zero:
// nobody), and returns it as it stands. Only those of the vendor that opened it
// who work for its customer may; while it is nobody's, only in the contact that
// opened it. Anybody else's case is CaseUnknown like one that never was.
// Refusals: CaseUnknown, CaseOver (solved), CeilingExceeded.
func (b *Book) Change(e *purser.CaseChanged, customer purser.Ordinal, at purser.Stamp) (Case, purser.Reason) {
	return b.reach(e.Case, e.Who.Vendor, workOf(e.Contact, e.Mandate), customer, at)
}

func (b *Book) reach(
	id purser.CaseID, vendor purser.VendorID, where work, customer purser.Ordinal, at purser.Stamp,
) (Case, purser.Reason) {
	if why := b.left(where); why != purser.Allowed {
		return Case{}, why
	}
	c, ok := b.Case(id, at)
	own := c.Customer == customer
	if c.Customer == 0 {
		own = work(c.Contact) == where
	}
	switch {
	case !ok || c.Vendor != vendor || !own:
		return Case{}, purser.CaseUnknown
	case c.State == purser.CaseSolved:
		return c, purser.CaseOver
	}
	return c, purser.Allowed
}

// Bind says whether a case that was taken blind may be given the customer who
// is bound, in whatever contact of its vendor. One that is somebody's already
// is CaseUnknown, whoever's it is: there is nothing left to give. Refusals:
// NotBound, CaseUnknown, CaseOver, CeilingExceeded.
func (b *Book) Bind(e *purser.CaseChanged, customer purser.Ordinal, at purser.Stamp) (Case, purser.Reason) {
	if customer == 0 {
		return Case{}, purser.NotBound
	}
	if why := b.left(workOf(e.Contact, e.Mandate)); why != purser.Allowed {
		return Case{}, why
	}
	c, ok := b.Case(e.Case, at)
	switch {
	case !ok || c.Vendor != e.Who.Vendor || c.Customer != 0:
		return Case{}, purser.CaseUnknown
	case c.State == purser.CaseSolved:
		return c, purser.CaseOver
	}
	return c, purser.Allowed
}

// left says whether a contact or mandate may write once more.
func (b *Book) left(where work) purser.Reason {
	if row, _ := b.spent.Get(where); row.Notes >= MostNotes {
		return purser.CeilingExceeded
	}
	return purser.Allowed
}

// Unsolved lists the cases that belong to somebody, are not solved, and were
// not touched for a while: those that wait for somebody to work on them. The
// longest untouched comes first, of equals the one with the lowest identifier.
func (b *Book) Unsolved(idle, at purser.Stamp) []purser.CaseID {
	type waiting struct {
		id    purser.CaseID
		since purser.Stamp
	}
	var all []waiting
	for id, c := range b.cases.All() {
		if c.Customer != 0 && c.State != purser.CaseSolved && at-c.Changed >= idle && !c.gone(at) {
			all = append(all, waiting{id, c.Changed})
		}
	}
	slices.SortFunc(all, func(x, y waiting) int {
		return cmp.Or(cmp.Compare(x.since, y.since), bytes.Compare(x.id[:], y.id[:]))
	})
	ids := make([]purser.CaseID, len(all))
	for i, w := range all {
		ids[i] = w.id
	}
	return ids
}

// gone reports whether the case is like one that never was.
func (c *Case) gone(at purser.Stamp) bool {
	switch {
	case c.State == purser.CaseSolved:
		return at-c.Changed > KeepSolved
	case c.Customer == 0:
		return at-c.Opened > KeepBlind
	}
	return at-c.Changed > KeepIdle
}
