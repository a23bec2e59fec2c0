package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"

	"purser"
)

// State is what entries fold into. The writer alone changes it: it applies
// entries one by one and then keeps or discards them all.
type State interface {
	// Apply folds one entry in, uncommitted. It fails on impossible entries
	// only: what a decision allowed, it takes.
	Apply(purser.Header, purser.Entry) error
	// Commit keeps what was applied; Discard forgets it.
	Commit()
	Discard()
	// Code codes the committed state: the snapshot.
	Code(*purser.Coder)
	// Repeats reports whether e is a refusal beyond the twentieth equal one of
	// its session, kind and minute, and whose session it is. It changes nothing.
	Repeats(e purser.Entry, at purser.Stamp) (who purser.Actor, over bool)
	// ClockAccepted reports whether stamps may follow the wall clock: nobody
	// set it, and the ledger did not stand still for long, since it was last
	// accepted.
	ClockAccepted() bool
}

// Clock is where stamps come from. Mono never goes back and knows nothing of
// the wall clock being set.
type Clock interface {
	Wall() time.Time
	Mono() time.Duration
}

// Config says what a log is made of. Store, New and Clock are required.
type Config[S State] struct {
	Store Store
	New   func() S // an empty state
	Clock Clock
	// Software and FoldVersion go into the start entry. A snapshot of another
	// fold version is not used.
	Software    string
	FoldVersion uint16
	// SnapshotEvery is the number of entries between snapshots; zero means
	// 250,000.
	SnapshotEvery purser.Pos
	// Signer signs checkpoints under Origin; nil means no checkpoints.
	Signer note.Signer
	Origin string
	// Verifier is the key of Signer: a stored checkpoint must be signed by it.
	// A ledger with a stored checkpoint does not open without it.
	Verifier note.Verifier
	// Trouble is told what does not hold and yet stops nothing: a snapshot that
	// is not used, or cannot be made. Open and the log's own goroutines call it,
	// never two at a time; it may be nil.
	Trouble func(error)
	// Progress is told how far the replay at start is; it may be nil.
	Progress func(done, total purser.Pos)
	// Fault is for tests: see Batch and [Points].
	Fault func(point string) error
}

// Points lists the places where Config.Fault is called, in the order of a
// commit.
func Points() []string {
	return []string{
		"before-begin", "after-begin", "after-entries", "after-head", "before-commit", "after-commit", "before-answer",
	}
}

// Log is the ledger. Its methods may be called by many goroutines.
type Log[S State] struct {
	cfg   Config[S]
	queue queue[S]
	pool  sync.Pool // of *proposal[S]

	looking sync.RWMutex // the writer holds it while state has uncommitted changes
	state   S            // guarded by looking
	clock   stamper      // guarded by looking

	time atomic.Pointer[stamper] // a copy of clock, changed after it
	end  atomic.Pointer[end]     // committed size and root
	sign atomic.Pointer[sign]    // latest checkpoint
	stop atomic.Pointer[stopped]
	full atomic.Bool // the last batch found no room

	snapshots snapshotter[S]
	signing   signing[S]
	cancel    context.CancelFunc // ends the background work
	running   sync.WaitGroup     // the writer
	behind    sync.WaitGroup     // the background work
	closing   sync.Once
}

type end struct {
	size purser.Pos
	root purser.Hash
}

type sign struct {
	size purser.Pos
	note []byte
}

type stopped struct{ cause error }

// Open checks the stored ledger, folds it, appends the start entry and starts
// the writer. It fails with ErrCorrupt when the stored entries are not those
// of the head. The caller closes the store after the log.
func Open[S State](ctx context.Context, cfg Config[S]) (*Log[S], error) {
	if cfg.SnapshotEvery == 0 {
		cfg.SnapshotEvery = 250_000
	}
	opened, err := replay(ctx, &cfg)
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	l := &Log[S]{cfg: cfg, state: opened.state}
	l.pool.New = func() any { return &proposal[S]{done: make(chan struct{}, 1)} }
	l.queue.open()
	l.end.Store(&end{opened.head.Size, opened.head.Root})
	l.sign.Store(&opened.checkpoint)
	start := l.clock.start(cfg.Clock, opened.stamp, opened.head.Size == 0, l.state.ClockAccepted())
	l.tellTime()
	start.Software, start.FoldVersion = cfg.Software, cfg.FoldVersion

	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l.cancel = cancel
	l.snapshots.init(l, opened.snapshot)
	l.signing.init(l, opened.head.Frontier, opened.checkpoint.size)
	l.running.Go(newWriter(l, opened.head).run)
	l.behind.Go(func() { l.snapshots.run(background) })
	l.behind.Go(func() { l.signing.run(background) })
	if _, err := l.Propose(ctx, purser.VendorID{}, func(S, purser.Stamp) purser.Entry { return start }); err != nil {
		return nil, errors.Join(fmt.Errorf("append start entry: %w", err), l.Close())
	}
	return l, nil
}

