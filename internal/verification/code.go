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
		v.queue(ctx, a.Lane, release)
	}
	return err
}

// sender sends codes in the background. Each vendor has a lane, and the lanes
// take turns, so that the codes of one do not wait behind those of another.
// Every release that it is handed ends in a recorded result as long as the
// ledger can be written.
type sender struct {
	log     *ledger.Log[*fold.State]
	mail    Mailer
	company string
	most    int // releases in a lane
	fault   func(error)
	ending  context.Context // ends with Close; held here because the queue outlives every ask
	end     context.CancelFunc
	running sync.WaitGroup

	mu     sync.Mutex // guards what follows
	wake   *sync.Cond // something waits, or closed was set
	lanes  map[purser.VendorID][]*gate.Release
	turns  []purser.VendorID // lanes that hold something; the first is next
	closed bool              // nothing more is taken in
	owed   []owed
}

// owed is a result that could not be recorded yet.
type owed struct {
	lane   purser.VendorID
	result *purser.CodeResult
}

func (s *sender) start(c Config) {
	s.log, s.mail, s.company, s.most, s.fault = c.Log, c.Mail, c.Company, c.Queue, c.Fault
	s.ending, s.end = context.WithCancel(context.Background())
	s.wake = sync.NewCond(&s.mu)
	s.lanes = make(map[purser.VendorID][]*gate.Release)
	for range c.Senders {
		s.running.Go(func() {
			for {
				lane, release, ok := s.next()
				if !ok {
					return
				}
				s.deliver(s.ending, lane, release, s.send)
			}
		})
	}
}

// queue hands a release to the senders. Where there is no room in its lane, and
// after Close, the code is not sent, and that is recorded at once, whoever it
// would have gone to.
func (s *sender) queue(ctx context.Context, lane purser.VendorID, release *gate.Release) {
	if !s.put(lane, release) {
		s.deliver(ctx, lane, release, nil)
	}
}

func (s *sender) put(lane purser.VendorID, release *gate.Release) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.lanes[lane]) >= s.most {
		return false
	}
	if len(s.lanes[lane]) == 0 {
		s.turns = append(s.turns, lane)
	}
	s.lanes[lane] = append(s.lanes[lane], release)
	s.wake.Signal()
	return true
}

// next waits for the first release of the lane whose turn it is. It returns
// false when the sender is closed and nothing waits.
func (s *sender) next() (lane purser.VendorID, release *gate.Release, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.turns) == 0 {
		if s.closed {
			return lane, nil, false
		}
		s.wake.Wait()
	}
	lane = s.turns[0]
	waiting := s.lanes[lane]
	s.turns = s.turns[1:]
	if len(waiting) > 1 {
		s.lanes[lane] = waiting[1:]
		s.turns = append(s.turns, lane)
	} else {
		delete(s.lanes, lane)
	}
	return lane, waiting[0], true
}

func (s *sender) deliver(ctx context.Context, lane purser.VendorID, release *gate.Release, send gate.Send) {
	if s.ending.Err() != nil {
		send = nil
	}
	result, err := release.Deliver(ctx, send)
	if err != nil {
		s.fault(err)
	}
	if result != nil {
		s.record(ctx, lane, result)
	}
}

func (s *sender) send(ctx context.Context, to purser.Plain, code string) error {
	err := s.mail.Send(ctx, letter(s.company, to, code))
	if errors.Is(err, deliver.ErrInDoubt) {
		return fmt.Errorf("send code: %w: %w", gate.ErrInDoubt, err)
	}
	return err
}

// record makes the second of a code's two entries, whoever gave up by then. It
// keeps a result for which the ledger has no room, for a moment or on its disk.
func (s *sender) record(ctx context.Context, lane purser.VendorID, result *purser.CodeResult) {
	made := func(*fold.State, purser.Stamp) purser.Entry { return result }
	_, err := s.log.Propose(context.WithoutCancel(ctx), lane, made)
	if err == nil {
		return
	}
	if !errors.Is(err, ledger.ErrStopped) {
		s.mu.Lock()
		s.owed = append(s.owed, owed{lane, result})
		s.mu.Unlock()
	}
	s.fault(fmt.Errorf("record result of code: %w", err))
}

// settle records the results that could not be recorded before.
func (s *sender) settle(ctx context.Context) {
	s.mu.Lock()
	all := s.owed
	s.owed = nil
	s.mu.Unlock()
	for _, one := range all {
		s.record(ctx, one.lane, one.result)
	}
}

// Close stops taking codes, ends what is being sent, and waits. Codes that
// were still waiting are recorded as not sent.
func (s *sender) Close() error {
	s.end()
	s.mu.Lock()
	s.closed = true
	s.wake.Broadcast()
	s.mu.Unlock()
	s.running.Wait()
	s.settle(context.Background())
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

// Follow decides about the digits keyed in one contact, right after the event
// that brought them.
func (v *Verification) Follow(ctx context.Context, c purser.ContactID) error {
	var lane purser.VendorID
	err := v.c.Log.Look(ctx, func(s *fold.State, at purser.Stamp) error {
		found, _ := s.Contacts().Contact(c, at)
		lane = found.Vendor
		return nil
	})
	if err != nil {
		return fmt.Errorf("look for a keyed code: %w", err)
	}
	_, err = v.Keyed(ctx, lane, c)
	return err
}

// FollowUp decides about all keyed digits that wait, for what a crash or an
// error left, and records results of codes that could not be recorded. What
// cannot be decided in one contact keeps none of the others waiting.
func (v *Verification) FollowUp(ctx context.Context) error {
	v.settle(ctx)
	var waiting []purser.ContactID
	err := v.c.Log.Look(ctx, func(s *fold.State, _ purser.Stamp) error {
		waiting = s.Contacts().Keypads()
		return nil
	})
	if err != nil {
		return fmt.Errorf("look for keyed codes: %w", err)
	}
	var errs []error
	for _, c := range waiting {
		errs = append(errs, v.Follow(ctx, c))
	}
	return errors.Join(errs...)
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
