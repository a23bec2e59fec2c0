// Package httpapi is the JSON door of Purser: everything under /v1, and the
// bootstrap door that listens on a local socket.
//
// It owns routes, the shape of requests and answers, and their OpenAPI
// description. It owns no rule: a handler reads typed values, calls one domain
// function and renders. Who may do what is decided below it, against the fold.
//
// Laws carried here: L5 (acts in a contact answer with one length, on a tick)
// and L6 (no problem repeats what was sent; values leave in the body of a
// disclosure alone, which nothing may keep).
//
// Start reading at the route table in routes.go.
package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"purser"
	"purser/internal/change"
	"purser/internal/edge/web"
	"purser/internal/gate"
	"purser/internal/retention"
	"purser/internal/telephony"
	"purser/internal/verification"
	"purser/internal/workforce"
)

// Words are the schema's names, as far as an edge needs them.
type Words interface {
	// Bit returns the field bit of a name, or of NAME:masked.
	Bit(name string) (purser.Field, bool)
	// Purpose returns the number of a purpose.
	Purpose(name string) (purser.Purpose, bool)
	// Topic returns the number of a topic.
	Topic(name string) (purser.Topic, bool)
	// Topics returns the names of the topics; the first has number 1.
	Topics() []string
}

// Clock tells the time: the one that stamps follow.
type Clock interface{ Now() time.Time }

// Config is what an API is made of; everything is needed.
type Config struct {
	Version      string
	Web          *web.Web
	People       *workforce.Workforce
	Gate         *gate.Gate
	Verification *verification.Verification
	Retention    *retention.Retention
	Changes      *change.Register
	Sources      Sources
	Intake       *telephony.Intake
	Words        Words
	Mandates     Mandates
	Clock        Clock
	// Stopped reports that the ledger cannot be written: nothing is disclosed.
	Stopped func() bool
	// Full reports that it cannot be written now, for the disk is full.
	Full func() bool
	// AcceptClock is security's word that the wall clock is right again.
	AcceptClock func(ctx context.Context, session purser.SessionID) error
	// Suspend suspends a person at once.
	Suspend func(ctx context.Context, session purser.SessionID, person purser.PersonID) error
	Random  io.Reader
	// Dial calls a customer back and connects whoever asked. Nil: there is
	// nothing to dial with.
	Dial func(ctx context.Context, to purser.Plain) error
}

// API is the JSON door. It is safe for concurrent use.
type API struct {
	c    Config
	kept *kept
	huma huma.API
}

// New returns the API and its handler.
func New(c Config) (*API, http.Handler) {
	quietErrors()
	mux := http.NewServeMux()
	a := &API{c: c}
	a.kept = newKept(c.Clock, c.Web, mayKeep(mux))
	a.huma = humago.New(mux, description(c.Version))
	for _, r := range routes() {
		r.register(a, r)
	}
	mux.HandleFunc("/", func(rw http.ResponseWriter, r *http.Request) {
		c.Web.Problem(rw, r, web.Invalid(http.StatusNotFound))
	})
	return a, c.Web.Handler(a.admit(mux))
}

func description(version string) huma.Config {
	d := huma.DefaultConfig("Purser", version)
	// No page that loads scripts from elsewhere, and no links to schemas.
	d.DocsPath, d.SchemasPath, d.CreateHooks = "", "", nil
	d.Formats = strictFormats()
	d.Info.Description = "Customer records that open only for a verified caller. " +
		"All but login, enrolment and telephony events are signed requests: docs/formats/request.md. " +
		fmt.Sprintf("A session may send %d of them a second, %d at once; ", web.SessionRate, web.SessionBurst) +
		"what is more is answered 429 with try_later and Retry-After, and nothing is done for it."
	d.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"session": {
			Type: "apiKey", In: "header", Name: workforce.HeaderToken,
			Description: "with Purser-Time, Purser-Counter and Purser-Signature",
		},
	}
	return d
}

