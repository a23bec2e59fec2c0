package web

import (
	"context"
	"time"
)

// Tick is how far the moments are apart at which answers leave that must not
// tell by their time what they were about (L5).
const Tick = 20 * time.Millisecond

// Ticks is the schedule of ticks on a clock.
type Ticks struct{ Clock Clock }

// Wait returns on the next tick, always later than now, or with the context's
// error. An edge calls it after the entry is durable and before it answers, for
// every outcome alike.
func (t Ticks) Wait(ctx context.Context) error {
	now := t.Clock.Now()
	return t.Clock.Sleep(ctx, now.Truncate(Tick).Add(Tick).Sub(now))
}
