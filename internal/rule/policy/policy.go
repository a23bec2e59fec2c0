// Package policy owns what a deployment may decide by itself about who may do
// what: Cedar policies, the schema they are validated against, and the answer
// they give to one ask.
//
// It does not own the laws. The gate checks those in Go before it asks here,
// so no policy text can open a match-only field, reach past a lock or do
// without a contact. It holds no state of the fold: the standing says which
// set is in force, by its hash.
//
// Laws carried here: L2 (an answer is a function of the set and the ask
// alone; the memory of answers can be emptied at any time without changing
// one) and, with package change, L11 (the hash names exactly one text).
//
// Start reading at [Parse], then [Set.Allow].
package policy

import (
	"crypto/sha256"
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/x/exp/ast"

	"purser"
)

// Bounds of what is read and remembered.
const (
	maxText     = 64 << 10 // bytes of policies or schema
	maxPolicies = 128      // an ask costs time linear in them
	maxMemory   = 4096     // answers kept
)

// The errors of Parse. Their wrapping says where, in the policy's own words.
var (
	ErrTooLarge = errors.New("policy text too large")
	ErrInvalid  = errors.New("policy not valid")
)

//go:embed policy/*.cedar schema.cedarschema
var defaults embed.FS

// Set is one text of policies. It may be used by any number of goroutines.
type Set struct {
	hash     purser.Hash
	policies *cedar.PolicySet

	mu     sync.RWMutex
	memory map[Ask]bool // guarded by mu; never more than maxMemory
}

// Default returns the set that Purser brings along.
func Default() (*Set, error) {
	words, policies, err := DefaultText()
	if err != nil {
		return nil, err
	}
	return Parse(words, policies)
}

// DefaultText returns the texts of the default set: the files of the policy
// folder in the order of their names.
func DefaultText() (schema, policies []byte, err error) {
	if schema, err = defaults.ReadFile("schema.cedarschema"); err != nil {
		return nil, nil, fmt.Errorf("read default schema: %w", err)
	}
	names, err := fs.Glob(defaults, "policy/*.cedar")
	if err != nil {
		return nil, nil, fmt.Errorf("list default policies: %w", err)
	}
	for _, name := range names {
		text, err := defaults.ReadFile(name)
		if err != nil {
			return nil, nil, fmt.Errorf("read default policies: %w", err)
		}
		policies = append(policies, text...)
		policies = append(policies, '\n')
	}
	return schema, policies, nil
}

// Parse reads a schema and policies and validates each policy against the
// schema, strictly: what names an unknown action, attribute, role, path or
// class is refused. It returns ErrTooLarge or ErrInvalid.
func Parse(schemaText, policies []byte) (*Set, error) {
	if len(schemaText) > maxText || len(policies) > maxText {
		return nil, fmt.Errorf("%w: over %d bytes", ErrTooLarge, maxText)
	}
	words, err := readSchema(schemaText)
	if err != nil {
		return nil, err
	}
	set, err := cedar.NewPolicySetFromBytes("policy", policies)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	count := 0
	for id, p := range set.All() {
		if err := words.check(string(id), (*ast.Policy)(p.AST())); err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrInvalid, p.Position().Line, err)
		}
		if count++; count > maxPolicies {
			return nil, fmt.Errorf("%w: over %d policies", ErrTooLarge, maxPolicies)
		}
	}
	return &Set{hash: digest(schemaText, policies), policies: set, memory: make(map[Ask]bool)}, nil
}

// digest hashes both texts, each behind its length, so that no byte can move
// from one to the other.
func digest(schema, policies []byte) purser.Hash {
	h := sha256.New()
	for _, text := range [][]byte{schema, policies} {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(text)))
		h.Write(size[:])
		h.Write(text)
	}
	return purser.Hash(h.Sum(nil))
}

// Hash names the set: entries hold it, never the text.
func (s *Set) Hash() purser.Hash { return s.hash }

// Allow reports whether the policies allow what is asked. A policy that
// cannot be evaluated allows nothing: a forbid that fails must not open.
func (s *Set) Allow(ask Ask) bool {
	s.mu.RLock()
	allowed, known := s.memory[ask]
	s.mu.RUnlock()
	if known {
		return allowed
	}
	allowed = s.evaluate(ask)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.memory) >= maxMemory {
		clear(s.memory)
	}
	s.memory[ask] = allowed
	return allowed
}

func (s *Set) evaluate(ask Ask) bool {
	request, entities, ok := ask.request()
	if !ok {
		return false
	}
	decision, diagnostic := cedar.Authorize(s.policies, entities, request)
	return decision == cedar.Allow && len(diagnostic.Errors) == 0
}
