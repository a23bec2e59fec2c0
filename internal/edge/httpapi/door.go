package httpapi

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"purser"
	"purser/internal/change"
	"purser/internal/edge/web"
	"purser/internal/workforce"
)

// DoorConfig is what the operator's local door is made of; everything is
// needed.
type DoorConfig struct {
	Web     *web.Web
	People  *workforce.Workforce
	Changes *change.Register
	Sources Sources
	// Seal closes the bootstrap door for good.
	Seal func(ctx context.Context, custodians []string, quorum int) error
	// Lock stops somebody on the word of the operator on the host.
	Lock func(ctx context.Context, target purser.Target) (purser.LockID, purser.Pos, error)
	// Keeper looks after the keyset.
	Keeper Keeper
	// Metrics serves numbers for the operator's monitoring.
	Metrics http.Handler
	// Streams serve work that takes long, by path: docs/formats/local.md.
	Streams map[string]http.Handler
}

// door is the operator's local door. Whoever can open the socket is the
// operator on the host; what the bootstrap door allows is still decided
// against the fold, so after the seal it adds nobody.
type door struct{ c DoorConfig }

// Door returns the handler of the local socket.
func Door(c DoorConfig) http.Handler {
	quietErrors()
	d := &door{c}
	mux := http.NewServeMux()
	config := description("local")
	config.OpenAPIPath = ""
	api := humago.New(mux, config)
	behind(api, c.Web, "/door/vendors", "Add a vendor", d.addVendor)
	behind(api, c.Web, "/door/teams", "Add a team", d.addTeam)
	behind(api, c.Web, "/door/people", "Add a person", d.addPerson)
	behind(api, c.Web, "/door/tickets", "Invite a person to enrol a passkey", d.invite)
	behind(api, c.Web, "/door/sources", "Register a telephony source", d.addSource)
	behind(api, c.Web, "/door/agents", "Map a switch's agent id to a person", d.mapAgent)
	behind(api, c.Web, "/door/seal", "Close the bootstrap door for good", d.seal)
	behind(api, c.Web, "/local/locks", "Stop somebody at once", d.lock)
	behind(api, c.Web, "/local/keys", "Say which keys there are", d.keys)
	behind(api, c.Web, "/local/keys/rotate", "Take another key into use", d.rotate)
	behind(api, c.Web, "/local/keys/destroy", "Destroy a key under which nothing is left", d.destroy)
	behind(api, c.Web, "/local/backups", "Record a backup that was made", d.backup)
	mux.Handle("GET /local/metrics", c.Metrics)
	for path, work := range c.Streams {
		mux.Handle("POST "+path, work)
	}
	return c.Web.Handler(mux)
}

func behind[I, O any](api huma.API, w *web.Web, path, summary string, handle func(context.Context, *I) (*O, error)) {
	op := route{method: http.MethodPost, path: path, summary: summary, access: everybody}.operation()
	huma.Register(api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, reasoned(w.ProblemOf(ctx, err), err)
		}
		return out, nil
	})
}

// reasoned adds why something was refused. Whoever is at this door can read
// the entry as well, and nothing here is about customers.
func reasoned(p *web.Problem, err error) *web.Problem {
	var refusal *purser.Refusal
	if errors.As(err, &refusal) {
		p.Errors = append(p.Errors, web.Detail{Where: "reason", What: refusal.Reason.String()})
	}
	return p
}

type nameInput struct {
	Body struct {
		Name string `json:"name" minLength:"1" maxLength:"200"`
	}
}

type vendorOutput struct {
	Body struct {
		Vendor purser.VendorID `json:"vendor"`
	}
}

func (d *door) addVendor(ctx context.Context, in *nameInput) (*vendorOutput, error) {
	id, err := d.c.People.AddVendor(ctx, in.Body.Name)
	if err != nil {
		return nil, err
	}
	out := new(vendorOutput)
	out.Body.Vendor = id
	return out, nil
}

type teamInput struct {
	Body struct {
		Vendor purser.VendorID `json:"vendor"`
		Name   string          `json:"name" minLength:"1" maxLength:"200"`
	}
}

type teamOutput struct {
	Body struct {
		Team purser.TeamID `json:"team"`
	}
}

