package record

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"

	"purser"
	"purser/internal/fold"
	"purser/internal/ledger"
	"purser/internal/seal"
	"purser/proof"
)

// Sizes of batches in rows of the file.
const (
	defaultBatch = 1000
	maxBatch     = 10_000
	maxRejects   = 1000 // that a summary lists
)

// Ledger is where imports are recorded.
type Ledger = ledger.Log[*fold.State]

// ImportOptions say how a file is read. The zero value is usable.
type ImportOptions struct {
	Region   string                  // completes phone numbers without country code
	Batch    int                     // rows an entry; zero means 1,000, at most 10,000
	Progress func(done, total int64) // bytes; may be nil
}

// Summary is what became of the rows of a file:
// Read = Imported + Skipped + Rejected.
type Summary struct {
	File     purser.Hash
	Read     uint64
	Imported uint64
	Skipped  uint64 // done by an earlier import of the same file
	Rejected uint64
	Rejects  []*Reject // the first 1,000
	Batches  int       // entries written
}

// ErrFileChanged says that a file was written to while it was read.
var ErrFileChanged = errors.New("the file changed while it was read: import it again")

// errOutOfTurn says that ordinals were given to somebody else meanwhile.
var errOutOfTurn = errors.New("another import took its numbers: import the file again")

// Import brings in the customers of a CSV file whose header names the schema's
// columns. r is read twice: a first pass checks the structure of the whole
// file and takes its hash, so that a file that cannot be read to its end
// changes nothing.
//
// Rows are taken in batches. Each is one entry, all or nothing; rows that break
// a rule are left out and reported. An import that was ended anywhere goes on
// where it stopped when the same file is given again, and a file that is done
// changes nothing. On an error the summary tells what was done before it.
//
// Until the bootstrap door is sealed it fails with a *purser.Refusal, except in
// a labelled directory.
func (b *Book) Import(ctx context.Context, log *Ledger, by purser.Actor, r io.Reader, o ImportOptions) (Summary, error) {
	b.importing.Lock()
	defer b.importing.Unlock()
	if err := mayKeep(ctx, log); err != nil {
		return Summary{}, err
	}
	input, err := rewind(r)
	if err != nil {
		return Summary{}, err
	}
	i := &importing{book: b, log: log, by: by, options: o}
	if err := i.survey(ctx, input); err != nil {
		return i.sum, err
	}
	return i.sum, i.run(ctx, input)
}

// mayKeep refuses customers before the door is sealed, outside labelled
// directories.
func mayKeep(ctx context.Context, log *Ledger) error {
	var door purser.DoorState
	err := log.Look(ctx, func(s *fold.State, at purser.Stamp) error {
		door = s.Standing().Door(at)
		return nil
	})
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	if keeps(door) {
		return nil
	}
	return fmt.Errorf("no customer is kept before the bootstrap door is sealed (run purser seal): %w",
		&purser.Refusal{Reason: purser.NotSealed})
}

func keeps(door purser.DoorState) bool {
	return door == purser.DoorSealed || door == purser.DoorLabelled
}

// importing is one run over one file.
type importing struct {
	book    *Book
	log     *Ledger
	by      purser.Actor
	options ImportOptions

	sum     Summary
	start   int64 // of the file in its reader
	total   int64 // bytes
	columns *columns

	done  uint64 // rows of the file that are behind us
	batch []*plain
	taken map[IndexRow]bool // unique indexes in batch
	bad   uint32            // rows rejected since the last entry
}

// survey reads the whole file once, for its hash and its structure.
func (i *importing) survey(ctx context.Context, input io.ReadSeeker) error {
	var err error
	if i.start, err = input.Seek(0, io.SeekCurrent); err != nil {
		return fmt.Errorf("find the start of the file: %w", err)
	}
	in, err := openRows(input)
	if err != nil {
		return err
	}
	if i.columns, err = i.book.schema.columns(in.header); err != nil {
		return err
	}
	for err == nil {
		if err = ctx.Err(); err == nil {
			_, err = in.next()
		}
	}
	if !errors.Is(err, io.EOF) {
		return err
	}
	i.sum.File, i.total = in.digest(), in.input.total
	return nil
}

func (i *importing) run(ctx context.Context, input io.ReadSeeker) error {
	before, err := i.book.store.RowsDone(ctx, i.sum.File)
	if err != nil {
		return fmt.Errorf("look for an earlier import: %w", err)
	}
	if _, err := input.Seek(i.start, io.SeekStart); err != nil {
		return fmt.Errorf("go back to the start of the file: %w", err)
	}
	in, err := openRows(input)
	if err != nil {
		return err
	}
	i.clear()
	for {
		cells, err := in.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		i.sum.Read++
		if i.sum.Read <= before {
			i.sum.Skipped++
			i.done++
			continue
		}
		if err := i.row(ctx, cells, in.line()); err != nil {
			return err
		}
		if err := i.flushFull(ctx, in); err != nil {
			return err
		}
	}
	if in.digest() != i.sum.File {
		return ErrFileChanged
	}
	return i.flush(ctx, in)
}

