package record

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"purser"
	"purser/internal/seal"
	"purser/proof"
)

// progress is what earlier runs over the same file wrote.
type progress struct {
	rows    uint64           // whose fate is known
	settled uint64           // rows up to which those of known people are merged
	fates   []fate           // by row from the first
	whose   []purser.Ordinal // of the known ones among them, in order
	changed map[purser.Ordinal]bool
	ids     []purser.CustomerID // of the customers from the first on
}

// written reads what earlier runs wrote.
func (i *importing) written(ctx context.Context) (p progress, err error) {
	p = progress{rows: i.row.Rows, settled: i.row.Settled, changed: map[purser.Ordinal]bool{}}
	for f, err := range i.book.store.Fates(ctx, i.row.File) {
		if err != nil {
			return p, fmt.Errorf("read how far the import is: %w", err)
		}
		if f.Before != uint64(len(p.fates)) {
			return p, errors.New("read how far the import is: a batch is missing")
		}
		p.fates = append(p.fates, f.unpack()...)
		p.whose = append(p.whose, f.Whose...)
	}
	if uint64(len(p.fates)) != p.rows {
		return p, errors.New("read how far the import is: rows are missing")
	}
	for c, err := range i.book.store.Written(ctx, i.row.First, i.next) {
		if err != nil {
			return p, fmt.Errorf("read the customers of the import: %w", err)
		}
		if c.Ordinal != i.row.First+purser.Ordinal(len(p.ids)) {
			return p, errors.New("read the customers of the import: one is missing")
		}
		p.ids = append(p.ids, c.Customer)
		if c.Version > 1 {
			p.changed[c.Ordinal] = true
		}
	}
	return p, nil
}

