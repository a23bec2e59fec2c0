package fold

import (
	"slices"

	"purser"
	"purser/internal/rule/casefile"
)

// origin returns where a case that is opened, or given its customer, by an
// entry has him from.
func (s *State) origin(e purser.Entry, at purser.Stamp) casefile.Origin {
	var in purser.ContactID
	var who purser.Actor
	switch e := e.(type) {
	case *purser.CaseOpened:
		in, who = e.Contact, e.Who
	case *purser.CaseChanged:
		in, who = e.Contact, e.Who
	}
	c, _ := s.contacts.Contact(in, at)
	return casefile.Origin{Source: c.Source, Through: append(c.Earlier, who)}
}

// Worked says whether a case may be given to somebody and opened to him, as far
// as its origin goes: not while a lock covers the source that it came through,
// whoever its customer was verified through, or whoever gave it him. What they
// made up must not open to somebody else either. Refusals: CaseUnknown, Locked.
func (s *State) Worked(id purser.CaseID, at purser.Stamp) purser.Reason {
	c, known := s.cases.Case(id, at)
	if !known {
		return purser.CaseUnknown
	}
	_, covered := s.locks.Source(c.Origin.Source, at)
	if covered || slices.ContainsFunc(c.Origin.Through, func(who purser.Actor) bool {
		_, _, covered := s.locks.Covers(who, purser.PathDesk, 0, at)
		return covered
	}) {
		return purser.Locked
	}
	return purser.Allowed
}