// Propose has decide run against the state at the position where its entry
// will land, and returns once that entry is durable. Lane is the vendor whose
// turn it takes.
//
// decide returns the entry, allowed or refused, or nil to record nothing. It
// must be pure, must not keep the state, and may run more than once: a batch
// that was rolled back is decided again.
//
// A refusal is no error: see Receipt.Refusal. Errors are ErrOverloaded,
// ErrStopped, ErrNothingWritten (the disk is full; later proposals may
// succeed) and the context's. A cancelled context before the proposal is
// queued undoes it; after that the entry lands without anybody holding its
// receipt.
func (l *Log[S]) Propose(ctx context.Context, lane purser.VendorID, decide func(S, purser.Stamp) purser.Entry) (Receipt, error) {
	return l.propose(ctx, lane, decide, nil)
}

// ProposeRows is Propose with rows that are written in the entry's own
// transaction, for refused entries too. An error of rows fails this proposal
// alone, and its entry is not recorded. rows may run more than once, each time
// in a transaction that knows nothing of the earlier run; it does not run when
// no entry of its own is written.
func (l *Log[S]) ProposeRows(
	ctx context.Context, lane purser.VendorID,
	decide func(S, purser.Stamp) purser.Entry, rows func(Tx, purser.Pos, purser.Entry) error,
) (Receipt, error) {
	return l.propose(ctx, lane, decide, rows)
}

func (l *Log[S]) propose(
	ctx context.Context, lane purser.VendorID,
	decide func(S, purser.Stamp) purser.Entry, rows func(Tx, purser.Pos, purser.Entry) error,
) (Receipt, error) {
	if err := ctx.Err(); err != nil {
		return Receipt{}, err
	}
	p, _ := l.pool.Get().(*proposal[S])
	p.decide, p.rows = decide, rows
	if err := l.queue.put(lane, p); err != nil {
		l.pool.Put(p)
		if errors.Is(err, ErrStopped) {
			err = l.stopError()
		}
		return Receipt{}, err
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		return Receipt{}, ctx.Err() // p stays with the writer
	}
	receipt, err := p.receipt, p.err
	*p = proposal[S]{done: p.done}
	l.pool.Put(p)
	return receipt, err
}

// Look runs f with the committed state, between two batches, for display. f
// must change nothing and keep nothing; it holds up the writer while it runs.
// A decision taken on what it saw would be stale: decide inside Propose.
func (l *Log[S]) Look(ctx context.Context, f func(S, purser.Stamp) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.looking.RLock()
	defer l.looking.RUnlock()
	return f(l.state, l.clock.now(l.cfg.Clock))
}

// Now returns what the stamp of an entry would be that is decided now, for what
// has to agree with stamps: it follows no wall clock that nobody accepted. It
// waits for nothing, and goes on when the log has ended.
func (l *Log[S]) Now() purser.Stamp { return l.time.Load().now(l.cfg.Clock) }

// tellTime lets Now follow l.clock, which the caller has just changed.
func (l *Log[S]) tellTime() {
	c := l.clock
	l.time.Store(&c)
}

// Size returns the number of committed entries.
func (l *Log[S]) Size() purser.Pos { return l.end.Load().size }

// Root returns the root of the tree over the committed entries.
func (l *Log[S]) Root() purser.Hash { return l.end.Load().root }

// Checkpoint returns the latest signed checkpoint and how many entries it
// covers, or nil. The caller does not change it.
func (l *Log[S]) Checkpoint() (note []byte, size purser.Pos) {
	s := l.sign.Load()
	return s.note, s.size
}

// Err returns nil while the log takes proposals, and what ended it otherwise;
// it then wraps ErrStopped.
func (l *Log[S]) Err() error {
	if l.stop.Load() == nil {
		return nil
	}
	return l.stopError()
}

// Full reports that the last batch could not be written, though the log goes
// on: the disk is full. The next batch that is written ends it.
func (l *Log[S]) Full() bool { return l.full.Load() }

func (l *Log[S]) stopError() error {
	if s := l.stop.Load(); s != nil && s.cause != nil {
		return fmt.Errorf("%w: %w", ErrStopped, s.cause)
	}
	return ErrStopped
}

// fail ends the log for good. The first cause counts.
func (l *Log[S]) fail(cause error) {
	l.stop.CompareAndSwap(nil, &stopped{cause})
	l.queue.close()
}

// Close refuses further proposals, finishes those that wait, signs a last
// checkpoint and ends every goroutine of the log. It returns what had stopped
// the log before, if anything had.
func (l *Log[S]) Close() error {
	var before error
	if s := l.stop.Load(); s != nil {
		before = s.cause
	}
	l.closing.Do(func() {
		l.queue.close()
		l.running.Wait()
		l.stop.CompareAndSwap(nil, &stopped{})
		l.cancel()
		l.behind.Wait()
	})
	return before
}

// diskFailed reports whether the log was ended by a fault, after which nothing
// of the store may be written again.
func (l *Log[S]) diskFailed() bool {
	s := l.stop.Load()
	return s != nil && s.cause != nil
}
