package verification

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"purser"
	"purser/internal/deliver"
	"purser/internal/fold"
	"purser/internal/gate"
	"purser/internal/ledger"
	"purser/internal/rule/policy"
)

// SendCode sends six digits to the e-mail address of the customer, who is the
// bound one, or found by at least one item with an index. The answer is the
// same whether or not there was anybody to send to, and comes before anything
// is sent. A refusal is only about the asker and his contact.
func (v *Verification) SendCode(ctx context.Context, a gate.Asker, c purser.ContactID, said []Said) error {
	items, err := v.items(said)
	if err != nil {
		return err
	}
	release, err := v.c.Gate.SendCode(ctx, gate.CodeAsk{Asker: a, Contact: c, Items: items, Channel: "email"})
	if release != nil {
		v.queue(ctx, release)
	}
	return err
}

// sender sends codes in the background.
type sender struct {
	waiting chan *gate.Release
	mail    Mailer
	company string
	fault   func(error)
	ending  context.Context // ends with Close; held here because the queue outlives every ask
	end     context.CancelFunc
	running sync.WaitGroup

	mu     sync.RWMutex
	closed bool // guarded by mu; waiting is closed once it is set
}

func (s *sender) start(c Config) {
	s.waiting = make(chan *gate.Release, c.Queue)
	s.mail, s.company, s.fault = c.Mail, c.Company, c.Fault
	s.ending, s.end = context.WithCancel(context.Background())
	for range c.Senders {
		s.running.Go(func() {
			for release := range s.waiting {
				s.deliver(release)
			}
		})
	}
}

// queue hands a release to the senders. Where there is no room it waits: a
// code that is dropped would be a result that is never recorded.
func (s *sender) queue(ctx context.Context, release *gate.Release) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return // a missing result counts as sent
	}
	select {
	case s.waiting <- release:
	case <-ctx.Done():
	case <-s.ending.Done():
	}
}

func (s *sender) deliver(release *gate.Release) {
	err := release.Deliver(s.ending, func(ctx context.Context, to purser.Plain, code string) error {
		err := s.mail.Send(ctx, letter(s.company, to, code))
		if errors.Is(err, deliver.ErrInDoubt) {
			return fmt.Errorf("send code: %w: %w", gate.ErrInDoubt, err)
		}
		return err
	})
	if err != nil {
		s.fault(err)
	}
}

// Close stops taking codes, ends what is being sent, and waits. Codes that
// were still waiting are recorded as not sent.
func (s *sender) Close() error {
	s.end()
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.waiting)
	}
	s.mu.Unlock()
	s.running.Wait()
	return nil
}

// TryCode compares a code that the caller told the agent.
func (v *Verification) TryCode(ctx context.Context, a gate.Asker, c purser.ContactID, digits string) (purser.Assurance, error) {
	if len(digits) > MaxItem {
		return purser.A0, &ItemError{Item: "code", Problem: fmt.Sprintf("is over %d bytes", MaxItem)}
	}
	said := v.c.Gate.Commit(c, digits)
	receipt, err := v.propose(ctx, a, "try of code", func(s *fold.State, at purser.Stamp) purser.Entry {
		e := &purser.CodeTried{Contact: c, Way: purser.WayCode}
		_, why := v.c.Gate.Works(s, at, a, c, policy.Identify, &e.Who)
		if why == purser.Allowed {
			why = s.Budgets().Attempt(e.Who.Person, 0, 0, purser.WayCode, at)
		}
		if why == purser.Allowed {
			e.Customer, e.Assurance, why = s.Contacts().Try(c, purser.WayCode, said, at)
		}
		e.Reason = why
		return e
	})
	if err != nil {
		return purser.A0, err
	}
	return gained(receipt), nil
}

func gained(receipt ledger.Receipt) purser.Assurance {
	if e, ok := receipt.Entry().(*purser.CodeTried); ok && e.Reason == purser.Allowed {
		return e.Assurance
	}
	return purser.A0
}

// Keyed decides about the digits that the customer of a contact keyed. The
// event that brought them is an entry already; nobody asks, so nobody is
// refused. Without such digits nothing is recorded.
func (v *Verification) Keyed(ctx context.Context, lane purser.VendorID, c purser.ContactID) (purser.Assurance, error) {
	receipt, err := v.c.Log.Propose(ctx, lane, func(s *fold.State, at purser.Stamp) purser.Entry {
		digits, ok := s.Contacts().Keyed(c)
		if !ok {
			return nil
		}
		e := &purser.CodeTried{Contact: c, Way: purser.WayKeypad}
		e.Customer, e.Assurance, e.Reason = s.Contacts().Try(c, purser.WayKeypad, digits, at)
		return e
	})
	if err != nil {
		return purser.A0, fmt.Errorf("record keyed code: %w", err)
	}
	return gained(receipt), nil
}

// FollowUp decides about all keyed digits that wait: after events of a source,
// and once at start for what a crash left.
func (v *Verification) FollowUp(ctx context.Context) error {
	var waiting []purser.ContactID
	var lanes []purser.VendorID
	err := v.c.Log.Look(ctx, func(s *fold.State, at purser.Stamp) error {
		waiting = s.Contacts().Keypads()
		for _, c := range waiting {
			found, _ := s.Contacts().Contact(c, at)
			lanes = append(lanes, found.Vendor)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("look for keyed codes: %w", err)
	}
	for i, c := range waiting {
		if _, err := v.Keyed(ctx, lanes[i], c); err != nil {
			return err
		}
	}
	return nil
}

// letter is the mail that brings a code. The code stands alone on its line, so
// that nobody has to look for it with a caller waiting.
func letter(company string, to purser.Plain, code string) deliver.Message {
	if company == "" {
		company = "us"
	}
	return deliver.Message{
		To:      to,
		Subject: "Your code, only if you called us",
		Text: code + "\n\n" +
			"Use this code only if you called " + company + " a moment ago and asked for it.\n" +
			"It is good for five minutes.\n\n" +
			"If somebody called you and asks for this code, hang up: we never do that.\n" +
			"If you did not call, you need to do nothing.\n",
	}
}
