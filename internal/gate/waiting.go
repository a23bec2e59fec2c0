package gate

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"

	"purser"
	"purser/internal/fold"
)

// CaseIdle is how long nobody touches a case before the system gives it to
// somebody: whoever opened it in a contact has wrapped up by then.
const CaseIdle = 15 * purser.Minute

// mostAssigned bounds what one turn gives away.
const mostAssigned = 50

// AssignWaiting gives the cases that wait to people who are free, and returns
// how many it gave: the longest untouched first, to somebody of the team that
// opened it before others of its vendor, who has a desk session and no other
// case. What nobody can take waits on, and is no entry. Nobody chooses his
// cases, so nobody can choose whose record opens to him.
func (g *Gate) AssignWaiting(ctx context.Context) (int, error) {
	for given := range mostAssigned {
		var id purser.MandateID
		if _, err := io.ReadFull(g.c.Random, id[:]); err != nil {
			return given, fmt.Errorf("draw identifier: %w", err)
		}
		receipt, err := g.c.Log.Propose(ctx, purser.VendorID{}, func(s *fold.State, at purser.Stamp) purser.Entry {
			if e := g.nextWaiting(view{s, at}, id); e != nil {
				return e
			}
			return nil
		})
		if err != nil {
			return given, fmt.Errorf("record assignment of a case: %w", err)
		}
		if !receipt.Recorded() {
			return given, nil
		}
	}
	return mostAssigned, nil
}

// nextWaiting is the first case that waits and the first who can take it, or
// nil. It looks at every case and every agent, so it is for a job alone.
func (g *Gate) nextWaiting(v view, id purser.MandateID) *purser.MandateAssigned {
	given := v.Mandates().Given(v.at)
	var free []purser.PersonID // by id, so that the same entries give the same choice (L2)
	for _, p := range v.Standing().Holders(purser.RoleAgent) {
		session, sits := v.Standing().Desk(p)
		_, busy := v.Mandates().Open(p, v.at)
		if _, why := v.Standing().Live(session, v.at); sits && !busy && why == purser.Allowed {
			free = append(free, p)
		}
	}
	for _, c := range v.Cases().Unsolved(CaseIdle, v.at) {
		if given[c] || len(free) == 0 {
			continue
		}
		waits, _ := v.Cases().Case(c, v.at)
		for _, p := range v.nearest(free, waits.Team) {
			e := g.Assigns(v.State, v.at, Assignment{Mandate: id, For: purser.MandateCaseWork, To: p, Case: c})
			if e.Reason == purser.Allowed {
				return e
			}
		}
	}
	return nil
}

// nearest puts the people of the team that opened a case first.
func (v view) nearest(people []purser.PersonID, team purser.TeamID) []purser.PersonID {
	far := func(p purser.PersonID) int {
		if v.Standing().Actor(p).Team == team {
			return 0
		}
		return 1
	}
	return slices.SortedStableFunc(slices.Values(people), func(a, b purser.PersonID) int { return cmp.Compare(far(a), far(b)) })
}
