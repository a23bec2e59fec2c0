package fold

import (
	"bytes"
	"fmt"
	"slices"

	"purser"
)

// Outcome is how far a change has come.
type Outcome uint8

// The outcomes. A change that expired stays open: time is not an entry.
const (
	ChangeOpen Outcome = 1 + iota // proposed; approved when Approved is set
	ChangeVetoed
	ChangeEnacted
	ChangeOvertaken // what it is about was set by something else since
)

// Change is a loosening on its way. Enacts is not changed by whoever gets it.
type Change struct {
	By       purser.Actor // as of the proposal
	As       purser.Role
	Enacts   []byte
	Proposed purser.Stamp

	Approver   purser.Actor // zero until approved
	ApprovedAs purser.Role
	Approved   purser.Stamp // zero until approved
	// Held is where the hold runs from, once approved: the approval, or later
	// when somebody who may veto was stopped since, moved on by the time in
	// which the process was down or the clock not accepted. Nobody can veto then.
	Held purser.Stamp

	Outcome Outcome
}

// Change returns what is known of a change.
func (s *Standing) Change(id purser.ChangeID) (Change, bool) { return s.changes.Get(id) }

// Changes lists the changes that are open, by id.
func (s *Standing) Changes() []purser.ChangeID {
	var ids []purser.ChangeID
	for id, row := range s.changes.All() {
		if row.Outcome == ChangeOpen {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b purser.ChangeID) int { return bytes.Compare(a[:], b[:]) })
	return ids
}

func (s *Standing) propose(h purser.Header, e *purser.ChangeProposed) error {
	if _, used := s.changes.Get(e.Change); used {
		return fmt.Errorf("%w: change proposed twice", ErrImpossible)
	}
	s.changes.Put(e.Change, Change{
		By: e.By, As: e.As, Enacts: e.Enacts, Proposed: h.Stamp, Outcome: ChangeOpen,
	})
	return nil
}

func (s *Standing) vote(h purser.Header, e *purser.ChangeVoted) error {
	row, ok := s.changes.Get(e.Change)
	if !ok || row.Outcome != ChangeOpen {
		return fmt.Errorf("%w: vote about no open change", ErrImpossible)
	}
	switch e.Vote {
	case purser.VoteVeto:
		row.Outcome = ChangeVetoed
	case purser.VoteApprove:
		if row.Approved != 0 {
			return fmt.Errorf("%w: change approved twice", ErrImpossible)
		}
		row.Approver, row.ApprovedAs, row.Approved, row.Held = e.By, e.As, h.Stamp, h.Stamp
	default:
		return fmt.Errorf("%w: vote %d", ErrImpossible, e.Vote)
	}
	s.changes.Put(e.Change, row)
	return nil
}

// enacted ends an approved change; the entry must enact what was proposed.
func (s *Standing) enacted(e *purser.ChangeEnacted, at purser.Stamp) error {
	row, ok := s.changes.Get(e.Change)
	if !ok || row.Outcome != ChangeOpen || row.Approved == 0 || row.Approved > at || !bytes.Equal(row.Enacts, e.Enacts) {
		return fmt.Errorf("%w: enacted change", ErrImpossible)
	}
	row.Outcome = ChangeEnacted
	s.changes.Put(e.Change, row)
	return nil
}

// held puts every hold that runs through move, which gets where it runs from.
func (s *Standing) held(move func(from purser.Stamp) purser.Stamp) {
	for _, id := range s.Changes() {
		if row, _ := s.changes.Get(id); row.Approved != 0 {
			row.Held = move(row.Held)
			s.changes.Put(id, row)
		}
	}
}

// never is the last stamp.
const never = purser.Stamp(1<<63 - 1)

// pause leaves out of every hold a time in which nobody could veto.
func (s *Standing) pause(gone purser.Stamp) {
	if gone > 0 {
		s.held(func(from purser.Stamp) purser.Stamp { return from + min(gone, never-from) })
	}
}

// set folds an entry about a vendor, a team or a person. It restarts every hold
// if somebody who may veto loses his standing by it: were it not so, whoever
// wants a change would first remove those who watch.
func (s *Standing) set(h purser.Header, e purser.Entry) error {
	s.overtake(e)
	before := s.watchers()
	if err := s.apply(h, e); err != nil || before == nil {
		return err
	}
	now := s.watchers()
	if slices.ContainsFunc(before, func(id purser.PersonID) bool { return !slices.Contains(now, id) }) {
		s.held(func(from purser.Stamp) purser.Stamp { return max(from, h.Stamp) })
	}
	return nil
}

// watchers are those who may veto, as far as there is anything to veto.
func (s *Standing) watchers() []purser.PersonID {
	if len(s.Changes()) == 0 {
		return nil
	}
	return s.Holders(purser.RoleSecurity)
}

// covered restarts every hold when a lock covers somebody who may veto.
func (s *Standing) covered(e *purser.LockPlaced, at purser.Stamp) {
	who := s.Of(e.Target)
	for _, id := range s.watchers() {
		if actor := s.Actor(id); e.Target.Covers(actor) || (who.Person == id && e.Target.Kind == purser.TargetSession) {
			s.held(func(from purser.Stamp) purser.Stamp { return max(from, at) })
			return
		}
	}
}

// subject is what an entry sets: two entries with the same one replace each
// other.
type subject struct {
	kind  purser.Kind
	id    [16]byte
	part  [16]byte
	which uint16
}

func about(e purser.Entry) subject {
	on := subject{kind: e.Kind()}
	switch e := e.(type) {
	case *purser.VendorSet:
		on.id = e.Vendor
	case *purser.TeamSet:
		on.id = e.Team
	case *purser.PersonSet:
		on.id = e.Person
	case *purser.SourceSet:
		on.id = e.Source
	case *purser.AgentMapped:
		on.id, on.part = e.Source, e.Agent
	case *purser.Configuration:
		on.id, on.which = e.Vendor, uint16(e.What)<<8|uint16(e.Which)
	}
	return on
}

// overtake ends the open changes about what e just set. They were agreed on
// things as they stood: somebody whom security suspended meanwhile does not
// come back by a change that was proposed before.
func (s *Standing) overtake(e purser.Entry) {
	if d, ok := e.(purser.Decision); ok && d.Refused() != purser.Allowed {
		return
	}
	for _, id := range s.Changes() {
		row, _ := s.changes.Get(id)
		if inner, err := purser.Inner(row.Enacts); err == nil && about(inner) == about(e) {
			row.Outcome = ChangeOvertaken
			s.changes.Put(id, row)
		}
	}
}

func (s *Standing) sweepChanges(at purser.Stamp) {
	for id, row := range s.changes.All() {
		if row.Proposed+keepChange <= at {
			s.changes.Delete(id)
		}
	}
}
