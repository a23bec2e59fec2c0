package contact

import "purser"

// The rows of the tables. Each is a plain value; the order of its code method
// is its place in the snapshot.

// agentKey is an agent of a source.
type agentKey struct {
	Source purser.SourceID
	Agent  purser.AgentKey
}

func (k *agentKey) code(c *purser.Coder) { k.Source.Code(c); k.Agent.Code(c) }

// slotKey is a place in one of a source's two rings.
type slotKey struct {
	Source purser.SourceID
	Slot   uint16
}

func (k *slotKey) code(c *purser.Coder) { k.Source.Code(c); c.U16(&k.Slot) }

// callerKey is a caller's number at a source.
type callerKey struct {
	Source purser.SourceID
	Caller purser.Tag
}

func (k *callerKey) code(c *purser.Coder) { k.Source.Code(c); k.Caller.Code(c) }

// waitingRow is an event that came before its turn. The list inside Event is
// never changed.
type waitingRow struct {
	At    purser.Stamp // of its entry
	Event purser.ContactEvent
}

func (r *waitingRow) code(c *purser.Coder) { c.Stamp(&r.At); r.Event.Code(c) }

// repeatRow remembers the bytes of a sequence number.
type repeatRow struct {
	Seq  uint64
	Body purser.Commitment
}

func (r *repeatRow) code(c *purser.Coder) { c.U64(&r.Seq); r.Body.Code(c) }

// sourceRow is a registered source.
type sourceRow struct {
	Vendor purser.VendorID
	Trust  purser.SourceTrust
	Secret purser.Commitment
	Status purser.Status
	Locked bool // a sequence number came again with other bytes

	Synced   bool         // a snapshot has said where the numbers stand
	Next     uint64       // the sequence number whose turn it is
	Heard    purser.Stamp // of the last event
	GapSince purser.Stamp // of the oldest event that waits; zero: none does
	Due      bool         // stale until a snapshot is complete
	Part     uint64       // 1 + sequence number of the open snapshot's first part
}

func (r *sourceRow) code(c *purser.Coder) {
	r.Vendor.Code(c)
	c.U8((*uint8)(&r.Trust))
	r.Secret.Code(c)
	c.U8((*uint8)(&r.Status))
	c.Flag(&r.Locked)
	c.Flag(&r.Synced)
	c.U64(&r.Next)
	c.Stamp(&r.Heard)
	c.Stamp(&r.GapSince)
	c.Flag(&r.Due)
	c.U64(&r.Part)
}

// leg is one agent's part in a contact.
type leg struct {
	Agent purser.AgentKey // zero: no such leg
	// Consult is set while the agent is asked by the first and does not
	// have the customer on the line.
	Consult bool
	// Who holds the leg. Session is zero before the claim and after the
	// session ended; the person stays, and he alone may claim again.
	Who purser.Actor
	// Shown are the customers disclosed to whoever holds this leg: each
	// person is counted for himself.
	Shown [shownMax]purser.Ordinal
}

func (l *leg) code(c *purser.Coder) {
	l.Agent.Code(c)
	c.Flag(&l.Consult)
	l.Who.Code(c)
	for i := range l.Shown {
		c.Ordinal(&l.Shown[i])
	}
}

// codeRow is the last code sent.
type codeRow struct {
	Digits   purser.Commitment // zero: none
	Customer purser.Ordinal
	Present  purser.FieldMask
	By       purser.Actor // who had it sent, as of then
	Expires  purser.Stamp
	Tries    uint8 // since it was sent, or was not, for want of anybody to send it to
}

func (r *codeRow) code(c *purser.Coder) {
	r.Digits.Code(c)
	c.Ordinal(&r.Customer)
	r.Present.Code(c)
	r.By.Code(c)
	c.Stamp(&r.Expires)
	c.U8(&r.Tries)
}

// askRow is an agent's ask for break-glass.
type askRow struct {
	Asked    bool
	Pos      purser.Pos
	Customer purser.Ordinal
	Present  purser.FieldMask
	Who      purser.Actor
}

func (r *askRow) code(c *purser.Coder) {
	c.Flag(&r.Asked)
	c.Pos(&r.Pos)
	c.Ordinal(&r.Customer)
	r.Present.Code(c)
	r.Who.Code(c)
}

// listedRow is what the open snapshot has said of a contact so far.
type listedRow struct {
	Part   uint64 // of which snapshot: as in sourceRow
	Agents [2]purser.AgentKey
	Held   bool
}

func (r *listedRow) code(c *purser.Coder) {
	c.U64(&r.Part)
	r.Agents[0].Code(c)
	r.Agents[1].Code(c)
	c.Flag(&r.Held)
}

// earlierMax is how many persons a verification may pass through.
const earlierMax = 4

// shownMax holds every customer a contact can bind: one, one more after the
// undoing, and the linked ones.
const shownMax = MaxLinked + 3

