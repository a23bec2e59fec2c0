package gate

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"

	"purser"
	"purser/internal/fold"
	"purser/internal/ledger"
	"purser/internal/record"
	"purser/internal/rule/contact"
	"purser/internal/rule/policy"
)

// CommitCode is the class of commitments to codes; their parts are the 16
// bytes of the contact and the six digits. Telephony commits to what was keyed
// the same way.
const CommitCode = "code"

// ErrInDoubt, wrapped by a sender's error, says that the message may have gone
// out. It counts as sent.
var ErrInDoubt = errors.New("message in doubt")

// CodeAsk is a wish to send a code to the caller.
type CodeAsk struct {
	Asker
	Contact purser.ContactID
	// Items, of which at least one is indexed, find the customer; none means
	// the one who is bound.
	Items   []record.Item
	Channel string // name of the schema's field; email
}

// Release is a code on its way. Whoever gets one calls Deliver once, later and
// elsewhere: the asker's answer does not wait for it, so that it tells nothing.
// He records the entry that it returns.
type Release struct {
	gate    *Gate
	contact purser.ContactID
	receipt ledger.Receipt
	version uint32 // of the record whose channel's age was looked at
	code    purser.Plain
}

// SendCode decides whether a code may go to the customer of the contact. Its
// answer is the same whether or not there is such a customer, a channel, or a
// send left: a refusal comes back only for what the asker may know about
// himself and his contact. There is a release whenever the error is nil or a
// refusal, and its Deliver makes the second of the two entries: at once where
// there is nobody to send to, after the message where there is. Whoever sees
// the size of the ledger would tell them apart by that; nobody below security
// does, and both wait in the same queue.
func (g *Gate) SendCode(ctx context.Context, ask CodeAsk) (*Release, error) {
	c, err := g.recipient(ctx, ask)
	if err != nil {
		return nil, fmt.Errorf("look for recipient: %w", err)
	}
	channel, err := g.channel(ctx, c.ordinal, ask.Channel)
	if err != nil {
		return nil, fmt.Errorf("look for channel: %w", err)
	}
	digits, err := rand.Int(g.c.Random, big.NewInt(1_000_000))
	if err != nil {
		return nil, fmt.Errorf("draw code: %w", err)
	}
	code := fmt.Sprintf("%06d", digits)
	// From here on there is a release, and with it a result, whoever gives up.
	receipt, err := g.c.Log.Propose(context.WithoutCancel(ctx), ask.Lane, func(s *fold.State, at purser.Stamp) purser.Entry {
		e := &purser.CodeSent{
			Contact: ask.Contact, Customer: c.ordinal, Tag: c.now, Last: c.last, Present: c.present,
			Digits: g.Commit(ask.Contact, code), Expires: at + contact.CodeLife,
		}
		e.Reason = g.maySend(view{s, at}, &ask, c, channel, e)
		return e
	})
	if err != nil {
		return nil, fmt.Errorf("record code: %w", err)
	}
	r := &Release{gate: g, contact: ask.Contact, receipt: receipt, version: c.record.Version, code: purser.NewPlain(code)}
	return r, Visible(receipt.Refusal())
}

// Visible drops a refusal that would tell the asker something about a
// customer: such a one is in the entry alone (L5).
func Visible(r *purser.Refusal) error {
	if r == nil || r.Answer() == purser.NotEnough {
		return nil
	}
	return r
}

// Commit returns what the ledger holds of a contact's six digits.
func (g *Gate) Commit(c purser.ContactID, digits string) purser.Commitment {
	return g.c.Keys.Commit(CommitCode, c[:], []byte(digits))
}

// recipient finds who the code would go to. Whom a contact binds is only
// looked at here; the decision compares it with the state it lands in.
func (g *Gate) recipient(ctx context.Context, ask CodeAsk) (candidate, error) {
	if len(ask.Items) > 0 {
		return g.look(ctx, ask.Items)
	}
	var bound purser.Ordinal
	err := g.c.Log.Look(ctx, func(s *fold.State, at purser.Stamp) error {
		if hold, why := s.Contacts().Held(ask.Contact, ask.Session, at); why == purser.Allowed {
			bound = hold.Customer
		}
		return nil
	})
	if err != nil {
		return candidate{}, err
	}
	c, err := g.candidate(ctx, bound)
	if bound == 0 {
		c.why = purser.NotBound // one who is bound and gone is unknown, like a stranger
	}
	return c, err
}

// maySend is the order of one code. What the asker may know of himself and his
// contact comes before what he may not know of a customer.
func (g *Gate) maySend(v view, ask *CodeAsk, c candidate, to channel, e *purser.CodeSent) purser.Reason {
	hold, why := g.Works(v.State, v.at, ask.Asker, ask.Contact, policy.SendCode, &e.Who)
	if why == purser.Allowed {
		_, why = v.Contacts().Send(ask.Contact, ask.Session, v.at)
	}
	channel, none := to.at(v)
	switch e.Channel = channel; {
	case why != purser.Allowed:
		return why
	case c.ordinal == 0:
		return c.why
	case v.gone(c.ordinal):
		return purser.Unknown
	case hold.Customer != 0 && hold.Customer != c.ordinal:
		return purser.OtherCustomer
	case len(ask.Items) == 0 && hold.Customer == 0:
		return purser.NotBound
	case none != purser.Allowed:
		return none
	}
	return v.Budgets().Send(c.now, c.last, v.at)
}

// Deliver opens the address against the receipt, hands it with the code to
// send, and returns what became of it: nil and ErrInDoubt count as sent. Where
// nothing may be sent it says just that. A nil send opens nothing and leaves the
// code unsent, for want of room or time. There is no entry for an ask that was
// only counted.
func (r *Release) Deliver(ctx context.Context, send Send) (result *purser.CodeResult, err error) {
	if !r.receipt.Recorded() {
		return nil, nil
	}
	result = &purser.CodeResult{Contact: r.contact, Sent: r.receipt.Pos(), Reason: purser.SendFailed}
	if refusal := r.receipt.Refusal(); refusal != nil {
		result.Reason = refusal.Reason
	} else if send != nil {
		result.Reason, err = r.hand(ctx, send)
	}
	return result, err
}

// Send sends a code to an opened address.
type Send func(ctx context.Context, to purser.Plain, code string) error

func (r *Release) hand(ctx context.Context, send Send) (purser.Reason, error) {
	e, ok := r.receipt.Entry().(*purser.CodeSent)
	if !ok {
		return purser.SendFailed, errors.New("receipt is of no code")
	}
	sealed, err := r.gate.c.Records.SealedAgain(ctx, e.Customer)
	if errors.Is(err, record.ErrNoCustomer) {
		return purser.SendFailed, nil // erased since
	}
	if err != nil {
		return purser.SendFailed, fmt.Errorf("read address: %w", err)
	}
	if sealed.Version != r.version {
		return purser.SendFailed, nil // another address by now, perhaps, whose age nobody looked at
	}
	values, err := r.gate.c.Keys.Open(r.receipt, sealed)
	if err != nil {
		return purser.SendFailed, fmt.Errorf("open address: %w", err)
	}
	for _, to := range values {
		if err = send(ctx, to, r.code.Reveal()); err == nil || errors.Is(err, ErrInDoubt) {
			return purser.Allowed, err
		}
	}
	return purser.SendFailed, err
}
