// Package telephony is the door through which contacts come in: signed events
// of registered sources.
//
// It owns the format of a native event and its signature, the check of both,
// the stored secrets and salts of sources, the turning of call ids, agent ids, callers'
// numbers and keyed digits into what the ledger may hold, and a [Client] that
// speaks the format. It owns no order of events and no state of contacts
// (internal/rule/contact does), and no decision to register a source or to map
// an agent: it makes the entries and rows, and internal/change takes them
// through two people and a hold.
//
// Laws carried here: the beginning of L4 (contacts come only from an
// authenticated source; whatever fails authentication changes nothing) and L6
// (a number, a digit or a switch's id does not leave this package, not in an error
// either).
//
// Start reading at [Intake.Receive].
package telephony

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"

	"purser"
	"purser/internal/ledger"
)

// What Receive returns beside a *purser.Refusal and faults of the ledger. None
// carries a value of the event.
var (
	// ErrUnauthentic says that a request was not signed with the secret of
	// the source it names, or not within five minutes.
	ErrUnauthentic = errors.New("event is not authentic")
	// ErrTooMany says that too many requests from there were not authentic.
	ErrTooMany = errors.New("too many events that are not authentic")
	// ErrMalformed says that an authentic event is not in the format.
	ErrMalformed = errors.New("malformed event")
	// ErrNoSource says that the store has no such source.
	ErrNoSource = errors.New("no such source")
)

// The headers of an event request.
const (
	HeaderSource    = "Purser-Source"
	HeaderID        = "Purser-Event-Id"
	HeaderTimestamp = "Purser-Event-Timestamp"
	HeaderSignature = "Purser-Event-Signature"
)

// MaxBody is the longest event in bytes.
const MaxBody = 64 << 10

// Window is how far an event's timestamp may be from the clock.
const Window = 5 * purser.Minute

// Request is one event as it arrived.
type Request struct {
	Source    purser.SourceID
	ID        string // of the event; the body repeats it
	Timestamp string // Unix seconds, decimal
	Signature string // "v1=" and 64 hexadecimal digits
	Body      []byte // not changed
	// Remote is the address it came from, for the rate limit; zero: none.
	Remote netip.Addr
}

// SourceRow is one secret of a source as it is stored. A source has a row for
// each secret that was ever proposed; the standing says which one counts.
type SourceRow struct {
	Source purser.SourceID
	Vendor purser.VendorID
	Name   string            // for display, of a system and never of a person
	Secret purser.Commitment // of the secret
	Sealed []byte            // the source's salt, then this secret
}

// Sources keeps the rows. Implementations pass storetest.Telephony.
type Sources interface {
	// SecretsOf returns the rows of a source, newest first; none is no error.
	SecretsOf(ctx context.Context, id purser.SourceID) ([]SourceRow, error)
	// SourceRows returns every row in ascending order of sources, newest first.
	SourceRows(ctx context.Context) ([]SourceRow, error)
	// PutSource writes a row in the transaction of the entry that proposes it.
	PutSource(tx ledger.Tx, row SourceRow) error
}

// Vault keeps what is secret of sources sealed for the rows of their source.
type Vault interface {
	Seal(id purser.SourceID, plain []byte) ([]byte, error)
	Open(id purser.SourceID, sealed []byte) ([]byte, error)
}

// Tagger turns what the ledger must not hold into what it may.
type Tagger interface {
	// Tag returns this month's and last month's tag of a normal form.
	Tag(class, normal string, at purser.Stamp) (now, last purser.Tag, err error)
	// Commit returns a keyed digest of the parts.
	Commit(class string, parts ...[]byte) purser.Commitment
}

// Classes of tags and commitments. The gate tags numbers on file and commits
// to codes under the same ones.
const (
	classPhone  = "phone"
	classCode   = "code"       // parts: the contact's 16 bytes, the digits
	classBody   = "event body" // parts: the source's salt, the body
	classSecret = "source secret"
)

const secretSize = 32

// NewSource draws a source with its salt and its secret. The entry and the row
// go into a change together; the caller hands secret to whoever runs the
// switch, once. The salt stays here.
func NewSource(random io.Reader, v Vault, t Tagger, e purser.SourceSet, name string) (entry *purser.SourceSet, row SourceRow, secret []byte, err error) {
	id, err := drawSource(random)
	if err != nil {
		return nil, SourceRow{}, nil, err
	}
	salt, err := NewSalt(random)
	if err != nil {
		return nil, SourceRow{}, nil, err
	}
	e.Source, e.Status = id, purser.StatusActive
	return NewSecret(random, v, t, e, name, salt)
}

func drawSource(random io.Reader) (purser.SourceID, error) {
	var id purser.SourceID
	if _, err := io.ReadFull(random, id[:]); err != nil {
		return id, fmt.Errorf("draw source: %w", err)
	}
	return id, nil
}

// NewSecret draws another secret for the source of e, which is as the entry
// shall be otherwise. The old one counts until the entry takes effect. salt is
// the one the source has, of [SaltOf]: contacts and agents keep their ids.
func NewSecret(random io.Reader, v Vault, t Tagger, e purser.SourceSet, name string, salt Salt) (entry *purser.SourceSet, row SourceRow, secret []byte, err error) {
	secret = make([]byte, secretSize)
	if _, err := io.ReadFull(random, secret); err != nil {
		return nil, SourceRow{}, nil, fmt.Errorf("draw secret: %w", err)
	}
	sealed, err := v.Seal(e.Source, slices.Concat(salt.key[:], secret))
	if err != nil {
		return nil, SourceRow{}, nil, fmt.Errorf("seal secret of %v: %w", e.Source, err)
	}
	e.Secret = commitSecret(t, e.Source, secret)
	row = SourceRow{Source: e.Source, Vendor: e.Vendor, Name: name, Secret: e.Secret, Sealed: sealed}
	return &e, row, secret, nil
}

func commitSecret(t Tagger, id purser.SourceID, secret []byte) purser.Commitment {
	return t.Commit(classSecret, id[:], secret)
}

const signaturePrefix = "v1="

// Sign returns the signature of an event: HMAC-SHA256 over id, timestamp and
// body with full stops between them.
func Sign(secret []byte, id, timestamp string, body []byte) string {
	return signaturePrefix + hex.EncodeToString(sign(secret, id, timestamp, body))
}

func sign(secret []byte, id, timestamp string, body []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return mac.Sum(nil)
}
