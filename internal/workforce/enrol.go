package workforce

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"purser"
	"purser/internal/fold"
	"purser/internal/ledger"
)

// Ticket lets its bearer enrol one passkey for one person, once, within ten
// minutes, while the door is open. Only its hash is stored.
type Ticket [32]byte

// String returns the text form: unpadded base64url.
func (t Ticket) String() string { return Token(t).String() }

// MarshalText returns the text form.
func (t Ticket) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads the text form; any other spelling is [ErrNotProved].
func (t *Ticket) UnmarshalText(text []byte) error {
	if !decodeExact(t[:], string(text)) {
		return ErrNotProved
	}
	return nil
}

// Invite makes a ticket for a person. With the door shut it is refused,
// DoorShut; nothing of it is an entry, since a ticket alone changes nothing.
func (w *Workforce) Invite(ctx context.Context, person purser.PersonID) (Ticket, error) {
	why := purser.Allowed
	err := w.log.Look(ctx, func(s *fold.State, at purser.Stamp) error {
		if _, known := s.Standing().Person(person); !known {
			why = purser.TargetUnknown
		}
		if !doorOpen(s.Standing(), at) {
			why = purser.DoorShut
		}
		return nil
	})
	if err != nil {
		return Ticket{}, fmt.Errorf("invite %v: %w", person, err)
	}
	if why != purser.Allowed {
		return Ticket{}, &purser.Refusal{Reason: why}
	}
	var t Ticket
	if _, err := io.ReadFull(w.random, t[:]); err != nil {
		return Ticket{}, fmt.Errorf("draw ticket: %w", err)
	}
	now := w.now()
	row := TicketRow{Hash: sha256.Sum256(t[:]), Person: person, Expires: now.Add(ticketLife)}
	if err := w.store.PutTicket(ctx, row, now); err != nil {
		return Ticket{}, fmt.Errorf("keep ticket for %v: %w", person, err)
	}
	return t, nil
}

// BeginEnrol starts the creation of a passkey in the page with the given key.
// A ticket that is unknown, used or too old is [ErrNotProved].
func (w *Workforce) BeginEnrol(ctx context.Context, ticket Ticket, page PageKey) (Begun, error) {
	row, err := w.store.Ticket(ctx, sha256.Sum256(ticket[:]))
	if err != nil {
		return Begun{}, fmt.Errorf("look up ticket: %w", err)
	}
	if w.now() >= row.Expires {
		return Begun{}, ErrNotProved
	}
	keys, err := w.passkeys(ctx, row.Person)
	if err != nil {
		return Begun{}, err
	}
	if len(keys) >= MostAuthenticators {
		return Begun{}, ErrTooMany
	}
	c, nonce, err := w.begin(actEnrol, page)
	if err != nil {
		return Begun{}, err
	}
	c.person, c.ticket = row.Person, row.Hash
	options, _, err := w.creation(c, keys)
	if err != nil {
		return Begun{}, err
	}
	return w.begun(c, nonce, options)
}

// creation returns what the page is asked and what its response is checked
// against, of which nothing depends on the passkeys there are.
func (w *Workforce) creation(c *ceremony, there []webauthn.Credential) (*protocol.CredentialCreation, webauthn.SessionData, error) {
	options, data, err := w.auth.BeginRegistration(holder{person: c.person, keys: there},
		webauthn.WithExclusions(webauthn.Credentials(there).CredentialDescriptors()),
		func(o *protocol.PublicKeyCredentialCreationOptions) error {
			o.Challenge = c.challenge[:]
			return nil
		})
	if err != nil {
		return nil, webauthn.SessionData{}, fmt.Errorf("prepare passkey options: %w", err)
	}
	return options, *data, nil
}

// Enrolled is a passkey that was bound to a person.
type Enrolled struct {
	Authenticator purser.AuthenticatorID
	Person        purser.PersonID
	At            purser.Pos
}

// FinishEnrol binds the passkey that the page made. What counts is the door at
// the moment the entry lands: shut, and the refusal is DoorShut, whenever the
// ticket was made (L7). The ticket is used up either way, and with it every
// ceremony that was begun with it.
func (w *Workforce) FinishEnrol(ctx context.Context, id CeremonyID, response []byte) (Enrolled, error) {
	c, err := w.ceremonies.open(id, actEnrol, w.since())
	if err != nil {
		return Enrolled{}, err
	}
	credential, err := w.created(c, response)
	if err != nil {
		return Enrolled{}, err
	}
	row, err := w.authenticatorRow(c.person, credential)
	if err != nil {
		return Enrolled{}, err
	}
	entry := purser.AuthenticatorSet{
		Authenticator: row.Authenticator, Person: c.person,
		Credential: firstHalf(credential.ID), Status: purser.StatusActive,
	}
	receipt, err := w.log.ProposeRows(ctx, w.vendorOf(ctx, c.person),
		func(s *fold.State, at purser.Stamp) purser.Entry {
			e := entry
			e.Reason = enrolment(s.Standing(), &e, at)
			return &e
		},
		func(tx ledger.Tx, _ purser.Pos, e purser.Entry) error {
			if err := w.store.TakeTicket(tx, c.ticket); err != nil {
				return err
			}
			if e.(*purser.AuthenticatorSet).Reason != purser.Allowed {
				return nil
			}
			return w.store.PutAuthenticator(tx, row)
		})
	if err != nil {
		return Enrolled{}, fmt.Errorf("bind authenticator %v: %w", row.Authenticator, err)
	}
	if refusal := receipt.Refusal(); refusal != nil {
		return Enrolled{}, refusal
	}
	return Enrolled{Authenticator: row.Authenticator, Person: c.person, At: receipt.Pos()}, nil
}

