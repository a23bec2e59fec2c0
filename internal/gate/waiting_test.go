package gate_test

import (
	"testing"
	"time"

	"purser"
	"purser/internal/gate"
)

// A case that waits goes to one person who is free, and to nobody a second
// time; who has one gets no other; what nobody can take makes no entry.
//
// Seen to fail when cases that were given were not left out.
func TestWaitingCasesGoToWhoeverIsFree(t *testing.T) {
	w := newWorld(t, 60)
	centre := w.Vendors[0]
	opener := centre.Agents[0]
	call, _ := w.proven(t, opener, purser.WayKeypad)
	for _, text := range []string{"lost bag", "seat", "refund"} {
		if _, _, err := w.opens(t, opener, call, text); err != nil {
			t.Fatalf("open a case: %v (reason %d)", err, reason(err))
		}
	}
	assign := func(want int) []purser.Entry {
		t.Helper()
		from := w.Log.Size()
		n, err := w.gate.AssignWaiting(t.Context())
		if err != nil || n != want {
			t.Fatalf("assign: got %d, %v, want %d", n, err, want)
		}
		return w.entries(t, from)
	}
	if made := assign(0); len(made) != 0 {
		t.Fatalf("cases that somebody wrote in a moment ago: got %d entries", len(made))
	}
	w.Clock.Advance(time.Duration(gate.CaseIdle) * time.Microsecond)
	given := map[purser.CaseID]purser.PersonID{}
	people := map[purser.PersonID]bool{}
	for _, e := range assign(3) {
		m := e.(*purser.MandateAssigned)
		if m.Reason != purser.Allowed || m.To.Vendor != centre.Vendor || given[m.Case] != (purser.PersonID{}) || people[m.To.Person] {
			t.Fatalf("got %+v after %v", m, given)
		}
		given[m.Case], people[m.To.Person] = m.To.Person, true
		for _, agent := range centre.Agents {
			if agent.Who.Person != m.To.Person {
				continue
			}
			if err := w.works(agent, m.Mandate, mask(t, w, "name")); err != nil {
				t.Fatalf("work on it: %v (reason %d)", err, reason(err))
			}
		}
	}
	if made := assign(0); len(made) != 0 {
		t.Fatalf("again: got %d entries", len(made))
	}
}
