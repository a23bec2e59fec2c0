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

// Release is a code on its way. Whoever gets one calls Deliver or Drop once,
// later and elsewhere: the asker's answer does not wait for it, so that it tells
// nothing. One goroutine at a time uses it.
type Release struct {
	gate    *Gate
	lane    purser.VendorID
	contact purser.ContactID
	receipt ledger.Receipt
	code    purser.Plain

	why  purser.Reason // of the result, once it is known
	owed bool          // the result is known and not recorded
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
	if err := ctx.Err(); err != nil {
		return nil, err
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
	r := &Release{gate: g, lane: ask.Lane, contact: ask.Contact, receipt: receipt, code: purser.NewPlain(code)}
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
	if c.ordinal == 0 {
		c.why = purser.NotBound
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
	channel, none := to.at(v.at)
	switch e.Channel = channel; {
	case why != purser.Allowed:
		return why
	case c.ordinal == 0:
		return c.why
	case hold.Customer != 0 && hold.Customer != c.ordinal:
		return purser.OtherCustomer
	case len(ask.Items) == 0 && hold.Customer == 0:
		return purser.NotBound
	case none != purser.Allowed:
		return none
	}
	return v.Budgets().Send(c.now, c.last, v.at)
}

// Deliver opens the address against the receipt and hands it with the code to
// send, then records what became of it. Where nothing may be sent it records
// just that. Send's error tells whether the message went: nil and ErrInDoubt
// count as sent.
func (r *Release) Deliver(ctx context.Context, send func(ctx context.Context, to purser.Plain, code string) error) error {
	if !r.receipt.Recorded() {
		return nil // only counted: then its result is not there either
	}
	why, err := r.hand(ctx, send)
	return errors.Join(err, r.result(ctx, why))
}

// Drop records that the code was not sent, without opening anything: there was
// no room for it, or no time.
func (r *Release) Drop(ctx context.Context) error {
	if !r.receipt.Recorded() {
		return nil
	}
	why := purser.SendFailed
	if refusal := r.receipt.Refusal(); refusal != nil {
		why = refusal.Reason
	}
	return r.result(ctx, why)
}

// Owes reports whether the result is known and could not be recorded.
func (r *Release) Owes() bool { return r.owed }

// Settle records the result once more that could not be recorded.
func (r *Release) Settle(ctx context.Context) error {
	if !r.owed {
		return nil
	}
	return r.result(ctx, r.why)
}

func (r *Release) result(ctx context.Context, why purser.Reason) error {
	_, err := r.gate.c.Log.Propose(context.WithoutCancel(ctx), r.lane, func(*fold.State, purser.Stamp) purser.Entry {
		return &purser.CodeResult{Contact: r.contact, Sent: r.receipt.Pos(), Reason: why}
	})
	if r.why, r.owed = why, err != nil; err != nil {
		return fmt.Errorf("record result of code: %w", err)
	}
	return nil
}

func (r *Release) hand(ctx context.Context, send func(ctx context.Context, to purser.Plain, code string) error) (purser.Reason, error) {
	if refusal := r.receipt.Refusal(); refusal != nil {
		return refusal.Reason, nil
	}
	values, err := r.gate.open(ctx, r.receipt)
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
