package main

import (
	"context"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"purser"
	"purser/internal/record"
	"purser/internal/server"
)

type importCmd struct {
	dataFlag
	File           string `arg:"" optional:"" help:"CSV with a header, or JSON Lines; plain, gzip or zstd; - is standard input."`
	Mapping        string `type:"existingfile" help:"Says which column holds what; without it columns bear the schema's names."`
	SuggestMapping bool   `help:"Print a mapping for the file, to be edited, and read nobody in."`
	DefaultRegion  string `help:"Where phone numbers without country code belong, such as AU; default: the configured one."`
	DryRun         bool   `help:"Do everything but write."`
	Rejects        string `help:"A new file for the rows that are not taken: line, column, reason."`
	Abandon        bool   `help:"Give up an import that has not ended; name no file."`
	Scratch        bool   `help:"Allow a labelled directory."`
	JSON           bool   `name:"json" help:"Print one JSON object."`
}

// Help is printed below the flags.
func (importCmd) Help() string {
	return `Runs while the server is stopped. Rows that are not accepted are named by line, column and problem,
never by value; all others come in. Nobody of a file can be found before all of it is in. Running it again
with the same file goes on where it stopped; a file that is in changes nothing.`
}

func (c importCmd) Run(ctx context.Context, s streams) (err error) {
	if (c.File == "") != c.Abandon {
		return usage(errors.New("name a file, or say --abandon"))
	}
	in := s.in
	if c.File != "-" && !c.Abandon {
		f, err := c.file()
		if err != nil {
			return err
		}
		defer f.Close()
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
	switch {
	case c.Abandon:
		return c.abandon(ctx, s, d)
	case c.SuggestMapping:
		return suggest(s, d, in)
	}
	return c.bring(ctx, s, d, in)
}

func (c importCmd) file() (*os.File, error) {
	f, err := os.Open(c.File)
	if err != nil {
		return nil, usage(fmt.Errorf("open the file: %w", err))
	}
	if about, err := f.Stat(); err != nil || about.IsDir() {
		return nil, errors.Join(usage(fmt.Errorf("%s is a directory; name a file", c.File)), f.Close())
	}
	return f, nil
}

func (c importCmd) bring(ctx context.Context, s streams, d *server.Deployment, in io.Reader) (err error) {
	o := record.ImportOptions{Region: c.DefaultRegion, DryRun: c.DryRun, Progress: progress(s.err, "importing")}
	if c.Mapping != "" {
		text, err := os.ReadFile(c.Mapping)
		if err != nil {
			return usage(fmt.Errorf("open the mapping: %w", err))
		}
		if o.Mapping, err = record.ParseMapping(text, d.Records.Schema()); err != nil {
			return usage(fmt.Errorf("mapping %s: %w", c.Mapping, err))
		}
	}
	if c.Rejects != "" {
		w, err := newRejects(c.Rejects)
		if err != nil {
			return usage(err)
		}
		defer func() { err = errors.Join(err, w.close()) }()
		o.Reject = w.add
	}
	sum, err := d.Import(ctx, in, o)
	return c.report(s, sum, err)
}

// rejects is the file of rows that were not taken.
type rejects struct {
	file *os.File
	csv  *csv.Writer
}

func newRejects(name string) (*rejects, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create the file of rejects: %w", err)
	}
	r := &rejects{f, csv.NewWriter(f)}
	return r, r.csv.Write([]string{"line", "column", "reason"})
}

func (r *rejects) add(reject *record.Reject) error {
	return r.csv.Write([]string{strconv.Itoa(reject.Line), reject.Column, reject.Problem})
}

func (r *rejects) close() error {
	r.csv.Flush()
	if err := errors.Join(r.csv.Error(), r.file.Close()); err != nil {
		return fmt.Errorf("write the file of rejects: %w", err)
	}
	return nil
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
	case errors.Is(err, record.ErrUnfinished):
		return coded{exitRefused, fmt.Errorf("%w: purser import --abandon", err)}
	case errors.Is(err, record.ErrOtherOptions):
		return coded{exitRefused, fmt.Errorf("%w: give those again, or give it up: purser import --abandon", err)}
	}
	if c.JSON {
		encoded := json.NewEncoder(s.out).Encode(map[string]any{
			"file": hex.EncodeToString(sum.File[:]), "read": sum.Read, "new": sum.New, "changed": sum.Changed, "same": sum.Same,
			"merged": sum.Merged, "rejected": sum.Rejected, "before": sum.Before, "already": sum.Already,
			"entries": sum.Entries, "dry_run": c.DryRun,
		})
		return errors.Join(err, encoded)
	}
	if c.Rejects == "" {
		for _, r := range sum.Rejects {
			fmt.Fprintln(s.err, r)
		}
	}
	fmt.Fprintf(s.out, "read %d = new %d + changed %d + same %d + merged %d + rejected %d; %d ledger entries\n",
		sum.Read, sum.New, sum.Changed, sum.Same, sum.Merged, sum.Rejected, sum.Entries)
	switch {
	case err != nil:
		return fmt.Errorf("%w; run the same command again to go on", err)
	case sum.Already:
		fmt.Fprintln(s.out, "this file was in already: nothing was changed")
	case c.DryRun:
		fmt.Fprintln(s.out, "dry run: nothing was written")
	case sum.Before > 0:
		fmt.Fprintf(s.out, "%d rows were done by an earlier run\n", sum.Before)
	}
	return nil
}

func (c importCmd) abandon(ctx context.Context, s streams, d *server.Deployment) error {
	sum, err := d.Abandon(ctx)
	if errors.Is(err, record.ErrNoImport) {
		return coded{exitRefused, errors.New("no import waits to go on")}
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "given up: %d rows of the file with SHA-256 %x; nobody of it is a customer\n", sum.Read, sum.File)
	return nil
}

// suggest prints a mapping for the file.
func suggest(s streams, d *server.Deployment, in io.Reader) error {
	text, err := record.SuggestMapping(in, d.Records.Schema())
	var file *record.FileError
	if errors.As(err, &file) {
		return usage(err)
	}
	if err != nil {
		return err
	}
	_, err = s.out.Write(text)
	return err
}
