package budget

import (
	"purser"
	"purser/internal/rule/overlay"
)

// The windows; compiled constants, never assigned.
var (
	hour  = overlay.Span{Buckets: 12, Width: 5 * purser.Minute}
	day   = overlay.Span{Buckets: 24, Width: purser.Hour}
	month = overlay.Span{Buckets: 24, Width: 30 * purser.Hour}
	// binding is shorter than day by more than a contact lives: whatever was
	// bound within it was claimed within day. Were they equal, a claim would
	// leave its window before the binding it paid for, and refuse the next.
	binding = overlay.Span{Buckets: 20, Width: purser.Hour}
)

const (
	// pendingSpan is how long an attempt or a send waits for its result
	// before it counts as failed or sent for good.
	pendingSpan = purser.Minute
	// contactSpan is how long a contact's row is kept; contacts live 3 hours.
	contactSpan = purser.Day
)

// shown counts what a person was shown.
type shown struct {
	hour, day, weak overlay.Window
	today           personDay
}

// personDay is how many weak contacts a person had on one day in one vendor.
type personDay struct {
	vendor purser.VendorID
	day    int64 // days since the Unix epoch
	weak   uint8 // at most weakBins-1
}

// tries counts what a person tried. claimed also counts bindings that a lead
// took back: each gives its contact one more. open attempts have no result yet.
type tries struct {
	claimed, bound, linked, failed, broken, amended overlay.Window
	open                                            uint16
}

// against counts failures against, and codes to, whoever is behind one tag.
type against struct {
	failedDay, failedMonth, sent overlay.Window
	open, sending                uint16
}

// contact is what budgets must know of one contact: to which vendors it was
// delivered (the first two count) and what was bound in it.
type contact struct {
	seen        purser.Stamp
	vendors     [2]purser.VendorID
	delivered   bool            // its source said that it was connected
	binder      purser.PersonID // who bound a customer by match; zero: nobody
	linked      uint8
	linkedShown uint8
	open        uint8
}

// pending is an attempt, or a send, that has no result yet.
type pending struct {
	at      purser.Stamp
	person  purser.PersonID
	contact purser.ContactID
	tag     purser.Tag
	send    bool
}

// Apply counts an entry. Refused ones change nothing here: a refused attempt
// compared nothing. It never fails on what a decision allowed.
func (s *Sheet) Apply(h purser.Header, e purser.Entry) error {
	if d, ok := e.(purser.Decision); ok && d.Refused() != purser.Allowed {
		s.refused(h, e)
		return nil
	}
	switch e := e.(type) {
	case *purser.Start:
		s.lapse(h.Stamp, 0)
	case *purser.SourceSet:
		s.sources.Put(e.Source, e.Vendor)
	case *purser.Configuration:
		s.configure(e)
	case *purser.ContactEvent:
		s.event(e, h.Stamp)
	case *purser.Claim:
		s.claim(e, h.Stamp)
	case *purser.Attempt:
		if compares(e.Way) {
			s.begin(h, pending{h.Stamp, e.Who.Person, e.Contact, e.Tag, false})
		}
	case *purser.AttemptResult:
		s.bind(e, h.Stamp)
	case *purser.CodeSent:
		s.begin(h, pending{h.Stamp, e.Who.Person, e.Contact, e.Tag, true})
	case *purser.CodeResult:
		if p, ok := s.end(e.Sent); ok {
			s.send(p.tag, h.Stamp)
		}
	case *purser.BreakGlass:
		s.try(e.Who.Person, func(t *tries) { t.broken = t.broken.Add(day, h.Stamp, 1) })
	case *purser.BindingUndone:
		s.undo(e, h.Stamp)
	case *purser.Disclosure:
		s.disclose(e, h.Stamp)
	case *purser.Amend:
		s.amend(e, h.Stamp)
	}
	return nil
}

func (s *Sheet) amend(e *purser.Amend, at purser.Stamp) {
	s.try(e.Who.Person, func(t *tries) { t.amended = t.amended.Add(day, at, uint16(e.Fields.Len())) })
}

