package server

import (
	"context"
	"time"
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
