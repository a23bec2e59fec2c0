package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"purser"
	"purser/internal/record"
	"purser/internal/server"
)

type importCmd struct {
	dataFlag
	File    string `arg:"" help:"A CSV file with a header of field names; - is standard input."`
	Scratch bool   `help:"Allow a labelled directory."`
	JSON    bool   `name:"json" help:"Print one JSON object."`
}

// Help is printed below the flags.
func (importCmd) Help() string {
	return `Runs while the server is stopped. Rows that are not accepted are named by line, column and problem,
never by value; all others come in. Running it again with the same file goes on where it stopped.`
}

func (c importCmd) Run(ctx context.Context, s streams) (err error) {
	in := s.in
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return usage(fmt.Errorf("open the file: %w", err))
		}
		defer f.Close()
		if about, err := f.Stat(); err != nil || about.IsDir() {
			return usage(fmt.Errorf("%s is a directory; name a CSV file", c.File))
		}
		in = f
	}
	d, _, err := c.open(ctx, s, quiet(s), allowIf(c.Scratch))
	if errors.Is(err, server.ErrLabelled) {
		return fmt.Errorf("%w, or say --scratch", err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	sum, err := d.Import(ctx, in, progress(s.err, "importing"))
	return c.report(s, sum, err)
}

// report prints what came in, also when a fault ended the import.
func (c importCmd) report(s streams, sum record.Summary, err error) error {
	var file *record.FileError
	var refusal *purser.Refusal
	switch {
	case errors.As(err, &file):
		return usage(err)
	case errors.As(err, &refusal) && refusal.Reason == purser.NotSealed:
		return coded{exitRefused, errors.New("customers are stored only once the door is closed; run purser seal first")}
	}
	if c.JSON {
		encoded := json.NewEncoder(s.out).Encode(map[string]any{
			"read": sum.Read, "imported": sum.Imported, "skipped": sum.Skipped, "rejected": sum.Rejected, "entries": sum.Batches,
		})
		return errors.Join(err, encoded)
	}
	for _, r := range sum.Rejects {
		fmt.Fprintln(s.err, r)
	}
	fmt.Fprintf(s.out, "read %d = imported %d + already in %d + rejected %d; %d ledger entries\n",
		sum.Read, sum.Imported, sum.Skipped, sum.Rejected, sum.Batches)
	if err != nil {
		return fmt.Errorf("%w; run the same command again to go on", err)
	}
	return nil
}
