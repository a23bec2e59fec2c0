package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"purser/internal/server"
)

type attestCmd struct {
	Holdings attestHoldingsCmd `cmd:"" help:"Search everything held for what must not be, and sign what was found."`
}

type attestHoldingsCmd struct {
	dataFlag
	Mandate string  `required:"" help:"An investigation of every customer and every field: man_…"`
	Out     string  `type:"path" help:"A file for the signed statement; without it, standard output."`
	Against *uint64 `help:"How many customers there should be."`
	Scratch bool    `help:"Allow a labelled directory."`
	JSON    bool    `name:"json" help:"Print one JSON object."`
}

// Help is printed below the flags.
func (attestHoldingsCmd) Help() string {
	return `Searches every field, case and note inside the process for card numbers, passports, passwords and the like. The
statement gives counts by class, is signed by the key of the ledger's checkpoints, and its hash is an entry. Exit code 3:
something was found, or there are not as many customers as --against says.`
}

func (c attestHoldingsCmd) Run(ctx context.Context, s streams) error {
	id, err := mandateOf(c.Mandate)
	if err != nil {
		return usage(fmt.Errorf("the mandate is %w", err))
	}
	ask := server.AttestAsk{Mandate: id, Against: c.Against}
	var said server.HoldingsStatement
	work := operated{
		dataFlag: c.dataFlag, path: "/local/holdings", ask: ask, scratch: c.Scratch, show: progress(s.err, "searching"),
		offline: func(d *server.Deployment) server.Work { return d.Attest(ask) },
	}
	if c.Out != "" {
		err = whole(c.Out, func(w io.Writer) error { return work.run(ctx, s, w, &said) })
	} else {
		err = work.run(ctx, s, io.Discard, &said)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		err = json.NewEncoder(s.out).Encode(said)
	} else if c.Out == "" {
		_, err = io.WriteString(s.out, said.Note)
	} else {
		_, err = fmt.Fprintf(s.out, "%d customers, %d fields, %d texts: %d found; entry %d\n", said.Customers, said.Fields, said.Texts, said.Found, said.Entry)
	}
	switch {
	case err != nil:
		return err
	case said.Differs:
		return coded{exitDifference, fmt.Errorf("there are %d customers, not %d", said.Customers, *c.Against)}
	case said.Found > 0:
		return coded{exitDifference, errors.New("something is held that must not be; the statement says of which class")}
	}
	return nil
}
