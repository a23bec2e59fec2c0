package ledger_test

import (
	"testing"

	"purser"
)

func TestAReceiptOpensOnce(t *testing.T) {
	log := openLog(t, configOf(openStore(t, t.TempDir()), newClock()))
	r, err := log.Propose(t.Context(), actor(1).Vendor, disclose(actor(1), 9))
	if err != nil {
		t.Fatalf("propose: %v", err)
	}
	if !r.Recorded() || r.Pos() != 1 || r.Refusal() != nil {
		t.Fatalf("receipt: got position %d, refusal %v, want 1 and none", r.Pos(), r.Refusal())
	}
	kept := r
	if customer, fields, ok := r.Redeem(); customer != 9 || fields != 3 || !ok {
		t.Fatalf("redeem: got %d %d %v, want 9 3 true", customer, fields, ok)
	}
	if _, _, ok := kept.Redeem(); ok {
		t.Fatal("redeem a copy: got fields, want none")
	}
	mustClose(t, log)
}

func TestWhatOpensNothing(t *testing.T) {
	log := openLog(t, configOf(openStore(t, t.TempDir()), newClock()))
	for _, c := range []struct {
		name     string
		decide   func(*tally, purser.Stamp) purser.Entry
		recorded bool
		refused  bool
	}{
		{"nothing recorded", func(*tally, purser.Stamp) purser.Entry { return nil }, false, false},
		{"an entry that opens nothing", func(*tally, purser.Stamp) purser.Entry { return &purser.Finding{} }, true, false},
		{"a refused disclosure", func(*tally, purser.Stamp) purser.Entry {
			return &purser.Disclosure{Customer: 1, Shown: 1, Reason: purser.Locked}
		}, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := log.Propose(t.Context(), purser.VendorID{}, c.decide)
			if err != nil {
				t.Fatalf("propose: %v", err)
			}
			if r.Recorded() != c.recorded || (r.Refusal() != nil) != c.refused {
				t.Fatalf("receipt: got recorded %v, refusal %v", r.Recorded(), r.Refusal())
			}
			if c.refused && (r.Refusal().At != r.Pos() || r.Refusal().Reason != purser.Locked) {
				t.Fatalf("refusal: got %v at %d, want Locked at %d", r.Refusal().Reason, r.Refusal().At, r.Pos())
			}
			if _, _, ok := r.Redeem(); ok {
				t.Fatal("redeem: got fields, want none")
			}
		})
	}
}
