package demo

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"purser"
	"purser/internal/synth"
	"purser/internal/telephony"
	"purser/internal/workforce"
)

// Outsider drives a demo that runs in another process, with what its info file
// says.
type Outsider struct {
	Info Info
	File string // where the info came from
	web  *web
}

// NewOutsider reaches the demo of an info file; none names the newest.
func NewOutsider(file string) (*Outsider, error) {
	info, file, err := ReadInfo(file)
	if err != nil {
		return nil, err
	}
	return &Outsider{Info: info, File: file, web: newWeb(info.Address)}, nil
}

// Answered is what a call got.
type Answered struct {
	Status int
	Body   []byte
}

// serverClock runs ahead of, or behind, this machine's as the server does.
type serverClock struct{ ahead time.Duration }

func (c serverClock) Now() time.Time { return time.Now().Add(c.ahead) }

// clock asks the server what time it is.
func (o *Outsider) clock(ctx context.Context) (serverClock, error) {
	var health struct {
		Now int64 `json:"now"`
	}
	err := o.web.call(ctx, nil, http.MethodGet, "/healthz", nil, &health)
	var p *problem
	if err != nil && !errors.As(err, &p) {
		return serverClock{}, fmt.Errorf("%w: %s does not answer (%s)", ErrNoDemo, o.Info.Address, o.File)
	}
	if err != nil {
		return serverClock{}, err
	}
	return serverClock{time.Until(time.UnixMilli(health.Now))}, nil
}

// session returns session n of the file.
func (o *Outsider) session(n int) (Session, error) {
	if n < 0 || n >= len(o.Info.Sessions) {
		return Session{}, fmt.Errorf("%w: --as: want 0 to %d", ErrConfig, len(o.Info.Sessions)-1)
	}
	return o.Info.Sessions[n], nil
}

// Call signs one request with session as and sends it.
func (o *Outsider) Call(ctx context.Context, as int, method, path string, body []byte) (Answered, error) {
	session, err := o.session(as)
	if err != nil {
		return Answered{}, err
	}
	if len(path) == 0 || path[0] != '/' {
		return Answered{}, fmt.Errorf("%w: the path must begin with a slash", ErrConfig)
	}
	clock, err := o.clock(ctx)
	if err != nil {
		return Answered{}, err
	}
	token, err := workforce.ParseToken(session.Token)
	if err != nil {
		return Answered{}, fmt.Errorf("%s: the token is damaged", o.File)
	}
	var key workforce.RequestKey
	if raw, err := base64.RawURLEncoding.DecodeString(session.Key); err != nil || copy(key[:], raw) != len(key) {
		return Answered{}, fmt.Errorf("%s: the key is damaged", o.File)
	}
	got, err := o.web.send(ctx, outsideSigner{token, key, clock.Now()}, method, path, body)
	if err != nil {
		return Answered{}, err
	}
	return Answered{got.status, got.body}, nil
}

// outsideSigner signs one request. Its counter is the server's time in
// microseconds, so that no two calls have the same and later ones have higher.
type outsideSigner struct {
	token workforce.Token
	key   workforce.RequestKey
	now   time.Time
}

func (o outsideSigner) Sign(req *http.Request, body []byte) {
	path, query, _ := strings.Cut(req.URL.RequestURI(), "?")
	workforce.Signed{
		Token: o.token, Method: req.Method, Path: path, Query: query,
		BodyHash: sha256.Sum256(body), Time: o.now, Counter: uint64(o.now.UnixMicro()),
	}.Sign(o.key).SetHeader(req.Header)
}

// Rung is a contact that an outsider opened.
type Rung struct {
	Contact purser.ContactID
	Items   json.RawMessage // what the caller would say
	Claimed Answered
	phone   *telephony.Client
	call    string
	agent   string
}

// Ring has customer i of the file call the agent of session as, over the
// outside source, and claims the contact. What rang before there is over: the
// source begins with a new snapshot.
func (o *Outsider) Ring(ctx context.Context, as, i int) (*Rung, error) {
	session, err := o.session(as)
	switch {
	case err != nil:
		return nil, err
	case i < 0 || i >= len(o.Info.Customers):
		return nil, fmt.Errorf("%w: --customer: want 0 to %d", ErrConfig, len(o.Info.Customers)-1)
	case session.Agent == "":
		return nil, fmt.Errorf("%w: --as: session %d takes no calls from this source; 0 does", ErrConfig, as)
	}
	clock, err := o.clock(ctx)
	if err != nil {
		return nil, err
	}
	secret, err := secretOf(o.Info.Source.Secret)
	if err != nil {
		return nil, err
	}
	customer := o.Info.Customers[i]
	first := uint64(clock.Now().UnixMicro())
	r := &Rung{
		call: "outside-" + strconv.FormatUint(first, 10), agent: session.Agent,
	}
	var about purser.ContactID
	send := func(ctx context.Context, event telephony.Request) (err error) {
		about, err = o.web.about(ctx, event)
		return err
	}
	r.phone = telephony.NewClient(o.Info.Source.ID, secret, first, clock.Now, send)
	r.Items, err = json.Marshal(items(&synth.Customer{
		LoyaltyNumber: customer["loyalty_number"], Email: customer["email"], BirthDate: customer["birth_date"], Postcode: customer["postcode"],
	}))
	if err != nil {
		return nil, fmt.Errorf("encode what the caller says: %w", err)
	}
	leg := telephony.Data{Call: r.call, Agent: r.agent, Attestation: "none"}
	err = errors.Join(
		r.phone.Snapshot(ctx, nil), r.phone.Emit(ctx, purser.EventOffered, leg), r.phone.Emit(ctx, purser.EventConnected, leg))
	if err != nil {
		return nil, err
	}
	r.Contact = about
	r.Claimed, err = o.Call(ctx, as, http.MethodPost, "/v1/contacts/"+r.Contact.String()+"/claim", nil)
	return r, err
}

// Stay keeps the caller on the line until ctx ends, then hangs up.
func (r *Rung) Stay(ctx context.Context) error {
	beat := time.NewTicker(telephony.Heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-beat.C:
			if err := r.phone.Emit(ctx, purser.EventHeartbeat, telephony.Data{}); err != nil && ctx.Err() == nil {
				return err
			}
		case <-ctx.Done():
			return r.phone.Emit(context.WithoutCancel(ctx), purser.EventHungUp, telephony.Data{Call: r.call, Agent: r.agent})
		}
	}
}
