package contact

import (
	"bytes"
	"crypto/subtle"
	"slices"

	"purser"
)

// Verify returns the session's hold if it may try to identify the caller: as
// Held, and TriesSpent after three failures.
func (b *Book) Verify(c purser.ContactID, s purser.SessionID, at purser.Stamp) (Hold, purser.Reason) {
	h, why := b.Held(c, s, at)
	if why == purser.Allowed && h.Tries <= 0 {
		why = purser.TriesSpent
	}
	return h, why
}

// Send returns the session's hold if it may send a code: as Held, and
// NoSendsLeft after three.
func (b *Book) Send(c purser.ContactID, s purser.SessionID, at purser.Stamp) (Hold, purser.Reason) {
	h, why := b.Held(c, s, at)
	if why == purser.Allowed && h.Sends <= 0 {
		why = purser.NoSendsLeft
	}
	return h, why
}

// Binding is what the compare of an attempt found: the caller is Customer.
type Binding struct {
	Contact  purser.ContactID
	Session  purser.SessionID
	Attempt  purser.Pos // of the Attempt entry, whose result this is
	Way      purser.Way // WayMatch or WayNumber
	Customer purser.Ordinal
	Linked   bool // a further customer of the bound one's booking
}

// Bind says whether the result of an attempt may bind, and the assurance that
// the entry then carries.
//
// A match gives A1. On an outbound contact it binds, so that a code can be
// sent to the customer, but nothing opens (Hold.Outbound) until he keys one.
// A number gives A2 to a contact that is bound at A1 already, if it is
// attested. A linked customer takes a bound one, and gets A1.
//
// Refusals: those of Held; ResultMissing (no such attempt waits for its
// result), Unknown (no customer), AlreadyBound (to somebody else), NotBound,
// NotAttested, Outbound (a number proves nothing of somebody who was called),
// BudgetLinked.
func (b *Book) Bind(n Binding, at purser.Stamp) (purser.Assurance, purser.Reason) {
	h, why := b.Held(n.Contact, n.Session, at)
	if why != purser.Allowed {
		return purser.A0, why
	}
	r, _ := b.contacts.Get(n.Contact)
	switch {
	case !r.pending(n.Attempt):
		return purser.A0, purser.ResultMissing
	case n.Customer == 0:
		return purser.A0, purser.Unknown
	case n.Linked:
		return purser.A1, link(&h, n.Customer)
	case h.Customer != 0 && h.Customer != n.Customer:
		return purser.A0, purser.AlreadyBound
	case n.Way != purser.WayNumber:
		return max(purser.A1, h.Assurance), purser.Allowed
	case h.Outbound:
		return purser.A0, purser.Outbound
	case h.Customer == 0 || h.Assurance < purser.A1:
		return purser.A0, purser.NotBound
	case !h.Attested:
		return purser.A0, purser.NotAttested
	}
	return max(purser.A2, h.Assurance), purser.Allowed
}

// Link says whether the contact may bind a further customer of the bound
// one's booking. Refusals: those of Held; Outbound, NotBound, AlreadyBound,
// BudgetLinked after nine.
func (b *Book) Link(c purser.ContactID, s purser.SessionID, customer purser.Ordinal, at purser.Stamp) purser.Reason {
	h, why := b.Held(c, s, at)
	if why != purser.Allowed {
		return why
	}
	return link(&h, customer)
}

func link(h *Hold, customer purser.Ordinal) purser.Reason {
	switch {
	case h.Outbound:
		return purser.Outbound
	case h.Customer == 0 || h.Assurance < purser.A1:
		return purser.NotBound
	case h.Customer == customer || slices.Contains(h.Linked, customer):
		return purser.AlreadyBound
	case h.LinksLeft <= 0:
		return purser.BudgetLinked
	}
	return purser.Allowed
}

