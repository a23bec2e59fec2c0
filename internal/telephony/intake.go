package telephony

import (
	"context"
	"crypto/hmac"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"purser"
	"purser/internal/fold"
	"purser/internal/ledger"
	"purser/internal/rule/canon"
)

// Log is the ledger over the fold.
type Log = ledger.Log[*fold.State]

// Config is what an intake works with. Everything but Region and Keyed is
// needed.
type Config struct {
	Log     *Log
	Sources Sources
	Vault   Vault
	Tagger  Tagger
	// Now is the clock for signatures, tags and limits; it decides nothing.
	Now func() purser.Stamp
	// Region is the country in which numbers without a country code are, as
	// ISO 3166 has it; empty: such numbers count as withheld.
	Region string
	// Keyed is told after an event with keyed digits was recorded, to try
	// them. It returns soon.
	Keyed func(ctx context.Context, c purser.ContactID)
}

// Intake receives events. It may be used by any number of goroutines.
type Intake struct {
	c      Config
	mu     sync.Mutex
	forged failures // guarded by mu
}

// NewIntake checks the configuration.
func NewIntake(c Config) (*Intake, error) {
	if c.Log == nil || c.Sources == nil || c.Vault == nil || c.Tagger == nil || c.Now == nil {
		return nil, errors.New("telephony: part of the configuration is missing")
	}
	return &Intake{c: c}, nil
}

// Receive authenticates one event and records it. It returns the contact that
// the event is about, zero for one about none, and no error for an event that
// was recorded now or before. Errors: ErrTooMany, ErrUnauthentic,
// ErrMalformed, a *purser.Refusal (NoStanding, Locked, SourceStale for a number
// that was passed over, EventMismatch), or a fault of the store or the ledger.
//
// A request that is not authentic changes nothing: it is counted, and once a
// minute and source a finding says how many there were.
func (i *Intake) Receive(ctx context.Context, r Request) (purser.ContactID, error) {
	now := i.c.Now()
	row, salt, err := i.authenticate(ctx, r, now)
	if errors.Is(err, ErrUnauthentic) {
		return purser.ContactID{}, i.forgery(ctx, r, row, now)
	}
	if err != nil {
		return purser.ContactID{}, fmt.Errorf("authenticate event of %v: %w", r.Source, err)
	}
	event, err := i.read(r, salt, now)
	if err != nil {
		return purser.ContactID{}, err
	}
	err = i.record(ctx, event, row)
	if errors.Is(err, ErrUnauthentic) { // by a secret that does not count, or no more
		return purser.ContactID{}, i.forgery(ctx, r, row, now)
	}
	if err != nil || event.Event == purser.EventSnapshot {
		return purser.ContactID{}, err // a snapshot's contact marks a further part
	}
	return event.Contact, nil
}

// forgery counts a request that is not authentic, and says so. The limit comes
// only here: behind a proxy a forger and the source have one address, and what
// is authentic always passes.
func (i *Intake) forgery(ctx context.Context, r Request, row SourceRow, now purser.Stamp) error {
	err := ErrUnauthentic
	if !i.mayTry(r, now) {
		err = ErrTooMany
	}
	return errors.Join(err, i.failed(ctx, r, row, now))
}

// authenticate returns the row of the secret that signed the request, and the
// source's salt. The row is the newest of the source if none did, and zero if
// there is no source.
func (i *Intake) authenticate(ctx context.Context, r Request, now purser.Stamp) (SourceRow, Salt, error) {
	if r.Source.Zero() {
		return SourceRow{}, Salt{}, ErrUnauthentic
	}
	rows, err := i.c.Sources.SecretsOf(ctx, r.Source)
	if err != nil {
		return SourceRow{}, Salt{}, err
	}
	var newest SourceRow
	if len(rows) > 0 {
		newest = rows[0]
	}
	got, ok := strings.CutPrefix(r.Signature, signaturePrefix)
	mac, hexErr := hex.DecodeString(got)
	if !ok || hexErr != nil || len(r.Body) > MaxBody || !plainText(r.ID) || !timely(r.Timestamp, now) {
		return newest, Salt{}, ErrUnauthentic
	}
	for _, row := range rows {
		opened, err := openRow(i.c.Vault, row)
		if err != nil {
			return newest, Salt{}, err
		}
		signed := hmac.Equal(mac, sign(opened.secret, r.ID, r.Timestamp, r.Body))
		clear(opened.secret)
		if signed {
			return row, opened.salt, nil
		}
	}
	return newest, Salt{}, ErrUnauthentic
}

