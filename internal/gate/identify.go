package gate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"purser"
	"purser/internal/fold"
	"purser/internal/ledger"
	"purser/internal/record"
	"purser/internal/rule/contact"
	"purser/internal/rule/keep"
	"purser/internal/rule/policy"
	"purser/internal/seal"
)

// Classes of attempt tags. Telephony tags callers' numbers under tagPhone.
const (
	tagCustomer = "customer"
	tagPhone    = "phone"
	tagItem     = "item:"
)

// IdentifyAsk is what an agent typed of what the caller said.
type IdentifyAsk struct {
	Asker
	Contact purser.ContactID
	Items   []record.Item // canonical
	// Linked asks for a further customer of the bound one's booking.
	Linked bool
}

// Identified is the answer enough. There is no other: everything else is a
// refusal.
type Identified struct {
	Assurance purser.Assurance
	// Customer names a linked customer to later asks; zero otherwise.
	Customer purser.CustomerID
}

// candidate is what items lead to, looked up before anything is proposed. One
// that leads nowhere has the same shape.
type candidate struct {
	ordinal   purser.Ordinal
	why       purser.Reason // Unknown or Several without an ordinal
	record    seal.Record
	now, last purser.Tag
	present   purser.FieldMask // the bits that its record has a value for
	phone     channel
	linked    []purser.Ordinal // who shares a booking with it, where that is asked
}

// Identify compares what a caller said with what is on record, and binds the
// customer to the contact if it is enough. It makes two entries whatever is
// found: the attempt, which spends the try before anything is opened, and its
// result. Only an asker who has no session at all makes just the first, and
// what the ledger only counts makes none.
func (g *Gate) Identify(ctx context.Context, ask IdentifyAsk) (Identified, error) {
	c, err := g.look(ctx, ask.Items)
	if err == nil && ask.Linked {
		c.linked, err = g.c.Records.Linked(ctx, c.ordinal)
	}
	if err != nil {
		return Identified{}, fmt.Errorf("look for candidates: %w", err)
	}
	t := trial{ask: &ask, candidate: c, flaw: g.c.Records.Schema().Enough(kinds(ask.Items))}
	receipt, err := g.c.Log.Propose(ctx, ask.Lane, func(s *fold.State, at purser.Stamp) purser.Entry {
		return g.attempt(view{s, at}, &t)
	})
	if err != nil {
		return Identified{}, fmt.Errorf("record attempt: %w", err)
	}
	if r := receipt.Refusal(); r != nil && (r.Reason == purser.NoSession || !receipt.Recorded()) {
		return Identified{}, r // nobody's, or only counted: then its result is not there either
	}
	// The try is spent: from here the result is recorded whoever gives up.
	ctx = context.WithoutCancel(ctx)
	found, number, fault := g.compare(receipt, &t)
	result, err := g.propose(ctx, ask.Asker, "result of attempt", func(s *fold.State, at purser.Stamp) purser.Entry {
		return g.result(view{s, at}, &t, receipt.Pos(), found, number)
	})
	if fault != nil || err != nil {
		return Identified{}, errors.Join(fault, err)
	}
	out := Identified{}
	if e, ok := result.Entry().(*purser.AttemptResult); ok {
		out.Assurance = e.Assurance
	}
	if ask.Linked {
		out.Customer = c.record.Customer
	}
	return out, nil
}

func kinds(items []record.Item) []record.Kind {
	out := make([]record.Kind, len(items))
	for i, it := range items {
		out[i] = it.Kind
	}
	return out
}

// Found is what items lead to, without its values.
type Found struct {
	Customer  purser.Ordinal // zero: nobody
	Why       purser.Reason  // Unknown or Several, where it is nobody
	Tag, Last purser.Tag
	Present   purser.FieldMask // the bits that the record has a value for
}

// Find looks up what items lead to, for the entries of package verification.
// It costs the same for a hit and a miss.
func (g *Gate) Find(ctx context.Context, items []record.Item) (Found, error) {
	c, err := g.look(ctx, items)
	if err != nil {
		return Found{}, fmt.Errorf("look for candidates: %w", err)
	}
	return Found{Customer: c.ordinal, Why: c.why, Tag: c.now, Last: c.last, Present: c.present}, nil
}

// look does all reading that an attempt needs, the same for hit and miss.
func (g *Gate) look(ctx context.Context, items []record.Item) (candidate, error) {
	found, err := g.c.Records.Candidates(ctx, items)
	if err != nil {
		return candidate{}, err
	}
	c, err := g.candidate(ctx, found.Ordinal)
	if err != nil || c.ordinal != 0 {
		return c, err
	}
	c.why = max(found.Reason, purser.Unknown)
	// Nobody to count against: the first item that finds records is counted.
	c.now, c.last = 0, 0
	for _, it := range items {
		if f, ok := g.c.Records.Schema().Item(it.Kind); ok && f.Find != record.NotFound {
			c.now, c.last, err = g.c.Keys.Tag(tagItem+f.Name, it.Canonical, g.c.Now())
			break
		}
	}
	return c, err
}

