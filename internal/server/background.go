package server

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"purser"
	"purser/internal/fold"
	"purser/internal/ledger"
	"purser/internal/rule/casefile"
)

// How often the background work looks for something to do.
const (
	enactEvery  = 10 * time.Second
	followEvery = 500 * time.Millisecond
	retireEvery = time.Hour
	flushEvery  = time.Minute
	assignEvery = time.Minute
	watchEvery  = 5 * time.Second
	rotateEvery = 2 * time.Second
	// rotatingEvery is how often while there is something to change over.
	rotatingEvery = 100 * time.Millisecond
	expireEvery   = 10 * time.Minute
)

// background runs what must happen without anybody asking. It owns its
// goroutines: wait returns when the last one has ended.
type background struct {
	clock   Clock
	logger  *slog.Logger
	running sync.WaitGroup
}

// every calls work again and again until ctx ends. A fault is tried again at
// the next turn; what is due stays due, since it is in the ledger. The same
// fault turn after turn is logged once: a ledger that has stopped would fill
// the log, which may be on the same disk.
func (b *background) every(ctx context.Context, period time.Duration, name string, work func(context.Context) error) {
	b.running.Go(func() {
		said := ""
		for b.clock.Sleep(ctx, period) == nil {
			said = b.turn(ctx, name, work, said)
		}
	})
}

// turn calls work once and returns the fault that has been logged last, empty
// when there was none this time.
func (b *background) turn(ctx context.Context, name string, work func(context.Context) error, said string) string {
	err := work(ctx)
	switch {
	case err == nil:
		if said != "" {
			b.logger.LogAttrs(ctx, slog.LevelInfo, "background work goes on", slog.String("work", name))
		}
		return ""
	case errors.Is(err, context.Canceled) || err.Error() == said:
		return said
	}
	b.logger.LogAttrs(ctx, slog.LevelError, "background work failed", slog.String("work", name), slog.Any("fault", err))
	return err.Error()
}

// work starts the background work of a serving deployment.
func (d *Deployment) work(ctx context.Context) *background {
	b := &background{clock: d.cfg.Clock, logger: d.cfg.Logger}
	b.running.Go(func() { b.turn(ctx, "remind of changes", d.Changes.Remind, "") })
	b.every(ctx, enactEvery, "enact changes", func(ctx context.Context) error {
		_, err := d.Changes.EnactDue(ctx)
		return err
	})
	b.every(ctx, followEvery, "follow keyed codes up", d.Verification.FollowUp)
	b.every(ctx, flushEvery, "record forged events", d.Intake.Flush)
	b.every(ctx, watchEvery, "watch sources", d.watchSources(&staleWatch{told: make(map[purser.SourceID]bool)}))
	b.every(ctx, watchEvery, "look for room on the disk", d.lookForRoom)
	b.every(ctx, retireEvery, "retire attempt keys", d.retireKeys)
	b.every(ctx, retireEvery, "drop what nobody claimed", d.dropBlind)
	b.every(ctx, assignEvery, "give waiting cases to people", func(ctx context.Context) error {
		_, err := d.Gate.AssignWaiting(ctx)
		return err
	})
	b.rotate(ctx, d.TurnKeys)
	b.every(ctx, expireEvery, "drop what has outlived its time", d.Retention.Expire)
	return b
}

// rotate calls turn again and again, more often as long as it has something to
// do.
func (b *background) rotate(ctx context.Context, turn func(context.Context) (bool, error)) {
	b.running.Go(func() {
		said, period := "", rotateEvery
		for b.clock.Sleep(ctx, period) == nil {
			said = b.turn(ctx, "rotate keys", func(ctx context.Context) error {
				going, err := turn(ctx)
				if period = rotateEvery; going && err == nil {
					period = rotatingEvery
				}
				return err
			}, said)
		}
	})
}

// lookForRoom has the ledger write what it counted while the disk was full, so
// that /healthz is right though nobody asks for anything.
func (d *Deployment) lookForRoom(ctx context.Context) error {
	if !d.log.Full() {
		return nil
	}
	_, err := d.log.Propose(ctx, purser.VendorID{}, func(*fold.State, purser.Stamp) purser.Entry { return nil })
	if errors.Is(err, ledger.ErrNothingWritten) {
		return nil // still full; /healthz says so
	}
	return err
}

// retireKeys destroys attempt keys by the time of the ledger, which does not
// follow a wall clock that somebody set: what is destroyed does not come back.
func (d *Deployment) retireKeys(context.Context) error { return d.Keys.Retire(d.log.Now()) }

// dropBlind deletes cases and texts about nobody once no customer can be given
// to them any more.
func (d *Deployment) dropBlind(ctx context.Context) error {
	return d.Records.DropBlind(ctx, d.log.Now()-casefile.KeepBlind)
}
