package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"net/http"
	"strings"

	"purser/internal/workforce"
)

type sessionKey struct{}

// Session returns whose signed request it is. Outside [Web.Signed] it is the
// zero session, which may do nothing.
func Session(ctx context.Context) workforce.Session {
	s, _ := ctx.Value(sessionKey{}).(workforce.Session)
	return s
}

// Signed lets only signed requests of live sessions through to next, which
// reads the body as usual, and only as many as one session may send. The signature covers method, path and query as they
// were sent, and the whole body; so the body is read first, up to its limit.
func (w *Web) Signed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		session, body, err := w.authenticate(r)
		if err != nil {
			w.Problem(rw, r, err)
			return
		}
		ctx := r.Context()
		EventOf(ctx).by(session.Who.Session)
		if !w.each.allow(session.Who.Session, w.clock.Now()) {
			w.Problem(rw, r, errSessionTooFast)
			return
		}
		inner := r.WithContext(context.WithValue(ctx, sessionKey{}, session))
		inner.Body = io.NopCloser(bytes.NewReader(body))
		// A mux below writes its pattern into the request it is given; the log
		// event is written from this one.
		defer func() { r.Pattern = inner.Pattern }()
		next.ServeHTTP(rw, inner)
	})
}

func (w *Web) authenticate(r *http.Request) (workforce.Session, []byte, error) {
	signed, err := workforce.ParseSigned(r.Header)
	if err != nil {
		return workforce.Session{}, nil, err // before a body is read for nobody
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, w.maxBody))
	if err != nil {
		return workforce.Session{}, nil, unread(err)
	}
	signed.Method, signed.BodyHash = r.Method, sha256.Sum256(body)
	signed.Path, signed.Query, _ = strings.Cut(r.RequestURI, "?")
	session, err := w.sessions.Authenticate(r.Context(), signed)
	return session, body, err
}

// unread is the error of a body that did not come whole. Whatever the
// transport says about it stays here.
func unread(err error) error {
	if _, large := err.(*http.MaxBytesError); large {
		return problem(http.StatusRequestEntityTooLarge)
	}
	return problem(http.StatusBadRequest)
}
