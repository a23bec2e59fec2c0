package httpapi_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"purser"
	"purser/internal/edge/httpapi"
	"purser/internal/edge/web"
	"purser/internal/synth"
	"purser/internal/workforce"
)

// anybody is whoever the token says.
type anybody struct{}

func (anybody) Authenticate(_ context.Context, s workforce.Signed) (workforce.Session, error) {
	return workforce.Session{Who: purser.Actor{Session: purser.SessionID(s.Token[:16])}}, nil
}

// acts counts what is done; what is called slow is answered when let go.
type acts struct {
	handler http.Handler
	clock   *synth.Clock
	begun   chan struct{}
	let     chan struct{}

	mu   sync.Mutex
	done map[string]int // guarded by mu; by path
}

func newActs() *acts {
	a := &acts{
		clock: synth.NewClock(time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)),
		begun: make(chan struct{}, 1000), let: make(chan struct{}), done: make(map[string]int),
	}
	w := web.New(web.Config{
		Sessions: anybody{}, Clock: a.clock, Log: slog.New(slog.DiscardHandler), Reference: func(purser.Pos) string { return "" },
		SessionRate: 1e9, SessionBurst: 1e9,
	})
	a.handler = w.Handler(w.Signed(httpapi.Kept(a.clock, w, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		a.done[r.URL.Path]++
		n := a.done[r.URL.Path]
		a.mu.Unlock()
		if strings.HasPrefix(r.URL.Path, "/slow") {
			a.begun <- struct{}{}
			<-a.let
		}
		if strings.Contains(r.URL.Path, "/secret") {
			httpapi.HoldsSecret(r.Context())
		}
		_, _ = fmt.Fprintf(rw, "%s %d", r.URL.Path, n)
	}))))
	return a
}

// ask has session n ask for a path under a name.
func (a *acts) ask(n byte, path, name string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, nil)
	r.RemoteAddr = fmt.Sprintf("192.0.2.%d:99", n)
	synth.NewClient(workforce.Token{n}, workforce.RequestKey{}, a.clock).Sign(r, nil)
	r.Header.Set(httpapi.HeaderIdempotency, name)
	rec := httptest.NewRecorder()
	a.handler.ServeHTTP(rec, r)
	return rec
}

func (a *acts) wants(t *testing.T, what string, got *httptest.ResponseRecorder, status int, body string) {
	t.Helper()
	if got.Code != status || !strings.Contains(got.Body.String(), body) {
		t.Errorf("%s: got %d %q, want %d %q", what, got.Code, got.Body, status, body)
	}
}

// A session's answers are bounded by themselves, what is still being answered
// keeps its name, and where only such are left a new name is turned away. Seen
// to fail with the oldest forgotten whether or not it is finished: a new name took
// the place of one in flight.
func TestKeptAnswersAreBounded(t *testing.T) {
	a := newActs()
	a.wants(t, "first", a.ask(2, "/other", "o"), http.StatusOK, "/other 1")
	var running sync.WaitGroup
	results := make([]*httptest.ResponseRecorder, httpapi.MostEach)
	for n := range results {
		running.Go(func() { results[n] = a.ask(1, fmt.Sprintf("/slow/%d", n), fmt.Sprint(n)) })
	}
	for range results {
		<-a.begun
	}
	a.clock.Advance(2 * httpapi.KeepFor) // what is not finished does not grow old
	a.wants(t, "no room", a.ask(1, "/new", "new"), http.StatusServiceUnavailable, `"answer":"try_later"`)
	a.wants(t, "another session", a.ask(2, "/new", "new"), http.StatusOK, "/new 1")
	a.wants(t, "another request", a.ask(1, "/new", "7"), http.StatusConflict, "")
	var again *httptest.ResponseRecorder
	running.Go(func() { again = a.ask(1, "/slow/7", "7") })
	close(a.let)
	running.Wait()
	a.wants(t, "who asked again", again, http.StatusOK, "/slow/7 1")
	a.wants(t, "who asked first", results[7], http.StatusOK, "/slow/7 1")
	for n := range 2 * httpapi.MostEach {
		a.wants(t, "once they are finished", a.ask(1, fmt.Sprintf("/new/%d", n), fmt.Sprintf("new %d", n)), http.StatusOK, " 1")
	}
	a.wants(t, "the other session's, again", a.ask(2, "/new", "new"), http.StatusOK, "/new 1")
	a.wants(t, "one of the last, again", a.ask(1, "/new/199", "new 199"), http.StatusOK, "/new/199 1")
	a.clock.Advance(httpapi.KeepFor)
	a.wants(t, "after its time", a.ask(1, "/new/199", "new 199"), http.StatusOK, "/new/199 2")
}

// An answer that holds a secret is told to whoever asked, and kept for nobody:
// who asks again, then or later, asks anew. Seen to fail with the answer kept.
func TestSecretsAreNotKept(t *testing.T) {
	a := newActs()
	a.wants(t, "first", a.ask(1, "/secret", "s"), http.StatusOK, "/secret 1")
	a.wants(t, "again", a.ask(1, "/secret", "s"), http.StatusOK, "/secret 2")
	a.wants(t, "the name for something else", a.ask(1, "/plain", "s"), http.StatusOK, "/plain 1")
	a.wants(t, "which is kept", a.ask(1, "/plain", "s"), http.StatusOK, "/plain 1")

	var running sync.WaitGroup
	answers := make([]*httptest.ResponseRecorder, 2)
	running.Go(func() { answers[0] = a.ask(1, "/slow/secret", "t") })
	<-a.begun
	running.Go(func() { answers[1] = a.ask(1, "/slow/secret", "t") })
	close(a.let)
	running.Wait()
	a.wants(t, "who waited for none", answers[1], http.StatusOK, "/slow/secret 2")
}
