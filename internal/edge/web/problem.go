package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"purser"
	"purser/internal/ledger"
	"purser/internal/workforce"
)

// Problem is an answer in the form of RFC 9457. Type and Title come from a
// fixed set; nothing in it repeats what the request held (L5, L6).
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	// Errors says which part of a request is wrong and what it should be.
	Errors []Detail `json:"errors,omitempty"`
	// Answer is one of the four answers, and Reference the code by which a
	// lead or security finds out more.
	Answer    string `json:"answer,omitempty"`
	Reference string `json:"reference,omitempty"`
	// Request is the number of a request that met a fault.
	Request string `json:"request,omitempty"`
	Pad     string `json:"pad,omitempty"`
}

// Detail is one thing that is wrong with a request. Both texts are the
// program's own, never what was sent.
type Detail struct {
	Where string `json:"where"`
	What  string `json:"what"`
}

// Error returns the title.
func (p *Problem) Error() string { return p.Title }

// GetStatus returns the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType returns the media type of problems.
func (*Problem) ContentType(string) string { return problemType }

const (
	problemType = "application/problem+json"
	problemURN  = "urn:purser:problem:"
)

// fixed is a text that stands in the program: only an untyped constant can be
// passed for one, so no part of a request can.
type fixed string

// BadRequest is the problem of a request that is well-formed and makes no
// sense. Where and what are constants.
func BadRequest(where, what fixed) error {
	return Invalid(http.StatusUnprocessableEntity, Detail{Where: string(where), What: string(what)})
}

// Invalid is the problem of a request that cannot be understood, for an edge
// whose parser found it out. Details hold the schema's words only.
func Invalid(status int, details ...Detail) *Problem {
	p := problem(status)
	p.Errors = details
	return p
}

// Later is the problem of a request for which there is no room now.
func Later() *Problem {
	p := problem(http.StatusServiceUnavailable)
	p.Answer = purser.TryLater.String()
	return p
}

// titles are all that a problem can be called, by status.
var titles = map[int][2]string{
	http.StatusBadRequest:            {"malformed", "The request is malformed"},
	http.StatusUnauthorized:          {"session", "A live session must sign the request"},
	http.StatusForbidden:             {"refused", "Refused"},
	http.StatusNotFound:              {"nothing", "There is nothing here"},
	http.StatusMethodNotAllowed:      {"method", "This cannot be done here"},
	http.StatusNotAcceptable:         {"format", "There is no answer in that format"},
	http.StatusRequestTimeout:        {"slow", "The request took too long to arrive"},
	http.StatusConflict:              {"conflict", "Not possible as things stand"},
	http.StatusRequestEntityTooLarge: {"large", "The request is too large"},
	http.StatusUnsupportedMediaType:  {"media", "The body has another format than expected"},
	http.StatusUnprocessableEntity:   {"invalid", "A part of the request is invalid"},
	http.StatusTooManyRequests:       {"rate", "Too many requests"},
	http.StatusInternalServerError:   {"fault", "Purser met a fault"},
	http.StatusServiceUnavailable:    {"later", "Not now, try later"},
}

// problem returns the problem of a status; one that has no title of its own is
// a malformed request or a fault.
func problem(status int) *Problem {
	title, ok := titles[status]
	if !ok {
		fallback := http.StatusInternalServerError
		if status < http.StatusInternalServerError {
			fallback = http.StatusBadRequest
		}
		title = titles[fallback]
	}
	p := &Problem{Type: problemURN + title[0], Title: title[1], Status: status}
	if status == http.StatusTooManyRequests {
		p.Answer = purser.TryLater.String()
	}
	return p
}

// Of requests that were not looked at.
var (
	errTooFast        = errors.New("too many requests of one network")
	errSessionTooFast = errors.New("too many requests of one session")
)

// retryAfter is in how many seconds whoever asked too fast may ask again.
const retryAfter = "1"

