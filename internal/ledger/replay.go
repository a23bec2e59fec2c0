package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"purser"
	"purser/proof"
)

// commitEvery is how many replayed entries are kept at once.
const commitEvery = 1024

// progressEvery is how many entries lie between two calls of Progress.
const progressEvery = 10_000

// folding is a state being rebuilt from stored bytes.
type folding[S State] struct {
	state    S
	frontier proof.Frontier
	stamp    purser.Stamp
	again    []byte // reused
}

// take checks one stored entry and folds it in.
func (f *folding[S]) take(s Stored) (purser.Header, purser.Entry, error) {
	h, e, err := purser.ParseEntry(s.Bytes)
	if err != nil {
		return h, nil, fmt.Errorf("%w: entry %d: %w", ErrCorrupt, s.Pos, err)
	}
	f.again, err = purser.AppendEntry(f.again[:0], h.Pos, h.Stamp, e)
	switch {
	case err != nil || !bytes.Equal(f.again, s.Bytes):
		return h, nil, fmt.Errorf("%w: entry %d has another encoding", ErrCorrupt, s.Pos)
	case h.Pos != s.Pos || s.Pos != f.frontier.Size():
		return h, nil, fmt.Errorf("%w: entry %d stands at %d", ErrCorrupt, h.Pos, s.Pos)
	case h.Stamp < f.stamp:
		return h, nil, fmt.Errorf("%w: the stamp of entry %d goes back", ErrCorrupt, s.Pos)
	}
	if err := f.state.Apply(h, e); err != nil {
		return h, nil, fmt.Errorf("%w: apply entry %d: %w", ErrCorrupt, s.Pos, err)
	}
	f.frontier.Append(proof.LeafHash(s.Bytes))
	f.stamp = h.Stamp
	if f.frontier.Size()%commitEvery == 0 {
		f.state.Commit()
	}
	return h, e, nil
}

// restore sets out from a snapshot, or from nothing for the zero one.
func restore[S State](empty S, s Snapshot) (*folding[S], error) {
	f := &folding[S]{state: empty, frontier: s.Frontier}
	if s.Size == 0 {
		return f, nil
	}
	if sha256.Sum256(s.Bytes) != s.Digest {
		return nil, fmt.Errorf("%w: snapshot %d has another digest", ErrCorrupt, s.Size)
	}
	c := purser.NewDecoder(s.Bytes)
	f.state.Code(c)
	if err := c.End(); err != nil {
		return nil, fmt.Errorf("%w: snapshot %d: %w", ErrCorrupt, s.Size, err)
	}
	return f, nil
}

// replayed is a ledger that was read, checked and folded.
type replayed[S State] struct {
	state      S
	head       Head
	stamp      purser.Stamp
	snapshot   Snapshot   // the one used, for the next to set out from
	bound      purser.Pos // size of the last snapshot of these rules that an entry read binds
	checkpoint sign
}

// replay reads the ledger from the newest snapshot that holds, or from the
// first entry.
func replay[S State](ctx context.Context, cfg *Config[S]) (replayed[S], error) {
	r := replayed[S]{}
	var err error
	if r.head, err = cfg.Store.Head(ctx); err != nil {
		return r, err
	}
	if r.head.Frontier.Size() != r.head.Size || r.head.Frontier.Root() != r.head.Root {
		return r, fmt.Errorf("%w: the head's root is not that of its frontier", ErrCorrupt)
	}
	signed, err := storedCheckpoint(ctx, cfg, &r)
	if err != nil {
		return r, err
	}
	return r, r.fold(ctx, cfg, signed)
}

// fold folds from the newest snapshot that holds, or from the first entry. It
// tells of each that does not hold, and of one that is bound and not there.
func (r *replayed[S]) fold(ctx context.Context, cfg *Config[S], signed proof.Checkpoint) error {
	var told purser.Pos
	for s, err := range cfg.Store.Snapshots(ctx) {
		if err != nil {
			return err
		}
		if s.FoldVersion != cfg.FoldVersion || s.Size >= r.head.Size {
			continue
		}
		if s.Size > signed.Size && cfg.Verifier != nil {
			// A crash may leave one that is newer than what was signed. With it
			// no entry would be held against the signature.
			continue
		}
		err := r.from(ctx, cfg, s, signed)
		if err == nil {
			r.missed(cfg, signed, told)
			return nil
		}
		if !errors.Is(err, ErrCorrupt) {
			return err
		}
		// A snapshot that does not hold is no proof against the entries: they
		// decide alone.
		told = max(told, s.Size)
		cfg.trouble(fmt.Errorf("a snapshot is not used: %w", err))
	}
	if err := r.from(ctx, cfg, Snapshot{}, signed); err != nil {
		return err
	}
	r.missed(cfg, signed, told)
	return nil
}

