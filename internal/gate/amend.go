package gate

import (
	"context"
	"fmt"

	"purser"
	"purser/internal/fold"
	"purser/internal/ledger"
	"purser/internal/record"
	"purser/internal/rule/policy"
)

// AmendAsk is a wish to write fields of the customer whom a contact binds.
type AmendAsk struct {
	Asker
	Contact purser.ContactID
	Values  []record.Value // each field once
}

// amendment is one wish on its way: what of it follows from the wish alone.
type amendment struct {
	ask    *AmendAsk
	fields purser.FieldMask
	values map[purser.Field]string
	until  map[purser.Field]purser.Stamp
	needs  purser.Assurance
	flaw   purser.Reason // of the values by themselves
	salt   []byte

	// As the decision found it that stands; read by the rows of the entry.
	at   purser.Stamp
	held bool
}

// Amend writes fields without showing, comparing or telling anybody what they
// held: whatever that was, the answer, the entry and what follows of it are the
// same (L5). A refusal comes back only for what the asker may know of himself,
// his contact and what he wrote. Of the customer bound alone, never of a linked
// one, and never under break-glass. The record is written in the transaction of
// the entry.
func (g *Gate) Amend(ctx context.Context, ask AmendAsk) (purser.Pos, error) {
	w, err := g.amendment(&ask)
	if err != nil {
		return 0, err
	}
	receipt, err := g.c.Log.ProposeRows(ctx, ask.Lane, func(s *fold.State, at purser.Stamp) purser.Entry {
		e := &purser.Amend{Contact: ask.Contact}
		e.Reason = g.mayAmend(view{s, at}, w, e)
		w.at, w.held = at, s.Keeping().Held(e.Customer)
		return e
	}, func(tx ledger.Tx, pos purser.Pos, entry purser.Entry) error {
		e, ok := entry.(*purser.Amend)
		if !ok || e.Reason != purser.Allowed {
			return nil
		}
		_, err := g.c.Records.Write(tx, pos, record.Writing{
			Customer: e.Customer, At: w.at, Set: w.values, Until: w.until, Held: w.held, Salt: w.salt,
		})
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("record amendment of %v: %w", ask.Contact, err)
	}
	return receipt.Pos(), Visible(receipt.Refusal())
}

// amendment reads a wish by the laws of the schema.
func (g *Gate) amendment(ask *AmendAsk) (*amendment, error) {
	w := &amendment{ask: ask, values: make(map[purser.Field]string), until: make(map[purser.Field]purser.Stamp), needs: purser.A2}
	for _, v := range ask.Values {
		bit, known := g.c.Records.Schema().Bit(v.Field)
		if w.fields.Has(v.Field) || !known || bit.Masked || bit.Field.Amend < purser.A2 ||
			v.Until != 0 && bit.Field.Channel { // it would end what codes and notices go to
			w.flaw = purser.NotAmendable
		} else if v.Found != nil && w.flaw == purser.Allowed {
			w.flaw = purser.Forbidden
		}
		w.fields |= purser.Mask(v.Field)
		w.values[v.Field] = v.Text
		if v.Until != 0 {
			w.until[v.Field] = v.Until
		}
		w.needs = max(w.needs, bit.Field.Amend)
	}
	if w.fields == 0 {
		w.flaw = purser.NotAmendable
	}
	var err error
	if w.salt, err = record.Salt(); err != nil {
		return nil, fmt.Errorf("draw salt: %w", err)
	}
	return w, nil
}

// mayAmend is the order of one amendment. What the asker may know of himself,
// his contact and his values comes before what he may not know of the customer.
func (g *Gate) mayAmend(v view, w *amendment, e *purser.Amend) purser.Reason {
	session, hold, why := v.desk(w.ask.Asker, w.ask.Contact, &e.Who)
	if why != purser.Allowed {
		return why
	}
	e.Customer, e.Assurance = hold.Customer, hold.Assurance
	switch {
	case hold.Outbound:
		return purser.Outbound
	case hold.Customer == 0:
		return purser.NotBound
	case g.may(v, &session, policy.Amend) != purser.Allowed:
		return purser.Policy
	case hold.Emergency, hold.Assurance < w.needs:
		return purser.NotEnoughYet
	}
	if why := v.stopped(&session, &hold, purser.PathDesk); why != purser.Allowed {
		return why
	}
	if w.flaw != purser.Allowed {
		return w.flaw
	}
	e.Fields, e.Channels = w.fields, w.fields&g.c.Records.Schema().Channels()
	e.Values = g.c.Records.CommitTo(w.salt, w.values)
	if why := v.Budgets().Amend(e.Who, w.fields.Len(), v.at); why != purser.Allowed {
		return why
	}
	if v.gone(e.Customer) {
		return purser.CustomerErased
	}
	return purser.Allowed
}
