package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"filippo.io/age"

	"purser"
	"purser/internal/edge/httpapi"
	"purser/internal/fold"
	"purser/internal/gate"
	"purser/internal/ledger"
	"purser/internal/rule/mandate"
	"purser/internal/seal"
)

// What is sealed and committed to beside a mandate.
const (
	mandateNote      seal.NoteKind = "mandate"
	commitRecipient                = "mandate recipient"
	commitAuthority                = "mandate authority"
	mandateOverseers               = purser.RolePrivacy | purser.RoleSecurity | purser.RoleAdmin | purser.RoleInvestigator
)

// errWords says that the stored words of a mandate are not those that the
// ledger commits to.
var errWords = errors.New("the stored words of the mandate are not those of its entry: somebody changed the database; restore it from a backup")

// mandates keeps the words of mandates for the doors.
type mandates struct{ d *Deployment }

// Ask draws an identifier, seals the words, and asks the gate.
func (m mandates) Ask(ctx context.Context, ask gate.MandateAsk, w httpapi.MandateWords) (purser.MandateID, error) {
	if w.Recipient != "" {
		if _, err := age.ParseX25519Recipient(w.Recipient); err != nil {
			return purser.MandateID{}, httpapi.ErrRecipient // what was sent is not repeated
		}
	}
	var err error
	if ask.Mandate, err = newID[purser.MandateID](m.d); err != nil {
		return ask.Mandate, err
	}
	ask.Recipient, ask.Authority = m.d.commits(w)
	text, err := json.Marshal(w)
	if err != nil {
		return ask.Mandate, fmt.Errorf("write the words of a mandate: %w", err)
	}
	sealed, err := m.d.Keys.SealNote(mandateNote, ask.Mandate[:], text)
	if err != nil {
		return ask.Mandate, err
	}
	_, err = m.d.Gate.AskMandate(ctx, ask, func(tx ledger.Tx, _ purser.Pos) error {
		return m.d.db.PutMandateWords(tx, ask.Mandate, sealed)
	})
	return ask.Mandate, err
}

func newID[T ~[16]byte](d *Deployment) (id T, err error) {
	var b [16]byte
	if _, err := io.ReadFull(d.cfg.Random, b[:]); err != nil {
		return id, fmt.Errorf("draw an identifier: %w", err)
	}
	return T(b), nil
}

// commits returns what the ledger holds of a mandate's words; zero for none.
func (d *Deployment) commits(w httpapi.MandateWords) (recipient, authority purser.Commitment) {
	if w.Recipient != "" {
		recipient = d.Keys.Commit(commitRecipient, []byte(w.Recipient))
	}
	if w.Authority != "" && w.Reference != "" && w.Order != "" {
		authority = d.Keys.Commit(commitAuthority, []byte(w.Authority), []byte(w.Reference), []byte(w.Order))
	}
	return recipient, authority
}

// words opens the words of a mandate and holds them against the ledger.
func (d *Deployment) mandateWords(ctx context.Context, id purser.MandateID, m mandate.Mandate) (w httpapi.MandateWords, err error) {
	if mandate.Assigned(m.For) {
		return w, nil
	}
	sealed, err := d.db.MandateWords(ctx, id)
	if err != nil {
		return w, err
	}
	text, err := d.Keys.OpenNote(mandateNote, id[:], sealed)
	if err != nil {
		return w, errWords
	}
	defer clear(text)
	if err := json.Unmarshal(text, &w); err != nil {
		return w, errWords
	}
	if recipient, authority := d.commits(w); recipient != m.Recipient || authority != m.Authority {
		return w, errWords
	}
	return w, nil
}

// Mandates lists what is not over: everything for those who ask for and approve
// mandates, after a step-up, and what he was given for anybody else.
func (m mandates) Mandates(ctx context.Context, a gate.Asker) ([]httpapi.MandateBody, error) {
	var list []httpapi.MandateBody
	err := m.d.log.Look(ctx, func(s *fold.State, at purser.Stamp) error {
		may, err := reader(s, a, at)
		if err != nil {
			return err
		}
		for _, id := range s.Mandates().Mandates(at) {
			if one, _ := s.Mandates().Mandate(id); may(one) {
				list = append(list, m.body(id, one, at))
			}
		}
		return nil
	})
	return list, settled("list mandates", err)
}

