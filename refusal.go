package purser

// Reason is why something was refused, as the entry records it. Leads,
// security and privacy may read reasons; agents see only the [Answer]. Numbers
// are part of the entry format: never reuse one.
type Reason uint16

// The reasons. Zero means allowed.
const (
	Allowed Reason = 0

	// About the asker.
	NoSession       Reason = 1  // no live session, or its key did not sign
	NoStanding      Reason = 2  // person, team or vendor not active
	NoRole          Reason = 3  // the roles do not give this act
	NeedStepUp      Reason = 4  // no step-up in the last five minutes
	NotDesk         Reason = 5  // the session may not claim contacts
	Locked          Reason = 6  // a lock covers the asker or the path
	SameHuman       Reason = 7  // the second party is the first, or of the same role
	NotSealed       Reason = 8  // the bootstrap door is open
	DoorShut        Reason = 9  // authenticators are enrolled only while the door is open
	ClockUnaccepted Reason = 10 // time jumped and security has not accepted it

	// About the contact.
	NoContact      Reason = 20 // no such contact, or it is over
	NotAssigned    Reason = 21 // telephony gave the contact to somebody else
	AlreadyClaimed Reason = 22 // another session holds this leg
	NotClaimed     Reason = 23 // the asker does not hold it
	SourceStale    Reason = 24 // the source is silent or has a gap
	HungUp         Reason = 25 // the customer is gone
	Outbound       Reason = 26 // an outbound contact opens nothing yet
	ContactTooOld  Reason = 27 // over three hours
	NotBound       Reason = 28 // no customer is bound
	OtherCustomer  Reason = 29 // the contact is bound to somebody else
	AlreadyBound   Reason = 30

	// About the verification.
	TooFewItems      Reason = 40 // said, whatever is on record
	OnlyPrinted      Reason = 41 // every item said is printed on a boarding pass
	Unknown          Reason = 42
	Wrong            Reason = 43
	Several          Reason = 44
	TriesSpent       Reason = 45 // of the contact
	CustomerLimited  Reason = 46 // failures against this customer, over everybody
	AgentLimited     Reason = 47 // failures of this agent today
	ChannelTooNew    Reason = 48
	NoChannel        Reason = 49
	CodeExpired      Reason = 50
	SendsSpent       Reason = 51 // codes sent to this customer today
	CustomerHeld     Reason = 52
	CustomerErased   Reason = 53
	NotAttested      Reason = 55
	NoCode           Reason = 56
	SendFailed       Reason = 57
	ResultMissing    Reason = 58 // an attempt without a result counts as failed
	BreakGlassOpen   Reason = 59 // already asked, or not asked
	NotEnoughYet     Reason = 60 // assurance below what the fields need
	FieldsNotAllowed Reason = 61 // no asked field may be shown

	// Policy, budgets, ledger.
	Policy          Reason = 70
	BudgetHour      Reason = 71
	BudgetDay       Reason = 72
	BudgetWeak      Reason = 73
	BudgetBind      Reason = 74
	BudgetLinked    Reason = 75
	BudgetVendor    Reason = 76
	BudgetBreak     Reason = 77
	BudgetAmend     Reason = 78
	BudgetExport    Reason = 79
	Overloaded      Reason = 80
	LedgerDown      Reason = 81
	ChangeUnknown   Reason = 90
	ChangeHeld      Reason = 91 // the hold has not run out
	ChangeEnded     Reason = 92 // vetoed, expired or enacted
	LockUnknown     Reason = 93
	TargetUnknown   Reason = 94
	EventMismatch   Reason = 95 // a sequence number came again with other bytes
	LoosensDirectly Reason = 96 // must go through a change
	CeilingExceeded Reason = 97
	EventTooOld     Reason = 98 // a sequence number older than any that can still be told apart

	// Of the contact alone, where an older reason says the same of a customer.
	NoSendsLeft  Reason = 99  // the contact has sent its three codes; SendsSpent is the customer's
	NotOfContact Reason = 100 // the customer named is neither bound nor linked; OtherCustomer is found by items
	HeldTooFew   Reason = 101 // the record holds too few of the items; TooFewItems were said

	// About mandates, cases, holds and what is written.
	MandateUnknown Reason = 102 // no such mandate, or not of this person
	MandateOver    Reason = 103 // ended, expired, or not yet approved
	OutsideMandate Reason = 104 // customers, fields or delivery that it does not name
	MandateOpen    Reason = 105 // the person has one open already
	CaseUnknown    Reason = 106
	CaseOver       Reason = 107
	HoldUnknown    Reason = 108
	Forbidden      Reason = 109 // the text holds what must not be held
	NotAmendable   Reason = 110 // a field that nobody writes, or a value it cannot have
	TooLate        Reason = 111 // the time in which notes may be appended is over
	ImportGivenUp  Reason = 112 // nobody of its file is a customer
)

