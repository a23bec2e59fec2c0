package purser

import "slices"

// VendorSet adds a vendor or changes its status.
type VendorSet struct {
	Vendor VendorID
	Status Status
	By     Actor
	Reason Reason
}

func (*VendorSet) Kind() Kind        { return KindVendor }
func (e *VendorSet) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *VendorSet) Code(c *Coder) {
	e.Vendor.Code(c)
	codeEnum(c, &e.Status, StatusGone)
	e.By.Code(c)
	codeReason(c, &e.Reason)
}

// TeamSet adds a team of a vendor or changes its status.
type TeamSet struct {
	Team   TeamID
	Vendor VendorID
	Status Status
	By     Actor
	Reason Reason
}

func (*TeamSet) Kind() Kind        { return KindTeam }
func (e *TeamSet) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *TeamSet) Code(c *Coder) {
	e.Team.Code(c)
	e.Vendor.Code(c)
	codeEnum(c, &e.Status, StatusGone)
	e.By.Code(c)
	codeReason(c, &e.Reason)
}

// PersonSet adds a person or changes what is known of one. Names are in the
// person's row, never here.
type PersonSet struct {
	Person PersonID
	Vendor VendorID
	Team   TeamID
	Roles  Role
	Status Status
	By     Actor
	Reason Reason
}

func (*PersonSet) Kind() Kind        { return KindPerson }
func (e *PersonSet) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *PersonSet) Code(c *Coder) {
	e.Person.Code(c)
	e.Vendor.Code(c)
	e.Team.Code(c)
	e.Roles.Code(c)
	codeEnum(c, &e.Status, StatusGone)
	e.By.Code(c)
	codeReason(c, &e.Reason)
}

// AuthenticatorSet binds a passkey to a person, or changes its status. Adding
// one is a decision: it is refused when the door is shut (L7).
type AuthenticatorSet struct {
	Authenticator AuthenticatorID
	Person        PersonID
	Credential    Commitment // first half of SHA-256 of the credential id
	Status        Status
	By            Actor
	Reason        Reason
}

func (*AuthenticatorSet) Kind() Kind        { return KindAuthenticator }
func (e *AuthenticatorSet) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *AuthenticatorSet) Code(c *Coder) {
	e.Authenticator.Code(c)
	e.Person.Code(c)
	e.Credential.Code(c)
	codeEnum(c, &e.Status, StatusGone)
	e.By.Code(c)
	codeReason(c, &e.Reason)
}

// SessionOpened is a completed passkey login. Opening a desk session ends the
// person's earlier one.
type SessionOpened struct {
	Who           Actor
	Authenticator AuthenticatorID
	Level         Level
	Key           Commitment // of the page's public key
	Expires       Stamp
	Reason        Reason
}

func (*SessionOpened) Kind() Kind        { return KindSessionOpened }
func (e *SessionOpened) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *SessionOpened) Code(c *Coder) {
	e.Who.Code(c)
	e.Authenticator.Code(c)
	codeEnum(c, &e.Level, LevelDesk)
	e.Key.Code(c)
	c.Stamp(&e.Expires)
	codeReason(c, &e.Reason)
}

// SessionSteppedUp is a fresh assertion of the person's passkey in a session.
type SessionSteppedUp struct {
	Who           Actor
	Authenticator AuthenticatorID
	Reason        Reason
}

func (*SessionSteppedUp) Kind() Kind        { return KindSessionSteppedUp }
func (e *SessionSteppedUp) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *SessionSteppedUp) Code(c *Coder) {
	e.Who.Code(c)
	e.Authenticator.Code(c)
	codeReason(c, &e.Reason)
}

// SessionEnd is why a session ended.
type SessionEnd uint8

// The ends.
const (
	EndLogout SessionEnd = 1 + iota
	EndReplaced
	EndExpired
	EndRevoked
)

// SessionEnded ends a session at once.
type SessionEnded struct {
	Session SessionID
	Why     SessionEnd
	By      Actor
	Reason  Reason
}

func (*SessionEnded) Kind() Kind        { return KindSessionEnded }
func (e *SessionEnded) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *SessionEnded) Code(c *Coder) {
	e.Session.Code(c)
	codeEnum(c, &e.Why, EndRevoked)
	e.By.Code(c)
	codeReason(c, &e.Reason)
}

// LockCause is what made somebody, or something, place or lift a lock.
type LockCause uint8

