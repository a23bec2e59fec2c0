package main

import (
	"bufio"
	"fmt"
	"io"
	"os"

	"purser/internal/synth"
)

type generateCmd struct {
	Customers int    `default:"1000" help:"How many customers."`
	Mix       string `default:"airline" help:"Which fields customers have: airline or case2025."`
	Seed      uint64 `default:"1" help:"The same seed makes the same customers."`
	Out       string `short:"o" default:"-" help:"The file to write; - is standard output."`
}

func (g generateCmd) Run(s streams) error {
	mix, err := synth.ParseMix(g.Mix)
	if err != nil {
		return usage(err)
	}
	if g.Customers < 0 || g.Customers > synth.MaxCustomers {
		return usage(fmt.Errorf("--customers: want 0 to %d", synth.MaxCustomers))
	}
	if g.Out == "-" {
		return write(s.out, g.Seed, mix, g.Customers)
	}
	f, err := os.OpenFile(g.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return usage(fmt.Errorf("create the output: %w", err))
	}
	if err := write(f, g.Seed, mix, g.Customers); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

func write(w io.Writer, seed uint64, mix synth.Mix, n int) error {
	b := bufio.NewWriterSize(w, 1<<16)
	if err := synth.WriteCSV(b, seed, mix, n); err != nil {
		return fmt.Errorf("write customers: %w", err)
	}
	return b.Flush()
}
