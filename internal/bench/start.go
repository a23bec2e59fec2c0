package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"purser"
	"purser/internal/fold"
	"purser/internal/ledger"
)

// startSize shapes a run of P9.
type startSize struct {
	site    siteSize
	entries purser.Pos
	every   purser.Pos // entries between snapshots; 0 is the default
	rounds  int
}

// startTarget is how long a start may take, in seconds.
const startTarget = 1

// snapshotEvery is how many entries lie between two snapshots unless a run
// says otherwise: what the ledger does by itself.
const snapshotEvery = 250_000

func startSizes(quick bool) startSize {
	size := startSize{siteSize{5_000, 250, 2}, 10_000_000, snapshotEvery, 7}
	if quick {
		size.site, size.entries, size.rounds = siteSize{2_000, 50, 2}, 1_000_000, 5
	}
	return size
}

// Start measures P9: from opening a long ledger to the first disclosure.
func Start(ctx context.Context, o Options) ([]Result, error) {
	return start(ctx, o, startSizes(o.Quick))
}

func start(ctx context.Context, o Options, size startSize) (results []Result, err error) {
	err = o.scratch(func(dir string) error {
		r, err := newRevealer(ctx, dir, size.site)
		if err != nil {
			return err
		}
		if err := r.Close(); err != nil {
			return err
		}
		if err := r.lengthen(ctx, o, size); err != nil {
			return fmt.Errorf("write a long ledger: %w", err)
		}
		result, err := r.starts(ctx, o, size)
		results = []Result{result}
		return err
	})
	return results, err
}

// spare is more entries than the measured starts add by themselves.
const spare = 90

// writers is how many proposals wait at once while a ledger is written.
const writers = 256

// lengthen adds disclosures of the contacts of the closed site up to the wanted
// length, then as many as a start may have to fold since the last snapshot:
// just short of the next one is the worst moment to stop.
func (r *revealer) lengthen(ctx context.Context, o Options, size startSize) error {
	r.config.SnapshotEvery = size.every
	begun := time.Now()
	if err := r.grow(ctx, func(purser.Pos) purser.Pos { return size.entries }); err != nil {
		return err
	}
	o.say("P9, wrote %d entries at %.0f a second", size.entries, float64(size.entries)/time.Since(begun).Seconds())
	// A snapshot that was being made when the site closed is made anew, and
	// then there is one more to stop short of.
	for {
		short := false
		err := r.grow(ctx, func(used purser.Pos) purser.Pos {
			end := used + size.every - max(size.every/100, spare)
			short = r.Status().Size < end
			return max(end, r.Status().Size+1)
		})
		if err != nil || short {
			return err
		}
	}
}

// grow opens the closed site and proposes disclosures, as the gate makes them,
// until its ledger is as long as upTo says, which gets the size of the snapshot
// that the start used. Closing the site signs them.
func (r *revealer) grow(ctx context.Context, upTo func(used purser.Pos) purser.Pos) (err error) {
	var folded purser.Pos
	if err := r.reopen(ctx, func(_, total purser.Pos) { folded = total }); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	entries, err := r.disclosures(ctx, r.Ledger())
	if err != nil {
		return err
	}
	size := r.Status().Size
	return extend(ctx, r.Ledger(), entries, upTo(size-min(folded, size)))
}

// disclosures are entries as the gate makes them of a later disclosure, one a
// contact.
func (r *revealer) disclosures(ctx context.Context, log *ledger.Log[*fold.State]) ([]purser.Disclosure, error) {
	var all []purser.Disclosure
	err := log.Look(ctx, func(s *fold.State, at purser.Stamp) error {
		for _, d := range r.desks {
			c, _ := s.Contacts().Contact(d.contact, at)
			session, why := s.Standing().Live(d.agent.asker.Session, at)
			if why != purser.Allowed || c.Customer == 0 {
				return fmt.Errorf("contact %v is gone", d.contact)
			}
			all = append(all, purser.Disclosure{
				Who: session.Who, Contact: d.contact, Customer: c.Customer, Asked: r.fields, Shown: r.fields,
				Assurance: c.Assurance, Path: purser.PathDesk, Purpose: 1,
			})
		}
		return nil
	})
	return all, err
}

// extend proposes entries over and over until the ledger has size entries, and
// those that it makes by itself.
func extend(ctx context.Context, log *ledger.Log[*fold.State], entries []purser.Disclosure, size purser.Pos) error {
	ended := make([]error, writers)
	var running sync.WaitGroup
	var turns atomic.Int64
	missing := int64(size) - int64(log.Size())
	for w := range writers {
		running.Go(func() {
			for ended[w] == nil {
				turn := turns.Add(1)
				if turn > missing {
					return
				}
				e := &entries[turn%int64(len(entries))]
				decide := func(*fold.State, purser.Stamp) purser.Entry { return e }
				_, ended[w] = log.Propose(ctx, e.Who.Vendor, decide)
			}
		})
	}
	running.Wait()
	return errors.Join(ended...)
}

// starts times openings.
func (r *revealer) starts(ctx context.Context, o Options, size startSize) (Result, error) {
	var rounds Rounds
	var tails, opens []float64
	var length purser.Pos
	for round := range size.rounds {
		o.say("P9, round %d of %d", round+1, size.rounds)
		var tail purser.Pos
		begun := time.Now()
		if err := r.reopen(ctx, func(_, total purser.Pos) { tail = total }); err != nil {
			return Result{}, err
		}
		opens = append(opens, time.Since(begun).Seconds())
		err := r.beat(ctx)
		if err == nil {
			err = r.disclose(ctx, r.desks[0])
		}
		rounds.Add(startTarget, time.Since(begun).Seconds())
		length = r.Status().Size
		if err = errors.Join(err, r.Close()); err != nil {
			return Result{}, fmt.Errorf("first disclosure: %w", err)
		}
		tails = append(tails, float64(tail))
	}
	what := fmt.Sprintf("from opening a ledger of %d entries of %d sessions to the first disclosure: keyset without a passphrase, "+
		"database, snapshot, folding and checking what came after it (nearly as much as can), start entry, live contacts reported again; files cached",
		length, 2*size.site.agents)
	return inverted(rounds.Result("P9", what, "s", "the target", 1, AtLeast), map[string]float64{
		"folded_entries": median(tails), "open_s": median(opens),
	}), nil
}

// inverted swaps ours and the reference of a result whose ratio is the
// reference over ours, so that more is better there too.
func inverted(r Result, more map[string]float64) Result {
	r.Ours, r.Reference.Value, r.More = r.Reference.Value, r.Ours, more
	return r
}
