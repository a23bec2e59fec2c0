package server

import (
	"context"
	"time"

	"purser"
)

// SystemClock is the machine's clock.
type SystemClock struct{ from time.Time }

// NewSystemClock returns the machine's clock, whose monotonic reading starts
// now.
func NewSystemClock() *SystemClock { return &SystemClock{from: time.Now()} }

// Now returns the wall clock.
func (*SystemClock) Now() time.Time { return time.Now() }

// Wall returns the wall clock without its monotonic part.
func (*SystemClock) Wall() time.Time { return time.Now().Round(0) }

// Mono returns the time since the clock was made; setting the wall clock does
// not change it.
func (c *SystemClock) Mono() time.Duration { return time.Since(c.from) }

// Sleep waits for d or returns the context's error.
func (*SystemClock) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stamps is the clock of all that has to agree with stamps: sessions, signed
// requests, what is kept for a while. It does not follow a wall clock that
// somebody set before security accepts it, or nobody could log in to do so.
type stamps struct {
	now   func() purser.Stamp
	clock Clock
}

// clock returns the clock that stamps follow.
func (d *Deployment) clock() stamps { return stamps{now: d.log.Now, clock: d.cfg.Clock} }

// Now returns the time of the ledger.
func (s stamps) Now() time.Time { return s.now().Time() }

// Sleep waits for d or returns the context's error.
func (s stamps) Sleep(ctx context.Context, d time.Duration) error { return s.clock.Sleep(ctx, d) }
