package synth

import (
	"purser"
	"purser/internal/fold"
)

// keeping amends, holds, lets expire, erases, and votes about it.
func (e *Entries) keeping() []act {
	customer := purser.Ordinal(1 + e.draw(40))
	acts := []act{e.amends(customer), e.expires(customer)}
	switch e.draw(3) {
	case 0:
		acts = append(acts, e.holds(customer))
	case 1:
		acts = append(acts, e.lifts(), e.lifts())
	}
	return append(acts, e.erases(customer), e.erases(customer))
}

func (e *Entries) amends(customer purser.Ordinal) act {
	return told(&purser.Amend{
		Who: e.who(e.draw(agents)), Customer: customer,
		Fields: purser.Mask(3), Channels: purser.Mask(3), Assurance: purser.A3,
	})
}

func (e *Entries) expires(customer purser.Ordinal) act {
	return func(s *fold.State) purser.Entry {
		free := s.Keeping().Free([]purser.Ordinal{customer, customer + 2})
		if len(free) == 0 {
			return nil
		}
		return &purser.Expired{Customers: free, Fields: purser.Mask(9)}
	}
}

// voter is one of security, privacy and administration, with his role.
func (e *Entries) voter() (purser.Actor, purser.Role) {
	i := agents + 2 + e.draw(3)
	return e.who(i), e.cast[i].roles
}

func (e *Entries) holds(customer purser.Ordinal) act {
	return func(s *fold.State) purser.Entry {
		entry := &purser.HoldPlaced{
			Hold: e.id(), Customers: []purser.Ordinal{customer, customer + 1}, Review: e.at + 90*purser.Day,
		}
		entry.By, entry.As = e.voter()
		entry.Reason = s.Keeping().Place(entry, entry.As, e.at)
		return entry
	}
}

func (e *Entries) lifts() act {
	return func(s *fold.State) purser.Entry {
		standing := s.Keeping().Holds()
		if len(standing) == 0 {
			return nil
		}
		entry := &purser.HoldLift{Hold: standing[e.draw(len(standing))]}
		entry.By, entry.As = e.voter()
		entry.Lifted, entry.Reason = s.Keeping().Lift(entry, entry.As, counted(s), e.at)
		return entry
	}
}

func (e *Entries) erases(customer purser.Ordinal) act {
	return func(s *fold.State) purser.Entry {
		entry := &purser.Erase{Customer: customer, Cause: purser.EraseRequest}
		entry.By, entry.As = e.voter()
		entry.Done, entry.Until, entry.Reason = s.Keeping().Erase(entry, entry.As, counted(s), e.at)
		return entry
	}
}

// counted judges an earlier vote by the roles that its giver has now.
func counted(s *fold.State) func(purser.Actor, purser.Role) bool {
	return func(who purser.Actor, as purser.Role) bool { return s.Standing().Roles(who.Person).Has(as) }
}
