package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"golang.org/x/mod/sumdb/note"

	"purser"
	"purser/internal/edge/web"
	"purser/internal/fold"
	"purser/internal/ledger"
	"purser/internal/rule/contain"
)

type ledgerTx = ledger.Tx

// The least that a sealed deployment has: people who can look after it when
// one of them is gone, each with a second key.
const (
	sealPeople = 3
	sealKeys   = 2
)

// ErrCannotSeal says that custodians or quorum will not do, and ErrTooFewKeys
// that a deployment lacks people or passkeys to be sealed.
var (
	ErrCannotSeal = errors.New("cannot seal")
	ErrTooFewKeys = errors.New("cannot seal yet")
)

// Seal closes the bootstrap door for good: from its entry on no authenticator
// is enrolled without a help-desk request (L7), and customers may be stored.
// Custodians are verifier keys of signed notes.
func (d *Deployment) Seal(ctx context.Context, custodians []string, quorum int) error {
	commitments := make([]purser.Commitment, 0, len(custodians))
	seen := make(map[purser.Commitment]bool)
	for i, text := range custodians {
		if _, err := note.NewVerifier(text); err != nil {
			return fmt.Errorf("%w: custodian key %d is not a verifier key", ErrCannotSeal, i+1)
		}
		c := d.Keys.Commit("custodian", []byte(text))
		if seen[c] {
			return fmt.Errorf("%w: custodian key %d is there twice", ErrCannotSeal, i+1)
		}
		seen[c] = true
		commitments = append(commitments, c)
	}
	if quorum < 2 || quorum >= len(commitments) {
		return fmt.Errorf("%w: the quorum must be at least 2 and under the number of custodians", ErrCannotSeal)
	}
	receipt, err := d.log.Propose(ctx, purser.VendorID{}, func(s *fold.State, at purser.Stamp) purser.Entry {
		e := &purser.Door{State: purser.DoorSealed, Custodians: commitments, Quorum: uint8(quorum)}
		e.Reason = maySeal(s, at)
		return e
	})
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	if r := receipt.Refusal(); r != nil {
		if r.Reason == purser.TooFewItems {
			return fmt.Errorf("%w: at least %d active people must have %d passkeys each", ErrTooFewKeys, sealPeople, sealKeys)
		}
		return r
	}
	return nil
}

// sealAtDoor is Seal for the local door: what stands in the way is told.
func (d *Deployment) sealAtDoor(ctx context.Context, custodians []string, quorum int) error {
	err := d.Seal(ctx, custodians, quorum)
	switch {
	case errors.Is(err, ErrCannotSeal):
		return web.Invalid(http.StatusUnprocessableEntity, web.Detail{Where: "custodians", What: err.Error()})
	case errors.Is(err, ErrTooFewKeys):
		return web.Invalid(http.StatusConflict, web.Detail{Where: "people", What: err.Error()})
	}
	return err
}

// maySeal decides on nothing but the fold. Sealing tightens, so it may also
// come after the door's time has run out.
func maySeal(s *fold.State, at purser.Stamp) purser.Reason {
	if s.Standing().Door(at) == purser.DoorSealed {
		return purser.DoorShut
	}
	enough := 0
	for _, id := range s.Standing().Holders(0) {
		if s.Standing().Authenticators(id) >= sealKeys {
			enough++
		}
	}
	if enough < sealPeople {
		return purser.TooFewItems
	}
	return purser.Allowed
}

// Lock stops a target on the word of the operator on the host, who could stop
// the whole machine as well.
func (d *Deployment) Lock(ctx context.Context, target purser.Target) (purser.LockID, purser.Pos, error) {
	var id purser.LockID
	if _, err := io.ReadFull(d.cfg.Random, id[:]); err != nil {
		return id, 0, fmt.Errorf("draw a lock's id: %w", err)
	}
	operator := contain.Asker{Roles: purser.RoleSecurity}
	receipt, err := d.log.Propose(ctx, purser.VendorID{}, func(s *fold.State, at purser.Stamp) purser.Entry {
		e := &purser.LockPlaced{
			Lock: id, Target: target, Degree: purser.DegreeLock, Paths: purser.PathAll, Cause: purser.CauseOperator,
		}
		e.Reason = s.Locks().Place(e, operator, s.Standing().Of(target), at)
		return e
	})
	if err != nil {
		return id, 0, fmt.Errorf("lock %v: %w", target, err)
	}
	if r := receipt.Refusal(); r != nil {
		return id, receipt.Pos(), r
	}
	return id, receipt.Pos(), nil
}

// suspend ends what a person may do, and what this process remembers of it.
func (d *Deployment) suspend(ctx context.Context, by purser.SessionID, person purser.PersonID) error {
	if err := d.Changes.Suspend(ctx, by, person); err != nil {
		return err
	}
	d.People.Forget(person)
	return nil
}

// acceptClock is security's word that the wall clock is right again.
func (d *Deployment) acceptClock(ctx context.Context, session purser.SessionID) error {
	wall := purser.StampOf(d.cfg.Clock.Wall())
	receipt, err := d.log.Propose(ctx, purser.VendorID{}, func(s *fold.State, at purser.Stamp) purser.Entry {
		e := &purser.ClockAccepted{By: purser.Actor{Session: session}, Wall: wall}
		asker, why := s.Standing().Fresh(session, at)
		if why == purser.Allowed || why == purser.NeedStepUp {
			e.By = asker.Who
		}
		_, _, covered := s.Locks().Covers(asker.Who, purser.PathAll, asker.SteppedUp, at)
		switch {
		case why != purser.Allowed:
			e.Reason = why
		case !asker.Roles.Has(purser.RoleSecurity):
			e.Reason = purser.NoRole
		case covered:
			e.Reason = purser.Locked
		}
		return e
	})
	if err != nil {
		return fmt.Errorf("accept the clock: %w", err)
	}
	if r := receipt.Refusal(); r != nil {
		return r
	}
	return nil
}
