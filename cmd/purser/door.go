package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"purser"
)

// local sends one request to the operator's socket of a running server.
func (f dataFlag) local(ctx context.Context, path string, body any) ([]byte, error) {
	text, err := json.Marshal(body)
	if raw, ok := body.(json.RawMessage); ok {
		text, err = raw, nil
	}
	if err != nil {
		return nil, err
	}
	client := http.Client{Timeout: time.Minute, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", f.socket())
		},
	}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://local"+path, bytes.NewReader(text))
	if err != nil {
		return nil, usage(fmt.Errorf("the path is not one: want for example /door/vendors"))
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("no server answers on %s; start purser serve first, as the same user", f.socket())
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("read the server's answer: %w", err)
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return nil, localProblem(resp.StatusCode, answer)
	}
	return answer, nil
}

// localProblem puts a problem of the server into one line.
func localProblem(status int, answer []byte) error {
	var p struct {
		Title     string
		Answer    string
		Reference string
		Errors    []struct{ Where, What string }
	}
	_ = json.Unmarshal(answer, &p) // what is no problem has no title
	text := strings.ToLower(p.Title)
	for _, e := range p.Errors {
		text += fmt.Sprintf("; %s: %s", e.Where, e.What)
	}
	if p.Reference != "" {
		text += "; reference " + p.Reference
	}
	err := errors.New(text)
	switch {
	case status == http.StatusForbidden:
		return coded{exitRefused, err}
	case status < http.StatusInternalServerError:
		return usage(err)
	}
	return err
}

type doorCmd struct {
	dataFlag
	Path string `arg:"" help:"Such as /door/vendors."`
	Body string `arg:"" optional:"" help:"JSON; - reads standard input." default:"{}"`
}

// Help is printed below the flags.
func (doorCmd) Help() string {
	return `Asks the bootstrap door of a running server, through DATA/purser.sock:
  /door/vendors {"name"}                      /door/tickets {"person"}
  /door/teams   {"vendor","name"}             /door/sources {"name","vendor","trust":[]}
  /door/people  {"name","vendor","team",      /door/agents  {"source","agent","person"}
                 "roles":["agent"]}
docs/operate/install.md goes through it.`
}

func (c doorCmd) Run(ctx context.Context, s streams) error {
	body := []byte(c.Body)
	if c.Body == "-" {
		var err error
		if body, err = io.ReadAll(io.LimitReader(s.in, 1<<16)); err != nil {
			return usage(fmt.Errorf("read the body: %w", err))
		}
	}
	if !json.Valid(body) {
		return usage(errors.New("the body is not JSON"))
	}
	answer, err := c.local(ctx, c.Path, json.RawMessage(body))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, strings.TrimSpace(string(answer)))
	return err
}

type lockCmd struct {
	dataFlag
	Target string `arg:"" help:"A session, person, team, vendor or source by its identifier, or all."`
	JSON   bool   `name:"json" help:"Print one JSON object."`
}

// Help is printed below the flags.
func (lockCmd) Help() string {
	return `Stops the target at once, on a running server. Nothing of it is disclosed after the position that is printed.
Lifting takes two people, through the API.`
}

func (c lockCmd) Run(ctx context.Context, s streams) error {
	if _, err := purser.ParseTarget(c.Target); err != nil {
		return usage(err)
	}
	answer, err := c.local(ctx, "/local/locks", map[string]string{"target": c.Target})
	if err != nil {
		return err
	}
	if c.JSON {
		_, err = s.out.Write(answer)
		return err
	}
	var placed struct {
		Lock  purser.LockID
		Entry purser.Pos
	}
	if err := json.Unmarshal(answer, &placed); err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	fmt.Fprintf(s.out, "locked %s from position %d on (%s)\n", c.Target, placed.Entry, placed.Lock)
	return nil
}

type sealCmd struct {
	dataFlag
	Custodian []string `help:"A custodian's public key, as a signed note's verifier; repeat it." placeholder:"KEY"`
	Make      string   `help:"Instead: make 5 custodian keys in this new folder, one file each." type:"path" placeholder:"FOLDER"`
	Quorum    int      `default:"3" help:"How many custodians must sign together."`
}

// Help is printed below the flags.
func (sealCmd) Help() string {
	return `Closes the bootstrap door for good, on a running server: from now on no passkey is enrolled without a help-desk
request, and customers may be stored. It takes at least 3 people with 2 passkeys each.

Custodian keys bring a deployment back whose staff has lost every passkey. Give each file that --make writes to
another person, offline, and remove it here.`
}

func (c sealCmd) Run(ctx context.Context, s streams) error {
	if (c.Make == "") == (len(c.Custodian) == 0) {
		return usage(errors.New("say either --make FOLDER or --custodian KEY for each custodian"))
	}
	if c.Make != "" {
		var err error
		if c.Custodian, err = makeCustodians(c.Make); err != nil {
			return err
		}
	}
	_, err := c.local(ctx, "/door/seal", map[string]any{"custodians": c.Custodian, "quorum": c.Quorum})
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "Sealed. %d of %d custodians can unlock it.\n", c.Quorum, len(c.Custodian))
	return nil
}

// custodians is how many keys --make writes.
const custodians = 5

// makeCustodians writes the private keys and returns the public ones.
func makeCustodians(folder string) ([]string, error) {
	if err := os.Mkdir(folder, 0o700); err != nil {
		return nil, usage(fmt.Errorf("make the folder of custodian keys: %w", err))
	}
	var public []string
	for i := range custodians {
		name := fmt.Sprintf("custodian-%d", i+1)
		private, verifier, err := note.GenerateKey(rand.Reader, name)
		if err != nil {
			return nil, fmt.Errorf("draw a custodian key: %w", err)
		}
		if err := os.WriteFile(filepath.Join(folder, name+".key"), []byte(private+"\n"), 0o600); err != nil {
			return nil, fmt.Errorf("write a custodian key: %w", err)
		}
		public = append(public, verifier)
	}
	return public, nil
}
