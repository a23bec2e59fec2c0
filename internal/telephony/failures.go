package telephony

import (
	"context"
	"net/netip"

	"golang.org/x/time/rate"

	"purser"
)

// How many requests that are not authentic one address may send, and of how
// many addresses and sources counts are kept.
const (
	failuresBurst   = 20
	failuresPerSec  = 1
	maxRemotes      = 4096
	findingInterval = purser.Minute
)

// failures counts requests that were not authentic. Nothing here is state of
// the ledger: a restart forgets it. Sources are those that have a row, and one
// for all unknown ones, so neither map grows with what strangers send.
type failures struct {
	remotes map[netip.Addr]*rate.Limiter
	sources map[purser.SourceID]*forged
}

// forged is what was not recorded yet about one source.
type forged struct {
	row   SourceRow
	count uint32
	found purser.Stamp // when the last finding was recorded
}

// mayTry reports whether the address may fail once more. It is asked after a
// failure alone, so that a stranger who names a source, from wherever, does
// not keep the source itself out. Requests without an address are not limited.
func (i *Intake) mayTry(r Request, now purser.Stamp) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	l, ok := i.forged.remotes[r.Remote]
	return !ok || !r.Remote.IsValid() || l.TokensAt(now.Time()) >= 1
}

// failed counts one failure, and records a finding once a minute and source.
func (i *Intake) failed(ctx context.Context, r Request, row SourceRow, now purser.Stamp) error {
	due := i.count(r, row, now)
	if due == 0 {
		return nil
	}
	return i.find(ctx, purser.FindingForgedEvent, row, due)
}

// count returns how many failures are to be recorded now, or 0.
func (i *Intake) count(r Request, row SourceRow, now purser.Stamp) uint32 {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.forged.sources == nil || len(i.forged.remotes) >= maxRemotes {
		// Forgetting all is the bound: whoever sends from 4,096 addresses is
		// not held by a limit per address anyway.
		i.forged.remotes = make(map[netip.Addr]*rate.Limiter)
	}
	if i.forged.sources == nil {
		i.forged.sources = make(map[purser.SourceID]*forged)
	}
	l, ok := i.forged.remotes[r.Remote]
	if !ok {
		l = rate.NewLimiter(failuresPerSec, failuresBurst)
		i.forged.remotes[r.Remote] = l
	}
	l.AllowN(now.Time(), 1)
	f, ok := i.forged.sources[row.Source]
	if !ok {
		f = &forged{row: row, found: now - findingInterval}
		i.forged.sources[row.Source] = f
	}
	f.count++
	return f.take(now)
}

func (f *forged) take(now purser.Stamp) uint32 {
	if f.count == 0 || now-f.found < findingInterval {
		return 0
	}
	n := f.count
	f.count, f.found = 0, now
	return n
}

// Flush records what was counted and not recorded yet, for sources whose last
// finding is over a minute old. Call it each minute and before the end.
func (i *Intake) Flush(ctx context.Context) error {
	now := i.c.Now()
	type due struct {
		row   SourceRow
		count uint32
	}
	var all []due
	i.mu.Lock()
	for _, f := range i.forged.sources {
		if n := f.take(now); n > 0 {
			all = append(all, due{f.row, n})
		}
	}
	i.mu.Unlock()
	for _, d := range all {
		if err := i.find(ctx, purser.FindingForgedEvent, d.row, d.count); err != nil {
			return err
		}
	}
	return nil
}
