package contact

import (
	"bytes"
	"slices"

	"purser"
)

// Phase is where a contact stands.
type Phase uint8

// The phases. A consult or a conference is a second leg, not a phase.
const (
	PhaseOffered Phase = 1 + iota
	PhaseConnected
	PhaseHeld   // the customer is on hold
	PhaseWrapUp // the customer is gone; notes may be appended
	PhaseClosed
)

// Hold is a session's hold on a contact at one position of the ledger. It
// owns its lists.
type Hold struct {
	Contact purser.ContactID
	Source  purser.SourceID
	Vendor  purser.VendorID
	Who     purser.Actor // who claimed, as of then
	// Customer is bound; zero: none.
	Customer  purser.Ordinal
	Assurance purser.Assurance // A0 until an outbound contact is proven
	Emergency bool             // bound by break-glass
	Caller    purser.Tag       // of the caller's number; zero when withheld
	Attested  bool             // the number is vouched for as this source is trusted to
	// Outbound is set while nothing opens because the contact is outbound,
	// or of unknown direction, and the customer has keyed no code yet.
	Outbound  bool
	Tries     int // failed identifies left
	Sends     int // codes left to send
	LinksLeft int // linked customers the contact may still bind
	Linked    []purser.Ordinal
	Shown     []purser.Ordinal // customers disclosed to him in this contact before
	// Present says which fields the bound customer's record holds; Holds
	// tells it for a linked one.
	Present purser.FieldMask
	linked  []purser.FieldMask // beside Linked
	Opened  purser.Stamp
	// HungUpAt is when the customer left; zero: he is there. Held refuses
	// then; Notes does not.
	HungUpAt purser.Stamp
	// Before is the last other person whom the verification came through,
	// Earlier are all of them, oldest first. The gate refuses while one of
	// them is locked.
	Before  purser.Actor
	Earlier []purser.Actor
}

// Holds returns which fields the record of a bound or linked customer holds.
func (h *Hold) Holds(customer purser.Ordinal) purser.FieldMask {
	if i := slices.Index(h.Linked, customer); i >= 0 {
		return h.linked[i]
	}
	return h.Present
}

// First reports whether a disclosure of customer would be his first here: the
// one that budgets count.
func (h *Hold) First(customer purser.Ordinal) bool { return !slices.Contains(h.Shown, customer) }

// Held returns the session's hold if the contact is live, its source fresh,
// its customer on the line and the leg claimed by the session, for the person
// whom the leg's agent maps to now: what a disclosure and an attempt need
// (L4). Whether a customer is bound is for the caller to look at.
//
// Refusals: NoContact, NotClaimed, ContactTooOld, HungUp, SourceStale,
// NotAssigned (offered and not connected yet, a consult leg, or the agent maps
// to somebody else now).
func (b *Book) Held(c purser.ContactID, s purser.SessionID, at purser.Stamp) (Hold, purser.Reason) {
	r, ok := b.contacts.Get(c)
	if !ok {
		return Hold{}, purser.NoContact
	}
	i := r.heldBy(s)
	if i < 0 {
		return Hold{}, purser.NotClaimed
	}
	if why := b.open(&r, at); why != purser.Allowed {
		return Hold{}, why
	}
	l := &r.Legs[i]
	if l.Consult || r.Phase == PhaseOffered || !b.assigned(&r, l) {
		return Hold{}, purser.NotAssigned
	}
	return b.hold(c, &r, l.Who), purser.Allowed
}

// Notes returns the session's hold for appending notes: like Held, and during
// wrap-up too.
func (b *Book) Notes(c purser.ContactID, s purser.SessionID, at purser.Stamp) (Hold, purser.Reason) {
	r, ok := b.contacts.Get(c)
	if !ok || r.Phase != PhaseWrapUp {
		return b.Held(c, s, at)
	}
	i := r.heldBy(s)
	switch {
	case i < 0:
		return Hold{}, purser.NotClaimed
	case over(r.Opened, Longest, at):
		return Hold{}, purser.ContactTooOld
	case !b.assigned(&r, &r.Legs[i]):
		return Hold{}, purser.NotAssigned
	}
	return b.hold(c, &r, r.Legs[i].Who), purser.Allowed
}

// open says why nothing new may open in a contact, whoever asks.
func (b *Book) open(r *row, at purser.Stamp) purser.Reason {
	switch {
	case r.Phase == PhaseWrapUp:
		return purser.HungUp
	case !r.live():
		return purser.NoContact
	case over(r.Opened, Longest, at):
		return purser.ContactTooOld
	case b.lapsed(r, at):
		return purser.NoContact
	case b.Stale(r.Source, at):
		return purser.SourceStale
	}
	return purser.Allowed
}

