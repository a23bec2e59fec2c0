package httpapi

import (
	"bytes"
	"crypto/sha256"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"purser"
	"purser/internal/edge/web"
)

// HeaderIdempotency names a mutation, so that asking again after a broken
// connection answers as the first time and does nothing twice.
const HeaderIdempotency = "Idempotency-Key"

const (
	keepFor  = 10 * time.Minute
	mostKept = 10_000
	maxKey   = 128
)

// kept remembers the answers of mutations that were named. It lives in memory:
// after a restart a repeated ask is decided anew. Answers to disclosures are
// never kept, since they hold values; asking for those again is a disclosure
// of its own.
type kept struct {
	clock Clock
	web   *web.Web

	mu  sync.Mutex // guards what follows
	by  map[keptKey]*keptAnswer
	old []keptKey // in the order they were made
}

type keptKey struct {
	session purser.SessionID
	key     string
}

type keptAnswer struct {
	made    time.Time
	request [32]byte // method, path and body
	done    chan struct{}
	status  int
	media   string
	body    []byte
}

func newKept(c Clock, w *web.Web) *kept {
	return &kept{clock: c, web: w, by: make(map[keptKey]*keptAnswer)}
}

// handler answers a repeated ask from memory, and remembers the others.
func (k *kept) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		names := r.Header.Values(HeaderIdempotency)
		if len(names) == 0 || r.Method != http.MethodPost || strings.HasSuffix(r.URL.Path, "/disclose") {
			next.ServeHTTP(rw, r)
			return
		}
		name := names[0]
		if len(names) > 1 || name == "" || len(name) > maxKey {
			k.web.Problem(rw, r, web.Invalid(http.StatusBadRequest))
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			k.web.Problem(rw, r, web.Invalid(http.StatusBadRequest))
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		request := sha256.Sum256(append([]byte(r.Method+" "+r.RequestURI+"\n"), body...))
		answer, first := k.take(keptKey{web.Session(r.Context()).Who.Session, name}, request)
		switch {
		case answer == nil:
			k.web.Problem(rw, r, web.Invalid(http.StatusConflict)) // the name was used for something else
		case first:
			k.record(answer, next, rw, r)
		default:
			k.replay(answer, rw, r)
		}
	})
}

// take returns the answer of a name and whether the caller is to make it, or
// nil if the name belongs to another request.
func (k *kept) take(key keptKey, request [32]byte) (_ *keptAnswer, first bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.clock.Now()
	k.forget(now)
	if a, ok := k.by[key]; ok {
		if a.request != request {
			return nil, false
		}
		return a, false
	}
	a := &keptAnswer{made: now, request: request, done: make(chan struct{})}
	k.by[key] = a
	k.old = append(k.old, key)
	return a, true
}

func (k *kept) forget(now time.Time) {
	for len(k.old) > 0 {
		oldest := k.by[k.old[0]]
		if len(k.old) < mostKept && oldest != nil && now.Sub(oldest.made) < keepFor {
			return
		}
		delete(k.by, k.old[0])
		k.old = k.old[1:]
	}
}

// record answers and keeps the answer. A fault is told to whoever waits for
// the same answer by then, and not kept: asking again may well succeed.
func (k *kept) record(a *keptAnswer, next http.Handler, rw http.ResponseWriter, r *http.Request) {
	rec := &answerRecorder{ResponseWriter: rw}
	defer func() {
		if a.status == 0 || a.status >= http.StatusInternalServerError {
			k.drop(a)
		}
		close(a.done)
	}()
	next.ServeHTTP(rec, r)
	a.status, a.media, a.body = rec.status, rw.Header().Get("Content-Type"), rec.body.Bytes()
}

// drop forgets an answer; its name stays in the list of the old ones, which
// does no harm.
func (k *kept) drop(a *keptAnswer) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for key, kept := range k.by {
		if kept == a {
			delete(k.by, key)
		}
	}
}

func (k *kept) replay(a *keptAnswer, rw http.ResponseWriter, r *http.Request) {
	select {
	case <-a.done:
	case <-r.Context().Done():
		return
	}
	if a.status == 0 { // the first ask ended in a panic
		k.web.Problem(rw, r, web.Invalid(http.StatusServiceUnavailable))
		return
	}
	rw.Header().Set("Content-Type", a.media)
	rw.WriteHeader(a.status)
	_, _ = rw.Write(a.body)
}

// answerRecorder copies what is answered.
type answerRecorder struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (r *answerRecorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *answerRecorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	r.body.Write(b)
	return r.ResponseWriter.Write(b)
}

// Unwrap gives the writer below to http.ResponseController.
func (r *answerRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
