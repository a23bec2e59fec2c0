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
)

// Change is a loosening on its way. Enacts is not changed by whoever gets it.
type Change struct {
	By       purser.Actor // as of the proposal
	As       purser.Role
	Enacts   []byte
	Proposed purser.Stamp

	Approver   purser.Actor // zero until approved
	ApprovedAs purser.Role
	Approved   purser.Stamp // the hold runs from here; zero until approved

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
		row.Approver, row.ApprovedAs, row.Approved = e.By, e.As, h.Stamp
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

func (s *Standing) sweepChanges(at purser.Stamp) {
	for id, row := range s.changes.All() {
		if row.Proposed+keepChange <= at {
			s.changes.Delete(id)
		}
	}
}
