package gate

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"purser"
	"purser/internal/fold"
	"purser/internal/ledger"
	"purser/internal/record"
	"purser/internal/rule/budget"
	"purser/internal/rule/contact"
	"purser/internal/rule/policy"
	"purser/internal/seal"
)

// Ask is a wish to see fields of one customer.
type Ask struct {
	Asker
	Contact purser.ContactID
	// Mandate is a case that was given to the asker, in place of a contact.
	Mandate purser.MandateID
	// Customer names a linked customer; zero means the bound one.
	Customer purser.CustomerID
	Fields   purser.FieldMask
	Path     purser.Path // exactly one
	Purpose  purser.Purpose
	page     *page // of a timeline, which is asked for in place of the record
}

// Disclosed is what an allowed ask gives.
type Disclosed struct {
	Values purser.Values
	// Shown are the bits that have a value. Of the others nothing can be told:
	// not allowed and not there look the same.
	Shown purser.FieldMask
	Pos   purser.Pos // of the entry, or of the last one where this ask was only counted
	// AfterHangUp is for how many seconds the fields may stay on the screen
	// once the customer is gone.
	AfterHangUp uint32
}

// law is what holds for one field bit whatever the policies say.
type law struct {
	shown bool       // to anybody at all: known, and not match-only
	ask   policy.Ask // the field's part
}

func lawsOf(s *record.Schema) [purser.MaxField + 1]law {
	var laws [purser.MaxField + 1]law
	for bit := range purser.MaxField + 1 {
		if b, ok := s.Bit(bit); ok {
			laws[bit] = law{shown: b.Disclosable(), ask: policy.Ask{
				Action: policy.Disclose, Field: b.Field.Name, Class: policy.Class(b.Field.Class),
				Needs: b.Needs, Masked: b.Masked,
			}}
		}
	}
	return laws
}

// Disclose decides about one ask, records the decision, and opens what it
// allows. What is refused comes back as *purser.Refusal; where it is only the
// fields that may not be shown, or are not there, nothing is shown and that is
// all that can be told (L5). Every ask makes one entry, whatever is decided;
// nothing is opened before it is durable (L1). Where the record is written
// between the two, it is asked once more, as the record is then.
func (g *Gate) Disclose(ctx context.Context, ask Ask) (Disclosed, error) {
	out, err := g.disclose(ctx, ask)
	if errors.Is(err, seal.ErrOlderReceipt) {
		return g.disclose(ctx, ask)
	}
	return out, err
}

func (g *Gate) disclose(ctx context.Context, ask Ask) (Disclosed, error) {
	receipt, after, err := g.disclosure(ctx, &ask)
	if refusal, ok := errors.AsType[*purser.Refusal](err); ok && refusal.Reason == purser.FieldsNotAllowed {
		return Disclosed{Pos: refusal.At}, nil
	}
	if err != nil {
		return Disclosed{}, err
	}
	values, err := g.open(ctx, receipt)
	if err != nil {
		return Disclosed{}, fmt.Errorf("open fields for %v: %w", ask.Contact, err)
	}
	out := Disclosed{Values: values, Pos: receipt.Pos()}
	if len(values) > 0 {
		out.AfterHangUp = after
	}
	for bit := range values {
		out.Shown |= purser.Mask(bit)
	}
	return out, nil
}

// disclosure decides about one ask and records the decision.
func (g *Gate) disclosure(ctx context.Context, ask *Ask) (receipt ledger.Receipt, after uint32, err error) {
	customer, err := g.named(ctx, ask.Customer)
	if err != nil {
		return receipt, 0, err
	}
	var present purser.FieldMask
	if !ask.Mandate.Zero() {
		if present, err = g.presence(ctx, ask.Mandate); err != nil {
			return receipt, 0, fmt.Errorf("look up the record of %v: %w", ask.Mandate, err)
		}
	}
	receipt, err = g.propose(ctx, ask.Asker, "disclosure", func(s *fold.State, at purser.Stamp) purser.Entry {
		e := &purser.Disclosure{
			Who: purser.Actor{Session: ask.Session}, Contact: ask.Contact, Mandate: ask.Mandate,
			Asked: ask.Fields, Path: ask.Path, Purpose: ask.Purpose,
		}
		if e.Reason = g.decide(view{s, at}, ask, customer, present, e); e.Reason != purser.Allowed {
			e.Shown = 0
			return e
		}
		after = s.Budgets().Ceilings(e.Who.Vendor).AfterHangUp
		return e
	})
	return receipt, after, err
}

// unknown stands for a customer that nobody has: it equals no ordinal that is
// bound or linked.
const unknown = ^purser.Ordinal(0)

// named returns the ordinal of a named customer, 0 where none is named, and
// unknown where the identifier names nobody.
func (g *Gate) named(ctx context.Context, id purser.CustomerID) (purser.Ordinal, error) {
	if id.Zero() {
		return 0, nil
	}
	ordinal, err := g.c.Records.Ordinal(ctx, id)
	if errors.Is(err, record.ErrNoCustomer) {
		return unknown, nil
	}
	if err != nil {
		return 0, fmt.Errorf("look up %v: %w", id, err)
	}
	return ordinal, nil
}

