package server_test

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"purser"
	"purser/internal/edge/httpapi"
	"purser/internal/edge/web"
	"purser/internal/server"
	"purser/internal/synth"
)

// pipes is a listener whose connections stay in memory.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error   { close(p.closed); return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// Whoever sends a byte a second is cut off, with a problem where he came as far
// as a body, and holds up nothing.
func TestSlowRequestsEnd(t *testing.T) {
	for _, one := range []struct {
		name, head, drip string
		within           time.Duration
		want             string
	}{
		{"nothing", "", "", 6 * time.Second, ""},
		{"headers", "POST /v1/login/begin HTTP/1.1\r\nHost: x\r\nX-Slow: ", "a", 6 * time.Second, ""},
		{"body", "POST /v1/login/begin HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n", " ", 31 * time.Second, "HTTP/1.1 408 "},
		{"chunks", "POST /v1/login/begin HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n", 31 * time.Second, "HTTP/1.1 408 "},
		{"signed body", "POST /v1/locks HTTP/1.1\r\nHost: x\r\nAuthorization: Purser x\r\nContent-Length: 60000\r\n\r\n", " ", 31 * time.Second, ""},
	} {
		t.Run(one.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clock := synth.NewClock(time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC))
				_, handler := httpapi.New(httpapi.Config{Version: "test", Clock: clock, Web: web.New(web.Config{
					Clock: clock, Log: slog.New(slog.DiscardHandler), Reference: func(purser.Pos) string { return "" },
				})})
				var s http.Server
				server.Limit(&s, handler)
				l := pipes{make(chan net.Conn), make(chan struct{})}
				served := make(chan error, 1)
				go func() { served <- s.Serve(l) }()
				ours, theirs := net.Pipe()
				l.conns <- theirs
				began := time.Now()
				var dripping sync.WaitGroup
				dripping.Go(func() {
					_, err := io.WriteString(ours, one.head)
					for one.drip != "" && err == nil {
						<-time.After(time.Second)
						_, err = io.WriteString(ours, one.drip)
					}
				})
				got, err := io.ReadAll(ours)
				must(t, err)
				if took := time.Since(began); took > one.within {
					t.Errorf("got cut off after %v, want within %v", took, one.within)
				}
				if !strings.HasPrefix(string(got), one.want) {
					t.Errorf("got %q, want it to begin with %q", got, one.want)
				}
				must(t, errors.Join(ours.Close(), s.Close()))
				dripping.Wait()
				if err := <-served; !errors.Is(err, http.ErrServerClosed) {
					t.Error(err)
				}
			})
		})
	}
}

// A session that asks too fast is answered before anything is proposed.
func TestASessionIsLimited(t *testing.T) {
	a := newAirline(t, 0)
	m, other := a.hire(0, "desk", "agent"), a.hire(0, "desk", "agent")
	a.pass(10 * time.Second)
	refused := func() int {
		before := a.d.Status().Size
		done := 0
		a.standing(func() {
			for n := range 100 {
				path := "/v1/people/" + purser.PersonID{9, byte(n)}.String() + "/suspend" // leaves at once
				switch got := m.hasty(http.MethodPost, path, nil); got.status {
				case http.StatusForbidden:
					done++
				case http.StatusTooManyRequests:
					if !strings.Contains(string(got.body), `"answer":"try_later"`) || got.header.Get("Retry-After") != "1" {
						t.Errorf("got %v %s, want try_later after 1", got.header, got.body)
					}
				default:
					t.Fatalf("got %d %s", got.status, got.body)
				}
			}
		})
		if grown := a.d.Status().Size - before; grown > purser.Pos(done) {
			t.Errorf("got %d entries of %d requests that were looked at", grown, done)
		}
		return done
	}
	if got := refused(); got != web.SessionBurst {
		t.Errorf("at once: got %d requests looked at, want %d", got, web.SessionBurst)
	}
	if got := other.ask(http.MethodGet, "/v1/contacts", nil); got.status != http.StatusOK {
		t.Errorf("another session: got %d, want 200", got.status)
	}
	a.clock.Advance(time.Second)
	if got := refused(); got != web.SessionRate {
		t.Errorf("a second later: got %d requests looked at, want %d", got, web.SessionRate)
	}
}
