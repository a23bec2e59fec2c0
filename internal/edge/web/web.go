// Package web owns what every door of Purser shares: checking the signature of
// a request, limits of size and rate, security headers, answers to whoever was
// refused, the tick on which answers leave, and the one log event of a request.
//
// It does not own routes, bodies or rules: an edge parses, calls one domain
// function and hands back what that returned, errors included. It opens no
// session and decides nothing: [workforce.Workforce.Authenticate] says whose
// request it is, and the fold decides what that session may do.
//
// Laws carried here: L5 (what must look the same has one length, one set of
// headers and leaves on a tick) and L6 (no answer and no log event holds a
// value that somebody sent or that was opened).
//
// Start reading at [Web.Handler], then [Web.Signed].
package web

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base32"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"purser"
	"purser/internal/workforce"
)

// Clock tells the time and waits. A simulated one makes ticks exact in tests.
type Clock interface {
	Now() time.Time
	// Sleep waits for d, or returns the context's error.
	Sleep(ctx context.Context, d time.Duration) error
}

// Sessions tells whose signed request it is. *workforce.Workforce is the one.
type Sessions interface {
	Authenticate(ctx context.Context, s workforce.Signed) (workforce.Session, error)
}

// Config is what a Web is made of. Sessions, Clock, Log and Reference are
// needed.
type Config struct {
	Sessions Sessions
	Clock    Clock
	Log      *slog.Logger
	// Reference names the entry of a refusal towards whoever was refused.
	Reference func(purser.Pos) string
	// MaxBody bounds a request's body in bytes; zero means 64 KiB.
	MaxBody int64
	// Rate and Burst bound the requests of one network a second, which may be
	// a whole call centre; zero means 500 and 1,000.
	Rate  rate.Limit
	Burst int
	// SessionRate and SessionBurst bound the signed requests of one session a
	// second; zero means 20 and 40, which no person at a desk reaches.
	SessionRate  rate.Limit
	SessionBurst int
}

// Web is what the doors share. It is safe for concurrent use.
type Web struct {
	sessions  Sessions
	clock     Clock
	log       *slog.Logger
	reference func(purser.Pos) string
	maxBody   int64
	networks  *limits[netip.Prefix]
	each      *limits[purser.SessionID]
}

// New returns a Web.
func New(c Config) *Web {
	return &Web{
		sessions: c.Sessions, clock: c.Clock, log: c.Log, reference: c.Reference,
		maxBody:  cmp.Or(c.MaxBody, 64<<10),
		networks: newLimits[netip.Prefix](cmp.Or(c.Rate, 500), cmp.Or(c.Burst, 1000)),
		each:     newLimits[purser.SessionID](cmp.Or(c.SessionRate, SessionRate), cmp.Or(c.SessionBurst, SessionBurst)),
	}
}

// What one session may ask for unless the configuration says otherwise.
const (
	SessionRate  = 20 // requests a second
	SessionBurst = 40
)

// Ticks returns the schedule on which answers leave.
func (w *Web) Ticks() Ticks { return Ticks{Clock: w.clock} }

// Handler wraps a whole edge, usually its mux. It numbers the request, sets
// the security headers, limits rate and size, turns a panic into a numbered
// fault, and writes the one log event. It is the outermost handler.
func (w *Web) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		e := &Event{id: requestID(), began: w.clock.Now()}
		outer := r
		r = r.WithContext(context.WithValue(r.Context(), eventKey{}, e))
		// A mux below writes its pattern into the request it is given; whoever
		// counts requests holds the other one.
		defer func() { outer.Pattern = r.Pattern }()
		rec := &recorder{ResponseWriter: rw}
		defer w.finish(rec, r, e)
		secure(rec.Header())
		if !w.networks.allow(network(r.RemoteAddr), e.began) {
			w.Problem(rec, r, errTooFast)
			return
		}
		r.Body = http.MaxBytesReader(rec, r.Body, w.maxBody)
		next.ServeHTTP(rec, r)
	})
}

// finish answers for a panic and writes the log event. Deferred by Handler.
func (w *Web) finish(rec *recorder, r *http.Request, e *Event) {
	if p := recover(); p != nil {
		// What was panicked with may hold a value; where it happened does not.
		e.fault("panic in " + panicked())
		if rec.status != 0 {
			w.write(r, rec, e)
			panic(http.ErrAbortHandler) // half an answer must not look whole
		}
		w.answer(rec, e, problem(http.StatusInternalServerError))
	}
	w.write(r, rec, e)
}

func (w *Web) write(r *http.Request, rec *recorder, e *Event) {
	level := slog.LevelInfo
	if e.failed() {
		level = slog.LevelError
	}
	// The pattern, never the path: a path holds what somebody typed.
	attrs := append(e.attrs(), slog.String("route", r.Pattern), slog.Int("status", rec.status),
		slog.Duration("took", w.clock.Now().Sub(e.began)))
	w.log.LogAttrs(r.Context(), level, "request", attrs...)
}

// panicked names the function of ours in which a panic began.
func panicked() string {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for {
		f, more := frames.Next()
		if f.Function != "" && !strings.HasPrefix(f.Function, "runtime.") {
			return f.Function
		}
		if !more {
			return "unknown"
		}
	}
}

// secure sets the headers of every answer of an API: nothing is kept, guessed,
// framed, or passed on.
func secure(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}

// requestID draws the number by which a log event and an answer are joined.
func requestID() string {
	var b [10]byte
	_, _ = rand.Read(b[:]) // never fails
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap gives the writer below to http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