// conditions maps what domain packages say to a status. The first that fits
// counts.
var conditions = []struct {
	err    error
	status int
}{
	{workforce.ErrNoSession, http.StatusUnauthorized},
	{workforce.ErrNotNow, http.StatusUnauthorized},
	{workforce.ErrUnsigned, http.StatusUnauthorized},
	{workforce.ErrNotProved, http.StatusUnauthorized},
	{workforce.ErrPageKey, http.StatusUnprocessableEntity},
	{workforce.ErrName, http.StatusUnprocessableEntity},
	{purser.ErrBadID, http.StatusUnprocessableEntity},
	{workforce.ErrUnknown, http.StatusNotFound},
	{workforce.ErrTooMany, http.StatusConflict},
	{ledger.ErrOverloaded, http.StatusServiceUnavailable},
	{errTooFast, http.StatusTooManyRequests},
	{errSessionTooFast, http.StatusTooManyRequests},
}

// ProblemOf turns an error into what its asker is told, and notes in the
// request's event what is not told. A refusal becomes its answer and the
// reference of its entry, padded to [AnswerSize]; what is no refusal and no
// condition is a fault, of which only the request's number is shown.
func (w *Web) ProblemOf(ctx context.Context, err error) *Problem {
	e := EventOf(ctx)
	var told *Problem
	if errors.As(err, &told) {
		return told
	}
	var refusal *purser.Refusal
	if errors.As(err, &refusal) {
		e.Decided(refusal.At, refusal.Reason)
		return w.refused(refusal)
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return problem(http.StatusRequestEntityTooLarge)
	}
	for _, c := range conditions {
		if errors.Is(err, c.err) {
			return problem(c.status)
		}
	}
	if errors.Is(err, context.Canceled) {
		return problem(http.StatusServiceUnavailable) // the asker went away
	}
	e.fault(err.Error())
	status := http.StatusInternalServerError
	unwritten := errors.Is(err, ledger.ErrStopped) || errors.Is(err, ledger.ErrNothingWritten)
	if unwritten || errors.Is(err, context.DeadlineExceeded) {
		status = http.StatusServiceUnavailable
	}
	p := problem(status)
	if unwritten {
		p.Answer = purser.TryLater.String()
	}
	p.Request = e.RequestID()
	return p
}

// refused is the answer to a refusal. Whatever the reason, it has one status
// and one length.
func (w *Web) refused(r *purser.Refusal) *Problem {
	p := problem(http.StatusForbidden)
	p.Answer, p.Reference = r.Answer().String(), w.reference(r.At)
	// Both texts are short, so the pad always fits.
	p.Pad, _ = PadTo(p, 0)
	return p
}

// Problem answers with the problem of err.
func (w *Web) Problem(rw http.ResponseWriter, r *http.Request, err error) {
	w.answer(rw, EventOf(r.Context()), w.ProblemOf(r.Context(), err))
}

func (w *Web) answer(rw http.ResponseWriter, e *Event, p *Problem) {
	if p.Status == http.StatusUnauthorized {
		w.Challenge(rw.Header())
	}
	if p.Status >= http.StatusInternalServerError {
		p.Request = e.RequestID()
	}
	if p.Status == http.StatusTooManyRequests {
		rw.Header().Set("Retry-After", retryAfter)
	}
	rw.Header().Set("Content-Type", problemType)
	rw.WriteHeader(p.Status)
	_, _ = rw.Write(encode(p)) // nobody is left to tell
}

// Challenge sets the headers of an answer to whoever is not known: how to come
// again, and the server's time, by which a page corrects its clock.
func (w *Web) Challenge(h http.Header) {
	h.Set("WWW-Authenticate", "Purser")
	h.Set(workforce.HeaderTime, strconv.FormatInt(w.clock.Now().UnixMilli(), 10))
}

// encode returns the JSON of v as every edge writes it: one line.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil
	}
	return b.Bytes()
}
