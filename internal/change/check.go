package change

import (
	"purser"
	"purser/internal/fold"
	"purser/internal/rule/budget"
)

// signed returns a copy of e with its By set, and whether e is of a kind that
// a change may enact.
func signed(e purser.Entry, by purser.Actor) (purser.Entry, bool) {
	switch e := e.(type) {
	case *purser.VendorSet:
		c := *e
		c.By = by
		return &c, true
	case *purser.TeamSet:
		c := *e
		c.By = by
		return &c, true
	case *purser.PersonSet:
		c := *e
		c.By = by
		return &c, true
	case *purser.SourceSet:
		c := *e
		c.By = by
		return &c, true
	case *purser.AgentMapped:
		c := *e
		c.By = by
		return &c, true
	case *purser.Configuration:
		c := *e
		c.By = by
		return &c, true
	}
	return nil, false
}

// beneficiary is the person whom an entry gives something; he is no party to
// its change.
func beneficiary(e purser.Entry) purser.PersonID {
	switch e := e.(type) {
	case *purser.PersonSet:
		return e.Person
	case *purser.AgentMapped:
		return e.Person
	}
	return purser.PersonID{}
}

// Loosens reports whether e would widen what can be disclosed, as things stand
// (L11). What it does not know it takes for a loosening.
func Loosens(s *fold.State, e purser.Entry) bool {
	switch e := e.(type) {
	case *purser.VendorSet:
		now, _ := s.Standing().Vendor(e.Vendor)
		return e.Status == purser.StatusActive && now != purser.StatusActive
	case *purser.TeamSet:
		return loosensTeam(s, e)
	case *purser.PersonSet:
		return loosensPerson(s, e)
	case *purser.SourceSet:
		return loosensSource(s, e)
	case *purser.AgentMapped:
		now, _ := s.Contacts().PersonOf(e.Source, e.Agent)
		return !e.Person.Zero() && e.Person != now
	case *purser.Configuration:
		return e.What != purser.ConfigBudget || s.Budgets().Loosens(e)
	}
	return true
}

func loosensTeam(s *fold.State, e *purser.TeamSet) bool {
	now, known := s.Standing().Team(e.Team)
	if known && now.Vendor != e.Vendor {
		return true
	}
	return e.Status == purser.StatusActive && now.Status != purser.StatusActive
}

// loosensPerson: to add, activate or move somebody, or to give a role. A team
// says whose leads stand over a person, so a move is nobody's alone.
func loosensPerson(s *fold.State, e *purser.PersonSet) bool {
	now, known := s.Standing().Person(e.Person)
	if known && (now.Vendor != e.Vendor || now.Team != e.Team) {
		return true
	}
	if e.Roles&^now.Roles != 0 {
		return true
	}
	return e.Status == purser.StatusActive && now.Status != purser.StatusActive
}

// loosensSource: a source in use may be given less trust at once; another
// secret or vendor is another source.
func loosensSource(s *fold.State, e *purser.SourceSet) bool {
	if e.Status != purser.StatusActive {
		return false
	}
	now, known := s.Contacts().Source(e.Source)
	same := known && !now.Locked && now.Status == purser.StatusActive &&
		now.Vendor == e.Vendor && now.Secret == e.Secret
	return !same || e.Trust&^now.Trust != 0
}

// Check decides whether e may take effect as things stand, whoever asks: what
// it is about exists, and no ceiling is exceeded. It is asked at the proposal,
// at the approval and at the enactment.
func Check(s *fold.State, e purser.Entry) purser.Reason {
	switch e := e.(type) {
	case *purser.VendorSet:
		return known(!e.Vendor.Zero() && e.Status != 0)
	case *purser.TeamSet:
		now, exists := s.Standing().Team(e.Team)
		moved := exists && now.Vendor != e.Vendor
		return known(!e.Team.Zero() && e.Status != 0 && !moved && hasVendor(s, e.Vendor))
	case *purser.PersonSet:
		return checkPerson(s, e)
	case *purser.SourceSet:
		active := e.Status == purser.StatusActive
		return known(!e.Source.Zero() && e.Status != 0 && (!active || !e.Secret.Zero()) && hasVendor(s, e.Vendor))
	case *purser.AgentMapped:
		_, source := s.Contacts().Source(e.Source)
		unmaps := e.Person.Zero()
		return known(source && !e.Agent.Zero() && (unmaps || s.Standing().Roles(e.Person) != 0))
	case *purser.Configuration:
		return checkConfiguration(s, e)
	}
	return purser.TargetUnknown
}

func known(ok bool) purser.Reason {
	if ok {
		return purser.Allowed
	}
	return purser.TargetUnknown
}

func hasVendor(s *fold.State, id purser.VendorID) bool {
	_, ok := s.Standing().Vendor(id)
	return ok
}

func checkPerson(s *fold.State, e *purser.PersonSet) purser.Reason {
	if e.Person.Zero() || e.Status == 0 || !hasVendor(s, e.Vendor) {
		return purser.TargetUnknown
	}
	if e.Team.Zero() {
		return purser.Allowed
	}
	team, ok := s.Standing().Team(e.Team)
	return known(ok && team.Vendor == e.Vendor)
}

func checkConfiguration(s *fold.State, e *purser.Configuration) purser.Reason {
	switch e.What {
	case purser.ConfigSchema, purser.ConfigPolicy:
		return known(e.Hash != purser.Hash{})
	case purser.ConfigBudget:
		if !e.Vendor.Zero() && !hasVendor(s, e.Vendor) {
			return purser.TargetUnknown
		}
		return budget.Configure(e)
	}
	return purser.TargetUnknown
}

// vendorOf is the vendor that an entry is about; zero for one about everybody,
// or about what nobody knows.
func vendorOf(s *fold.State, e purser.Entry) purser.VendorID {
	switch e := e.(type) {
	case *purser.VendorSet:
		return e.Vendor
	case *purser.TeamSet:
		return e.Vendor
	case *purser.PersonSet:
		return e.Vendor
	case *purser.SourceSet:
		return e.Vendor
	case *purser.AgentMapped:
		source, _ := s.Contacts().Source(e.Source)
		return source.Vendor
	case *purser.Configuration:
		return e.Vendor
	}
	return purser.VendorID{}
}

// silences reports whether e takes standing from a person who may veto.
func silences(s *fold.State, e purser.Entry) bool {
	for _, id := range s.Standing().Holders(purser.RoleSecurity) {
		who := s.Standing().Actor(id)
		switch e := e.(type) {
		case *purser.VendorSet:
			if e.Vendor == who.Vendor {
				return true
			}
		case *purser.TeamSet:
			if e.Team == who.Team {
				return true
			}
		case *purser.PersonSet:
			if e.Person == id {
				return true
			}
		}
	}
	return false
}
