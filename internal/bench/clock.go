package bench

import (
	"context"
	"time"
)

// clock is the machine's clock: what is measured here takes real time.
type clock struct{ start time.Time }

func newClock() clock { return clock{time.Now()} }

// Wall returns what the wall clock reads.
func (clock) Wall() time.Time { return time.Now() }

// Now returns what the wall clock reads.
func (clock) Now() time.Time { return time.Now() }

// Mono returns the time since the clock was made; it never goes back.
func (c clock) Mono() time.Duration { return time.Since(c.start) }

// Sleep returns after d, or with the context's error.
func (clock) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
