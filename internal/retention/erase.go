package retention

import (
	"context"
	"errors"
	"fmt"

	"purser"
	"purser/internal/fold"
	"purser/internal/gate"
	"purser/internal/ledger"
	"purser/internal/record"
	"purser/internal/rule/keep"
	"purser/internal/rule/policy"
)

// EraseAsk is one person's vote to erase a customer.
type EraseAsk struct {
	gate.Asker
	As       purser.Role
	Cause    purser.EraseCause
	Customer purser.CustomerID
}

// Erasure is what an erasure destroyed, for its receipt.
type Erasure = record.Erasure

// Erase records one vote to erase a customer and reports whether it was the
// second, which does it: everything is destroyed in the transaction of that
// entry. It takes two people in different roles, one of them privacy, each with
// a step-up of the last five minutes. Somebody who was erased is unknown, like
// somebody who never was; a hold is the reason of a refusal (CustomerHeld),
// which all who may vote may learn.
func (r *Retention) Erase(ctx context.Context, ask EraseAsk) (record.Erasure, bool, error) {
	customer, err := r.ordinal(ctx, ask.Customer)
	if err != nil {
		return record.Erasure{}, false, err
	}
	var at purser.Stamp // of the decision that stands
	var gone record.Erasure
	receipt, err := r.c.Log.ProposeRows(ctx, ask.Lane, func(s *fold.State, now purser.Stamp) purser.Entry {
		at = now
		e := &purser.Erase{Customer: customer, As: ask.As, Cause: ask.Cause}
		session, why := r.c.Gate.Keeps(s, at, ask.Asker, policy.Erase, &e.By)
		if why == purser.Allowed {
			e.Done, e.Until, why = s.Keeping().Erase(e, session.Roles, counts(s, at), at)
		}
		e.Reason = why
		return e
	}, func(tx ledger.Tx, pos purser.Pos, entry purser.Entry) error {
		e, ok := entry.(*purser.Erase)
		if !ok || e.Reason != purser.Allowed || !e.Done {
			return nil
		}
		var err error
		gone, err = r.c.Records.Erase(tx, pos, at, e)
		return err
	})
	if err != nil {
		return record.Erasure{}, false, fmt.Errorf("record erasure: %w", err)
	}
	if refusal := receipt.Refusal(); refusal != nil {
		return record.Erasure{}, false, refusal
	}
	e, ok := receipt.Entry().(*purser.Erase)
	return gone, ok && e.Done, nil
}

// Erasure returns what an erasure destroyed, by the reference of its entry, to
// somebody who may vote about one; TargetUnknown where there is none.
func (r *Retention) Erasure(ctx context.Context, a gate.Asker, reference string) (record.Erasure, error) {
	if err := r.keeps(ctx, a, policy.Erase); err != nil {
		return record.Erasure{}, err
	}
	pos, err := r.c.Gate.Position(reference)
	if err != nil {
		return record.Erasure{}, &purser.Refusal{Reason: purser.TargetUnknown}
	}
	e, err := r.c.Records.Erasure(ctx, pos)
	if errors.Is(err, record.ErrNoCustomer) {
		return e, &purser.Refusal{Reason: purser.TargetUnknown}
	}
	return e, err
}

// ordinal returns the number of a customer, 0 where the identifier names nobody.
func (r *Retention) ordinal(ctx context.Context, id purser.CustomerID) (purser.Ordinal, error) {
	o, err := r.c.Records.Ordinal(ctx, id)
	if errors.Is(err, record.ErrNoCustomer) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("look up %v: %w", id, err)
	}
	return o, nil
}

// keeps looks whether somebody may look, which no entry tells of.
func (r *Retention) keeps(ctx context.Context, a gate.Asker, action policy.Action) error {
	err := r.c.Log.Look(ctx, func(s *fold.State, at purser.Stamp) error {
		var who purser.Actor
		if _, why := r.c.Gate.Keeps(s, at, a, action, &who); why != purser.Allowed {
			return &purser.Refusal{Reason: why}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("look up who asks: %w", err)
	}
	return nil
}

// counts judges an earlier vote as things stand now: by the role that its giver
// still has, and the locks on him.
func counts(s *fold.State, at purser.Stamp) keep.Judge {
	return func(who purser.Actor, as purser.Role) bool {
		_, _, covered := s.Locks().Covers(who, purser.PathAll, 0, at)
		return !covered && s.Standing().Roles(who.Person).Has(as)
	}
}
