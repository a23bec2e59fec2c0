package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"purser"
	"purser/internal/edge/web"
	"purser/internal/ledger"
	"purser/internal/synth"
	"purser/internal/workforce"
)

var morning = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// secret is what nobody may find in an answer or a log.
const secret = "kim@example.com"

// door is an edge with a log that can be read.
type door struct {
	web   *web.Web
	clock *synth.Clock
	log   *bytes.Buffer
}

func newDoor(c web.Config) *door {
	d := &door{clock: synth.NewClock(morning), log: new(bytes.Buffer)}
	c.Clock = d.clock
	c.Log = slog.New(slog.NewJSONHandler(d.log, nil))
	c.Reference = func(pos purser.Pos) string { return fmt.Sprintf("REF%05d", pos) }
	d.web = web.New(c)
	return d
}

// serve answers one request to a mux with one route.
func (d *door) serve(t testing.TB, h http.HandlerFunc, r *http.Request) *http.Response {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("POST /v1/contacts/{contact}/claim", h)
	rec := httptest.NewRecorder()
	d.web.Handler(mux).ServeHTTP(rec, r)
	return rec.Result()
}

func request(body string) *http.Request {
	return httptest.NewRequest("POST", "/v1/contacts/"+secret+"/claim?q="+secret, strings.NewReader(body))
}

func read(t testing.TB, res *http.Response) (string, web.Problem) {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var p web.Problem
	if err := json.Unmarshal(b, &p); err != nil {
		t.Fatalf("body: %v", err)
	}
	return string(b), p
}

func TestErrorsBecomeProblems(t *testing.T) {
	for _, c := range []struct {
		name   string
		err    error
		status int
		fault  bool
	}{
		{"no session", workforce.ErrNoSession, 401, false},
		{"wrapped", fmt.Errorf("login: %w", workforce.ErrNotProved), 401, false},
		{"not now", workforce.ErrNotNow, 401, false},
		{"unknown", workforce.ErrUnknown, 404, false},
		{"too many passkeys", workforce.ErrTooMany, 409, false},
		{"overloaded", ledger.ErrOverloaded, 503, false},
		{"bad id", purser.ErrBadID, 422, false},
		{"the ledger stopped", ledger.ErrStopped, 503, true},
		{"gone away", context.Canceled, 503, false},
		{"anything else", errors.New("disk is on fire"), 500, true},
		{"made by the edge", web.BadRequest("fields", "names no field"), 422, false},
		{"a status without a title", web.Invalid(http.StatusTeapot), 418, false},
		{"refused", &purser.Refusal{Reason: purser.Unknown, At: 7}, 403, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDoor(web.Config{})
			res := d.serve(t, func(rw http.ResponseWriter, r *http.Request) { d.web.Problem(rw, r, c.err) }, request(""))
			text, p := read(t, res)
			if res.StatusCode != c.status || p.Status != c.status || p.Title == "" || !strings.HasPrefix(p.Type, "urn:purser:problem:") {
				t.Errorf("got %d %+v, want status %d", res.StatusCode, p, c.status)
			}
			if got := res.Header.Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("content type: got %q", got)
			}
			if logged := strings.Contains(d.log.String(), `"fault"`); logged != c.fault {
				t.Errorf("fault logged: got %v, want %v", logged, c.fault)
			}
			if c.fault && (p.Request == "" || !strings.Contains(d.log.String(), p.Request) || strings.Contains(text, c.err.Error())) {
				t.Errorf("fault: got %s, want its number alone", text)
			}
			if leaks := text + d.log.String(); strings.Contains(leaks, secret) {
				t.Errorf("a value that was sent came back or was logged")
			}
			if n := strings.Count(d.log.String(), "\n"); n != 1 {
				t.Errorf("log events: got %d, want 1", n)
			}
			if !strings.Contains(d.log.String(), `"route":"POST /v1/contacts/{contact}/claim"`) {
				t.Errorf("log: got %s, want the route's pattern", d.log)
			}
		})
	}
}