// Try compares a code, spoken to the agent (WayCode) or keyed by the customer
// (WayKeypad), and returns the customer it was sent to and the assurance it
// gives. The caller of a spoken code has asked Held for the agent's session; a
// keyed one needs no claim, and works while the contact is only offered.
//
// A code that was spoken on an outbound contact proves nothing: whoever calls
// can ask for it. Refusals: NoContact, HungUp, ContactTooOld, SourceStale,
// Outbound, TriesSpent (three since the contact last sent a code, whether or
// not there was anybody to send it to), NoCode, CodeExpired, Wrong,
// AlreadyBound. Refused tries carry the customer too, for the counters; nobody
// is told.
//
// Whoever sent the code vouches for what it proves like whoever tried it. A
// code whose sender no longer fits beside those who vouch already is NoCode.
func (b *Book) Try(c purser.ContactID, way purser.Way, digits purser.Commitment, at purser.Stamp) (purser.Ordinal, purser.Assurance, purser.Reason) {
	r, ok := b.contacts.Get(c)
	if !ok {
		return 0, purser.A0, purser.NoContact
	}
	if why := b.open(&r, at); why != purser.Allowed {
		return 0, purser.A0, why
	}
	if way != purser.WayKeypad && r.closedOutbound() {
		return 0, purser.A0, purser.Outbound
	}
	if why := r.try(digits, at); why != purser.Allowed {
		return r.Sent.Customer, purser.A0, why
	}
	if r.Customer != 0 && r.Customer != r.Sent.Customer {
		return r.Sent.Customer, purser.A0, purser.AlreadyBound
	}
	if way == purser.WayKeypad {
		return r.Sent.Customer, purser.A3, purser.Allowed
	}
	return r.Sent.Customer, max(purser.A2, r.Assurance), purser.Allowed
}

// try compares a code. What the asker can count comes first: after it, at most
// MaxCodeTries answers depend on whether there is a code at all.
func (r *row) try(digits purser.Commitment, at purser.Stamp) purser.Reason {
	s := &r.Sent
	switch {
	case s.Tries >= MaxCodeTries:
		return purser.TriesSpent
	case s.Digits.Zero() || !r.mayVouch(s.By):
		return purser.NoCode
	case at > s.Expires:
		return purser.CodeExpired
	case subtle.ConstantTimeCompare(s.Digits[:], digits[:]) != 1:
		return purser.Wrong
	}
	return purser.Allowed
}

// mayVouch reports whether who can still be named behind what is verified.
func (r *row) mayVouch(who purser.Actor) bool {
	if r.Customer == 0 {
		return true // whoever vouched for nobody makes room
	}
	again := *r
	return again.vouch(who)
}

// Keyed returns the digits that the customer keyed and that no CodeTried has
// answered yet.
func (b *Book) Keyed(c purser.ContactID) (purser.Commitment, bool) { return b.keyed.Get(c) }

// Keypads returns the contacts for which Keyed has digits, in ascending order.
func (b *Book) Keypads() []purser.ContactID {
	out := make([]purser.ContactID, 0, b.keyed.Len())
	for id := range b.keyed.All() {
		out = append(out, id)
	}
	slices.SortFunc(out, func(a, z purser.ContactID) int { return bytes.Compare(a[:], z[:]) })
	return out
}

// spends reports whether an ask that was refused for why costs as much as one
// that was not: everything that reads as "not enough" does, so that what is
// left tells nothing (L5).
func spends(why purser.Reason) bool {
	return why.Answer() == purser.NotEnough
}

// compares reports whether a way compares what was said with a record. A
// number is compared beside a match, as a part of the same attempt.
func compares(w purser.Way) bool { return w == purser.WayMatch || w == purser.WayNumber }

// pending reports whether an attempt waits for its result.
func (r *row) pending(attempt purser.Pos) bool { return slices.Contains(r.Pending[:], attempt+1) }

func (b *Book) applyAttempt(pos purser.Pos, e *purser.Attempt) error {
	r, ok := b.contacts.Get(e.Contact)
	if !ok {
		return unless(e.Reason != purser.Allowed)
	}
	if compares(e.Way) && spends(e.Reason) {
		r.Failed = min(r.Failed+1, MaxTries)
	}
	if e.Reason == purser.Allowed {
		copy(r.Pending[1:], r.Pending[:])
		r.Pending[0] = pos + 1
	}
	b.contacts.Put(e.Contact, r)
	return nil
}

// applyResult gives a try back that succeeded and binds.
func (b *Book) applyResult(e *purser.AttemptResult) error {
	r, ok := b.contacts.Get(e.Contact)
	if !ok {
		return unless(e.Reason != purser.Allowed)
	}
	waited := r.pending(e.Attempt)
	if waited {
		r.Pending[slices.Index(r.Pending[:], e.Attempt+1)] = 0
	}
	if e.Reason == purser.Allowed {
		if !waited || !r.bind(e) {
			return ErrImpossible
		}
		r.Failed -= min(r.Failed, 1) // by whatever way it then bound
	}
	b.contacts.Put(e.Contact, r)
	return nil
}

