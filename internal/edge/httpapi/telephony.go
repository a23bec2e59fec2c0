package httpapi

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/netip"

	"github.com/danielgtaylor/huma/v2"

	"purser"
	"purser/internal/change"
	"purser/internal/edge/web"
	"purser/internal/telephony"
)

// NewSource is a source that is to be registered: the entry and the row go
// into a change together, the secret to whoever runs the switch.
type NewSource struct {
	Entry  *purser.SourceSet
	Rows   change.Rows
	Secret []byte
}

// Sources makes sources, and knows what keys their ids.
type Sources interface {
	NewSource(e purser.SourceSet, name string) (NewSource, error)
	// MapAgent returns the entry that maps a source's agent id to a person. For
	// a source that does not exist it is one that no change will take.
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

func trusts(names []string) (t purser.SourceTrust) {
	for _, n := range names {
		switch n {
		case "carrier":
			t |= purser.TrustCarrier
		case "trunk":
			t |= purser.TrustTrunk
		}
	}
	return t
}

func (b *sourceBody) make(s Sources) (NewSource, error) {
	return s.NewSource(purser.SourceSet{Vendor: b.Vendor, Trust: trusts(b.Trust)}, b.Name)
}

func (b *mapBody) entry(ctx context.Context, s Sources) (*purser.AgentMapped, error) {
	return s.MapAgent(ctx, b.Source, b.Agent, b.Person)
}

func (b *budgetBody) entry() *purser.Configuration {
	which := map[string]purser.BudgetKind{
		"person_hour": purser.BudgetPersonHour, "person_day": purser.BudgetPersonDay, "weak_day": purser.BudgetWeakDay,
		"break_glass_day": purser.BudgetBreakGlassDay, "vendor_share": purser.BudgetVendorShare,
		"after_hang_up": purser.BudgetAfterHangUp,
	}
	return &purser.Configuration{What: purser.ConfigBudget, Vendor: b.Vendor, Which: which[b.Ceiling], Value: b.Value}
}

// propose takes a wish to change something. What tightens takes effect at
// once; what loosens waits for a second person of another role and a hold.
func (a *API) propose(ctx context.Context, in *changeInput) (*changeOutput, error) {
	b := &in.Body
	out := new(changeOutput)
	var inner purser.Entry
	var rows change.Rows
	switch {
	case b.Source != nil && b.Map == nil && b.Budget == nil:
		made, err := b.Source.make(a.c.Sources)
		if err != nil {
			return nil, err
		}
		inner, rows = made.Entry, made.Rows
		out.Body.Source = &made.Entry.Source
		out.Body.Secret = base64.StdEncoding.EncodeToString(made.Secret)
	case b.Map != nil && b.Source == nil && b.Budget == nil:
		mapped, err := b.Map.entry(ctx, a.c.Sources)
		if err != nil {
			return nil, err
		}
		inner = mapped
	case b.Budget != nil && b.Source == nil && b.Map == nil:
		inner = b.Budget.entry()
	default:
		return nil, web.BadRequest("body", "wants exactly one of source, map and budget")
	}
	session, as := web.Session(ctx).Who.Session, role(b.As)
	receipt, err := a.c.Changes.Tighten(ctx, session, as, inner, rows)
	var refusal *purser.Refusal
	switch {
	case err == nil:
		out.Body.Entry = receipt.Pos()
		return out, nil
	case !errors.As(err, &refusal) || refusal.Reason != purser.LoosensDirectly:
		return nil, err
	}
	out.Body.Change, err = a.c.Changes.Propose(ctx, session, as, inner, rows)
	return out, err
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
		Ledger     string     `json:"ledger" enum:"writing,stopped"`
		Entries    purser.Pos `json:"entries"`
		Checkpoint purser.Pos `json:"checkpoint"`
		Now        int64      `json:"now" doc:"the server's time in Unix milliseconds"`
	}
}

// health is 503 once the ledger cannot be written: nothing is disclosed then.
func (a *API) health(context.Context, *struct{}) (*healthOutput, error) {
	s := a.c.Status()
	out := &healthOutput{Status: http.StatusOK}
	out.Body.Ledger, out.Body.Entries, out.Body.Checkpoint = "writing", s.Size, s.Checkpoint
	out.Body.Now = a.c.Clock.Now().UnixMilli()
	if s.Stopped {
		out.Status, out.Body.Ledger = http.StatusServiceUnavailable, "stopped"
	}
	return out, nil
}
