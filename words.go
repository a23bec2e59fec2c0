package purser

// Role gives a person actions. A person may hold several.
type Role uint16

// The roles, as bits of a set.
const (
	RoleAgent Role = 1 << iota
	RoleLead
	RoleDesk
	RoleApprover
	RoleSecurity
	RolePrivacy
	RoleAdmin
	RoleInvestigator

	roleEnd
)

// Has reports whether the set r holds every role of want.
func (r Role) Has(want Role) bool { return r&want == want }

// roleNames are the roles in the order of their bits, as the API spells them.
func roleNames() [8]string {
	return [...]string{"agent", "lead", "desk", "approver", "security", "privacy", "admin", "investigator"}
}

// Names returns the names of the roles in the set, in the order of their bits.
func (r Role) Names() []string {
	var names []string
	for i, name := range roleNames() {
		if r&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// RoleOf returns the role of a name; 0 for a name that is none.
func RoleOf(name string) Role {
	for i, n := range roleNames() {
		if n == name {
			return 1 << i
		}
	}
	return 0
}

// Code codes the set and refuses bits that name no role.
func (r *Role) Code(c *Coder) {
	c.U16((*uint16)(r))
	if *r >= roleEnd {
		c.Fail()
	}
}

// One reports whether r is exactly one role, as somebody acts in.
func (r Role) One() bool { return r != 0 && r&(r-1) == 0 && r < roleEnd }

// Tier ranks what a person can do, from T1 (agent) to T4 (custodian). It is
// computed from roles, never stored.
type Tier uint8

// The tiers.
const (
	T1 Tier = 1 + iota // agent
	T2                 // lead, desk
	T3                 // privileged: security, privacy, admin, approver, investigator
	T4                 // custodian
)

// Tier computes the tier of somebody who holds the roles r.
func (r Role) Tier() Tier {
	switch {
	case r&(RoleSecurity|RolePrivacy|RoleAdmin|RoleApprover|RoleInvestigator) != 0:
		return T3
	case r&(RoleLead|RoleDesk) != 0:
		return T2
	default:
		return T1
	}
}

// Actor is who acted, as of then: the session and the person, team and vendor
// it stood for when the entry was decided.
type Actor struct {
	Session SessionID
	Person  PersonID
	Team    TeamID
	Vendor  VendorID
}

// Code codes the four identifiers.
func (a *Actor) Code(c *Coder) {
	a.Session.Code(c)
	a.Person.Code(c)
	a.Team.Code(c)
	a.Vendor.Code(c)
}

// TargetKind is how wide a lock reaches: session < person < team < vendor < all.
type TargetKind uint8

// The target kinds, narrow to wide; a source stands beside the line.
const (
	TargetSession TargetKind = 1 + iota
	TargetPerson
	TargetTeam
	TargetVendor
	TargetAll
	TargetSource
)

// Target is whom a lock stops.
type Target struct {
	Kind TargetKind
	// ID is the identifier's 16 bytes; zero for TargetAll.
	ID [16]byte
}

// Code codes the target.
func (t *Target) Code(c *Coder) {
	codeEnum(c, &t.Kind, TargetSource)
	c.Fixed(t.ID[:])
}

// Covers reports whether actor a is inside the target.
func (t Target) Covers(a Actor) bool {
	switch t.Kind {
	case TargetSession:
		return t.ID == a.Session
	case TargetPerson:
		return t.ID == a.Person
	case TargetTeam:
		return t.ID == a.Team && !a.Team.Zero()
	case TargetVendor:
		return t.ID == a.Vendor
	case TargetAll:
		return true
	case TargetSource:
		return false
	}
	return false
}

// Path is a way by which fields or acts leave Purser; a lock may stop some.
type Path uint8

// The paths, as bits of a set.
const (
	PathDesk Path = 1 << iota
	PathAPI
	PathSearch
	PathExport
	PathNotices
	PathAll Path = 0xff
)

// Degree is how hard a lock holds.
type Degree uint8

// The degrees.
const (
	DegreeStepUp Degree = 1 + iota // cleared by a fresh step-up of the person
	DegreeLock
)

// Way is one way of verifying a caller.
type Way uint8

// The ways. Approval, letter and delegate have numbers here so that entries
// keep their meaning when those ways arrive.
const (
	WayMatch Way = 1 + iota
	WayNumber
	WayCode
	WayKeypad
	WayApproval
	WayLetter
	WayDelegate
	WayBreakGlass
)

// Level is what a session was opened for.
type Level uint8

// The levels.
const (
	// LevelOffice may administer and oversee; it claims no contact.
	LevelOffice Level = 1 + iota
	// LevelDesk may claim contacts. A person has at most one such session.
	LevelDesk
)

// Attestation says who vouches for a caller's number.
type Attestation uint8

// The attestations.
const (
	AttestNone    Attestation = iota
	AttestCarrier             // SHAKEN A
	AttestTrunk               // arrived on a named trunk
)

// Event is what a source says happened to a contact.
type Event uint8

// The events of a native source.
const (
	EventOffered Event = 1 + iota
	EventConnected
	EventHeld
	EventConsult     // To joins on a leg of its own, with its own claim
	EventConference  // the consult leg becomes a second holder
	EventTransferred // the right moves from Agent to To
	EventHungUp      // the customer is gone: wrap-up begins
	EventClosed
	EventKeypad    // the customer keyed digits
	EventHeartbeat // nothing happened; the source is alive
	EventSnapshot  // the contacts that are live now
	EventLeft      // Agent left a consult or conference
)

// Status is whether a vendor, team, person, authenticator or source is in use.
type Status uint8

// The statuses.
const (
	StatusActive Status = 1 + iota
	StatusSuspended
	StatusGone
)

// AgentKey is a switch's agent id as the ledger holds it: the first half of
// HMAC-SHA-256 under a salt of its source. Never an extension.
type AgentKey [16]byte

// Zero reports whether no agent is named.
func (k AgentKey) Zero() bool { return k == AgentKey{} }

// Code codes the 16 bytes.
func (k *AgentKey) Code(c *Coder) { c.Fixed(k[:]) }

// Purpose is why fields are asked for. The schema names purposes from 1; zero
// is the contact itself.
type Purpose uint8
