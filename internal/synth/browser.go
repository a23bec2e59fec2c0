package synth

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/descope/virtualwebauthn"

	"purser"
	"purser/internal/workforce"
)

// ErrOtherChallenge says that a challenge was not made for this page's key, so
// the page did not let the authenticator sign it.
var ErrOtherChallenge = errors.New("the challenge is not for this page")

// Browser is a made-up person's page and authenticator: it makes a passkey,
// logs in with it and signs requests, by the same exported protocol as a real
// one. How options and responses travel is its caller's. It is used by one
// goroutine; the [Client] it gives is not bound to that.
type Browser struct {
	rp      virtualwebauthn.RelyingParty
	clock   workforce.Clock
	device  virtualwebauthn.Authenticator
	passkey virtualwebauthn.Credential

	page      *ecdh.PrivateKey
	pageKey   workforce.PageKey
	challenge [32]byte
}

// NewBrowser returns a browser at the first origin of rp, with an authenticator
// that holds no passkey yet.
func NewBrowser(rp workforce.RP, clock workforce.Clock) (*Browser, error) {
	if len(rp.Origins) == 0 {
		return nil, errors.New("the relying party has no origin")
	}
	b := &Browser{
		rp:     virtualwebauthn.RelyingParty{ID: rp.ID, Name: rp.Name, Origin: rp.Origins[0]},
		clock:  clock,
		device: virtualwebauthn.NewAuthenticator(),
	}
	return b, b.Reload()
}

// Reload opens the page anew: it makes itself another key, and with it the
// session of before cannot be used any more.
func (b *Browser) Reload() (err error) {
	b.page, b.pageKey, err = workforce.NewPagePair(rand.Reader)
	return err
}

// PageKey returns the page's public key, for the Begin calls.
func (b *Browser) PageKey() workforce.PageKey { return b.pageKey }

// Enrol makes a passkey for what BeginEnrol asked and returns the response for
// FinishEnrol.
func (b *Browser) Enrol(begun workforce.Begun) ([]byte, error) {
	options, err := virtualwebauthn.ParseAttestationOptions(string(begun.Options))
	if err != nil {
		return nil, fmt.Errorf("enrolment options: %w", err)
	}
	if err := b.check(begun, options.Challenge); err != nil {
		return nil, err
	}
	b.passkey = newPasskey()
	b.device.Options.UserHandle = []byte(options.UserID)
	return []byte(virtualwebauthn.CreateAttestationResponse(b.rp, b.device, b.passkey, *options)), nil
}

// EnrolAgain answers like Enrol with the passkey that is there already, as no
// honest authenticator does.
func (b *Browser) EnrolAgain(begun workforce.Begun) ([]byte, error) {
	options, err := virtualwebauthn.ParseAttestationOptions(string(begun.Options))
	if err != nil {
		return nil, fmt.Errorf("enrolment options: %w", err)
	}
	return []byte(virtualwebauthn.CreateAttestationResponse(b.rp, b.device, b.passkey, *options)), nil
}

// cosePoint is the length of a P-256 key in its only valid COSE form.
const cosePoint = 77

// newPasskey draws a passkey. The library drops leading zeros of a coordinate,
// which no server accepts, so such a key is drawn again.
func newPasskey() virtualwebauthn.Credential {
	for {
		c := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
		if len(c.Key.AttestationData()) == cosePoint {
			return c
		}
	}
}

// Assert signs what BeginLogin or BeginStepUp asked, if the challenge was made
// for this page, and returns the response for the Finish call.
func (b *Browser) Assert(begun workforce.Begun) ([]byte, error) {
	options, err := virtualwebauthn.ParseAssertionOptions(string(begun.Options))
	if err != nil {
		return nil, fmt.Errorf("login options: %w", err)
	}
	if err := b.check(begun, options.Challenge); err != nil {
		return nil, err
	}
	if len(options.AllowCredentials) > 0 && !b.passkey.IsAllowedForAssertion(*options) {
		return nil, errors.New("none of the offered passkeys is here")
	}
	b.passkey.Counter++
	return []byte(virtualwebauthn.CreateAssertionResponse(b.rp, b.device, b.passkey, *options)), nil
}

// check is the page's half of binding a login to its key.
func (b *Browser) check(begun workforce.Begun, challenge []byte) error {
	want := workforce.ChallengeOf(begun.Nonce, b.pageKey)
	if !bytes.Equal(challenge, want[:]) {
		return ErrOtherChallenge
	}
	b.challenge = want
	return nil
}

// Open computes the request key of the session that FinishLogin opened, and
// returns the client that signs with it. Its clock is corrected by the
// server's.
func (b *Browser) Open(token workforce.Token, session purser.SessionID, server workforce.PageKey, now purser.Stamp) (*Client, error) {
	key, err := workforce.AgreeRequestKey(b.page, server, b.challenge, session)
	if err != nil {
		return nil, err
	}
	c := NewClient(token, key, b.clock)
	c.Correct(now.Time())
	return c, nil
}

// Rewind sets the authenticator's sign count back, as a copy of it would.
func (b *Browser) Rewind(to uint32) { b.passkey.Counter = to }

// WithoutVerification makes the authenticator sign without verifying who is
// there.
func (b *Browser) WithoutVerification() { b.device.Options.UserNotVerified = true }

// WithoutMake makes the authenticator name no make.
func (b *Browser) WithoutMake() { b.device.Aaguid = [16]byte{} }