func (r *row) bind(e *purser.AttemptResult) bool {
	if !e.Linked {
		return r.raise(e.Customer, e.Present, e.Assurance, e.Who)
	}
	i := slices.Index(r.Linked[:], linkRow{})
	if r.Customer == 0 || i < 0 || r.LinkedEver >= MaxLinked {
		return false
	}
	r.Linked[i] = linkRow{e.Customer, e.Present}
	r.LinkedEver++
	return true
}

// raise binds the customer and raises the assurance; who vouches for it is
// zero when the customer did it himself.
func (r *row) raise(customer purser.Ordinal, present purser.FieldMask, to purser.Assurance, who purser.Actor) bool {
	if customer == 0 || r.Customer != 0 && r.Customer != customer {
		return false
	}
	if r.Customer == 0 {
		r.Earlier = [earlierMax]purser.Actor{}
	}
	r.Customer, r.Present, r.Assurance = customer, present, max(r.Assurance, to)
	if !who.Person.Zero() {
		r.vouch(who) // where there is no room, the next transfer voids all
	}
	return true
}

// unbind forgets everything that was proved; what was spent stays spent.
func (r *row) unbind() {
	r.Customer, r.Present, r.Assurance, r.Emergency, r.Proven = 0, 0, purser.A0, false, false
	r.Sent, r.Ask = codeRow{Tries: r.Sent.Tries}, askRow{}
	clear(r.Pending[:])
	clear(r.Linked[:])
	clear(r.Earlier[:])
}

func (b *Book) applySent(h purser.Header, e *purser.CodeSent) error {
	r, ok := b.contacts.Get(e.Contact)
	if !ok {
		return unless(e.Reason != purser.Allowed)
	}
	if spends(e.Reason) {
		// One that goes to nobody voids the code before it and gives new tries
		// like any other: were it not so, the older code would tell them apart.
		r.Sends = min(r.Sends+1, MaxSends)
		r.Sent = codeRow{}
	}
	if e.Reason == purser.Allowed {
		r.Sent = codeRow{
			Digits: e.Digits, Customer: e.Customer, Present: e.Present, By: e.Who, Expires: min(e.Expires, h.Stamp+CodeLife),
		}
	}
	b.contacts.Put(e.Contact, r)
	return nil
}

func (b *Book) applyTried(e *purser.CodeTried) error {
	if e.Way == purser.WayKeypad {
		b.keyed.Delete(e.Contact)
	}
	r, ok := b.contacts.Get(e.Contact)
	if !ok {
		return unless(e.Reason != purser.Allowed)
	}
	if spends(e.Reason) {
		r.Sent.Tries = min(r.Sent.Tries+1, MaxCodeTries)
	}
	if e.Reason == purser.Allowed {
		sent := r.Sent
		if sent.Digits.Zero() || sent.Customer != e.Customer || !r.raise(e.Customer, sent.Present, e.Assurance, sent.By) {
			return ErrImpossible
		}
		if !e.Who.Person.Zero() {
			r.vouch(e.Who)
		}
		r.Proven = r.Proven || e.Way == purser.WayKeypad
		r.Sent = codeRow{Tries: sent.Tries}
	}
	b.contacts.Put(e.Contact, r)
	return nil
}

func (b *Book) applyDisclosure(e *purser.Disclosure) error {
	if e.Reason != purser.Allowed || e.Contact.Zero() || e.Customer == 0 {
		return nil
	}
	r, ok := b.contacts.Get(e.Contact)
	if !ok {
		return ErrImpossible
	}
	n := r.heldBy(e.Who.Session)
	if n < 0 {
		return ErrImpossible
	}
	shown := &r.Legs[n].Shown
	if slices.Contains(shown[:], e.Customer) {
		return nil
	}
	i := slices.Index(shown[:], 0)
	if i < 0 {
		return ErrImpossible
	}
	shown[i] = e.Customer
	b.contacts.Put(e.Contact, r)
	return nil
}

// unless returns ErrImpossible if ok does not hold: only a refusal may be
// about a contact that is not there.
func unless(refused bool) error {
	if refused {
		return nil
	}
	return ErrImpossible
}
