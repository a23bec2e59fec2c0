// Package demo owns the made-up airline at work: a fresh deployment, its
// staff and its callers, an honest day, one theft in the middle of it, the
// check of the day's own ledger, and the screen that tells of it. Afterwards
// it leaves the server to whoever wants to drive it.
//
// It does not own how anything is decided or stored. Everybody in it works
// through the public HTTP API with a virtual authenticator, calls arrive as
// signed events over HTTP, codes travel by SMTP; only the operator's part
// (init, import, export, verify) is done in the process, as the commands do.
// The server and everybody share one simulated clock, so that nothing is late
// because a machine is slow.
//
// No law is carried here; the day shows L1, L3, L4, L8 and L10 at work and
// fails when one of them does not hold.
//
// Start reading at [Run], then day.go.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"purser"
	"purser/internal/server"
	"purser/internal/synth"
)

// Config says what is played. Out and Software are required.
type Config struct {
	Customers int    // zero means 2,000
	Listen    string // zero means a free loopback port
	Data      string // zero means a temporary directory
	Info      string // where demo.json goes; zero means beside Data
	Seed      uint64
	// Speed is in simulated seconds a real one; zero means the default,
	// infinite as fast as the machine works.
	Speed    float64
	Headless bool
	Hold     bool // keep serving, Headless or not
	Out      io.Writer
	Software string
	Program  string // how the reader calls this program

	temporary bool   // Data goes when the demo ends
	ledger    string // the exported folder
	verifier  string
}

// The limits and defaults of a demo.
const (
	MinCustomers     = 200 // as many as demo.json holds
	MaxCustomers     = 5_000_000
	defaultCustomers = 2000
	defaultSpeed     = 420
)

// ErrConfig says that a flag is not as it should be.
var ErrConfig = errors.New("not a demo that can be played")

// ErrUnexpected says that something in the day was not as it must be.
var ErrUnexpected = errors.New("the day did not go as it must")

// Run plays the demo. It returns when the day is over and verified; with Hold,
// or without Headless, it goes on serving until ctx ends, which is no error
// then.
func Run(ctx context.Context, c Config) (err error) {
	if err := c.complete(); err != nil {
		return err
	}
	place, err := newPlace(&c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, place.clear()) }()
	real := time.Now()
	clock := synth.NewClock(began(real))
	a := &airline{config: c, clock: clock, pace: newPace(clock, setupSpeed)}
	s := &shift{airline: a, tally: newTally(), live: map[purser.ContactID]*person{}, sends: map[int]int{}, fails: map[int]int{}}
	screen := newScreen(s, real)
	defer func() {
		screen.close()
		if closed := a.close(); err == nil {
			err = closed
		}
	}()
	told, err := s.play(ctx, screen)
	if err != nil {
		return s.because(ctx, err)
	}
	info, err := s.leave(ctx)
	if err != nil {
		return s.because(ctx, err)
	}
	screen.close()
	told.took = time.Since(real)
	if err := s.summary(screen.style, told, info); err != nil {
		return err
	}
	if err := s.judge(told); err != nil {
		return err
	}
	if c.Headless && !c.Hold {
		return nil
	}
	return s.serve(ctx)
}

// setupSpeed is the pace before anybody works.
const setupSpeed = 20

// play makes the airline, works the day and checks its ledger.
func (s *shift) play(ctx context.Context, screen *screen) (told, error) {
	steps := []struct {
		what string
		do   func(context.Context) error
	}{
		{"making a fresh deployment", s.found},
		{"hiring 40 agents, 4 leads, security: a passkey each", s.people},
		{fmt.Sprintf("importing %s made-up customers", thousands(s.config.Customers)), s.populate},
	}
	for _, step := range steps {
		screen.doing(step.what)
		if err := step.do(ctx); err != nil {
			return told{}, err
		}
	}
	s.started(screen)
	if err := s.work(ctx); err != nil {
		return told{}, err
	}
	screen.doing("catching up with the wall clock")
	if err := s.catchUp(ctx); err != nil {
		return told{}, err
	}
	screen.doing("verifying the ledger, as purser verify does")
	return s.verify(ctx)
}

