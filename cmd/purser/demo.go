package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"strconv"
	"strings"

	"purser/internal/demo"
	"purser/internal/server"
)

// speed is in simulated seconds a real one; "max" is as fast as it works.
type speed float64

// UnmarshalText reads a number or max.
func (s *speed) UnmarshalText(text []byte) error {
	if string(text) == "max" || string(text) == "high" {
		*s = speed(math.Inf(1))
		return nil
	}
	n, err := strconv.ParseFloat(string(text), 64)
	if err != nil || !(n >= 1) || math.IsInf(n, 0) {
		return errors.New("want 1 or more simulated seconds a real one, or max")
	}
	*s = speed(n)
	return nil
}

type demoCmd struct {
	Run  demoRunCmd  `cmd:"" default:"withargs" help:"Play an honest day and one theft, then serve."`
	Call demoCallCmd `cmd:"" help:"Sign a request with a session of a running demo and send it."`
	Ring demoRingCmd `cmd:"" help:"Let a customer of a running demo call."`
}

type demoRunCmd struct {
	Customers int    `default:"2000" help:"How many customers."`
	Listen    string `default:"127.0.0.1:0" help:"Where to serve the API; port 0 is a free one."`
	Data      string `type:"path" help:"An empty or missing directory to keep; none: a temporary one."`
	Seed      uint64 `default:"1" help:"The same seed plays the same day."`
	Speed     speed  `default:"420" help:"Simulated seconds a real one, or max."`
	Headless  bool   `help:"End when the day is over and verified."`
	Hold      bool   `help:"Go on serving even so."`
	Info      string `type:"path" help:"Where to write what an outsider needs; default DATA.demo.json."`
}

// Help is printed below the flags.
func (demoRunCmd) Help() string {
	return `Makes a fresh, labelled directory with made-up staff and customers, and plays a day on a simulated clock: calls arrive
as signed events, everybody works through the HTTP API with a virtual passkey. In the middle a session is stolen, token
and key. At the end the demo verifies its own ledger and exits with 1 if anything was not as it must be.

demo.json then says where to reach the server, with sessions, a telephony source and customers to play with.`
}

func (c demoRunCmd) Run(ctx context.Context, s streams) error {
	if c.Customers < 1 {
		return usage(fmt.Errorf("--customers: want %d to %d", demo.MinCustomers, demo.MaxCustomers))
	}
	err := demo.Run(ctx, demo.Config{
		Customers: c.Customers, Listen: c.Listen, Data: c.Data, Info: c.Info, Seed: c.Seed, Speed: float64(c.Speed),
		Headless: c.Headless, Hold: c.Hold, Out: s.out, Software: version, Program: program(),
	})
	return demoError(err)
}

// program is how the reader called us.
func program() string {
	if strings.Contains(os.Args[0], "go-build") {
		return "go run ./cmd/purser"
	}
	return "purser"
}

// demoError adds exit codes to what a demo returns.
func demoError(err error) error {
	if errors.Is(err, demo.ErrConfig) || errors.Is(err, demo.ErrNoDemo) || errors.Is(err, server.ErrNotEmpty) {
		return usage(err)
	}
	return err
}

// infoFlag says which demo is meant.
type infoFlag struct {
	Info string `type:"path" help:"The demo's file; none: that of the newest demo in a temporary directory."`
	As   int    `default:"0" help:"Which session of the file."`
}

type demoCallCmd struct {
	infoFlag
	Method string `arg:"" help:"GET or POST."`
	Path   string `arg:"" help:"The path, such as /v1/contacts."`
	Body   string `arg:"" optional:"" help:"The body, as JSON."`
}

// Help is printed below the flags.
func (demoCallCmd) Help() string {
	return `Prints the status and the body. Exit code 0: done. 2: the request was not accepted. 4: refused by a rule of Purser.
1: the server met a fault or cannot be reached.`
}

func (c demoCallCmd) Run(ctx context.Context, s streams) error {
	o, err := demo.NewOutsider(c.Info)
	if err != nil {
		return demoError(err)
	}
	got, err := o.Call(ctx, c.As, strings.ToUpper(c.Method), c.Path, []byte(c.Body))
	if err != nil {
		return demoError(err)
	}
	fmt.Fprintf(s.out, "%d %s\n%s\n", got.Status, http.StatusText(got.Status), pretty(got.Body))
	return demoStatus(got.Status)
}

// demoStatus is the exit code for an answer.
func demoStatus(status int) error {
	switch {
	case status < http.StatusBadRequest:
		return nil
	case status == http.StatusForbidden:
		return coded{exitRefused, errors.New("refused")}
	case status < http.StatusInternalServerError:
		return usage(errors.New("the request was not accepted"))
	}
	return errors.New("the server met a fault")
}

// pretty indents a body that is JSON.
func pretty(body []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, body, "", "  ") != nil {
		return string(body)
	}
	return strings.TrimSpace(b.String())
}

type demoRingCmd struct {
	infoFlag
	Customer int  `default:"0" help:"Which customer of the file calls."`
	Stay     bool `help:"Keep the caller on the line until Ctrl-C."`
}

// Help is printed below the flags.
func (demoRingCmd) Help() string {
	return `Reports the call over the demo's outside telephony source and claims the contact with the session. Whoever called
before is gone then. Without --stay the source falls silent, and after 15 seconds nothing new opens in the contact.`
}

func (c demoRingCmd) Run(ctx context.Context, s streams) error {
	o, err := demo.NewOutsider(c.Info)
	if err != nil {
		return demoError(err)
	}
	r, err := o.Ring(ctx, c.As, c.Customer)
	if err != nil {
		return demoError(err)
	}
	if err := demoStatus(r.Claimed.Status); err != nil {
		fmt.Fprintf(s.out, "%d %s\n%s\n", r.Claimed.Status, http.StatusText(r.Claimed.Status), pretty(r.Claimed.Body))
		return err
	}
	call := fmt.Sprintf("  %s demo call --info %s --as %d POST /v1/contacts/%v", program(), o.File, c.As, r.Contact)
	fmt.Fprintf(s.out, "contact %v\nitems   %s\n\nThe caller is on the line. Type what he says, then ask for fields:\n", r.Contact, r.Items)
	fmt.Fprintf(s.out, "%s/identify '{\"items\":%s}'\n", call, r.Items)
	fmt.Fprintf(s.out, "%s/disclose '{\"fields\":[\"name\",\"tier\",\"email:masked\"]}'\n\n", call)
	if !c.Stay {
		fmt.Fprintln(s.out, "The source is silent now: in 15 seconds nothing new opens. With --stay the caller stays.")
		return nil
	}
	fmt.Fprintln(s.out, "Ctrl-C hangs up.")
	return r.Stay(ctx)
}
