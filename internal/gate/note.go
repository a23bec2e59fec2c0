package gate

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"purser"
	"purser/internal/fold"
	"purser/internal/ledger"
	"purser/internal/record"
	"purser/internal/rule/contact"
	"purser/internal/rule/policy"
	"purser/internal/seal"
)

// ForbiddenText is the refusal of a text that holds what must not be kept. It
// depends on the text alone, so whoever wrote it may be told what and where.
type ForbiddenText struct {
	*purser.Refusal
	Found []record.Finding
}

// Unwrap returns the refusal.
func (e *ForbiddenText) Unwrap() error { return e.Refusal }

// TextError says why a text cannot be kept, from the text alone.
type TextError = record.TextError

// NoteAsk is a wish to append a text in a contact, or to say what the contact
// came to.
type NoteAsk struct {
	Asker
	Contact purser.ContactID
	Case    purser.CaseID // zero: of none
	Topic   purser.Topic  // zero: none
	Text    string        // as it was typed; of a wrap-up it may be empty
}

// Note appends a text to the timeline of the contact's customer, to a case, or,
// while nobody is bound, to the contact, and returns its entry. It opens
// nothing, so it needs no assurance, and may come after hang-up while wrap-up
// lasts. A customer who is erased or held by now is answered like any other
// (L5); of one who is erased nothing is kept. Text that must not be kept is a
// *ForbiddenText, and text that nobody could read a *TextError.
func (g *Gate) Note(ctx context.Context, ask NoteAsk) (purser.Pos, error) {
	words, err := record.ReadWords(ask.Text)
	if err != nil {
		return 0, err
	}
	return g.note(ctx, ask, policy.Note, words)
}

// WrapUp says what the contact came to, with a note or without, under the rules
// of Note.
func (g *Gate) WrapUp(ctx context.Context, ask NoteAsk) (purser.Pos, error) {
	var words record.Words
	if ask.Text != "" {
		var err error
		if words, err = record.ReadWords(ask.Text); err != nil {
			return 0, err
		}
	}
	return g.note(ctx, ask, policy.WrapUp, words)
}

func (g *Gate) note(ctx context.Context, ask NoteAsk, action policy.Action, words record.Words) (purser.Pos, error) {
	text, salt, err := g.c.Records.Commit(words)
	if err != nil {
		return 0, err
	}
	var written purser.Stamp // where the rows are written, decide has just run
	receipt, err := g.c.Log.ProposeRows(ctx, ask.Lane, func(s *fold.State, at purser.Stamp) purser.Entry {
		written = at
		e := &purser.NoteAdded{Contact: ask.Contact, Case: ask.Case, Topic: ask.Topic}
		hold, why := g.writes(view{s, at}, ask.Asker, ask.Contact, action, writing{words, ask.Topic}, &e.Who)
		if why == purser.Allowed {
			of, refused := s.Cases().Note(e, hold.Customer, at)
			if why = refused; ask.Case.Zero() {
				of.Customer = hold.Customer
			}
			e.Customer, e.Text = of.Customer, text
		}
		if e.Reason = why; why != purser.Allowed {
			e.Customer, e.Text = 0, purser.Commitment{}
		}
		return e
	}, func(tx ledger.Tx, pos purser.Pos, e purser.Entry) error {
		n, ok := e.(*purser.NoteAdded)
		if !ok || n.Reason != purser.Allowed {
			return nil
		}
		return g.c.Records.Keep(tx, record.TextRow{
			Text: seal.Text{Kind: seal.NoteText, Pos: pos}, Customer: n.Customer, Contact: n.Contact, Case: n.Case,
			Topic: n.Topic, Written: written, Salt: salt,
		}, words)
	})
	return settled(receipt, err, "note", words)
}

// writing is what somebody wants written, apart from whose it is.
type writing struct {
	words record.Words
	topic purser.Topic
}

// writes is the steps of whoever writes in a contact: standing, contact (its
// wrap-up too), policy, locks, and the text itself. who is filled in as soon as
// it is known.
func (g *Gate) writes(
	v view, a Asker, c purser.ContactID, action policy.Action, w writing, who *purser.Actor,
) (contact.Hold, purser.Reason) {
	session, why := v.seated(a, who)
	if why != purser.Allowed {
		return contact.Hold{}, why
	}
	hold, why := v.Contacts().Notes(c, a.Session, v.at)
	if why == purser.NoContact && v.Contacts().Claimed(c, a.Session) {
		why = purser.TooLate
	}
	why = cmp.Or(why, g.may(v, &session, action), v.stopped(&session, &hold, purser.PathDesk))
	switch {
	case why != purser.Allowed:
	case int(w.topic) > len(g.c.Records.Schema().Topics()):
		why = purser.TargetUnknown
	case len(w.words.Forbidden()) > 0:
		why = purser.Forbidden
	}
	return hold, why
}

// settled is what an act that writes gives: its entry, or its refusal.
func settled(receipt ledger.Receipt, err error, what string, w record.Words) (purser.Pos, error) {
	if err != nil {
		return 0, fmt.Errorf("record %s: %w", what, err)
	}
	refusal := receipt.Refusal()
	if refusal == nil {
		return receipt.Pos(), nil
	}
	if refusal.Reason == purser.Forbidden {
		return refusal.At, &ForbiddenText{refusal, w.Forbidden()}
	}
	return refusal.At, refusal
}

// CaseAsk is a wish to open a case in a contact.
type CaseAsk struct {
	Asker
	Contact purser.ContactID
	Case    purser.CaseID // drawn by the asker's edge
	Topic   purser.Topic
	Text    string
}