// resolveAll says of every row whom it is about, in the order of the file.
func (i *importing) resolveAll(ctx context.Context, order <-chan *batch, records chan<- *batch) error {
	var last *batch
	for b := range order {
		<-b.ready
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if i.earlier && last != nil {
			// Whom a row is about may depend on what the batch before changed.
			select {
			case <-last.done:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		if err := i.resolve(ctx, b); err != nil {
			return err
		}
		i.seal(b)
		select {
		case records <- b:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		last = b
	}
	return nil
}

func (i *importing) resolve(ctx context.Context, b *batch) error {
	earlier, err := i.lookups(ctx, b)
	if err != nil {
		return err
	}
	b.first, b.fates.Before = i.next, i.at
	for n := range b.taken {
		t := &b.taken[n]
		i.at++
		if i.at <= i.before.rows {
			if err := i.replay(t); err != nil {
				return err
			}
			b.replays = n + 1
			b.first, b.fates.Before = i.next, i.at
			continue
		}
		if t.fate != fateRejected {
			o, err := i.whose(ctx, t, earlier[n])
			if err != nil {
				return err
			}
			if t.fate, t.ordinal = fateKnown, o; o == 0 {
				t.fate, t.ordinal = fateNew, i.next
				i.next++
			}
			i.people.add(t, t.ordinal)
		}
		b.fates.add(t.fate, t.ordinal)
		if t.fate == fateNew {
			i.found.add(t)
		}
	}
	return nil
}

// replay takes a row whose fate an earlier run wrote down.
func (i *importing) replay(t *taken) error {
	was := i.before.fates[i.at-1]
	if (was == fateRejected) != (t.fate == fateRejected) {
		return ErrOtherOptions // what is refused changed meanwhile
	}
	switch t.fate = was; was {
	case fateRejected:
		return nil
	case fateNew:
		t.ordinal = i.next
		i.next++
		i.found.add(t)
		i.found.name(t.ordinal, i.before.ids[t.ordinal-i.found.first])
	case fateKnown:
		t.ordinal = i.before.whose[0]
		i.before.whose = i.before.whose[1:]
	}
	i.people.add(t, t.ordinal)
	return nil
}

// match is the earlier customer that a row is about, by its number and by its
// e-mail address and name.
type match struct{ number, person purser.Ordinal }

// lookups asks the store about every row of a batch.
func (i *importing) lookups(ctx context.Context, b *batch) ([]match, error) {
	found := make([]match, len(b.taken))
	if !i.earlier || i.at+uint64(len(b.taken)) <= i.before.rows {
		return found, nil
	}
	errs := make([]error, runtime.GOMAXPROCS(0))
	var asking sync.WaitGroup
	for w := range errs {
		asking.Go(func() {
			for n := w; n < len(found) && errs[w] == nil; n += len(errs) {
				if b.taken[n].fate != fateRejected {
					found[n], errs[w] = i.lookup(ctx, &b.taken[n])
				}
			}
		})
	}
	asking.Wait()
	return found, errors.Join(errs...)
}

func (i *importing) lookup(ctx context.Context, t *taken) (m match, err error) {
	if t.unique != (IndexRow{}) {
		holders, err := i.book.holders(ctx, t.unique.Field, t.numbers, 1)
		if err != nil {
			return m, fmt.Errorf("look for a customer: %w", err)
		}
		if len(holders) > 0 {
			m.number = holders[0]
			return m, nil
		}
	}
	if t.person == (seal.Index{}) || len(t.emails) == 0 {
		return m, nil
	}
	holders, err := i.book.holders(ctx, i.book.schema.email(), t.emails, maxHolders)
	if err != nil {
		return m, fmt.Errorf("look for a customer: %w", err)
	}
	for _, o := range holders {
		r, err := i.book.store.Sealed(ctx, o)
		if err != nil {
			return m, fmt.Errorf("look for a customer: %w", err)
		}
		digest, err := i.book.keys.HeldDigest(r, personName, i.book.schema.personOf)
		if err != nil {
			return m, fmt.Errorf("look for a customer: %w", err)
		}
		numbered := t.unique != (IndexRow{}) && r.Holds().Has(t.unique.Field)
		if digest == t.person && !numbered {
			m.person = o
			return m, nil
		}
	}
	return m, nil
}

// email is the field that holds e-mail addresses and finds by them: the first.
func (s *Schema) email() purser.Field {
	i := slices.IndexFunc(s.fields, func(f Field) bool { return f.Form == Email && f.Find != NotFound })
	if i < 0 {
		return 0
	}
	return s.fields[i].Bit
}

// personOf is what tells one person by e-mail address and name.
func (s *Schema) personOf(values map[purser.Field]string) string {
	email, name := "", ""
	for _, f := range s.fields {
		value, ok := values[f.Bit]
		if !ok || f.Form != Email && f.Form != Name {
			continue
		}
		normal, problem := f.normal(value, "")
		if problem != "" {
			continue
		}
		if f.Form == Email {
			email = firstOf(email, normal)
		} else {
			name = firstOf(name, normal)
		}
	}
	if email == "" || name == "" {
		return ""
	}
	return person(email, name)
}

// whose returns whom a row is about: first who has its number, then who has
// its e-mail address and name. Zero: nobody yet.
func (i *importing) whose(ctx context.Context, t *taken, earlier match) (purser.Ordinal, error) {
	if t.unique != (IndexRow{}) {
		if o := i.people.get(t.unique.Field, t.unique.Index); o != 0 {
			return o, nil
		}
		if earlier.number != 0 {
			return earlier.number, nil
		}
	}
	if t.person == (seal.Index{}) {
		return 0, nil
	}
	o := i.people.get(personKey, t.person)
	if o == 0 {
		return earlier.person, nil
	}
	if t.unique == (IndexRow{}) {
		return o, nil
	}
	numbered, err := i.numbered(ctx, o, t.unique.Field)
	if numbered {
		o = 0 // two numbers are two customers
	}
	return o, err
}

// numbered reports whether a customer has a number of his own.
func (i *importing) numbered(ctx context.Context, o purser.Ordinal, field purser.Field) (bool, error) {
	if o >= i.people.first || i.people.own[o] {
		return i.people.numbered(o), nil
	}
	r, err := i.book.store.Sealed(ctx, o)
	if err != nil {
		return false, fmt.Errorf("look for a customer: %w", err)
	}
	return r.Holds().Has(field), nil
}

// seal starts sealing the new customers of a batch.
func (i *importing) seal(b *batch) {
	var rows []*taken
	for n := b.replays; n < len(b.taken); n++ {
		if b.taken[n].fate == fateNew {
			rows = append(rows, &b.taken[n])
		}
	}
	if len(rows) == 0 || i.options.DryRun {
		return
	}
	b.made, b.leaves = make([]Customer, len(rows)), make([]purser.Hash, len(rows))
	parts := runtime.GOMAXPROCS(0)
	for w := range parts {
		b.sealed.Go(func() {
			from, to := w*len(rows)/parts, (w+1)*len(rows)/parts
			i.fail(i.sealRows(rows[from:to], b.made[from:to], b.leaves[from:to]))
		})
	}
}

func (i *importing) sealRows(rows []*taken, made []Customer, leaves []purser.Hash) error {
	ids, err := drawIDs(len(rows))
	if err != nil {
		return err
	}
	var scratch []byte
	for n, t := range rows {
		whose := seal.Subject{Customer: ids[n], Ordinal: t.ordinal, Version: 1}
		r, err := i.book.keys.SealValues(whose, t.values)
		if err != nil {
			return fmt.Errorf("seal customer: %w", err)
		}
		scratch = leaf(scratch[:0], r)
		leaves[n] = proof.LeafHash(scratch)
		for e := range t.expiry {
			t.expiry[e].Ordinal = t.ordinal
		}
		made[n] = Customer{Record: r, Channels: t.channels, Expires: t.expiry}
	}
	return nil
}
