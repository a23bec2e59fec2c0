package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"purser"
	"purser/internal/deliver"
	"purser/internal/server"
)

type exportCustomersCmd struct {
	dataFlag
	Mandate string `required:"" help:"The mandate that two people agreed on: man_…"`
	Out     string `required:"" type:"path" help:"The file to write; it is encrypted to the mandate's recipient."`
	Format  string `default:"csv" enum:"csv,jsonl" help:"csv or jsonl."`
	Scratch bool   `help:"Allow a labelled directory."`
	JSON    bool   `name:"json" help:"Print one JSON object."`
}

// Help is printed below the flags.
func (exportCustomersCmd) Help() string {
	return `Writes the fields and customers that the mandate names, batch by batch, each an entry of the ledger. Nothing readable
touches the disk: age decrypts the file with the recipient's key alone. Runs on a running server or a stopped one. When it
is stopped halfway nothing is left of the file; run it again. OUT.json says what the file holds.`
}

func (c exportCustomersCmd) Run(ctx context.Context, s streams) error {
	id, err := mandateOf(c.Mandate)
	if err != nil {
		return usage(fmt.Errorf("the mandate is %w", err))
	}
	ask := server.ExportAsk{Mandate: id, Format: deliver.FileForm(c.Format)}
	var said server.ExportStatement
	work := operated{
		dataFlag: c.dataFlag, path: "/local/exports", ask: ask, scratch: c.Scratch, show: progress(s.err, "exporting"),
		offline: func(d *server.Deployment) server.Work { return d.ExportCustomers(ask) },
	}
	err = whole(c.Out, func(w io.Writer) error { return work.run(ctx, s, w, &said) })
	if err == nil {
		err = beside(c.Out, said)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(said)
	}
	fmt.Fprintf(s.out, "%d customers in %s, for %s alone; delete it by %s\n",
		said.Customers, c.Out, said.Recipient, said.DeleteBy.Format("2006-01-02 15:04 MST"))
	return nil
}

type exportAccessCmd struct {
	dataFlag
	Mandate string `required:"" help:"The subject-access mandate that two people agreed on: man_…"`
	Out     string `required:"" type:"path" help:"The file to write; it is encrypted to the mandate's recipient."`
	Format  string `default:"pdf" enum:"pdf,json" help:"pdf or json."`
	Scratch bool   `help:"Allow a labelled directory."`
	JSON    bool   `name:"json" help:"Print one JSON object."`
}

// Help is printed below the flags.
func (exportAccessCmd) Help() string {
	return `Writes what is held of the mandate's customer and every disclosure of it, for the customer himself. It names vendors
and numbers their people; nobody who works here is named. It reads the whole ledger. OUT.json says what the file is.`
}

func (c exportAccessCmd) Run(ctx context.Context, s streams) error {
	id, err := mandateOf(c.Mandate)
	if err != nil {
		return usage(fmt.Errorf("the mandate is %w", err))
	}
	ask := server.AccessAsk{Mandate: id, Format: deliver.ReportForm(c.Format)}
	var said server.AccessStatement
	work := operated{
		dataFlag: c.dataFlag, path: "/local/access", ask: ask, scratch: c.Scratch, show: progress(s.err, "reading the ledger"),
		offline: func(d *server.Deployment) server.Work { return d.AccessReport(ask) },
	}
	err = whole(c.Out, func(w io.Writer) error { return work.run(ctx, s, w, &said) })
	if err == nil {
		err = beside(c.Out, said)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(said)
	}
	fmt.Fprintf(s.out, "%d fields and %d events in %s, for %s alone; delete it by %s\n",
		said.Fields, said.Events, c.Out, said.Recipient, said.DeleteBy.Format("2006-01-02 15:04 MST"))
	return nil
}

// mandateOf reads the identifier of a mandate.
func mandateOf(text string) (id purser.MandateID, err error) {
	if err := id.UnmarshalText([]byte(text)); err != nil || id.Zero() {
		return id, fmt.Errorf("%w: want man_ and 26 characters", purser.ErrBadID)
	}
	return id, nil
}
