package purser

// SourceTrust is what a source may do beyond reporting contacts.
type SourceTrust uint8

// The trusts, as bits of a set. None is the default.
const (
	TrustCarrier SourceTrust = 1 << iota // its SHAKEN A attestation counts
	TrustTrunk                           // its named trunk counts
)

// SourceSet registers a telephony source or changes it. Everything but
// StatusSuspended and StatusGone is a loosening (L11).
type SourceSet struct {
	Source SourceID
	Vendor VendorID
	Trust  SourceTrust
	Secret Commitment // of the shared secret, which lives sealed in its row
	Status Status
	By     Actor
	Reason Reason
}

func (*SourceSet) Kind() Kind        { return KindSource }
func (e *SourceSet) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *SourceSet) Code(c *Coder) {
	e.Source.Code(c)
	e.Vendor.Code(c)
	codeEnum(c, &e.Trust, TrustCarrier|TrustTrunk)
	e.Secret.Code(c)
	codeEnum(c, &e.Status, StatusGone)
	e.By.Code(c)
	codeReason(c, &e.Reason)
}

// AgentMapped says which person works under a switch's agent id (L11). A zero
// person unmaps.
type AgentMapped struct {
	Source SourceID
	Agent  AgentKey
	Person PersonID
	By     Actor
	Reason Reason
}

func (*AgentMapped) Kind() Kind        { return KindAgentMapped }
func (e *AgentMapped) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *AgentMapped) Code(c *Coder) {
	e.Source.Code(c)
	e.Agent.Code(c)
	e.Person.Code(c)
	e.By.Code(c)
	codeReason(c, &e.Reason)
}

// LiveContact is one contact in a source's snapshot. Described is set when the
// source also says what the contact's lost first events would have said; while
// nobody does, its direction is unknown and nothing opens.
type LiveContact struct {
	Contact   ContactID
	Agent     AgentKey
	Held      bool
	Described bool
	Outbound  bool
	Caller    Tag
	Attested  Attestation
}

// Code codes the contact.
func (l *LiveContact) Code(c *Coder) {
	l.Contact.Code(c)
	l.Agent.Code(c)
	c.Flag(&l.Held)
	c.Flag(&l.Described)
	c.Flag(&l.Outbound)
	l.Caller.Code(c)
	codeEnum(c, &l.Attested, AttestTrunk)
}

// ContactEvent is one authenticated event of a source, stored in the order of
// arrival; the fold applies events in the order of their sequence numbers.
type ContactEvent struct {
	Source   SourceID
	Seq      uint64
	Body     Commitment // of the signed body: tells a repeat from a forgery
	Event    Event
	Contact  ContactID
	Agent    AgentKey
	To       AgentKey
	Caller   Tag // of the caller's number; zero when withheld
	Attested Attestation
	Outbound bool
	Keyed    Commitment // of the digits keyed, for EventKeypad
	Live     []LiveContact
	// More is set on every part but the last of a snapshot in parts.
	More   bool
	Reason Reason // EventMismatch, EventTooOld, or Allowed
}

func (*ContactEvent) Kind() Kind        { return KindContactEvent }
func (e *ContactEvent) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *ContactEvent) Code(c *Coder) {
	e.Source.Code(c)
	c.U64(&e.Seq)
	e.Body.Code(c)
	codeEnum(c, &e.Event, EventLeft)
	e.Contact.Code(c)
	e.Agent.Code(c)
	e.To.Code(c)
	e.Caller.Code(c)
	codeEnum(c, &e.Attested, AttestTrunk)
	c.Flag(&e.Outbound)
	e.Keyed.Code(c)
	n := c.Count(len(e.Live), 44)
	if c.Reading() && n > 0 {
		e.Live = make([]LiveContact, n)
	}
	for i := range e.Live {
		e.Live[i].Code(c)
	}
	c.Flag(&e.More)
	codeReason(c, &e.Reason)
}

