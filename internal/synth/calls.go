package synth

import (
	"purser"
	"purser/internal/fold"
	"purser/internal/rule/budget"
	"purser/internal/rule/contact"
)

// shown are the fields of a disclosure; which they are does not matter here.
const shown purser.FieldMask = 1 << 3

// phone makes a call: offered, connected, claimed, verified in one way or
// another, disclosed, over. Any step may be refused and the call goes on.
func (e *Entries) phone() []act {
	c := &call{id: e.id(), agent: e.draw(agents)}
	c.vendor = c.agent % 2
	customer := purser.Ordinal(1 + e.draw(40))
	acts := []act{e.awake(c.vendor), e.ready(c.agent), e.event(c, purser.EventOffered), e.event(c, purser.EventConnected), e.claim(c)}
	switch e.draw(6) {
	case 0:
		acts = append(acts, e.send(c, customer), e.sent(c), e.try(c, customer))
	case 1:
		acts = append(acts, e.breakGlass(c, customer), e.approve(c))
	default:
		acts = append(acts, e.attempt(c, customer), e.result(c, customer, false))
	}
	for range e.draw(4) {
		acts = append(acts, e.disclose(c, customer))
	}
	switch e.draw(5) {
	case 0:
		acts = append(acts, e.attempt(c, customer+1), e.result(c, customer+1, true), e.disclose(c, customer+1))
	case 1:
		acts = append(acts, e.undo(c))
	case 2:
		acts = append(acts, e.event(c, purser.EventHeld), e.disclose(c, customer))
	}
	return append(acts, e.event(c, purser.EventHungUp), e.event(c, purser.EventClosed))
}

// awake tells of no live contacts when the source has been silent.
func (e *Entries) awake(v int) act {
	return func(s *fold.State) purser.Entry {
		if !s.Contacts().Stale(e.vendor[v].source, e.at) {
			return nil
		}
		return e.report(s, v, purser.ContactEvent{Event: purser.EventSnapshot})
	}
}

// ready logs the agent in when he has no live session.
func (e *Entries) ready(i int) act {
	return func(s *fold.State) purser.Entry {
		if _, why := s.Standing().Live(e.cast[i].session, e.at); why == purser.Allowed {
			return nil
		}
		return e.login(i)(s)
	}
}

func (e *Entries) event(c *call, what purser.Event) act {
	return func(s *fold.State) purser.Entry {
		return e.report(s, c.vendor, purser.ContactEvent{
			Event: what, Contact: c.id, Agent: agentKey(c.agent), Caller: purser.Tag(1 + c.id[8]),
			Attested: purser.AttestCarrier,
		})
	}
}

// report numbers an event of a source; nothing is recorded of a source that
// may not speak. One in many comes again with other bytes.
func (e *Entries) report(s *fold.State, v int, event purser.ContactEvent) purser.Entry {
	from := &e.vendor[v]
	event.Source, event.Body = from.source, purser.Commitment(e.id())
	if from.seq == 0 || e.draw(300) > 0 {
		from.seq++
	}
	event.Seq = from.seq
	repeat, why := s.Contacts().Event(&event, e.at)
	if repeat || (why != purser.Allowed && why != purser.EventMismatch) {
		return nil
	}
	event.Reason = why
	return &event
}

func (e *Entries) claim(c *call) act {
	return func(s *fold.State) purser.Entry {
		who := e.who(c.agent)
		return &purser.Claim{Who: who, Contact: c.id, Reason: s.Contacts().Claim(c.id, who, e.at)}
	}
}

// tags are the customer's this month and last.
func (e *Entries) tags(customer purser.Ordinal) (now, last purser.Tag) {
	month := uint64(e.at / (30 * purser.Day))
	return purser.Tag(scramble(month<<32 | uint64(customer))), purser.Tag(scramble((month-1)<<32 | uint64(customer)))
}

func (e *Entries) attempt(c *call, customer purser.Ordinal) act {
	return func(s *fold.State) purser.Entry {
		who := e.who(c.agent)
		now, last := e.tags(customer)
		hold, why := s.Contacts().Verify(c.id, who.Session, e.at)
		why = first(why,
			s.Budgets().Attempt(who.Person, now, last, purser.WayMatch, e.at),
			s.Budgets().Bind(who.Person, c.id, hold.Customer != 0, e.at))
		c.attempt = s.Size()
		return &purser.Attempt{
			Who: who, Contact: c.id, Way: purser.WayMatch, Items: 3, Tag: now, Last: last,
			Customer: customer, Compare: shown, Reason: why,
		}
	}
}

// result ends the attempt: it may have been wrong, or never end.
func (e *Entries) result(c *call, customer purser.Ordinal, linked bool) act {
	return func(s *fold.State) purser.Entry {
		who := e.who(c.agent)
		now, last := e.tags(customer)
		entry := &purser.AttemptResult{
			Who: who, Contact: c.id, Attempt: c.attempt, Way: purser.WayMatch,
			Tag: now, Last: last, Customer: customer, Linked: linked,
		}
		switch e.draw(12) {
		case 0:
			return nil
		case 1, 2, 3:
			entry.Reason = purser.Wrong
			return entry
		}
		entry.Assurance, entry.Reason = s.Contacts().Bind(contact.Binding{
			Contact: c.id, Session: who.Session, Attempt: c.attempt, Way: purser.WayMatch, Customer: customer, Linked: linked,
		}, e.at)
		return entry
	}
}

