package fold

import (
	"bytes"
	"slices"

	"purser"
	"purser/internal/rule/overlay"
)

const (
	// SessionLife is how long a session lives at most.
	SessionLife = 12 * purser.Hour
	// StepUpLife is how long a step-up counts.
	StepUpLife = 5 * purser.Minute
	// keepChange is how long a change can be told from an unknown one.
	keepChange = 30 * purser.Day
)

// Standing is who and what is registered: vendors, teams, persons,
// authenticators, sessions, the door, configuration, changes and the clock.
// Names and other readable things are in rows, not here.
type Standing struct {
	vendors        overlay.Table[purser.VendorID, purser.Status]
	teams          overlay.Table[purser.TeamID, Team]
	persons        overlay.Table[purser.PersonID, Person]
	authenticators overlay.Table[purser.AuthenticatorID, Authenticator]
	sessions       overlay.Table[purser.SessionID, session]
	changes        overlay.Table[purser.ChangeID, Change]
	door           overlay.Cell[Door]
	config         overlay.Cell[Configuration]
	clock          overlay.Cell[Clock]
	ordinals       overlay.Cell[purser.Ordinal]
	keys           overlay.Table[keyName, keyRow]
	closed         overlay.Cell[purser.Ordinal]
	rules          overlay.Cell[uint16] // the fold's version that the last start names

	// These follow from the tables above and are not in the snapshot.
	desk        overlay.Table[purser.PersonID, purser.SessionID]
	credentials overlay.Table[purser.Commitment, purser.AuthenticatorID]
}

// Team is a team of a vendor.
type Team struct {
	Vendor purser.VendorID
	Status purser.Status
}

// Person is what decisions need of a person.
type Person struct {
	Vendor purser.VendorID
	Team   purser.TeamID
	Roles  purser.Role
	Status purser.Status
}

// Authenticator is a passkey that was bound to a person at stamp Since.
type Authenticator struct {
	Person     purser.PersonID
	Credential purser.Commitment
	Status     purser.Status
	Since      purser.Stamp
}

// Session is a live session: who acts in it now and what he may do.
type Session struct {
	Who           purser.Actor
	Roles         purser.Role
	Level         purser.Level
	Authenticator purser.AuthenticatorID
	Key           purser.Commitment // of the page's public key
	Opened        purser.Stamp
	SteppedUp     purser.Stamp // the last assertion; logging in is the first
	Expires       purser.Stamp
}

// session is a session as it is kept; roles, team and vendor are the person's.
type session struct {
	person        purser.PersonID
	authenticator purser.AuthenticatorID
	level         purser.Level
	key           purser.Commitment
	opened        purser.Stamp
	steppedUp     purser.Stamp
	expires       purser.Stamp
}

// Door is the bootstrap door as it was last set. Custodians is not changed by
// whoever gets it.
type Door struct {
	State      purser.DoorState
	Until      purser.Stamp
	Custodians []purser.Commitment
	Quorum     uint8
}

// Configuration holds the hashes of what is in force.
type Configuration struct {
	Schema purser.Hash
	Policy purser.Hash
}

// Clock says whether security must accept the wall clock.
type Clock struct {
	Held    bool // the process was down for too long, or time went back
	Stepped bool // the wall clock left the monotonic clock
}

// Accepted reports whether nothing waits for security.
func (c Clock) Accepted() bool { return !c.Held && !c.Stepped }

// Live returns the session if it may act at stamp at: opened, not ended, not
// expired, with person, team, vendor and authenticator active. Its roles, team
// and vendor are those the person has now. How long a session may be idle is
// the edge's to say.
func (s *Standing) Live(id purser.SessionID, at purser.Stamp) (Session, purser.Reason) {
	row, ok := s.sessions.Get(id)
	if !ok || row.expires <= at {
		return Session{}, purser.NoSession
	}
	person, active := s.active(row.person)
	passkey, _ := s.authenticators.Get(row.authenticator)
	if !active || passkey.Status != purser.StatusActive {
		return Session{}, purser.NoStanding
	}
	return Session{
		Who:   purser.Actor{Session: id, Person: row.person, Team: person.Team, Vendor: person.Vendor},
		Roles: person.Roles, Level: row.level, Authenticator: row.authenticator, Key: row.key,
		Opened: row.opened, SteppedUp: row.steppedUp, Expires: row.expires,
	}, purser.Allowed
}

// Fresh is Live, with a step-up at most StepUpLife old.
func (s *Standing) Fresh(id purser.SessionID, at purser.Stamp) (Session, purser.Reason) {
	live, why := s.Live(id, at)
	if why != purser.Allowed {
		return Session{}, why
	}
	if live.SteppedUp+StepUpLife < at {
		return live, purser.NeedStepUp
	}
	return live, purser.Allowed
}