// Claim is a desk session taking the leg of a contact that telephony assigned
// to its person.
type Claim struct {
	Who     Actor
	Contact ContactID
	Reason  Reason
}

func (*Claim) Kind() Kind        { return KindClaim }
func (e *Claim) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *Claim) Code(c *Coder) {
	e.Who.Code(c)
	e.Contact.Code(c)
	codeReason(c, &e.Reason)
}

// Attempt spends one try of a verification, before anything is compared. When
// allowed it lets the gate open the compared fields of the candidate, inside
// the process, for the compare alone.
type Attempt struct {
	Who      Actor
	Contact  ContactID
	Way      Way
	Items    uint16 // which kinds of items were said; bits of the schema's list
	Tag      Tag    // this month's
	Last     Tag    // last month's
	Customer Ordinal
	Compare  FieldMask
	Linked   bool // tries to bind a further customer of the same booking
	Reason   Reason
}

func (*Attempt) Kind() Kind        { return KindAttempt }
func (e *Attempt) Refused() Reason { return e.Reason }

// Opens lets the compare open its fields.
func (e *Attempt) Opens() (Ordinal, FieldMask) { return e.Customer, e.Compare }

// Code codes the payload.
func (e *Attempt) Code(c *Coder) {
	e.Who.Code(c)
	e.Contact.Code(c)
	codeEnum(c, &e.Way, WayBreakGlass)
	c.U16(&e.Items)
	e.Tag.Code(c)
	e.Last.Code(c)
	c.Ordinal(&e.Customer)
	e.Compare.Code(c)
	c.Flag(&e.Linked)
	codeReason(c, &e.Reason)
}

// AttemptResult is what the compare found. Allowed binds the customer to the
// contact with the assurance given. An attempt that never gets its result
// counts as failed.
type AttemptResult struct {
	Who       Actor
	Contact   ContactID
	Attempt   Pos
	Way       Way
	Tag       Tag
	Last      Tag
	Customer  Ordinal
	Assurance Assurance
	// Present says which fields the bound customer's record holds, so that a
	// disclosure's entry counts none that was absent.
	Present FieldMask
	Linked  bool // binds a further customer of the same booking
	Reason  Reason
}

func (*AttemptResult) Kind() Kind        { return KindAttemptResult }
func (e *AttemptResult) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *AttemptResult) Code(c *Coder) {
	e.Who.Code(c)
	e.Contact.Code(c)
	c.Pos(&e.Attempt)
	codeEnum(c, &e.Way, WayBreakGlass)
	e.Tag.Code(c)
	e.Last.Code(c)
	c.Ordinal(&e.Customer)
	e.Assurance.Code(c)
	e.Present.Code(c)
	c.Flag(&e.Linked)
	codeReason(c, &e.Reason)
}

// CodeSent lets the gate release one channel's address to the delivery of one
// code, and to nothing else. Digits commits to the six digits under a lasting
// key. A refused one sends nothing; the asker sees no difference.
type CodeSent struct {
	Who      Actor
	Contact  ContactID
	Customer Ordinal
	Tag      Tag
	Last     Tag
	Present  FieldMask // as in AttemptResult
	Channel  FieldMask // the one field bit of the address
	Digits   Commitment
	Expires  Stamp
	Reason   Reason
}

func (*CodeSent) Kind() Kind        { return KindCodeSent }
func (e *CodeSent) Refused() Reason { return e.Reason }

// Opens lets the release open the address.
func (e *CodeSent) Opens() (Ordinal, FieldMask) { return e.Customer, e.Channel }

// Code codes the payload.
func (e *CodeSent) Code(c *Coder) {
	e.Who.Code(c)
	e.Contact.Code(c)
	c.Ordinal(&e.Customer)
	e.Tag.Code(c)
	e.Last.Code(c)
	e.Present.Code(c)
	e.Channel.Code(c)
	e.Digits.Code(c)
	c.Stamp(&e.Expires)
	codeReason(c, &e.Reason)
}
