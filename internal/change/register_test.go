package change_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"sync"
	"testing"
	"time"

	"purser"
	"purser/internal/change"
	"purser/internal/fold"
	"purser/internal/ledger"
	"purser/proof"
)

// memory is a ledger.Store without a disk.
type memory struct {
	mu      sync.Mutex
	head    ledger.Head
	entries [][]byte
	full    int // appends that find no room
}

type transaction struct{}

func (transaction) LedgerTx() {}

func (m *memory) Head(context.Context) (ledger.Head, error) { return m.head, nil }

func (m *memory) Entries(_ context.Context, from, to purser.Pos) iter.Seq2[ledger.Stored, error] {
	return func(yield func(ledger.Stored, error) bool) {
		for pos := from; pos < to; pos++ {
			if !yield(ledger.Stored{Pos: pos, Bytes: m.entries[pos]}, nil) {
				return
			}
		}
	}
}

func (m *memory) Append(_ context.Context, b *ledger.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.full > 0 {
		m.full--
		return fmt.Errorf("append: %w", ledger.ErrNothingWritten)
	}
	for _, row := range b.Rows {
		if err := row.Write(transaction{}); err != nil {
			return &ledger.RowError{Index: row.Index, Err: err}
		}
	}
	for _, e := range b.Entries {
		m.entries = append(m.entries, bytes.Clone(e))
	}
	m.head = b.After
	return nil
}

func (*memory) PutSnapshot(context.Context, ledger.Snapshot) error { return nil }
func (*memory) Snapshots(context.Context) iter.Seq2[ledger.Snapshot, error] {
	return func(func(ledger.Snapshot, error) bool) {}
}
func (*memory) PutCheckpoint(context.Context, purser.Pos, []byte) error { return nil }
func (*memory) LatestCheckpoint(context.Context) (purser.Pos, []byte, error) {
	return 0, nil, nil
}

// hands is a clock that the test moves.
type hands struct {
	mu  sync.Mutex
	now time.Duration
}

func (c *hands) Wall() time.Time     { return time.UnixMicro(int64(start)).Add(c.Mono()) }
func (c *hands) Mono() time.Duration { c.mu.Lock(); defer c.mu.Unlock(); return c.now }
func (c *hands) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now += d
}

// told collects notices.
type told struct{ all []change.Notice }

func (n *told) Notify(_ context.Context, notice change.Notice) { n.all = append(n.all, notice) }

type desk struct {
	*change.Register
	log   *change.Log
	clock *hands
	told  *told
	store *memory
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{clock: &hands{}, told: &told{}, store: &memory{head: ledger.Head{Root: (&proof.Frontier{}).Root()}}}
	log, err := ledger.Open(t.Context(), ledger.Config[*fold.State]{
		Store: d.store, New: fold.New, Clock: d.clock, FoldVersion: fold.Version,
	})
	if err != nil {
		t.Fatalf("open ledger: %v", err)
	}
	t.Cleanup(func() {
		if err := log.Close(); err != nil {
			t.Errorf("close ledger: %v", err)
		}
	})
	d.log = log
	d.Register = change.New(log, d.told, rand.Reader)
	d.record(t, &purser.VendorSet{Vendor: vendor, Status: purser.StatusActive})
	d.record(t, &purser.SourceSet{Source: source, Vendor: vendor, Secret: purser.Commitment{1}, Status: purser.StatusActive})
	for who := sec1; who <= people; who++ {
		d.record(t, set(who, rolesOf(who), purser.StatusActive))
		d.record(t, &purser.AuthenticatorSet{
			Authenticator: purser.AuthenticatorID{who}, Person: person(who), Credential: purser.Commitment{who}, Status: purser.StatusActive,
		})
		d.record(t, &purser.SessionOpened{
			Who:           purser.Actor{Session: session(who), Person: person(who), Vendor: vendor},
			Authenticator: purser.AuthenticatorID{who}, Level: purser.LevelOffice, Expires: start + fold.SessionLife,
		})
	}
	return d
}

func (d *desk) record(t *testing.T, e purser.Entry) {
	t.Helper()
	if _, err := d.log.Propose(t.Context(), purser.VendorID{}, func(*fold.State, purser.Stamp) purser.Entry { return e }); err != nil {
		t.Fatalf("record %T: %v", e, err)
	}
}

// propose sets what loosens, and returns the change it became.
func (d *desk) propose(
	ctx context.Context, session purser.SessionID, as purser.Role, inner purser.Entry, rows change.Rows,
) (purser.ChangeID, error) {
	got, err := d.Set(ctx, session, as, change.Exactly(inner), rows)
	return got.Change, err
}

// kindOf returns the kind of the entry at a position.
func (d *desk) kindOf(t *testing.T, at purser.Pos) purser.Kind {
	t.Helper()
	h, _, err := purser.ParseEntry(d.store.entries[at])
	if err != nil {
		t.Fatalf("entry %d: %v", at, err)
	}
	return h.Kind
}

func (d *desk) inForce(t *testing.T) bool {
	t.Helper()
	var who purser.PersonID
	if err := d.log.Look(t.Context(), func(s *fold.State, _ purser.Stamp) error {
		who, _ = s.Contacts().PersonOf(source, purser.AgentKey{9})
		return nil
	}); err != nil {
		t.Fatalf("look: %v", err)
	}
	return who == person(agent)
}

func wantRefusal(t *testing.T, err error, want purser.Reason) {
	t.Helper()
	refusal, ok := errors.AsType[*purser.Refusal](err)
	if !ok || refusal.Reason != want {
		t.Fatalf("got %v (%+v), want a refusal for reason %d", err, refusal, want)
	}
}