// timely reports whether a timestamp is one, in its only spelling, and near
// the clock.
func timely(text string, now purser.Stamp) bool {
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || strconv.FormatInt(seconds, 10) != text || seconds < 0 || seconds > 1<<40 {
		return false
	}
	off := purser.Stamp(seconds)*purser.Second - now
	return -Window <= off && off <= Window
}

// read turns an authentic request into an entry, and leaves behind what the
// ledger must not hold.
func (i *Intake) read(r Request, salt Salt, now purser.Stamp) (purser.ContactEvent, error) {
	m, k, err := parse(r.Body, r.ID, r.Source)
	if err != nil {
		return purser.ContactEvent{}, err
	}
	d := &m.Data
	e := purser.ContactEvent{
		Source: r.Source, Seq: *d.Sequence, Body: i.c.Tagger.Commit(classBody, salt.key[:], r.Body), Event: k.event,
		Agent: AgentKey(salt, d.Agent), To: AgentKey(salt, d.To), Outbound: d.Outbound, More: d.More,
	}
	switch {
	case d.Call != "":
		e.Contact = ContactID(salt, d.Call)
	case d.Continues:
		e.Contact = ContactID(salt, "") // marks a further part; no call has the empty id
	}
	if d.Digits != "" {
		e.Keyed = i.c.Tagger.Commit(classCode, e.Contact[:], []byte(d.Digits))
	}
	for _, l := range d.Live {
		e.Live = append(e.Live, purser.LiveContact{
			Contact: ContactID(salt, l.Call), Agent: AgentKey(salt, l.Agent), Held: l.Held,
		})
	}
	return e, i.caller(&e, d, now)
}

// caller tags the caller's number. One that has no normal form, as that of an
// inner line, counts as withheld.
func (i *Intake) caller(e *purser.ContactEvent, d *Data, now purser.Stamp) error {
	if d.Caller == "" {
		return nil
	}
	normal, err := canon.Phone(d.Caller, i.c.Region)
	if err != nil {
		return nil
	}
	e.Caller, _, err = i.c.Tagger.Tag(classPhone, normal, now)
	if err != nil {
		return fmt.Errorf("tag caller: %w", err)
	}
	switch d.Attestation {
	case "carrier":
		e.Attested = purser.AttestCarrier
	case "trunk":
		e.Attested = purser.AttestTrunk
	}
	return nil
}

// record proposes the event. The standing decides whether the secret that
// signed it is the source's own now.
func (i *Intake) record(ctx context.Context, event purser.ContactEvent, row SourceRow) error {
	var why purser.Reason
	counts := true
	receipt, err := i.c.Log.Propose(ctx, row.Vendor, func(s *fold.State, at purser.Stamp) purser.Entry {
		e := event // decided anew when a batch is
		var repeat bool
		src, ok := s.Contacts().Source(e.Source)
		if counts = ok && src.Secret == row.Secret; !counts {
			return nil
		}
		repeat, why = s.Contacts().Event(&e, at)
		if repeat || why != purser.Allowed && why != purser.EventMismatch {
			return nil
		}
		e.Reason = why
		return &e
	})
	if err != nil {
		return fmt.Errorf("record event of %v: %w", event.Source, err)
	}
	if !counts {
		return ErrUnauthentic
	}
	if why == purser.EventMismatch {
		if err := i.find(ctx, purser.FindingEventMismatch, row, 1); err != nil {
			return err
		}
	}
	if why != purser.Allowed {
		return &purser.Refusal{Reason: why, At: receipt.Pos()}
	}
	if event.Event == purser.EventKeypad && receipt.Recorded() && i.c.Keyed != nil {
		i.c.Keyed(ctx, event.Contact)
	}
	return nil
}

// find records a finding about a source.
func (i *Intake) find(ctx context.Context, what purser.FindingKind, row SourceRow, count uint32) error {
	_, err := i.c.Log.Propose(ctx, row.Vendor, func(*fold.State, purser.Stamp) purser.Entry {
		return &purser.Finding{What: what, Source: row.Source, Count: count}
	})
	if err != nil {
		return fmt.Errorf("record finding about %v: %w", row.Source, err)
	}
	return nil
}
