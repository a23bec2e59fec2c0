package gate

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"purser"
	"purser/internal/fold"
	"purser/internal/ledger"
	"purser/internal/record"
	"purser/internal/rule/policy"
)

// ValueError says that a text cannot be kept, whoever it is about.
type ValueError = record.ValueError

// HoldAsk is an order to keep everything of some customers as it is.
type HoldAsk struct {
	Asker
	Hold      purser.HoldID // drawn by the asker's edge
	As        purser.Role
	All       bool
	Customers []purser.CustomerID
	Matter    string
	Review    purser.Stamp
}

// PlaceHold places a legal hold, from the entry's position on. It is a
// tightening: one person, at once. It names nobody who is not there
// (TargetUnknown). A matter that cannot be kept fails with *ValueError and no
// entry.
func (g *Gate) PlaceHold(ctx context.Context, ask HoldAsk) (purser.Pos, error) {
	matter, err := g.c.Records.Matter(ask.Hold, ask.Matter)
	if err != nil {
		return 0, err
	}
	customers, err := g.ordinals(ctx, ask.Customers)
	if err != nil {
		return 0, err
	}
	receipt, err := g.c.Log.ProposeRows(ctx, ask.Lane, func(s *fold.State, at purser.Stamp) purser.Entry {
		e := &purser.HoldPlaced{
			Hold: ask.Hold, All: ask.All, Customers: customers, Matter: matter.Commitment, As: ask.As, Review: ask.Review,
		}
		session, why := g.keeper(view{s, at}, ask.Asker, policy.Hold, &e.By)
		if why == purser.Allowed && len(customers) != len(ask.Customers) {
			why = purser.TargetUnknown
		}
		if why == purser.Allowed {
			why = s.Keeping().Place(e, session.Roles, at)
		}
		if e.Reason = why; why != purser.Allowed {
			e.Customers = nil
		}
		return e
	}, func(tx ledger.Tx, _ purser.Pos, entry purser.Entry) error {
		if e, ok := entry.(*purser.HoldPlaced); !ok || e.Reason != purser.Allowed {
			return nil
		}
		return g.c.Records.PutMatter(tx, matter)
	})
	if err != nil {
		return 0, fmt.Errorf("record hold: %w", err)
	}
	if refusal := receipt.Refusal(); refusal != nil {
		return 0, refusal
	}
	return receipt.Pos(), nil
}

// ordinals returns the numbers of those customers who are there, ascending and
// each once; more than an entry can name are as good as not there.
func (g *Gate) ordinals(ctx context.Context, ids []purser.CustomerID) ([]purser.Ordinal, error) {
	var out []purser.Ordinal
	for _, id := range ids[:min(len(ids), purser.MaxOrdinals)] {
		o, err := g.c.Records.Ordinal(ctx, id)
		if errors.Is(err, record.ErrNoCustomer) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("look up %v: %w", id, err)
		}
		out = append(out, o)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// LiftHold is one vote to lift a hold. It reports whether this was the second
// human's, in another role, which lifts it at once.
func (g *Gate) LiftHold(ctx context.Context, a Asker, hold purser.HoldID, as purser.Role) (lifted bool, err error) {
	receipt, err := g.propose(ctx, a, "lifting of a hold", func(s *fold.State, at purser.Stamp) purser.Entry {
		e := &purser.HoldLift{Hold: hold, As: as}
		v := view{s, at}
		session, why := g.keeper(v, a, policy.Hold, &e.By)
		if why == purser.Allowed {
			e.Lifted, why = s.Keeping().Lift(e, session.Roles, v.counts(), at)
		}
		e.Reason = why
		return e
	})
	if err != nil {
		return false, err
	}
	e, ok := receipt.Entry().(*purser.HoldLift)
	return ok && e.Lifted, nil
}

// Hold is a legal hold that stands.
type Hold struct {
	Hold      purser.HoldID
	All       bool
	Customers int
	Matter    string
	As        purser.Role
	Placed    purser.Stamp
	Review    purser.Stamp
	Voted     bool // one person wants it lifted
}

// Holds lists the holds that stand, for those who keep them.
func (g *Gate) Holds(ctx context.Context, a Asker) ([]Hold, error) {
	if err := g.keeps(ctx, a, policy.Hold); err != nil {
		return nil, err
	}
	var out []Hold
	err := g.c.Log.Look(ctx, func(s *fold.State, _ purser.Stamp) error {
		for _, id := range s.Keeping().Holds() {
			h, _ := s.Keeping().Hold(id)
			out = append(out, Hold{
				Hold: id, All: h.All, Customers: len(h.Customers), As: h.As, Placed: h.Placed, Review: h.Review,
				Voted: !h.First.Who.Person.Zero(),
			})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list holds: %w", err)
	}
	for i := range out {
		if out[i].Matter, err = g.c.Records.MatterOf(ctx, out[i].Hold); err != nil {
			return nil, fmt.Errorf("read the matter of %v: %w", out[i].Hold, err)
		}
	}
	return out, nil
}