// decide is the order of one disclosure. It reads the state and fills e in; it
// does no input or output, and may run again for the same ask.
func (g *Gate) decide(v view, ask *Ask, customer purser.Ordinal, present purser.FieldMask, e *purser.Disclosure) purser.Reason {
	if !ask.Mandate.Zero() {
		return g.worked(v, ask, customer, present, e)
	}
	session, hold, why := v.desk(ask.Asker, ask.Contact, &e.Who)
	if why != purser.Allowed {
		return why
	}
	linked, why := party(&hold, customer, e)
	if why != purser.Allowed {
		return why
	}
	if why := v.stopped(&session, &hold, ask.Path); why != purser.Allowed {
		return why
	}
	// Not there, erased and not allowed are one: the entry counts none as shown.
	allowed := g.allowed(v, &session, &hold, ask, linked)
	if e.Shown = ask.there(allowed, hold.Holds(e.Customer), e.Customer); e.Shown == 0 || v.gone(e.Customer) {
		return purser.FieldsNotAllowed
	}
	return v.Budgets().Disclose(budget.Draft{
		Who: e.Who, Contact: ask.Contact, Linked: linked,
		First: e.Flags&purser.FirstDisclosure != 0, Weak: e.Flags&purser.WeakDisclosure != 0,
	}, v.at)
}

// there returns the allowed bits of which there is something: in the record or,
// of a timeline, on the page that was looked up.
func (ask *Ask) there(allowed, held purser.FieldMask, customer purser.Ordinal) purser.FieldMask {
	if ask.page != nil {
		return ask.page.shows(allowed, customer)
	}
	return allowed & held
}

// party finds whose fields are asked for: the bound customer, or one linked to
// him. It fills in customer, assurance and flags.
func party(h *contact.Hold, customer purser.Ordinal, e *purser.Disclosure) (linked bool, why purser.Reason) {
	if h.Outbound {
		return false, purser.Outbound
	}
	if h.Customer == 0 {
		return false, purser.NotBound
	}
	e.Customer, e.Assurance = h.Customer, h.Assurance
	if customer != 0 && customer != h.Customer {
		if !slices.Contains(h.Linked, customer) {
			return false, purser.NotOfContact
		}
		linked = true
		e.Customer, e.Assurance = customer, min(h.Assurance, purser.A1)
		e.Flags |= purser.LinkedDisclosure
	}
	if h.First(e.Customer) {
		e.Flags |= firstAt(e.Assurance)
	}
	if h.Emergency {
		e.Flags |= purser.BreakGlassDisclosure
	}
	return linked, purser.Allowed
}

// firstAt flags the first disclosure of a customer at an assurance: that of A1
// or less is a weak one, with or without a contact.
func firstAt(a purser.Assurance) purser.DisclosureFlags {
	if a <= purser.A1 {
		return purser.FirstDisclosure | purser.WeakDisclosure
	}
	return purser.FirstDisclosure
}

// allowed returns the asked bits that may be shown: the laws first, then the
// policies, each bit by itself.
func (g *Gate) allowed(v view, s *fold.Session, h *contact.Hold, ask *Ask, linked bool) purser.FieldMask {
	set := g.policies(v)
	if set == nil || int(ask.Purpose) > len(g.c.Records.Schema().Purposes()) {
		return 0
	}
	assurance := h.Assurance
	if linked {
		assurance = min(assurance, purser.A1)
	}
	var shown purser.FieldMask
	for bit := range purser.MaxField + 1 {
		if !ask.Fields.Has(bit) || !g.laws[bit].permits(assurance, h.Emergency && !linked, linked) {
			continue
		}
		question := g.laws[bit].ask
		question.Roles, question.Vendor, question.Path = s.Roles, s.Who.Vendor, ask.Path
		question.Assurance, question.Emergency = assurance, h.Emergency && !linked
		question.Linked, question.Purpose = linked, ask.Purpose
		if set.Allow(question) {
			shown |= purser.Mask(bit)
		}
	}
	return shown
}

// permits is the law for one bit: match-only is shown to nobody; the assurance
// reaches what the field needs, or break-glass opens it, which never reaches
// A3; a linked customer has A1 fields at most.
func (l *law) permits(has purser.Assurance, emergency, linked bool) bool {
	needs := l.ask.Needs
	if !l.shown || (linked && needs > purser.A1) {
		return false
	}
	return has >= needs || (emergency && needs <= purser.A2)
}

// open opens what a receipt allows, for an allowed disclosure alone. A record
// that is gone by now has no values.
func (g *Gate) open(ctx context.Context, receipt ledger.Receipt) (purser.Values, error) {
	e, ok := receipt.Entry().(purser.Opener)
	if !ok {
		return nil, errors.New("receipt opens nothing")
	}
	customer, _ := e.Opens()
	sealed, err := g.c.Records.SealedAgain(ctx, customer)
	if errors.Is(err, record.ErrNoCustomer) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return g.c.Keys.Open(receipt, sealed)
}
