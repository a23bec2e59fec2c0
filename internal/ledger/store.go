package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"purser"
	"purser/proof"
)

// Conditions of a store that the log branches on.
var (
	// ErrNothingWritten says that an Append certainly left nothing behind, and
	// that the database can be written again.
	ErrNothingWritten = errors.New("nothing was written")
	// ErrHeadMoved says that the head was not the one the batch was built on.
	ErrHeadMoved = errors.New("the head of the ledger moved")
	// ErrLocked says that another process uses the data directory.
	ErrLocked = errors.New("in use by another process")
)

// Head is the committed end of the ledger.
type Head struct {
	Size     purser.Pos
	Root     purser.Hash
	Frontier proof.Frontier
}

// Stored is one entry as the database holds it. The consumer of an iterator
// must not keep Bytes beyond its turn.
type Stored struct {
	Pos   purser.Pos
	Bytes []byte
}

// Tx is the transaction of a batch. It is opaque here: a store hands it to
// row callbacks, the callback's package passes it on to its own store, and
// that one asserts its own type.
type Tx interface{ LedgerTx() }

// Row is what one proposal writes beside its entry.
type Row struct {
	Index int // of the proposal's entry in Batch.Entries
	Write func(Tx) error
}

// Batch is what one Append makes durable, all or nothing.
type Batch struct {
	Before  Head     // what the database must hold now
	After   Head     // what it holds then
	Entries [][]byte // canonical bytes at Before.Size and up
	Rows    []Row    // run after the entries, in order
	// Fault is nil outside tests. It is called at the named points of the
	// commit; its error is treated like one of the disk there.
	Fault func(point string) error
}

// At runs the fault hook at a point.
func (b *Batch) At(point string) error {
	if b.Fault == nil {
		return nil
	}
	return b.Fault(point)
}

// RowError says which proposal's rows made an Append fail. Nothing was
// written.
type RowError struct {
	Index int
	Err   error
}

// Error names the proposal by its place in the batch.
func (e *RowError) Error() string {
	return fmt.Sprintf("rows beside entry %d of the batch: %v", e.Index, e.Err)
}

// Unwrap returns the cause and that nothing was written.
func (e *RowError) Unwrap() []error { return []error{e.Err, ErrNothingWritten} }

// Snapshot is the encoded state after the entries [0, Size), and the tree
// over them.
type Snapshot struct {
	Size        purser.Pos
	FoldVersion uint16
	Digest      purser.Hash // SHA-256 of Bytes
	Frontier    proof.Frontier
	Bytes       []byte
}

// binding is the entry that ties the snapshot to the ledger.
func (s *Snapshot) binding() purser.Snapshot {
	return purser.Snapshot{Size: s.Size, FoldVersion: s.FoldVersion, Digest: s.Digest, Root: s.Frontier.Root()}
}

// Store keeps a ledger. Implementations pass storetest.Ledger. Append is
// called by one goroutine; the other methods may be called at any time beside
// it and beside each other.
type Store interface {
	// Head returns the committed head. A new store has the empty one.
	Head(ctx context.Context) (Head, error)
	// Entries yields the entries [from, to) in order, and an error in place of
	// an entry that is missing. Breaking off releases what it holds.
	Entries(ctx context.Context, from, to purser.Pos) iter.Seq2[Stored, error]
	// Append makes the batch durable if the head is still b.Before. An error
	// that wraps ErrNothingWritten or ErrHeadMoved left nothing behind; after
	// any other the outcome is unknown and the store must not be written again.
	Append(ctx context.Context, b *Batch) error
	// PutSnapshot keeps s beside the one before it and drops older ones,
	// without ever holding up an Append for long.
	PutSnapshot(ctx context.Context, s Snapshot) error
	// Snapshots yields the complete snapshots, the newest first.
	Snapshots(ctx context.Context) iter.Seq2[Snapshot, error]
	// PutCheckpoint keeps a signed checkpoint of the first size entries.
	PutCheckpoint(ctx context.Context, size purser.Pos, note []byte) error
	// LatestCheckpoint returns the one of the largest size, or nil.
	LatestCheckpoint(ctx context.Context) (size purser.Pos, note []byte, err error)
}
