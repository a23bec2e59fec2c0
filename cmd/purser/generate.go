package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"purser/internal/synth"
)

type generateCmd struct {
	Customers int    `default:"1000" help:"How many customers."`
	Rows      int    `help:"Instead: how many rows, of which every twentieth is about an earlier customer."`
	Mix       string `default:"airline" help:"Which fields customers have: airline or case2025."`
	Seed      uint64 `default:"1" help:"The same seed makes the same customers."`
	Out       string `short:"o" default:"-" help:"The file to write; - is standard output."`
	Truth     string `help:"A new file for what is in those rows once rows about one person are merged, as JSON."`
}

func (g generateCmd) Run(s streams) error {
	mix, err := synth.ParseMix(g.Mix)
	if err != nil {
		return usage(err)
	}
	if max(g.Customers, g.Rows) > synth.MaxCustomers || min(g.Customers, g.Rows) < 0 {
		return usage(fmt.Errorf("--customers and --rows: want 0 to %d", synth.MaxCustomers))
	}
	if g.Truth != "" && g.Rows == 0 {
		return usage(fmt.Errorf("--truth: say --rows"))
	}
	if g.Out == "-" {
		return g.write(s.out, mix)
	}
	return create(g.Out, func(w io.Writer) error { return g.write(w, mix) })
}

// create writes a file that is not there yet, for its owner alone.
func create(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return usage(fmt.Errorf("create the output: %w", err))
	}
	if err := write(f); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

func (g generateCmd) write(w io.Writer, mix synth.Mix) error {
	b := bufio.NewWriterSize(w, 1<<16)
	if g.Rows == 0 {
		if err := synth.WriteCSV(b, g.Seed, mix, g.Customers); err != nil {
			return fmt.Errorf("write customers: %w", err)
		}
		return b.Flush()
	}
	truth, err := synth.WriteRows(b, g.Seed, mix, g.Rows)
	if err == nil {
		err = b.Flush()
	}
	if err != nil || g.Truth == "" {
		return err
	}
	combinations := map[string]int{}
	for fields, n := range truth.Combinations {
		combinations[fields.String()] = n
	}
	return create(g.Truth, func(w io.Writer) error {
		return json.NewEncoder(w).Encode(map[string]any{
			"rows": g.Rows, "customers": truth.Customers, "other_scripts": truth.OtherScripts, "combinations": combinations,
		})
	})
}