func (d *door) addTeam(ctx context.Context, in *teamInput) (*teamOutput, error) {
	id, err := d.c.People.AddTeam(ctx, in.Body.Vendor, in.Body.Name)
	if err != nil {
		return nil, err
	}
	out := new(teamOutput)
	out.Body.Team = id
	return out, nil
}

type personInput struct {
	Body struct {
		Name   string          `json:"name" minLength:"1" maxLength:"200"`
		Vendor purser.VendorID `json:"vendor"`
		Team   purser.TeamID   `json:"team,omitempty"`
		Roles  []string        `json:"roles" minItems:"1" maxItems:"8" enum:"agent,lead,desk,approver,security,privacy,admin,investigator"`
	}
}

type personOutput struct {
	Body struct {
		Person purser.PersonID `json:"person"`
	}
}

// rolesOf reads a set of roles; the schema has refused other names.
func rolesOf(names []string) (set purser.Role) {
	for _, n := range names {
		set |= purser.RoleOf(n)
	}
	return set
}

func (d *door) addPerson(ctx context.Context, in *personInput) (*personOutput, error) {
	id, err := d.c.People.AddPerson(ctx, workforce.Hire{
		Name: in.Body.Name, Vendor: in.Body.Vendor, Team: in.Body.Team, Roles: rolesOf(in.Body.Roles),
	})
	if err != nil {
		return nil, err
	}
	out := new(personOutput)
	out.Body.Person = id
	return out, nil
}

type inviteInput struct {
	Body struct {
		Person purser.PersonID `json:"person"`
	}
}

type ticketOutput struct {
	Body struct {
		Ticket string `json:"ticket" doc:"enrols one passkey, once, within ten minutes"`
	}
}

func (d *door) invite(ctx context.Context, in *inviteInput) (*ticketOutput, error) {
	ticket, err := d.c.People.Invite(ctx, in.Body.Person)
	if err != nil {
		return nil, err
	}
	out := new(ticketOutput)
	out.Body.Ticket = ticket.String()
	return out, nil
}

type sourceInput struct{ Body sourceBody }

type sourceOutput struct {
	Body struct {
		Source purser.SourceID `json:"source"`
		Secret string          `json:"secret" doc:"base64; shown once"`
	}
}

func (d *door) addSource(ctx context.Context, in *sourceInput) (*sourceOutput, error) {
	made, err := d.c.Sources.NewSource(purser.SourceSet{Vendor: in.Body.Vendor, Trust: trusts(in.Body.Trust)}, in.Body.Name)
	if err != nil {
		return nil, err
	}
	if _, err := d.c.Changes.Direct(ctx, made.Entry, made.Rows); err != nil {
		return nil, err
	}
	out := new(sourceOutput)
	out.Body.Source, out.Body.Secret = made.Entry.Source, base64.StdEncoding.EncodeToString(made.Secret)
	return out, nil
}

type mapInput struct{ Body mapBody }

func (d *door) mapAgent(ctx context.Context, in *mapInput) (*doneOutput, error) {
	entry, err := in.Body.entry(ctx, d.c.Sources)
	if err != nil {
		return nil, err
	}
	_, err = d.c.Changes.Direct(ctx, entry, nil)
	return done(err)
}

type sealInput struct {
	Body struct {
		Custodians []string `json:"custodians" minItems:"3" maxItems:"15" doc:"public keys of the custodians, as signed notes name verifiers"`
		Quorum     int      `json:"quorum" minimum:"2" maximum:"15"`
	}
}

func (d *door) seal(ctx context.Context, in *sealInput) (*doneOutput, error) {
	return done(d.c.Seal(ctx, in.Body.Custodians, in.Body.Quorum))
}

type localLockInput struct {
	Body struct {
		Target string `json:"target" maxLength:"40"`
	}
}

func (d *door) lock(ctx context.Context, in *localLockInput) (*lockOutput, error) {
	target, err := purser.ParseTarget(in.Body.Target)
	if err != nil {
		return nil, web.BadRequest("target", "is not an identifier of somebody who can be locked, nor all")
	}
	out := new(lockOutput)
	out.Body.Lock, out.Body.Entry, err = d.c.Lock(ctx, target)
	if err != nil {
		return nil, err
	}
	return out, nil
}