// admit sends a request to the mux through the signature check, unless its
// route is open to everybody.
func (a *API) admit(mux *http.ServeMux) http.Handler {
	open := make(map[string]bool)
	for _, r := range routes() {
		if r.access != signed {
			open[r.method+" "+r.path] = true
		}
	}
	for _, path := range []string{"/openapi.json", "/openapi.yaml", "/openapi-3.0.json", "/openapi-3.0.yaml"} {
		open["GET "+path] = true
	}
	checked := a.c.Web.Signed(a.kept.handler(mux))
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if _, pattern := mux.Handler(r); open[pattern] {
			mux.ServeHTTP(rw, r)
			return
		}
		checked.ServeHTTP(rw, r)
	})
}

// mayKeep reports of a request whether its route has answers that are kept.
func mayKeep(mux *http.ServeMux) func(*http.Request) bool {
	never := make(map[string]bool)
	for _, r := range routes() {
		never[r.method+" "+r.path] = r.keeping == keepNothing
	}
	return func(r *http.Request) bool {
		_, pattern := mux.Handler(r)
		return !never[pattern]
	}
}

// asker is who asks, in the terms of the gate.
func (a *API) asker(ctx context.Context) gate.Asker {
	who := web.Session(ctx).Who
	return gate.Asker{Session: who.Session, Lane: who.Vendor}
}

func (a *API) newLock() (purser.LockID, error) { return lockID(a.c.Random) }

// told turns what a handler returned into what the asker is told.
func (a *API) told(ctx context.Context, err error) error {
	var item *verification.ItemError
	if errors.As(err, &item) {
		return web.Invalid(http.StatusUnprocessableEntity, web.Detail{Where: "body.items", What: item.Error()})
	}
	var value *retention.ValueError
	if errors.As(err, &value) {
		return web.Invalid(http.StatusUnprocessableEntity, web.Detail{Where: "body." + value.Field, What: value.Problem})
	}
	var text *gate.TextError
	if errors.As(err, &text) {
		return web.Invalid(http.StatusUnprocessableEntity, web.Detail{Where: "body.text", What: text.Problem})
	}
	var forbidden *gate.ForbiddenText
	if errors.As(err, &forbidden) {
		return a.forbidden(ctx, forbidden)
	}
	return a.c.Web.ProblemOf(ctx, err)
}

var quiet sync.Once

// quietErrors replaces how the library words what it could not parse: it
// would repeat the refused value, the name of an unknown member, and a
// character of broken JSON (L5, L6). The library keeps these functions, and
// whether null is a list, in package variables, hence the Once.
func quietErrors() {
	quiet.Do(func() {
		huma.DefaultArrayNullable = false // null is no list, and least of all an empty one
		huma.NewError = func(status int, _ string, errs ...error) huma.StatusError {
			return web.Invalid(status, details(status, errs)...)
		}
		huma.NewErrorWithContext = func(_ huma.Context, status int, _ string, errs ...error) huma.StatusError {
			return web.Invalid(status, details(status, errs)...)
		}
	})
}

// details keeps where a request is wrong and what was expected there, in the
// words of our schema only.
func details(status int, errs []error) []web.Detail {
	if status != http.StatusUnprocessableEntity {
		return nil
	}
	var out []web.Detail
	for _, err := range errs {
		var d *huma.ErrorDetail
		if !errors.As(err, &d) {
			continue
		}
		where, what := d.Location, d.Message
		if strings.HasPrefix(what, "unexpected property") {
			where, what = "body", "has a member that is not known here"
		} else if !strings.HasPrefix(what, "expected") {
			what = "is not of the right form"
		}
		out = append(out, web.Detail{Where: where, What: what})
	}
	return out
}

func lockID(random io.Reader) (id purser.LockID, err error) {
	if _, err := io.ReadFull(random, id[:]); err != nil {
		return id, fmt.Errorf("draw a lock's id: %w", err)
	}
	return id, nil
}
