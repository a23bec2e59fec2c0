package change

import (
	"purser"
	"purser/internal/fold"
	"purser/internal/rule/contain"
)

// parties are the roles in which a change may be proposed or approved.
const parties = purser.RoleAdmin | purser.RoleSecurity | purser.RolePrivacy

// Proposal is somebody asking for Inner in one role.
type Proposal struct {
	Change  purser.ChangeID
	Session purser.SessionID
	As      purser.Role
	Inner   purser.Entry
}

// Ballot is somebody voting on a change in one role.
type Ballot struct {
	Change  purser.ChangeID
	Session purser.SessionID
	As      purser.Role
	Vote    purser.Vote
}

// party returns who acts in the session, freshly stepped up, in the one role
// as, and stopped by no lock.
func party(s *fold.State, session purser.SessionID, as purser.Role, at purser.Stamp) (purser.Actor, purser.Reason) {
	live, why := s.Standing().Fresh(session, at)
	if why != purser.Allowed {
		return purser.Actor{Session: session}, why
	}
	if !oneOf(as) || !live.Roles.Has(as) {
		return live.Who, purser.NoRole
	}
	if _, _, locked := s.Locks().Covers(live.Who, purser.PathAll, live.SteppedUp, at); locked {
		return live.Who, purser.Locked
	}
	return live.Who, purser.Allowed
}

// oneOf reports whether as is exactly one of the parties' roles.
func oneOf(as purser.Role) bool { return as&parties == as && as != 0 && as&(as-1) == 0 }

// DecideProposal decides about a proposal. The entry enacts p.Inner with its By
// set to the proposer.
func DecideProposal(s *fold.State, p Proposal, at purser.Stamp) *purser.ChangeProposed {
	who, why := party(s, p.Session, p.As, at)
	inner, known := signed(p.Inner, who)
	if why == purser.Allowed {
		why = proposable(s, p.Change, who, inner, known, at)
	}
	e := &purser.ChangeProposed{Change: p.Change, By: who, As: p.As, Reason: why}
	if known {
		e.Enacts = purser.Enacts(inner)
	}
	return e
}

func proposable(
	s *fold.State, id purser.ChangeID, who purser.Actor, inner purser.Entry, known bool, at purser.Stamp,
) purser.Reason {
	if _, used := s.Standing().Change(id); used || id.Zero() {
		return purser.ChangeUnknown
	}
	if !known {
		return purser.TargetUnknown
	}
	if beneficiary(inner) == who.Person {
		return purser.SameHuman
	}
	if openOf(s, who.Person, at) >= MostOpen {
		return purser.CeilingExceeded
	}
	return Check(s, inner)
}

// openOf counts the changes that a person proposed and that may still come.
func openOf(s *fold.State, who purser.PersonID, at purser.Stamp) int {
	n := 0
	for _, id := range s.Standing().Changes() {
		if c, _ := s.Standing().Change(id); c.By.Person == who && !over(c, at) {
			n++
		}
	}
	return n
}

// over reports whether nothing can become of the change any more.
func over(c fold.Change, at purser.Stamp) bool {
	return c.Outcome != fold.ChangeOpen || c.Proposed+Life <= at
}

// DecideVote decides about a vote. A veto takes one security person with a
// live session, from the proposal until the change is enacted, and one lock on
// him does not stop it: whoever wants a change would place it. An approval
// takes another human than the proposer, in another role, with a fresh
// step-up; whoever the change is about approves nothing.
func DecideVote(s *fold.State, b Ballot, at purser.Stamp) *purser.ChangeVoted {
	e := &purser.ChangeVoted{Change: b.Change, As: b.As, Vote: b.Vote}
	c, known := s.Standing().Change(b.Change)
	switch b.Vote {
	case purser.VoteVeto:
		e.By, e.Reason = vetoer(s, b, at)
	case purser.VoteApprove:
		e.By, e.Reason = party(s, b.Session, b.As, at)
	default:
		e.By, e.Reason = purser.Actor{Session: b.Session}, purser.NoRole
	}
	switch {
	case e.Reason != purser.Allowed:
	case !known:
		e.Reason = purser.ChangeUnknown
	case over(c, at):
		e.Reason = purser.ChangeEnded
	case b.Vote == purser.VoteApprove:
		e.Reason = approvable(s, c, e.By, b.As)
	}
	return e
}

// vetoer returns who vetoes: a tightening, so no step-up is asked for.
func vetoer(s *fold.State, b Ballot, at purser.Stamp) (purser.Actor, purser.Reason) {
	live, why := s.Standing().Live(b.Session, at)
	if why != purser.Allowed {
		return purser.Actor{Session: b.Session}, why
	}
	if b.As != purser.RoleSecurity || !live.Roles.Has(purser.RoleSecurity) {
		return live.Who, purser.NoRole
	}
	if s.Locks().Silenced(contain.Asker{Who: live.Who, Roles: live.Roles, Stepped: live.SteppedUp}, at) {
		return live.Who, purser.Locked
	}
	return live.Who, purser.Allowed
}

func approvable(s *fold.State, c fold.Change, who purser.Actor, as purser.Role) purser.Reason {
	if c.Approved != 0 {
		return purser.ChangeHeld
	}
	inner, err := purser.Inner(c.Enacts)
	if err != nil {
		return purser.TargetUnknown
	}
	if c.By.Person == who.Person || c.As == as || beneficiary(inner) == who.Person {
		return purser.SameHuman
	}
	return Check(s, inner)
}

