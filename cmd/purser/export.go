package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"purser/internal/server"
)

type exportCmd struct {
	Ledger    exportLedgerCmd    `cmd:"" help:"Write the whole ledger to a folder that anybody can check."`
	Customers exportCustomersCmd `cmd:"" help:"Write the customers of a mandate, encrypted to its recipient."`
	Access    exportAccessCmd    `cmd:"" help:"Write what is held of one customer, for himself."`
}

type exportLedgerCmd struct {
	dataFlag
	Folder string `arg:"" type:"path" help:"An empty or missing folder."`
	JSON   bool   `name:"json" help:"Print one JSON object."`
}

// Help is printed below the flags.
func (exportLedgerCmd) Help() string {
	return `Runs while the server is stopped. The ledger holds no personal data: references and commitments only.`
}

func (c exportLedgerCmd) Run(ctx context.Context, s streams) (err error) {
	d, _, err := c.open(ctx, s, quiet(s), labelAllowed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	out, err := d.Export(ctx, c.Folder, entryProgress(s.err, "exporting"))
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(map[string]any{"folder": c.Folder, "entries": out.Size, "verifier_key": out.Verifier})
	}
	fmt.Fprintf(s.out, "%d entries in %s. Check them with\n  purser verify --key %s %s\n", out.Size, c.Folder, out.Verifier, c.Folder)
	return nil
}

type verifyCmd struct {
	Key    string `required:"" help:"The verifier key, kept since init."`
	Folder string `arg:"" type:"existingdir" help:"A folder that purser export ledger wrote."`
	JSON   bool   `name:"json" help:"Print one JSON object."`
}

// Help is printed below the flags.
func (verifyCmd) Help() string {
	return `Checks, without a database and without trusting whoever wrote the folder: the manifest's signature, every file's
length and hash, the checkpoint's signature, the sequence, form and times of all entries, the tree root over them, and
the snapshots against a replay. Exit code 0: all of it holds. 3: something does not, and the message says what.`
}

func (c verifyCmd) Run(ctx context.Context, s streams) error {
	report, err := server.VerifyDir(ctx, c.Folder, c.Key, entryProgress(s.err, "verifying"))
	if errors.Is(err, server.ErrVerifierKey) {
		return usage(err)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if c.JSON {
		out := map[string]any{"verified": err == nil, "origin": report.Origin, "entries": report.Size, "snapshots": report.Snapshots}
		if err != nil {
			out = map[string]any{"verified": false, "difference": err.Error()}
		}
		if encoded := json.NewEncoder(s.out).Encode(out); encoded != nil {
			return encoded
		}
	}
	if err != nil {
		return coded{exitDifference, fmt.Errorf("verification failed: %w", err)}
	}
	if !c.JSON {
		fmt.Fprintf(s.out, "verified: %d entries of %s, root %x, %d snapshots recomputed\n",
			report.Size, report.Origin, report.Root, len(report.Snapshots))
	}
	return nil
}
