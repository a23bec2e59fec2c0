package telephony

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"purser"
)

// Salt keys what the ledger holds of a source's own ids, so that whoever has
// the ledger alone cannot try ids until one fits (L6). A source has one salt
// from its registration on: it outlives every secret, and with it the ids of
// live contacts and the mapping of agents. The source itself never learns it.
type Salt struct{ key [16]byte }

// NewSalt draws a salt.
func NewSalt(random io.Reader) (s Salt, err error) {
	if _, err := io.ReadFull(random, s.key[:]); err != nil {
		return Salt{}, fmt.Errorf("draw salt: %w", err)
	}
	return s, nil
}

// Format prints no salt, for any verb.
func (Salt) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[salt]") }

// SaltOf returns the salt of a source that has a row, or ErrNoSource.
func SaltOf(ctx context.Context, s Sources, v Vault, id purser.SourceID) (Salt, error) {
	rows, err := s.SecretsOf(ctx, id)
	if err != nil {
		return Salt{}, fmt.Errorf("salt of %v: %w", id, err)
	}
	if len(rows) == 0 {
		return Salt{}, ErrNoSource
	}
	opened, err := openRow(v, rows[0])
	if err != nil {
		return Salt{}, fmt.Errorf("salt of %v: %w", id, err)
	}
	clear(opened.secret)
	return opened.salt, nil
}

// openedRow is what is sealed in a row.
type openedRow struct {
	salt   Salt
	secret []byte
}

// errSealedForm says that a row opened and is not what this version writes.
var errSealedForm = errors.New("sealed row of a source has another form")

func openRow(v Vault, row SourceRow) (o openedRow, err error) {
	plain, err := v.Open(row.Source, row.Sealed)
	if err != nil {
		return openedRow{}, err
	}
	if len(plain) != len(o.salt.key)+secretSize {
		return openedRow{}, errSealedForm
	}
	o.secret = plain[copy(o.salt.key[:], plain):]
	return o, nil
}

// ContactID returns the contact of a switch's call id.
func ContactID(salt Salt, call string) purser.ContactID {
	return purser.ContactID(salt.of("contact|", call))
}

// AgentKey returns a switch's agent id as the ledger holds it; the empty id is
// no agent.
func AgentKey(salt Salt, agentID string) purser.AgentKey {
	if agentID == "" {
		return purser.AgentKey{}
	}
	return purser.AgentKey(salt.of("agent|", agentID))
}

// of is the first half of HMAC-SHA-256 under the salt.
func (s Salt) of(label, id string) [16]byte {
	mac := hmac.New(sha256.New, s.key[:])
	mac.Write([]byte(label + id))
	return [16]byte(mac.Sum(nil)[:16])
}

// MapAgent returns the entry that maps the switch's agent id to a person, with
// the salt of the source; a zero person unmaps. Never pass an extension.
func MapAgent(source purser.SourceID, salt Salt, agentID string, person purser.PersonID, by purser.Actor) *purser.AgentMapped {
	return &purser.AgentMapped{Source: source, Agent: AgentKey(salt, agentID), Person: person, By: by}
}
