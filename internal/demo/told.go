package demo

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"os"
	"time"

	"golang.org/x/mod/sumdb/note"

	"purser"
	"purser/proof"
)

// told is what the summary tells: what the ledger says, beside what the people
// of the demo counted themselves.
type told struct {
	counts
	report proof.Report
	took   time.Duration

	offered, bound       int
	opened, shown        int                   // disclosures and their fields
	refusedHonest        map[purser.Reason]int // of everybody but the thief
	refusedThief         map[purser.Reason]int
	thiefShown           int // fields
	thiefCustomers       map[purser.Ordinal]bool
	others, othersLocked int // after the lock: disclosures of others, and their refusals for a lock
}

// read takes the day's numbers out of the exported entries.
func (t *told) read(ctx context.Context, folder, key string) error {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return fmt.Errorf("read the verifier key: %w", err)
	}
	t.refusedHonest, t.refusedThief = map[purser.Reason]int{}, map[purser.Reason]int{}
	t.thiefCustomers = map[purser.Ordinal]bool{}
	r := &reader{told: t, stolen: purser.StampOf(t.stolenAt), begun: map[purser.Pos]bool{}}
	_, err = proof.VerifyFolder(ctx, os.DirFS(folder), verifier, proof.Options{Each: r.entry})
	if err != nil {
		return fmt.Errorf("read the exported ledger: %w", err)
	}
	return nil
}

// reader goes through the entries in order.
type reader struct {
	*told
	stolen purser.Stamp
	begun  map[purser.Pos]bool // attempts that were allowed and have no result yet
}

func (r *reader) entry(h purser.Header, e purser.Entry) error {
	switch e := e.(type) {
	case *purser.ContactEvent:
		if e.Event == purser.EventOffered {
			r.offered++
		}
	case *purser.Claim:
		r.refuse(h, e.Who, e.Reason, 1)
	case *purser.Attempt:
		r.refuse(h, e.Who, e.Reason, 1)
		r.begun[h.Pos] = e.Reason == purser.Allowed
	case *purser.AttemptResult:
		r.result(h, e)
	case *purser.CodeSent:
		r.refuse(h, e.Who, e.Reason, 1)
	case *purser.CodeTried:
		r.refuse(h, e.Who, e.Reason, 1)
	case *purser.BreakGlass:
		r.refuse(h, e.Who, e.Reason, 1)
	case *purser.BreakGlassApproved:
		r.refuse(h, e.Who, e.Reason, 1)
	case *purser.Disclosure:
		r.disclosure(h, e)
	case *purser.Refusals:
		r.refuse(h, e.Who, e.Reason, int(e.Count))
	}
	return nil
}

// result of an attempt that was refused at once says nothing more.
func (r *reader) result(h purser.Header, e *purser.AttemptResult) {
	if !r.begun[e.Attempt] {
		return
	}
	delete(r.begun, e.Attempt)
	r.refuse(h, e.Who, e.Reason, 1)
	if e.Reason == purser.Allowed && !e.Linked {
		r.bound++
	}
}

func (r *reader) thief(h purser.Header, who purser.Actor) bool {
	return who.Session == r.session && !who.Session.Zero() && h.Stamp >= r.stolen
}

func (r *reader) refuse(h purser.Header, who purser.Actor, why purser.Reason, n int) {
	switch {
	case why == purser.Allowed:
	case r.thief(h, who):
		r.refusedThief[why] += n
	default:
		r.refusedHonest[why] += n
		if why == purser.Locked {
			r.othersLocked += n
		}
	}
}

func (r *reader) disclosure(h purser.Header, e *purser.Disclosure) {
	r.refuse(h, e.Who, e.Reason, 1)
	if e.Reason != purser.Allowed {
		return
	}
	shown := bits.OnesCount64(uint64(e.Shown))
	if r.thief(h, e.Who) {
		r.thiefShown += shown
		r.thiefCustomers[e.Customer] = true
		return
	}
	r.opened++
	r.shown += shown
	if r.lock != 0 && h.Pos > r.lock {
		r.others++
	}
}

// complete reports whether the ledger has what people were answered.
func (t *told) complete() bool { return t.disclosures == t.opened && t.fields == t.shown }

// judge fails when the day showed something that must not be.
func (s *shift) judge(t told) error {
	var wrong []error
	expect := func(holds bool, what string) {
		if !holds {
			wrong = append(wrong, errors.New(what))
		}
	}
	expect(t.loot == 0 && t.seen == 0 && t.thiefShown == 0, "the stolen session was shown something")
	expect(t.lock != 0, "the stolen session was not locked")
	expect(t.othersLocked == 0, "somebody else was refused because of the lock")
	expect(t.complete(),
		fmt.Sprintf("%d disclosures of %d fields were answered, and the ledger has %d of %d",
			t.disclosures, t.fields, t.opened, t.shown))
	if faults := s.faulty(); len(faults) > 0 {
		wrong = append(wrong, fmt.Errorf("%d faults; the first: %w", len(faults), faults[0]))
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%w: %w", ErrUnexpected, errors.Join(wrong...))
	}
	return nil
}
