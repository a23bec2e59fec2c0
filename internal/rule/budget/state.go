package budget

import "purser"

// Sweep settles what waited too long for its result and moves vendors to a new
// day; once an hour it drops rows that can no longer count. The fold calls it
// when stamps enter a new minute, after it applied the entry.
func (s *Sheet) Sweep(at purser.Stamp) {
	s.lapse(at, pendingSpan)
	var late []purser.VendorID
	for id, row := range s.vendors.All() {
		if row.today.day != dayOf(at) {
			late = append(late, id)
		}
	}
	for _, id := range late {
		s.vendor(id, at, func(*vendor) {})
	}
	if this := at - at%purser.Hour; this != s.swept.Get() {
		s.swept.Put(this)
		s.drop(at)
	}
}

// drop deletes the rows in which nothing is left to count.
func (s *Sheet) drop(at purser.Stamp) {
	for who, row := range s.shown.All() {
		if row.hour.Idle(hour, at) && row.day.Idle(day, at) && row.today.day != dayOf(at) {
			s.shown.Delete(who)
		}
	}
	for who, row := range s.tries.All() {
		if row.open == 0 && row.claimed.Idle(day, at) && row.bound.Idle(binding, at) &&
			row.linked.Idle(day, at) && row.failed.Idle(day, at) && row.broken.Idle(day, at) && row.amended.Idle(day, at) {
			s.tries.Delete(who)
		}
	}
	for tag, row := range s.tags.All() {
		if row.open == 0 && row.sending == 0 && row.failedMonth.Idle(month, at) && row.sent.Idle(day, at) {
			s.tags.Delete(tag)
		}
	}
	for id, row := range s.contacts.All() {
		if row.seen+contactSpan <= at && row.open == 0 {
			s.contacts.Delete(id)
		}
	}
}

// Commit keeps what was counted.
func (s *Sheet) Commit() {
	s.shown.Commit()
	s.tries.Commit()
	s.tags.Commit()
	s.contacts.Commit()
	s.vendors.Commit()
	s.weak.Commit()
	s.sources.Commit()
	s.pending.Commit()
	s.tighter.Commit()
	s.swept.Commit()
}

// Discard forgets what was counted since the last Commit.
func (s *Sheet) Discard() {
	s.shown.Discard()
	s.tries.Discard()
	s.tags.Discard()
	s.contacts.Discard()
	s.vendors.Discard()
	s.weak.Discard()
	s.sources.Discard()
	s.pending.Discard()
	s.tighter.Discard()
	s.swept.Discard()
}

// Widths in bytes of what the snapshot holds.
const (
	window    = 8 + 25*2
	histWidth = 8 + 2*weakBins
)

// Code writes the counters, or reads them into an empty Sheet.
func (s *Sheet) Code(c *purser.Coder) {
	s.shown.Code(c, 16+3*window+25, codeID, codeShown)
	s.tries.Code(c, 16+6*window+2, codeID, codeTries)
	s.tags.Code(c, 8+3*window+4, codeTag, codeAgainst)
	s.contacts.Code(c, 16+8+32+1+16+3, codeID, codeContact)
	s.vendors.Code(c, 16+2*window+histWidth+1, codeID, codeVendor)
	s.weak.Code(c, 17+histWidth, codeVendorDay, codeHistogram)
	s.sources.Code(c, 32, codeID, codeID)
	s.pending.Code(c, 8+8+16+16+8+1, codePos, codePending)
	s.tighter.Code(c, 17+4, codeSetting, codeValue)
	at := s.swept.Get()
	c.Stamp(&at)
	if c.Reading() {
		s.swept.Put(at)
		s.swept.Commit()
	}
}

func codeID[I ~[16]byte](c *purser.Coder, id *I) {
	b := [16]byte(*id)
	c.Fixed(b[:])
	*id = I(b)
}

func codePos(c *purser.Coder, p *purser.Pos) { c.Pos(p) }
func codeTag(c *purser.Coder, t *purser.Tag) { t.Code(c) }
func codeValue(c *purser.Coder, v *uint32)   { c.U32(v) }

func codeShown(c *purser.Coder, r *shown) {
	r.hour.Code(c)
	r.day.Code(c)
	r.weak.Code(c)
	r.today.vendor.Code(c)
	c.I64(&r.today.day)
	c.U8(&r.today.weak)
	if r.today.weak >= weakBins {
		c.Fail()
		r.today.weak = 0
	}
}

func codeTries(c *purser.Coder, r *tries) {
	r.claimed.Code(c)
	r.bound.Code(c)
	r.linked.Code(c)
	r.failed.Code(c)
	r.broken.Code(c)
	r.amended.Code(c)
	c.U16(&r.open)
}

func codeAgainst(c *purser.Coder, r *against) {
	r.failedDay.Code(c)
	r.failedMonth.Code(c)
	r.sent.Code(c)
	c.U16(&r.open)
	c.U16(&r.sending)
}

func codeContact(c *purser.Coder, r *contact) {
	c.Stamp(&r.seen)
	r.vendors[0].Code(c)
	r.vendors[1].Code(c)
	c.Flag(&r.delivered)
	r.binder.Code(c)
	c.U8(&r.linked)
	c.U8(&r.linkedShown)
	c.U8(&r.open)
}

func codeVendor(c *purser.Coder, r *vendor) {
	r.delivered.Code(c)
	r.shown.Code(c)
	codeHistogram(c, &r.today)
	c.U8(&r.median)
}

func codeVendorDay(c *purser.Coder, k *vendorDay) {
	k.vendor.Code(c)
	c.U8(&k.slot)
}

func codeHistogram(c *purser.Coder, h *histogram) {
	c.I64(&h.day)
	for i := range h.counts {
		c.U16(&h.counts[i])
	}
}

func codePending(c *purser.Coder, p *pending) {
	c.Stamp(&p.at)
	p.person.Code(c)
	p.contact.Code(c)
	p.tag.Code(c)
	c.Flag(&p.send)
}

func codeSetting(c *purser.Coder, k *setting) {
	k.vendor.Code(c)
	c.U8((*uint8)(&k.which))
}
