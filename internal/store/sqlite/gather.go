package sqlite

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"zombiezen.com/go/sqlite"

	"purser"
	"purser/internal/record"
	"purser/internal/seal"
)

// errClosed is what reads get once the database is being closed.
var errClosed = errors.New("database is closed")

const (
	// gatherers is how many connections read records.
	gatherers = 2
	// mostGathered is how many records one transaction reads, so that none is
	// open for long.
	mostGathered = 64
)

// gatherer reads sealed records for many callers. Reads that wait together
// share a transaction: each commit of the writer empties the page cache of
// every other connection, so that a transaction for each read would fetch the
// same inner pages again and again. Owned by DB, which stops it.
type gatherer struct {
	asked   chan *recordRead
	quit    chan struct{}
	running sync.WaitGroup
}

// recordRead is one caller's read. It belongs to the gatherer until done.
type recordRead struct {
	ordinal purser.Ordinal
	done    chan struct{}

	record seal.Record
	err    error
}

func startGatherer(d *DB, file string) (*gatherer, error) {
	g := &gatherer{asked: make(chan *recordRead, gatherers*mostGathered), quit: make(chan struct{})}
	for range gatherers {
		if err := g.add(d, file); err != nil {
			g.stop()
			return nil, err
		}
	}
	return g, nil
}

// add starts one reader with a connection of its own.
func (g *gatherer) add(d *DB, file string) error {
	conn, err := sqlite.OpenConn(file, sqlite.OpenReadWrite)
	if err != nil {
		return err
	}
	r := recordReader{conn: conn}
	if err := r.prepare(d); err != nil {
		return errors.Join(err, conn.Close())
	}
	g.running.Go(func() { r.run(g) })
	return nil
}

// sealed reads one record.
func (g *gatherer) sealed(ctx context.Context, o purser.Ordinal) (seal.Record, error) {
	if err := ctx.Err(); err != nil {
		return seal.Record{}, err
	}
	read := &recordRead{ordinal: o, done: make(chan struct{})}
	select {
	case g.asked <- read:
	case <-g.quit:
		return seal.Record{}, errClosed
	case <-ctx.Done():
		return seal.Record{}, ctx.Err()
	}
	select {
	case <-read.done:
		return read.record, read.err
	case <-g.quit:
		return seal.Record{}, errClosed
	case <-ctx.Done():
		return seal.Record{}, ctx.Err() // read stays with the gatherer
	}
}

// stop ends the readers and closes their connections. Who still waits gets
// errClosed.
func (g *gatherer) stop() {
	close(g.quit)
	g.running.Wait()
}

// recordReader is one goroutine's connection and what it has prepared.
type recordReader struct {
	conn               *sqlite.Conn
	begin, end, record *sqlite.Stmt
	gathered           []*recordRead // reused
}

func (r *recordReader) prepare(d *DB) error {
	err := prepareReader(r.conn)
	for _, one := range []struct {
		stmt **sqlite.Stmt
		text string
	}{{&r.begin, "BEGIN"}, {&r.end, "COMMIT"}, {&r.record, d.sql["sealed_record"]}} {
		if err == nil {
			*one.stmt, err = r.conn.Prepare(one.text)
		}
	}
	return err
}

func (r *recordReader) run(g *gatherer) {
	defer func() { _ = r.conn.Close() }() // it wrote nothing
	for {
		select {
		case <-g.quit:
			return
		case read := <-g.asked:
			r.gathered = append(r.gathered[:0], read)
		}
		r.gather(g)
		r.read()
	}
}

// gather takes what else waits. Callers are answered by the ledger together and
// come one after the other: it lets those who can run ask first.
func (r *recordReader) gather(g *gatherer) {
	runtime.Gosched()
	for len(r.gathered) < mostGathered {
		select {
		case read := <-g.asked:
			r.gathered = append(r.gathered, read)
		default:
			return
		}
	}
}

// read answers all of r.gathered.
func (r *recordReader) read() {
	shared := len(r.gathered) > 1 && step(r.begin) == nil // without it each read is its own transaction
	for i, read := range r.gathered {
		read.record, read.err = r.one(read.ordinal)
		close(read.done)
		r.gathered[i] = nil
	}
	if shared && step(r.end) != nil && !r.conn.AutocommitEnabled() {
		_ = step(r.end) // it has read only; a busy database lets go the second time
	}
}

func (r *recordReader) one(o purser.Ordinal) (seal.Record, error) {
	s := r.record
	s.BindInt64(1, int64(o))
	found, err := s.Step()
	out := seal.Record{Subject: seal.Subject{Ordinal: o}}
	if err == nil && found {
		sealedRow(s, &out)
	}
	if resetErr := s.Reset(); err == nil {
		err = resetErr
	}
	switch {
	case err != nil:
		return seal.Record{}, err
	case !found:
		return seal.Record{}, record.ErrNoCustomer
	}
	return out, nil
}

// sealedRow reads the row of sealed_record.
func sealedRow(s *sqlite.Stmt, out *seal.Record) {
	s.ColumnBytes(0, out.Customer[:])
	out.Version = uint32(s.ColumnInt64(1))
	out.Written = purser.Pos(s.ColumnInt64(2))
	out.Sealed, out.Wrapped = column(s, 3), column(s, 4)
}
