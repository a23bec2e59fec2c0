package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"purser"
	"purser/internal/fold"
)

// How often the background work looks for something to do.
const (
	enactEvery  = 10 * time.Second
	followEvery = 500 * time.Millisecond
	retireEvery = time.Hour
	flushEvery  = time.Minute
	watchEvery  = 5 * time.Second
)

// background runs what must happen without anybody asking. It owns its
// goroutines: wait returns when the last one has ended.
type background struct {
	clock   Clock
	logger  *slog.Logger
	running sync.WaitGroup
}

// every calls work again and again until ctx ends. A fault is logged and tried
// again at the next turn; what is due stays due, since it is in the ledger.
func (b *background) every(ctx context.Context, period time.Duration, name string, work func(context.Context) error) {
	b.running.Go(func() {
		for b.clock.Sleep(ctx, period) == nil {
			if err := work(ctx); err != nil && !errors.Is(err, context.Canceled) {
				b.logger.LogAttrs(ctx, slog.LevelError, "background work failed", slog.String("work", name), slog.Any("fault", err))
			}
		}
	})
}

// work starts the background work of a serving deployment.
func (d *Deployment) work(ctx context.Context) *background {
	b := &background{clock: d.cfg.Clock, logger: d.cfg.Logger}
	b.running.Go(func() {
		if err := d.Changes.Remind(ctx); err != nil && !errors.Is(err, context.Canceled) {
			b.logger.LogAttrs(ctx, slog.LevelError, "background work failed", slog.String("work", "remind of changes"), slog.Any("fault", err))
		}
	})
	b.every(ctx, enactEvery, "enact changes", func(ctx context.Context) error {
		_, err := d.Changes.EnactDue(ctx)
		return err
	})
	b.every(ctx, followEvery, "follow keyed codes up", d.Verification.FollowUp)
	b.every(ctx, flushEvery, "record forged events", d.Intake.Flush)
	b.every(ctx, watchEvery, "watch sources", d.watchSources(&staleWatch{told: make(map[purser.SourceID]bool)}))
	b.every(ctx, retireEvery, "retire attempt keys", d.retireKeys)
	return b
}

// retireKeys destroys attempt keys by the time of the ledger, which does not
// follow a wall clock that somebody set.
func (d *Deployment) retireKeys(ctx context.Context) error {
	var now purser.Stamp
	err := d.log.Look(ctx, func(_ *fold.State, at purser.Stamp) error { now = at; return nil })
	if err != nil {
		return fmt.Errorf("look for the time: %w", err)
	}
	return d.Keys.Retire(now)
}
