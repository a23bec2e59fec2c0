package workforce

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"purser"
)

// ErrPageKey says that bytes or text are not a P-256 public key. They are
// never part of the error.
var ErrPageKey = errors.New("not a P-256 public key")

// pointSize is an uncompressed P-256 point: 4, x, y.
const pointSize = 65

// spkiPrefix is what DER puts before the uncompressed point of a P-256 key.
// It is constant, so a key has exactly one accepted encoding of each form and
// no general parser is needed.
const spkiPrefix = "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00"

// PageKey is the P-256 public key that a page made for itself, as an
// uncompressed point. Its private half never leaves the page. Only
// [ParsePageKey] and [PageKey.UnmarshalText] make one that is a point of the
// curve.
type PageKey [pointSize]byte

// ParsePageKey reads a key as WebCrypto exports it, in the form "raw" (65
// bytes) or "spki" (91 bytes). Every other encoding is [ErrPageKey].
func ParsePageKey(b []byte) (PageKey, error) {
	point := b
	if rest, found := bytes.CutPrefix(b, []byte(spkiPrefix)); found {
		point = rest
	}
	if len(point) != pointSize || point[0] != 4 {
		return PageKey{}, ErrPageKey
	}
	if _, err := ecdh.P256().NewPublicKey(point); err != nil {
		return PageKey{}, ErrPageKey
	}
	return PageKey(point), nil
}

// String returns the key as text: unpadded base64url of the raw form.
func (k PageKey) String() string { return base64.RawURLEncoding.EncodeToString(k[:]) }

// MarshalText returns the text form.
func (k PageKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads unpadded base64url of either form.
func (k *PageKey) UnmarshalText(text []byte) error {
	if len(text) > base64.RawURLEncoding.EncodedLen(len(spkiPrefix)+pointSize) {
		return ErrPageKey
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(string(text))
	if err != nil || base64.RawURLEncoding.EncodedLen(len(b)) != len(text) {
		return ErrPageKey
	}
	parsed, err := ParsePageKey(b)
	if err != nil {
		return err
	}
	*k = parsed
	return nil
}

// commitment is how an entry names the key: the first half of its SHA-256.
func (k PageKey) commitment() purser.Commitment { return firstHalf(k[:]) }

// ChallengeOf returns the challenge of a login from the page with key k:
// SHA-256 of nonce and key. The authenticator signs it, so an assertion given
// to one page is worth nothing to another; the page checks it before it lets
// the authenticator sign.
func ChallengeOf(nonce [32]byte, k PageKey) [32]byte {
	h := sha256.New()
	h.Write(nonce[:])
	h.Write(k[:])
	return [32]byte(h.Sum(nil))
}

// RequestKey signs the requests of one session.
type RequestKey [32]byte

// requestKeyLabel separates this use of the shared secret from any other.
const requestKeyLabel = "purser request key v1\n"

// AgreeRequestKey computes, on either side, the key of a session from one's
// own private key and the other's public key: HKDF-SHA-256 of the shared
// secret with the login's challenge as salt and the session in the label.
func AgreeRequestKey(own *ecdh.PrivateKey, other PageKey, challenge [32]byte, session purser.SessionID) (RequestKey, error) {
	public, err := ecdh.P256().NewPublicKey(other[:])
	if err != nil {
		return RequestKey{}, ErrPageKey
	}
	secret, err := own.ECDH(public)
	if err != nil {
		return RequestKey{}, fmt.Errorf("agree on a request key: %w", err)
	}
	key, err := hkdf.Key(sha256.New, secret, challenge[:], requestKeyLabel+session.String(), len(RequestKey{}))
	if err != nil {
		return RequestKey{}, fmt.Errorf("derive a request key: %w", err)
	}
	return RequestKey(key), nil
}

// NewPagePair draws a key pair from random, as a page or the server does.
func NewPagePair(random io.Reader) (*ecdh.PrivateKey, PageKey, error) {
	pair, err := ecdh.P256().GenerateKey(random)
	if err != nil {
		return nil, PageKey{}, fmt.Errorf("draw a page key: %w", err)
	}
	return pair, PageKey(pair.PublicKey().Bytes()), nil
}

// firstHalf is the first half of SHA-256 over b.
func firstHalf(b []byte) purser.Commitment {
	sum := sha256.Sum256(b)
	return purser.Commitment(sum[:16])
}
