package sqlite

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"zombiezen.com/go/sqlite"

	"purser"
	"purser/internal/ledger"
	"purser/proof"
)

var _ ledger.Store = (*DB)(nil)

// snapshotPart is how much of a snapshot one transaction writes: little
// enough that a waiting batch does not notice.
const snapshotPart = 1 << 18

// entrySpan is how many entries one read transaction hands out.
const entrySpan = 4096

// errStop ends a query whose consumer has enough.
var errStop = errors.New("enough")

// ledgerStatements are prepared once: they run for every entry. Guarded by
// DB.writing.
type ledgerStatements struct {
	begin, commit, rollback, entry, head *sqlite.Stmt
	frontier                             []byte // reused
}

func (d *DB) prepareLedger() (l ledgerStatements, err error) {
	prepare := func(text string) *sqlite.Stmt {
		stmt, e := d.writer.Prepare(text)
		err = errors.Join(err, e)
		return stmt
	}
	l.begin = prepare("BEGIN IMMEDIATE")
	l.commit = prepare("COMMIT")
	l.rollback = prepare("ROLLBACK")
	l.entry = prepare(d.sql["append_entry"])
	l.head = prepare(d.sql["append_head"])
	return l, err
}

// step runs a statement that yields no rows.
func step(stmt *sqlite.Stmt) error {
	_, err := stmt.Step()
	if resetErr := stmt.Reset(); err == nil {
		err = resetErr
	}
	return err
}

func (d *DB) begin() error {
	if d.writer == nil {
		return fmt.Errorf("%w: database is closed", ledger.ErrNothingWritten)
	}
	if d.failed != nil {
		return d.failed
	}
	if err := step(d.ledger.begin); err != nil {
		return err
	}
	d.tx.open = true
	return nil
}

func (d *DB) commit() error {
	if err := step(d.ledger.commit); err != nil {
		return err
	}
	destroyed := d.tx.destroys
	d.tx.end()
	if d.wal != nil {
		d.wal.committed(destroyed)
	}
	return nil
}

// device notes that the device failed, if that is what err says. The caller
// holds writing.
func (d *DB) device(err error) {
	if d.failed == nil && sqlite.ErrCode(err).ToPrimary() == sqlite.ResultIOErr {
		d.failed = fmt.Errorf("the device failed before: %w", err)
	}
}

// rollback undoes the open transaction, if SQLite has not done so itself.
func (d *DB) rollback() error {
	defer d.tx.end()
	if d.writer.AutocommitEnabled() {
		return nil
	}
	return step(d.ledger.rollback)
}

// Append implements ledger.Store. It fails with ErrNothingWritten for a full
// disk, a busy database and failing rows, once the transaction is undone.
func (d *DB) Append(ctx context.Context, b *ledger.Batch) error {
	if err := ctx.Err(); err != nil {
		return errors.Join(err, ledger.ErrNothingWritten)
	}
	d.writing.Lock()
	defer d.writing.Unlock()
	if err := b.At("before-begin"); err != nil {
		return err
	}
	if err := d.begin(); err != nil {
		return d.undone(err, nil)
	}
	if err := d.appendOpen(b); err != nil {
		return d.undone(err, d.rollback())
	}
	return b.At("after-commit")
}

func (d *DB) appendOpen(b *ledger.Batch) error {
	if err := b.At("after-begin"); err != nil {
		return err
	}
	pos := int64(b.Before.Size)
	for i, bytes := range b.Entries {
		d.ledger.entry.BindInt64(1, pos+int64(i))
		d.ledger.entry.BindBytes(2, bytes)
		if err := step(d.ledger.entry); err != nil {
			return err
		}
	}
	if err := b.At("after-entries"); err != nil {
		return err
	}
	if err := d.swapHead(b); err != nil {
		return err
	}
	if err := b.At("after-head"); err != nil {
		return err
	}
	for _, r := range b.Rows {
		if err := r.Write(&d.tx); err != nil {
			return &ledger.RowError{Index: r.Index, Err: err}
		}
	}
	if err := b.At("before-commit"); err != nil {
		return err
	}
	return d.commit()
}

