package httpapi

import (
	"context"
	"encoding/json"
	"time"

	"purser"
	"purser/internal/edge/web"
	"purser/internal/workforce"
)

// begun is the first half of a passkey ceremony.
type begunOutput struct {
	Body struct {
		Ceremony workforce.CeremonyID `json:"ceremony" doc:"names this ceremony to its second half"`
		Options  json.RawMessage      `json:"options" doc:"for navigator.credentials"`
		Nonce    *workforce.Nonce     `json:"nonce,omitempty" doc:"challenge = SHA-256(nonce, page key)"`
		Now      time.Time            `json:"now" doc:"the server's time, to correct the page's clock by"`
	}
}

func (a *API) begun(b workforce.Begun, err error) (*begunOutput, error) {
	if err != nil {
		return nil, err
	}
	out := new(begunOutput)
	out.Body.Ceremony, out.Body.Options, out.Body.Now = b.Ceremony, b.Options, a.c.Clock.Now().UTC()
	if b.Nonce != (workforce.Nonce{}) {
		out.Body.Nonce = &b.Nonce
	}
	return out, nil
}

type finishBody struct {
	Ceremony workforce.CeremonyID `json:"ceremony"`
	Response json.RawMessage      `json:"response" doc:"what navigator.credentials gave"`
}

type finishInput struct{ Body finishBody }

type beginEnrolInput struct {
	Body struct {
		Ticket workforce.Ticket  `json:"ticket"`
		Page   workforce.PageKey `json:"page_key"`
	}
}

func (a *API) beginEnrol(ctx context.Context, in *beginEnrolInput) (*begunOutput, error) {
	return a.begun(a.c.People.BeginEnrol(ctx, in.Body.Ticket, in.Body.Page))
}

type enrolledOutput struct {
	Body struct {
		Person        purser.PersonID        `json:"person"`
		Authenticator purser.AuthenticatorID `json:"authenticator"`
	}
}

func (a *API) finishEnrol(ctx context.Context, in *finishInput) (*enrolledOutput, error) {
	done, err := a.c.People.FinishEnrol(ctx, in.Body.Ceremony, in.Body.Response)
	if err != nil {
		return nil, err
	}
	out := new(enrolledOutput)
	out.Body.Person, out.Body.Authenticator = done.Person, done.Authenticator
	return out, nil
}

type beginLoginInput struct {
	Body struct {
		Page   workforce.PageKey `json:"page_key" doc:"the page's own P-256 public key, base64url"`
		Level  string            `json:"level" enum:"desk,office"`
		Person purser.PersonID   `json:"person,omitempty"`
	}
}

func (a *API) beginLogin(ctx context.Context, in *beginLoginInput) (*begunOutput, error) {
	level := purser.LevelOffice
	if in.Body.Level == "desk" {
		level = purser.LevelDesk
	}
	return a.begun(a.c.People.BeginLogin(ctx, workforce.Login{Page: in.Body.Page, Level: level, Person: in.Body.Person}))
}

type openedOutput struct {
	Body struct {
		Session purser.SessionID  `json:"session"`
		Person  purser.PersonID   `json:"person"`
		Token   string            `json:"token"`
		Server  workforce.PageKey `json:"server_key" doc:"agree on the request key with it"`
		Expires time.Time         `json:"expires"`
		Now     time.Time         `json:"now"`
	}
}

func (a *API) finishLogin(ctx context.Context, in *finishInput) (*openedOutput, error) {
	o, err := a.c.People.FinishLogin(ctx, in.Body.Ceremony, in.Body.Response)
	if err != nil {
		return nil, err
	}
	out := new(openedOutput)
	out.Body.Session, out.Body.Person, out.Body.Token = o.Session, o.Who.Person, o.Token.String()
	out.Body.Server, out.Body.Expires, out.Body.Now = o.ServerKey, o.Expires.Time(), o.Now.Time()
	return out, nil
}

func (a *API) beginStepUp(ctx context.Context, _ *struct{}) (*begunOutput, error) {
	return a.begun(a.c.People.BeginStepUp(ctx, web.Session(ctx).Who.Session))
}

func (a *API) finishStepUp(ctx context.Context, in *finishInput) (*doneOutput, error) {
	return done(a.c.People.FinishStepUp(ctx, web.Session(ctx).Who.Session, in.Body.Ceremony, in.Body.Response))
}

func (a *API) logout(ctx context.Context, _ *struct{}) (*doneOutput, error) {
	return done(a.c.People.Logout(ctx, web.Session(ctx).Who.Session))
}

func (a *API) logoutEverywhere(ctx context.Context, _ *struct{}) (*doneOutput, error) {
	return done(a.c.People.LogoutEverywhere(ctx, web.Session(ctx).Who.Session))
}

type sessionBody struct {
	Session purser.SessionID `json:"session"`
	Level   string           `json:"level" enum:"desk,office"`
	Opened  time.Time        `json:"opened"`
	Expires time.Time        `json:"expires"`
	This    bool             `json:"this" doc:"the session that asks"`
}

func levelText(l purser.Level) string {
	if l == purser.LevelDesk {
		return "desk"
	}
	return "office"
}

type sessionsOutput struct {
	Body struct {
		Sessions []sessionBody `json:"sessions"`
	}
}

func (a *API) ownSessions(ctx context.Context, _ *struct{}) (*sessionsOutput, error) {
	list, err := a.c.People.Sessions(ctx, web.Session(ctx).Who.Session)
	if err != nil {
		return nil, err
	}
	out := new(sessionsOutput)
	out.Body.Sessions = make([]sessionBody, 0, len(list))
	for _, s := range list {
		out.Body.Sessions = append(out.Body.Sessions, sessionBody{
			Session: s.Session, Level: levelText(s.Level), Opened: s.Opened.Time(), Expires: s.Expires.Time(), This: s.Asking,
		})
	}
	return out, nil
}

// doneOutput says that an act took place and has nothing more to say.
type doneOutput struct {
	Body struct {
		Answer string `json:"answer"`
	}
}

func done(err error) (*doneOutput, error) {
	if err != nil {
		return nil, err
	}
	out := new(doneOutput)
	out.Body.Answer = "done"
	return out, nil
}
