package web

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"purser"
)

// Event is what is logged of one request. It has no field that could hold a
// value: identifiers, numbers, and faults, whose text never holds one.
type Event struct {
	id    string
	began time.Time

	mu      sync.Mutex // guards what follows
	session purser.SessionID
	contact purser.ContactID
	reason  purser.Reason
	pos     purser.Pos
	decided bool
	broken  string
}

type eventKey struct{}

// EventOf returns the request's event, for handlers to say what the request
// was about. Outside a request it returns one that nobody writes.
func EventOf(ctx context.Context) *Event {
	if e, ok := ctx.Value(eventKey{}).(*Event); ok {
		return e
	}
	return new(Event)
}

// RequestID returns the number of the request, which a problem shows too.
func (e *Event) RequestID() string { return e.id }

// Contact says which contact the request was about.
func (e *Event) Contact(id purser.ContactID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.contact = id
}

// Decided says which entry decided the request, and why not, if it did not.
func (e *Event) Decided(pos purser.Pos, why purser.Reason) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pos, e.reason, e.decided = pos, why, true
}

func (e *Event) by(id purser.SessionID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.session = id
}

func (e *Event) fault(text string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.broken = text
}

func (e *Event) failed() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.broken != ""
}

func (e *Event) attrs() []slog.Attr {
	e.mu.Lock()
	defer e.mu.Unlock()
	attrs := []slog.Attr{slog.String("request", e.id)}
	if !e.session.Zero() {
		attrs = append(attrs, slog.String("session", e.session.String()))
	}
	if !e.contact.Zero() {
		attrs = append(attrs, slog.String("contact", e.contact.String()))
	}
	if e.decided {
		attrs = append(attrs, slog.Uint64("position", uint64(e.pos)), slog.Int("reason", int(e.reason)))
	}
	if e.broken != "" {
		attrs = append(attrs, slog.String("fault", e.broken))
	}
	return attrs
}
