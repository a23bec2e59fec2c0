package record

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"purser"
	"purser/internal/fold"
	"purser/internal/ledger"
	"purser/internal/seal"
	"purser/proof"
)

// recordAll writes batches in the order of the file.
func (i *importing) recordAll(ctx context.Context, records <-chan *batch) error {
	for b := range records {
		b.sealed.Wait()
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if err := i.record(ctx, b); err != nil {
			return err
		}
		if len(i.waiting) >= i.options.Batch {
			if err := i.flush(ctx); err != nil {
				return err
			}
		}
		close(b.done)
		if i.options.Progress != nil {
			i.options.Progress(b.chunk.read, i.input.total)
		}
	}
	if len(i.waiting) == 0 && len(i.fates) == 0 || context.Cause(ctx) != nil {
		return nil
	}
	return i.flush(ctx)
}

// record writes the new customers of a batch, and takes note of its other rows.
func (i *importing) record(ctx context.Context, b *batch) error {
	row, at := i.row, b.fates.Before-uint64(b.replays)
	var made Tally
	for n := range b.taken {
		t := &b.taken[n]
		at++
		switch t.fate {
		case fateRejected:
			if err := i.rejected(t.reject); err != nil {
				return err
			}
			if n >= b.replays {
				made.Rejected++
			}
		case fateNew:
			if n >= b.replays {
				made.New++
			}
		case fateKnown:
			if at > i.before.settled {
				i.waiting = append(i.waiting, &known{*t, at, t.ordinal})
			}
		}
	}
	if b.replays == len(b.taken) {
		return nil
	}
	i.fates = append(i.fates, b.fates)
	row.Tally.add(made)
	row.Rows = b.fates.Before + uint64(b.fates.Count)
	if made == (Tally{}) {
		return nil // the entry that merges them tells of it
	}
	if i.options.DryRun {
		i.row, i.fates = row, nil
		return nil
	}
	var tree proof.Frontier
	for _, l := range b.leaves {
		tree.Append(l)
	}
	e := &purser.Import{
		File: row.File, Count: uint32(len(b.made)), Rejected: uint32(made.Rejected), Root: tree.Root(), By: i.by,
	}
	if e.Count > 0 {
		e.First = b.first
	}
	inTurn := func(s *fold.State) bool { return e.Count == 0 || e.First == s.Standing().Ordinals()+1 }
	err := i.propose(ctx, e, inTurn, func(tx ledger.Tx, pos purser.Pos, _ purser.Stamp) error {
		return errors.Join(i.book.store.PutSealed(tx, pos, b.made), i.keep(tx, row))
	})
	if err != nil {
		return fmt.Errorf("record batch that ends with row %d: %w", row.Rows, err)
	}
	for n, t := range b.made {
		i.found.name(t.Record.Ordinal, b.made[n].Record.Customer)
	}
	i.row, i.fates, b.made = row, nil, nil
	return nil
}

func (i *importing) rejected(r *Reject) error {
	if len(i.sum.Rejects) < maxRejects {
		i.sum.Rejects = append(i.sum.Rejects, r)
	}
	if i.options.Reject == nil {
		return nil
	}
	return i.options.Reject(r)
}

// keep writes how far the import is.
func (i *importing) keep(tx ledger.Tx, row ImportRow) error {
	if err := i.book.store.PutImport(tx, row); err != nil {
		return err
	}
	return i.book.store.PutFates(tx, row.File, i.fates)
}

// propose records one entry with its rows, unless the import may not go on.
func (i *importing) propose(ctx context.Context, e purser.Entry, may func(*fold.State) bool, rows func(ledger.Tx, purser.Pos, purser.Stamp) error) error {
	var stamp purser.Stamp
	decide := func(s *fold.State, at purser.Stamp) purser.Entry {
		if !keeps(s.Standing().Door(at)) || !may(s) {
			return nil
		}
		stamp = at // the rows of a decision run after it, in the same goroutine
		return e
	}
	write := func(tx ledger.Tx, pos purser.Pos, _ purser.Entry) error { return rows(tx, pos, stamp) }
	receipt, err := i.log.ProposeRows(ctx, i.by.Vendor, decide, write)
	if err != nil {
		return err
	}
	if receipt.Recorded() {
		i.sum.Entries++
		return nil
	}
	if err := mayKeep(ctx, i.log); err != nil {
		return err
	}
	return errOutOfTurn
}

