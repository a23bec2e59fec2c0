package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"purser"
	"purser/internal/synth"
	"purser/internal/workforce"
)

// Who works at the made-up airline.
const (
	agentsEach = 20 // of each vendor
	teamsEach  = 2  // of each vendor, with one lead each
)

// person is somebody made up, with an own browser and authenticator. Requests
// in the session may be made by many goroutines; logins and step-ups by one at
// a time.
type person struct {
	Name   string
	Role   string
	ID     purser.PersonID
	Vendor *vendor
	Team   purser.TeamID
	Agent  string // the switch's agent id; empty for who takes no contacts

	web     *web
	clock   workforce.Clock
	browser *synth.Browser

	mu      sync.Mutex // guards what follows, and the browser
	session purser.SessionID
	client  *synth.Client
	stepped time.Time
	busy    bool // a lead on a contact
}

// vendor is one of the two.
type vendor struct {
	Name   string
	Short  string
	ID     purser.VendorID `json:"vendor"`
	agents []*person
	leads  []*person
	line   *line
}

// lead is the lead of p's team.
func (p *person) lead() *person {
	for _, l := range p.Vendor.leads {
		if l.Team == p.Team {
			return l
		}
	}
	return p.Vendor.leads[0]
}

// hire adds the person behind the door, invites him, and enrols a passkey by
// the public API.
func (p *person) hire(ctx context.Context, door *web, rp workforce.RP) error {
	in := map[string]any{"name": p.Name, "vendor": p.Vendor.ID, "roles": []string{p.Role}}
	if !p.Team.Zero() {
		in["team"] = p.Team
	}
	var added struct {
		Person purser.PersonID `json:"person"`
	}
	if err := door.call(ctx, nil, http.MethodPost, "/door/people", in, &added); err != nil {
		return fmt.Errorf("add a person: %w", err)
	}
	p.ID = added.Person
	var invited struct {
		Ticket workforce.Ticket `json:"ticket"`
	}
	if err := door.call(ctx, nil, http.MethodPost, "/door/tickets", map[string]any{"person": p.ID}, &invited); err != nil {
		return fmt.Errorf("invite a person: %w", err)
	}
	var err error
	if p.browser, err = synth.NewBrowser(rp, p.clock); err != nil {
		return err
	}
	begin := map[string]any{"ticket": invited.Ticket, "page_key": p.browser.PageKey()}
	return p.ceremony(ctx, nil, "/v1/enrolments", begin, p.browser.Enrol, nil)
}

// ceremony is the two halves of an enrolment, a login or a step-up.
func (p *person) ceremony(
	ctx context.Context, by signer, path string, begin any,
	sign func(workforce.Begun) ([]byte, error), out any,
) error {
	var begun workforce.Begun
	if err := p.web.call(ctx, by, http.MethodPost, path+"/begin", begin, &begun); err != nil {
		return fmt.Errorf("begin %s: %w", path, err)
	}
	response, err := sign(begun)
	if err != nil {
		return err
	}
	in := map[string]any{"ceremony": begun.Ceremony, "response": json.RawMessage(response)}
	if err := p.web.call(ctx, by, http.MethodPost, path+"/finish", in, out); err != nil {
		return fmt.Errorf("finish %s: %w", path, err)
	}
	return nil
}

// login opens a new session from a new page, which ends the one before.
func (p *person) login(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.browser.Reload(); err != nil {
		return err
	}
	level := "office"
	if p.Agent != "" {
		level = "desk"
	}
	var opened struct {
		Session purser.SessionID  `json:"session"`
		Token   string            `json:"token"`
		Server  workforce.PageKey `json:"server_key"`
		Now     time.Time         `json:"now"`
	}
	begin := map[string]any{"page_key": p.browser.PageKey(), "level": level, "person": p.ID}
	if err := p.ceremony(ctx, nil, "/v1/login", begin, p.browser.Assert, &opened); err != nil {
		return err
	}
	token, err := workforce.ParseToken(opened.Token)
	if err != nil {
		return fmt.Errorf("login: %w", err)
	}
	client, err := p.browser.Open(token, opened.Session, opened.Server, purser.StampOf(opened.Now))
	if err != nil {
		return fmt.Errorf("login: %w", err)
	}
	client.Correct(p.clock.Now()) // one clock: there is nothing to correct
	p.session, p.client, p.stepped = opened.Session, client, time.Time{}
	return nil
}

// stepUp uses the passkey again, unless that was done a short time ago.
func (p *person) stepUp(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := p.clock.Now(); now.Sub(p.stepped) > 3*time.Minute {
		if err := p.ceremony(ctx, p.client, "/v1/step-up", nil, p.browser.Assert, nil); err != nil {
			return err
		}
		p.stepped = now
	}
	return nil
}

// signer returns the client of the session that is open now.
func (p *person) signer() *synth.Client {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.client
}

func (p *person) sessionID() purser.SessionID {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.session
}

// take makes a lead busy; false if he is already.
func (p *person) take() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy {
		return false
	}
	p.busy = true
	return true
}

func (p *person) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.busy = false
}

// get and post ask in the person's session.
func (p *person) get(ctx context.Context, path string, out any) error {
	return p.web.call(ctx, p.signer(), http.MethodGet, path, nil, out)
}

func (p *person) post(ctx context.Context, path string, in, out any) error {
	return p.web.call(ctx, p.signer(), http.MethodPost, path, in, out)
}

// names makes n names of people that a terminal can show.
func names(seed uint64, n int) []string {
	made := synth.NewGenerator(spread(seed), synth.Airline)
	out := make([]string, 0, n)
	for i := 0; len(out) < n; i++ {
		if c := made.At(i); c.GivenRomanised == "" && len(c.GivenName)+len(c.FamilyName) < 22 {
			out = append(out, c.GivenName+" "+c.FamilyName)
		}
	}
	return out
}

// together does work for each of n at once, a few at a time, and returns the
// first error.
func together(ctx context.Context, n, atOnce int, work func(context.Context, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slots := make(chan struct{}, atOnce)
	var running sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		running.Go(func() {
			defer func() { <-slots }()
			if ctx.Err() != nil {
				return
			}
			if err := work(ctx, i); err != nil {
				cancel(err)
			}
		})
	}
	running.Wait()
	return context.Cause(ctx)
}

func agentID(vendor, n int) string { return "a" + strconv.Itoa(1000*(vendor+1)+n) }
