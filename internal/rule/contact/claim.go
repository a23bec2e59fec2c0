package contact

import "purser"

// Claim says whether the session may take the leg that telephony assigned to
// its person. Each leg has one claim; after its session ended, the same
// person's next session may claim it again, so that a new login loses no
// call and a stolen cookie gains none.
//
// A session that holds the leg already is told by [Book.Claimed], which the
// caller asks first: a repeated click is no second claim.
//
// Refusals: NoContact, HungUp, ContactTooOld, SourceStale, NotAssigned, and
// AlreadyClaimed, which is a finding too.
func (b *Book) Claim(c purser.ContactID, who purser.Actor, at purser.Stamp) purser.Reason {
	r, ok := b.contacts.Get(c)
	if !ok {
		return purser.NoContact
	}
	if i, why := b.claimable(&r, who); i < 0 {
		return why
	}
	return b.open(&r, at)
}

// claimable finds the leg that who may claim, or why there is none.
func (b *Book) claimable(r *row, who purser.Actor) (int, purser.Reason) {
	src, _ := b.sources.Get(r.Source)
	if who.Session.Zero() || who.Vendor != src.Vendor {
		return -1, purser.NotAssigned
	}
	for i := range r.Legs {
		l := &r.Legs[i]
		if p, ok := b.PersonOf(r.Source, l.Agent); !ok || p != who.Person {
			continue
		}
		if !l.Who.Session.Zero() || !l.Who.Person.Zero() && l.Who.Person != who.Person {
			return -1, purser.AlreadyClaimed
		}
		return i, purser.Allowed
	}
	return -1, purser.NotAssigned
}

// Claimed reports whether the session holds a leg of the contact, in whatever
// phase.
func (b *Book) Claimed(c purser.ContactID, s purser.SessionID) bool {
	r, ok := b.contacts.Get(c)
	return ok && r.heldBy(s) >= 0
}

func (b *Book) applyClaim(e *purser.Claim, at purser.Stamp) error {
	if e.Reason != purser.Allowed {
		return nil
	}
	r, ok := b.contacts.Get(e.Contact)
	if !ok {
		return ErrImpossible
	}
	i, _ := b.claimable(&r, e.Who)
	if i < 0 {
		return ErrImpossible
	}
	r.Legs[i].Who = e.Who
	b.resume(e.Contact, &r, e.Who, at)
	b.contacts.Put(e.Contact, r)
	return nil
}

// sessionOpened ends the person's earlier desk session here as it does
// everywhere.
func (b *Book) sessionOpened(e *purser.SessionOpened) {
	if e.Reason != purser.Allowed || e.Level != purser.LevelDesk {
		return
	}
	b.release(func(who purser.Actor) bool {
		return who.Person == e.Who.Person && who.Session != e.Who.Session
	})
}

// release takes the session off every leg it held. The person stays on it.
func (b *Book) release(ended func(purser.Actor) bool) {
	var held []purser.ContactID
	for id, r := range b.contacts.All() {
		for i := range r.Legs {
			if who := r.Legs[i].Who; !who.Session.Zero() && ended(who) {
				held = append(held, id)
				break
			}
		}
	}
	for _, id := range held {
		r, _ := b.contacts.Get(id)
		for i := range r.Legs {
			if who := &r.Legs[i].Who; !who.Session.Zero() && ended(*who) {
				who.Session = purser.SessionID{}
			}
		}
		b.contacts.Put(id, r)
	}
}

// resumable remembers a contact that a call back may resume.
func (b *Book) resumable(c purser.ContactID, r *row, s *sourceRow) {
	if r.Customer == 0 || r.Emergency || r.Resumed || r.Outbound || r.Bare || !s.attests(r) {
		return
	}
	b.hungUp.Put(callerKey{r.Source, r.Caller}, c)
}

// resume gives a call back the verification of the call before it: once, from
// the same attested number, within five minutes of the hang-up, to the session
// that held it. Whoever the verification came through still counts.
func (b *Book) resume(c purser.ContactID, r *row, who purser.Actor, at purser.Stamp) {
	src, _ := b.sources.Get(r.Source)
	if r.Customer != 0 || r.Undone || r.Resumed || r.Outbound || r.Bare || !src.attests(r) {
		return
	}
	k := callerKey{r.Source, r.Caller}
	id, ok := b.hungUp.Get(k)
	if !ok || id == c {
		return
	}
	was, ok := b.contacts.Get(id)
	if !ok || was.Resumed || was.Customer == 0 || r.Opened < was.HungUpAt || over(was.HungUpAt, Resume, at) || was.heldBy(who.Session) < 0 {
		return
	}
	r.Customer, r.Present, r.Assurance, r.Linked = was.Customer, was.Present, was.Assurance, was.Linked
	r.LinkedEver, r.Earlier = was.LinkedEver, was.Earlier
	r.Resumed, was.Resumed = true, true
	b.contacts.Put(id, was)
	b.hungUp.Delete(k)
}
