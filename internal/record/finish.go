package record

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"purser"
	"purser/internal/fold"
	"purser/internal/ledger"
	"purser/internal/seal"
)

// atOnce is how many index rows one transaction writes: little enough that
// neither others wait long nor the write-ahead log grows.
const atOnce = 20_000

// IndexEntry is one blind index of somebody.
type IndexEntry struct {
	IndexRow
	Ordinal purser.Ordinal
}

// NameEntry is the outward identifier of somebody.
type NameEntry struct {
	Customer purser.CustomerID
	Ordinal  purser.Ordinal
}

// findable is what the customers of a running import will be found by, in
// memory: 20 bytes an index, 16 an identifier.
type findable struct {
	first   purser.Ordinal
	fields  [purser.MaxField + 1][]pointer
	ids     []purser.CustomerID // by ordinal from first
	changed []uint64            // bit by ordinal from first: its record was written anew
}

type pointer struct {
	index   seal.Index
	ordinal purser.Ordinal
}

func newFindable(first purser.Ordinal) *findable { return &findable{first: first} }

func (f *findable) add(t *taken) {
	for _, row := range t.indexes {
		f.fields[row.Field] = append(f.fields[row.Field], pointer{row.Index, t.ordinal})
	}
}

func (f *findable) name(o purser.Ordinal, id purser.CustomerID) {
	for int(o-f.first) >= len(f.ids) {
		f.ids = append(f.ids, purser.CustomerID{})
	}
	f.ids[o-f.first] = id
}

func (f *findable) rewritten(o purser.Ordinal) {
	if o < f.first {
		return
	}
	for int(o-f.first)/64 >= len(f.changed) {
		f.changed = append(f.changed, 0)
	}
	f.changed[(o-f.first)/64] |= 1 << ((o - f.first) % 64)
}

func (f *findable) isChanged(o purser.Ordinal) bool {
	i := int(o-f.first) / 64
	return i < len(f.changed) && f.changed[i]&(1<<((o-f.first)%64)) != 0
}

// finish makes the customers of the file findable.
func (i *importing) finish(ctx context.Context) error {
	if i.options.DryRun {
		return nil
	}
	i.people = nil
	for o := range i.before.changed {
		i.found.rewritten(o)
	}
	if err := i.found.refresh(ctx, i.book); err != nil {
		return err
	}
	for f := range i.found.fields {
		if err := i.putIndexes(ctx, purser.Field(f)); err != nil {
			return fmt.Errorf("write indexes: %w", err)
		}
		i.found.fields[f] = nil
	}
	if err := i.putNames(ctx); err != nil {
		return fmt.Errorf("write identifiers: %w", err)
	}
	return i.closing(ctx)
}

// refresh replaces what the records that were written anew are found by.
func (f *findable) refresh(ctx context.Context, b *Book) error {
	var list []purser.Ordinal
	for n, word := range f.changed {
		for bit := range purser.Ordinal(64) {
			if word&(1<<bit) != 0 {
				list = append(list, f.first+purser.Ordinal(n)*64+bit)
			}
		}
	}
	if len(list) == 0 {
		return nil
	}
	for n := range f.fields {
		f.fields[n] = slices.DeleteFunc(f.fields[n], func(p pointer) bool { return f.isChanged(p.ordinal) })
	}
	parts := make([][]IndexEntry, runtime.GOMAXPROCS(0))
	errs := make([]error, len(parts))
	var working sync.WaitGroup
	for w := range parts {
		working.Go(func() {
			for n := w; n < len(list) && errs[w] == nil; n += len(parts) {
				parts[w], errs[w] = b.foundBy(ctx, list[n], parts[w])
			}
		})
	}
	working.Wait()
	for _, part := range parts {
		for _, e := range part {
			f.fields[e.Field] = append(f.fields[e.Field], pointer{e.Index, e.Ordinal})
		}
	}
	return errors.Join(errs...)
}

// foundBy appends what a customer's record is found by from now on.
func (b *Book) foundBy(ctx context.Context, o purser.Ordinal, to []IndexEntry) ([]IndexEntry, error) {
	r, err := b.store.Sealed(ctx, o)
	if err != nil {
		return to, fmt.Errorf("read record: %w", err)
	}
	_, now, err := b.keys.Reindex(r, b.schema)
	if err != nil {
		return to, fmt.Errorf("find out what a record is found by: %w", err)
	}
	for _, f := range now {
		to = append(to, IndexEntry{IndexRow(f), o})
	}
	return to, nil
}

// putIndexes writes the indexes of one field in ascending order. While one part
// is written the next ones are sorted.
func (i *importing) putIndexes(ctx context.Context, field purser.Field) error {
	parts := split256(i.found.fields[field])
	i.found.fields[field] = nil
	sorted := inOrder(parts, func(p []pointer) {
		slices.SortFunc(p, func(a, b pointer) int {
			if c := bytes.Compare(a.index[:], b.index[:]); c != 0 {
				return c
			}
			return int(a.ordinal) - int(b.ordinal)
		})
	})
	out := make([]IndexEntry, 0, atOnce)
	flush := func() error {
		err := i.book.store.PutIndexes(ctx, out)
		out = out[:0]
		return err
	}
	var err error
	for p := range sorted {
		for _, e := range p {
			if len(out) == atOnce && err == nil {
				err = flush()
			}
			if err == nil {
				out = append(out, IndexEntry{IndexRow{field, e.index}, e.ordinal})
			}
		}
	}
	if err == nil && len(out) > 0 {
		err = flush()
	}
	return err
}

