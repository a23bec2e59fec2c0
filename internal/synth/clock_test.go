package synth_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"purser/internal/synth"
)

func TestClockWakesWhoIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := synth.NewClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
		woken := make(chan int, 2)
		for i, d := range []time.Duration{time.Hour, time.Minute} {
			go func() {
				if clock.Sleep(t.Context(), d) == nil {
					woken <- i
				}
			}()
		}
		synctest.Wait()
		clock.Advance(time.Minute)
		if got := <-woken; got != 1 {
			t.Fatalf("got sleeper %d first, want 1", got)
		}
		clock.Advance(time.Hour)
		if got := <-woken; got != 0 {
			t.Fatalf("got sleeper %d, want 0", got)
		}
		if clock.Mono() != time.Hour+time.Minute {
			t.Fatalf("got %v on the monotonic clock", clock.Mono())
		}
	})
}

func TestClockStepMovesTheWallOnly(t *testing.T) {
	clock := synth.NewClock(time.Unix(0, 0))
	clock.Step(-time.Hour)
	if clock.Wall() != time.Unix(-3600, 0) || clock.Mono() != 0 || clock.Now() != time.Unix(0, 0) {
		t.Fatalf("got wall %v, mono %v, now %v", clock.Wall(), clock.Mono(), clock.Now())
	}
}

func TestClockSleepEndsWithItsContext(t *testing.T) {
	clock := synth.NewClock(time.Unix(0, 0))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := clock.Sleep(ctx, time.Hour); err == nil {
		t.Fatal("got no error")
	}
	if n, _ := clock.Sleeping(); n != 0 {
		t.Fatalf("got %d sleepers left, want 0", n)
	}
}
