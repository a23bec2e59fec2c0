package server

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"purser"
	"purser/internal/fold"
	"purser/internal/record"
	"purser/internal/rule/policy"
)

// policies holds the policy sets that this process knows, by their hash. It is
// filled before it is used and not changed afterwards.
type policies map[purser.Hash]*policy.Set

// For returns the set with a hash, or nil: an unknown set allows nothing.
func (p policies) For(hash purser.Hash) *policy.Set { return p[hash] }

// readPolicies returns the default set and its text as it is stored.
func readPolicies() ([]byte, *policy.Set, error) {
	schema, text, err := policy.DefaultText()
	if err != nil {
		return nil, nil, err
	}
	set, err := policy.Parse(schema, text)
	if err != nil {
		return nil, nil, fmt.Errorf("policies: %w", err)
	}
	return joinTexts(schema, text), set, nil
}

// joinTexts puts the two texts of a set behind the length of the first.
func joinTexts(schema, text []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(schema)))
	return append(append(b, schema...), text...)
}

func splitTexts(b []byte) (schema, text []byte, err error) {
	if len(b) < 4 || uint64(binary.BigEndian.Uint32(b)) > uint64(len(b)-4) {
		return nil, nil, errors.New("stored policies are damaged")
	}
	n := binary.BigEndian.Uint32(b)
	return b[4 : 4+n], b[4+n:], nil
}

// inForce reads the schema and the policies whose hashes the ledger names. The
// texts are checked against the hashes: a changed row stops the start (L2).
func (d *Deployment) inForce(ctx context.Context) (*record.Schema, policies, error) {
	var hashes fold.Configuration
	err := d.log.Look(ctx, func(s *fold.State, _ purser.Stamp) error {
		hashes = s.Standing().Configuration()
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	text, err := d.db.Configuration(ctx, hashes.Schema)
	if err != nil {
		return nil, nil, err
	}
	schema, err := record.Parse(bytes.Clone(text))
	if err != nil || schema.Hash() != hashes.Schema {
		return nil, nil, errors.New("the stored schema is not the one the ledger names; restore the database from a backup")
	}
	text, err = d.db.Configuration(ctx, hashes.Policy)
	if err != nil {
		return nil, nil, err
	}
	schemaText, policyText, err := splitTexts(text)
	if err != nil {
		return nil, nil, err
	}
	set, err := policy.Parse(schemaText, policyText)
	if err != nil || set.Hash() != hashes.Policy {
		return nil, nil, errors.New("the stored policies are not those the ledger names; restore the database from a backup")
	}
	return schema, policies{set.Hash(): set}, nil
}
