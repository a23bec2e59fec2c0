package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

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
	if !strings.HasPrefix(c.Path, "/door/") && !strings.HasPrefix(c.Path, "/local/") {
		return usage(errors.New("the path is not one of the door's; want for example /door/vendors, and see purser door --help"))
	}
	body := []byte(c.Body)
	if c.Body == "-" {
		var err error
		if body, err = io.ReadAll(io.LimitReader(s.in, 1<<16)); err != nil {
			return usage(fmt.Errorf("read the body: %w", err))
		}
	}
	if !json.Valid(body) {
		return usage(errors.New("the body is not JSON; want it in single quotes, such as '{\"name\":\"In-house centre\"}'"))
	}
	answer, err := c.local(ctx, c.Path, json.RawMessage(body))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, strings.TrimSpace(string(answer)))
	return err
}
