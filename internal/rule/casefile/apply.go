package casefile

import "purser"

// Apply folds CaseOpened, CaseChanged and NoteAdded; other kinds, and whatever
// was refused, change nothing. from is the origin of what the entry's contact
// binds, and belongs to the book from here on.
func (b *Book) Apply(h purser.Header, e purser.Entry, from Origin) error {
	if d, ok := e.(purser.Decision); ok && d.Refused() != purser.Allowed {
		return nil
	}
	switch e := e.(type) {
	case *purser.CaseOpened:
		return b.opened(e, from, h.Stamp)
	case *purser.CaseChanged:
		return b.changed(e, from, h.Stamp)
	case *purser.NoteAdded:
		return b.noted(e, h.Stamp)
	}
	return nil
}

func (b *Book) opened(e *purser.CaseOpened, from Origin, at purser.Stamp) error {
	if b.Open(e) != purser.Allowed {
		return ErrImpossible
	}
	b.cases.Put(e.Case, Case{
		Customer: e.Customer, Contact: e.Contact, Vendor: e.Who.Vendor, Team: e.Who.Team,
		Assurance: e.Assurance, State: purser.CaseOpen, Topic: e.Topic, Opened: at, Changed: at, Origin: from,
	})
	row, _ := b.spent.Get(work(e.Contact))
	row.Cases++
	row.Last = at
	b.spent.Put(work(e.Contact), row)
	return nil
}

// changed gives the case what the entry says it is from now on.
func (b *Book) changed(e *purser.CaseChanged, from Origin, at purser.Stamp) error {
	c, ok := b.cases.Get(e.Case)
	if !ok || (c.Customer != 0 && c.Customer != e.Customer) || !b.spend(workOf(e.Contact, e.Mandate), at) {
		return ErrImpossible
	}
	if c.Customer == 0 && e.Customer != 0 {
		c.Customer, c.Assurance, c.Origin = e.Customer, e.Assurance, from
	}
	if e.State == purser.CaseSolved {
		c.Origin = Origin{} // nothing opens under it any more
	}
	c.State, c.Topic, c.Changed = e.State, e.Topic, at
	b.cases.Put(e.Case, c)
	return nil
}

func (b *Book) noted(e *purser.NoteAdded, at purser.Stamp) error {
	if !b.spend(workOf(e.Contact, e.Mandate), at) {
		return ErrImpossible
	}
	if e.Case.Zero() {
		return nil
	}
	c, ok := b.cases.Get(e.Case)
	if !ok {
		return ErrImpossible
	}
	c.Changed = at
	b.cases.Put(e.Case, c)
	return nil
}

// spend counts one note or move, unless there is none left.
func (b *Book) spend(where work, at purser.Stamp) bool {
	row, _ := b.spent.Get(where)
	if row.Notes >= MostNotes {
		return false
	}
	row.Notes++
	row.Last = at
	b.spent.Put(where, row)
	return true
}

// Commit keeps what was applied.
func (b *Book) Commit() { b.cases.Commit(); b.spent.Commit(); b.swept.Commit() }

// Discard forgets what was applied since the last Commit.
func (b *Book) Discard() { b.cases.Discard(); b.spent.Discard(); b.swept.Discard() }

// Sweep drops what can no longer matter at a stamp. There may be many cases, so
// it looks once an hour.
func (b *Book) Sweep(at purser.Stamp) {
	if at/purser.Hour == b.swept.Get()/purser.Hour {
		return
	}
	b.swept.Put(at)
	var gone []purser.CaseID
	for id, c := range b.cases.All() {
		if c.gone(at) {
			gone = append(gone, id)
		}
	}
	for _, id := range gone {
		b.cases.Delete(id)
	}
	var done []work
	for where, row := range b.spent.All() {
		if at-row.Last > keepSpent {
			done = append(done, where)
		}
	}
	for _, where := range done {
		b.spent.Delete(where)
	}
}

// Code writes the book, or reads one into an empty Book.
func (b *Book) Code(c *purser.Coder) {
	b.cases.Code(c, 16+4+3*16+3+2*8+16+2, codeCaseID, codeCase)
	b.spent.Code(c, 16+2+8, codeWork, codeSpent)
	swept := b.swept.Get()
	c.Stamp(&swept)
	if c.Reading() {
		b.swept.Put(swept)
		b.swept.Commit()
	}
}

func codeCaseID(c *purser.Coder, id *purser.CaseID) { id.Code(c) }

func codeWork(c *purser.Coder, w *work) { c.Fixed(w[:]) }

func codeCase(c *purser.Coder, v *Case) {
	c.Ordinal(&v.Customer)
	v.Contact.Code(c)
	v.Vendor.Code(c)
	v.Team.Code(c)
	v.Assurance.Code(c)
	if c.U8((*uint8)(&v.State)); v.State > purser.CaseSolved {
		c.Fail()
	}
	c.U8((*uint8)(&v.Topic))
	c.Stamp(&v.Opened)
	c.Stamp(&v.Changed)
	v.Origin.Source.Code(c)
	n := c.Count(len(v.Origin.Through), 4*16)
	if c.Reading() && n > 0 {
		v.Origin.Through = make([]purser.Actor, n)
	}
	for i := range v.Origin.Through {
		v.Origin.Through[i].Code(c)
	}
}

func codeSpent(c *purser.Coder, s *spent) {
	c.U8(&s.Cases)
	c.U8(&s.Notes)
	c.Stamp(&s.Last)
}
