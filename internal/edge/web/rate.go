package web

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// mostNetworks bounds what is remembered of who asked how often. Beyond it,
// networks that are not remembered share one limit.
const mostNetworks = 20_000

// networks limits the requests of each network: an IPv4 address or an IPv6
// /64.
type networks struct {
	limit rate.Limit
	burst int

	mu     sync.Mutex // guards by
	by     map[netip.Prefix]*rate.Limiter
	others *rate.Limiter
}

func newNetworks(limit rate.Limit, burst int) *networks {
	if limit == 0 {
		limit = 500
	}
	if burst == 0 {
		burst = 1000
	}
	return &networks{
		limit: limit, burst: burst,
		by: make(map[netip.Prefix]*rate.Limiter), others: rate.NewLimiter(limit, burst),
	}
}

// allow takes one from what the network may ask.
func (n *networks) allow(remote string, now time.Time) bool {
	return n.of(network(remote), now).AllowN(now, 1)
}

func (n *networks) of(p netip.Prefix, now time.Time) *rate.Limiter {
	n.mu.Lock()
	defer n.mu.Unlock()
	if l := n.by[p]; l != nil {
		return l
	}
	if len(n.by) >= mostNetworks {
		n.forgetIdle(now)
	}
	if len(n.by) >= mostNetworks {
		return n.others
	}
	l := rate.NewLimiter(n.limit, n.burst)
	n.by[p] = l
	return l
}

// forgetIdle drops whoever has all of his burst again: a new limiter would say
// the same of him.
func (n *networks) forgetIdle(now time.Time) {
	for p, l := range n.by {
		if l.TokensAt(now) >= float64(n.burst) {
			delete(n.by, p)
		}
	}
}

// network is whose limit counts; all that have no address share one.
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
