package verification

import (
	"cmp"
	"context"
	"fmt"

	"purser"
	"purser/internal/fold"
	"purser/internal/gate"
	"purser/internal/rule/contact"
	"purser/internal/rule/policy"
)

// BreakGlass asks a lead to open the record of a caller who cannot be
// verified, found by at least one item with an index. A customer who is not
// found is refused in the entry alone: the asker is told only what is about
// himself and his contact.
func (v *Verification) BreakGlass(ctx context.Context, a gate.Asker, c purser.ContactID, said []Said, emergency purser.Emergency) error {
	items, err := v.items(said)
	if err != nil {
		return err
	}
	if emergency < purser.EmergencySafety || emergency > purser.EmergencyNoOtherWay {
		return &ItemError{Item: "reason", Problem: "is none of the list"}
	}
	found, err := v.c.Gate.Find(ctx, items)
	if err != nil {
		return err
	}
	receipt, err := v.c.Log.Propose(ctx, a.Lane, func(s *fold.State, at purser.Stamp) purser.Entry {
		e := &purser.BreakGlass{
			Contact: c, Customer: found.Customer, Tag: found.Tag, Last: found.Last, Present: found.Present, Emergency: emergency,
		}
		_, why := v.c.Gate.Works(s, at, a, c, policy.BreakGlass, &e.Who)
		if why == purser.Allowed {
			why = s.Budgets().BreakGlass(e.Who, at)
		}
		if why == purser.Allowed {
			_, why = s.Contacts().BreakGlass(c, a.Session, found.Customer, at)
		}
		if why == purser.Unknown {
			why = found.Why
		}
		e.Reason = why
		return e
	})
	if err != nil {
		return fmt.Errorf("record break-glass: %w", err)
	}
	return gate.Visible(receipt.Refusal())
}

// ApproveBreakGlass is a lead's own yes to what was asked in the contact. It
// takes a step-up of the last five minutes, the agent's vendor and another
// human.
func (v *Verification) ApproveBreakGlass(ctx context.Context, lead gate.Asker, c purser.ContactID) error {
	_, err := v.propose(ctx, lead, "approval of break-glass", func(s *fold.State, at purser.Stamp) purser.Entry {
		asked, _, pos, _ := s.Contacts().Asked(c)
		e := &purser.BreakGlassApproved{Contact: c, Asked: pos}
		e.Reason = v.c.Gate.Oversees(s, at, lead, policy.ApproveBreakGlass, asked.Vendor, &e.Who)
		if e.Reason != purser.Allowed {
			return e
		}
		hold, why := s.Contacts().ApproveBreakGlass(c, e.Who, pos, at)
		if why == purser.Allowed {
			agent, standing := s.Standing().Live(asked.Session, at)
			if why = standing; why == purser.Allowed {
				why = v.c.Gate.Stops(s, at, agent, hold)
			}
		}
		e.Reason = why
		return e
	})
	return err
}

// Undo is a lead taking a wrong binding back, once per contact.
func (v *Verification) Undo(ctx context.Context, lead gate.Asker, c purser.ContactID) error {
	_, err := v.propose(ctx, lead, "undoing of a binding", func(s *fold.State, at purser.Stamp) purser.Entry {
		found, _ := s.Contacts().Contact(c, at)
		e := &purser.BindingUndone{Contact: c}
		e.Reason = v.c.Gate.Oversees(s, at, lead, policy.Undo, found.Vendor, &e.Who)
		if e.Reason == purser.Allowed {
			e.Reason = s.Contacts().Undo(c, e.Who, at)
		}
		return e
	})
	return err
}

// Explained is the reason behind a reference code.
type Explained struct {
	Kind   purser.Kind
	Reason purser.Reason
	Stamp  purser.Stamp
}