// started begins the day.
func (s *shift) started(screen *screen) {
	s.began = s.clock.Now()
	speed := s.config.Speed
	if math.IsInf(speed, 1) {
		speed = unlimited
	}
	s.pace.set(speed)
	screen.working()
}

// catchUp lets what is left of the simulated time pass, and moves the clock as
// the wall clock does from then on.
func (s *shift) catchUp(ctx context.Context) error {
	s.pace.set(unlimited)
	for s.clock.Now().Before(time.Now()) {
		if err := s.clock.Sleep(ctx, longestStep); err != nil {
			return err
		}
	}
	s.pace.set(1)
	return nil
}

// serve serves until ctx ends.
func (s *shift) serve(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.served.Failed():
		return err
	}
}

// because explains an early end: by the reader's wish, or by what went wrong
// first.
func (s *shift) because(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("the demo was ended early: %w", context.Canceled)
	}
	if faults := s.faulty(); len(faults) > 0 {
		return errors.Join(err, faults[0])
	}
	return err
}

func (c *Config) complete() error {
	if c.Customers == 0 {
		c.Customers = defaultCustomers
	}
	if c.Customers < MinCustomers || c.Customers > MaxCustomers {
		return fmt.Errorf("%w: --customers: want %d to %d", ErrConfig, MinCustomers, MaxCustomers)
	}
	if c.Speed == 0 {
		c.Speed = defaultSpeed
	}
	if !(c.Speed >= 1) {
		return fmt.Errorf("%w: --speed: want 1 or more simulated seconds a real one, or max", ErrConfig)
	}
	if c.Listen == "" {
		c.Listen = "127.0.0.1:0"
	}
	if c.Program == "" {
		c.Program = "purser"
	}
	return nil
}

// place is where a demo's files are.
type place struct {
	temporary string // removed in the end
}

// newPlace fills in the paths of c and makes what is missing.
func newPlace(c *Config) (*place, error) {
	p := &place{}
	if c.Data == "" {
		dir, err := os.MkdirTemp("", tempPrefix)
		if err != nil {
			return nil, fmt.Errorf("make a temporary directory: %w; name one with --data", err)
		}
		p.temporary, c.temporary, c.Data = dir, true, filepath.Join(dir, "data")
		if c.Info == "" {
			c.Info = filepath.Join(dir, infoName)
		}
	}
	data, err := filepath.Abs(c.Data)
	if err != nil {
		return nil, fmt.Errorf("find --data: %w", err)
	}
	c.Data = data
	if c.Info == "" {
		c.Info = c.Data + "." + infoName
	}
	if c.Info, err = filepath.Abs(c.Info); err != nil {
		return nil, fmt.Errorf("find --info: %w", err)
	}
	if within, err := filepath.Rel(c.Data, c.Info); err == nil && filepath.IsLocal(within) {
		return nil, fmt.Errorf("%w: --info: it holds customers in plain text, so it must lie outside --data", ErrConfig)
	}
	c.ledger = c.Data + ".ledger"
	if _, err := os.Stat(c.ledger); err == nil {
		return nil, fmt.Errorf("%w: %s is there from another demo: remove it or choose another --data", ErrConfig, c.ledger)
	}
	return p, nil
}

func (p *place) clear() error {
	if p.temporary == "" {
		return nil
	}
	return os.RemoveAll(p.temporary)
}

// verify exports the ledger, checks it by the code of purser verify, and reads
// the day's numbers out of it.
func (s *shift) verify(ctx context.Context) (told, error) {
	exported, err := s.deployment.Export(ctx, s.config.ledger, nil)
	if err != nil {
		return told{}, err
	}
	report, err := server.VerifyDir(ctx, s.config.ledger, exported.Verifier, nil)
	if err != nil {
		return told{}, fmt.Errorf("the ledger does not verify: %w", err)
	}
	t := told{counts: s.tally.look(), report: report}
	return t, t.read(ctx, s.config.ledger, exported.Verifier)
}
