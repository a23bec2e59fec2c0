package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"purser"
	"purser/internal/synth"
	"purser/internal/telephony"
	"purser/internal/verification"
)

// desk is a contact that an agent's session holds.
type desk struct {
	agent   *agent
	contact purser.ContactID
}

// shownFields are what is asked for in every disclosure that is measured: four
// fields that knowledge alone opens.
var shownFields = [...]string{"name", "loyalty_number", "tier", "points"}

var (
	errTooFew    = errors.New("too few customers hold all the fields that are asked for")
	errNoContact = errors.New("a contact was not offered to its agent")
)

// mask returns the bits of the fields that are asked for.
func (s *site) mask() (m purser.FieldMask, err error) {
	for _, name := range shownFields {
		f, ok := s.Records.Schema().Field(name)
		if !ok {
			return 0, fmt.Errorf("the schema has no field %s", name)
		}
		m |= purser.Mask(f.Bit)
	}
	return m, nil
}

// openDesks has every agent of both centres take contacts. The desks of one
// agent are beside each other.
func (s *site) openDesks(ctx context.Context) ([]desk, error) {
	var desks []desk
	for _, c := range s.centres {
		for _, a := range c.agents {
			contacts, err := s.connect(ctx, c, a, s.size.contacts)
			if err != nil {
				return nil, err
			}
			for _, contact := range contacts {
				desks = append(desks, desk{a, contact})
			}
		}
	}
	return desks, together(len(desks), func(i int) error {
		if err := s.Verification.Claim(ctx, desks[i].agent.asker, desks[i].contact); err != nil {
			return fmt.Errorf("claim a contact: %w", err)
		}
		return nil
	})
}

// verify has the caller of every desk verified by knowledge, each a customer of
// his own.
func (s *site) verify(ctx context.Context, desks []desk) error {
	callers, err := s.callers(len(desks))
	if err != nil {
		return err
	}
	return together(len(desks), func(i int) error {
		_, err := s.Verification.Identify(ctx, desks[i].agent.asker, desks[i].contact, knows(callers[i]))
		if err != nil {
			return fmt.Errorf("verify a caller: %w", err)
		}
		return nil
	})
}

// connect has the switch give n contacts to an agent.
func (s *site) connect(ctx context.Context, c *centre, a *agent, n int) ([]purser.ContactID, error) {
	before, err := s.offered(ctx, a)
	if err != nil {
		return nil, err
	}
	for range n {
		call := telephony.Data{Call: fmt.Sprintf("call-%d", c.line.Next()), Agent: a.switchID}
		for _, event := range []purser.Event{purser.EventOffered, purser.EventConnected} {
			if err := c.line.Emit(ctx, event, call); err != nil {
				return nil, fmt.Errorf("report a contact: %w", err)
			}
		}
		c.live = append(c.live, telephony.Live{Call: call.Call, Agent: a.switchID})
	}
	after, err := s.offered(ctx, a)
	if err != nil {
		return nil, err
	}
	after = slices.DeleteFunc(after, func(c purser.ContactID) bool { return slices.Contains(before, c) })
	if len(after) != n {
		return nil, errNoContact
	}
	return after, nil
}

// offered lists the contacts of an agent.
func (s *site) offered(ctx context.Context, a *agent) ([]purser.ContactID, error) {
	work, err := s.Verification.Work(ctx, a.asker.Session)
	if err != nil {
		return nil, fmt.Errorf("list contacts: %w", err)
	}
	contacts := make([]purser.ContactID, len(work))
	for i := range work {
		contacts[i] = work[i].Contact
	}
	return contacts, nil
}

// callers returns n customers who hold every field that is asked for and said.
func (s *site) callers(n int) ([]synth.Customer, error) {
	var found []synth.Customer
	for c := range synth.Customers(1, synth.Airline, s.size.customers) {
		if len(found) == n {
			break
		}
		if c.LoyaltyNumber != "" && c.BirthDate != "" && c.BirthDate != neverBorn && c.Tier != "" {
			found = append(found, c)
		}
	}
	if len(found) < n {
		return nil, errTooFew
	}
	return found, nil
}

// knows is what a caller says who is that customer.
func knows(c synth.Customer) []verification.Said {
	return []verification.Said{{Item: "loyalty_number", Text: c.LoyaltyNumber}, {Item: "birth_date", Text: c.BirthDate}}
}
