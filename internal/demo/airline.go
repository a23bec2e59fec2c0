package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"purser"
	"purser/internal/deliver"
	"purser/internal/record"
	"purser/internal/server"
	"purser/internal/synth"
	"purser/internal/workforce"
)

// The made-up airline.
const (
	company = "Marram Air"
	region  = "AU"
)

// airline is a running deployment in a fresh directory, with its staff, its
// customers and the lines on which they call.
type airline struct {
	config Config
	clock  *synth.Clock
	pace   *pace
	mail   *synth.MailCatcher

	deployment *server.Deployment
	served     *server.Server
	web        *web

	vendors   [2]*vendor
	security  []*person
	office    []*person // admin and privacy
	customers *synth.Generator
	extra     *outside
	progress  func(done, total int64) // of the import

	stop    context.CancelFunc
	running sync.WaitGroup

	mu     sync.Mutex
	faults []error // guarded by mu
}

// outside is the telephony source that the demo leaves to whoever plays with
// it afterwards.
type outside struct {
	id     purser.SourceID
	secret string // as the door gave it
	vendor *vendor
}

// found makes the deployment and starts it. The caller calls close, also after
// an error.
func (a *airline) found(ctx context.Context) error {
	made, err := server.Init(ctx, server.InitConfig{
		Data: a.config.Data, Host: "localhost", Labelled: true, Clock: a.clock, Random: rand.Reader, Software: a.config.Software,
	})
	if err != nil {
		return fmt.Errorf("make a demo directory: %w", err)
	}
	a.config.verifier = made.Verifier
	if a.mail, err = synth.NewMailCatcher(); err != nil {
		return err
	}
	rp := relyingParty()
	a.deployment, err = server.Open(ctx, server.Config{
		Data: a.config.Data, Software: a.config.Software, RP: rp, Company: company, Region: region,
		Mail: &deliver.MailConfig{
			Host: a.mail.Host(), Port: a.mail.Port(), Security: deliver.PlainLoopback, From: "codes@marram.example",
		},
		Clock: a.clock, Random: rand.Reader, Logger: slog.New(faultLog{a.fault}), Labelled: true,
	})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", a.config.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w; choose another address with --listen", err)
	}
	if a.served, err = server.Serve(ctx, a.deployment, listener); err != nil {
		return errors.Join(err, listener.Close())
	}
	a.web = newWeb(a.served.Address())
	moving, stop := context.WithCancel(context.WithoutCancel(ctx))
	a.stop = stop
	a.running.Go(func() { a.pace.run(moving) })
	return nil
}

func relyingParty() workforce.RP {
	return workforce.RP{ID: "localhost", Name: company, Origins: []string{"http://localhost"}}
}

// close stops what found started.
func (a *airline) close() error {
	var errs []error
	if a.served != nil {
		errs = append(errs, a.served.Shutdown(context.Background()))
	}
	if a.stop != nil {
		a.stop()
	}
	a.running.Wait()
	if a.deployment != nil {
		errs = append(errs, a.deployment.Close())
	}
	if a.mail != nil {
		errs = append(errs, a.mail.Close())
	}
	if a.web != nil {
		a.web.close()
	}
	return errors.Join(errs...)
}

// fault notes what should not have happened.
func (a *airline) fault(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.faults) < 1000 {
		a.faults = append(a.faults, err)
	}
}

func (a *airline) faulty() []error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.faults
}

// people adds vendors, teams and staff through the door and logs them in.
func (a *airline) people(ctx context.Context) error {
	door := newDoor(filepath.Join(a.config.Data, server.DoorName))
	defer door.close()
	var all []*person
	called := names(a.config.Seed, 2*(agentsEach+teamsEach)+4)
	next := func(v *vendor, team purser.TeamID, role string) *person {
		p := &person{Name: called[len(all)], Role: role, Vendor: v, Team: team, web: a.web, clock: a.clock}
		all = append(all, p)
		return p
	}
	a.vendors = [2]*vendor{{Name: company + " own desk", Short: "own desk"}, {Name: "Callwright Services", Short: "Callwright"}}
	for i, v := range a.vendors {
		if err := door.call(ctx, nil, http.MethodPost, "/door/vendors", map[string]any{"name": v.Name}, v); err != nil {
			return fmt.Errorf("add a vendor: %w", err)
		}
		for t := range teamsEach {
			team, err := addTeam(ctx, door, v, fmt.Sprintf("%s, team %d", v.Name, t+1))
			if err != nil {
				return err
			}
			for range agentsEach / teamsEach {
				p := next(v, team, "agent")
				v.agents = append(v.agents, p)
				p.Agent = agentID(i, len(v.agents))
			}
			l := next(v, team, "lead")
			v.leads = append(v.leads, l)
			l.Agent = agentID(i, 900+len(v.leads))
		}
	}
	owner := a.vendors[0]
	a.security = []*person{next(owner, purser.TeamID{}, "security"), next(owner, purser.TeamID{}, "security")}
	a.office = []*person{next(owner, purser.TeamID{}, "admin"), next(owner, purser.TeamID{}, "privacy")}
	err := together(ctx, len(all), 8, func(ctx context.Context, i int) error {
		return errors.Join(all[i].hire(ctx, door, relyingParty()))
	})
	if err != nil {
		return err
	}
	if err := a.login(ctx); err != nil {
		return err
	}
	return a.switches(ctx, door)
}

