package workforce

import (
	"purser"
	"purser/internal/fold"
	"purser/internal/rule/contain"
)

// doorOpen reports whether authenticators may be enrolled and people added
// directly (L7). A labelled deployment is a demo or scratch directory.
func doorOpen(s *fold.Standing, at purser.Stamp) bool {
	state := s.Door(at)
	return state == purser.DoorOpen || state == purser.DoorLabelled
}

func hasVendor(s *fold.Standing, id purser.VendorID) bool {
	status, _ := s.Vendor(id)
	return status == purser.StatusActive
}

func hasTeam(s *fold.Standing, id purser.TeamID, of purser.VendorID) bool {
	t, _ := s.Team(id)
	return t.Status == purser.StatusActive && t.Vendor == of
}

// ownActive reports whether the fold knows the passkey as an active one of
// this person: the row alone proves nothing.
func ownActive(s *fold.Standing, row AuthenticatorRow) bool {
	a, _ := s.Authenticator(row.Authenticator)
	return a.Status == purser.StatusActive && a.Person == row.Person
}

// enrolment decides whether a passkey may be bound to the person (L7).
func enrolment(s *fold.Standing, e *purser.AuthenticatorSet, at purser.Stamp) purser.Reason {
	_, taken := s.Bound(e.Credential)
	switch {
	case !doorOpen(s, at):
		return purser.DoorShut
	case s.Roles(e.Person) == 0, taken:
		return purser.NoStanding
	case s.Authenticators(e.Person) >= MostAuthenticators:
		return purser.CeilingExceeded
	}
	return purser.Allowed
}

// login decides whether the person may open a session of this level with the
// passkey. Who is zero for a person nobody knows.
func login(s *fold.State, e *purser.SessionOpened, row AuthenticatorRow, at purser.Stamp) purser.Reason {
	roles := s.Standing().Roles(row.Person)
	switch {
	case roles == 0, !ownActive(s.Standing(), row):
		return purser.NoStanding
	case e.Level == purser.LevelDesk && roles&(purser.RoleAgent|purser.RoleLead|purser.RoleDesk) == 0:
		return purser.NoRole
	case shutOut(s, contain.Asker{Who: e.Who, Roles: roles, Stepped: at}, e.Level, at):
		return purser.Locked
	}
	return purser.Allowed
}

// shutOut reports whether a lock keeps the person from logging in. A desk
// session needs the desk path; an office session only that no lock silences
// the person, for whoever may lift a wide lock, or veto, must be able to come
// in. Logging in is itself a step-up.
func shutOut(s *fold.State, who contain.Asker, level purser.Level, at purser.Stamp) bool {
	if level == purser.LevelOffice {
		return s.Locks().Silenced(who, at)
	}
	_, _, covered := s.Locks().Covers(who.Who, purser.PathDesk, at, at)
	return covered
}

// stepUp decides about a step-up, and whose it is.
func stepUp(s *fold.Standing, e *purser.SessionSteppedUp, row AuthenticatorRow, at purser.Stamp) purser.Reason {
	live, why := s.Live(e.Who.Session, at)
	if why != purser.Allowed {
		return why
	}
	e.Who = live.Who
	if live.Who.Person != row.Person || !ownActive(s, row) {
		return purser.NoStanding
	}
	return purser.Allowed
}
