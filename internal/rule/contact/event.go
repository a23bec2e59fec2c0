package contact

import "purser"

// move applies one event of a contact in its turn. An event that the
// contact's phase does not allow changes nothing, and neither does one about
// another source's contact: the entry stands, and that is all.
func (b *Book) move(s *sourceRow, e *purser.ContactEvent, at purser.Stamp) {
	if e.Contact.Zero() {
		return
	}
	r, ok := b.contacts.Get(e.Contact)
	begins := e.Event == purser.EventOffered || e.Event == purser.EventConnected
	switch {
	case !ok && begins && !e.Agent.Zero():
		b.contacts.Put(e.Contact, begin(e, at))
		return
	case !ok || r.Source != e.Source:
		return
	case begins && r.Lapsed && !e.Agent.Zero():
		r.revive(e.Agent)
		r.Phase = begin(e, at).Phase
		b.contacts.Put(e.Contact, r) // also a contact that is too old by now
	}
	if r.Phase == PhaseClosed || over(r.Opened, Longest, at) && e.Event != purser.EventHungUp && e.Event != purser.EventClosed {
		return
	}
	b.step(&r, s, e, at)
	b.contacts.Put(e.Contact, r)
}

func begin(e *purser.ContactEvent, at purser.Stamp) row {
	r := row{Source: e.Source, Phase: PhaseOffered, Opened: at, Bare: true}
	if e.Event == purser.EventConnected {
		r.Phase = PhaseConnected
	}
	r.Legs[0].Agent = e.Agent
	r.describe(e)
	return r
}

// describe takes the caller and the direction from the first event that can
// know them. Outbound is never taken back.
func (r *row) describe(e *purser.ContactEvent) {
	r.Outbound = r.Outbound || e.Outbound
	if r.Bare || r.Phase == PhaseOffered && r.Caller == 0 {
		r.Bare, r.Caller, r.Attested = false, e.Caller, e.Attested
	}
}

// revive opens a contact again that no event had ended. Nothing that was
// proved in it counts, everything that was spent does.
func (r *row) revive(agent purser.AgentKey) {
	r.unbind()
	r.Phase, r.Lapsed, r.HungUpAt, r.ClosedAt = PhaseConnected, false, 0, 0
	r.Legs = [2]leg{{Agent: agent}}
}

// step is the state machine.
func (b *Book) step(r *row, s *sourceRow, e *purser.ContactEvent, at purser.Stamp) {
	i := r.legOf(e.Agent)
	switch e.Event {
	case purser.EventOffered:
		r.offered(e)
	case purser.EventConnected:
		r.connected(e, i)
	case purser.EventHeld:
		if r.Phase == PhaseConnected && i >= 0 && !r.Legs[i].Consult {
			r.Phase = PhaseHeld
		}
	case purser.EventConsult:
		talking := r.Phase == PhaseConnected || r.Phase == PhaseHeld
		if talking && i == 0 && r.Legs[1].Agent.Zero() && !e.To.Zero() && e.To != e.Agent {
			r.Legs[1] = leg{Agent: e.To, Consult: true}
		}
	case purser.EventConference:
		if r.live() && r.Legs[1].Consult && (e.To.Zero() || r.Legs[1].Agent == e.To) {
			r.Legs[1].Consult = false
			r.Phase = PhaseConnected
		}
	case purser.EventTransferred:
		if r.live() && i >= 0 && !r.Legs[i].Consult && !e.To.Zero() && e.To != e.Agent {
			r.transfer(i, e.To)
		}
	case purser.EventLeft:
		if r.live() && i >= 0 {
			r.leave(i)
		}
	case purser.EventHungUp:
		if r.live() {
			r.hangUp(at)
			b.resumable(e.Contact, r, s)
			b.keyed.Delete(e.Contact)
		}
	case purser.EventClosed:
		if r.live() {
			r.hangUp(at)
		}
		r.close(at)
		b.keyed.Delete(e.Contact)
	case purser.EventKeypad:
		if r.live() && !e.Keyed.Zero() {
			b.keyed.Put(e.Contact, e.Keyed)
		}
	case purser.EventHeartbeat, purser.EventSnapshot:
	}
}

// offered moves an offer to the next agent.
func (r *row) offered(e *purser.ContactEvent) {
	if !r.live() {
		return
	}
	if r.Phase == PhaseOffered && !e.Agent.Zero() && r.legOf(e.Agent) < 0 {
		r.Legs[0] = leg{Agent: e.Agent}
	}
	r.describe(e)
}

// connected puts the customer on the line of a leg's agent, or of the agent
// who picked an offer up.
func (r *row) connected(e *purser.ContactEvent, i int) {
	switch {
	case r.Phase == PhaseOffered:
		if i < 0 && !e.Agent.Zero() {
			r.Legs[0] = leg{Agent: e.Agent}
		}
	case r.Phase == PhaseHeld || r.Phase == PhaseConnected:
		if i < 0 || r.Legs[i].Consult {
			return
		}
	default:
		return
	}
	r.describe(e)
	r.Phase = PhaseConnected
}