// refused counts the entries that say no and still end or spend something.
func (s *Sheet) refused(h purser.Header, e purser.Entry) {
	switch e := e.(type) {
	case *purser.Attempt:
		// A try that was not even compared costs the agent what a wrong one
		// does: were it free, a customer who is limited could be told apart.
		if compares(e.Way) && !e.Reason.OfAsker() && !e.Who.Person.Zero() {
			s.try(e.Who.Person, func(t *tries) { t.failed = t.failed.Add(day, h.Stamp, 1) })
		}
	case *purser.AttemptResult:
		if p, ok := s.end(e.Attempt); ok {
			s.fail(p, h.Stamp)
		}
	case *purser.CodeResult:
		s.end(e.Sent) // nothing was sent
	case *purser.CodeTried:
		// Whatever reads the same costs the same (L5), for an agent who tried.
		if !e.Reason.OfAsker() && !e.Who.Person.Zero() {
			s.try(e.Who.Person, func(t *tries) { t.failed = t.failed.Add(day, h.Stamp, 1) })
		}
	case *purser.BreakGlass:
		if e.Reason.Answer() == purser.NotEnough {
			s.try(e.Who.Person, func(t *tries) { t.broken = t.broken.Add(day, h.Stamp, 1) })
		}
	case *purser.Amend:
		if e.Reason.Answer() == purser.NotEnough { // the asker was told that it was written
			s.amend(e, h.Stamp)
		}
	}
}

func (s *Sheet) try(who purser.PersonID, change func(*tries)) {
	row, _ := s.tries.Get(who)
	change(&row)
	s.tries.Put(who, row)
}

func (s *Sheet) tag(t purser.Tag, change func(*against)) {
	if t == 0 {
		return
	}
	row, _ := s.tags.Get(t)
	change(&row)
	s.tags.Put(t, row)
}

func (s *Sheet) contact(c purser.ContactID, at purser.Stamp, change func(*contact)) {
	row, ok := s.contacts.Get(c)
	if !ok {
		row.seen = at
	}
	change(&row)
	s.contacts.Put(c, row)
}

// event counts contacts that a source delivered to its vendor: each once, when
// it is first said to be connected, or live in a snapshot.
func (s *Sheet) event(e *purser.ContactEvent, at purser.Stamp) {
	v, ok := s.sources.Get(e.Source)
	if !ok {
		return
	}
	if e.Event == purser.EventConnected {
		s.deliver(e.Contact, v, at)
	}
	for _, live := range e.Live {
		s.deliver(live.Contact, v, at)
	}
}

func (s *Sheet) deliver(c purser.ContactID, v purser.VendorID, at purser.Stamp) {
	if row, _ := s.contacts.Get(c); row.delivered {
		return
	}
	s.contact(c, at, func(row *contact) {
		row.delivered = true
		s.count(row, v, at)
	})
}

// count adds the contact to a vendor's delivered ones unless it was there
// already, or two vendors had it.
func (s *Sheet) count(row *contact, v purser.VendorID, at purser.Stamp) {
	for i := range row.vendors {
		if row.vendors[i] == v {
			return
		}
		if row.vendors[i].Zero() {
			row.vendors[i] = v
			s.vendor(v, at, func(r *vendor) { r.delivered = r.delivered.Add(day, at, 1) })
			return
		}
	}
}

// claim counts a claimed contact for its person, and for his vendor when it
// was transferred there from another.
func (s *Sheet) claim(e *purser.Claim, at purser.Stamp) {
	s.try(e.Who.Person, func(t *tries) { t.claimed = t.claimed.Add(day, at, 1) })
	s.contact(e.Contact, at, func(row *contact) { s.count(row, e.Who.Vendor, at) })
}

// begin notes an attempt or a send that waits for its result.
func (s *Sheet) begin(h purser.Header, p pending) {
	s.pending.Put(h.Pos, p)
	if p.send {
		s.tag(p.tag, func(a *against) { a.sending++ })
		return
	}
	s.try(p.person, func(t *tries) { t.open++ })
	s.tag(p.tag, func(a *against) { a.open++ })
	s.contact(p.contact, p.at, func(row *contact) { row.open = up(row.open) })
}