// assigned reports whether the leg's agent still maps to who claimed it.
func (b *Book) assigned(r *row, l *leg) bool {
	p, ok := b.PersonOf(r.Source, l.Agent)
	return ok && p == l.Who.Person
}

func (b *Book) hold(c purser.ContactID, r *row, who purser.Actor) Hold {
	src, _ := b.sources.Get(r.Source)
	h := Hold{
		Contact: c, Source: r.Source, Vendor: src.Vendor, Who: who,
		Customer: r.Customer, Assurance: r.Assurance, Emergency: r.Emergency,
		Caller: r.Caller, Attested: src.attests(r), Outbound: r.closedOutbound(),
		Tries: MaxTries - int(r.Failed), Sends: MaxSends - int(r.Sends),
		LinksLeft: MaxLinked - int(r.LinkedEver),
		Present:   r.Present, Opened: r.Opened, HungUpAt: r.HungUpAt,
	}
	for _, l := range r.Linked {
		if l.Customer != 0 {
			h.Linked = append(h.Linked, l.Customer)
			h.linked = append(h.linked, l.Present)
		}
	}
	if i := r.heldBy(who.Session); i >= 0 && !who.Session.Zero() {
		h.Shown = present(r.Legs[i].Shown[:])
	}
	if h.Outbound {
		h.Assurance = purser.A0
	}
	for _, a := range r.Earlier {
		if !a.Person.Zero() && a.Person != who.Person {
			h.Earlier = append(h.Earlier, a)
			h.Before = a
		}
	}
	return h
}

// closedOutbound reports whether nothing opens because the contact is, or may
// be, outbound and the customer has not keyed a code.
func (r *row) closedOutbound() bool { return (r.Outbound || r.Bare) && !r.Proven }

// attests reports whether the source is trusted to vouch for the number as it
// did.
func (s *sourceRow) attests(r *row) bool {
	switch {
	case r.Caller == 0:
		return false
	case r.Attested == purser.AttestCarrier:
		return s.Trust&purser.TrustCarrier != 0
	case r.Attested == purser.AttestTrunk:
		return s.Trust&purser.TrustTrunk != 0
	}
	return false
}

func present(list []purser.Ordinal) []purser.Ordinal {
	var out []purser.Ordinal
	for _, o := range list {
		if o != 0 {
			out = append(out, o)
		}
	}
	return out
}

// Leg is one agent's part in a contact.
type Leg struct {
	Person  purser.PersonID // whom the agent maps to; zero: nobody
	Consult bool
	Who     purser.Actor // who claimed; zero session: unclaimed
}

// Contact is a contact as it stands, for display and for what needs no hold.
type Contact struct {
	// Hold is the contact's part of every hold; Who, Before and Earlier
	// are as nobody's.
	Hold
	Phase    Phase
	ClosedAt purser.Stamp
	Stale    bool // nothing new opens for want of a fresh source
	Legs     []Leg
}

// Contact returns a contact, also a closed one for ten minutes.
func (b *Book) Contact(c purser.ContactID, at purser.Stamp) (Contact, bool) {
	r, ok := b.contacts.Get(c)
	if !ok {
		return Contact{}, false
	}
	out := Contact{Hold: b.hold(c, &r, purser.Actor{}), Phase: r.Phase, ClosedAt: r.ClosedAt, Stale: b.Stale(r.Source, at)}
	if r.Phase != PhaseClosed && (over(r.Opened, Longest, at) || b.lapsed(&r, at)) {
		out.Phase = PhaseClosed
	}
	for i := range r.Legs {
		if l := &r.Legs[i]; !l.Agent.Zero() {
			p, _ := b.PersonOf(r.Source, l.Agent)
			out.Legs = append(out.Legs, Leg{Person: p, Consult: l.Consult, Who: l.Who})
		}
	}
	return out, true
}

// Offered returns the live contacts with a leg whose agent maps to the person,
// claimed or not, in ascending order.
func (b *Book) Offered(p purser.PersonID, at purser.Stamp) []purser.ContactID {
	var out []purser.ContactID
	for id, r := range b.contacts.All() {
		if !r.live() || over(r.Opened, Longest, at) || b.lapsed(&r, at) {
			continue
		}
		for i := range r.Legs {
			if q, ok := b.PersonOf(r.Source, r.Legs[i].Agent); ok && q == p {
				out = append(out, id)
				break
			}
		}
	}
	slices.SortFunc(out, func(a, z purser.ContactID) int { return bytes.Compare(a[:], z[:]) })
	return out
}
