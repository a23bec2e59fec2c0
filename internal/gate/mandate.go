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
	"purser/internal/rule/budget"
	"purser/internal/rule/contact"
	"purser/internal/rule/policy"
)

// Rows writes what stands beside an allowed entry, in its transaction.
type Rows func(ledger.Tx, purser.Pos) error

// MandateAsk asks for a right to open fields without a contact.
type MandateAsk struct {
	Asker
	As        purser.Role
	Mandate   purser.MandateID // drawn by the asker's edge
	For       purser.MandateKind
	Customers []purser.CustomerID
	Everybody bool // whoever is a customer where the entry lands
	Fields    purser.FieldMask
	Purpose   purser.Purpose
	Authority purser.Commitment
	Recipient purser.Commitment
	Gag       purser.Stamp
	Expires   purser.Stamp
}

// AskMandate asks for a mandate in one role, with a step-up of the last five
// minutes. Nothing opens before another person has approved it. rows may be
// nil.
func (g *Gate) AskMandate(ctx context.Context, ask MandateAsk, rows Rows) (purser.Pos, error) {
	customers, err := g.nameds(ctx, &ask)
	if err != nil {
		return 0, err
	}
	receipt, err := g.c.Log.ProposeRows(ctx, ask.Lane, func(s *fold.State, at purser.Stamp) purser.Entry {
		e := &purser.MandateAsked{
			Mandate: ask.Mandate, For: ask.For, As: ask.As, Customers: customers, Fields: ask.Fields, Purpose: ask.Purpose,
			Authority: ask.Authority, Recipient: ask.Recipient, Gag: ask.Gag, Expires: ask.Expires,
		}
		if ask.Everybody {
			e.UpTo = s.Standing().Closed() // not of an import that has not ended
		}
		why := g.party(view{s, at}, ask.Asker, ask.As, policy.AskMandate, &e.By)
		e.Reason = cmp.Or(why, g.nameable(e, at), s.Mandates().Ask(e, g.c.Records.Schema().Disclosable(), at))
		return e
	}, func(tx ledger.Tx, pos purser.Pos, e purser.Entry) error {
		if asked, ok := e.(*purser.MandateAsked); !ok || asked.Reason != purser.Allowed || rows == nil {
			return nil
		}
		return rows(tx, pos)
	})
	if err != nil {
		return 0, fmt.Errorf("record mandate: %w", err)
	}
	if refusal := receipt.Refusal(); refusal != nil {
		return refusal.At, refusal
	}
	return receipt.Pos(), nil
}

// nameds looks up whom an ask names, for whoever may ask at all: anybody else is
// refused by the decision, and costs nothing before it.
func (g *Gate) nameds(ctx context.Context, ask *MandateAsk) ([]purser.Ordinal, error) {
	var why purser.Reason
	err := g.c.Log.Look(ctx, func(s *fold.State, at purser.Stamp) error {
		var who purser.Actor
		why = g.party(view{s, at}, ask.Asker, ask.As, policy.AskMandate, &who)
		return nil
	})
	if err != nil || why != purser.Allowed {
		return nil, err
	}
	return g.list(ctx, ask.Customers)
}

