// Package workforce owns who works here and how they prove it: vendors, teams
// and persons, the passkeys bound to persons, and sessions.
//
// A person enrols a passkey with a ticket while the bootstrap door is open,
// logs in with it from a page that made itself a P-256 key, and from then on
// signs every request with a key that only that page and this process have.
// Names and keys are sealed before they reach the store. Standing (who is
// active, in which roles, with which passkeys and sessions) is in the fold and
// is what decides; the rows here hold what a decision never needs.
//
// It does not own what a session may do: that is the gate's, which looks at
// the fold again for every act. It owns no transport either: options and
// responses are the JSON of WebAuthn, requests are [Signed].
//
// Laws carried here: L6 (rows hold no name and no key in plain) and L7 (no
// path leads to a usable authenticator once the door is shut).
//
// Start reading at [Workforce.FinishLogin], then [Workforce.Authenticate].
package workforce

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"purser"
	"purser/internal/fold"
	"purser/internal/ledger"
	"purser/internal/seal"
)

// Conditions that a caller may branch on. None of them says more than its
// text to whoever asked.
var (
	// ErrNotProved says that no passkey login, enrolment or step-up took
	// place: an unknown ceremony, ticket or passkey, a wrong signature, or one
	// given to another page. Which of them is nobody's business.
	ErrNotProved = errors.New("not proved")
	// ErrNoSession says that a request names no live session, or that its key
	// did not sign it.
	ErrNoSession = errors.New("no session")
	// ErrNotNow says that a request was rightly signed but not for now: its
	// time is off by more than [Behind] or [Ahead], or its counter was used.
	ErrNotNow = errors.New("not signed for now")
	// ErrUnknown says that there is no such vendor, team or person.
	ErrUnknown = errors.New("no such vendor, team or person")
	// ErrTooMany says that a person has [MostAuthenticators] already.
	ErrTooMany = errors.New("too many authenticators")
	// ErrName says that a name is empty, too long or not text.
	ErrName = errors.New("not a name of 1 to 200 bytes")
)

// Limits that are not settings.
const (
	// MostAuthenticators is how many passkeys a person may have in use.
	MostAuthenticators = 4
	// Behind and Ahead bound how far a request's time may be from the server's.
	// A page corrects its clock by the time it was told at login, so it is
	// hardly ever ahead; how far it may be is also how long after a start the
	// requests of earlier sessions are refused, because the counters that came
	// before the start are forgotten.
	Behind = 60 * time.Second
	Ahead  = 5 * time.Second

	ticketLife   = 10 * time.Minute
	ceremonyLife = 5 * time.Minute
	// sweepSessions is how many sessions the cache holds before it looks for
	// ones that have expired.
	sweepSessions = 10_000
)

// Clock tells the time: the same clock the ledger stamps with.
type Clock interface{ Now() time.Time }

// RP is the WebAuthn relying party.
type RP struct {
	ID      string   // the registrable domain, "purser.example"
	Name    string   // shown by the authenticator
	Origins []string // every origin pages are served from
	// DeviceBound refuses passkeys that can be copied between devices or that
	// do not say of which make they are. Off by default.
	DeviceBound bool
}

// Config is what a Workforce is made of. All but SessionLife are needed.
type Config struct {
	Log    *ledger.Log[*fold.State]
	Keys   *seal.Keys
	Store  Store
	RP     RP
	Clock  Clock
	Random io.Reader
	// SessionLife is how long a session lasts: at most fold.SessionLife, which
	// zero means too.
	SessionLife time.Duration
}

// Workforce is the people and their sessions. It is safe for concurrent use.
type Workforce struct {
	log    *ledger.Log[*fold.State]
	keys   *seal.Keys
	store  Store
	rp     RP
	auth   *webauthn.WebAuthn
	clock  Clock
	random io.Reader
	life   time.Duration
	start  time.Time // requests from before it are refused

	ceremonies *ceremonies

	mu       sync.Mutex // guards the two maps; the sessions have their own
	sessions map[purser.SessionID]*live
	tokens   map[[32]byte]purser.SessionID
}

// New returns a workforce over an open log. It reports a relying party that
// no browser would accept.
func New(c Config) (*Workforce, error) {
	auth, err := webauthn.New(relyingParty(c.RP))
	if err != nil {
		return nil, fmt.Errorf("configure passkeys: %w", err)
	}
	life := c.SessionLife
	if most := time.Duration(fold.SessionLife) * time.Microsecond; life <= 0 || life > most {
		life = most
	}
	ceremonies, err := newCeremonies(c.Random)
	if err != nil {
		return nil, err
	}
	return &Workforce{
		log: c.Log, keys: c.Keys, store: c.Store, rp: c.RP, auth: auth,
		clock: c.Clock, random: c.Random, life: life, start: c.Clock.Now(),
		ceremonies: ceremonies,
		sessions:   make(map[purser.SessionID]*live),
		tokens:     make(map[[32]byte]purser.SessionID),
	}, nil
}

func relyingParty(rp RP) *webauthn.Config {
	return &webauthn.Config{
		RPID: rp.ID, RPDisplayName: rp.Name, RPOrigins: rp.Origins,
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey:      protocol.ResidentKeyRequirementPreferred,
			UserVerification: protocol.VerificationRequired,
		},
	}
}