// split256 puts pointers into 256 parts by the first byte of their index.
func split256(all []pointer) [][]pointer {
	var counts [256]int
	for n := range all {
		counts[all[n].index[0]]++
	}
	parts := make([][]pointer, 256)
	for b, n := range counts {
		parts[b] = make([]pointer, 0, n)
	}
	for _, p := range all {
		b := p.index[0]
		parts[b] = append(parts[b], p)
	}
	return parts
}

// inOrder yields the parts in their order, each after sort was called with it.
// The next ones are sorted meanwhile. It must be read to its end.
func inOrder[T any](parts [][]T, sort func([]T)) <-chan []T {
	queue := make(chan chan []T, 4)
	out := make(chan []T)
	go func() {
		defer close(queue)
		for _, p := range parts {
			done := make(chan []T, 1)
			queue <- done
			go func() { sort(p); done <- p }()
		}
	}()
	go func() {
		defer close(out)
		for done := range queue {
			out <- <-done
		}
	}()
	return out
}

func (i *importing) putNames(ctx context.Context) error {
	all := make([]NameEntry, len(i.found.ids))
	for n, id := range i.found.ids {
		all[n] = NameEntry{id, i.found.first + purser.Ordinal(n)}
	}
	i.found.ids = nil
	slices.SortFunc(all, func(a, b NameEntry) int { return bytes.Compare(a.Customer[:], b.Customer[:]) })
	for part := range slices.Chunk(all, atOnce) {
		if err := i.book.store.PutNames(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

// closing ends the import.
func (i *importing) closing(ctx context.Context) error {
	row := i.row
	row.Ended = true
	e := &purser.ImportClosed{
		File: row.File, Read: row.Tally.Sum(), New: row.New, Changed: row.Changed, Same: row.Same,
		Merged: row.Merged, Rejected: row.Rejected, By: i.by,
	}
	err := i.propose(ctx, e, func(*fold.State) bool { return true }, func(tx ledger.Tx, _ purser.Pos, _ purser.Stamp) error {
		return errors.Join(i.book.store.PutImport(tx, row), i.book.store.DropFates(tx, row.File))
	})
	if err != nil {
		return fmt.Errorf("end the import: %w", err)
	}
	i.row = row
	return nil
}

// Abandon gives an import up that has not ended: its customers, whom nobody can
// find, are dropped with their keys. What it changed of earlier customers stays.
func (b *Book) Abandon(ctx context.Context, log *Ledger, by purser.Actor) (Summary, error) {
	b.importing.Lock()
	defer b.importing.Unlock()
	row, err := b.store.OpenImport(ctx)
	if err != nil {
		return Summary{}, fmt.Errorf("look for an import that has not ended: %w", err)
	}
	i := &importing{book: b, log: log, by: by, row: row}
	var last purser.Ordinal
	err = log.Look(ctx, func(s *fold.State, _ purser.Stamp) error { last = s.Standing().Ordinals(); return nil })
	if err != nil {
		return Summary{}, fmt.Errorf("give an import up: %w", err)
	}
	if err := b.store.DropCustomers(ctx, row.First, last); err != nil {
		return Summary{}, fmt.Errorf("give an import up: %w", err)
	}
	e := &purser.ImportClosed{
		File: row.File, Read: row.Tally.Sum(), New: row.New, Changed: row.Changed, Same: row.Same,
		Merged: row.Merged, Rejected: row.Rejected, By: by, Reason: purser.ImportGivenUp,
	}
	err = i.propose(ctx, e, func(*fold.State) bool { return true }, func(tx ledger.Tx, _ purser.Pos, _ purser.Stamp) error {
		return errors.Join(b.store.DropImport(tx, row.File), b.store.DropFates(tx, row.File))
	})
	if err != nil {
		return Summary{}, fmt.Errorf("give an import up: %w", err)
	}
	return Summary{File: row.File, Read: row.Tally.Sum(), Tally: row.Tally, Entries: 1}, nil
}

// drawIDs draws identifiers.
func drawIDs(n int) ([]purser.CustomerID, error) {
	ids := make([]purser.CustomerID, n)
	var all [16 * 64]byte
	for from := 0; from < n; from += 64 {
		if _, err := rand.Read(all[:]); err != nil {
			return nil, fmt.Errorf("draw identifiers: %w", err)
		}
		for k := from; k < min(from+64, n); k++ {
			copy(ids[k][:], all[16*(k-from):])
		}
	}
	return ids, nil
}

// hasLatin reports whether a name is written in Latin letters, or has such a
// writing beside another.
func hasLatin(name string) bool {
	return strings.ContainsFunc(name, func(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' })
}