func TestLaw05RefusalsHaveOneShape(t *testing.T) {
	type shape struct {
		length  int
		status  int
		headers string
	}
	seen := map[shape]purser.Reason{}
	for _, reason := range []purser.Reason{
		purser.Unknown, purser.Wrong, purser.Several, purser.CustomerErased, purser.CustomerHeld,
		purser.NotBound, purser.BudgetDay, purser.SourceStale, purser.Locked,
	} {
		d := newDoor(web.Config{})
		res := d.serve(t, func(rw http.ResponseWriter, r *http.Request) {
			d.web.Problem(rw, r, &purser.Refusal{Reason: reason, At: purser.Pos(reason)})
		}, request(""))
		text, p := read(t, res)
		if p.Answer != reason.Answer().String() || p.Reference != fmt.Sprintf("REF%05d", reason) {
			t.Errorf("reason %d: got %s, want its answer and reference", reason, text)
		}
		if !strings.Contains(d.log.String(), fmt.Sprintf(`"reason":%d`, reason)) {
			t.Errorf("reason %d: not in the log event", reason)
		}
		seen[shape{len(text), res.StatusCode, fmt.Sprint(res.Header)}] = reason
	}
	if len(seen) != 1 {
		t.Fatalf("shapes of refusals: got %v, want one", seen)
	}
	for s := range seen {
		if s.length != web.AnswerSize {
			t.Fatalf("length: got %d, want %d", s.length, web.AnswerSize)
		}
	}
}

func TestPadGivesOneLength(t *testing.T) {
	type body struct {
		Answer string `json:"answer"`
		Pad    string `json:"pad"`
	}
	for _, text := range []string{"", "enough", "<&>", "é\u2028", strings.Repeat("x", 400)} {
		b := body{Answer: text}
		pad, err := web.PadTo(b, 0)
		if err != nil {
			t.Fatalf("pad: %v", err)
		}
		b.Pad = pad
		var out bytes.Buffer
		enc := json.NewEncoder(&out)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(b); err != nil || out.Len() != web.AnswerSize {
			t.Errorf("%d bytes of text: got %d with pad, want %d", len(text), out.Len(), web.AnswerSize)
		}
		rec := httptest.NewRecorder()
		if err := web.Pad(rec, 200, body{Answer: text}, web.AnswerSize); err != nil || rec.Body.Len() != web.AnswerSize || !json.Valid(rec.Body.Bytes()) {
			t.Errorf("%d bytes of text: got %d padded with spaces, %v", len(text), rec.Body.Len(), err)
		}
	}
	if _, err := web.PadTo(body{Answer: strings.Repeat("x", web.AnswerSize)}, 0); err == nil {
		t.Error("an answer that does not fit: got none, want an error")
	}
}

func TestPanicIsANumberedFault(t *testing.T) {
	d := newDoor(web.Config{})
	res := d.serve(t, func(http.ResponseWriter, *http.Request) { panic(secret) }, request(""))
	text, p := read(t, res)
	if res.StatusCode != 500 || p.Request == "" || strings.Contains(text+d.log.String(), secret) {
		t.Fatalf("got %d %s, want a number and no value", res.StatusCode, text)
	}
	if !strings.Contains(d.log.String(), "panic in purser/internal/edge/web_test.TestPanic") || !strings.Contains(d.log.String(), p.Request) {
		t.Fatalf("log: got %s, want where it panicked", d.log)
	}
}

func TestPanicInHalfAnAnswerEndsIt(t *testing.T) {
	d := newDoor(web.Config{})
	defer func() {
		if p := recover(); p != http.ErrAbortHandler { //nolint:errorlint // a panic's value
			t.Fatalf("got %v, want ErrAbortHandler", p)
		}
		if !strings.Contains(d.log.String(), `"fault"`) {
			t.Fatal("the fault was not logged")
		}
	}()
	d.serve(t, func(rw http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(rw, `{"half":`)
		panic("lost")
	}, request(""))
}