// candidate reads what is needed of one customer; ordinal 0, and one that is
// gone, cost the same and give nobody.
func (g *Gate) candidate(ctx context.Context, o purser.Ordinal) (candidate, error) {
	c := candidate{ordinal: o}
	var err error
	if c.record, err = g.c.Records.Sealed(ctx, o); errors.Is(err, record.ErrNoCustomer) {
		c.ordinal, c.why, err = 0, purser.Unknown, nil
	}
	if err != nil {
		return candidate{}, err
	}
	if c.phone, err = g.channel(ctx, o, tagPhone); err != nil {
		return candidate{}, err
	}
	if c.ordinal != 0 {
		c.present = c.record.Holds()
	}
	c.now, c.last, err = g.c.Keys.Tag(tagCustomer, string(c.record.Customer[:]), g.c.Now())
	return c, err
}

// channel is a bit of a record that proves something from a stamp on, or why
// there is none. What it says was read before the entry: at compares it with
// the state where the entry lands.
type channel struct {
	customer purser.Ordinal
	bit      purser.Field
	from     purser.Stamp
	why      purser.Reason
}

// channel reads since when a customer's channel holds what it holds. It is to
// be called after the record was read: of two versions of a record the age is
// then never that of the older.
func (g *Gate) channel(ctx context.Context, o purser.Ordinal, name string) (channel, error) {
	f, ok := g.c.Records.Schema().Field(name)
	if !ok || !f.Channel {
		return channel{why: purser.NoChannel}, nil
	}
	since, held, err := g.c.Records.ChannelSince(ctx, o, f.Bit)
	if err != nil || !held {
		return channel{why: purser.NoChannel}, err
	}
	return channel{customer: o, bit: f.Bit, from: since + keep.ChannelAge}, nil
}

// at is what the channel proves where an entry lands (L2): what was read, and
// what was amended since.
func (c channel) at(v view) (purser.FieldMask, purser.Reason) {
	switch {
	case c.why != purser.Allowed:
		return 0, c.why
	case v.at < max(c.from, v.Keeping().ChannelFrom(c.customer, c.bit)):
		return 0, purser.ChannelTooNew
	}
	return purser.Mask(c.bit), purser.Allowed
}

// gone reports whether a customer who was found is nobody where the entry lands:
// erased, or of an import that has not ended. Then nobody was found.
func (v view) gone(o purser.Ordinal) bool {
	_, gone := v.Keeping().Erased(o)
	return gone || o > v.Standing().Closed()
}

// trial is one identify on its way through both of its entries.
type trial struct {
	candidate
	ask    *IdentifyAsk
	flaw   purser.Reason // of the items by themselves
	caller purser.Tag    // set by the attempt
}

// attempt decides whether a try may be spent. A candidate that is not there is
// no reason to refuse: the asker would tell a miss from a mismatch. What the
// asker can count or see comes before what depends on a customer.
func (g *Gate) attempt(v view, t *trial) *purser.Attempt {
	e := &purser.Attempt{
		Contact: t.ask.Contact, Way: purser.WayMatch, Items: record.ItemBits(kinds(t.ask.Items)),
		Tag: t.now, Last: t.last, Customer: t.ordinal, Linked: t.ask.Linked,
	}
	if v.gone(t.ordinal) {
		e.Customer = 0
	}
	hold, why := g.trying(v, t.ask, &e.Who)
	_, tries := v.Contacts().Verify(t.ask.Contact, t.ask.Session, v.at)
	bind := v.Budgets().Bind(e.Who.Person, t.ask.Contact, t.ask.Linked, v.at)
	limit := v.Budgets().Attempt(e.Who.Person, t.now, t.last, purser.WayMatch, v.at)
	e.Reason = cmp.Or(why, tries, t.flaw, bind, limit)
	if e.Reason == purser.Allowed && e.Customer != 0 {
		e.Compare = g.c.Records.Schema().Compared(kinds(t.ask.Items))
		phone, _ := t.phone.at(v)
		if t.caller = 0; hold.Attested && !hold.Outbound && !t.ask.Linked && phone != 0 {
			e.Compare |= phone
			t.caller = hold.Caller
		}
	}
	return e
}

