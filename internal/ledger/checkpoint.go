package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"purser"
	"purser/proof"
)

// signEvery is how long a signing waits for further commits: well under the
// second in which every commit must be covered.
const signEvery = 400 * time.Millisecond

// signing signs checkpoints beside the writer. It keeps a tree of its own over
// the stored bytes and signs only where that agrees with the committed root.
type signing[S State] struct {
	log      *Log[S]
	frontier proof.Frontier // over what was read back; owned by run
	signed   purser.Pos
	work     chan struct{} // holds one
}

func (s *signing[S]) init(l *Log[S], verified proof.Frontier, signed purser.Pos) {
	s.log, s.frontier, s.signed = l, verified, signed
	s.work = make(chan struct{}, 1)
}

// grown is called by the writer after every commit.
func (s *signing[S]) grown() {
	select {
	case s.work <- struct{}{}:
	default:
	}
}

// run signs until ctx ends, and once more then, so that what is closed is
// covered whole.
func (s *signing[S]) run(ctx context.Context) {
	if s.log.cfg.Signer == nil {
		return
	}
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-s.work:
			s.pause(ctx)
		}
		if s.log.diskFailed() {
			return
		}
		err := s.sign(context.WithoutCancel(ctx))
		if errors.Is(err, ErrNothingWritten) {
			continue // no room: the next batch that finds some is signed with all before it
		}
		if err != nil {
			s.log.fail(fmt.Errorf("sign checkpoint: %w", err))
			return
		}
	}
}

func (s *signing[S]) pause(ctx context.Context) {
	timer := time.NewTimer(signEvery)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// sign reads back what was appended since the last time and signs the head.
func (s *signing[S]) sign(ctx context.Context) error {
	cfg := &s.log.cfg
	head := s.log.end.Load()
	for stored, err := range cfg.Store.Entries(ctx, s.frontier.Size(), head.size) {
		if err != nil {
			return err
		}
		s.frontier.Append(proof.LeafHash(stored.Bytes))
	}
	if s.frontier.Root() != head.root {
		return fmt.Errorf("%w: the stored entries do not give the root of size %d", ErrCorrupt, head.size)
	}
	if head.size == s.signed {
		return nil
	}
	c := proof.Checkpoint{Origin: cfg.Origin, Size: head.size, Root: head.root}
	note, err := c.Sign(cfg.Signer)
	if err != nil {
		return err
	}
	if err := cfg.Store.PutCheckpoint(ctx, head.size, note); err != nil {
		return err
	}
	s.signed = head.size
	s.log.sign.Store(&sign{head.size, note})
	return nil
}
