package keep

import (
	"slices"

	"purser"
)

// Apply folds in what amends, holds, lets expire and erases; other kinds change
// nothing.
func (b *Book) Apply(h purser.Header, e purser.Entry) error {
	if d, ok := e.(purser.Decision); ok && d.Refused() != purser.Allowed {
		return nil
	}
	switch e := e.(type) {
	case *purser.Amend:
		for bit := range purser.MaxField + 1 {
			if e.Channels.Has(bit) {
				b.fresh.Put(channel{e.Customer, bit}, h.Stamp)
			}
		}
	case *purser.Erase:
		return b.erase(h, e)
	case *purser.Expired:
		if len(b.Free(e.Customers)) != len(e.Customers) {
			return errImpossible
		}
	case *purser.HoldPlaced:
		return b.place(h, e)
	case *purser.HoldLift:
		return b.lift(h, e)
	}
	return nil
}

func (b *Book) erase(h purser.Header, e *purser.Erase) error {
	if b.destroyable(e.Customer) != purser.Allowed {
		return errImpossible
	}
	if !e.Done {
		b.votes.Put(e.Customer, vote{Vote{e.By, e.As, h.Stamp}, e.Cause})
		return nil
	}
	first, voted := b.votes.Get(e.Customer)
	if e.Cause != purser.EraseRetention && (!voted || first.Who.Person == e.By.Person || first.As == e.As) {
		return errImpossible
	}
	b.votes.Delete(e.Customer)
	for bit := range purser.MaxField + 1 {
		b.fresh.Delete(channel{e.Customer, bit})
	}
	b.erased.Put(e.Customer, Erasure{Pos: h.Pos, Until: e.Until})
	return nil
}

func (b *Book) place(h purser.Header, e *purser.HoldPlaced) error {
	if _, used := b.holds.Get(e.Hold); used {
		return errImpossible
	}
	b.holds.Put(e.Hold, Hold{
		All: e.All, Customers: slices.Clone(e.Customers), Matter: e.Matter, By: e.By, As: e.As, Placed: h.Stamp, Review: e.Review,
	})
	b.count(e.All, e.Customers, func(n uint16) uint16 { return n + 1 })
	return nil
}

func (b *Book) lift(h purser.Header, e *purser.HoldLift) error {
	hold, ok := b.holds.Get(e.Hold)
	if !ok {
		return errImpossible
	}
	if !e.Lifted {
		hold.First = Vote{e.By, e.As, h.Stamp}
		b.holds.Put(e.Hold, hold)
		return nil
	}
	if hold.First.Who.Person.Zero() || hold.First.Who.Person == e.By.Person || hold.First.As == e.As {
		return errImpossible
	}
	b.holds.Delete(e.Hold)
	b.count(hold.All, hold.Customers, func(n uint16) uint16 { return n - 1 })
	return nil
}

// count changes how many holds name each of the customers, or everybody.
func (b *Book) count(all bool, customers []purser.Ordinal, change func(uint16) uint16) {
	if all {
		b.all.Put(change(b.all.Get()))
	}
	for _, o := range customers {
		n, _ := b.named.Get(o)
		if n = change(n); n == 0 {
			b.named.Delete(o)
		} else {
			b.named.Put(o, n)
		}
	}
}

// Sweep drops, once an hour, changes of channels and votes that are too old to
// matter. Holds and erasures stay.
func (b *Book) Sweep(at purser.Stamp) {
	this := at - at%purser.Hour
	if this == b.swept.Get() {
		return
	}
	b.swept.Put(this)
	for c, changed := range b.fresh.All() {
		if changed+ChannelAge <= at {
			b.fresh.Delete(c)
		}
	}
	for o, first := range b.votes.All() {
		if first.At+VoteLife <= at {
			b.votes.Delete(o)
		}
	}
}

// Commit keeps what was applied.
func (b *Book) Commit() {
	b.holds.Commit()
	b.erased.Commit()
	b.votes.Commit()
	b.fresh.Commit()
	b.swept.Commit()
	b.named.Commit()
	b.all.Commit()
}

// Discard forgets what was applied since the last Commit.
func (b *Book) Discard() {
	b.holds.Discard()
	b.erased.Discard()
	b.votes.Discard()
	b.fresh.Discard()
	b.swept.Discard()
	b.named.Discard()
	b.all.Discard()
}

// Widths in bytes of what the snapshot holds.
const (
	actorWidth = 64
	voteWidth  = actorWidth + 2 + 8
	holdWidth  = 16 + 1 + 2 + 16 + actorWidth + 2 + 8 + 8 + voteWidth
)

// Code writes the book, or reads one into a new Book.
func (b *Book) Code(c *purser.Coder) {
	b.holds.Code(c, holdWidth, func(c *purser.Coder, id *purser.HoldID) { id.Code(c) }, codeHold)
	b.erased.Code(c, 4+8+8, codeOrdinal, codeErasure)
	b.votes.Code(c, 4+voteWidth+1, codeOrdinal, codeVote)
	b.fresh.Code(c, 4+1+8, codeChannel, func(c *purser.Coder, s *purser.Stamp) { c.Stamp(s) })
	at := b.swept.Get()
	c.Stamp(&at)
	if !c.Reading() || c.Err() != nil {
		return
	}
	b.swept.Put(at)
	b.swept.Commit()
	for _, hold := range b.holds.All() {
		b.count(hold.All, hold.Customers, func(n uint16) uint16 { return n + 1 })
	}
	b.named.Commit()
	b.all.Commit()
}

func codeOrdinal(c *purser.Coder, o *purser.Ordinal) { c.Ordinal(o) }

func codeHold(c *purser.Coder, h *Hold) {
	c.Flag(&h.All)
	c.Ordinals(&h.Customers)
	h.Matter.Code(c)
	h.By.Code(c)
	h.As.Code(c)
	c.Stamp(&h.Placed)
	c.Stamp(&h.Review)
	h.First.code(c)
}

func (v *Vote) code(c *purser.Coder) {
	v.Who.Code(c)
	v.As.Code(c)
	c.Stamp(&v.At)
}

func codeErasure(c *purser.Coder, e *Erasure) {
	c.Pos(&e.Pos)
	c.Stamp(&e.Until)
}

func codeVote(c *purser.Coder, v *vote) {
	v.Vote.code(c)
	c.U8((*uint8)(&v.cause))
	if v.cause > purser.EraseOrder {
		c.Fail()
	}
}

func codeChannel(c *purser.Coder, k *channel) {
	c.Ordinal(&k.customer)
	c.U8((*uint8)(&k.bit))
	if k.bit > purser.MaxField {
		c.Fail()
	}
}