func TestSecurityHeaders(t *testing.T) {
	d := newDoor(web.Config{})
	res := d.serve(t, func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusNoContent) }, request(""))
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
	} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestNetworksAreLimitedApart(t *testing.T) {
	d := newDoor(web.Config{Rate: 1, Burst: 3})
	ask := func(from string) int {
		r := request("")
		r.RemoteAddr = from
		return d.serve(t, func(http.ResponseWriter, *http.Request) {}, r).StatusCode
	}
	for i := range 5 {
		want := http.StatusOK
		if i >= 3 {
			want = http.StatusTooManyRequests
		}
		if got := ask(fmt.Sprintf("[2001:db8:0:1::%d]:99", i)); got != want {
			t.Errorf("request %d of a network: got %d, want %d", i, got, want)
		}
	}
	if got := ask("192.0.2.1:99"); got != http.StatusOK {
		t.Errorf("another network: got %d, want 200", got)
	}
	d.clock.Advance(time.Second)
	if got := ask("[2001:db8:0:1::9]:99"); got != http.StatusOK {
		t.Errorf("a second later: got %d, want 200", got)
	}
}

// A session that asks too fast is told so before anything is done for it, and
// nobody else is; what was remembered of a session that stopped is forgotten.
// Seen to fail with one bucket for all sessions, and without forgetting.
func TestSessionsAreLimitedApart(t *testing.T) {
	sessions := &desk{key: workforce.RequestKey{7}}
	d := newDoor(web.Config{Sessions: sessions, Rate: 1e6, Burst: 1e6})
	done := 0
	ask := func(session purser.SessionID) *http.Response {
		sessions.who = session
		r := request("")
		synth.NewClient(workforce.Token{1}, sessions.key, d.clock).Sign(r, nil)
		return d.serve(t, d.web.Signed(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { done++ })).ServeHTTP, r)
	}
	fast, calm := purser.SessionID{1}, purser.SessionID{2}
	wants := func(when string, asked, want int) *http.Response {
		t.Helper()
		var last *http.Response
		done = 0
		for range asked {
			last = ask(fast)
		}
		if done != want {
			t.Errorf("%s: got %d of %d requests done, want %d", when, done, asked, want)
		}
		return last
	}
	over := wants("at once", 100, web.SessionBurst)
	_, told := read(t, over)
	if over.StatusCode != http.StatusTooManyRequests || told.Answer != "try_later" || over.Header.Get("Retry-After") != "1" {
		t.Errorf("got %d %q after %q, want 429 try_later after 1", over.StatusCode, told.Answer, over.Header.Get("Retry-After"))
	}
	if got := ask(calm); got.StatusCode != http.StatusOK {
		t.Errorf("another session: got %d, want 200", got.StatusCode)
	}
	d.clock.Advance(time.Second)
	wants("a second later", 100, web.SessionRate)
	d.clock.Advance(time.Minute)
	wants("a minute later", 100, web.SessionBurst)
	d.clock.Advance(time.Minute)
	for n := range 5000 {
		ask(purser.SessionID{3, byte(n), byte(n >> 8)})
		d.clock.Advance(10 * time.Millisecond)
	}
	if got := d.web.Limited(); got > 1100 {
		t.Errorf("got %d sessions remembered, want those of the last seconds", got)
	}
}

func TestAnswersLeaveOnTicks(t *testing.T) {
	for _, c := range []struct {
		name string
		at   time.Duration
		want time.Duration
	}{
		{"between two", 7 * time.Millisecond, 20 * time.Millisecond},
		{"just before one", 20*time.Millisecond - 1, 20 * time.Millisecond},
		{"on one", 20 * time.Millisecond, 40 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			clock := synth.NewClock(morning)
			clock.Advance(c.at)
			var group sync.WaitGroup
			var left time.Duration
			group.Go(func() {
				if err := (web.Ticks{Clock: clock}).Wait(t.Context()); err != nil {
					t.Errorf("wait: %v", err)
				}
				left = clock.Now().Sub(morning)
			})
			for {
				if n, due := clock.Sleeping(); n == 1 {
					clock.Advance(due.Sub(clock.Now()))
					break
				}
			}
			group.Wait()
			if left != c.want {
				t.Fatalf("left after %v, want %v", left, c.want)
			}
		})
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (web.Ticks{Clock: synth.NewClock(morning)}).Wait(gone); !errors.Is(err, context.Canceled) {
		t.Fatalf("asker gone: got %v, want Canceled", err)
	}
}