// active returns a person who is active in an active team of an active vendor.
// Somebody without a team needs none.
func (s *Standing) active(id purser.PersonID) (Person, bool) {
	person, _ := s.persons.Get(id)
	vendor, _ := s.vendors.Get(person.Vendor)
	if person.Status != purser.StatusActive || vendor != purser.StatusActive {
		return Person{}, false
	}
	if person.Team.Zero() {
		return person, true
	}
	team, _ := s.teams.Get(person.Team)
	return person, team.Status == purser.StatusActive && team.Vendor == person.Vendor
}

// Roles returns what a person may do now: nothing when he is not active.
func (s *Standing) Roles(id purser.PersonID) purser.Role {
	if person, ok := s.active(id); ok {
		return person.Roles
	}
	return 0
}

// Actor returns a person with his team and vendor, active or not; without a
// session. It is zero for a person nobody knows.
func (s *Standing) Actor(id purser.PersonID) purser.Actor {
	person, ok := s.persons.Get(id)
	if !ok {
		return purser.Actor{}
	}
	return purser.Actor{Person: id, Team: person.Team, Vendor: person.Vendor}
}

// Of returns whom a target names, for the rules about locks; zero when nobody
// knows the target, and for all and sources.
func (s *Standing) Of(t purser.Target) purser.Actor {
	switch t.Kind {
	case purser.TargetSession:
		row, ok := s.sessions.Get(t.ID)
		if !ok {
			return purser.Actor{}
		}
		who := s.Actor(row.person)
		who.Session = t.ID
		return who
	case purser.TargetPerson:
		return s.Actor(t.ID)
	case purser.TargetTeam:
		team, ok := s.teams.Get(t.ID)
		if !ok {
			return purser.Actor{}
		}
		return purser.Actor{Team: t.ID, Vendor: team.Vendor}
	case purser.TargetVendor:
		if _, ok := s.vendors.Get(t.ID); ok {
			return purser.Actor{Vendor: t.ID}
		}
	case purser.TargetAll, purser.TargetSource:
	}
	return purser.Actor{}
}

// Person returns what is known of a person.
func (s *Standing) Person(id purser.PersonID) (Person, bool) { return s.persons.Get(id) }

// Team returns what is known of a team.
func (s *Standing) Team(id purser.TeamID) (Team, bool) { return s.teams.Get(id) }

// Vendor returns the status of a vendor.
func (s *Standing) Vendor(id purser.VendorID) (purser.Status, bool) { return s.vendors.Get(id) }

// Authenticator returns what is known of an authenticator.
func (s *Standing) Authenticator(id purser.AuthenticatorID) (Authenticator, bool) {
	return s.authenticators.Get(id)
}

// Bound returns the authenticator of a credential, whatever its status.
func (s *Standing) Bound(credential purser.Commitment) (purser.AuthenticatorID, bool) {
	return s.credentials.Get(credential)
}

// Authenticators counts the active authenticators of a person. It looks at all
// of them, so it is not for the path of a disclosure.
func (s *Standing) Authenticators(id purser.PersonID) int {
	n := 0
	for _, a := range s.authenticators.All() {
		if a.Person == id && a.Status == purser.StatusActive {
			n++
		}
	}
	return n
}

// Holders lists the active persons who hold every role of want, by id. It looks
// at all persons.
func (s *Standing) Holders(want purser.Role) []purser.PersonID {
	var ids []purser.PersonID
	for id := range s.persons.All() {
		if person, ok := s.active(id); ok && person.Roles.Has(want) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b purser.PersonID) int { return bytes.Compare(a[:], b[:]) })
	return ids
}

// Desk returns a person's desk session, if he has one that was not ended.
func (s *Standing) Desk(id purser.PersonID) (purser.SessionID, bool) { return s.desk.Get(id) }

// Door returns the state of the bootstrap door at stamp at: one that was never
// opened is shut like one whose time has run out.
func (s *Standing) Door(at purser.Stamp) purser.DoorState {
	door := s.door.Get()
	if door.State == 0 || (door.State == purser.DoorOpen && door.Until <= at) {
		return purser.DoorExpired
	}
	return door.State
}

// DoorSet returns the door as it was last set; zero when it never was.
func (s *Standing) DoorSet() Door { return s.door.Get() }

// Configuration returns the hashes of schema and policies in force.
func (s *Standing) Configuration() Configuration { return s.config.Get() }

// Clock returns whether security must accept the wall clock.
func (s *Standing) Clock() Clock { return s.clock.Get() }

// Ordinals returns the highest ordinal that imports have taken.
func (s *Standing) Ordinals() purser.Ordinal { return s.ordinals.Get() }

// Closed returns the highest ordinal that can be a customer to anybody: those
// above it belong to an import that has not ended, and are nobody yet.
func (s *Standing) Closed() purser.Ordinal { return s.closed.Get() }