// OpenCase opens a case about the contact's customer, with the assurance that
// the contact has, and returns its entry, whose reference is the case's number
// for the caller. Where nobody is bound the case is taken blind: nothing is
// opened, nobody is sent away, and whoever verifies the caller later gives it
// its customer ([Gate.BindCase]). It is ruled like Note.
func (g *Gate) OpenCase(ctx context.Context, ask CaseAsk) (purser.Pos, error) {
	words, err := record.ReadWords(ask.Text)
	if err != nil {
		return 0, err
	}
	text, salt, err := g.c.Records.Commit(words)
	if err != nil {
		return 0, err
	}
	var opened purser.Stamp
	receipt, err := g.c.Log.ProposeRows(ctx, ask.Lane, func(s *fold.State, at purser.Stamp) purser.Entry {
		opened = at
		e := &purser.CaseOpened{Contact: ask.Contact, Case: ask.Case, Topic: ask.Topic}
		hold, why := g.writes(view{s, at}, ask.Asker, ask.Contact, policy.Case, writing{words, ask.Topic}, &e.Who)
		if why == purser.Allowed {
			why = s.Cases().Open(e)
		}
		if e.Reason = why; why == purser.Allowed {
			e.Customer, e.Assurance, e.Text = hold.Customer, hold.Assurance, text
		}
		return e
	}, func(tx ledger.Tx, pos purser.Pos, e purser.Entry) error {
		o, ok := e.(*purser.CaseOpened)
		if !ok || o.Reason != purser.Allowed {
			return nil
		}
		return g.c.Records.OpenCase(tx, record.CaseRow{
			Case: o.Case, Pos: pos, Contact: o.Contact, Vendor: o.Who.Vendor, Customer: o.Customer,
			Topic: o.Topic, State: purser.CaseOpen, Opened: opened, Changed: opened,
		}, record.TextRow{
			Text: seal.Text{Kind: seal.CaseText, Pos: pos}, Customer: o.Customer, Contact: o.Contact, Case: o.Case,
			Topic: o.Topic, Written: opened, Salt: salt,
		}, words)
	})
	return settled(receipt, err, "case", words)
}

// MoveAsk is a wish to move a case on.
type MoveAsk struct {
	Asker
	Contact purser.ContactID
	Case    purser.CaseID
	State   purser.CaseState
	Topic   purser.Topic // zero: as it is
}

// MoveCase moves a case of the contact's customer on, or one that was taken
// blind in the same contact. Every other case is like none. It is ruled like
// Note.
func (g *Gate) MoveCase(ctx context.Context, ask MoveAsk) (purser.Pos, error) {
	return g.move(ctx, ask.Asker, func(v view, e *purser.CaseChanged) purser.Reason {
		e.Contact, e.Case, e.State = ask.Contact, ask.Case, ask.State
		hold, why := g.writes(v, ask.Asker, ask.Contact, policy.Case, writing{topic: ask.Topic}, &e.Who)
		if why != purser.Allowed {
			return why
		}
		was, why := v.Cases().Change(e, hold.Customer, v.at)
		e.Customer, e.Assurance, e.Topic = was.Customer, was.Assurance, cmp.Or(ask.Topic, was.Topic)
		return why
	})
}

// BindCase gives a case that was taken blind the customer of a contact in which
// he was verified. Reference is the case's number. A number of another vendor's
// case, of one that is somebody's, and of none are alike. It is ruled like Note.
func (g *Gate) BindCase(ctx context.Context, a Asker, c purser.ContactID, reference string) (purser.CaseID, error) {
	id, err := g.numbered(ctx, reference)
	if err != nil {
		return purser.CaseID{}, err
	}
	_, err = g.move(ctx, a, func(v view, e *purser.CaseChanged) purser.Reason {
		e.Contact, e.Case = c, id
		hold, why := g.writes(v, a, c, policy.Case, writing{}, &e.Who)
		switch {
		case why != purser.Allowed:
			return why
		case hold.Customer == 0:
			return purser.NotBound
		case hold.Assurance < purser.A1:
			return purser.NotEnoughYet
		}
		was, why := v.Cases().Bind(e, hold.Customer, v.at)
		e.Customer, e.Assurance, e.State, e.Topic = hold.Customer, hold.Assurance, was.State, was.Topic
		return why
	})
	if err != nil {
		return purser.CaseID{}, err
	}
	return id, nil
}

// numbered returns the case of a number; zero for a number of none.
func (g *Gate) numbered(ctx context.Context, reference string) (purser.CaseID, error) {
	pos, err := g.c.Keys.Position(reference)
	if err != nil {
		pos = 0 // no case was opened before everything
	}
	id, err := g.c.Records.CaseAt(ctx, pos)
	if errors.Is(err, record.ErrNoCase) {
		return purser.CaseID{}, nil
	}
	return id, err
}

// move records one move of a case, as decide fills it in.
func (g *Gate) move(ctx context.Context, a Asker, decide func(view, *purser.CaseChanged) purser.Reason) (purser.Pos, error) {
	var changed purser.Stamp
	receipt, err := g.c.Log.ProposeRows(ctx, a.Lane, func(s *fold.State, at purser.Stamp) purser.Entry {
		changed = at
		e := &purser.CaseChanged{Who: purser.Actor{Session: a.Session}}
		if e.Reason = decide(view{s, at}, e); e.Reason != purser.Allowed {
			e.Customer, e.Assurance = 0, 0
		}
		return e
	}, func(tx ledger.Tx, _ purser.Pos, e purser.Entry) error {
		m, ok := e.(*purser.CaseChanged)
		if !ok || m.Reason != purser.Allowed {
			return nil
		}
		return g.c.Records.MoveCase(tx, record.CaseRow{
			Case: m.Case, Customer: m.Customer, Topic: m.Topic, State: m.State, Changed: changed,
		})
	})
	return settled(receipt, err, "move of a case", record.Words{})
}