// desk answers for one session that signs with key.
type desk struct {
	key  workforce.RequestKey
	who  purser.SessionID // 1 if zero
	got  workforce.Signed
	asks int
}

func (k *desk) Authenticate(_ context.Context, s workforce.Signed) (workforce.Session, error) {
	k.asks++
	k.got = s
	if s.Sign(k.key).MAC != s.MAC {
		return workforce.Session{}, workforce.ErrNoSession
	}
	who := k.who
	if who.Zero() {
		who = purser.SessionID{1}
	}
	return workforce.Session{Who: purser.Actor{Session: who}, Level: purser.LevelDesk}, nil
}

func TestSignedRequests(t *testing.T) {
	const body = `{"said":"` + secret + `"}`
	for _, c := range []struct {
		name   string
		change func(*http.Request)
		status int
		asks   int
	}{
		{"as signed", func(*http.Request) {}, 200, 1},
		{"another body", func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(body + " ")) }, 401, 1},
		{"another query", func(r *http.Request) { r.RequestURI += "&more=1" }, 401, 1},
		{"another spelling of the path", func(r *http.Request) { r.RequestURI = strings.Replace(r.RequestURI, "@", "%40", 1) }, 401, 1},
		{"no signature", func(r *http.Request) { r.Header.Del(workforce.HeaderSignature) }, 401, 0},
		{"two tokens", func(r *http.Request) { r.Header.Add(workforce.HeaderToken, "Purser x") }, 401, 0},
		{"a body too large", func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(strings.Repeat("x", 101))) }, 413, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			sessions := &desk{key: workforce.RequestKey{7}}
			d := newDoor(web.Config{Sessions: sessions, MaxBody: 100})
			r := request(body)
			synth.NewClient(workforce.Token{1}, sessions.key, d.clock).Sign(r, []byte(body))
			c.change(r)
			reached := ""
			res := d.serve(t, d.web.Signed(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				b, err := io.ReadAll(r.Body)
				if err != nil || web.Session(r.Context()).Who.Session != (purser.SessionID{1}) {
					t.Errorf("handler: got %v %v", web.Session(r.Context()), err)
				}
				reached = string(b)
			})).ServeHTTP, r)
			if res.StatusCode != c.status || sessions.asks != c.asks {
				t.Fatalf("got %d after %d asks, want %d after %d", res.StatusCode, sessions.asks, c.status, c.asks)
			}
			if (reached == body) != (c.status == 200) {
				t.Fatalf("the handler was given %d bytes", len(reached))
			}
			if c.status == 200 && !strings.Contains(d.log.String(), purser.SessionID{1}.String()) {
				t.Error("log: the session is missing")
			}
			if c.status == 401 && res.Header.Get(workforce.HeaderTime) != fmt.Sprint(morning.UnixMilli()) {
				t.Errorf("server's time: got %q", res.Header.Get(workforce.HeaderTime))
			}
			if strings.Contains(d.log.String(), secret) {
				t.Error("a value was logged")
			}
		})
	}
	t.Run("a mux below", func(t *testing.T) {
		sessions := &desk{key: workforce.RequestKey{7}}
		d := newDoor(web.Config{Sessions: sessions})
		mux := http.NewServeMux()
		mux.HandleFunc("POST /v1/contacts/{contact}/claim", func(http.ResponseWriter, *http.Request) {})
		r := request(body)
		synth.NewClient(workforce.Token{1}, sessions.key, d.clock).Sign(r, []byte(body))
		d.web.Handler(d.web.Signed(mux)).ServeHTTP(httptest.NewRecorder(), r)
		if !strings.Contains(d.log.String(), `"route":"POST /v1/contacts/{contact}/claim"`) {
			t.Fatalf("log: got %s, want the route's pattern", d.log)
		}
	})
	if web.Session(t.Context()) != (workforce.Session{}) {
		t.Error("outside a signed request: got a session, want none")
	}
}
