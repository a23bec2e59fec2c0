package gate_test

import (
	"context"
	"testing"

	"pgregory.net/rapid"

	"purser"
	"purser/internal/fold"
	"purser/internal/gate"
	"purser/internal/synth"
)

// tell records an entry as it is.
func (w *world) tell(t tester, e purser.Entry) {
	t.Helper()
	if _, err := w.Log.Propose(context.Background(), purser.VendorID{}, func(*fold.State, purser.Stamp) purser.Entry { return e }); err != nil {
		t.Fatalf("tell %T: %v", e, err)
	}
}

// investigates gives the second person of security the role of privacy, and
// returns a mandate over everybody that the two agreed on.
func (w *world) investigates(t tester) (asker, approver *synth.Member, id purser.MandateID, fields purser.FieldMask) {
	t.Helper()
	asker, approver = w.Security[0], w.Security[1]
	w.tell(t, &purser.PersonSet{Person: approver.Who.Person, Vendor: approver.Who.Vendor, Roles: purser.RolePrivacy, Status: purser.StatusActive})
	ctx := context.Background()
	id, fields = purser.MandateID(w.ID()), mask(t, w, "name", "birth_date")
	_, err := w.gate.AskMandate(ctx, gate.MandateAsk{
		Asker: asker.Asker(), As: purser.RoleSecurity, Mandate: id, For: purser.MandateInvestigation, Everybody: true,
		Fields: fields, Expires: purser.StampOf(start()) + 2*purser.Hour,
	}, nil)
	if err != nil {
		t.Fatalf("ask: %v (reason %d)", err, reason(err))
	}
	if _, err := w.gate.ApproveMandate(ctx, approver.Asker(), id, purser.RolePrivacy); err != nil {
		t.Fatalf("approve: %v (reason %d)", err, reason(err))
	}
	return asker, approver, id, fields
}

// L3 and L1, for releases: batch after batch leaves until a lock lands on
// somebody who asked or approved, on the path that the release takes; from then
// on none does, and no lock on anybody or anything else changes that (L8). What
// was handed over stands in the entry, once each.
//
// Seen to fail when the approver was not looked at, when locks were looked at
// once, before the first batch, and when the path was left out.
func TestLaw03ALockStopsTheNextBatch(t *testing.T) {
	w := newWorld(t, 60)
	asker, approver, id, fields := w.investigates(t)
	agent := w.Vendors[1].Agents[0]
	rapid.Check(t, func(t *rapid.T) {
		targets := []struct {
			target  purser.Target
			parties bool
		}{
			{purser.Target{Kind: purser.TargetPerson, ID: asker.Who.Person}, true},
			{purser.Target{Kind: purser.TargetSession, ID: asker.Who.Session}, true},
			{purser.Target{Kind: purser.TargetPerson, ID: approver.Who.Person}, true},
			{purser.Target{Kind: purser.TargetSession, ID: approver.Who.Session}, true},
			{purser.Target{Kind: purser.TargetVendor, ID: asker.Who.Vendor}, true},
			{purser.Target{Kind: purser.TargetAll}, true},
			{purser.Target{Kind: purser.TargetPerson, ID: agent.Who.Person}, false},
			{purser.Target{Kind: purser.TargetVendor, ID: agent.Who.Vendor}, false},
		}
		drawn := targets[rapid.IntRange(0, len(targets)-1).Draw(t, "target")]
		paths := []purser.Path{purser.PathAll, purser.PathExport, purser.PathDesk, purser.PathNotices}[rapid.IntRange(0, 3).Draw(t, "paths")]
		lock := &purser.LockPlaced{
			Lock: purser.LockID(w.ID()), Target: drawn.target, Paths: paths,
			Degree: purser.Degree(rapid.IntRange(1, 2).Draw(t, "degree")), Cause: purser.CauseOperator,
		}
		when, size := rapid.IntRange(0, 5).Draw(t, "when"), rapid.IntRange(1, 12).Draw(t, "size")
		first := w.Log.Size()
		locked, placed, given := false, false, map[purser.Pos]int{}
		for n, from := 0, 0; from < 60; n, from = n+1, from+size {
			if n == when {
				w.tell(t, lock)
				placed, locked = true, drawn.parties && paths&purser.PathExport != 0
			}
			var batch []purser.Ordinal
			for o := from; o < min(from+size, 60); o++ {
				batch = append(batch, purser.Ordinal(o+1))
			}
			last := purser.Ordinal(0)
			done, err := w.gate.ReleaseTo(context.Background(), gate.ReleaseAsk{
				Mandate: id, To: purser.DeliverMatch, Customers: batch, Fields: fields,
			}, func(o gate.Opened) error {
				given[o.Pos]++
				ordinal, err := w.Records.Ordinal(context.Background(), o.Customer)
				if ordinal <= last {
					t.Errorf("customer %d after %d", ordinal, last)
				}
				last = ordinal
				return err
			})
			if (err == nil) == locked || (locked && reason(err) != purser.Locked) {
				t.Fatalf("batch %d, lock on %+v over paths %x since batch %d: got %v (reason %d)", n, drawn.target, paths, when, err, reason(err))
			}
			if err == nil && done.Opened != len(batch) {
				t.Fatalf("batch %d: got %d customers, want %d", n, done.Opened, len(batch))
			}
		}
		for i, e := range w.entries(t, first) {
			if r, ok := e.(*purser.Released); ok {
				want := len(r.Customers)
				if r.Reason != purser.Allowed {
					want = 0
				}
				if pos := first + purser.Pos(i); given[pos] != want {
					t.Fatalf("position %d: %d customers were handed over, the entry has %d", pos, given[pos], want)
				}
			}
		}
		if placed {
			w.tell(t, &purser.LockLift{Lock: lock.Lock, Lifted: true})
		}
	})
}
