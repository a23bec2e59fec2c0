package workforce

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"purser"
)

// CeremonyID names a ceremony that was begun, and holds all that the second
// half needs to know of it, under a code that only this process can make. So
// what is begun takes no memory here, and nobody can begin so much that others
// cannot. Nothing in it is secret from the page it is given to.
type CeremonyID struct{ sealed [ceremonySize]byte }

// String returns the text form: unpadded base64url.
func (c CeremonyID) String() string { return base64.RawURLEncoding.EncodeToString(c.sealed[:]) }

// MarshalText returns the text form.
func (c CeremonyID) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads the text form; any other spelling is [ErrNotProved].
func (c *CeremonyID) UnmarshalText(text []byte) error {
	if !decodeExact(c.sealed[:], string(text)) {
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

// ceremony is one that was begun in this process. A restart ends it: the page
// begins again. It never changes.
type ceremony struct {
	act       act
	level     purser.Level  // login
	until     time.Duration // since the start of the process
	page      PageKey
	challenge [32]byte // drawn for this ceremony alone, so it names it too

	person  purser.PersonID  // zero for a login that names nobody
	ticket  [32]byte         // hash; enrolment
	session purser.SessionID // step-up
}

// Sizes of a sealed ceremony: what it says, in the order of the fields above,
// and the code over it.
const (
	ceremonyBody = 1 + 1 + 8 + pointSize + 32 + 16 + 32 + 16
	ceremonySize = ceremonyBody + sha256.Size
)

// ceremonyLabel separates these codes from any other.
const ceremonyLabel = "purser ceremony v1\n"

// ceremonies seals ceremonies and remembers which were used. Both end with the
// process: its key is kept nowhere.
type ceremonies struct {
	key [32]byte

	mu sync.Mutex // guards what follows
	// used and before hold the challenges of ceremonies that a passkey has
	// signed: those since turned, and those of the time before it. A ceremony
	// ends within one life of its use and is forgotten after one at the least.
	// Only the bearer of a passkey can add to them, and each time costs him an
	// entry.
	used, before map[[32]byte]struct{}
	turned       time.Duration
}

func newCeremonies(random io.Reader) (*ceremonies, error) {
	cs := &ceremonies{used: make(map[[32]byte]struct{})}
	if _, err := io.ReadFull(random, cs.key[:]); err != nil {
		return nil, fmt.Errorf("draw the key of ceremonies: %w", err)
	}
	return cs, nil
}

func (cs *ceremonies) code(body []byte) []byte {
	mac := hmac.New(sha256.New, cs.key[:])
	mac.Write([]byte(ceremonyLabel))
	mac.Write(body)
	return mac.Sum(nil)
}

// seal returns the id of c.
func (cs *ceremonies) seal(c *ceremony) (id CeremonyID) {
	b := append(id.sealed[:0], byte(c.act), byte(c.level))
	b = binary.BigEndian.AppendUint64(b, uint64(c.until))
	for _, part := range [][]byte{c.page[:], c.challenge[:], c.person[:], c.ticket[:], c.session[:]} {
		b = append(b, part...)
	}
	copy(id.sealed[ceremonyBody:], cs.code(b))
	return id
}

// open returns the ceremony of an id, if this process began it for this act
// and not too long ago.
func (cs *ceremonies) open(id CeremonyID, want act, now time.Duration) (*ceremony, error) {
	b := id.sealed[:ceremonyBody]
	if !hmac.Equal(id.sealed[ceremonyBody:], cs.code(b)) {
		return nil, ErrNotProved
	}
	c := &ceremony{act: act(b[0]), level: purser.Level(b[1]), until: time.Duration(binary.BigEndian.Uint64(b[2:]))}
	rest := b[10:]
	for _, part := range [][]byte{c.page[:], c.challenge[:], c.person[:], c.ticket[:], c.session[:]} {
		rest = rest[copy(part, rest):]
	}
	if c.act != want || now >= c.until {
		return nil, ErrNotProved
	}
	return c, nil
}

// use reports whether nobody has used the ceremony before. It is asked after
// the passkey's signature was checked.
func (cs *ceremonies) use(c *ceremony, now time.Duration) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if now-cs.turned >= ceremonyLife {
		cs.used, cs.before, cs.turned = make(map[[32]byte]struct{}), cs.used, now
	}
	if _, again := cs.used[c.challenge]; again {
		return false
	}
	if _, again := cs.before[c.challenge]; again {
		return false
	}
	cs.used[c.challenge] = struct{}{}
	return true
}

// since is how long the process has run, on a clock that setting the wall clock
// does not move.
func (w *Workforce) since() time.Duration { return w.clock.Now().Sub(w.start) }

// begin draws a nonce and fills in what every ceremony has. The challenge is
// bound to the page's key.
func (w *Workforce) begin(a act, page PageKey) (*ceremony, Nonce, error) {
	var nonce Nonce
	if _, err := io.ReadFull(w.random, nonce[:]); err != nil {
		return nil, Nonce{}, fmt.Errorf("draw nonce: %w", err)
	}
	return &ceremony{act: a, page: page, challenge: ChallengeOf(nonce, page), until: w.since() + ceremonyLife}, nonce, nil
}

// begun returns what the page is given of c.
func (w *Workforce) begun(c *ceremony, nonce Nonce, options any) (Begun, error) {
	text, err := json.Marshal(options)
	if err != nil {
		return Begun{}, fmt.Errorf("encode passkey options: %w", err)
	}
	return Begun{Ceremony: w.ceremonies.seal(c), Nonce: nonce, Options: text}, nil
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