func addTeam(ctx context.Context, door *web, v *vendor, name string) (purser.TeamID, error) {
	var added struct {
		Team purser.TeamID `json:"team"`
	}
	err := door.call(ctx, nil, http.MethodPost, "/door/teams", map[string]any{"vendor": v.ID, "name": name}, &added)
	if err != nil {
		return added.Team, fmt.Errorf("add a team: %w", err)
	}
	return added.Team, nil
}

// staff is everybody, agents of the vendor with the outside source first.
func (a *airline) staff() []*person {
	var all []*person
	for _, v := range a.vendors {
		all = append(all, v.agents...)
	}
	for _, v := range a.vendors {
		all = append(all, v.leads...)
	}
	return append(append(all, a.security...), a.office...)
}

// login opens a session for everybody.
func (a *airline) login(ctx context.Context) error {
	all := a.staff()
	return together(ctx, len(all), 8, func(ctx context.Context, i int) error { return all[i].login(ctx) })
}

// switches registers a telephony source for each vendor, and the outside one,
// and maps the switches' agent ids to people.
func (a *airline) switches(ctx context.Context, door *web) error {
	for _, v := range a.vendors {
		id, secret, err := addSource(ctx, door, v, v.Name+" switch")
		if err != nil {
			return err
		}
		raw, err := secretOf(secret)
		if err != nil {
			return err
		}
		v.line = newLine(id, raw, a.web, a.clock.Now, a.fault)
		if err := mapAgents(ctx, door, id, v); err != nil {
			return err
		}
		if err := v.line.start(ctx); err != nil {
			return fmt.Errorf("start a telephony source: %w", err)
		}
		a.pace.add(v.line)
	}
	v := a.vendors[0]
	id, secret, err := addSource(ctx, door, v, "for whoever plays with the demo")
	if err != nil {
		return err
	}
	a.extra = &outside{id, secret, v}
	return mapAgents(ctx, door, id, v)
}

func addSource(ctx context.Context, door *web, v *vendor, name string) (purser.SourceID, string, error) {
	var made struct {
		Source purser.SourceID `json:"source"`
		Secret string          `json:"secret"`
	}
	in := map[string]any{"name": name, "vendor": v.ID, "trust": []string{"carrier"}}
	if err := door.call(ctx, nil, http.MethodPost, "/door/sources", in, &made); err != nil {
		return made.Source, "", fmt.Errorf("register a telephony source: %w", err)
	}
	return made.Source, made.Secret, nil
}

func mapAgents(ctx context.Context, door *web, source purser.SourceID, v *vendor) error {
	all := append(append([]*person{}, v.agents...), v.leads...)
	return together(ctx, len(all), 8, func(ctx context.Context, i int) error {
		in := map[string]any{"source": source, "agent": all[i].Agent, "person": all[i].ID}
		if err := door.call(ctx, nil, http.MethodPost, "/door/agents", in, nil); err != nil {
			return fmt.Errorf("map an agent: %w", err)
		}
		return nil
	})
}

// populate makes the customers and brings them in by the ordinary import.
func (a *airline) populate(ctx context.Context) error {
	file, err := os.CreateTemp("", "purser-demo-*.csv")
	if err != nil {
		return fmt.Errorf("make a file of customers: %w", err)
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if err := synth.WriteCSV(file, a.config.Seed, synth.Airline, a.config.Customers); err != nil {
		return err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read the file of customers: %w", err)
	}
	sum, err := a.deployment.Import(ctx, file, record.ImportOptions{Progress: a.progress})
	if err != nil {
		return err
	}
	if sum.New != uint64(a.config.Customers) {
		return fmt.Errorf("of %d made-up customers %d were imported: the first was rejected for %v",
			a.config.Customers, sum.New, firstReject(sum.Rejects))
	}
	a.customers = synth.NewGenerator(a.config.Seed, synth.Airline)
	return nil
}

func firstReject[R any](all []R) any {
	if len(all) == 0 {
		return "nothing"
	}
	return all[0]
}

// faultLog hands the server's errors on and drops the rest.
type faultLog struct{ fault func(error) }

func (faultLog) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelError }

func (l faultLog) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(a slog.Attr) bool {
		text += fmt.Sprintf(" %s=%v", a.Key, a.Value)
		return true
	})
	l.fault(errors.New("the server logged: " + text))
	return nil
}

func (l faultLog) WithAttrs([]slog.Attr) slog.Handler { return l }
func (l faultLog) WithGroup(string) slog.Handler      { return l }

var _ slog.Handler = faultLog{}

// began is how long before the wall clock the day starts, so that simulated
// time has caught up with it at the end.
func began(now time.Time) time.Time { return now.Add(-dayLength - margin).Round(0) }
