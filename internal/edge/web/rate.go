package web

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Bounds of what is remembered of who asked how often.
const (
	// mostLimited is how many are remembered. Beyond it, those who are not
	// remembered share one limit.
	mostLimited = 20_000
	// leastLimited is how many are remembered before anybody is forgotten.
	leastLimited = 1024
)

// limits bounds the requests of each K by itself, with a bucket of tokens. A
// bucket that is full again says nothing, and is forgotten: what is remembered
// grows with those who ask now, not with those who ever did.
type limits[K comparable] struct {
	limit rate.Limit
	burst int

	mu     sync.Mutex // guards what follows
	by     map[K]*rate.Limiter
	full   int // of by: forget before there are more
	others *rate.Limiter
}

func newLimits[K comparable](limit rate.Limit, burst int) *limits[K] {
	return &limits[K]{
		limit: limit, burst: burst, full: leastLimited,
		by: make(map[K]*rate.Limiter), others: rate.NewLimiter(limit, burst),
	}
}

// allow takes one from what k may ask.
func (l *limits[K]) allow(k K, now time.Time) bool { return l.of(k, now).AllowN(now, 1) }

func (l *limits[K]) of(k K, now time.Time) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if one := l.by[k]; one != nil {
		return one
	}
	if len(l.by) >= l.full {
		l.forgetIdle(now)
	}
	if len(l.by) >= mostLimited {
		return l.others
	}
	one := rate.NewLimiter(l.limit, l.burst)
	l.by[k] = one
	return one
}

// forgetIdle drops whoever has all of his burst again: a new limiter would say
// the same of him. It looks again once there are twice as many as it left, so
// that nobody pays for it often.
func (l *limits[K]) forgetIdle(now time.Time) {
	for k, one := range l.by {
		if one.TokensAt(now) >= float64(l.burst) {
			delete(l.by, k)
		}
	}
	l.full = min(max(leastLimited, 2*len(l.by)), mostLimited)
}

// network is whose limit counts, an IPv4 address or an IPv6 /64; all that have
// no address share one.
func network(remote string) netip.Prefix {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}
	}
	address, bits := at.Addr().Unmap().WithZone(""), 64
	if address.Is4() {
		bits = 32
	}
	p, err := address.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
