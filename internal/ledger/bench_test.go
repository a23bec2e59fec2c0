package ledger_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"purser"
	"purser/internal/ledger"
)

// trivial is a state that costs nothing.
type trivial struct{ n uint64 }

func (s *trivial) Apply(purser.Header, purser.Entry) error { s.n++; return nil }
func (s *trivial) Commit()                                 {}
func (s *trivial) Discard()                                {}
func (s *trivial) Code(c *purser.Coder)                    { c.U64(&s.n) }

func (s *trivial) Repeats(purser.Entry, purser.Stamp) (purser.Actor, bool) {
	return purser.Actor{}, false
}

func (s *trivial) ClockAccepted() bool { return true }

type realClock struct{ from time.Time }

func (c realClock) Wall() time.Time     { return time.Now() }
func (c realClock) Mono() time.Duration { return time.Since(c.from) }

func BenchmarkPropose(b *testing.B) {
	for _, callers := range []int{1, 32, 128} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			log, err := ledger.Open(b.Context(), ledger.Config[*trivial]{
				Store: openStore(b, b.TempDir()), New: func() *trivial { return &trivial{} }, Clock: realClock{time.Now()},
			})
			if err != nil {
				b.Fatal(err)
			}
			defer log.Close()
			b.ReportAllocs()
			b.ResetTimer()
			propose(b, log, callers)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}

func propose(b *testing.B, log *ledger.Log[*trivial], callers int) {
	var left atomic.Int64
	left.Store(int64(b.N))
	ended := make(chan error, callers)
	for i := range callers {
		go func() {
			who, lane := actor(byte(i)), purser.VendorID{byte(i % 3)}
			for left.Add(-1) >= 0 {
				_, err := log.Propose(context.Background(), lane, func(*trivial, purser.Stamp) purser.Entry {
					return &purser.Disclosure{Who: who, Customer: 7, Asked: 3, Shown: 3}
				})
				if err != nil {
					ended <- err
					return
				}
			}
			ended <- nil
		}()
	}
	for range callers {
		if err := <-ended; err != nil {
			b.Fatal(err)
		}
	}
}