// end takes what waited at pos out of the open ones.
func (s *Sheet) end(pos purser.Pos) (pending, bool) {
	p, ok := s.pending.Get(pos)
	if !ok {
		return p, false
	}
	s.pending.Delete(pos)
	if p.send {
		s.tag(p.tag, func(a *against) { a.sending-- })
		return p, true
	}
	s.try(p.person, func(t *tries) { t.open-- })
	s.tag(p.tag, func(a *against) { a.open-- })
	s.contact(p.contact, p.at, func(row *contact) { row.open -= min(row.open, 1) })
	return p, true
}

// lapse settles, against whoever tried and as of then, what has waited longer
// than span. After a start nothing of the process before can still get its
// result.
func (s *Sheet) lapse(at, span purser.Stamp) {
	var late []purser.Pos
	for pos, p := range s.pending.All() {
		if p.at+span <= at {
			late = append(late, pos)
		}
	}
	for _, pos := range late {
		if p, _ := s.end(pos); p.send {
			s.send(p.tag, p.at)
		} else {
			s.fail(p, p.at)
		}
	}
}

func (s *Sheet) fail(p pending, at purser.Stamp) {
	s.try(p.person, func(t *tries) { t.failed = t.failed.Add(day, at, 1) })
	s.tag(p.tag, func(a *against) {
		a.failedDay = a.failedDay.Add(day, at, 1)
		a.failedMonth = a.failedMonth.Add(month, at, 1)
	})
}

func (s *Sheet) send(t purser.Tag, at purser.Stamp) {
	s.tag(t, func(a *against) { a.sent = a.sent.Add(day, at, 1) })
}

// compares reports whether a way guesses at what is stored. A number is
// compared beside a match, as a part of the same attempt.
func compares(w purser.Way) bool { return w == purser.WayMatch || w == purser.WayNumber }

// bind counts a customer bound by a match, with the caller's number or without.
// What proves more of a customer who is bound already binds nobody.
func (s *Sheet) bind(e *purser.AttemptResult, at purser.Stamp) {
	s.end(e.Attempt)
	if !compares(e.Way) {
		return
	}
	if e.Linked {
		s.try(e.Who.Person, func(t *tries) { t.linked = t.linked.Add(day, at, 1) })
		s.contact(e.Contact, at, func(row *contact) { row.linked = up(row.linked) })
		return
	}
	if row, _ := s.contacts.Get(e.Contact); !row.binder.Zero() {
		return
	}
	s.try(e.Who.Person, func(t *tries) { t.bound = t.bound.Add(binding, at, 1) })
	s.contact(e.Contact, at, func(row *contact) { row.binder = e.Who.Person })
}

// undo gives the person whose binding was taken back one more.
func (s *Sheet) undo(e *purser.BindingUndone, at purser.Stamp) {
	row, _ := s.contacts.Get(e.Contact)
	if row.binder.Zero() {
		return
	}
	s.try(row.binder, func(t *tries) { t.claimed = t.claimed.Add(day, at, 1) })
	s.contact(e.Contact, at, func(row *contact) { row.binder = purser.PersonID{} })
}

func (s *Sheet) disclose(e *purser.Disclosure, at purser.Stamp) {
	if e.Flags&purser.FirstDisclosure == 0 {
		return
	}
	weak := e.Flags&purser.WeakDisclosure != 0
	row, _ := s.shown.Get(e.Who.Person)
	row.hour = row.hour.Add(hour, at, 1)
	row.day = row.day.Add(day, at, 1)
	if weak {
		row.weak = row.weak.Add(day, at, 1)
	}
	s.vendor(e.Who.Vendor, at, func(v *vendor) {
		v.shown = v.shown.Add(day, at, 1)
		row.today = v.mark(row.today, e.Who.Vendor, weak)
	})
	s.shown.Put(e.Who.Person, row)
	if e.Flags&purser.LinkedDisclosure != 0 {
		s.contact(e.Contact, at, func(row *contact) { row.linkedShown = up(row.linkedShown) })
	}
}

// up adds one and stops at the top.
func up(n uint8) uint8 { return n + min(1, 255-n) }
