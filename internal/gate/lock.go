package gate

import (
	"context"
	"fmt"

	"purser"
	"purser/internal/fold"
	"purser/internal/rule/contain"
	"purser/internal/rule/policy"
)

// LockAsk is an order to stop somebody.
type LockAsk struct {
	Asker
	Lock    purser.LockID // drawn by the asker's edge
	Target  purser.Target
	Degree  purser.Degree
	Paths   purser.Path
	Expires purser.Stamp // zero: until lifted
}

// PlaceLock stops a target from the entry's position on, and returns it (L3).
// Placing is single and instant and asks for no step-up; only a lock that names
// the asker himself keeps him from stopping others.
func (g *Gate) PlaceLock(ctx context.Context, ask LockAsk) (purser.Pos, error) {
	a, err := g.stopper(ctx, ask.Asker)
	if err != nil {
		return 0, err
	}
	receipt, err := g.propose(ctx, a, "lock", func(s *fold.State, at purser.Stamp) purser.Entry {
		e := &purser.LockPlaced{
			Lock: ask.Lock, Target: ask.Target, Degree: ask.Degree, Paths: ask.Paths, Expires: ask.Expires,
			Cause: purser.CauseOrder, By: purser.Actor{Session: ask.Session},
		}
		session, why := s.Standing().Live(ask.Session, at)
		if e.Reason = why; why == purser.Allowed {
			e.By = session.Who
			e.Reason = s.Locks().Place(e, contain.Asker{Who: e.By, Roles: session.Roles, Stepped: session.SteppedUp}, s.Standing().Of(ask.Target), at)
		}
		return e
	})
	return receipt.Pos(), err
}

// LiftLock is one vote to lift a lock, because it was a mistake or what it was
// placed for is over. It reports whether this was the second human's, which
// lifts it at once.
func (g *Gate) LiftLock(ctx context.Context, a Asker, lock purser.LockID, cause purser.LockCause) (lifted bool, err error) {
	if a, err = g.stopper(ctx, a); err != nil {
		return false, err
	}
	_, err = g.propose(ctx, a, "lifting of a lock", func(s *fold.State, at purser.Stamp) purser.Entry {
		e := &purser.LockLift{Lock: lock, Cause: cause}
		session, why := view{s, at}.office(a, &e.By)
		if why == purser.Allowed {
			why = g.may(view{s, at}, &session, policy.Lift)
		}
		if why == purser.Allowed {
			stands, _ := s.Locks().Lock(lock)
			by := contain.Asker{Who: session.Who, Roles: session.Roles, Stepped: session.SteppedUp}
			e.Lifted, why = s.Locks().Lift(lock, by, s.Standing().Of(stands.Target), s.Standing().Roles, at)
		}
		e.Reason, lifted = why, e.Lifted
		return e
	})
	return lifted && err == nil, err
}

// stopper puts an asker who may stop others into their own lane, so that no
// crowd in his vendor's delays him.
func (g *Gate) stopper(ctx context.Context, a Asker) (Asker, error) {
	err := g.c.Log.Look(ctx, func(s *fold.State, at purser.Stamp) error {
		if live, why := s.Standing().Live(a.Session, at); why == purser.Allowed && contain.Stops(live.Roles) {
			a.Lane = contain.Lane()
		}
		return nil
	})
	if err != nil {
		return a, fmt.Errorf("look for who asks: %w", err)
	}
	return a, nil
}
