package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
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
	mostEach = 100 // of one session
	maxKey   = 128
)

// kept remembers the answers of mutations that were named. It lives in memory:
// after a restart a repeated ask is decided anew. Answers that hold values or a
// secret are never kept, by what the route table says of them ([keeping]): asking
// for those again is an ask of its own.
//
// What is still being answered is never forgotten: whoever asks again by its
// name waits for it. Where there is no room but by that, a new name is turned
// away.
type kept struct {
	clock Clock
	web   *web.Web
	plain func(*http.Request) bool // whether the answer may be kept at all

	mu   sync.Mutex // guards what follows
	by   map[purser.SessionID]map[string]*keptAnswer
	made []*keptAnswer // all of by, in the order they were made
}

type keptAnswer struct {
	session purser.SessionID
	name    string
	made    time.Time
	request [32]byte    // method, path and body
	secret  atomic.Bool // the answer holds one
	done    chan struct{}
	status  int // what follows is set once done is closed; zero: nothing is kept
	media   string
	body    []byte
}

// finished reports whether the answer was given.
func (a *keptAnswer) finished() bool {
	select {
	case <-a.done:
		return true
	default:
		return false
	}
}

func newKept(c Clock, w *web.Web, plain func(*http.Request) bool) *kept {
	return &kept{clock: c, web: w, plain: plain, by: make(map[purser.SessionID]map[string]*keptAnswer)}
}

// handler answers a repeated ask from memory, and remembers the others.
func (k *kept) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		names := r.Header.Values(HeaderIdempotency)
		if len(names) == 0 || r.Method != http.MethodPost || !k.plain(r) {
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
		answer, found := k.take(web.Session(r.Context()).Who.Session, name, request)
		switch found {
		case keptNew:
			k.record(answer, next, rw, r)
		case keptAgain:
			k.replay(answer, next, rw, r)
		case keptOther:
			k.web.Problem(rw, r, web.Invalid(http.StatusConflict)) // the name was used for something else
		case keptFull:
			k.web.Problem(rw, r, web.Later())
		}
	})
}

// keptFound is what take found under a name.
type keptFound uint8

const (
	keptNew   keptFound = iota // nothing: the caller is to make the answer
	keptAgain                  // the same request
	keptOther                  // another request
	keptFull                   // nothing, and there is no room
)

func (k *kept) take(session purser.SessionID, name string, request [32]byte) (*keptAnswer, keptFound) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.clock.Now()
	for len(k.made) > 0 && now.Sub(k.made[0].made) >= keepFor && k.made[0].finished() {
		k.forget(k.made[0])
	}
	if a, ok := k.by[session][name]; ok {
		if a.request != request {
			return nil, keptOther
		}
		return a, keptAgain
	}
	own := func(a *keptAnswer) bool { return a.session == session }
	if len(k.by[session]) >= mostEach && !k.evict(own) {
		return nil, keptFull
	}
	if len(k.made) >= mostKept && !k.evict(func(*keptAnswer) bool { return true }) {
		return nil, keptFull
	}
	a := &keptAnswer{session: session, name: name, made: now, request: request, done: make(chan struct{})}
	if k.by[session] == nil {
		k.by[session] = make(map[string]*keptAnswer)
	}
	k.by[session][name] = a
	k.made = append(k.made, a)
	return a, keptNew
}

// evict forgets the oldest finished answer of those that are meant, if there
// is one.
func (k *kept) evict(meant func(*keptAnswer) bool) bool {
	i := slices.IndexFunc(k.made, func(a *keptAnswer) bool { return meant(a) && a.finished() })
	if i < 0 {
		return false
	}
	k.forget(k.made[i])
	return true
}

// forget drops an answer. Who waits for it has it already.
func (k *kept) forget(a *keptAnswer) {
	i := slices.Index(k.made, a)
	if i < 0 {
		return
	}
	k.made = slices.Delete(k.made, i, i+1)
	delete(k.by[a.session], a.name)
	if len(k.by[a.session]) == 0 {
		delete(k.by, a.session)
	}
}

// beingKept is the key of the answer that is being made, in the context of its
// request.
type beingKept struct{}

// holdsSecret keeps the answer that is being made from being kept.
func holdsSecret(ctx context.Context) {
	if a, ok := ctx.Value(beingKept{}).(*keptAnswer); ok {
		a.secret.Store(true)
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
	next.ServeHTTP(rec, r.WithContext(context.WithValue(r.Context(), beingKept{}, a)))
	if a.secret.Load() {
		return
	}
	a.status, a.media, a.body = rec.status, rw.Header().Get("Content-Type"), rec.body.Bytes()
}

func (k *kept) drop(a *keptAnswer) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.forget(a)
}

func (k *kept) replay(a *keptAnswer, next http.Handler, rw http.ResponseWriter, r *http.Request) {
	select {
	case <-a.done:
	case <-r.Context().Done():
		return
	}
	if a.secret.Load() {
		next.ServeHTTP(rw, r)
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