// swapHead replaces the head the batch was built on by the one after it.
func (d *DB) swapHead(b *ledger.Batch) error {
	s := d.ledger.head
	d.ledger.frontier = b.After.Frontier.AppendBytes(d.ledger.frontier[:0])
	s.BindInt64(1, int64(b.After.Size))
	s.BindBytes(2, b.After.Root[:])
	s.BindBytes(3, d.ledger.frontier)
	s.BindInt64(4, int64(b.Before.Size))
	s.BindBytes(5, b.Before.Root[:])
	if err := step(s); err != nil {
		return err
	}
	if d.writer.Changes() != 1 {
		return ledger.ErrHeadMoved
	}
	return nil
}

// undone adds ErrNothingWritten to an error after which the database is known
// to be as before, and to work: the transaction was rolled back, and the cause
// was no failing device. The caller holds writing.
func (d *DB) undone(err, rollback error) error {
	d.device(err)
	if rollback != nil {
		return errors.Join(err, fmt.Errorf("roll back: %w", rollback))
	}
	if errors.Is(err, ledger.ErrNothingWritten) || errors.Is(err, ledger.ErrHeadMoved) {
		return err
	}
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultFull, sqlite.ResultBusy, sqlite.ResultLocked, sqlite.ResultNoMem,
		sqlite.ResultConstraint, sqlite.ResultTooBig:
		return errors.Join(err, ledger.ErrNothingWritten)
	}
	return err
}

// Head implements ledger.Store.
func (d *DB) Head(ctx context.Context) (ledger.Head, error) {
	var h ledger.Head
	err := d.query(ctx, "head", nil, func(s *sqlite.Stmt) error {
		h.Size = purser.Pos(s.ColumnInt64(0))
		if n := s.ColumnBytes(1, h.Root[:]); n != len(h.Root) {
			return fmt.Errorf("%w: root of %d bytes", ledger.ErrCorrupt, n)
		}
		var err error
		h.Frontier, err = proof.ParseFrontier(h.Size, column(s, 2))
		return err
	})
	if err != nil {
		return ledger.Head{}, fmt.Errorf("read head: %w", err)
	}
	return h, nil
}

// Entries implements ledger.Store. It reads in spans, so that a long walk
// holds no old state of the database and the write-ahead log can start over.
func (d *DB) Entries(ctx context.Context, from, to purser.Pos) iter.Seq2[ledger.Stored, error] {
	return func(yield func(ledger.Stored, error) bool) {
		var buf []byte
		for at := from; at < to; at = min(at+entrySpan, to) {
			err := d.entrySpan(ctx, at, min(at+entrySpan, to), &buf, yield)
			if errors.Is(err, errStop) {
				return
			}
			if err != nil {
				yield(ledger.Stored{}, fmt.Errorf("read entries: %w", err))
				return
			}
		}
	}
}

func (d *DB) entrySpan(ctx context.Context, from, to purser.Pos, buf *[]byte, yield func(ledger.Stored, error) bool) error {
	next := from
	err := d.query(ctx, "entries", func(s *sqlite.Stmt) {
		s.BindInt64(1, int64(from))
		s.BindInt64(2, int64(to))
	}, func(s *sqlite.Stmt) error {
		if pos := purser.Pos(s.ColumnInt64(0)); pos != next {
			return fmt.Errorf("%w: entry %d is missing", ledger.ErrCorrupt, next)
		}
		n := s.ColumnLen(1)
		if n > cap(*buf) {
			*buf = make([]byte, 2*n)
		}
		s.ColumnBytes(1, (*buf)[:n])
		if !yield(ledger.Stored{Pos: next, Bytes: (*buf)[:n]}, nil) {
			return errStop
		}
		next++
		return nil
	})
	if err == nil && next < to {
		return fmt.Errorf("%w: entry %d is missing", ledger.ErrCorrupt, next)
	}
	return err
}

// PutSnapshot implements ledger.Store. The parts go in by small transactions
// of their own, so that a batch waits for one part at most; the row that makes
// them count comes last.
func (d *DB) PutSnapshot(ctx context.Context, s ledger.Snapshot) error {
	d.keeping.Lock()
	defer d.keeping.Unlock()
	if err := d.dropSnapshotParts(ctx); err != nil {
		return fmt.Errorf("drop old snapshots: %w", err)
	}
	parts := 0
	for rest := s.Bytes; len(rest) > 0; parts++ {
		part := rest[:min(len(rest), snapshotPart)]
		rest = rest[len(part):]
		if err := d.putSnapshotPart(ctx, s.Size, parts, part); err != nil {
			return fmt.Errorf("write snapshot: %w", err)
		}
	}
	err := d.write(ctx, func(t *tx) error {
		err := t.exec("put_snapshot", func(stmt *sqlite.Stmt) {
			stmt.BindInt64(1, int64(s.Size))
			stmt.BindInt64(2, int64(s.FoldVersion))
			stmt.BindBytes(3, s.Digest[:])
			stmt.BindBytes(4, s.Frontier.AppendBytes(nil))
			stmt.BindInt64(5, int64(parts))
		})
		if err != nil {
			return err
		}
		return t.exec("drop_snapshots", nil)
	})
	if err != nil {
		return fmt.Errorf("write snapshot: %w", err)
	}
	return d.dropSnapshotParts(ctx)
}

