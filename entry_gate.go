package purser

// CodeResult is what became of a code that was released to delivery: Allowed
// when the next hop accepted it, SendFailed when not. A missing one means in
// doubt and counts as sent.
type CodeResult struct {
	Contact ContactID
	Sent    Pos
	Reason  Reason
}

func (*CodeResult) Kind() Kind        { return KindCodeResult }
func (e *CodeResult) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *CodeResult) Code(c *Coder) {
	e.Contact.Code(c)
	c.Pos(&e.Sent)
	codeReason(c, &e.Reason)
}

// CodeTried is one try at a code, spoken to the agent (WayCode) or keyed by
// the customer (WayKeypad, Who is zero). Allowed raises the contact's
// assurance, and binds the customer the code was sent to.
type CodeTried struct {
	Who       Actor
	Contact   ContactID
	Way       Way
	Customer  Ordinal
	Assurance Assurance
	Reason    Reason
}

func (*CodeTried) Kind() Kind        { return KindCodeTried }
func (e *CodeTried) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *CodeTried) Code(c *Coder) {
	e.Who.Code(c)
	e.Contact.Code(c)
	codeEnum(c, &e.Way, WayBreakGlass)
	c.Ordinal(&e.Customer)
	e.Assurance.Code(c)
	codeReason(c, &e.Reason)
}

// Emergency is why break-glass was asked for.
type Emergency uint8

// The reasons an agent may choose from.
const (
	EmergencySafety Emergency = 1 + iota
	EmergencyTravelNow
	EmergencyNoOtherWay
)

// BreakGlass asks a lead to open a record for a caller who cannot be
// verified. Who is the agent.
type BreakGlass struct {
	Who       Actor
	Contact   ContactID
	Customer  Ordinal
	Tag       Tag
	Last      Tag
	Present   FieldMask // as in AttemptResult
	Emergency Emergency
	Reason    Reason
}

func (*BreakGlass) Kind() Kind        { return KindBreakGlass }
func (e *BreakGlass) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *BreakGlass) Code(c *Coder) {
	e.Who.Code(c)
	e.Contact.Code(c)
	c.Ordinal(&e.Customer)
	e.Tag.Code(c)
	e.Last.Code(c)
	e.Present.Code(c)
	codeEnum(c, &e.Emergency, EmergencyNoOtherWay)
	codeReason(c, &e.Reason)
}

// BreakGlassApproved is the lead's own stepped-up yes. Allowed binds the
// customer at A0 with A1 and A2 fields open.
type BreakGlassApproved struct {
	Who     Actor // the lead
	Contact ContactID
	Asked   Pos
	Reason  Reason
}

func (*BreakGlassApproved) Kind() Kind        { return KindBreakGlassApproved }
func (e *BreakGlassApproved) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *BreakGlassApproved) Code(c *Coder) {
	e.Who.Code(c)
	e.Contact.Code(c)
	c.Pos(&e.Asked)
	codeReason(c, &e.Reason)
}

// BindingUndone is a lead taking a wrong binding back, once per contact.
type BindingUndone struct {
	Who     Actor
	Contact ContactID
	Reason  Reason
}

func (*BindingUndone) Kind() Kind        { return KindBindingUndone }
func (e *BindingUndone) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *BindingUndone) Code(c *Coder) {
	e.Who.Code(c)
	e.Contact.Code(c)
	codeReason(c, &e.Reason)
}

// DisclosureFlags say what kind of disclosure it was.
type DisclosureFlags uint8

// The flags, as bits of a set.
const (
	// FirstDisclosure marks the first of this customer to this person in this
	// contact: the one that budgets count.
	FirstDisclosure DisclosureFlags = 1 << iota
	// WeakDisclosure marks a first disclosure at A1 or less.
	WeakDisclosure
	// LinkedDisclosure marks a linked party, not the bound customer.
	LinkedDisclosure
	// BreakGlassDisclosure marks one under break-glass.
	BreakGlassDisclosure
)

// Disclosure is one decision to show fields of one customer to one session.
// Every ask makes one. Customer is zero when the contact binds none.
type Disclosure struct {
	Who       Actor
	Contact   ContactID
	Mandate   MandateID
	Customer  Ordinal
	Asked     FieldMask
	Shown     FieldMask
	Assurance Assurance
	Path      Path
	Purpose   Purpose
	Flags     DisclosureFlags
	Reason    Reason
}

func (*Disclosure) Kind() Kind        { return KindDisclosure }
func (e *Disclosure) Refused() Reason { return e.Reason }

// Opens lets the gate open the fields shown.
func (e *Disclosure) Opens() (Ordinal, FieldMask) { return e.Customer, e.Shown }

// Code codes the payload.
func (e *Disclosure) Code(c *Coder) {
	e.Who.Code(c)
	e.Contact.Code(c)
	e.Mandate.Code(c)
	c.Ordinal(&e.Customer)
	e.Asked.Code(c)
	e.Shown.Code(c)
	e.Assurance.Code(c)
	c.U8((*uint8)(&e.Path))
	c.U8((*uint8)(&e.Purpose))
	c.U8((*uint8)(&e.Flags))
	codeReason(c, &e.Reason)
}

// Refusals counts equal refusals of one session in one minute beyond the
// twenty that had entries of their own.
type Refusals struct {
	Who    Actor
	Of     Kind
	Reason Reason // of the last one
	Count  uint32
}

func (*Refusals) Kind() Kind { return KindRefusals }

// Code codes the payload.
func (e *Refusals) Code(c *Coder) {
	e.Who.Code(c)
	c.U8((*uint8)(&e.Of))
	codeReason(c, &e.Reason)
	c.U32(&e.Count)
}