// merging is what the waiting rows about one customer make of his record.
type merging struct {
	rows    []*known
	held    bool // by a legal hold, as far as a look before says
	made    Rewriting
	was     uint32 // the version that was read
	wrote   bool
	tally   Tally
	rejects []*Reject
}

// flush merges the rows that wait, at most a batch's and a batch more.
func (i *importing) flush(ctx context.Context) error {
	const tries = 3
	var err error
	for range tries {
		if err = i.merge(ctx); !errors.Is(err, ErrStale) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("merge rows of people who are there: %w", err)
	}
	return nil
}

func (i *importing) merge(ctx context.Context) error {
	all, err := i.mergings(ctx)
	if err != nil {
		return err
	}
	row := i.row
	row.Settled = row.Rows
	if n := len(i.fates); n > 0 {
		row.Rows = i.fates[n-1].Before + uint64(i.fates[n-1].Count)
		row.Settled = row.Rows
	}
	var tally Tally
	var made []*merging
	var tree proof.Frontier
	var scratch []byte
	for _, m := range all {
		tally.add(m.tally)
		if m.wrote {
			made = append(made, m)
			scratch = leaf(scratch[:0], m.made.Record)
			tree.Append(proof.LeafHash(scratch))
		}
	}
	row.Tally.add(tally)
	if i.options.DryRun {
		i.row, i.waiting, i.fates = row, nil, nil
		return i.tell(all)
	}
	e := &purser.Merged{
		File: row.File, Changed: uint32(tally.Changed), Same: uint32(tally.Same), Merged: uint32(tally.Merged),
		Root: tree.Root(), By: i.by,
	}
	stale := false
	err = i.propose(ctx, e, func(s *fold.State) bool {
		stale = !i.free(s, made)
		return !stale
	}, func(tx ledger.Tx, pos purser.Pos, at purser.Stamp) error {
		return errors.Join(i.rewrite(tx, pos, made, at), i.keep(tx, row))
	})
	if errors.Is(err, errOutOfTurn) && stale {
		return ErrStale
	}
	if err != nil {
		return err
	}
	for _, m := range made {
		i.found.rewritten(m.made.Record.Ordinal)
	}
	i.row, i.waiting, i.fates = row, nil, nil
	return i.tell(all)
}

// free reports whether what is about to be written changes nobody whom a legal
// hold keeps as he is, where the entry lands. Those whom the running import
// brought in are nobody's yet.
func (i *importing) free(s *fold.State, made []*merging) bool {
	return !slices.ContainsFunc(made, func(m *merging) bool {
		o := m.made.Record.Ordinal
		return o < i.found.first && s.Keeping().Held(o)
	})
}

