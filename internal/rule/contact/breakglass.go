package contact

import "purser"

// BreakGlass says whether the agent may ask a lead to open a customer's record
// for a caller who cannot be verified. While nobody has approved it, the same
// person may ask anew, which voids what he asked before: somebody may have
// mistyped. Refusals: those of Held; Outbound, Unknown, AlreadyBound,
// BreakGlassOpen (somebody else has asked, or it was approved).
func (b *Book) BreakGlass(c purser.ContactID, s purser.SessionID, customer purser.Ordinal, at purser.Stamp) (Hold, purser.Reason) {
	h, why := b.Held(c, s, at)
	if why != purser.Allowed {
		return h, why
	}
	r, _ := b.contacts.Get(c)
	switch {
	case h.Outbound:
		return h, purser.Outbound
	case !r.mayAsk(h.Who.Person):
		return h, purser.BreakGlassOpen
	case customer == 0:
		return h, purser.Unknown
	case r.Customer != 0 && r.Customer != customer:
		return h, purser.AlreadyBound
	}
	return h, purser.Allowed
}

// mayAsk reports whether an ask of the person would be the first, or takes the
// place of one of his own that nobody approved.
func (r *row) mayAsk(p purser.PersonID) bool {
	return !r.Emergency && (!r.Ask.Asked || r.Ask.Who.Person == p)
}

// ApproveBreakGlass says whether the lead may approve what was asked at
// position asked, and returns the hold of the agent who asked, who must hold
// the contact still. Refusals: NoContact, BreakGlassOpen (not asked, asked for
// nobody or for somebody else than is bound by now, or approved before),
// SameHuman, those of Held.
func (b *Book) ApproveBreakGlass(c purser.ContactID, lead purser.Actor, asked purser.Pos, at purser.Stamp) (Hold, purser.Reason) {
	r, ok := b.contacts.Get(c)
	switch {
	case !ok:
		return Hold{}, purser.NoContact
	case !r.Ask.Asked || r.Ask.Customer == 0 || r.Ask.Pos != asked || r.Emergency:
		return Hold{}, purser.BreakGlassOpen
	case r.holder(lead.Person) || r.Ask.Who.Person == lead.Person:
		return Hold{}, purser.SameHuman
	}
	h, why := b.Held(c, r.Ask.Who.Session, at)
	if why == purser.Allowed && r.Customer != 0 && r.Customer != r.Ask.Customer {
		why = purser.BreakGlassOpen
	}
	return h, why
}

// Asked returns what break-glass was asked for in the contact: by whom, for
// which customer and where in the ledger.
func (b *Book) Asked(c purser.ContactID) (who purser.Actor, customer purser.Ordinal, pos purser.Pos, ok bool) {
	r, ok := b.contacts.Get(c)
	if !ok || !r.Ask.Asked {
		return purser.Actor{}, 0, 0, false
	}
	return r.Ask.Who, r.Ask.Customer, r.Ask.Pos, true
}

// Undo says whether the lead may take a wrong binding back: once per contact,
// until it is closed, and never one's own. Tries and sends stay spent.
// Refusals: NoContact, SameHuman, NotBound, TriesSpent (undone before).
func (b *Book) Undo(c purser.ContactID, lead purser.Actor, at purser.Stamp) purser.Reason {
	r, ok := b.contacts.Get(c)
	switch {
	case !ok || r.Phase == PhaseClosed || over(r.Opened, Longest, at):
		return purser.NoContact
	case r.holder(lead.Person):
		return purser.SameHuman
	case r.Undone:
		return purser.TriesSpent
	case r.Customer == 0:
		return purser.NotBound
	}
	return purser.Allowed
}

// holder reports whether the person claimed a leg or stands behind what was
// verified.
func (r *row) holder(p purser.PersonID) bool {
	for i := range r.Legs {
		if r.Legs[i].Who.Person == p {
			return true
		}
	}
	for i := range r.Earlier {
		if r.Earlier[i].Person == p {
			return true
		}
	}
	return false
}

// applyBreakGlass notes what was asked, in the place of what was asked before.
// An ask that leads to nobody, or to somebody else than the bound customer, is
// noted like one that a lead may approve: were it not, an older ask that could
// still be approved would tell them apart (L5).
func (b *Book) applyBreakGlass(pos purser.Pos, e *purser.BreakGlass) error {
	if e.Reason != purser.Allowed && !spends(e.Reason) {
		return nil
	}
	r, ok := b.contacts.Get(e.Contact)
	may := ok && r.mayAsk(e.Who.Person)
	switch {
	case e.Reason != purser.Allowed && !may:
		return nil
	case !may || e.Reason == purser.Allowed && e.Customer == 0:
		return ErrImpossible
	}
	r.Ask = askRow{Asked: true, Pos: pos, Who: e.Who}
	if e.Reason == purser.Allowed {
		r.Ask.Customer, r.Ask.Present = e.Customer, e.Present
	}
	b.contacts.Put(e.Contact, r)
	return nil
}

func (b *Book) applyApproved(e *purser.BreakGlassApproved) error {
	if e.Reason != purser.Allowed {
		return nil
	}
	r, ok := b.contacts.Get(e.Contact)
	if !ok || !r.Ask.Asked || r.Ask.Customer == 0 || r.Ask.Pos != e.Asked || !r.raise(r.Ask.Customer, r.Ask.Present, purser.A0, r.Ask.Who) {
		return ErrImpossible
	}
	r.Emergency = true
	b.contacts.Put(e.Contact, r)
	return nil
}

func (b *Book) applyUndone(e *purser.BindingUndone) error {
	if e.Reason != purser.Allowed {
		return nil
	}
	r, ok := b.contacts.Get(e.Contact)
	if !ok || r.Undone {
		return ErrImpossible
	}
	r.unbind()
	r.Undone = true
	b.contacts.Put(e.Contact, r)
	return nil
}