// Reason tells a lead why something of his vendor was refused, and security
// and privacy why anything was. It takes a step-up of the last five minutes and
// nobody who is locked, and explains nobody his own refusals: he would learn
// which of his asks came close. A code that names no refusal within the asker's
// reach is refused with TargetUnknown, whatever stands there. Nothing is
// recorded and no value is involved.
func (v *Verification) Reason(ctx context.Context, a gate.Asker, reference string) (Explained, error) {
	asker, err := v.inspects(ctx, a, purser.RoleLead|purser.RoleSecurity|purser.RolePrivacy)
	if err != nil {
		return Explained{}, err
	}
	unknown := &purser.Refusal{Reason: purser.TargetUnknown}
	pos, err := v.c.Gate.Position(reference)
	if err != nil || pos >= v.c.Log.Size() {
		return Explained{}, unknown
	}
	for stored, err := range v.c.Entries.Entries(ctx, pos, pos+1) {
		if err != nil {
			return Explained{}, fmt.Errorf("read entry %d: %w", pos, err)
		}
		header, entry, err := purser.ParseEntry(stored.Bytes)
		if err != nil {
			return Explained{}, fmt.Errorf("read entry %d: %w", pos, err)
		}
		decision, ok := entry.(purser.Decision)
		if !ok || decision.Refused() == purser.Allowed || !explains(asker, entry) {
			return Explained{}, unknown
		}
		return Explained{Kind: header.Kind, Reason: decision.Refused(), Stamp: header.Stamp}, nil
	}
	return Explained{}, unknown
}

// inspects returns the session of whoever may look into what others did, or his
// refusal, which is no entry.
func (v *Verification) inspects(ctx context.Context, a gate.Asker, roles purser.Role) (session fold.Session, err error) {
	err = v.c.Log.Look(ctx, func(s *fold.State, at purser.Stamp) error {
		var why purser.Reason
		session, why = s.Standing().Fresh(a.Session, at)
		if why == purser.Allowed && session.Roles&roles == 0 {
			why = purser.NoRole
		}
		if why = cmp.Or(why, v.c.Gate.Stops(s, at, session, contact.Hold{})); why != purser.Allowed {
			return &purser.Refusal{Reason: why}
		}
		return nil
	})
	if err != nil {
		return fold.Session{}, fmt.Errorf("look up who inspects: %w", err)
	}
	return session, nil
}

// Extent is how far the ledger goes.
type Extent struct {
	Size       purser.Pos // entries
	Covered    purser.Pos // entries that the latest signed checkpoint covers
	Checkpoint string     // that checkpoint, a signed note; empty: none yet
}

// Extent tells security, privacy and admins how far the ledger goes. Nobody
// else learns it: by what it grows somebody could tell apart what reads the
// same to him (L5). Like Reason it takes a step-up and records nothing.
func (v *Verification) Extent(ctx context.Context, a gate.Asker) (Extent, error) {
	if _, err := v.inspects(ctx, a, purser.RoleSecurity|purser.RolePrivacy|purser.RoleAdmin); err != nil {
		return Extent{}, err
	}
	note, covered := v.c.Log.Checkpoint()
	return Extent{Size: v.c.Log.Size(), Covered: covered, Checkpoint: string(note)}, nil
}

// explains reports whether an entry's reason is within reach of the asker:
// never of what he asked himself.
func explains(asker fold.Session, e purser.Entry) bool {
	who, desk := askedBy(e)
	if who.Person == asker.Who.Person {
		return false
	}
	if asker.Roles&(purser.RoleSecurity|purser.RolePrivacy) != 0 {
		return true
	}
	return desk && who.Vendor == asker.Who.Vendor
}

// askedBy returns who asked for a decision, nobody where a source did, and
// whether it is one that an agent can be refused at his desk.
func askedBy(e purser.Entry) (who purser.Actor, desk bool) {
	switch e := e.(type) {
	case *purser.Claim:
		return e.Who, true
	case *purser.Attempt:
		return e.Who, true
	case *purser.AttemptResult:
		return e.Who, true
	case *purser.CodeSent:
		return e.Who, true
	case *purser.CodeTried:
		return e.Who, true
	case *purser.BreakGlass:
		return e.Who, true
	case *purser.Disclosure:
		return e.Who, true
	case *purser.BreakGlassApproved:
		return e.Who, false
	case *purser.BindingUndone:
		return e.Who, false
	case *purser.SessionOpened:
		return e.Who, false
	case *purser.SessionSteppedUp:
		return e.Who, false
	case *purser.AuthenticatorSet:
		return e.By, false
	case *purser.ClockAccepted:
		return e.By, false
	case *purser.LockPlaced:
		return e.By, false
	case *purser.LockLift:
		return e.By, false
	case *purser.ChangeProposed:
		return e.By, false
	case *purser.ChangeVoted:
		return e.By, false
	}
	return purser.Actor{}, false
}
