package record

import (
	"context"
	"fmt"

	"purser"
)

// After returns customers above o, ascending, at most limit: one step of a walk
// over all of them, for work that is decided entry by entry. Nothing that
// answers an agent may use it.
func (b *Book) After(ctx context.Context, o purser.Ordinal, limit int) ([]purser.Ordinal, error) {
	list, err := b.store.After(ctx, o, limit)
	if err != nil {
		return nil, fmt.Errorf("walk customers: %w", err)
	}
	return list, nil
}

// Dialled returns the bit of the number that a customer is called back at.
func (s *Schema) Dialled() (purser.Field, bool) {
	for _, f := range s.fields {
		if f.Channel && f.Form == Phone {
			return f.Bit, true
		}
	}
	return 0, false
}