// list turns identifiers into ascending ordinals. One that names nobody stays
// in the list as a customer that nobody has, so that the entry says what was
// asked for; no more are looked up than a mandate may name.
func (g *Gate) list(ctx context.Context, ids []purser.CustomerID) ([]purser.Ordinal, error) {
	var list []purser.Ordinal
	for _, id := range ids[:min(len(ids), purser.MaxOrdinals)] {
		o, err := g.named(ctx, id)
		if err != nil {
			return nil, err
		}
		list = append(list, o)
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

// party is the steps of whoever asks for or approves a mandate: a fresh
// step-up, the role he acts in, the policies, and no lock on any path.
func (g *Gate) party(v view, a Asker, as purser.Role, action policy.Action, who *purser.Actor) purser.Reason {
	session, why := v.office(a, who)
	if why == purser.Allowed && (!as.One() || !session.Roles.Has(as)) {
		why = purser.NoRole
	}
	return cmp.Or(why, g.may(v, &session, action), v.locked(&session, purser.PathAll))
}

// nameable reports whether there is what a mandate names: fields, a purpose,
// customers.
func (g *Gate) nameable(e *purser.MandateAsked, at purser.Stamp) purser.Reason {
	for _, bit := range e.Fields.Fields() {
		if g.laws[bit].ask.Field == "" {
			return purser.OutsideMandate
		}
	}
	switch {
	case len(e.Customers) > 0 && e.Customers[len(e.Customers)-1] == unknown:
		return purser.TargetUnknown
	case int(e.Purpose) > len(g.c.Records.Schema().Purposes()), e.Gag != 0 && e.Gag <= at:
		return purser.OutsideMandate
	}
	return purser.Allowed
}

// ApproveMandate is the second person's yes, in another role and with a step-up
// of his own: the mandate is in force from the entry on.
func (g *Gate) ApproveMandate(ctx context.Context, a Asker, id purser.MandateID, as purser.Role) (purser.Pos, error) {
	receipt, err := g.propose(ctx, a, "approval of a mandate", func(s *fold.State, at purser.Stamp) purser.Entry {
		v := view{s, at}
		e := &purser.MandateApproved{Mandate: id, As: as}
		e.Reason = cmp.Or(g.party(v, a, as, policy.ApproveMandate, &e.By), s.Mandates().Approve(id, e.By, as, at))
		if m, ok := s.Mandates().Mandate(id); e.Reason == purser.Allowed && ok {
			e.Reason = v.stands(m.By, m.As, purser.PathAll)
		}
		return e
	})
	return receipt.Pos(), err
}

// EndMandate ends a mandate before its time. It tightens, so it takes one
// person, and no step-up.
func (g *Gate) EndMandate(ctx context.Context, a Asker, id purser.MandateID) error {
	_, err := g.propose(ctx, a, "end of a mandate", func(s *fold.State, at purser.Stamp) purser.Entry {
		e := &purser.MandateEnded{Mandate: id, By: purser.Actor{Session: a.Session}}
		session, why := s.Standing().Live(a.Session, at)
		if why == purser.Allowed {
			e.By = session.Who
			why = s.Mandates().End(id, session.Who, session.Roles, at)
		}
		e.Reason = why
		return e
	})
	return err
}

// stands reports whether a party to a mandate still has the role he acted in,
// and neither he nor the session he acted in is stopped on a path. He is not
// here to step up, so a step-up lock holds.
func (v view) stands(who purser.Actor, as purser.Role, p purser.Path) purser.Reason {
	if !v.Standing().Roles(who.Person).Has(as) {
		return purser.NoStanding
	}
	now := v.Standing().Actor(who.Person)
	now.Session = who.Session
	if _, _, covered := v.Locks().Covers(now, p, 0, v.at); covered {
		return purser.Locked
	}
	return purser.Allowed
}

// Assignment is the system giving somebody a case to work on, or its customer
// to call back.
type Assignment struct {
	Mandate purser.MandateID
	For     purser.MandateKind // case-work or call-back
	To      purser.PersonID
	Case    purser.CaseID
}

// Assign gives a case to a person: the fields that its assurance reaches, for
// fourteen days, while he has no other. Only the system calls it.
func (g *Gate) Assign(ctx context.Context, a Assignment) (purser.Pos, error) {
	receipt, err := g.propose(ctx, Asker{}, "assignment of a case", func(s *fold.State, at purser.Stamp) purser.Entry {
		return g.Assigns(s, at, a)
	})
	return receipt.Pos(), err
}

// Assigns is the decision of Assign, for whoever records it with something
// else. Customer and assurance are those of the case.
func (g *Gate) Assigns(s *fold.State, at purser.Stamp, a Assignment) *purser.MandateAssigned {
	c, known := s.Cases().Case(a.Case, at)
	e := &purser.MandateAssigned{
		Mandate: a.Mandate, For: a.For, To: s.Standing().Actor(a.To), Case: a.Case,
		Customer: c.Customer, Assurance: c.Assurance, Fields: g.reached(c.Assurance), Expires: s.Mandates().Until(at),
	}
	if bit, ok := g.c.Records.Schema().Dialled(); ok && a.For == purser.MandateCallBack {
		e.Fields |= purser.Mask(bit) // to be dialled: it is shown at its own assurance alone
	}
	roles := s.Standing().Roles(a.To)
	_, gone := s.Keeping().Erased(c.Customer)
	_, _, covered := s.Locks().Covers(e.To, purser.PathDesk, 0, at)
	switch {
	case !known || c.Customer == 0:
		e.Reason = purser.CaseUnknown
	case c.State == purser.CaseSolved:
		e.Reason = purser.CaseOver
	case e.To.Vendor != c.Vendor, roles&(purser.RoleAgent|purser.RoleLead) == 0:
		e.Reason = purser.NoRole
	case covered, s.Worked(a.Case, at) == purser.Locked:
		e.Reason = purser.Locked
	case gone:
		e.Reason = purser.CustomerErased
	default:
		e.Reason = s.Mandates().Assign(e, at)
	}
	return e
}

// reached are the bits that may be shown at an assurance.
func (g *Gate) reached(a purser.Assurance) purser.FieldMask {
	var m purser.FieldMask
	for bit := range purser.MaxField + 1 {
		if l := &g.laws[bit]; l.ask.Field != "" && l.permits(a, false, false) {
			m |= purser.Mask(bit)
		}
	}
	return m
}

// worked is the order of a disclosure under a mandate, in place of a contact:
// a desk session whose person the case was given to. present is what the
// customer's record holds.
func (g *Gate) worked(v view, ask *Ask, customer purser.Ordinal, present purser.FieldMask, e *purser.Disclosure) purser.Reason {
	session, why := v.seated(ask.Asker, &e.Who)
	m, held := v.Mandates().Held(ask.Mandate, e.Who.Person, v.at)
	if why := cmp.Or(why, held); why != purser.Allowed {
		return why
	}
	if !ask.Contact.Zero() || (customer != 0 && customer != m.Customer()) {
		e.Contact = purser.ContactID{}
		return purser.OutsideMandate
	}
	e.Customer, e.Assurance = m.Customer(), m.Assurance
	if !m.Shown {
		e.Flags |= firstAt(e.Assurance)
	}
	if why := cmp.Or(v.locked(&session, ask.Path), v.Worked(m.Case, v.at)); why != purser.Allowed {
		return why
	}
	hold := contact.Hold{Customer: e.Customer, Assurance: m.Assurance}
	allowed := g.allowed(v, &session, &hold, ask, false) & m.Fields
	if e.Shown = ask.there(allowed, present, e.Customer); e.Shown == 0 || v.gone(e.Customer) {
		return purser.FieldsNotAllowed
	}
	return v.Budgets().Disclose(budget.Draft{Who: e.Who, First: !m.Shown, Weak: e.Flags&purser.WeakDisclosure != 0}, v.at)
}

// presence returns what the record of a mandate's one customer holds. A
// mandate names its customer for good, so nothing of this is stale but what an
// amendment changes meanwhile, and that opens nothing more.
func (g *Gate) presence(ctx context.Context, id purser.MandateID) (purser.FieldMask, error) {
	var customer purser.Ordinal
	err := g.c.Log.Look(ctx, func(s *fold.State, _ purser.Stamp) error {
		if m, ok := s.Mandates().Mandate(id); ok {
			customer = m.Customer()
		}
		return nil
	})
	if err != nil || customer == 0 {
		return 0, err
	}
	sealed, err := g.c.Records.SealedAgain(ctx, customer)
	if errors.Is(err, record.ErrNoCustomer) {
		return 0, nil
	}
	return sealed.Holds(), err
}