func TestRegisterTakesAChangeFromProposalToEnactment(t *testing.T) {
	d, ctx := newDesk(t), t.Context()
	rows := 0
	count := func(ledger.Tx, purser.Pos) error { rows++; return nil }
	_, err := d.propose(ctx, session(agent), purser.RoleAdmin, mapped(), count)
	wantRefusal(t, err, purser.NoRole)
	id, err := d.propose(ctx, session(admin), purser.RoleAdmin, mapped(), count)
	if err != nil || rows != 1 {
		t.Fatalf("propose: got %v with %d rows, want one row", err, rows)
	}
	wantRefusal(t, d.Vote(ctx, session(admin), id, purser.RoleAdmin, purser.VoteApprove), purser.SameHuman)
	if err := d.Vote(ctx, session(sec1), id, purser.RoleSecurity, purser.VoteApprove); err != nil {
		t.Fatalf("approve: %v", err)
	}
	before := d.log.Size()
	wantRefusal(t, d.Enact(ctx, id), purser.ChangeHeld)
	if n, err := d.EnactDue(ctx); n != 0 || err != nil || d.log.Size() != before {
		t.Fatalf("during the hold: got %d, %v and %d entries, want nothing recorded", n, err, d.log.Size()-before)
	}
	d.clock.move(4 * time.Hour)
	if n, err := d.EnactDue(ctx); n != 1 || err != nil || !d.inForce(t) {
		t.Fatalf("after the hold: got %d, %v, in force %v", n, err, d.inForce(t))
	}
	if n, err := d.EnactDue(ctx); n != 0 || err != nil {
		t.Fatalf("again: got %d, %v", n, err)
	}
	var kinds []purser.Kind
	for _, n := range d.told.all {
		kinds = append(kinds, n.What)
		if len(n.Security) != 3 || n.Change != id {
			t.Errorf("notice %d: got %d security people, want 3", n.What, len(n.Security))
		}
	}
	if len(kinds) != 3 || kinds[0] != purser.KindChangeProposed || kinds[1] != purser.KindChangeVoted || kinds[2] != purser.KindChangeEnacted {
		t.Errorf("got notices %v", kinds)
	}
}

func TestRegisterVeto(t *testing.T) {
	d, ctx := newDesk(t), t.Context()
	id, err := d.propose(ctx, session(admin), purser.RoleAdmin, mapped(), nil)
	if err != nil {
		t.Fatalf("propose: %v", err)
	}
	if err := d.Vote(ctx, session(privacy), id, purser.RolePrivacy, purser.VoteApprove); err != nil {
		t.Fatalf("approve: %v", err)
	}
	d.clock.move(4 * time.Hour)
	if err := d.Vote(ctx, session(sec2), id, purser.RoleSecurity, purser.VoteVeto); err != nil {
		t.Fatalf("veto: %v", err)
	}
	if n, err := d.EnactDue(ctx); n != 0 || err != nil || d.inForce(t) {
		t.Errorf("after the veto: got %d, %v, in force %v", n, err, d.inForce(t))
	}
}

func TestRegisterAtOnce(t *testing.T) {
	d, ctx := newDesk(t), t.Context()
	if got, err := d.Set(ctx, session(admin), purser.RoleAdmin, change.Exactly(mapped()), nil); err != nil || got.Change.Zero() {
		t.Fatalf("set a loosening: got %+v, %v, want a change", got, err)
	}
	_, err := d.Direct(ctx, mapped(), nil)
	wantRefusal(t, err, purser.DoorShut)
	if d.inForce(t) {
		t.Fatal("a loosening that nobody approved is in force")
	}
	d.record(t, &purser.Door{State: purser.DoorLabelled})
	if _, err := d.Direct(ctx, mapped(), nil); err != nil || !d.inForce(t) {
		t.Fatalf("through the door: %v, in force %v", err, d.inForce(t))
	}
	unmap := change.Exactly(&purser.AgentMapped{Source: source, Agent: purser.AgentKey{9}})
	if got, err := d.Set(ctx, session(admin), purser.RoleAdmin, unmap, nil); err != nil || !got.Change.Zero() || d.inForce(t) {
		t.Fatalf("unmap: %+v, %v, in force %v", got, err, d.inForce(t))
	}
}

// What is due does not wait for what cannot be written: the others are enacted,
// the error is told, and the next turn catches up. Seen to fail when EnactDue
// returns at the first error.
func TestEnactDueGoesOnAfterAnError(t *testing.T) {
	d, ctx := newDesk(t), t.Context()
	for agents := byte(1); agents <= 3; agents++ {
		id, err := d.propose(ctx, session(admin), purser.RoleAdmin, &purser.AgentMapped{
			Source: source, Agent: purser.AgentKey{agents}, Person: person(agent),
		}, nil)
		if err != nil {
			t.Fatalf("propose: %v", err)
		}
		if err := d.Vote(ctx, session(sec1), id, purser.RoleSecurity, purser.VoteApprove); err != nil {
			t.Fatalf("approve: %v", err)
		}
	}
	d.clock.move(4 * time.Hour)
	d.record(t, &purser.VendorSet{Vendor: vendor, Status: purser.StatusActive}) // holds leave out a full disk's time from here on
	d.store.full = 1
	if n, err := d.EnactDue(ctx); n != 2 || !errors.Is(err, ledger.ErrNothingWritten) {
		t.Fatalf("with no room for the first: got %d, %v, want 2 and the error", n, err)
	}
	if n, err := d.EnactDue(ctx); n != 1 || err != nil {
		t.Errorf("after that: got %d, %v, want the one that is left", n, err)
	}
}
