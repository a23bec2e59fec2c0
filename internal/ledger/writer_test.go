package ledger_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/mod/sumdb/note"

	"purser"
	"purser/internal/ledger"
	"purser/proof"
)

// hold keeps the writer inside one decision until release is called, so that
// what is proposed meanwhile makes one batch.
func hold(t *testing.T, log *ledger.Log[*tally]) (release func()) {
	t.Helper()
	inside, free, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		_, err := log.Propose(context.Background(), purser.VendorID{9}, func(*tally, purser.Stamp) purser.Entry {
			close(inside)
			<-free
			return nil
		})
		ended <- err
	}()
	<-inside
	return func() {
		close(free)
		if err := <-ended; err != nil {
			t.Errorf("held proposal: %v", err)
		}
	}
}

// queue proposes without waiting for the answer.
func queue(t *testing.T, log *ledger.Log[*tally], lane purser.VendorID, e purser.Entry) {
	t.Helper()
	_, err := log.Propose(queuedOnly{t.Context()}, lane, func(*tally, purser.Stamp) purser.Entry { return e })
	if err != nil {
		t.Fatalf("queue: %v", err)
	}
}

// inBackground starts a proposal and returns once it is queued.
func inBackground(t *testing.T, propose func(context.Context) error) <-chan error {
	t.Helper()
	ended := make(chan error, 1)
	ctx := tellingContext{Context: t.Context(), queued: make(chan struct{}, 8)}
	go func() { ended <- propose(ctx) }()
	<-ctx.queued
	return ended
}

// tellingContext tells when it is waited for, which is after the queueing.
type tellingContext struct {
	context.Context
	queued chan struct{}
}

func (c tellingContext) Done() <-chan struct{} {
	c.queued <- struct{}{}
	return c.Context.Done()
}

func kinds(t *testing.T, store ledger.Store, from, to purser.Pos) (all []purser.Entry) {
	t.Helper()
	for s, err := range store.Entries(t.Context(), from, to) {
		if err != nil {
			t.Fatalf("entries: %v", err)
		}
		_, e, err := purser.ParseEntry(s.Bytes)
		if err != nil {
			t.Fatalf("entry %d: %v", s.Pos, err)
		}
		all = append(all, e)
	}
	return all
}

func TestEveryLaneHasItsTurn(t *testing.T) {
	store := openStore(t, t.TempDir())
	log := openLog(t, configOf(store, newClock()))
	release := hold(t, log)
	for range 1000 {
		queue(t, log, purser.VendorID{1}, &purser.Finding{What: 1})
	}
	for range 3 {
		queue(t, log, purser.VendorID{2}, &purser.Finding{What: 2})
	}
	release()
	mustClose(t, log)
	var at []int
	for i, e := range kinds(t, store, 1, log.Size()) {
		if e.(*purser.Finding).What == 2 {
			at = append(at, i)
		}
	}
	if len(at) != 3 || at[2] > 6 {
		t.Fatalf("the small lane's entries: got places %v, want three within the first seven", at)
	}
}

func TestCancellingAfterQueueingUndoesNothing(t *testing.T) {
	log := openLog(t, configOf(openStore(t, t.TempDir()), newClock()))
	release := hold(t, log)
	queue(t, log, purser.VendorID{}, &purser.Finding{})
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := log.Propose(cancelled, purser.VendorID{}, disclose(actor(1), 1))
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("propose with a cancelled context: got %v", err)
	}
	release()
	mustClose(t, log)
	if log.Size() != 2 {
		t.Fatalf("entries: got %d, want the start and the queued one", log.Size())
	}
}

func TestTooManyWaitingAreRefused(t *testing.T) {
	log := openLog(t, configOf(openStore(t, t.TempDir()), newClock()))
	release := hold(t, log)
	n := 0
	for {
		_, err := log.Propose(queuedOnly{t.Context()}, purser.VendorID{1}, func(*tally, purser.Stamp) purser.Entry { return nil })
		if errors.Is(err, ledger.ErrOverloaded) {
			break
		}
		if n++; n > 100_000 {
			t.Fatal("the queue has no bound")
		}
	}
	if _, err := log.Propose(queuedOnly{t.Context()}, purser.VendorID{2}, disclose(actor(1), 1)); err != nil {
		t.Fatalf("another lane: %v", err)
	}
	release()
	mustClose(t, log)
}

