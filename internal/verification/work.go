package verification

import (
	"context"
	"errors"

	"purser"
	"purser/internal/fold"
	"purser/internal/record"
	"purser/internal/rule/contact"
)

// Work is one contact as the person it was given to may see it. It says
// nothing of a customer but the identifier of one who is bound.
type Work struct {
	Contact   purser.ContactID
	Phase     contact.Phase
	Claimed   bool // by the asking session
	Stale     bool // nothing new opens for want of a fresh source
	Outbound  bool // nothing opens until the customer keys a code
	Bound     bool
	Customer  purser.CustomerID // while bound, also of one who is gone by now
	Assurance purser.Assurance
	Emergency bool
	Tries     int // failed identifies left
	Sends     int // codes left to send
	Linked    []purser.CustomerID
}

// Work lists the live contacts that telephony gave to the session's person. It
// is for display: every act is decided again when it is asked for.
func (v *Verification) Work(ctx context.Context, session purser.SessionID) ([]Work, error) {
	type seen struct {
		work     Work
		customer purser.Ordinal
		linked   []purser.Ordinal
	}
	var all []seen
	err := v.c.Log.Look(ctx, func(s *fold.State, at purser.Stamp) error {
		live, why := s.Standing().Live(session, at)
		if why != purser.Allowed {
			return &purser.Refusal{Reason: why}
		}
		for _, id := range s.Contacts().Offered(live.Who.Person, at) {
			c, ok := s.Contacts().Contact(id, at)
			if !ok {
				continue
			}
			w := Work{
				Contact: id, Phase: c.Phase, Claimed: s.Contacts().Claimed(id, session), Stale: c.Stale,
				Outbound: c.Outbound, Tries: c.Tries, Sends: c.Sends,
			}
			if !w.Claimed { // whoever does not hold it sees that it rings, no more
				all = append(all, seen{work: w})
				continue
			}
			w.Bound, w.Assurance, w.Emergency = c.Customer != 0, c.Assurance, c.Emergency
			all = append(all, seen{w, c.Customer, c.Linked})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]Work, len(all))
	for i, one := range all {
		out[i] = one.work
		if out[i].Customer, err = v.named(ctx, one.customer); err != nil {
			return nil, err
		}
		for _, o := range one.linked {
			id, err := v.named(ctx, o)
			if err != nil {
				return nil, err
			}
			if !id.Zero() {
				out[i].Linked = append(out[i].Linked, id)
			}
		}
	}
	return out, nil
}

// named returns the identifier of a customer; zero for nobody. For one who was
// erased since he was bound it is what it was, and found by the same reads:
// whoever holds the contact does not learn of an erasure (L5).
func (v *Verification) named(ctx context.Context, o purser.Ordinal) (purser.CustomerID, error) {
	if o == 0 {
		return purser.CustomerID{}, nil
	}
	id, missing := v.c.Customers.CustomerID(ctx, o)
	if missing != nil && !errors.Is(missing, record.ErrNoCustomer) {
		return id, missing
	}
	var erased purser.Pos
	err := v.c.Log.Look(ctx, func(s *fold.State, _ purser.Stamp) error { // later than the first read
		gone, _ := s.Keeping().Erased(o)
		erased = gone.Pos
		return nil
	})
	if err != nil {
		return id, err
	}
	was, err := v.c.Customers.Erasure(ctx, erased)
	if missing == nil || errors.Is(err, record.ErrNoCustomer) {
		return id, nil
	}
	return was.Customer, err
}