func (e *Entries) send(c *call, customer purser.Ordinal) act {
	return func(s *fold.State) purser.Entry {
		who := e.who(c.agent)
		now, last := e.tags(customer)
		_, why := s.Contacts().Send(c.id, who.Session, e.at)
		c.sent = s.Size()
		return &purser.CodeSent{
			Who: who, Contact: c.id, Customer: customer, Tag: now, Last: last, Channel: shown,
			Digits: purser.Commitment{1}, Expires: e.at + contact.CodeLife,
			Reason: first(why, s.Budgets().Send(now, last, e.at)),
		}
	}
}

func (e *Entries) sent(c *call) act {
	return func(*fold.State) purser.Entry {
		switch e.draw(6) {
		case 0:
			return nil
		case 1:
			return &purser.CodeResult{Contact: c.id, Sent: c.sent, Reason: purser.SendFailed}
		}
		return &purser.CodeResult{Contact: c.id, Sent: c.sent}
	}
}

func (e *Entries) try(c *call, customer purser.Ordinal) act {
	return func(s *fold.State) purser.Entry {
		who := e.who(c.agent)
		digits := purser.Commitment{byte(1 + e.draw(2))}
		_, why := s.Contacts().Held(c.id, who.Session, e.at)
		_, gives, tried := s.Contacts().Try(c.id, purser.WayCode, digits, e.at)
		return &purser.CodeTried{
			Who: who, Contact: c.id, Way: purser.WayCode, Customer: customer, Assurance: gives, Reason: first(why, tried),
		}
	}
}

func (e *Entries) breakGlass(c *call, customer purser.Ordinal) act {
	return func(s *fold.State) purser.Entry {
		who := e.who(c.agent)
		now, last := e.tags(customer)
		_, why := s.Contacts().BreakGlass(c.id, who.Session, customer, e.at)
		c.asked = s.Size()
		return &purser.BreakGlass{
			Who: who, Contact: c.id, Customer: customer, Tag: now, Last: last,
			Emergency: purser.EmergencySafety, Reason: first(why, s.Budgets().BreakGlass(who, e.at)),
		}
	}
}

func (e *Entries) approve(c *call) act {
	return func(s *fold.State) purser.Entry {
		lead := e.who(agents + c.vendor)
		_, why := s.Contacts().ApproveBreakGlass(c.id, lead, c.asked, e.at)
		return &purser.BreakGlassApproved{Who: lead, Contact: c.id, Asked: c.asked, Reason: why}
	}
}

func (e *Entries) undo(c *call) act {
	return func(s *fold.State) purser.Entry {
		lead := e.who(agents + c.vendor)
		return &purser.BindingUndone{Who: lead, Contact: c.id, Reason: s.Contacts().Undo(c.id, lead, e.at)}
	}
}

// disclose asks for fields as the gate does: standing, contact, locks, budgets.
func (e *Entries) disclose(c *call, customer purser.Ordinal) act {
	return func(s *fold.State) purser.Entry {
		who := e.who(c.agent)
		live, standing := s.Standing().Live(who.Session, e.at)
		hold, held := s.Contacts().Held(c.id, who.Session, e.at)
		d := &purser.Disclosure{
			Who: who, Contact: c.id, Customer: hold.Customer, Asked: shown,
			Assurance: hold.Assurance, Path: purser.PathDesk,
		}
		if customer != hold.Customer && len(hold.Linked) > 0 {
			d.Customer, d.Flags = hold.Linked[0], purser.LinkedDisclosure
		}
		draft := budget.Draft{
			Who: who, Contact: c.id, First: hold.First(d.Customer), Weak: hold.Assurance <= purser.A1,
			Linked: d.Flags != 0,
		}
		d.Flags |= flags(draft, hold.Emergency)
		d.Reason = first(standing, held, bound(d.Customer), locked(s, who, live.SteppedUp, e.at), s.Budgets().Disclose(draft, e.at))
		if d.Reason == purser.Allowed {
			d.Shown = shown
		}
		return d
	}
}

func flags(d budget.Draft, emergency bool) purser.DisclosureFlags {
	var f purser.DisclosureFlags
	if d.First {
		f |= purser.FirstDisclosure
	}
	if d.First && d.Weak {
		f |= purser.WeakDisclosure
	}
	if emergency {
		f |= purser.BreakGlassDisclosure
	}
	return f
}

func bound(customer purser.Ordinal) purser.Reason {
	if customer == 0 {
		return purser.NotBound
	}
	return purser.Allowed
}

func locked(s *fold.State, who purser.Actor, stepped, at purser.Stamp) purser.Reason {
	if _, _, covered := s.Locks().Covers(who, purser.PathDesk, stepped, at); covered {
		return purser.Locked
	}
	return purser.Allowed
}

// first returns the first reason that refuses.
func first(reasons ...purser.Reason) purser.Reason {
	for _, why := range reasons {
		if why != purser.Allowed {
			return why
		}
	}
	return purser.Allowed
}
