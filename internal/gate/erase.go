package gate

import (
	"context"
	"errors"
	"fmt"

	"purser"
	"purser/internal/fold"
	"purser/internal/ledger"
	"purser/internal/record"
	"purser/internal/rule/keep"
	"purser/internal/rule/policy"
)

// EraseAsk is one person's vote to erase a customer.
type EraseAsk struct {
	Asker
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
func (g *Gate) Erase(ctx context.Context, ask EraseAsk) (record.Erasure, bool, error) {
	customer, err := g.named(ctx, ask.Customer)
	if err != nil {
		return record.Erasure{}, false, err
	}
	if customer == unknown {
		customer = 0
	}
	var at purser.Stamp // of the decision that stands
	var gone record.Erasure
	receipt, err := g.c.Log.ProposeRows(ctx, ask.Lane, func(s *fold.State, now purser.Stamp) purser.Entry {
		at = now
		e := &purser.Erase{Customer: customer, As: ask.As, Cause: ask.Cause}
		v := view{s, at}
		session, why := g.keeper(v, ask.Asker, policy.Erase, &e.By)
		if why == purser.Allowed {
			e.Done, e.Until, why = s.Keeping().Erase(e, session.Roles, v.counts(), at)
		}
		e.Reason = why
		return e
	}, func(tx ledger.Tx, pos purser.Pos, entry purser.Entry) error {
		e, ok := entry.(*purser.Erase)
		if !ok || e.Reason != purser.Allowed || !e.Done {
			return nil
		}
		var err error
		gone, err = g.c.Records.Erase(tx, pos, at, e)
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
func (g *Gate) Erasure(ctx context.Context, a Asker, reference string) (record.Erasure, error) {
	if err := g.keeps(ctx, a, policy.Erase); err != nil {
		return record.Erasure{}, err
	}
	pos, err := g.Position(reference)
	if err != nil {
		return record.Erasure{}, &purser.Refusal{Reason: purser.TargetUnknown}
	}
	e, err := g.c.Records.Erasure(ctx, pos)
	if errors.Is(err, record.ErrNoCustomer) {
		return e, &purser.Refusal{Reason: purser.TargetUnknown}
	}
	return e, err
}

// keeper is the steps of whoever erases and holds: a session that stepped up,
// policy, locks.
func (g *Gate) keeper(v view, a Asker, action policy.Action, who *purser.Actor) (fold.Session, purser.Reason) {
	session, why := v.office(a, who)
	if why == purser.Allowed {
		why = g.may(v, &session, action)
	}
	if why == purser.Allowed {
		why = v.locked(&session, purser.PathAll)
	}
	return session, why
}

// keeps is the same for looking, which no entry tells of.
func (g *Gate) keeps(ctx context.Context, a Asker, action policy.Action) error {
	err := g.c.Log.Look(ctx, func(s *fold.State, at purser.Stamp) error {
		var who purser.Actor
		if _, why := g.keeper(view{s, at}, a, action, &who); why != purser.Allowed {
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
func (v view) counts() keep.Judge {
	return func(who purser.Actor, as purser.Role) bool {
		_, _, covered := v.Locks().Covers(who, purser.PathAll, 0, v.at)
		return !covered && v.Standing().Roles(who.Person).Has(as)
	}
}
