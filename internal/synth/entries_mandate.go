package synth

import (
	"purser"
	"purser/internal/fold"
)

// The people who ask for and approve mandates, by their place in the cast.
const (
	security = agents + 2
	privacy  = agents + 3
)

// rights asks for a mandate, approves, uses and ends it, or gives somebody a
// case to work on. Every step is decided.
func (e *Entries) rights() []act {
	if e.draw(3) == 0 {
		return e.assigned()
	}
	ask := e.mandate()
	to := [...]purser.Delivery{
		purser.DeliverNotice, purser.DeliverReport, purser.DeliverFile, purser.DeliverMatch, purser.DeliverFile,
	}[ask.For-purser.MandateNotice]
	used := &purser.Released{Mandate: ask.Mandate, To: to, Customers: ask.Customers, Fields: ask.Fields}
	if ask.UpTo != 0 {
		used.Customers = []purser.Ordinal{1, ask.UpTo}
	}
	return []act{
		func(s *fold.State) purser.Entry { ask.Reason = s.Mandates().Ask(ask, ask.Fields, e.at); return ask },
		func(s *fold.State) purser.Entry {
			by := &purser.MandateApproved{Mandate: ask.Mandate, By: e.who(security), As: purser.RoleSecurity}
			if ask.As == purser.RoleSecurity || e.draw(8) == 0 {
				by.By, by.As = e.who(privacy), purser.RolePrivacy
			}
			by.Reason = s.Mandates().Approve(ask.Mandate, by.By, by.As, e.at)
			return by
		},
		func(s *fold.State) purser.Entry { _, used.Reason = s.Mandates().Release(used, e.at); return used },
		func(s *fold.State) purser.Entry { return e.ends(s, ask.Mandate, privacy) },
	}
}

// mandate draws an ask.
func (e *Entries) mandate() *purser.MandateAsked {
	ask := &purser.MandateAsked{
		Mandate: e.id(), For: purser.MandateNotice + purser.MandateKind(e.draw(5)), By: e.who(privacy), As: purser.RolePrivacy,
		Customers: []purser.Ordinal{1}, Fields: purser.Mask(0, 3), Expires: e.at + purser.Hour + purser.Stamp(e.draw(20))*purser.Hour,
	}
	switch ask.For {
	case purser.MandateNotice, purser.MandateExport, purser.MandateInvestigation:
		if e.draw(2) == 0 {
			ask.Customers, ask.UpTo = nil, purser.Ordinal(2+e.draw(40))
		}
	case purser.MandateLegalOrder:
		ask.Authority, ask.Gag = purser.Commitment{2}, e.at+30*purser.Day
	case purser.MandateSubjectAccess, purser.MandateCaseWork, purser.MandateCallBack:
	}
	switch ask.For {
	case purser.MandateSubjectAccess, purser.MandateExport, purser.MandateLegalOrder:
		ask.Recipient = purser.Commitment{1, byte(e.draw(4))}
	case purser.MandateNotice, purser.MandateInvestigation, purser.MandateCaseWork, purser.MandateCallBack:
	}
	if ask.For == purser.MandateInvestigation || e.draw(6) == 0 {
		ask.By, ask.As = e.who(security), purser.RoleSecurity
	}
	return ask
}

// assigned gives an agent a case, shows its customer, and mostly ends it.
func (e *Entries) assigned() []act {
	i := e.draw(agents)
	given := &purser.MandateAssigned{
		Mandate: e.id(), For: purser.MandateCaseWork + purser.MandateKind(e.draw(2)), To: e.who(i), Case: e.id(),
		Customer: purser.Ordinal(1 + e.draw(40)), Fields: purser.Mask(0, 5), Assurance: purser.A2,
	}
	acts := []act{
		func(s *fold.State) purser.Entry {
			given.Expires = e.at + 14*purser.Day
			given.Reason = s.Mandates().Assign(given, e.at)
			return given
		},
		func(s *fold.State) purser.Entry {
			shown := &purser.Disclosure{
				Who: e.who(i), Mandate: given.Mandate, Customer: given.Customer, Asked: given.Fields, Shown: given.Fields,
				Assurance: given.Assurance, Path: purser.PathDesk, Flags: purser.FirstDisclosure,
			}
			if _, shown.Reason = s.Mandates().Held(given.Mandate, shown.Who.Person, e.at); shown.Reason != purser.Allowed {
				shown.Shown = 0
			}
			return shown
		},
		func(s *fold.State) purser.Entry {
			dial := &purser.Released{
				Mandate: given.Mandate, Who: e.who(i), To: purser.DeliverDial,
				Customers: []purser.Ordinal{given.Customer}, Fields: purser.Mask(5),
			}
			_, dial.Reason = s.Mandates().Release(dial, e.at)
			return dial
		},
	}
	if e.draw(4) > 0 {
		acts = append(acts, func(s *fold.State) purser.Entry { return e.ends(s, given.Mandate, i) })
	}
	return acts
}

// ends has member i end a mandate.
func (e *Entries) ends(s *fold.State, id purser.MandateID, i int) purser.Entry {
	by := e.who(i)
	return &purser.MandateEnded{Mandate: id, By: by, Reason: s.Mandates().End(id, by, e.cast[i].roles, e.at)}
}
