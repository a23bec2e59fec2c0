package main

import (
	"context"
	"fmt"
	"os"

	"purser/internal/bench"
)

type benchCmd struct {
	Reveal benchRevealCmd `cmd:"" help:"Disclosures: many at once, alone, over HTTP."`
	Start  benchStartCmd  `cmd:"" help:"Starting on a long ledger."`
	Import benchImportCmd `cmd:"" help:"Bringing customers in: speed, storage, growth."`
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
	benchImportCmd struct {
		benchFlags
		Kill bool `help:"Instead: kill the import three times on the way, and hold the end against what was generated."`
	}
	benchGuardCmd struct{ benchFlags }
)

func (b benchRevealCmd) Run(ctx context.Context, s streams) error {
	return b.run(ctx, s, bench.Disclosures)
}

func (b benchStartCmd) Run(ctx context.Context, s streams) error { return b.run(ctx, s, bench.Start) }

func (b benchOracleCmd) Run(ctx context.Context, s streams) error { return b.run(ctx, s, bench.Oracle) }

func (b benchGuardCmd) Run(ctx context.Context, s streams) error { return b.run(ctx, s, bench.Guard) }

func (b benchImportCmd) Run(ctx context.Context, s streams) error {
	if !b.Kill {
		return b.run(ctx, s, bench.Import)
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	return bench.Kill(ctx, bench.Options{
		Quick: b.Quick, Dir: b.Dir, Progress: func(text string) { fmt.Fprintln(s.err, text) },
	}, program, s.out)
}

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
