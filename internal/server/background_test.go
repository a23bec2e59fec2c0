package server_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"purser/internal/ledger"
	"purser/internal/server"
)

// A fault ends no background work, and one that stays is logged once. Seen to
// fail with every fault logged, and with the work ended by one.
func TestBackgroundWorkGoesOnAfterAFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, other := errors.New("one fault"), errors.New("another fault")
		turns := []error{one, one, nil, nil, one, other, other, nil}
		ctx, cancel := context.WithCancel(t.Context())
		logs, done := new(syncBuffer), 0
		server.Every(ctx, server.NewSystemClock(), slog.New(slog.NewTextHandler(logs, nil)), time.Second, func(context.Context) error {
			if done++; done == len(turns) {
				cancel()
			}
			return turns[done-1]
		})
		if done != len(turns) {
			t.Errorf("got %d turns, want %d", done, len(turns))
		}
		text := string(logs.Bytes())
		for line, want := range map[string]int{`fault="one fault"`: 2, `fault="another fault"`: 1, "goes on": 2} {
			if got := strings.Count(text, line); got != want {
				t.Errorf("%s: got %d lines, want %d", line, got, want)
			}
		}
	})
}

// A source whose silence cannot be recorded does not hide the next one. Seen to
// fail with the first error returned.
func TestEachSilentSourceIsLookedAt(t *testing.T) {
	a := newAirline(t, 2)
	a.clock.Advance(20 * time.Second)
	must(t, a.d.CloseLedger())
	err := a.d.WatchSources(t.Context())
	if !errors.Is(err, ledger.ErrStopped) {
		t.Fatalf("got %v, want ErrStopped", err)
	}
	for _, p := range a.phones {
		if !strings.Contains(err.Error(), p.id.String()) {
			t.Errorf("got %v, want it to name %v", err, p.id)
		}
	}
}
