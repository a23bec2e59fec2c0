package record

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"

	"purser"
	"purser/internal/fold"
	"purser/internal/ledger"
)

// Sizes of an import.
const (
	maxBatch   = 10_000 // rows an entry
	maxRejects = 1000   // that a summary lists
	// MaxRows is how many rows one file may have: an import keeps about 100
	// bytes of each in memory. A larger file is given in parts, one after the
	// other, which comes to the same.
	MaxRows = 100_000_000
)

// Ledger is where imports are recorded.
type Ledger = ledger.Log[*fold.State]

// ImportOptions say how a file is read. The zero value is usable.
type ImportOptions struct {
	Region   string                  // completes phone numbers without country code
	Mapping  *Mapping                // nil: columns bear the schema's names
	Batch    int                     // rows an entry; zero means 10,000, which is the most
	DryRun   bool                    // does everything but write
	Spool    string                  // directory on the disk of the database, for what can be read only once
	Reject   func(*Reject) error     // gets every reject of this run, in order; may be nil
	Progress func(done, total int64) // bytes; may be nil
}

// Tally counts rows by what became of them.
type Tally struct {
	New      uint64 // brought a customer in
	Changed  uint64 // changed a customer of an earlier import
	Same     uint64 // said of one what his record says
	Merged   uint64 // were about somebody whom an earlier row of the file brought in
	Rejected uint64
}

func (t *Tally) add(o Tally) {
	t.New += o.New
	t.Changed += o.Changed
	t.Same += o.Same
	t.Merged += o.Merged
	t.Rejected += o.Rejected
}

// Sum is how many rows were read.
func (t Tally) Sum() uint64 { return t.New + t.Changed + t.Same + t.Merged + t.Rejected }

// Summary is what became of the rows of a file: Read is the sum of the Tally,
// also of an import that was killed and went on.
type Summary struct {
	File purser.Hash
	Read uint64
	Tally
	Before  uint64    // rows that an earlier run had done already
	Rejects []*Reject // the first 1,000 of this run
	Entries int       // written by this run
	Already bool      // the file was in: nothing was done
}

// Conditions of an import.
var (
	// ErrFileChanged says that a file was written to while it was read.
	ErrFileChanged = errors.New("the file changed while it was read: give its import up and import it again")
	// ErrUnfinished says that another file's import has not ended.
	ErrUnfinished = errors.New("the import of another file has not ended")
	// ErrOtherOptions says that an import goes on with another mapping, region
	// or schema than it began with.
	ErrOtherOptions = errors.New("the import of this file began with another mapping, region or schema")
	// ErrNoImport says that there is no such import.
	ErrNoImport = errors.New("no such import")
	// errOutOfTurn says that ordinals were given to somebody else meanwhile.
	errOutOfTurn = errors.New("another import took its numbers: import the file again")
)

