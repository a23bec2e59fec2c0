package httpapi

import (
	"context"
	"errors"
	"net/http"
	"net/netip"

	"github.com/danielgtaylor/huma/v2"

	"purser"
	"purser/internal/change"
	"purser/internal/edge/web"
	"purser/internal/telephony"
)

// NewSource is a source that is to be registered, or another secret for one:
// the entry and the row go into a change together, the secret to whoever runs
// the switch.
type NewSource struct {
	Entry  *purser.SourceSet
	Rows   change.Rows
	Secret []byte
}

// Sources makes sources, and knows what keys their ids.
type Sources interface {
	NewSource(e purser.SourceSet, name string) (NewSource, error)
	// Renew draws another secret for a source that exists. The entry says
	// nothing else of the source; of one that does not exist, only its name.
	Renew(ctx context.Context, source purser.SourceID) (NewSource, error)
	// MapAgent returns the entry that maps a source's agent id to a person. For
	// a source that does not exist it returns what no change will take.
	MapAgent(ctx context.Context, source purser.SourceID, agent string, person purser.PersonID) (*purser.AgentMapped, error)
}

type eventInput struct {
	Source    purser.SourceID `header:"Purser-Source"`
	ID        string          `header:"Purser-Event-Id" maxLength:"128"`
	Timestamp string          `header:"Purser-Event-Timestamp" maxLength:"20"`
	Signature string          `header:"Purser-Event-Signature" maxLength:"80"`
	RawBody   []byte          `contentType:"application/cloudevents+json"`

	remote netip.Addr
}

// Resolve notes where the request came from, for the limit of events that are
// not authentic. The library calls it after parsing.
func (in *eventInput) Resolve(ctx huma.Context) []error {
	if at, err := netip.ParseAddrPort(ctx.RemoteAddr()); err == nil {
		in.remote = at.Addr().Unmap()
	}
	return nil
}

// eventOutput is done, and the contact of an event about one: the source has
// its own contacts' ids from here and cannot make them.
type eventOutput struct {
	Body struct {
		Answer  string            `json:"answer"`
		Contact *purser.ContactID `json:"contact,omitempty"`
	}
}

// event hands a switch's event to the intake, which authenticates it.
func (a *API) event(ctx context.Context, in *eventInput) (*eventOutput, error) {
	contact, err := a.c.Intake.Receive(ctx, telephony.Request{
		Source: in.Source, ID: in.ID, Timestamp: in.Timestamp, Signature: in.Signature, Body: in.RawBody,
		Remote: in.remote,
	})
	switch {
	case errors.Is(err, telephony.ErrUnauthentic):
		return nil, web.Invalid(http.StatusUnauthorized)
	case errors.Is(err, telephony.ErrTooMany):
		return nil, web.Invalid(http.StatusTooManyRequests)
	case errors.Is(err, telephony.ErrMalformed):
		return nil, web.Invalid(http.StatusUnprocessableEntity, web.Detail{Where: "body", What: err.Error()})
	case err != nil:
		return nil, err
	}
	out := new(eventOutput)
	out.Body.Answer = "done"
	if !contact.Zero() {
		out.Body.Contact = &contact
	}
	return out, nil
}

type personPath struct {
	Person purser.PersonID `path:"person"`
}

func (a *API) suspend(ctx context.Context, in *personPath) (*doneOutput, error) {
	return done(a.c.Suspend(ctx, web.Session(ctx).Who.Session, in.Person))
}

func (a *API) acceptClock(ctx context.Context, _ *struct{}) (*doneOutput, error) {
	return done(a.c.AcceptClock(ctx, web.Session(ctx).Who.Session))
}

type healthOutput struct {
	Status int
	Body   struct {
		Ledger string `json:"ledger" enum:"writing,full,stopped"`
		Now    int64  `json:"now" doc:"the server's time in Unix milliseconds"`
	}
}

// health is 503 once the ledger cannot be written: nothing is disclosed then.
// Anybody may ask, so it says nothing of how far the ledger goes.
func (a *API) health(context.Context, *struct{}) (*healthOutput, error) {
	out := &healthOutput{Status: http.StatusOK}
	out.Body.Ledger, out.Body.Now = "writing", a.c.Clock.Now().UnixMilli()
	switch {
	case a.c.Stopped():
		out.Status, out.Body.Ledger = http.StatusServiceUnavailable, "stopped"
	case a.c.Full():
		out.Status, out.Body.Ledger = http.StatusServiceUnavailable, "full"
	}
	return out, nil
}