// trying is what an attempt and its result both need.
func (g *Gate) trying(v view, ask *IdentifyAsk, who *purser.Actor) (contact.Hold, purser.Reason) {
	hold, why := g.Works(v.State, v.at, ask.Asker, ask.Contact, policy.Identify, who)
	if why == purser.Allowed && ask.Linked {
		why = v.Contacts().Link(ask.Contact, ask.Session, 0, v.at)
	}
	return hold, why
}

// compare opens what the attempt allows and compares every item, without an
// early exit. Without a candidate, or after a refusal, it does the same work
// on made-up values. number says that the caller's number is the one on file.
func (g *Gate) compare(receipt ledger.Receipt, t *trial) (why purser.Reason, number bool, err error) {
	refusal := receipt.Refusal()
	e, _ := receipt.Entry().(*purser.Attempt)
	real := refusal == nil && e != nil && e.Customer != 0
	values, err := g.opened(receipt, t, real)
	if err != nil {
		return purser.ResultMissing, false, err
	}
	schema := g.c.Records.Schema()
	held, wrong := make([]record.Kind, 0, len(t.ask.Items)), false
	for _, it := range t.ask.Items {
		f, _ := schema.Item(it.Kind)
		value, has := values[f.Bit]
		right := schema.Compare(it.Kind, value, it.Canonical)
		if has {
			held = append(held, it.Kind)
			wrong = wrong || !right
		}
	}
	var phone purser.Plain
	if t.phone.why == purser.Allowed {
		phone = values[t.phone.bit]
	}
	now, last, err := g.c.Keys.Tag(tagPhone, phone.Reveal(), g.c.Now())
	switch {
	case err != nil:
		return purser.ResultMissing, false, err
	case refusal != nil:
		return refusal.Reason, false, nil
	case !real:
		return max(t.why, purser.Unknown), false, nil
	case wrong:
		return purser.Wrong, false, nil
	}
	if schema.Enough(held) != purser.Allowed {
		return purser.HeldTooFew, false, nil // proves nothing and disproves nothing
	}
	return purser.Allowed, t.caller != 0 && (t.caller == now || t.caller == last), nil
}

// opened returns the values to compare with: the candidate's by the attempt's
// receipt, or nobody's for the same work.
func (g *Gate) opened(receipt ledger.Receipt, t *trial, real bool) (purser.Values, error) {
	var values purser.Values
	var err error
	if real {
		values, err = g.c.Keys.Open(receipt, t.record)
	} else {
		compared := g.c.Records.Schema().Compared(kinds(t.ask.Items))
		if t.phone.why == purser.Allowed {
			compared |= purser.Mask(t.phone.bit)
		}
		values, err = g.nobody.Open(compared)
	}
	if err != nil {
		return nil, fmt.Errorf("open compared fields: %w", err)
	}
	return values, nil
}

// result decides what the compare was worth. Everything the attempt stood on
// is looked at again: a lock may have come between the two.
func (g *Gate) result(v view, t *trial, attempt purser.Pos, found purser.Reason, number bool) *purser.AttemptResult {
	e := &purser.AttemptResult{
		Contact: t.ask.Contact, Attempt: attempt, Way: purser.WayMatch,
		Tag: t.now, Last: t.last, Customer: t.ordinal, Linked: t.ask.Linked, Present: t.present,
	}
	if v.gone(t.ordinal) {
		e.Customer, e.Present, found = 0, 0, max(found, purser.Unknown)
	}
	hold, why := g.trying(v, t.ask, &e.Who)
	if why == purser.Allowed {
		why = found // after the rest, so that a lock between reads the same for a match and a miss
	}
	if why == purser.Allowed && t.ask.Linked && !slices.Contains(t.linked, hold.Customer) {
		why = purser.OtherCustomer
	}
	if why == purser.Allowed {
		e.Assurance, why = v.Contacts().Bind(contact.Binding{
			Contact: e.Contact, Session: t.ask.Session, Attempt: attempt,
			Way: purser.WayMatch, Customer: t.ordinal, Linked: t.ask.Linked,
		}, v.at)
	}
	if e.Reason = why; why != purser.Allowed {
		e.Assurance = purser.A0
	} else if _, young := t.phone.at(v); number && young == purser.Allowed && hold.Attested && !hold.Outbound {
		e.Way, e.Assurance = purser.WayNumber, max(e.Assurance, purser.A2)
	}
	return e
}

// newNobody makes the record that is compared where there is no candidate.
func newNobody(k *seal.Keys, s *record.Schema) (*seal.Dummy, error) {
	fields := make(map[purser.Field]string)
	for _, f := range s.Fields() {
		fields[f.Bit] = "nobody at all"
	}
	return k.Dummy(fields, s.Masks())
}