func TestOneBadProposalHurtsNobodyElse(t *testing.T) {
	cause := errors.New("no such person")
	for _, c := range []struct {
		name   string
		decide func(*tally, purser.Stamp) purser.Entry
		rows   func(ledger.Tx, purser.Pos, purser.Entry) error
		want   string
	}{
		{"panic in the decision", func(s *tally, _ purser.Stamp) purser.Entry {
			s.top.entries = 1 << 40 // half-done work
			panic("secret value")
		}, nil, "stopped by a panic (string) at writer_test.go"},
		{"impossible entry", func(s *tally, _ purser.Stamp) purser.Entry {
			s.top.shown[8] = budget
			return &purser.Disclosure{Customer: 8}
		}, nil, "budget overdrawn"},
		{"entry that is too long", func(*tally, purser.Stamp) purser.Entry {
			return &purser.Start{Software: strings.Repeat("x", 70_000)}
		}, nil, "encode entry"},
		{"rows that fail", disclose(actor(7), 8), func(ledger.Tx, purser.Pos, purser.Entry) error { return cause }, "no such person"},
		{"panic in the rows", disclose(actor(7), 8), func(ledger.Tx, purser.Pos, purser.Entry) error { panic("secret value") }, "stopped by a panic"},
	} {
		t.Run(c.name, func(t *testing.T) {
			store := openStore(t, t.TempDir())
			log := openLog(t, configOf(store, newClock()))
			release := hold(t, log)
			queue(t, log, purser.VendorID{1}, &purser.Disclosure{Customer: 1})
			failed := inBackground(t, func(ctx context.Context) error {
				_, err := log.ProposeRows(ctx, purser.VendorID{2}, c.decide, c.rows)
				return err
			})
			queue(t, log, purser.VendorID{3}, &purser.Disclosure{Customer: 3})
			release()
			err := <-failed
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
				t.Fatalf("bad proposal: got %v, want %q", err, c.want)
			}
			mustClose(t, log)
			var customers []purser.Ordinal
			for _, e := range kinds(t, store, 1, log.Size()) {
				customers = append(customers, e.(*purser.Disclosure).Customer)
			}
			if len(customers) != 2 || customers[0] != 1 || customers[1] != 3 {
				t.Fatalf("entries of the others: got customers %v, want [1 3]", customers)
			}
			again := openLog(t, configOf(store, newClock()))
			mustClose(t, again)
		})
	}
}

func TestRowsRunBesideRefusals(t *testing.T) {
	log := openLog(t, configOf(openStore(t, t.TempDir()), newClock()))
	var at []purser.Pos
	rows := func(_ ledger.Tx, pos purser.Pos, e purser.Entry) error {
		if e.Kind() == purser.KindDisclosure {
			at = append(at, pos)
		}
		return nil
	}
	for range budget + 1 {
		if _, err := log.ProposeRows(t.Context(), purser.VendorID{}, disclose(actor(1), 1), rows); err != nil {
			t.Fatalf("propose: %v", err)
		}
	}
	if len(at) != budget+1 || at[budget] != budget+1 {
		t.Fatalf("rows ran at %v, want 1 to %d", at, budget+1)
	}
	mustClose(t, log)
}

func TestEqualRefusalsBecomeACount(t *testing.T) {
	refuse := func(*tally, purser.Stamp) purser.Entry {
		return &purser.Disclosure{Who: actor(1), Customer: 4, Reason: purser.NotClaimed}
	}
	for _, c := range []struct {
		name string
		end  func(*testing.T, *ledger.Log[*tally], *handClock)
	}{
		{"when the minute is over", func(t *testing.T, log *ledger.Log[*tally], clock *handClock) {
			clock.pass(time.Minute)
			if _, err := log.Propose(t.Context(), purser.VendorID{}, disclose(actor(2), 1)); err != nil {
				t.Fatalf("propose: %v", err)
			}
		}},
		{"when the log is closed", func(t *testing.T, log *ledger.Log[*tally], _ *handClock) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			clock := newClock()
			store := openStore(t, t.TempDir())
			log := openLog(t, configOf(store, clock))
			for i := range 100 {
				r, err := log.Propose(t.Context(), purser.VendorID{}, refuse)
				if err != nil || r.Refusal() == nil {
					t.Fatalf("refusal %d: got %v, error %v", i, r.Refusal(), err)
				}
				if want := purser.Pos(min(i+1, 20)); r.Refusal().At != want || r.Recorded() != (i < 20) {
					t.Fatalf("refusal %d: got at %d, recorded %v, want at %d", i, r.Refusal().At, r.Recorded(), want)
				}
			}
			c.end(t, log, clock)
			mustClose(t, log)
			all := kinds(t, store, 21, log.Size())
			count, ok := all[0].(*purser.Refusals)
			if !ok || count.Count != 80 || count.Who != actor(1) || count.Of != purser.KindDisclosure || count.Reason != purser.NotClaimed {
				t.Fatalf("entry 21: got %+v, want a count of 80", all[0])
			}
		})
	}
}