// missed tells of a snapshot that an entry binds and that the store did not
// give, though it could have been used.
func (r *replayed[S]) missed(cfg *Config[S], signed proof.Checkpoint, told purser.Pos) {
	if r.bound > r.snapshot.Size && r.bound <= signed.Size && r.bound != told {
		cfg.trouble(fmt.Errorf("%w: snapshot %d is bound by an entry and is not there", ErrCorrupt, r.bound))
	}
}

// trouble tells what stops nothing.
func (c *Config[S]) trouble(err error) {
	if c.Trouble != nil {
		c.Trouble(err)
	}
}

// storedCheckpoint reads the last checkpoint that was signed, and by our key:
// any other would be somebody's word for entries of his own. One of a longer
// ledger means that this one was rolled back.
func storedCheckpoint[S State](ctx context.Context, cfg *Config[S], r *replayed[S]) (proof.Checkpoint, error) {
	size, note, err := cfg.Store.LatestCheckpoint(ctx)
	if err != nil {
		return proof.Checkpoint{}, err
	}
	if note == nil {
		if cfg.Verifier != nil && r.head.Size > 0 {
			// A crash within the first second leaves none; so does whoever deletes them.
			cfg.trouble(errors.New("no signed checkpoint is stored: nothing here was held against a signature"))
		}
		return proof.Checkpoint{}, nil
	}
	if cfg.Verifier == nil {
		return proof.Checkpoint{}, fmt.Errorf("a checkpoint of size %d is stored and no key was given to check it", size)
	}
	c, err := proof.OpenCheckpoint(note, cfg.Verifier)
	if err != nil {
		return c, fmt.Errorf("%w: the stored checkpoint of size %d: %w", ErrCorrupt, size, err)
	}
	if c.Size != size || c.Origin != cfg.Origin {
		return c, fmt.Errorf("%w: the stored checkpoint of size %d is of another ledger", ErrCorrupt, size)
	}
	if size > r.head.Size {
		return c, fmt.Errorf("%w: a checkpoint of %d entries was signed and only %d are here", ErrCorrupt, size, r.head.Size)
	}
	r.checkpoint = sign{size, note}
	return c, nil
}

// from folds everything after snapshot s. The entries since then, put on the
// snapshot's frontier, must give the committed root, and one of them must bind
// the snapshot to the ledger.
func (r *replayed[S]) from(ctx context.Context, cfg *Config[S], s Snapshot, signed proof.Checkpoint) error {
	f, err := restore(cfg.New(), s)
	if err != nil {
		return err
	}
	if f.frontier.Size() == signed.Size && signed.Size > 0 && f.frontier.Root() != signed.Root {
		return fmt.Errorf("%w: the signed checkpoint is not of snapshot %d", ErrCorrupt, s.Size)
	}
	bound := s.Size == 0
	r.bound = 0
	for stored, err := range cfg.Store.Entries(ctx, s.Size, r.head.Size) {
		if err != nil {
			return err
		}
		_, e, err := f.take(stored)
		if err != nil {
			return err
		}
		if b, ok := e.(*purser.Snapshot); ok {
			bound = bound || *b == s.binding()
			if b.FoldVersion == cfg.FoldVersion {
				r.bound = b.Size
			}
		}
		size := f.frontier.Size()
		if size == signed.Size && f.frontier.Root() != signed.Root {
			return fmt.Errorf("%w: the signed checkpoint of size %d is of another ledger", ErrCorrupt, size)
		}
		if cfg.Progress != nil && (size%progressEvery == 0 || size == r.head.Size) {
			cfg.Progress(size-s.Size, r.head.Size-s.Size)
		}
	}
	switch {
	case !bound:
		return fmt.Errorf("%w: no entry binds snapshot %d", ErrCorrupt, s.Size)
	case f.frontier != r.head.Frontier:
		return fmt.Errorf("%w: the entries do not give the committed root", ErrCorrupt)
	}
	f.state.Commit()
	r.state, r.stamp, r.snapshot = f.state, f.stamp, s
	return nil
}