// created checks the response of the page that made a passkey.
func (w *Workforce) created(c *ceremony, response []byte) (*webauthn.Credential, error) {
	parsed, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return nil, ErrNotProved
	}
	_, data, err := w.creation(c, nil)
	if err != nil {
		return nil, err
	}
	credential, err := w.auth.CreateCredential(holder{person: c.person}, data, parsed)
	if err != nil || len(credential.ID) < 16 || w.rp.DeviceBound && wanders(credential) {
		return nil, ErrNotProved
	}
	return credential, nil
}

// passkey is what is sealed of a credential: all that a login is checked
// against and that must not be exchanged.
type passkey struct {
	ID         []byte                            `json:"id"`
	PublicKey  []byte                            `json:"public_key"`
	Flags      byte                              `json:"flags"`
	Make       []byte                            `json:"make"` // the AAGUID; a claim, never attested
	Transports []protocol.AuthenticatorTransport `json:"transports,omitempty"`
}

func (w *Workforce) authenticatorRow(person purser.PersonID, c *webauthn.Credential) (AuthenticatorRow, error) {
	id, err := newID[purser.AuthenticatorID](w.random)
	if err != nil {
		return AuthenticatorRow{}, err
	}
	text, err := json.Marshal(passkey{
		ID: c.ID, PublicKey: c.PublicKey, Flags: c.Flags.MsgpByte(),
		Make: c.Authenticator.AAGUID, Transports: c.Transport,
	})
	if err != nil {
		return AuthenticatorRow{}, fmt.Errorf("encode authenticator: %w", err)
	}
	sealed, err := w.keys.SealNote(noteAuthenticator, authenticatorData(id, person), text)
	if err != nil {
		return AuthenticatorRow{}, err
	}
	return AuthenticatorRow{
		Authenticator: id, Person: person, Credential: sha256.Sum256(c.ID),
		SignCount: c.Authenticator.SignCount, Sealed: sealed,
	}, nil
}

// authenticatorData binds a sealed passkey to its row and its person.
func authenticatorData(id purser.AuthenticatorID, person purser.PersonID) []byte {
	return append(id[:], person[:]...)
}

// credentialOf opens a row into what the library checks against.
func (w *Workforce) credentialOf(r AuthenticatorRow) (webauthn.Credential, error) {
	text, err := w.keys.OpenNote(noteAuthenticator, authenticatorData(r.Authenticator, r.Person), r.Sealed)
	if err != nil {
		return webauthn.Credential{}, fmt.Errorf("authenticator %v: %w", r.Authenticator, err)
	}
	var p passkey
	if err := json.Unmarshal(text, &p); err != nil {
		return webauthn.Credential{}, fmt.Errorf("authenticator %v: %w", r.Authenticator, errSealedForm)
	}
	return webauthn.Credential{
		ID: p.ID, PublicKey: p.PublicKey, Transport: p.Transports,
		Flags:         webauthn.CredentialFlagsFromMsgpByte(p.Flags),
		Authenticator: webauthn.Authenticator{AAGUID: p.Make, SignCount: r.SignCount},
	}, nil
}

// errSealedForm says that a note opened and is not what this version writes.
var errSealedForm = errors.New("sealed form of another version")

// passkeys returns the credentials of a person that are stored.
func (w *Workforce) passkeys(ctx context.Context, person purser.PersonID) ([]webauthn.Credential, error) {
	rows, err := w.store.Authenticators(ctx, person)
	if err != nil {
		return nil, fmt.Errorf("authenticators of %v: %w", person, err)
	}
	keys := make([]webauthn.Credential, 0, len(rows))
	for _, r := range rows {
		key, err := w.credentialOf(r)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// wanders reports whether a passkey may be copied between devices, or names no
// make that would say that it may not.
func wanders(c *webauthn.Credential) bool {
	return c.Flags.BackupEligible || bytes.Equal(c.Authenticator.AAGUID, make([]byte, 16))
}

// newID draws an identifier.
func newID[I ~[16]byte](random io.Reader) (I, error) {
	var id I
	if _, err := io.ReadFull(random, id[:]); err != nil {
		return id, fmt.Errorf("draw identifier: %w", err)
	}
	return id, nil
}

// now is the clock as a stamp, for what is stored and not folded.
func (w *Workforce) now() purser.Stamp { return purser.StampOf(w.clock.Now()) }