// tell reports the rows that could not be merged.
func (i *importing) tell(all []*merging) error {
	for _, m := range all {
		for _, r := range m.rejects {
			if err := i.rejected(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// rewrite writes the records anew, unless somebody else did meanwhile; nobody
// can those of the running import.
func (i *importing) rewrite(tx ledger.Tx, pos purser.Pos, all []*merging, at purser.Stamp) error {
	for _, m := range all {
		w := m.made
		w.Channels, w.Past = slices.Clone(w.Channels), slices.Clone(w.Past)
		for n := range w.Channels {
			if w.Channels[n].Since == undated {
				w.Channels[n].Since = at
			}
		}
		for n := range w.Past {
			w.Past[n].Replaced, w.Past[n].Until = at, at+PastLife
		}
		if w.Record.Ordinal < i.found.first {
			now, err := i.book.store.SealedIn(tx, w.Record.Ordinal)
			if err != nil || now.Version != m.was {
				return errors.Join(err, ErrStale)
			}
		}
		if err := i.book.store.Rewrite(tx, pos, w); err != nil {
			return err
		}
	}
	return nil
}

// undated marks a channel that changed at the entry's own stamp.
const undated = ^purser.Stamp(0) >> 1

// mergings works out what becomes of every customer whom a waiting row is
// about, ascending by ordinal.
func (i *importing) mergings(ctx context.Context) ([]*merging, error) {
	by := map[purser.Ordinal]*merging{}
	var all []*merging
	for _, k := range i.waiting {
		m := by[k.whose]
		if m == nil {
			m = new(merging)
			m.made.Record.Ordinal = k.whose
			by[k.whose] = m
			all = append(all, m)
		}
		m.rows = append(m.rows, k)
	}
	slices.SortFunc(all, func(a, b *merging) int { return int(a.made.Record.Ordinal) - int(b.made.Record.Ordinal) })
	err := i.log.Look(ctx, func(s *fold.State, _ purser.Stamp) error {
		for _, m := range all {
			m.held = s.Keeping().Held(m.made.Record.Ordinal)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	errs := make([]error, runtime.GOMAXPROCS(0))
	var working sync.WaitGroup
	for w := range errs {
		working.Go(func() {
			for n := w; n < len(all) && errs[w] == nil; n += len(errs) {
				errs[w] = i.work(ctx, all[n])
			}
		})
	}
	working.Wait()
	return all, errors.Join(errs...)
}

// work merges the rows about one customer into his record, in the order of the
// file.
func (i *importing) work(ctx context.Context, m *merging) error {
	o := m.made.Record.Ordinal
	own := o >= i.found.first
	if own && i.options.DryRun {
		m.tally.Merged += uint64(len(m.rows))
		return nil
	}
	r, err := i.book.store.Sealed(ctx, o)
	if errors.Is(err, ErrNoCustomer) {
		return i.gone(m)
	}
	if err != nil {
		return err
	}
	m.was, m.made.Record = r.Version, r
	for _, k := range m.rows {
		set := make(map[purser.Field]string, len(k.values))
		for _, v := range k.values {
			set[v.Field] = v.Text
		}
		out, err := i.book.keys.Rewrite(m.made.Record, set, merger{i.book.schema})
		if err != nil {
			return err
		}
		switch {
		case own:
			m.tally.Merged++
		case out.Wrote == 0:
			m.tally.Same++
		case m.held:
			m.tally.Rejected++
			m.rejects = append(m.rejects, &Reject{Line: k.line, Problem: "would change a customer under a legal hold"})
			continue
		default:
			m.tally.Changed++
		}
		if out.Wrote != 0 {
			m.wrote = true
			m.take(i.book, out, k, own)
		}
	}
	return nil
}

// gone counts rows whose customer was erased between two runs.
func (i *importing) gone(m *merging) error {
	for _, k := range m.rows {
		m.tally.Rejected++
		m.rejects = append(m.rejects, &Reject{Line: k.line, Problem: "is about a customer who is gone"})
	}
	return nil
}

// take adds what one row changed. Customers of the running import are not
// found by anything yet: their indexes are made when it ends.
func (m *merging) take(b *Book, out seal.Rewritten, k *known, own bool) {
	w, before := &m.made, m.made.Record.Version
	w.Record = out.Record
	for _, c := range k.channels {
		changed := slices.ContainsFunc(out.Come, func(f seal.Found) bool { return f.Field == c.Field })
		if !changed {
			continue
		}
		if !own {
			c.Since = undated // whatever the file says: a channel is new to whoever had another (72 h)
		}
		w.Channels = append(slices.DeleteFunc(w.Channels, func(o ChannelRow) bool { return o.Field == c.Field }), c)
	}
	for _, e := range k.expiry {
		e.Ordinal = w.Record.Ordinal
		w.Expiries = append(slices.DeleteFunc(w.Expiries, func(o ExpiryRow) bool { return o.Field == e.Field }), e)
	}
	if own {
		return
	}
	for _, p := range out.Past {
		if _, ok := b.pastOf(p.Field, Writing{}); ok {
			w.Past = append(w.Past, PastRow{Field: p.Field, Version: before, Sealed: p.Sealed})
		}
	}
	gone, come := rowsOf(out.Gone), rowsOf(out.Come)
	w.Come = append(without(w.Come, gone), come...)
	w.Gone = without(append(w.Gone, gone...), w.Come)
}

func rowsOf(found []seal.Found) []IndexRow {
	var out []IndexRow
	for _, f := range found {
		out = append(out, IndexRow{f.Field, f.Index})
	}
	return out
}

func without(list, other []IndexRow) []IndexRow {
	return slices.DeleteFunc(slices.Clone(list), func(r IndexRow) bool { return slices.Contains(other, r) })
}

// merger is a schema to which another way of writing a value is the same.
type merger struct{ *Schema }

// Alike implements seal.Alike: names and mail addresses stay as they were
// written first.
func (s merger) Alike(bit purser.Field, before, after string) bool {
	i, ok := s.full[bit]
	if !ok || before == "" {
		return false
	}
	field := s.fields[i]
	if field.Form != Email && field.Form != Name {
		return false
	}
	a, problemA := field.normal(before, "")
	b, problemB := field.normal(after, "")
	return problemA == "" && problemB == "" && a == b && (field.Form == Email || hasLatin(before) || !hasLatin(after))
}
