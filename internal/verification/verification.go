// Package verification owns the ways by which a caller shows that he is the
// customer, as far as they open nothing themselves: what an agent typed
// becomes canonical items for the gate, codes are put into mail and sent in
// the background, keyed codes are followed up, and leads do what takes a lead
// (break-glass, undoing, the reason behind a reference code). Claiming the
// contact comes before all of it and is here too.
//
// It does not own the compare or the release of an address (package gate, the
// only opener), the state of a contact (internal/rule/contact), or how a
// message travels (package deliver).
//
// Law carried here: L5 (what a caller said changes neither the path nor the
// answer by its form: an item without a normal form is simply wrong; codes
// leave in the background, so that the answer does not wait for a server that
// only known customers cause to be asked).
//
// Start reading at [Verification.Identify], then [Verification.SendCode].
package verification

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"unicode/utf8"

	"purser"
	"purser/internal/deliver"
	"purser/internal/fold"
	"purser/internal/gate"
	"purser/internal/ledger"
	"purser/internal/record"
)

// MaxItem is the longest item in bytes.
const MaxItem = 256

// Mailer sends one message. *deliver.Mail is one.
type Mailer interface {
	Send(ctx context.Context, m deliver.Message) error
}

// Entries reads stored entries, for the reasons behind reference codes.
type Entries interface {
	Entries(ctx context.Context, from, to purser.Pos) iter.Seq2[ledger.Stored, error]
}

// Customers gives the identifiers by which customers are named outside.
type Customers interface {
	CustomerID(ctx context.Context, o purser.Ordinal) (purser.CustomerID, error)
	// Erasure says who was erased by an entry; record.ErrNoCustomer for none.
	Erasure(ctx context.Context, pos purser.Pos) (record.Erasure, error)
}

// Config is what a desk works with. Log, Gate, Schema, Customers, Mail and
// Entries are required.
type Config struct {
	Log     *ledger.Log[*fold.State]
	Entries Entries
	Gate    *gate.Gate
	Schema  *record.Schema
	Mail    Mailer
	// Customers is *record.Book.
	Customers Customers
	// Region completes phone numbers said without a country code, as AU.
	Region string
	// Company is the name that the code mail gives.
	Company string
	// Queue is how many codes of one vendor may wait to be sent; zero means 256.
	Queue int
	// Senders is how many are sent at once; zero means 4.
	Senders int
	// Fault is told of codes that could not be sent or recorded; nil means
	// nobody is. Errors hold no address and no code.
	Fault func(error)
}

const (
	defaultQueue   = 256
	defaultSenders = 4
)

// Verification is where agents and leads act. It may be used by any number of
// goroutines and runs some of its own until Close.
type Verification struct {
	c Config
	sender
}

// New checks the configuration and starts the senders. Close ends them.
func New(c Config) (*Verification, error) {
	if c.Log == nil || c.Entries == nil || c.Gate == nil || c.Schema == nil || c.Customers == nil || c.Mail == nil {
		return nil, errors.New("verification: part of the configuration is missing")
	}
	if c.Queue == 0 {
		c.Queue = defaultQueue
	}
	if c.Senders == 0 {
		c.Senders = defaultSenders
	}
	if c.Fault == nil {
		c.Fault = func(error) {}
	}
	v := &Verification{c: c}
	v.start(c)
	return v, nil
}

// Said is one thing that the caller said, as the agent typed it. Item is the
// schema's name of the field.
type Said struct {
	Item string
	Text string
}

// ItemError says that an ask cannot be read, whoever it is about: it depends
// on the input alone and never holds a part of it.
type ItemError struct {
	Item    string // a field of the schema, or empty where the name is none
	Problem string
}

// Error names the item and what is wrong.
func (e *ItemError) Error() string {
	if e.Item == "" {
		return "item: " + e.Problem
	}
	return e.Item + ": " + e.Problem
}

// items brings what was said into canonical form. What has no normal form
// stays as an item that finds and equals nothing.
func (v *Verification) items(said []Said) ([]record.Item, error) {
	var out []record.Item
	seen := make(map[record.Kind]bool, len(said))
	for _, s := range said {
		f, ok := v.c.Schema.Field(s.Item)
		switch {
		case !ok || !f.IsItem:
			return nil, &ItemError{Problem: "is nothing that a caller is asked for"}
		case len(s.Text) > MaxItem:
			return nil, &ItemError{Item: f.Name, Problem: fmt.Sprintf("is over %d bytes", MaxItem)}
		case !utf8.ValidString(s.Text):
			return nil, &ItemError{Item: f.Name, Problem: "is not valid UTF-8 text"}
		case seen[f.Item]:
			return nil, &ItemError{Item: f.Name, Problem: "is given twice"}
		}
		seen[f.Item] = true
		out = append(out, record.Item{Kind: f.Item, Canonical: v.c.Schema.Canonical(f.Item, s.Text, v.c.Region)})
	}
	return out, nil
}

// Identify compares what the caller said with what is on record. Enough binds
// the customer; everything else is a refusal, or an *ItemError for input that
// cannot be read.
func (v *Verification) Identify(ctx context.Context, a gate.Asker, c purser.ContactID, said []Said) (gate.Identified, error) {
	items, err := v.items(said)
	if err != nil {
		return gate.Identified{}, err
	}
	return v.c.Gate.Identify(ctx, gate.IdentifyAsk{Asker: a, Contact: c, Items: items})
}

// Link does the same for a further customer of the bound one's booking.
func (v *Verification) Link(ctx context.Context, a gate.Asker, c purser.ContactID, said []Said) (gate.Identified, error) {
	items, err := v.items(said)
	if err != nil {
		return gate.Identified{}, err
	}
	return v.c.Gate.Identify(ctx, gate.IdentifyAsk{Asker: a, Contact: c, Items: items, Linked: true})
}

// propose records one decision, and returns its refusal if it is one.
func (v *Verification) propose(ctx context.Context, a gate.Asker, what string, decide func(*fold.State, purser.Stamp) purser.Entry) (ledger.Receipt, error) {
	receipt, err := v.c.Log.Propose(ctx, a.Lane, decide)
	if err != nil {
		return receipt, fmt.Errorf("record %s: %w", what, err)
	}
	if refusal := receipt.Refusal(); refusal != nil {
		return receipt, refusal
	}
	return receipt, nil
}
