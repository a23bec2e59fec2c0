package record

import (
	"context"
	"crypto/rand"
	"errors"
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
		indexes, err := b.indexesOr(f, canonical)
		if err != nil {
			return Found{}, err
		}
		holders, err := b.holders(ctx, f.Bit, indexes, maxHolders+1)
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

// indexesOr returns the blind indexes of a canonical form, or as many of nothing
// that cost as much.
func (b *Book) indexesOr(f Field, canonical string) ([]seal.Index, error) {
	if canonical == "" {
		canonical = rand.Text()
	}
	return b.keys.Indexes(f.Name, canonical)
}

// holders returns whose field has any of the indexes, ascending, at most limit.
// There is one query an index, in their order: a record that moves from an older
// key to the new one is found by the one or the other.
func (b *Book) holders(ctx context.Context, bit purser.Field, indexes []seal.Index, limit int) ([]purser.Ordinal, error) {
	var all []purser.Ordinal
	for _, index := range indexes {
		holders, err := b.store.Holders(ctx, IndexRow{bit, index}, limit)
		if err != nil {
			return nil, err
		}
		all = append(all, holders...)
	}
	if len(indexes) > 1 {
		slices.Sort(all)
		all = slices.Compact(all)
	}
	return all[:min(len(all), limit)], nil
}

// Linked returns the other customers that share a booking with o, ascending,
// at most MaxLinked.
func (b *Book) Linked(ctx context.Context, o purser.Ordinal) ([]purser.Ordinal, error) {
	i := slices.IndexFunc(b.schema.fields, func(f Field) bool { return f.Links })
	if i < 0 {
		return nil, nil
	}
	bit := b.schema.fields[i].Bit
	bookings, err := b.bookings(ctx, o, bit)
	if err != nil {
		return nil, fmt.Errorf("read bookings: %w", err)
	}
	others, err := b.holders(ctx, bit, bookings, MaxLinked+1)
	if err != nil {
		return nil, fmt.Errorf("look up bookings: %w", err)
	}
	others = slices.DeleteFunc(others, func(other purser.Ordinal) bool { return other == o })
	return others[:min(len(others), MaxLinked)], nil
}

// bookings returns the blind indexes of the bookings of a customer, under every
// key in force: the others of a booking may be under another than he is.
func (b *Book) bookings(ctx context.Context, o purser.Ordinal, bit purser.Field) ([]seal.Index, error) {
	r, err := b.store.Sealed(ctx, o)
	if errors.Is(err, ErrNoCustomer) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	before, now, err := b.keys.Reindex(r, b.schema)
	if err != nil {
		return nil, err
	}
	var out []seal.Index
	for _, f := range append(before, now...) {
		if f.Field == bit {
			out = append(out, f.Index)
		}
	}
	return out, nil
}
