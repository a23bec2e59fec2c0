package purser

// MandateKind is what a mandate is for.
type MandateKind uint8

// The kinds. The first two are assigned by the system; every other takes two
// people of different roles.
const (
	MandateCaseWork MandateKind = 1 + iota
	MandateCallBack
	MandateNotice
	MandateSubjectAccess
	MandateExport
	MandateInvestigation
	MandateLegalOrder
)

// MandateAsked asks for a right to open fields without a live contact. It names
// the customers one by one, or every customer up to an ordinal.
type MandateAsked struct {
	Mandate   MandateID
	For       MandateKind
	By        Actor
	As        Role
	Customers []Ordinal // ascending, at most 4,096; none when UpTo is set
	UpTo      Ordinal
	Fields    FieldMask
	Purpose   Purpose
	Authority Commitment // of a legal order: who ordered it, under which reference
	Recipient Commitment // of an export: the key it is encrypted to
	Gag       Stamp      // until when the customers may not be told; zero: no such order
	Expires   Stamp
	Reason    Reason
}

func (*MandateAsked) Kind() Kind        { return KindMandateAsked }
func (e *MandateAsked) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *MandateAsked) Code(c *Coder) {
	e.Mandate.Code(c)
	codeEnum(c, &e.For, MandateLegalOrder)
	e.By.Code(c)
	e.As.Code(c)
	c.Ordinals(&e.Customers)
	c.Ordinal(&e.UpTo)
	e.Fields.Code(c)
	c.U8((*uint8)(&e.Purpose))
	e.Authority.Code(c)
	e.Recipient.Code(c)
	c.Stamp(&e.Gag)
	c.Stamp(&e.Expires)
	codeReason(c, &e.Reason)
}

// MandateApproved is the second person's yes: the mandate holds from here on.
type MandateApproved struct {
	Mandate MandateID
	By      Actor
	As      Role
	Reason  Reason
}

func (*MandateApproved) Kind() Kind        { return KindMandateApproved }
func (e *MandateApproved) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *MandateApproved) Code(c *Coder) {
	e.Mandate.Code(c)
	e.By.Code(c)
	e.As.Code(c)
	codeReason(c, &e.Reason)
}

// MandateAssigned is the system giving one person a case to work on, or a
// customer to call back, with the assurance that the case was opened with.
type MandateAssigned struct {
	Mandate   MandateID
	For       MandateKind
	To        Actor
	Case      CaseID
	Customer  Ordinal
	Fields    FieldMask
	Assurance Assurance
	Expires   Stamp
	Reason    Reason
}

func (*MandateAssigned) Kind() Kind        { return KindMandateAssigned }
func (e *MandateAssigned) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *MandateAssigned) Code(c *Coder) {
	e.Mandate.Code(c)
	codeEnum(c, &e.For, MandateLegalOrder)
	e.To.Code(c)
	e.Case.Code(c)
	c.Ordinal(&e.Customer)
	e.Fields.Code(c)
	e.Assurance.Code(c)
	c.Stamp(&e.Expires)
	codeReason(c, &e.Reason)
}

// MandateEnded ends a mandate before its time.
type MandateEnded struct {
	Mandate MandateID
	By      Actor
	Reason  Reason
}

func (*MandateEnded) Kind() Kind        { return KindMandateEnded }
func (e *MandateEnded) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *MandateEnded) Code(c *Coder) {
	e.Mandate.Code(c)
	e.By.Code(c)
	codeReason(c, &e.Reason)
}

// Delivery is where a release goes.
type Delivery uint8

// The deliveries.
const (
	DeliverFile   Delivery = 1 + iota // encrypted to the mandate's recipient
	DeliverReport                     // to the customer himself
	DeliverNotice                     // a message to the customer
	DeliverDial                       // a call, dialled without showing the number
	DeliverMatch                      // compared inside the process, and nothing else
)

// Released is one decision to open the same fields of at most 4,096 customers
// under a mandate, to a delivery and never to a session's screen.
type Released struct {
	Mandate   MandateID
	Who       Actor // zero: work that the system does under the mandate
	To        Delivery
	Customers []Ordinal // ascending
	Fields    FieldMask
	Reason    Reason
}

func (*Released) Kind() Kind        { return KindReleased }
func (e *Released) Refused() Reason { return e.Reason }

// OpensAll lets the release open the fields of each of its customers, once.
func (e *Released) OpensAll() ([]Ordinal, FieldMask) { return e.Customers, e.Fields }

// Code codes the payload.
func (e *Released) Code(c *Coder) {
	e.Mandate.Code(c)
	e.Who.Code(c)
	codeEnum(c, &e.To, DeliverMatch)
	c.Ordinals(&e.Customers)
	e.Fields.Code(c)
	codeReason(c, &e.Reason)
}