// Import brings in the customers of a file: CSV, or JSON Lines where it begins
// with a brace, plain or compressed with gzip or zstd.
//
// Rows are taken in batches, each of which is all or nothing; rows that break a
// rule are left out and reported. A row about somebody who is there is merged
// into his record: the value that comes later counts, an empty one says
// nothing. Nobody can be found before the closing entry. An import that was
// ended anywhere goes on where it stopped when the same file is given again,
// and a file that is done changes nothing. On an error the summary tells what
// was done before it.
//
// Until the bootstrap door is sealed it fails with a *purser.Refusal, except in
// a labelled directory.
func (b *Book) Import(ctx context.Context, log *Ledger, by purser.Actor, r io.Reader, o ImportOptions) (sum Summary, err error) {
	b.importing.Lock()
	defer b.importing.Unlock()
	if err := mayKeep(ctx, log); err != nil {
		return Summary{}, err
	}
	in, err := openInput(ctx, r, o.Spool)
	if err != nil {
		return Summary{}, err
	}
	defer func() { err = errors.Join(err, in.close()) }()
	if o.Batch <= 0 || o.Batch > maxBatch {
		o.Batch = maxBatch
	}
	i := &importing{book: b, log: log, by: by, options: o, input: in}
	i.sum.File = in.hash
	err = i.run(ctx)
	i.sum.Read, i.sum.Tally = i.row.Tally.Sum(), i.row.Tally
	return i.sum, err
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

// importing is one run over one file. Its stages work on a few batches at a
// time: one goroutine splits the text, several read rows, the caller's says
// whom each is about, several seal, and one records.
type importing struct {
	book    *Book
	log     *Ledger
	by      purser.Actor
	options ImportOptions
	input   *input
	plan    *plan
	comma   byte
	cancel  context.CancelCauseFunc

	// Owned by the caller's goroutine.
	people  *people
	found   *findable
	earlier bool // there are customers of earlier imports
	before  progress
	at      uint64         // rows whose person is known
	next    purser.Ordinal // the one that the next new customer gets

	// Owned by the goroutine that records, and read when it has ended.
	row     ImportRow
	sum     Summary
	fates   []Fates  // of batches that no entry tells of yet
	waiting []*known // rows about somebody who is there
}

// known is a row about somebody who is there, until it is merged.
type known struct {
	taken
	row   uint64
	whose purser.Ordinal
}

// batch is some rows on their way through the stages.
type batch struct {
	chunk   *chunk
	taken   []taken
	ready   chan struct{} // closed when taken is read
	first   purser.Ordinal
	fates   Fates
	sealed  sync.WaitGroup
	made    []Customer
	leaves  []purser.Hash
	done    chan struct{} // closed when it is recorded
	replays int           // rows, from the first on, that earlier runs wrote
}

func (i *importing) run(ctx context.Context) error {
	closed, err := i.begin(ctx)
	if err != nil || closed {
		return err
	}
	ctx, i.cancel = context.WithCancelCause(ctx)
	defer i.cancel(nil)
	order, work := make(chan *batch, 2), make(chan *batch, 4)
	records := make(chan *batch, 1)
	var running, recording sync.WaitGroup
	running.Go(func() { i.fail(i.split(ctx, order, work)) })
	for range runtime.GOMAXPROCS(0) {
		running.Go(func() { i.readAll(work) })
	}
	recording.Go(func() { i.fail(i.recordAll(ctx, records)) })
	i.fail(i.resolveAll(ctx, order, records))
	close(records)
	for range order { // what is left after a fault
	}
	running.Wait()
	recording.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return i.finish(ctx)
}

// fail ends all stages with the first error.
func (i *importing) fail(err error) {
	if err != nil {
		i.cancel(err)
	}
}

// begin finds out how far the file is, and reads its header.
func (i *importing) begin(ctx context.Context) (closed bool, err error) {
	i.row, err = i.book.store.Import(ctx, i.input.hash)
	if err == nil && i.row.Ended {
		i.sum.Already, i.sum.Before = true, i.row.Tally.Sum()
		return true, nil
	}
	options := i.options.Mapping.digest(i.book.schema, i.options.Region)
	fresh := errors.Is(err, ErrNoImport)
	switch {
	case fresh:
		if err := i.alone(ctx); err != nil {
			return false, err
		}
		i.row = ImportRow{File: i.input.hash, Options: options}
	case err != nil:
		return false, fmt.Errorf("look for an earlier import: %w", err)
	case i.row.Options != options:
		return false, ErrOtherOptions
	case i.options.DryRun:
		return false, fmt.Errorf("a dry run of a file that is half in: %w", ErrUnfinished)
	}
	err = i.log.Look(ctx, func(s *fold.State, _ purser.Stamp) error {
		if i.next = s.Standing().Ordinals() + 1; fresh {
			i.row.First = i.next
		}
		i.earlier = s.Standing().Closed() > 0
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("number the customers: %w", err)
	}
	if i.before, err = i.written(ctx); err != nil {
		return false, err
	}
	i.next, i.sum.Before = i.row.First, i.row.Rows
	i.people, i.found = newPeople(i.row.First), newFindable(i.row.First)
	return false, nil
}

// alone refuses to begin while another file is half in.
func (i *importing) alone(ctx context.Context) error {
	other, err := i.book.store.OpenImport(ctx)
	if errors.Is(err, ErrNoImport) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for other imports: %w", err)
	}
	return fmt.Errorf("%w: %d rows of the file with SHA-256 %v are done; give that file again to go on, or give it up",
		ErrUnfinished, other.Rows, other.File)
}

// split cuts the text into batches. order and work get the same ones.
func (i *importing) split(ctx context.Context, order, work chan<- *batch) error {
	defer close(order)
	defer close(work)
	p, err := i.input.open(ctx)
	if err != nil {
		return err
	}
	defer p.close()
	s, err := i.header(p)
	if err != nil {
		return err
	}
	for rows := 0; ; {
		c, err := s.next(i.options.Batch)
		if err != nil {
			return err
		}
		if len(c.rows) == 0 {
			break
		}
		if rows += len(c.rows); rows > MaxRows {
			return &FileError{0, fmt.Sprintf("has over %d rows", MaxRows), "split it and give the parts one after the other"}
		}
		b := &batch{chunk: c, ready: make(chan struct{}), done: make(chan struct{})}
		for _, to := range []chan<- *batch{work, order} {
			select {
			case to <- b:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
	if err := p.rest(); err != nil {
		return err
	}
	if p.digest() != i.input.hash {
		return ErrFileChanged
	}
	return nil
}

// header reads the first line of a CSV file, or finds that there is none to
// read, and makes the plan.
func (i *importing) header(p *pass) (s *splitter, err error) {
	comma := byte(',')
	if m := i.options.Mapping; m != nil && m.comma != 0 {
		comma = m.comma
	}
	s = newSplitter(p, true, comma)
	names, lines, err := headerOf(s)
	if err != nil {
		return nil, err
	}
	if lines {
		s.quotes, comma = false, 0
		names = i.book.schema.named(i.options.Mapping)
	}
	plan, err := i.book.schema.plan(names, i.options.Mapping, i.options.Region)
	if err != nil {
		return nil, err
	}
	// Before the first batch is handed on, and not changed after.
	i.plan, i.comma = plan, comma
	return s, nil
}

// headerOf reads the names of a file's columns. lines says that it is JSON
// Lines, of which nothing was taken.
func headerOf(s *splitter) (names []string, lines bool, err error) {
	if err := s.peek(); err != nil {
		return nil, false, err
	}
	if lines = len(s.buf) > s.at && s.buf[s.at] == '{'; lines {
		return nil, true, nil
	}
	text, r, err := s.row()
	for err == nil && len(text) == 0 && r.problem == "" {
		text, r, err = s.row()
	}
	switch {
	case errors.Is(err, io.EOF):
		return nil, false, &FileError{0, "is empty", "its first line names the columns"}
	case err != nil:
		return nil, false, err
	case r.problem != "":
		return nil, false, &FileError{r.line, r.problem, "the first line names the columns"}
	}
	for _, name := range cut(string(text), s.comma, nil) {
		names = append(names, strings.Clone(strings.TrimSpace(name)))
	}
	if len(names) > maxCells {
		return nil, false, &FileError{1, fmt.Sprintf("names %d columns", len(names)), fmt.Sprintf("keep at most %d", maxCells)}
	}
	return names, false, nil
}

// readAll takes rows apart.
func (i *importing) readAll(work <-chan *batch) {
	var r *reader
	for b := range work {
		if r == nil {
			r = &reader{book: i.book, plan: i.plan, comma: i.comma, lookup: i.earlier}
		}
		b.taken = make([]taken, len(b.chunk.rows))
		for n, row := range b.chunk.rows {
			var err error
			if b.taken[n], err = r.read(b.chunk.text[row.from:row.to], row); err != nil {
				i.fail(err)
			}
		}
		close(b.ready)
	}
}
