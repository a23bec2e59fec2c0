package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"purser/internal/server"
)

type restoreCmd struct {
	dataFlag
	Records    string `required:"" type:"existingfile" help:"The backup's file of records."`
	Keys       string `required:"" type:"existingfile" help:"Its file of wrapped keys."`
	Keyset     string `required:"" type:"existingfile" help:"The keyset file."`
	Ledger     string `type:"existingdir" help:"The ledger as it went on after the backup: a folder that purser export ledger wrote."`
	LedgerLost bool   `help:"There is no later ledger. What was erased after the backup comes back."`
	JSON       bool   `name:"json" help:"Print one JSON object."`
}

// Help is printed below the flags.
func (restoreCmd) Help() string {
	return `Makes --data, an empty or missing directory (a purser.yaml may be there). The later ledger is verified, must continue
that of the backup, and is appended as it is; every erasure in it is applied before anything is served.

Without it, say --ledger-lost, and know: customers who were erased after the backup are back, and so is what ran out;
locks, suspensions and holds from after it are gone; disclosures after it can be proved by nobody. The ledger goes on
under another origin and another key, since what was signed after the backup is of the ledger that was.`
}

func (c restoreCmd) Run(ctx context.Context, s streams) error {
	config, _, err := c.config(s, quiet(s), labelAllowed)
	if err != nil {
		return err
	}
	defer clear(config.Passphrase)
	out, err := server.Restore(ctx, server.RestoreConfig{
		Config: config, Records: c.Records, Keys: c.Keys, Keyset: c.Keyset, Ledger: c.Ledger, Lost: c.LedgerLost,
		Tell: entryProgress(s.err, "verifying the ledger"),
	})
	switch {
	case errors.Is(err, server.ErrNoLedger):
		return coded{exitRefused, fmt.Errorf("%w; say --ledger FOLDER, or --ledger-lost and read what that means: purser restore --help", err)}
	case errors.Is(err, server.ErrNotEmpty):
		return usage(err)
	case errors.Is(err, server.ErrBadProof), errors.Is(err, server.ErrOtherBackup), errors.Is(err, server.ErrKeyFile):
		return coded{exitDifference, err}
	case err != nil:
		return err
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(map[string]any{
			"rows": out.Rows, "entries": out.Size, "erased": out.Erased, "expired": out.Expired, "lost": out.Lost, "verifier_key": out.Verifier,
		})
	}
	fmt.Fprintf(s.out, "records as of entry %d, ledger of %d entries\n%d customers who were erased after the backup are erased again, of %d others fields ran out\n",
		out.Rows, out.Size, out.Erased, out.Expired)
	for _, l := range out.Lost {
		fmt.Fprintf(s.out, "not in the backup: %s (%d entries, the first is %d)\n", l.What, l.Entries, l.First)
	}
	if c.LedgerLost {
		fmt.Fprintf(s.out, "\nThe ledger after the backup is lost: customers who were erased after it may be back. Erase them again.\nThe ledger goes on under another name. Its verifier key, to be kept with the one before:\n  %s\n", out.Verifier)
	}
	return nil
}
