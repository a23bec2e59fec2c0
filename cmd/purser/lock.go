package main

import (
	"context"
	"encoding/json"
	"fmt"

	"purser"
)

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
		return usage(fmt.Errorf("the target is %w", err))
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
