package purser

// Topic is what a case is about, or what a contact came to. The schema names
// topics from 1; zero is none.
type Topic uint8

// CaseState is how far a case has come.
type CaseState uint8

// The states of a case.
const (
	CaseOpen CaseState = 1 + iota
	CaseWaiting
	CaseSolved
)

// CaseOpened begins a case. Customer is zero when it was taken without opening
// anything: a request that waits for somebody to verify the caller.
type CaseOpened struct {
	Who       Actor
	Contact   ContactID
	Case      CaseID
	Customer  Ordinal
	Assurance Assurance // of the contact at that time; a case-work mandate inherits it
	Topic     Topic
	Text      Commitment // to what was written, salted
	Reason    Reason
}

func (*CaseOpened) Kind() Kind        { return KindCaseOpened }
func (e *CaseOpened) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *CaseOpened) Code(c *Coder) {
	e.Who.Code(c)
	e.Contact.Code(c)
	e.Case.Code(c)
	c.Ordinal(&e.Customer)
	e.Assurance.Code(c)
	c.U8((*uint8)(&e.Topic))
	e.Text.Code(c)
	codeReason(c, &e.Reason)
}

// CaseChanged moves a case on, or gives one that was taken blind its customer
// and the assurance of the contact that did so.
type CaseChanged struct {
	Who       Actor
	Contact   ContactID
	Mandate   MandateID
	Case      CaseID
	Customer  Ordinal
	Assurance Assurance
	State     CaseState
	Topic     Topic
	Reason    Reason
}

func (*CaseChanged) Kind() Kind        { return KindCaseChanged }
func (e *CaseChanged) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *CaseChanged) Code(c *Coder) {
	e.Who.Code(c)
	e.Contact.Code(c)
	e.Mandate.Code(c)
	e.Case.Code(c)
	c.Ordinal(&e.Customer)
	e.Assurance.Code(c)
	codeEnum(c, &e.State, CaseSolved)
	c.U8((*uint8)(&e.Topic))
	codeReason(c, &e.Reason)
}

// NoteAdded appends a note to a customer's timeline, to a case, or to a contact
// that binds nobody yet. Notes are never changed.
type NoteAdded struct {
	Who      Actor
	Contact  ContactID
	Mandate  MandateID
	Case     CaseID
	Customer Ordinal
	Topic    Topic // of a wrap-up
	Text     Commitment
	Reason   Reason
}

func (*NoteAdded) Kind() Kind        { return KindNoteAdded }
func (e *NoteAdded) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *NoteAdded) Code(c *Coder) {
	e.Who.Code(c)
	e.Contact.Code(c)
	e.Mandate.Code(c)
	e.Case.Code(c)
	c.Ordinal(&e.Customer)
	c.U8((*uint8)(&e.Topic))
	e.Text.Code(c)
	codeReason(c, &e.Reason)
}