func (d *DB) putSnapshotPart(ctx context.Context, size purser.Pos, n int, part []byte) error {
	return d.write(ctx, func(t *tx) error {
		return t.exec("put_snapshot_part", func(stmt *sqlite.Stmt) {
			stmt.BindInt64(1, int64(size))
			stmt.BindInt64(2, int64(n))
			stmt.BindBytes(3, part)
		})
	})
}

// dropSnapshotParts removes parts that belong to no snapshot, a few at a time.
func (d *DB) dropSnapshotParts(ctx context.Context) error {
	for {
		dropped := 0
		err := d.write(ctx, func(t *tx) error {
			err := t.exec("drop_snapshot_parts", nil)
			dropped = t.changes()
			return err
		})
		if err != nil || dropped == 0 {
			return err
		}
	}
}

// Snapshots implements ledger.Store.
func (d *DB) Snapshots(ctx context.Context) iter.Seq2[ledger.Snapshot, error] {
	return func(yield func(ledger.Snapshot, error) bool) {
		rows, err := d.snapshotRows(ctx)
		if err != nil {
			yield(ledger.Snapshot{}, fmt.Errorf("read snapshots: %w", err))
			return
		}
		for _, r := range rows {
			if r.Bytes, err = d.snapshotBytes(ctx, r.Size, r.parts); err != nil {
				err = fmt.Errorf("read snapshot: %w", err)
			}
			if !yield(r.Snapshot, err) {
				return
			}
		}
	}
}

type snapshotRow struct {
	ledger.Snapshot
	parts int64
}

func (d *DB) snapshotRows(ctx context.Context) (rows []snapshotRow, err error) {
	err = d.query(ctx, "snapshots", nil, func(s *sqlite.Stmt) error {
		r := snapshotRow{parts: s.ColumnInt64(4)}
		r.Size, r.FoldVersion = purser.Pos(s.ColumnInt64(0)), uint16(s.ColumnInt64(1))
		if n := s.ColumnBytes(2, r.Digest[:]); n != len(r.Digest) {
			return fmt.Errorf("%w: snapshot digest of %d bytes", ledger.ErrCorrupt, n)
		}
		var err error
		r.Frontier, err = proof.ParseFrontier(r.Size, column(s, 3))
		rows = append(rows, r)
		return err
	})
	return rows, err
}

func (d *DB) snapshotBytes(ctx context.Context, size purser.Pos, parts int64) ([]byte, error) {
	var all []byte
	err := d.query(ctx, "snapshot_parts", func(s *sqlite.Stmt) {
		s.BindInt64(1, int64(size))
		s.BindInt64(2, parts)
	}, func(s *sqlite.Stmt) error {
		all = append(all, column(s, 0)...)
		return nil
	})
	return all, err
}

// PutCheckpoint implements ledger.Store.
func (d *DB) PutCheckpoint(ctx context.Context, size purser.Pos, note []byte) error {
	err := d.write(ctx, func(t *tx) error {
		err := t.exec("put_checkpoint", func(s *sqlite.Stmt) {
			s.BindInt64(1, int64(size))
			s.BindBytes(2, note)
		})
		if err != nil {
			return err
		}
		return t.exec("drop_checkpoints", func(s *sqlite.Stmt) { s.BindInt64(1, int64(size)) })
	})
	if err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	return nil
}

// LatestCheckpoint implements ledger.Store.
func (d *DB) LatestCheckpoint(ctx context.Context) (size purser.Pos, note []byte, err error) {
	err = d.query(ctx, "latest_checkpoint", nil, func(s *sqlite.Stmt) error {
		size, note = purser.Pos(s.ColumnInt64(0)), column(s, 1)
		return nil
	})
	if err != nil {
		return 0, nil, fmt.Errorf("read checkpoint: %w", err)
	}
	return size, note, nil
}