// DecideEnactment decides whether a change takes effect at stamp at. All of it
// is looked at again: the hold, the clock that it is measured by, both parties'
// standing and roles, locks on them or on the sessions they used, and what the
// change is about.
func DecideEnactment(s *fold.State, id purser.ChangeID, at purser.Stamp) *purser.ChangeEnacted {
	c, known := s.Standing().Change(id)
	e := &purser.ChangeEnacted{Change: id, Enacts: c.Enacts}
	inner, err := purser.Inner(c.Enacts)
	switch {
	case !known:
		e.Reason = purser.ChangeUnknown
	case over(c, at):
		e.Reason = purser.ChangeEnded
	case c.Approved == 0 || at < c.Held+Hold:
		e.Reason = purser.ChangeHeld
	case !s.Standing().Clock().Accepted():
		e.Reason = purser.ClockUnaccepted
	case err != nil:
		e.Reason = purser.TargetUnknown
	default:
		e.Reason = enactable(s, c, inner, at)
	}
	return e
}

func enactable(s *fold.State, c fold.Change, inner purser.Entry, at purser.Stamp) purser.Reason {
	if why := standsBy(s, c.By, c.As, at); why != purser.Allowed {
		return why
	}
	if why := standsBy(s, c.Approver, c.ApprovedAs, at); why != purser.Allowed {
		return why
	}
	return Check(s, inner)
}

// standsBy reports whether a party still has the role he acted in, and neither
// he nor the session he acted in is locked. He is not here to step up, so a
// step-up lock holds.
func standsBy(s *fold.State, who purser.Actor, as purser.Role, at purser.Stamp) purser.Reason {
	if !s.Standing().Roles(who.Person).Has(as) {
		return purser.NoStanding
	}
	now := s.Standing().Actor(who.Person)
	now.Session = who.Session
	if _, _, locked := s.Locks().Covers(now, purser.PathAll, 0, at); locked {
		return purser.Locked
	}
	return purser.Allowed
}

// DecideTightening decides about an entry that takes effect at once on one
// person's word: the entry itself, or a refused proposal of it. What takes
// standing from somebody who may veto is no tightening in this sense, however
// narrow it is: one person must not be able to remove those who watch. Whoever
// is not of security tightens for his own vendor only.
func DecideTightening(s *fold.State, p Proposal, at purser.Stamp) purser.Entry {
	who, why := party(s, p.Session, p.As, at)
	inner, known := signed(p.Inner, who)
	switch {
	case why != purser.Allowed:
	case !known:
		why = purser.TargetUnknown
	case Loosens(s, inner) || silences(s, inner):
		why = purser.LoosensDirectly
	case p.As != purser.RoleSecurity && vendorOf(s, inner) != who.Vendor:
		why = purser.NoRole
	default:
		why = Check(s, inner)
	}
	if why == purser.Allowed {
		return inner
	}
	return refused(inner, known, who, p.As, why)
}

// DecideSuspension decides about suspending a person at once, on one person's
// word: security anybody, an admin anybody of his vendor, a lead the agents of
// his team. Suspending somebody of security takes a change ([DecideTightening]);
// a lock stops him meanwhile.
func DecideSuspension(s *fold.State, by purser.SessionID, person purser.PersonID, at purser.Stamp) purser.Entry {
	who, as, why := suspender(s, by, person, at)
	now, known := s.Standing().Person(person)
	inner := &purser.PersonSet{
		Person: person, Vendor: now.Vendor, Team: now.Team, Roles: now.Roles, Status: purser.StatusSuspended, By: who,
	}
	switch {
	case why != purser.Allowed:
	case !known:
		why = purser.TargetUnknown
	case silences(s, inner):
		why = purser.LoosensDirectly
	}
	if why == purser.Allowed {
		return inner
	}
	return refused(inner, true, who, as, why)
}

// suspender returns who asks for a suspension, and the role that lets him.
func suspender(s *fold.State, by purser.SessionID, person purser.PersonID, at purser.Stamp) (purser.Actor, purser.Role, purser.Reason) {
	live, why := s.Standing().Fresh(by, at)
	if why != purser.Allowed {
		return purser.Actor{Session: by}, 0, why
	}
	if _, _, locked := s.Locks().Covers(live.Who, purser.PathAll, live.SteppedUp, at); locked {
		return live.Who, 0, purser.Locked
	}
	now, _ := s.Standing().Person(person)
	same := now.Vendor == live.Who.Vendor
	switch {
	case live.Roles.Has(purser.RoleSecurity):
		return live.Who, purser.RoleSecurity, purser.Allowed
	case live.Roles.Has(purser.RoleAdmin) && same:
		return live.Who, purser.RoleAdmin, purser.Allowed
	case live.Roles.Has(purser.RoleLead) && same && !now.Team.Zero() && now.Team == live.Who.Team && now.Roles.Tier() == purser.T1:
		return live.Who, purser.RoleLead, purser.Allowed
	}
	return live.Who, 0, purser.NoRole
}

// DecideDirect decides about an entry made through the bootstrap door: the
// entry itself while the door is open, or a refused proposal of it.
func DecideDirect(s *fold.State, inner purser.Entry, at purser.Stamp) purser.Entry {
	inner, known := signed(inner, purser.Actor{})
	var why purser.Reason
	switch {
	case !doorOpen(s, at):
		why = purser.DoorShut
	case !known:
		why = purser.TargetUnknown
	default:
		why = Check(s, inner)
	}
	if why == purser.Allowed {
		return inner
	}
	return refused(inner, known, purser.Actor{}, 0, why)
}

func doorOpen(s *fold.State, at purser.Stamp) bool {
	state := s.Standing().Door(at)
	return state == purser.DoorOpen || state == purser.DoorLabelled
}

func refused(inner purser.Entry, known bool, who purser.Actor, as purser.Role, why purser.Reason) purser.Entry {
	e := &purser.ChangeProposed{By: who, As: as, Reason: why}
	if known {
		e.Enacts = purser.Enacts(inner)
	}
	return e
}
