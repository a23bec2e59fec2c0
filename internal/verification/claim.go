package verification

import (
	"context"
	"errors"
	"fmt"

	"purser"
	"purser/internal/fold"
	"purser/internal/gate"
)

// Claim takes the leg of a contact that telephony assigned to the session's
// person. Claiming what the session holds already records nothing. Claiming
// what somebody else holds is refused, and a finding.
func (v *Verification) Claim(ctx context.Context, a gate.Asker, c purser.ContactID) error {
	receipt, err := v.propose(ctx, a, "claim", func(s *fold.State, at purser.Stamp) purser.Entry {
		if s.Contacts().Claimed(c, a.Session) {
			if _, why := s.Standing().Live(a.Session, at); why == purser.Allowed {
				return nil
			}
		}
		e := &purser.Claim{Contact: c}
		e.Reason = v.c.Gate.Claims(s, at, a, &e.Who)
		if e.Reason == purser.Allowed {
			e.Reason = s.Contacts().Claim(c, e.Who, at)
		}
		return e
	})
	refusal, ok := errors.AsType[*purser.Refusal](err)
	if !ok || refusal.Reason != purser.AlreadyClaimed || !receipt.Recorded() {
		return err
	}
	claim, ok := receipt.Entry().(*purser.Claim)
	if !ok {
		return err
	}
	finding := &purser.Finding{What: purser.FindingSecondClaim, Contact: c, Who: claim.Who, Count: 1}
	found := func(*fold.State, purser.Stamp) purser.Entry { return finding }
	if _, failed := v.c.Log.Propose(context.WithoutCancel(ctx), a.Lane, found); failed != nil {
		return fmt.Errorf("record second claim: %w", failed)
	}
	return err
}
