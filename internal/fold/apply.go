package fold

import (
	"fmt"

	"purser"
)

// importsClose is the first version of the fold whose imports end by an entry of
// their own. Those of earlier ones could be found batch by batch.
const importsClose = 2

// apply folds an entry about standing. Refused decisions change nothing here.
func (s *Standing) apply(h purser.Header, e purser.Entry) error {
	if d, ok := e.(purser.Decision); ok && d.Refused() != purser.Allowed {
		return nil
	}
	switch e := e.(type) {
	case *purser.Start:
		s.rules.Put(e.FoldVersion)
		clock := s.clock.Get()
		clock.Held = clock.Held || e.Held
		s.clock.Put(clock)
		if !e.Held {
			s.pause(e.Downtime)
		}
	case *purser.ClockStep:
		clock := s.clock.Get()
		clock.Stepped = true
		s.clock.Put(clock)
	case *purser.ClockAccepted:
		s.clock.Put(Clock{})
		s.pause(e.Wall - h.Stamp) // stamps go on from the wall clock
	case *purser.Door:
		s.door.Put(Door{e.State, e.Until, e.Custodians, e.Quorum})
	case *purser.VendorSet:
		s.setVendor(e)
	case *purser.TeamSet:
		s.setTeam(e)
	case *purser.PersonSet:
		s.setPerson(e)
	case *purser.AuthenticatorSet:
		return s.setAuthenticator(h, e)
	case *purser.SessionOpened:
		return s.open(h, e)
	case *purser.SessionSteppedUp:
		return s.stepUp(h, e)
	case *purser.SessionEnded:
		s.end(e.Session)
	case *purser.Configuration:
		s.configure(e)
	case *purser.Import:
		s.ordinals.Put(max(s.ordinals.Get(), e.First+purser.Ordinal(e.Count)-min(1, purser.Ordinal(e.Count))))
		if s.rules.Get() < importsClose {
			s.closed.Put(s.ordinals.Get())
		}
	case *purser.ImportClosed:
		s.closed.Put(s.ordinals.Get())
	case *purser.ChangeProposed:
		return s.propose(h, e)
	case *purser.ChangeVoted:
		return s.vote(h, e)
	case *purser.KeyRotation:
		return s.rotate(h, e)
	case *purser.Restored:
		s.restored(h.Stamp)
	}
	return nil
}

// Whoever stops being active loses his sessions for good: to be made active
// again gives none of them back.

func (s *Standing) setVendor(e *purser.VendorSet) {
	s.vendors.Put(e.Vendor, e.Status)
	if e.Status != purser.StatusActive {
		s.endAll(func(row session) bool {
			person, _ := s.persons.Get(row.person)
			return person.Vendor == e.Vendor
		})
	}
}

func (s *Standing) setTeam(e *purser.TeamSet) {
	s.teams.Put(e.Team, Team{e.Vendor, e.Status})
	if e.Status != purser.StatusActive {
		s.endAll(func(row session) bool {
			person, _ := s.persons.Get(row.person)
			return person.Team == e.Team
		})
	}
}

func (s *Standing) setPerson(e *purser.PersonSet) {
	before, _ := s.persons.Get(e.Person)
	s.persons.Put(e.Person, Person{e.Vendor, e.Team, e.Roles, e.Status})
	if e.Status != purser.StatusActive || before.Vendor != e.Vendor {
		s.endAll(func(row session) bool { return row.person == e.Person })
	}
}

func (s *Standing) setAuthenticator(h purser.Header, e *purser.AuthenticatorSet) error {
	row, known := s.authenticators.Get(e.Authenticator)
	if !known {
		row = Authenticator{Person: e.Person, Credential: e.Credential, Since: h.Stamp}
		if _, taken := s.credentials.Get(e.Credential); taken {
			return fmt.Errorf("%w: credential bound twice", ErrImpossible)
		}
		s.credentials.Put(e.Credential, e.Authenticator)
	}
	if row.Person != e.Person || row.Credential != e.Credential {
		return fmt.Errorf("%w: authenticator changed hands", ErrImpossible)
	}
	row.Status = e.Status
	s.authenticators.Put(e.Authenticator, row)
	if e.Status != purser.StatusActive {
		s.endAll(func(row session) bool { return row.authenticator == e.Authenticator })
	}
	return nil
}

func (s *Standing) open(h purser.Header, e *purser.SessionOpened) error {
	id := e.Who.Session
	if _, used := s.sessions.Get(id); used || id.Zero() {
		return fmt.Errorf("%w: session opened twice", ErrImpossible)
	}
	if e.Level == purser.LevelDesk {
		if earlier, ok := s.desk.Get(e.Who.Person); ok {
			s.end(earlier)
		}
		s.desk.Put(e.Who.Person, id)
	}
	s.sessions.Put(id, session{
		person: e.Who.Person, authenticator: e.Authenticator, level: e.Level, key: e.Key,
		opened: h.Stamp, steppedUp: h.Stamp, expires: min(e.Expires, h.Stamp+SessionLife),
	})
	return nil
}

func (s *Standing) stepUp(h purser.Header, e *purser.SessionSteppedUp) error {
	row, ok := s.sessions.Get(e.Who.Session)
	if !ok {
		return fmt.Errorf("%w: step-up without a session", ErrImpossible)
	}
	row.steppedUp = h.Stamp
	s.sessions.Put(e.Who.Session, row)
	return nil
}

func (s *Standing) end(id purser.SessionID) {
	row, ok := s.sessions.Get(id)
	if !ok {
		return
	}
	s.sessions.Delete(id)
	if mine, _ := s.desk.Get(row.person); mine == id {
		s.desk.Delete(row.person)
	}
}

func (s *Standing) endAll(which func(session) bool) {
	var ids []purser.SessionID
	for id, row := range s.sessions.All() {
		if which(row) {
			ids = append(ids, id)
		}
	}
	for _, id := range ids {
		s.end(id)
	}
}

func (s *Standing) configure(e *purser.Configuration) {
	config := s.config.Get()
	switch e.What {
	case purser.ConfigSchema:
		config.Schema = e.Hash
	case purser.ConfigPolicy:
		config.Policy = e.Hash
	case purser.ConfigBudget: // counted in budgets
	}
	s.config.Put(config)
}

func (s *Standing) sweep(at purser.Stamp) {
	s.endAll(func(row session) bool { return row.expires <= at })
	s.sweepChanges(at)
}

func (s *Standing) commit() {
	s.vendors.Commit()
	s.teams.Commit()
	s.persons.Commit()
	s.authenticators.Commit()
	s.sessions.Commit()
	s.changes.Commit()
	s.door.Commit()
	s.config.Commit()
	s.clock.Commit()
	s.ordinals.Commit()
	s.keys.Commit()
	s.closed.Commit()
	s.rules.Commit()
	s.desk.Commit()
	s.credentials.Commit()
}

func (s *Standing) discard() {
	s.vendors.Discard()
	s.teams.Discard()
	s.persons.Discard()
	s.authenticators.Discard()
	s.sessions.Discard()
	s.changes.Discard()
	s.door.Discard()
	s.config.Discard()
	s.clock.Discard()
	s.ordinals.Discard()
	s.keys.Discard()
	s.closed.Discard()
	s.rules.Discard()
	s.desk.Discard()
	s.credentials.Discard()
}
