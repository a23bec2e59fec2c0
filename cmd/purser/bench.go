package main

import (
	"context"
	"fmt"

	"purser/internal/bench"
)

type benchCmd struct {
	Reveal benchRevealCmd `cmd:"" help:"Disclosures: many at once, alone, over HTTP."`
	Start  benchStartCmd  `cmd:"" help:"Starting on a long ledger."`
	Oracle benchOracleCmd `cmd:"" help:"Whether the time of an answer tells what it must not tell."`
	Guard  benchGuardCmd  `cmd:"" help:"What the search for forbidden data finds, refuses wrongly and costs."`
}

// benchFlags are those of every benchmark.
type benchFlags struct {
	JSON  bool   `name:"json" help:"Print one JSON object a line."`
	Quick bool   `help:"The small form, with the same ratios."`
	Dir   string `type:"existingdir" help:"Where to make the scratch directory: the disk that counts. Default: the system's temporary directory."`
}

type (
	benchRevealCmd struct{ benchFlags }
	benchStartCmd  struct{ benchFlags }
	benchOracleCmd struct{ benchFlags }
	benchGuardCmd  struct{ benchFlags }
)

func (b benchRevealCmd) Run(ctx context.Context, s streams) error {
	return b.run(ctx, s, bench.Disclosures)
}

func (b benchStartCmd) Run(ctx context.Context, s streams) error { return b.run(ctx, s, bench.Start) }

func (b benchOracleCmd) Run(ctx context.Context, s streams) error { return b.run(ctx, s, bench.Oracle) }

func (b benchGuardCmd) Run(ctx context.Context, s streams) error { return b.run(ctx, s, bench.Guard) }

func (f benchFlags) run(ctx context.Context, s streams, run bench.Run) error {
	results, err := run(ctx, bench.Options{
		Quick: f.Quick, Dir: f.Dir,
		Progress: func(text string) { fmt.Fprintln(s.err, text) },
	})
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	if f.JSON {
		return bench.WriteJSON(s.out, results)
	}
	return bench.WriteTable(s.out, results)
}
