package record

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"

	"purser"
	"purser/internal/seal"
)

// maxHolders is how many customers may share an item that still tells
// something.
const maxHolders = 64

// Item is one thing that a caller said, in canonical form (Schema.Canonical).
type Item struct {
	Kind      Kind
	Canonical string
}

// Found is what items lead to. Reason is Allowed when it is exactly one
// customer, else Unknown or Several. It is for the entry and the gate's
// compare: an asker never learns it.
type Found struct {
	Ordinal purser.Ordinal
	Reason  purser.Reason
}

// Candidates looks up every indexed item and keeps the customers that all of
// them lead to. It runs the same number of queries whatever was said and
// whatever is found (L5). Items that are not indexed narrow nothing, and
// neither does one that over 64 customers share: the compare tests them all.
func (b *Book) Candidates(ctx context.Context, items []Item) (Found, error) {
	var left narrowing
	for _, f := range b.schema.fields {
		if f.Find == NotFound {
			continue
		}
		said, canonical := saidOf(items, f)
		index, err := b.indexOr(f, canonical)
		if err != nil {
			return Found{}, err
		}
		holders, err := b.store.Holders(ctx, IndexRow{f.Bit, index}, maxHolders+1)
		if err != nil {
			return Found{}, fmt.Errorf("look up items: %w", err)
		}
		if said {
			left.by(holders)
		}
	}
	return left.found(), nil
}

// narrowing is what lookups have left over.
type narrowing struct {
	customers []purser.Ordinal
	narrowed  bool // by at least one lookup
	common    bool // a lookup led to too many to tell
}

func (n *narrowing) by(holders []purser.Ordinal) {
	switch {
	case len(holders) > maxHolders:
		n.common = true
	case !n.narrowed:
		n.customers, n.narrowed = holders, true
	default:
		n.customers = slices.DeleteFunc(n.customers, func(o purser.Ordinal) bool { return !slices.Contains(holders, o) })
	}
}

func (n *narrowing) found() Found {
	switch {
	case len(n.customers) == 1:
		return Found{Ordinal: n.customers[0]}
	case len(n.customers) > 1, n.common && !n.narrowed:
		return Found{Reason: purser.Several}
	}
	return Found{Reason: purser.Unknown}
}

func saidOf(items []Item, f Field) (said bool, canonical string) {
	for _, it := range items {
		if f.IsItem && it.Kind == f.Item {
			return true, it.Canonical
		}
	}
	return false, ""
}

// indexOr returns the blind index of a canonical form, or one of nothing that
// costs as much.
func (b *Book) indexOr(f Field, canonical string) (seal.Index, error) {
	if canonical == "" {
		canonical = rand.Text()
	}
	return b.keys.Index(f.Name, canonical)
}

// Linked returns the other customers that share a booking with o, ascending,
// at most MaxLinked.
func (b *Book) Linked(ctx context.Context, o purser.Ordinal) ([]purser.Ordinal, error) {
	i := slices.IndexFunc(b.schema.fields, func(f Field) bool { return f.Links })
	if i < 0 {
		return nil, nil
	}
	bit := b.schema.fields[i].Bit
	indexes, err := b.store.Indexes(ctx, o, bit)
	if err != nil {
		return nil, fmt.Errorf("read bookings: %w", err)
	}
	var others []purser.Ordinal
	for _, index := range indexes {
		holders, err := b.store.Holders(ctx, IndexRow{bit, index}, MaxLinked+1)
		if err != nil {
			return nil, fmt.Errorf("look up bookings: %w", err)
		}
		others = append(others, holders...)
	}
	slices.Sort(others)
	others = slices.DeleteFunc(slices.Compact(others), func(other purser.Ordinal) bool { return other == o })
	return others[:min(len(others), MaxLinked)], nil
}
