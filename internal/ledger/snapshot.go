package ledger

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync/atomic"

	"purser"
)

// snapshotter makes snapshots beside the writer: it folds stored entries a
// second time from the last snapshot on, so that the writer never waits for
// the encoding of a large state.
type snapshotter[S State] struct {
	log  *Log[S]
	base Snapshot // the last one made or used, without its bytes; owned by run
	next atomic.Uint64
	work chan struct{} // holds one
}

func (s *snapshotter[S]) init(l *Log[S], base Snapshot) {
	s.log, s.base = l, base
	s.base.Bytes = nil
	s.work = make(chan struct{}, 1)
	s.next.Store(uint64(base.Size + l.cfg.SnapshotEvery))
}

// grown is called by the writer after every commit.
func (s *snapshotter[S]) grown(size purser.Pos) {
	if uint64(size) < s.next.Load() {
		return
	}
	select {
	case s.work <- struct{}{}:
	default:
	}
}

// run makes snapshots until ctx ends. One that cannot be made is tried again
// a whole span later: without it, starting takes longer and nothing else.
func (s *snapshotter[S]) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.work:
		}
		size := s.log.Size()
		if uint64(size) < s.next.Load() {
			continue
		}
		s.next.Store(uint64(size + s.log.cfg.SnapshotEvery))
		snap, err := s.make(ctx, size)
		if err != nil {
			if ctx.Err() == nil && s.log.stop.Load() == nil {
				s.log.cfg.trouble(fmt.Errorf("make snapshot %d: %w", size, err))
			}
			continue
		}
		s.base = snap
		s.base.Bytes = nil
	}
}

// make folds up to size, stores the snapshot, and only then binds it by an
// entry, so that a bound snapshot is always there.
func (s *snapshotter[S]) make(ctx context.Context, size purser.Pos) (Snapshot, error) {
	cfg := &s.log.cfg
	base, err := s.read(ctx)
	if err != nil {
		return Snapshot{}, err
	}
	f, err := restore(cfg.New(), base)
	if err != nil {
		return Snapshot{}, err
	}
	for stored, err := range cfg.Store.Entries(ctx, base.Size, size) {
		if err != nil {
			return Snapshot{}, err
		}
		if _, _, err := f.take(stored); err != nil {
			return Snapshot{}, err
		}
	}
	f.state.Commit()
	c := purser.NewEncoder(nil)
	f.state.Code(c)
	if err := c.Err(); err != nil {
		return Snapshot{}, fmt.Errorf("encode snapshot: %w", err)
	}
	snap := Snapshot{
		Size: size, FoldVersion: cfg.FoldVersion, Frontier: f.frontier,
		Bytes: c.Bytes(), Digest: sha256.Sum256(c.Bytes()),
	}
	if err := cfg.Store.PutSnapshot(ctx, snap); err != nil {
		return Snapshot{}, err
	}
	bind := snap.binding()
	_, err = s.log.Propose(ctx, purser.VendorID{}, func(S, purser.Stamp) purser.Entry { return &bind })
	return snap, err
}

// read reads the snapshot to set out from back. Where it is gone, everything
// is folded from the first entry.
func (s *snapshotter[S]) read(ctx context.Context) (Snapshot, error) {
	if s.base.Size == 0 {
		return Snapshot{}, nil
	}
	for snap, err := range s.log.cfg.Store.Snapshots(ctx) {
		if err != nil {
			return Snapshot{}, err
		}
		if snap.Size == s.base.Size && snap.Digest == s.base.Digest {
			return snap, nil
		}
	}
	s.log.cfg.trouble(fmt.Errorf("%w: snapshot %d is not there any more", ErrCorrupt, s.base.Size))
	return Snapshot{}, nil
}