// Answer is one of the four things an asker may be told (L5).
type Answer uint8

// The four answers.
const (
	NotEnough Answer = 1 + iota
	OneMoreWay
	AskYourLead
	TryLater
)

// String returns the answer as the API spells it.
func (a Answer) String() string {
	switch a {
	case NotEnough:
		return "not_enough"
	case OneMoreWay:
		return "one_more_way"
	case AskYourLead:
		return "ask_your_lead"
	case TryLater:
		return "try_later"
	}
	return "not_enough"
}

// Answer returns what an asker may be told of r. Everything that depends on
// whether a customer exists, and on what is stored of him, is NotEnough; the
// others depend only on what the asker knows of himself and his contact.
func (r Reason) Answer() Answer {
	switch r {
	case NotEnoughYet, NotBound, FieldsNotAllowed:
		return OneMoreWay
	case NoSession, NoStanding, NoRole, NeedStepUp, NotDesk, Locked, SameHuman, NotSealed, DoorShut,
		NotAssigned, AlreadyClaimed, NotClaimed, NoContact, HungUp, Outbound, ContactTooOld,
		AgentLimited, Policy, BudgetHour, BudgetDay, BudgetWeak, BudgetBind, BudgetLinked,
		BudgetVendor, BudgetBreak, BudgetAmend, BudgetExport, BreakGlassOpen, LoosensDirectly,
		CeilingExceeded, ChangeUnknown, ChangeHeld, ChangeEnded, LockUnknown, TargetUnknown, NoSendsLeft,
		MandateUnknown, MandateOver, OutsideMandate, MandateOpen, CaseUnknown, CaseOver, HoldUnknown,
		Forbidden, NotAmendable, TooLate, ImportGivenUp:
		return AskYourLead
	case SourceStale, Overloaded, LedgerDown, ClockUnaccepted, EventMismatch, EventTooOld:
		return TryLater
	case TooFewItems, OnlyPrinted, Unknown, Wrong, Several, TriesSpent, CustomerLimited,
		ChannelTooNew, NoChannel, CodeExpired, SendsSpent, CustomerHeld, CustomerErased,
		NotAttested, NoCode, SendFailed, ResultMissing, OtherCustomer, AlreadyBound, NotOfContact,
		HeldTooFew, Allowed:
		return NotEnough
	}
	return NotEnough
}

// OfAsker reports whether the reason depends on the asker, on what he sent and
// on the counters of his contact that he can see, never on what is stored of a
// customer. Only such refusals are coalesced: leaving others out would let the
// number of entries tell customers apart (L5). Every other one spends a try, a
// send or an ask of its contact, so that there are never many of it.
func (r Reason) OfAsker() bool {
	knows := r == TriesSpent || r == TooFewItems || r == OnlyPrinted || r == NotOfContact
	return knows || r.Answer() != NotEnough
}

// Refusal is a decision against the asker. It is an error, and an expected
// one: its text holds the answer only.
type Refusal struct {
	Reason Reason
	// At is the entry that records the refusal. For a refusal that was only
	// counted it is the last entry written for the same asker.
	At Pos
}

// Error returns the answer, never the reason.
func (r *Refusal) Error() string { return "refused: " + r.Reason.Answer().String() }

// Answer returns what the asker may be told.
func (r *Refusal) Answer() Answer { return r.Reason.Answer() }