// row is a contact. What limits it (Opened, Failed, Sends, LinkedEver,
// Undone) only grows, whatever a source says.
type row struct {
	Source   purser.SourceID
	Phase    Phase
	Lapsed   bool // closed by silence or absence, not by an event
	Bare     bool // known from a snapshot alone
	Outbound bool
	Proven   bool // the customer keyed a code
	Caller   purser.Tag
	Attested purser.Attestation
	Opened   purser.Stamp
	HungUpAt purser.Stamp
	ClosedAt purser.Stamp
	Legs     [2]leg
	Listed   listedRow

	Customer  purser.Ordinal
	Present   purser.FieldMask // which fields the customer's record holds
	Assurance purser.Assurance
	Emergency bool
	Undone    bool
	Resumed   bool // gave its verification to a call back, or got it so
	Failed    uint8
	Pending   [MaxTries]purser.Pos // 1 + position of attempts without result
	Sends     uint8
	Sent      codeRow
	Ask       askRow
	// Earlier are the persons the verification came through, oldest first,
	// as of then; a locked one stops it.
	Earlier    [earlierMax]purser.Actor
	Linked     [MaxLinked]linkRow
	LinkedEver uint8
}

// linkRow is a further customer of the bound one's booking.
type linkRow struct {
	Customer purser.Ordinal
	Present  purser.FieldMask
}

func (r *row) code(c *purser.Coder) {
	r.Source.Code(c)
	c.U8((*uint8)(&r.Phase))
	if r.Phase < PhaseOffered || r.Phase > PhaseClosed {
		c.Fail()
	}
	for _, f := range []*bool{&r.Lapsed, &r.Bare, &r.Outbound, &r.Proven, &r.Emergency, &r.Undone, &r.Resumed} {
		c.Flag(f)
	}
	r.Caller.Code(c)
	c.U8((*uint8)(&r.Attested))
	for _, s := range []*purser.Stamp{&r.Opened, &r.HungUpAt, &r.ClosedAt} {
		c.Stamp(s)
	}
	r.Legs[0].code(c)
	r.Legs[1].code(c)
	r.Listed.code(c)
	c.Ordinal(&r.Customer)
	r.Present.Code(c)
	r.Assurance.Code(c)
	for _, n := range []*uint8{&r.Failed, &r.Sends, &r.LinkedEver} {
		c.U8(n)
	}
	for i := range r.Pending {
		c.Pos(&r.Pending[i])
	}
	r.Sent.code(c)
	r.Ask.code(c)
	for i := range r.Earlier {
		r.Earlier[i].Code(c)
	}
	for i := range r.Linked {
		c.Ordinal(&r.Linked[i].Customer)
		r.Linked[i].Present.Code(c)
	}
}

// codes adapts a code method to what a table takes.
func codes[V any, P interface {
	*V
	code(*purser.Coder)
}](c *purser.Coder, v *V) {
	P(v).code(c)
}

func codeSourceID(c *purser.Coder, id *purser.SourceID) { id.Code(c) }

func codeContactID(c *purser.Coder, id *purser.ContactID) { id.Code(c) }

// hangUp puts the row in wrap-up.
func (r *row) hangUp(at purser.Stamp) {
	r.Phase, r.HungUpAt = PhaseWrapUp, at
}

// close ends the row; lapsed when no event said so.
func (r *row) close(at purser.Stamp) {
	if r.HungUpAt == 0 {
		r.HungUpAt = at
	}
	r.Phase, r.ClosedAt = PhaseClosed, at
}

// live reports whether events may still move the row.
func (r *row) live() bool {
	return r.Phase == PhaseOffered || r.Phase == PhaseConnected || r.Phase == PhaseHeld
}

// forgettable reports whether nothing depends on the row any more. A contact
// that nobody ended stands for "over three hours" for a day, so that its
// source cannot make it young again by listing it.
func (r *row) forgettable(at purser.Stamp) bool {
	switch r.Phase {
	case PhaseClosed:
		return over(r.ClosedAt, keepClosed, at)
	case PhaseWrapUp:
		return over(r.Opened, Longest+keepClosed, at)
	case PhaseOffered, PhaseConnected, PhaseHeld:
		return over(r.Opened, keepUnended, at)
	}
	return true
}

// legOf returns the index of the agent's leg, or -1.
func (r *row) legOf(agent purser.AgentKey) int {
	for i := range r.Legs {
		if !agent.Zero() && r.Legs[i].Agent == agent {
			return i
		}
	}
	return -1
}

// heldBy returns the index of the leg the session holds, or -1.
func (r *row) heldBy(s purser.SessionID) int {
	for i := range r.Legs {
		if !s.Zero() && !r.Legs[i].Agent.Zero() && r.Legs[i].Who.Session == s {
			return i
		}
	}
	return -1
}
