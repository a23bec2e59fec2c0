package bench

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"

	"purser"
	"purser/internal/gate"
	"purser/internal/record"
	"purser/internal/server"
	"purser/internal/synth"
	"purser/internal/telephony"
	"purser/internal/workforce"
)

// siteSize is how large a site is.
type siteSize struct {
	customers int
	agents    int // of each of the two vendors
	contacts  int // of each agent, all open at once
}

// site is a scratch deployment with agents at work in it. It is made by the
// same calls that the doors make.
type site struct {
	size   siteSize
	clock  clock
	config server.Config
	rp     workforce.RP
	*server.Deployment
	centres [2]*centre
}

// centre is a vendor with its switch.
type centre struct {
	vendor purser.VendorID
	team   purser.TeamID
	source purser.SourceID
	line   *telephony.Client
	live   []telephony.Live // contacts
	agents []*agent
}

// agent is somebody with a passkey, a session and contacts.
type agent struct {
	switchID string
	asker    gate.Asker
	client   *synth.Client // signs requests of the session
}

// newSite makes a deployment in dir, with customers, and agents logged in.
func newSite(ctx context.Context, dir string, size siteSize) (*site, error) {
	s := &site{
		size: size, clock: newClock(),
		rp: workforce.RP{ID: "localhost", Name: "Scratch", Origins: []string{"http://localhost"}},
	}
	s.config = server.Config{
		Data: filepath.Join(dir, "data"), Software: "bench", RP: s.rp, Company: "Scratch Air", Region: "AU",
		Clock: s.clock, Random: rand.Reader, Logger: slog.New(slog.NewJSONHandler(io.Discard, nil)), Labelled: true,
	}
	_, err := server.Init(ctx, server.InitConfig{
		Data: s.config.Data, Host: "localhost", Labelled: true, Clock: s.clock, Random: rand.Reader, Software: "bench",
	})
	if err != nil {
		return nil, fmt.Errorf("make scratch deployment: %w", err)
	}
	if s.Deployment, err = server.Open(ctx, s.config); err != nil {
		return nil, fmt.Errorf("open scratch deployment: %w", err)
	}
	if err := s.fill(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("fill scratch deployment: %w", err), s.Close())
	}
	return s, nil
}

func (s *site) fill(ctx context.Context) error {
	var file bytes.Buffer
	if err := synth.WriteCSV(&file, 1, synth.Airline, s.size.customers); err != nil {
		return err
	}
	if _, err := s.Import(ctx, &file, record.ImportOptions{}); err != nil {
		return err
	}
	for i := range s.centres {
		s.centres[i] = new(centre)
		if err := s.found(ctx, s.centres[i], i); err != nil {
			return err
		}
	}
	return nil
}

// found makes a vendor with a team, a switch and agents.
func (s *site) found(ctx context.Context, c *centre, number int) (err error) {
	name := fmt.Sprintf("Centre %d", number+1)
	if c.vendor, err = s.People.AddVendor(ctx, name); err != nil {
		return err
	}
	if c.team, err = s.People.AddTeam(ctx, c.vendor, name); err != nil {
		return err
	}
	made, err := s.Sources.NewSource(purser.SourceSet{
		Vendor: c.vendor, Trust: purser.TrustCarrier, Status: purser.StatusActive,
	}, name)
	if err != nil {
		return err
	}
	if _, err := s.Changes.Direct(ctx, made.Entry, made.Rows); err != nil {
		return err
	}
	c.source = made.Entry.Source
	c.line = telephony.NewClient(c.source, made.Secret, 1, s.clock.Now, s.receive)
	if err := c.line.Snapshot(ctx, nil); err != nil {
		return err
	}
	c.agents = make([]*agent, s.size.agents)
	return together(len(c.agents), func(i int) (err error) {
		c.agents[i], err = s.hire(ctx, c, i)
		return err
	})
}

// receive takes an event for the deployment that is open now.
func (s *site) receive(ctx context.Context, r telephony.Request) error {
	_, err := s.Intake.Receive(ctx, r)
	return err
}

// reopen opens the site's directory again after it was closed.
func (s *site) reopen(ctx context.Context, progress func(done, total purser.Pos)) (err error) {
	c := s.config
	c.Progress = progress
	s.Deployment, err = server.Open(ctx, c)
	return err
}

// hire adds an agent, enrols his passkey and logs him in.
func (s *site) hire(ctx context.Context, c *centre, number int) (*agent, error) {
	a := &agent{switchID: fmt.Sprintf("agent-%d", number)}
	person, err := s.People.AddPerson(ctx, workforce.Hire{
		Name: a.switchID, Vendor: c.vendor, Team: c.team, Roles: purser.RoleAgent,
	})
	if err != nil {
		return nil, err
	}
	mapped, err := s.Sources.MapAgent(ctx, c.source, a.switchID, person)
	if err != nil {
		return nil, err
	}
	if _, err = s.Changes.Direct(ctx, mapped, nil); err != nil {
		return nil, err
	}
	browser, err := s.enrol(ctx, person)
	if err != nil {
		return nil, fmt.Errorf("enrol an agent: %w", err)
	}
	if err := s.login(ctx, a, person, browser); err != nil {
		return nil, fmt.Errorf("log an agent in: %w", err)
	}
	a.asker.Lane = c.vendor
	return a, nil
}

func (s *site) enrol(ctx context.Context, person purser.PersonID) (*synth.Browser, error) {
	ticket, err := s.People.Invite(ctx, person)
	if err != nil {
		return nil, err
	}
	browser, err := synth.NewBrowser(s.rp, s.clock)
	if err != nil {
		return nil, err
	}
	begun, err := s.People.BeginEnrol(ctx, ticket, browser.PageKey())
	if err != nil {
		return nil, err
	}
	response, err := browser.Enrol(begun)
	if err != nil {
		return nil, err
	}
	_, err = s.People.FinishEnrol(ctx, begun.Ceremony, response)
	return browser, err
}

func (s *site) login(ctx context.Context, a *agent, person purser.PersonID, browser *synth.Browser) error {
	begun, err := s.People.BeginLogin(ctx, workforce.Login{Page: browser.PageKey(), Level: purser.LevelDesk, Person: person})
	if err != nil {
		return err
	}
	response, err := browser.Assert(begun)
	if err != nil {
		return err
	}
	opened, err := s.People.FinishLogin(ctx, begun.Ceremony, response)
	if err != nil {
		return err
	}
	a.asker.Session = opened.Session
	a.client, err = browser.Open(opened.Token, opened.Session, opened.ServerKey, opened.Now)
	return err
}

// beat has both switches say which contacts are live. Nothing opens behind one
// that was silent for a while, until it has.
func (s *site) beat(ctx context.Context) error {
	for _, c := range s.centres {
		if err := c.line.Snapshot(ctx, c.live); err != nil {
			return fmt.Errorf("send snapshot of contacts: %w", err)
		}
	}
	return nil
}

// atOnce is how much of the setting up is done at the same time.
const atOnce = 16

// together runs f for 0 to n-1, a few at a time, and joins the errors.
func together(n int, f func(i int) error) error {
	ended := make([]error, atOnce)
	var running sync.WaitGroup
	for w := range atOnce {
		running.Go(func() {
			for i := w; i < n && ended[w] == nil; i += atOnce {
				ended[w] = f(i)
			}
		})
	}
	running.Wait()
	return errors.Join(ended...)
}