// row takes one row into the batch or rejects it.
func (i *importing) row(ctx context.Context, cells []string, line int) error {
	i.done++
	p, err := i.book.read(cells, i.columns, line, i.options.Region)
	if err == nil {
		err = i.alone(ctx, p, line)
	}
	var reject *Reject
	if errors.As(err, &reject) {
		i.bad++
		i.sum.Rejected++
		if len(i.sum.Rejects) < maxRejects {
			i.sum.Rejects = append(i.sum.Rejects, reject)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("line %d: %w", line, err)
	}
	i.batch = append(i.batch, p)
	return nil
}

// alone rejects a row whose unique value somebody has.
func (i *importing) alone(ctx context.Context, p *plain, line int) error {
	for _, row := range slices.Concat(p.older, p.unique) {
		holders, err := i.book.store.Holders(ctx, row, 1)
		if err != nil {
			return fmt.Errorf("look for duplicates: %w", err)
		}
		if len(holders) > 0 || i.taken[row] {
			bit, _ := i.book.schema.Bit(row.Field)
			return &Reject{line, bit.Field.Name, "is that of another customer"}
		}
	}
	for _, row := range p.unique {
		i.taken[row] = true
	}
	return nil
}

func (i *importing) flushFull(ctx context.Context, in *rows) error {
	size := i.options.Batch
	if size <= 0 {
		size = defaultBatch
	}
	if len(i.batch)+int(i.bad) < min(size, maxBatch) {
		return nil
	}
	return i.flush(ctx, in)
}

func (i *importing) clear() {
	i.batch, i.bad, i.taken = nil, 0, make(map[IndexRow]bool)
}

// flush seals the batch and records it.
func (i *importing) flush(ctx context.Context, in *rows) error {
	if len(i.batch) == 0 && i.bad == 0 {
		return nil
	}
	first, err := i.firstFree(ctx)
	if err != nil {
		return err
	}
	customers, root, err := i.sealAll(first)
	if err != nil {
		return err
	}
	e := &purser.Import{File: i.sum.File, Count: uint32(len(customers)), Rejected: i.bad, Root: root, By: i.by}
	if e.Count > 0 {
		e.First = first
	}
	if err := i.record(ctx, e, customers); err != nil {
		return err
	}
	i.sum.Imported += uint64(e.Count)
	i.sum.Batches++
	i.clear()
	if i.options.Progress != nil {
		i.options.Progress(in.input.total, i.total)
	}
	return nil
}

func (i *importing) firstFree(ctx context.Context) (purser.Ordinal, error) {
	var first purser.Ordinal
	err := i.log.Look(ctx, func(s *fold.State, _ purser.Stamp) error {
		first = s.Standing().Ordinals() + 1
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("number the customers: %w", err)
	}
	return first, nil
}

func (i *importing) sealAll(first purser.Ordinal) ([]Customer, purser.Hash, error) {
	customers := make([]Customer, 0, len(i.batch))
	var tree proof.Frontier
	for n, p := range i.batch {
		whose := seal.Subject{Ordinal: first + purser.Ordinal(n), Version: 1}
		if _, err := rand.Read(whose.Customer[:]); err != nil {
			return nil, purser.Hash{}, fmt.Errorf("draw identifier: %w", err)
		}
		r, err := i.book.keys.Seal(whose, p.values)
		if err != nil {
			return nil, purser.Hash{}, fmt.Errorf("seal customer: %w", err)
		}
		tree.Append(proof.LeafHash(leaf(r)))
		customers = append(customers, Customer{Record: r, Indexes: p.indexes, Channels: p.channels})
	}
	return customers, tree.Root(), nil
}

// record writes one batch: entry and rows in one transaction.
func (i *importing) record(ctx context.Context, e *purser.Import, customers []Customer) error {
	store, done := i.book.store, i.done
	decide := func(s *fold.State, at purser.Stamp) purser.Entry {
		outOfTurn := e.Count > 0 && e.First != s.Standing().Ordinals()+1
		if outOfTurn || !keeps(s.Standing().Door(at)) {
			return nil
		}
		return e
	}
	write := func(tx ledger.Tx, pos purser.Pos, _ purser.Entry) error {
		b := Batch{Pos: pos, File: e.File, Rows: done, First: e.First, Count: e.Count, Rejected: e.Rejected}
		if err := store.PutCustomers(tx, pos, customers); err != nil {
			return err
		}
		return store.PutBatch(tx, b)
	}
	receipt, err := i.log.ProposeRows(ctx, i.by.Vendor, decide, write)
	if err != nil {
		return fmt.Errorf("record batch that ends with row %d: %w", done, err)
	}
	if receipt.Recorded() {
		return nil
	}
	if err := mayKeep(ctx, i.log); err != nil {
		return err
	}
	return errOutOfTurn
}
