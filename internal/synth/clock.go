package synth

import (
	"context"
	"sync"
	"time"
)

// Clock is a simulated clock that moves only when told to. It serves as the
// ledger's clock, the edge's clock and the clock of made-up agents alike, so
// that a day passes in minutes and nothing is late because a machine is slow.
// It is safe for concurrent use.
type Clock struct {
	mu      sync.Mutex
	start   time.Time
	now     time.Time
	skew    time.Duration // added to the wall reading only
	waiters map[*waiter]struct{}
}

type waiter struct {
	due  time.Time
	done chan struct{}
}

// NewClock returns a clock that stands at start.
func NewClock(start time.Time) *Clock {
	return &Clock{start: start, now: start, waiters: make(map[*waiter]struct{})}
}

// Now returns the simulated time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Wall returns what the wall clock reads: Now, unless it was stepped.
func (c *Clock) Wall() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now.Add(c.skew)
}

// Mono returns the time since the clock was made; it never goes back.
func (c *Clock) Mono() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now.Sub(c.start)
}

// Step moves the wall clock alone by d, as somebody setting it would.
func (c *Clock) Step(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.skew += d
}

// Advance moves the clock by d, which is not negative, and wakes who is due.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	for w := range c.waiters {
		if !w.due.After(c.now) {
			delete(c.waiters, w)
			close(w.done)
		}
	}
}

// Sleep returns when the clock has moved by d, or with the context's error.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	c.mu.Lock()
	w := &waiter{due: c.now.Add(d), done: make(chan struct{})}
	c.waiters[w] = struct{}{}
	c.mu.Unlock()
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
		c.mu.Lock()
		delete(c.waiters, w)
		c.mu.Unlock()
		return ctx.Err()
	}
}

// Sleeping returns how many sleepers wait, and when the first is due.
func (c *Clock) Sleeping() (n int, first time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for w := range c.waiters {
		if n == 0 || w.due.Before(first) {
			first = w.due
		}
		n++
	}
	return n, first
}
