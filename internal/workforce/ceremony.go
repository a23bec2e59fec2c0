package workforce

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"purser"
)

// ceremonyID names an open ceremony towards the page that began it.
type ceremonyID [16]byte

// CeremonyID names a ceremony that was begun; it is used up by finishing.
type CeremonyID struct{ id ceremonyID }

// String returns the text form: unpadded base64url.
func (c CeremonyID) String() string { return base64.RawURLEncoding.EncodeToString(c.id[:]) }

// MarshalText returns the text form.
func (c CeremonyID) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads the text form; any other spelling is [ErrNotProved].
func (c *CeremonyID) UnmarshalText(text []byte) error {
	if !decodeExact(c.id[:], string(text)) {
		return ErrNotProved
	}
	return nil
}

// Nonce is what a page needs to see that a challenge was made for its key.
type Nonce [32]byte

// MarshalText returns unpadded base64url.
func (n Nonce) MarshalText() ([]byte, error) {
	return []byte(base64.RawURLEncoding.EncodeToString(n[:])), nil
}

// UnmarshalText reads unpadded base64url.
func (n *Nonce) UnmarshalText(text []byte) error {
	if !decodeExact(n[:], string(text)) {
		return ErrNotProved
	}
	return nil
}

// Begun is what the page is given to go on with.
type Begun struct {
	Ceremony CeremonyID      `json:"ceremony"`
	Nonce    Nonce           `json:"nonce"`   // the challenge is ChallengeOf(Nonce, page key)
	Options  json.RawMessage `json:"options"` // WebAuthn's, for create or get
}

// act is what a ceremony is for. A response to one is none to another.
type act uint8

const (
	actEnrol act = 1 + iota
	actLogin
	actStepUp
)

// ceremony is one that was begun in this process. A restart forgets it: the
// page begins again. It never changes.
type ceremony struct {
	act       act
	until     time.Time
	page      PageKey
	challenge [32]byte
	data      webauthn.SessionData

	person  purser.PersonID  // zero for a login that names nobody
	ticket  [32]byte         // hash; enrolment
	level   purser.Level     // login
	session purser.SessionID // step-up
}

// ceremonies are those that are open: at most [mostCeremonies], each for
// [ceremonyLife]. When it is full new ones wait; nobody's is thrown out for
// somebody else's.
type ceremonies struct {
	mu   sync.Mutex // guards open
	open map[ceremonyID]*ceremony
}

// add keeps c under a new id.
func (cs *ceremonies) add(random io.Reader, c *ceremony, now time.Time) (CeremonyID, error) {
	var id ceremonyID
	if _, err := io.ReadFull(random, id[:]); err != nil {
		return CeremonyID{}, fmt.Errorf("draw ceremony id: %w", err)
	}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if len(cs.open) >= mostCeremonies {
		cs.sweep(now)
	}
	if len(cs.open) >= mostCeremonies {
		return CeremonyID{}, ErrBusy
	}
	cs.open[id] = c
	return CeremonyID{id}, nil
}

func (cs *ceremonies) sweep(now time.Time) {
	for id, c := range cs.open {
		if !now.Before(c.until) {
			delete(cs.open, id)
		}
	}
}

// take removes and returns the ceremony, if it is open and for this act.
func (cs *ceremonies) take(id CeremonyID, want act, now time.Time) (*ceremony, error) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	c, ok := cs.open[id.id]
	if !ok || c.act != want {
		return nil, ErrNotProved
	}
	delete(cs.open, id.id)
	if !now.Before(c.until) {
		return nil, ErrNotProved
	}
	return c, nil
}

// begin draws a nonce and fills in what every ceremony has. The challenge is
// bound to the page's key.
func (w *Workforce) begin(a act, page PageKey) (*ceremony, Nonce, error) {
	var nonce Nonce
	if _, err := io.ReadFull(w.random, nonce[:]); err != nil {
		return nil, Nonce{}, fmt.Errorf("draw nonce: %w", err)
	}
	c := &ceremony{
		act: a, page: page, challenge: ChallengeOf(nonce, page),
		until: w.clock.Now().Add(ceremonyLife),
	}
	return c, nonce, nil
}

// open keeps c and returns what the page is given.
func (w *Workforce) open(c *ceremony, nonce Nonce, options any) (Begun, error) {
	text, err := json.Marshal(options)
	if err != nil {
		return Begun{}, fmt.Errorf("encode passkey options: %w", err)
	}
	id, err := w.ceremonies.add(w.random, c, w.clock.Now())
	if err != nil {
		return Begun{}, err
	}
	return Begun{Ceremony: id, Nonce: nonce, Options: text}, nil
}

// holder is a person as the WebAuthn library sees one. The library's name for
// the interface is its own.
type holder struct {
	person purser.PersonID
	keys   []webauthn.Credential
}

// WebAuthnID returns the handle that discoverable passkeys give back.
func (h holder) WebAuthnID() []byte { return h.person[:] }

// WebAuthnName returns the id: a name would end up in the authenticator, and
// whoever shows a list of passkeys would show it.
func (h holder) WebAuthnName() string { return h.person.String() }

// WebAuthnDisplayName returns the id.
func (h holder) WebAuthnDisplayName() string { return h.person.String() }

// WebAuthnCredentials returns the passkeys to check against.
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.keys }
