package change

import (
	"context"
	"fmt"
	"io"

	"purser"
	"purser/internal/fold"
	"purser/internal/ledger"
)

// Wish works out what somebody asks to be set from how things stand where it
// is decided. What he leaves as it is comes from there too: an ask that is
// decided late undoes nothing that changed meanwhile. It must be pure (L2), for
// it may be asked more than once.
type Wish func(*fold.State) purser.Entry

// Exactly wishes for an entry that leaves nothing to how things stand.
func Exactly(e purser.Entry) Wish { return func(*fold.State) purser.Entry { return e } }

// PersonPart sets a part of what a person may do.
type PersonPart struct {
	Person purser.PersonID
	Status purser.Status  // zero: as it stands
	Roles  *purser.Role   // nil: as they stand
	Team   *purser.TeamID // nil: as it stands
}

// Wish is the [Wish] for the part. Of a person nobody knows it is what no
// change takes: he has no vendor.
func (p PersonPart) Wish(s *fold.State) purser.Entry {
	now, _ := s.Standing().Person(p.Person)
	e := &purser.PersonSet{Person: p.Person, Vendor: now.Vendor, Team: now.Team, Roles: now.Roles, Status: now.Status}
	if p.Status != 0 {
		e.Status = p.Status
	}
	if p.Roles != nil {
		e.Roles = *p.Roles
	}
	if p.Team != nil {
		e.Team = *p.Team
	}
	return e
}

// SourcePart sets a part of what a telephony source is.
type SourcePart struct {
	Source purser.SourceID
	Status purser.Status       // zero: as it stands
	Trust  *purser.SourceTrust // nil: as it stands
	Secret purser.Commitment   // zero: as it stands
}

// Wish is the [Wish] for the part. Of a source nobody knows it is what no
// change takes: it has no vendor.
func (p SourcePart) Wish(s *fold.State) purser.Entry {
	now, _ := s.Contacts().Source(p.Source)
	e := &purser.SourceSet{Source: p.Source, Vendor: now.Vendor, Trust: now.Trust, Secret: now.Secret, Status: now.Status}
	if p.Status != 0 {
		e.Status = p.Status
	}
	if p.Trust != nil {
		e.Trust = *p.Trust
	}
	if !p.Secret.Zero() {
		e.Secret = p.Secret
	}
	return e
}

// Ask is somebody asking for what he wishes in one role. Change is what it is
// called if it turns out to loosen anything.
type Ask struct {
	Change  purser.ChangeID
	Session purser.SessionID
	As      purser.Role
	Wish    Wish
}

// Decide decides about an ask: the entry wished for where it tightens, a
// proposal of it where it loosens anything or silences somebody ([Loosens]),
// and a refused proposal where it may be neither.
func Decide(s *fold.State, a Ask, at purser.Stamp) purser.Entry {
	p := Proposal{Change: a.Change, Session: a.Session, As: a.As, Inner: a.Wish(s)}
	e := DecideTightening(s, p, at)
	if refused, ok := e.(*purser.ChangeProposed); ok && refused.Reason == purser.LoosensDirectly {
		return DecideProposal(s, p, at)
	}
	return e
}

// Settled says how an ask ended that was not refused.
type Settled struct {
	Change purser.ChangeID // zero: what was wished for took effect at once
	Entry  purser.Pos      // the one entry of the ask
}

// Set takes an ask in one entry: what tightens takes effect at once, what
// loosens becomes a change. as is the one role in which the session's person
// asks: admin, security or privacy; the By of what is wished for is filled in.
// rows may be nil. A refusal is a *purser.Refusal.
func (r *Register) Set(
	ctx context.Context, session purser.SessionID, as purser.Role, wish Wish, rows Rows,
) (Settled, error) {
	var id purser.ChangeID
	if _, err := io.ReadFull(r.random, id[:]); err != nil {
		return Settled{}, fmt.Errorf("draw change identifier: %w", err)
	}
	receipt, err := r.directly(ctx, "set", func(s *fold.State, at purser.Stamp) purser.Entry {
		return Decide(s, Ask{id, session, as, wish}, at)
	}, rows)
	if err != nil {
		return Settled{}, err
	}
	if !proposed(receipt) {
		return Settled{Entry: receipt.Pos()}, nil
	}
	r.tell(ctx, id, receipt)
	return Settled{Change: id, Entry: receipt.Pos()}, nil
}

func proposed(receipt ledger.Receipt) bool {
	return receipt.Entry().Kind() == purser.KindChangeProposed
}