// A counted refusal whose twenty entries wait in the same batch points at one
// of them, also when that batch is decided twice.
func TestRefusalsInOneBatch(t *testing.T) {
	log := openLog(t, configOf(openStore(t, t.TempDir()), newClock()))
	release := hold(t, log)
	for range 30 {
		queue(t, log, purser.VendorID{}, &purser.Disclosure{Who: actor(1), Reason: purser.NotClaimed})
	}
	failed := inBackground(t, func(ctx context.Context) error {
		_, err := log.Propose(ctx, purser.VendorID{}, func(*tally, purser.Stamp) purser.Entry { panic("once") })
		return err
	})
	release()
	if err := <-failed; err == nil {
		t.Fatal("panic: got no error")
	}
	mustClose(t, log)
	_ = log.Look(t.Context(), func(s *tally, _ purser.Stamp) error {
		if s.base.counted != 10 || s.base.entries != 22 {
			t.Errorf("counted: got %d in %d entries, want 10 in 22", s.base.counted, s.base.entries)
		}
		return nil
	})
}

func TestCheckpointsAreSignedAndCoverTheEnd(t *testing.T) {
	secret, public, err := note.GenerateKey(nil, "test")
	if err != nil {
		t.Fatalf("key: %v", err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatalf("signer: %v", err)
	}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		t.Fatalf("verifier: %v", err)
	}
	cfg := configOf(openStore(t, t.TempDir()), newClock())
	cfg.Signer, cfg.Verifier, cfg.Origin = signer, verifier, "example.com/ledger"
	log := openLog(t, cfg)
	for range 20 {
		if _, err := log.Propose(t.Context(), purser.VendorID{}, disclose(actor(1), 1)); err != nil {
			t.Fatalf("propose: %v", err)
		}
	}
	mustClose(t, log)
	signed, size := log.Checkpoint()
	c, err := proof.OpenCheckpoint(signed, verifier)
	if err != nil || c.Size != log.Size() || size != c.Size || c.Root != log.Root() || c.Origin != cfg.Origin {
		t.Fatalf("checkpoint: got %+v, error %v, want size %d", c, err, log.Size())
	}
	again := openLog(t, cfg)
	if _, kept := again.Checkpoint(); kept != size {
		t.Fatalf("checkpoint after a restart: got size %d, want %d", kept, size)
	}
	mustClose(t, again)
}

func TestNothingRunsAfterClose(t *testing.T) {
	before := goleak.IgnoreCurrent()
	store := openStore(t, t.TempDir())
	secret, _, err := note.GenerateKey(nil, "test")
	if err != nil {
		t.Fatalf("key: %v", err)
	}
	cfg := configOf(store, newClock())
	if cfg.Signer, err = note.NewSigner(secret); err != nil {
		t.Fatalf("signer: %v", err)
	}
	cfg.Origin, cfg.SnapshotEvery = "example.com/ledger", 5
	log := openLog(t, cfg)
	for range 40 {
		if _, err := log.Propose(t.Context(), purser.VendorID{}, disclose(actor(1), 1)); err != nil {
			t.Fatalf("propose: %v", err)
		}
	}
	mustClose(t, log)
	mustClose(t, log) // closing twice is nothing
	if _, err := log.Propose(t.Context(), purser.VendorID{}, disclose(actor(1), 1)); !errors.Is(err, ledger.ErrStopped) {
		t.Fatalf("propose after close: got %v, want ErrStopped", err)
	}
	if err := store.Close(); err != nil {
		t.Fatalf("close store: %v", err)
	}
	goleak.VerifyNone(t, before)
}