// The causes.
const (
	CauseOrder    LockCause = 1 + iota // security's or a lead's order
	CauseOperator                      // the operator on the host
	CauseMismatch                      // an event came again with other bytes
	CauseOwn                           // the person stopped their own session
	CauseMistake                       // lifted: it was placed in error
	CauseCleared                       // lifted: what it was placed for is over
)

// LockPlaced orders that a target be stopped. Placing is single and instant.
type LockPlaced struct {
	Lock    LockID
	Target  Target
	Degree  Degree
	Paths   Path
	Expires Stamp // zero: until lifted
	Cause   LockCause
	By      Actor
	Reason  Reason // why it was refused; Allowed when placed
}

func (*LockPlaced) Kind() Kind        { return KindLockPlaced }
func (e *LockPlaced) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *LockPlaced) Code(c *Coder) {
	e.Lock.Code(c)
	e.Target.Code(c)
	codeEnum(c, &e.Degree, DegreeLock)
	c.U8((*uint8)(&e.Paths))
	c.Stamp(&e.Expires)
	codeEnum(c, &e.Cause, CauseCleared)
	e.By.Code(c)
	codeReason(c, &e.Reason)
}

// LockLift is one person's vote to lift a lock. The second vote, by another
// human, lifts it: Lifted is set in that entry.
type LockLift struct {
	Lock   LockID
	Cause  LockCause
	By     Actor
	Lifted bool
	Reason Reason
}

func (*LockLift) Kind() Kind        { return KindLockLift }
func (e *LockLift) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *LockLift) Code(c *Coder) {
	e.Lock.Code(c)
	codeEnum(c, &e.Cause, CauseCleared)
	e.By.Code(c)
	c.Flag(&e.Lifted)
	codeReason(c, &e.Reason)
}

// ChangeProposed asks for a loosening (L11). Enacts is the kind byte and
// payload of the entry that takes effect when the change is enacted.
type ChangeProposed struct {
	Change ChangeID
	By     Actor
	As     Role // the one role in which it is proposed
	Enacts []byte
	Reason Reason
}

func (*ChangeProposed) Kind() Kind        { return KindChangeProposed }
func (e *ChangeProposed) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *ChangeProposed) Code(c *Coder) {
	e.Change.Code(c)
	e.By.Code(c)
	e.As.Code(c)
	c.Blob(&e.Enacts)
	codeReason(c, &e.Reason)
}

// Vote is what somebody says to a proposed change.
type Vote uint8

// The votes.
const (
	VoteApprove Vote = 1 + iota
	VoteVeto
)

// ChangeVoted approves or vetoes a change. The hold runs from the approval.
type ChangeVoted struct {
	Change ChangeID
	By     Actor
	As     Role
	Vote   Vote
	Reason Reason
}

func (*ChangeVoted) Kind() Kind        { return KindChangeVoted }
func (e *ChangeVoted) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *ChangeVoted) Code(c *Coder) {
	e.Change.Code(c)
	e.By.Code(c)
	e.As.Code(c)
	codeEnum(c, &e.Vote, VoteVeto)
	codeReason(c, &e.Reason)
}

// ChangeEnacted makes a change take effect: applying it applies Enacts.
type ChangeEnacted struct {
	Change ChangeID
	Enacts []byte
	Reason Reason
}

func (*ChangeEnacted) Kind() Kind        { return KindChangeEnacted }
func (e *ChangeEnacted) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *ChangeEnacted) Code(c *Coder) {
	e.Change.Code(c)
	c.Blob(&e.Enacts)
	codeReason(c, &e.Reason)
}

// Enactable reports whether a change may enact entries of the kind: what widens
// what can be disclosed, and nothing that acts for somebody.
func (k Kind) Enactable() bool {
	return slices.Contains([]Kind{KindVendor, KindTeam, KindPerson, KindSource, KindAgentMapped, KindConfiguration}, k)
}

// Inner parses the kind byte and payload that a change enacts. Only what
// widens may be enacted by a change: no authenticator (L7), no door, no
// further change, and nothing that is itself refused.
func Inner(enacts []byte) (Entry, error) {
	if len(enacts) == 0 || !Kind(enacts[0]).Enactable() {
		return nil, ErrBadBytes
	}
	e, err := ParsePayload(Kind(enacts[0]), enacts[1:])
	if err != nil {
		return nil, err
	}
	if d, ok := e.(Decision); ok && d.Refused() != Allowed {
		return nil, ErrBadBytes
	}
	return e, nil
}

// Enacts returns the kind byte and payload of e, for ChangeProposed.
func Enacts(e Entry) []byte {
	c := NewEncoder([]byte{byte(e.Kind())})
	e.Code(c)
	return c.Bytes()
}
