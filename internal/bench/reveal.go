package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"purser"
	"purser/internal/gate"
)

// revealCallers is how many callers ask at once.
const revealCallers = 128

// revealSize shapes the runs.
type revealSize struct {
	site   siteSize
	rounds int
	round  time.Duration // of each side
	lone   int           // lone disclosures, and appends, of a round
}

func revealSizes(quick bool) revealSize {
	if quick {
		return revealSize{siteSize{4_000, revealCallers / 2, 4}, 5, 2 * time.Second, 500}
	}
	return revealSize{siteSize{100_000, revealCallers / 2, 12}, 7, 5 * time.Second, 2_000}
}

// Disclosures measures P1, P2 and P3: disclosures through gate, fold, policies,
// budgets, ledger, database and sealing, many at once and alone, and then over
// HTTP.
func Disclosures(ctx context.Context, o Options) ([]Result, error) {
	return reveal(ctx, o, revealSizes(o.Quick))
}

func reveal(ctx context.Context, o Options, size revealSize) (results []Result, err error) {
	err = o.scratch(func(dir string) error {
		results, err = revealIn(ctx, o, size, dir)
		return err
	})
	return results, err
}

func revealIn(ctx context.Context, o Options, size revealSize, dir string) (results []Result, err error) {
	o.say("making a scratch deployment of %d customers and %d agents", size.site.customers, 2*size.site.agents)
	r, err := newRevealer(ctx, dir, size.site)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	raw, err := openRawSQLite(dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, raw.close()) }()
	engine, err := r.engine(ctx, o, size, raw)
	if err != nil {
		return nil, err
	}
	lone, err := r.lone(ctx, o, size, dir)
	if err != nil {
		return nil, err
	}
	web, err := r.web(ctx, o, size)
	if err != nil {
		return nil, err
	}
	return []Result{engine, lone, web}, nil
}

// revealer asks for the same four fields of the callers of its desks.
type revealer struct {
	*site
	desks  []desk
	fields purser.FieldMask
}

func newRevealer(ctx context.Context, dir string, size siteSize) (*revealer, error) {
	s, err := newSite(ctx, dir, size)
	if err != nil {
		return nil, err
	}
	r := &revealer{site: s}
	if r.fields, err = s.mask(); err == nil {
		r.desks, err = s.openDesks(ctx)
	}
	if err == nil {
		err = s.verify(ctx, r.desks)
	}
	// The first disclosure in each contact is the one that budgets count.
	if err == nil {
		err = together(len(r.desks), func(i int) error { return r.disclose(ctx, r.desks[i]) })
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("prepare disclosures: %w", err), s.Close())
	}
	return r, nil
}

var errNotShown = errors.New("a disclosure did not show what was asked for")

// ask is one disclosure: each caller is one agent, who goes over his desks.
func (r *revealer) ask(ctx context.Context, caller, turn int) error {
	each := r.size.contacts
	return r.disclose(ctx, r.desks[caller*each+turn%each])
}

func (r *revealer) disclose(ctx context.Context, d desk) error {
	shown, err := r.Gate.Disclose(ctx, gate.Ask{
		Asker: d.agent.asker, Contact: d.contact, Fields: r.fields, Path: purser.PathDesk, Purpose: 1,
	})
	if err != nil {
		return err
	}
	if shown.Shown != r.fields {
		return errNotShown
	}
	return nil
}

// engine measures P1.
func (r *revealer) engine(ctx context.Context, o Options, size revealSize, raw *rawSQLite) (Result, error) {
	callers := min(revealCallers, 2*r.size.agents)
	var rounds Rounds
	var spread spread
	for round := range size.rounds {
		o.say("P1, round %d of %d", round+1, size.rounds)
		before := processorTime()
		reference, err := raw.rate(size.round)
		if err != nil {
			return Result{}, err
		}
		referenceCPU := (processorTime() - before).Seconds() / (reference * size.round.Seconds())
		if err := r.beat(ctx); err != nil {
			return Result{}, err
		}
		ours, err := drive(ctx, callers, size.round, r.ask)
		if err != nil {
			return Result{}, fmt.Errorf("disclose: %w", err)
		}
		rounds.Add(ours.rate, reference)
		spread.add(ours, referenceCPU)
	}
	what := fmt.Sprintf("disclosures of 4 fields, %d callers on %d verified contacts, not their first: session, contact, "+
		"policies, locks, budgets, entry and tree head synced, record (remembered since the first) unsealed; checkpoints and "+
		"snapshots run beside",
		callers, len(r.desks))
	out := rounds.Result("P1", what, "disclosures/s",
		"raw SQLite, the same driver and settings: an insert and an update a row, transactions of 128", 0.25, AtLeast)
	spread.complete(&out, 10)
	return out, nil
}

// lone measures P2.
func (r *revealer) lone(ctx context.Context, o Options, size revealSize, dir string) (Result, error) {
	var rounds Rounds
	for round := range size.rounds {
		o.say("P2, round %d of %d", round+1, size.rounds)
		reference, err := appendSync(dir, size.lone)
		if err != nil {
			return Result{}, err
		}
		if err := r.beat(ctx); err != nil {
			return Result{}, err
		}
		times := make([]float64, 0, size.lone)
		for turn := range size.lone {
			start := time.Now()
			if err := r.ask(ctx, 0, turn); err != nil {
				return Result{}, fmt.Errorf("disclose: %w", err)
			}
			times = append(times, time.Since(start).Seconds())
		}
		rounds.Add(1e6*percentile(times, 0.5), 1e6*reference)
	}
	return rounds.Result("P2", "one disclosure of 4 fields with nobody else asking, as in P1, median of a round", "µs",
		"append 256 bytes to a file and fdatasync, median of a round", 2.5, AtMost), nil
}