// Mandate returns one with its words and customers.
func (m mandates) Mandate(ctx context.Context, a gate.Asker, id purser.MandateID) (body httpapi.MandateBody, err error) {
	var one mandate.Mandate
	err = m.d.log.Look(ctx, func(s *fold.State, at purser.Stamp) error {
		may, err := reader(s, a, at)
		if err != nil {
			return err
		}
		found, ok := s.Mandates().Mandate(id)
		if !ok || !may(found) {
			return &purser.Refusal{Reason: purser.MandateUnknown}
		}
		one, body = found, m.body(id, found, at)
		return nil
	})
	if err != nil {
		return body, settled("look up a mandate", err)
	}
	if body.MandateWords, err = m.d.mandateWords(ctx, id, one); err != nil {
		return body, err
	}
	for _, o := range one.Customers {
		if customer, err := m.d.Records.CustomerID(ctx, o); err == nil { // one may be erased by now
			body.Customers = append(body.Customers, customer)
		}
	}
	return body, nil
}

// settled wraps what is no refusal.
func settled(doing string, err error) error {
	if _, refused := errors.AsType[*purser.Refusal](err); refused || err == nil {
		return err
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// reader says which mandates a session may read: it is refused where it is
// locked, and reads no more than its own where its roles give it nothing.
func reader(s *fold.State, a gate.Asker, at purser.Stamp) (func(mandate.Mandate) bool, error) {
	live, why := s.Standing().Live(a.Session, at)
	if why != purser.Allowed {
		return nil, &purser.Refusal{Reason: why}
	}
	if _, _, covered := s.Locks().Covers(live.Who, purser.PathAll, live.SteppedUp, at); covered {
		return nil, &purser.Refusal{Reason: purser.Locked}
	}
	if live.Roles&mandateOverseers == 0 {
		return func(m mandate.Mandate) bool { return m.To.Person == live.Who.Person }, nil
	}
	if _, why := s.Standing().Fresh(a.Session, at); why != purser.Allowed {
		return nil, &purser.Refusal{Reason: why}
	}
	return func(mandate.Mandate) bool { return true }, nil
}

func (m mandates) body(id purser.MandateID, one mandate.Mandate, at purser.Stamp) httpapi.MandateBody {
	b := httpapi.MandateBody{
		Mandate: id, Kind: httpapi.MandateName(one.For), State: stateOf(one, at), Everybody: one.UpTo != 0,
		Count: len(one.Customers), Opens: m.d.fieldNames(one.Fields), Asked: one.Asked.Time(), Expires: one.Expires.Time(),
		Released: one.Released,
	}
	if !one.By.Person.Zero() {
		b.By, b.As = &one.By.Person, one.As.Names()[0]
	}
	if one.Approved != 0 {
		b.Approver, b.Approved = &one.Approver.Person, when(one.Approved)
	}
	if !one.To.Person.Zero() {
		b.To, b.Case = &one.To.Person, &one.Case
	}
	if one.Gag != 0 {
		b.Gag = when(one.Gag)
	}
	return b
}

func when(at purser.Stamp) *time.Time {
	t := at.Time()
	return &t
}

func stateOf(m mandate.Mandate, at purser.Stamp) string {
	switch {
	case m.Ended != 0:
		return "ended"
	case m.Over(at):
		return "expired"
	case m.InForce(at):
		return "in_force"
	}
	return "asked"
}

// fieldNames spells the bits of a mask, masked forms as NAME:masked.
func (d *Deployment) fieldNames(fields purser.FieldMask) []string {
	names := make([]string, 0, fields.Len())
	for _, f := range fields.Fields() {
		bit, ok := d.Records.Schema().Bit(f)
		if !ok {
			continue
		}
		if name := bit.Field.Name; bit.Masked {
			names = append(names, name+maskedSuffix)
		} else {
			names = append(names, name)
		}
	}
	return names
}
