package mandate

import (
	"bytes"

	"purser"
)

// Apply folds one entry in, uncommitted.
func (b *Book) Apply(h purser.Header, e purser.Entry) error {
	if d, ok := e.(purser.Decision); ok && d.Refused() != purser.Allowed {
		return nil
	}
	switch e := e.(type) {
	case *purser.MandateAsked:
		return b.add(e.Mandate, Mandate{
			For: e.For, By: e.By, As: e.As, Customers: e.Customers, UpTo: e.UpTo, Fields: e.Fields, Purpose: e.Purpose,
			Authority: e.Authority, Recipient: e.Recipient, Gag: e.Gag, Asked: h.Stamp, Expires: e.Expires,
		})
	case *purser.MandateAssigned:
		b.held.Put(e.To.Person, e.Mandate)
		return b.add(e.Mandate, Mandate{
			For: e.For, To: e.To, Case: e.Case, Customers: []purser.Ordinal{e.Customer}, Fields: e.Fields,
			Assurance: e.Assurance, Asked: h.Stamp, Expires: e.Expires,
		})
	case *purser.MandateApproved:
		return b.change(e.Mandate, func(m *Mandate) { m.Approver, m.ApprovedAs, m.Approved = e.By, e.As, h.Stamp })
	case *purser.MandateEnded:
		return b.change(e.Mandate, func(m *Mandate) { m.Ended = h.Stamp })
	case *purser.Released:
		return b.change(e.Mandate, func(m *Mandate) {
			m.Released += uint64(len(e.Customers))
			if e.To == purser.DeliverDial {
				m.Dials = min(m.Dials+1, MostDials)
			}
		})
	case *purser.Disclosure:
		if !e.Mandate.Zero() {
			return b.change(e.Mandate, func(m *Mandate) { m.Shown = true })
		}
	case *purser.CaseChanged:
		if e.State == purser.CaseSolved {
			b.solved(e.Case, h.Stamp)
		}
	}
	return nil
}

func (b *Book) add(id purser.MandateID, m Mandate) error {
	if _, used := b.mandates.Get(id); used || id.Zero() {
		return errImpossible
	}
	b.mandates.Put(id, m)
	return nil
}

func (b *Book) change(id purser.MandateID, how func(*Mandate)) error {
	m, ok := b.mandates.Get(id)
	if !ok {
		return errImpossible
	}
	how(&m)
	b.mandates.Put(id, m)
	return nil
}

// solved ends what was assigned for a case: there is nothing left to work on.
func (b *Book) solved(c purser.CaseID, at purser.Stamp) {
	var ended []purser.MandateID
	for id, m := range b.mandates.All() {
		if m.Case == c && Assigned(m.For) && !m.Over(at) {
			ended = append(ended, id)
		}
	}
	for _, id := range ended {
		m, _ := b.mandates.Get(id)
		m.Ended = at
		b.mandates.Put(id, m)
	}
}

// Sweep drops mandates that have been over for long.
func (b *Book) Sweep(at purser.Stamp) {
	var gone []purser.MandateID
	for id, m := range b.mandates.All() {
		if end := m.end(); end+keep <= at {
			gone = append(gone, id)
		}
	}
	for _, id := range gone {
		m, _ := b.mandates.Get(id)
		if last, ok := b.held.Get(m.To.Person); ok && last == id {
			b.held.Delete(m.To.Person)
		}
		b.mandates.Delete(id)
	}
}

// end is when the mandate is, or was, over.
func (m *Mandate) end() purser.Stamp {
	if m.Ended != 0 {
		return min(m.Ended, m.Expires)
	}
	return m.Expires
}

// Commit keeps what was applied.
func (b *Book) Commit() { b.mandates.Commit(); b.held.Commit() }

// Discard forgets what was applied since the last Commit.
func (b *Book) Discard() { b.mandates.Discard(); b.held.Discard() }

// Code writes the book, or reads one into a new Book.
func (b *Book) Code(c *purser.Coder) {
	const least = 16 + 1 + 3*64 + 2*2 + 2 + 4 + 2*16 + 8 + 16 + 1 + 4 + 1 + 4*8 + 8 + 1 + 1
	b.mandates.Code(c, least, codeID, codeMandate)
	if !c.Reading() || c.Err() != nil {
		return
	}
	for id, m := range b.mandates.All() {
		if Assigned(m.For) && b.newer(id, &m) {
			b.held.Put(m.To.Person, id)
		}
	}
	b.held.Commit()
}

// newer reports whether m replaces what is known to be held by its person. Of
// two that were assigned at one stamp the first had ended before.
func (b *Book) newer(id purser.MandateID, m *Mandate) bool {
	last, ok := b.held.Get(m.To.Person)
	if !ok {
		return true
	}
	before, _ := b.mandates.Get(last)
	if before.Asked != m.Asked {
		return before.Asked < m.Asked
	}
	if (before.Ended == 0) != (m.Ended == 0) {
		return m.Ended == 0
	}
	return compareIDs(last, id) < 0 // both are over: which of them matters to nobody
}

func codeID(c *purser.Coder, id *purser.MandateID) { id.Code(c) }

func compareIDs(a, b purser.MandateID) int { return bytes.Compare(a[:], b[:]) }

func codeMandate(c *purser.Coder, m *Mandate) {
	c.U8((*uint8)(&m.For))
	m.By.Code(c)
	m.As.Code(c)
	m.Approver.Code(c)
	m.ApprovedAs.Code(c)
	m.To.Code(c)
	c.Ordinals(&m.Customers)
	c.Ordinal(&m.UpTo)
	m.Authority.Code(c)
	m.Recipient.Code(c)
	c.Stamp(&m.Gag)
	m.Case.Code(c)
	m.Assurance.Code(c)
	m.Fields.Code(c)
	c.U8((*uint8)(&m.Purpose))
	c.Stamp(&m.Asked)
	c.Stamp(&m.Approved)
	c.Stamp(&m.Expires)
	c.Stamp(&m.Ended)
	c.U64(&m.Released)
	c.U8(&m.Dials)
	c.Flag(&m.Shown)
}
