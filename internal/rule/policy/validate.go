package policy

import (
	"fmt"
	"slices"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
	"github.com/cedar-policy/cedar-go/x/exp/schema"
	"github.com/cedar-policy/cedar-go/x/exp/schema/resolved"
	"github.com/cedar-policy/cedar-go/x/exp/schema/validate"
)

// vocabulary is what a policy may name: the resolved schema.
type vocabulary struct {
	schema    *resolved.Schema
	validator *validate.Validator
}

func readSchema(text []byte) (*vocabulary, error) {
	var s schema.Schema
	if err := s.UnmarshalCedar(text); err != nil {
		return nil, fmt.Errorf("%w: schema: %w", ErrInvalid, err)
	}
	words, err := s.Resolve()
	if err != nil {
		return nil, fmt.Errorf("%w: schema: %w", ErrInvalid, err)
	}
	return &vocabulary{schema: words, validator: validate.New(words, validate.WithStrict())}, nil
}

// check validates one policy. The library's validator takes any member of an
// enumeration, so those are looked up here: a misspelt role must not be a
// policy that is silently never met.
func (v *vocabulary) check(id string, p *ast.Policy) error {
	if err := v.validator.Policy(id, p); err != nil {
		return err
	}
	for _, condition := range p.Conditions {
		var unknown error
		ast.Inspect(ast.NewNode(condition.Body), func(n ast.IsNode) bool {
			if literal, ok := n.(ast.NodeValue); ok && unknown == nil {
				unknown = v.member(literal.Value)
			}
			return unknown == nil
		})
		if unknown != nil {
			return unknown
		}
	}
	return nil
}

// member checks that a literal of an enumerated type is one of its members.
func (v *vocabulary) member(value cedar.Value) error {
	if set, ok := value.(cedar.Set); ok {
		for element := range set.All() {
			if err := v.member(element); err != nil {
				return err
			}
		}
		return nil
	}
	uid, ok := value.(cedar.EntityUID)
	if !ok {
		return nil
	}
	if enum, ok := v.schema.Enums[uid.Type]; ok && !slices.Contains(enum.Values, uid) {
		return fmt.Errorf("%s has no member %q", uid.Type, string(uid.ID))
	}
	return nil
}
