package gate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"purser"
	"purser/internal/fold"
	"purser/internal/record"
	"purser/internal/rule/policy"
	"purser/internal/seal"
)

// ReleaseAsk is a wish to open the same fields of some customers under a
// mandate, to a delivery.
type ReleaseAsk struct {
	Mandate purser.MandateID
	// By is the session of whoever has a customer called back; zero is work
	// that the system does under the mandate.
	By        Asker
	To        purser.Delivery
	Customers []purser.Ordinal // ascending, at most purser.MaxOrdinals
	Fields    purser.FieldMask
}

// Opened is one customer's fields on their way out.
type Opened struct {
	Customer purser.CustomerID
	Values   purser.Values
	Texts    []OpenedText // of his cases and notes, where their fields are released
	Pos      purser.Pos   // of the entry that released them
}

// OpenedText is one text of a case or a note.
type OpenedText struct {
	Field   purser.Field
	Written purser.Stamp
	Text    purser.Plain
}

// Delivered is what became of a release.
type Delivered struct {
	Pos    purser.Pos
	Opened int
	// Again are customers whose record was written since the entry: to be
	// released once more, as they are now.
	Again []purser.Ordinal
}

// ReleaseTo decides about one batch, records the decision, opens the customers
// one by one in the order of their numbers, and hands each to deliver, which
// keeps no values. Nothing comes back to whoever asked. Customers who are
// erased, or not there any more, are left out. Every batch is decided anew: a
// lock on anybody who asked for, approved or holds the mandate stops the next
// (L3).
//
// An error of deliver ends it: what was opened until then has left, and stands
// in the entry.
func (g *Gate) ReleaseTo(ctx context.Context, ask ReleaseAsk, deliver func(Opened) error) (Delivered, error) {
	receipt, err := g.propose(ctx, ask.By, "release", func(s *fold.State, at purser.Stamp) purser.Entry {
		e := &purser.Released{Mandate: ask.Mandate, To: ask.To, Customers: ask.Customers, Fields: ask.Fields}
		e.Reason = g.releases(view{s, at}, &ask, e)
		return e
	})
	if err != nil {
		return Delivered{Pos: receipt.Pos()}, err
	}
	out := Delivered{Pos: receipt.Pos()}
	opener, err := g.c.Keys.OpenAll(receipt)
	if err != nil {
		return out, fmt.Errorf("open a release: %w", err)
	}
	for _, o := range receipt.Entry().(*purser.Released).Customers {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		if err := g.hand(ctx, opener, o, &out, deliver); err != nil {
			return out, err
		}
	}
	return out, nil
}

// releases is the order of one batch.
func (g *Gate) releases(v view, ask *ReleaseAsk, e *purser.Released) purser.Reason {
	if !ask.By.Session.Zero() {
		session, why := v.seated(ask.By, &e.Who)
		why = cmp.Or(why, g.may(v, &session, policy.CallBack), v.locked(&session, purser.PathDesk))
		if why != purser.Allowed {
			return why
		}
	}
	e.Customers = slices.DeleteFunc(slices.Clone(ask.Customers), func(o purser.Ordinal) bool {
		gone := v.gone(o)
		return gone
	})
	if len(e.Customers) == 0 && len(ask.Customers) > 0 {
		return purser.CustomerErased
	}
	m, why := v.Mandates().Release(e, v.at)
	if why != purser.Allowed {
		return why
	}
	path := pathOf(e.To)
	if m.To.Person.Zero() {
		return cmp.Or(v.stands(m.By, m.As, path), v.stands(m.Approver, m.ApprovedAs, path))
	}
	if e.Who.Person != m.To.Person {
		return purser.MandateUnknown // the holder's alone
	}
	return cmp.Or(v.stands(m.To, 0, path), v.Worked(m.Case, v.at))
}

// pathOf is the way by which a delivery leaves, for locks.
func pathOf(to purser.Delivery) purser.Path {
	switch to {
	case purser.DeliverNotice:
		return purser.PathNotices
	case purser.DeliverDial:
		return purser.PathDesk
	case purser.DeliverFile, purser.DeliverReport, purser.DeliverMatch:
	}
	return purser.PathExport
}

// hand opens one customer and hands him over.
func (g *Gate) hand(
	ctx context.Context, opener *seal.Release, o purser.Ordinal, out *Delivered, deliver func(Opened) error,
) error {
	sealed, err := g.c.Records.Sealed(ctx, o)
	if errors.Is(err, record.ErrNoCustomer) {
		return nil
	}
	if err != nil {
		return err
	}
	values, err := opener.Open(sealed)
	if errors.Is(err, seal.ErrOlderReceipt) {
		out.Again = append(out.Again, o)
		return nil
	}
	if err != nil {
		return err
	}
	texts, err := g.texts(ctx, opener, sealed, out.Pos)
	if err != nil {
		return err
	}
	out.Opened++
	return deliver(Opened{Customer: sealed.Customer, Values: values, Texts: texts, Pos: out.Pos})
}

// mostTexts of one kind leave in one release; nobody has as many.
const mostTexts = 1 << 16

// texts opens the cases and notes of the customer who was opened last, as far
// as their fields are released, the newest first.
func (g *Gate) texts(ctx context.Context, opener *seal.Release, sealed seal.Record, pos purser.Pos) ([]OpenedText, error) {
	bits := g.c.Records.Schema().Texts()
	if opener.Fields()&(bits.Case|bits.Note) == 0 {
		return nil, nil
	}
	rows, err := g.c.Records.TextsOf(ctx, sealed.Ordinal, pos, mostTexts)
	if err != nil {
		return nil, err
	}
	var texts []seal.Text
	var out []OpenedText
	for _, row := range rows {
		if bit := bits.Of(row.Kind); opener.Fields()&bit != 0 {
			texts = append(texts, row.Text)
			out = append(out, OpenedText{Field: bit.Fields()[0], Written: row.Written})
		}
	}
	opened, err := opener.Texts(sealed, bits, texts)
	for i := range opened {
		out[i].Text = opened[i]
	}
	return out, err
}

// Dial has the customer of a call-back called, whose number the asker never
// sees: dial gets it, and connects the two. Its error is the asker's.
func (g *Gate) Dial(ctx context.Context, a Asker, id purser.MandateID, dial func(context.Context, purser.Plain) error) error {
	bit, ok := g.c.Records.Schema().Dialled()
	if !ok {
		return &purser.Refusal{Reason: purser.NoChannel}
	}
	var customers []purser.Ordinal
	err := g.c.Log.Look(ctx, func(s *fold.State, _ purser.Stamp) error {
		if m, ok := s.Mandates().Mandate(id); ok {
			customers = slices.Clone(m.Customers[:min(len(m.Customers), 1)])
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("look for the call-back: %w", err)
	}
	ask := ReleaseAsk{Mandate: id, By: a, To: purser.DeliverDial, Customers: customers, Fields: purser.Mask(bit)}
	called := false
	_, err = g.ReleaseTo(ctx, ask, func(o Opened) error {
		number, held := o.Values[bit]
		if !held {
			return nil
		}
		called = true
		return dial(ctx, number)
	})
	if err == nil && !called {
		return &purser.Refusal{Reason: purser.NoChannel}
	}
	return err
}
