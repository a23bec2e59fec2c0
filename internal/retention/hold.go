package retention

import (
	"context"
	"fmt"
	"slices"

	"purser"
	"purser/internal/fold"
	"purser/internal/gate"
	"purser/internal/ledger"
	"purser/internal/record"
	"purser/internal/rule/policy"
)

// ValueError says that a text cannot be kept, whoever it is about.
type ValueError = record.ValueError

// HoldAsk is an order to keep everything of some customers as it is.
type HoldAsk struct {
	gate.Asker
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
func (r *Retention) PlaceHold(ctx context.Context, ask HoldAsk) (purser.Pos, error) {
	matter, err := r.c.Records.Matter(ask.Hold, ask.Matter)
	if err != nil {
		return 0, err
	}
	customers, err := r.ordinals(ctx, ask.Customers)
	if err != nil {
		return 0, err
	}
	receipt, err := r.c.Log.ProposeRows(ctx, ask.Lane, func(s *fold.State, at purser.Stamp) purser.Entry {
		e := &purser.HoldPlaced{
			Hold: ask.Hold, All: ask.All, Customers: customers, Matter: matter.Commitment, As: ask.As, Review: ask.Review,
		}
		session, why := r.c.Gate.Keeps(s, at, ask.Asker, policy.Hold, &e.By)
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
		return r.c.Records.PutMatter(tx, matter)
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
func (r *Retention) ordinals(ctx context.Context, ids []purser.CustomerID) ([]purser.Ordinal, error) {
	var out []purser.Ordinal
	for _, id := range ids[:min(len(ids), purser.MaxOrdinals)] {
		o, err := r.ordinal(ctx, id)
		if err != nil {
			return nil, err
		}
		if o != 0 {
			out = append(out, o)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// LiftHold is one vote to lift a hold. It reports whether this was the second
// human's, in another role, which lifts it at once.
func (r *Retention) LiftHold(ctx context.Context, a gate.Asker, hold purser.HoldID, as purser.Role) (lifted bool, err error) {
	receipt, err := r.c.Log.Propose(ctx, a.Lane, func(s *fold.State, at purser.Stamp) purser.Entry {
		e := &purser.HoldLift{Hold: hold, As: as}
		session, why := r.c.Gate.Keeps(s, at, a, policy.Hold, &e.By)
		if why == purser.Allowed {
			e.Lifted, why = s.Keeping().Lift(e, session.Roles, counts(s, at), at)
		}
		e.Reason = why
		return e
	})
	if err != nil {
		return false, fmt.Errorf("record lifting of a hold: %w", err)
	}
	if refusal := receipt.Refusal(); refusal != nil {
		return false, refusal
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
func (r *Retention) Holds(ctx context.Context, a gate.Asker) ([]Hold, error) {
	if err := r.keeps(ctx, a, policy.Hold); err != nil {
		return nil, err
	}
	var out []Hold
	err := r.c.Log.Look(ctx, func(s *fold.State, _ purser.Stamp) error {
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
		if out[i].Matter, err = r.c.Records.MatterOf(ctx, out[i].Hold); err != nil {
			return nil, fmt.Errorf("read the matter of %v: %w", out[i].Hold, err)
		}
	}
	return out, nil
}