// transfer moves leg i to another agent at once, and with it what was
// verified. A consult leg that becomes the leg keeps its claim.
func (r *row) transfer(i int, to purser.AgentKey) {
	r.passed(r.Legs[i].Who)
	if other := 1 - i; r.Legs[other].Agent == to {
		r.Legs = [2]leg{{Agent: to, Who: r.Legs[other].Who, Shown: r.Legs[other].Shown}}
	} else {
		r.Legs[i] = leg{Agent: to}
		if i == 0 && r.Legs[1].Consult {
			r.Legs[1] = leg{}
		}
	}
	if r.Phase == PhaseHeld {
		r.Phase = PhaseConnected
	}
}

// leave takes an agent out of a consult or a conference. The last one with the
// customer cannot leave: that is a hang-up or a transfer.
func (r *row) leave(i int) {
	switch {
	case i == 1:
		if !r.Legs[1].Consult {
			r.passed(r.Legs[1].Who)
		}
		r.Legs[1] = leg{}
	case !r.Legs[1].Agent.Zero() && !r.Legs[1].Consult:
		r.passed(r.Legs[0].Who)
		r.Legs = [2]leg{r.Legs[1]}
	}
}

// passed notes that what was verified came through who, who no longer holds
// the contact. A verification that passed through more persons than the row
// can name is void.
func (r *row) passed(who purser.Actor) {
	if r.Customer != 0 && !who.Person.Zero() && !r.vouch(who) {
		r.unbind()
	}
}

// vouch names one more person behind what was verified, if there is room.
func (r *row) vouch(who purser.Actor) bool {
	for i := range r.Earlier {
		if r.Earlier[i] == who || r.Earlier[i].Person.Zero() {
			r.Earlier[i] = who
			return true
		}
	}
	return false
}

// listed applies one part of a snapshot.
func (b *Book) listed(s *sourceRow, e *purser.ContactEvent, at purser.Stamp) {
	switch {
	case startsSnapshot(e):
		s.Part = e.Seq + 1
	case s.Part == 0:
		return // a part whose snapshot was broken off
	}
	for _, l := range e.Live {
		b.list(e.Source, s.Part, l, at)
	}
	if e.More {
		return
	}
	for _, id := range b.liveOf(e.Source) {
		r, _ := b.contacts.Get(id)
		if r.Listed.Part != s.Part {
			r.close(at)
			r.Lapsed = true
			b.keyed.Delete(id)
		} else {
			r.reconcile()
		}
		b.contacts.Put(id, r)
	}
	s.Part, s.Due = 0, false
}

// list notes one contact of a snapshot. A contact that is hung up by an event
// stays so, whatever a snapshot says.
func (b *Book) list(source purser.SourceID, part uint64, l purser.LiveContact, at purser.Stamp) {
	if l.Contact.Zero() || l.Agent.Zero() {
		return
	}
	r, ok := b.contacts.Get(l.Contact)
	switch {
	case !ok:
		r = row{Source: source, Phase: PhaseConnected, Opened: at, Bare: !l.Described}
		if l.Described {
			r.Outbound, r.Caller, r.Attested = l.Outbound, l.Caller, l.Attested
		}
		r.Legs[0].Agent = l.Agent
	case r.Source != source || !r.live() && !r.Lapsed:
		return
	case r.Lapsed:
		r.revive(l.Agent)
	}
	if r.Listed.Part != part {
		r.Listed = listedRow{Part: part}
	}
	switch {
	case r.Listed.Agents[0].Zero():
		r.Listed.Agents[0] = l.Agent
	case r.Listed.Agents[0] != l.Agent && r.Listed.Agents[1].Zero():
		r.Listed.Agents[1] = l.Agent
	}
	r.Listed.Held = r.Listed.Held || l.Held
	b.contacts.Put(l.Contact, r)
}

// reconcile gives the contact the legs that the snapshot listed. An agent who
// stays keeps the claim.
func (r *row) reconcile() {
	legs := [2]leg{{Agent: r.Listed.Agents[0]}, {Agent: r.Listed.Agents[1]}}
	for i := range legs {
		if j := r.legOf(legs[i].Agent); j >= 0 {
			legs[i].Who, legs[i].Shown = r.Legs[j].Who, r.Legs[j].Shown
		}
	}
	for i := range r.Legs {
		kept := r.Legs[i].Agent == legs[0].Agent || r.Legs[i].Agent == legs[1].Agent
		if !kept && !r.Legs[i].Consult {
			r.passed(r.Legs[i].Who)
		}
	}
	r.Legs = legs
	r.Phase = PhaseConnected
	if r.Listed.Held {
		r.Phase = PhaseHeld
	}
	r.Listed = listedRow{}
}
