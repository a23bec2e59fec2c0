package contact_test

import (
	"testing"

	"purser"
	"purser/internal/rule/contact"
)

func TestHeld(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(w *world, who *purser.Actor)
		want purser.Reason
	}{
		{"connected and claimed", func(*world, *purser.Actor) {}, purser.Allowed},
		{"on hold", func(w *world, _ *purser.Actor) {
			w.event(purser.ContactEvent{Event: purser.EventHeld, Contact: call, Agent: agent(1)})
		}, purser.Allowed},
		{"another session of the same person", func(_ *world, who *purser.Actor) { *who = actor(1, 2) }, purser.NotClaimed},
		{"another person", func(_ *world, who *purser.Actor) { *who = actor(2, 1) }, purser.NotClaimed},
		{"no session", func(_ *world, who *purser.Actor) { who.Session = purser.SessionID{} }, purser.NotClaimed},
		{"session ended", func(w *world, who *purser.Actor) {
			w.apply(&purser.SessionEnded{Session: who.Session, Why: purser.EndLogout})
		}, purser.NotClaimed},
		{"session replaced", func(w *world, _ *purser.Actor) {
			w.apply(&purser.SessionOpened{Who: actor(1, 2), Level: purser.LevelDesk})
		}, purser.NotClaimed},
		{"office session opened", func(w *world, _ *purser.Actor) {
			w.apply(&purser.SessionOpened{Who: actor(1, 2), Level: purser.LevelOffice})
		}, purser.Allowed},
		{"agent mapped to somebody else", func(w *world, _ *purser.Actor) {
			w.apply(&purser.AgentMapped{Source: source, Agent: agent(1), Person: person(9)})
		}, purser.NotAssigned},
		{"agent unmapped", func(w *world, _ *purser.Actor) {
			w.apply(&purser.AgentMapped{Source: source, Agent: agent(1)})
		}, purser.NotAssigned},
		{"hung up", func(w *world, _ *purser.Actor) {
			w.event(purser.ContactEvent{Event: purser.EventHungUp, Contact: call})
		}, purser.HungUp},
		{"closed", func(w *world, _ *purser.Actor) {
			w.event(purser.ContactEvent{Event: purser.EventClosed, Contact: call})
		}, purser.NoContact},
		{"just not silent", func(w *world, _ *purser.Actor) { w.at += contact.Silence - purser.Second }, purser.Allowed},
		{"silent", func(w *world, _ *purser.Actor) { w.at += contact.Silence + purser.Second }, purser.SourceStale},
		{"silent, then a heartbeat", func(w *world, _ *purser.Actor) {
			w.at += contact.Silence + purser.Second
			w.event(purser.ContactEvent{Event: purser.EventHeartbeat})
		}, purser.SourceStale},
		{"silent, then a snapshot that lists it", func(w *world, _ *purser.Actor) {
			w.at += contact.Silence + purser.Second
			w.event(purser.ContactEvent{Event: purser.EventSnapshot, Live: []purser.LiveContact{{Contact: call, Agent: agent(1)}}})
		}, purser.Allowed},
		{"silent, then a snapshot without it", func(w *world, _ *purser.Actor) {
			w.at += contact.Silence + purser.Second
			w.event(purser.ContactEvent{Event: purser.EventSnapshot})
		}, purser.NoContact},
		{"silent, then a snapshot that gives it to another", func(w *world, _ *purser.Actor) {
			w.at += contact.Silence + purser.Second
			w.event(purser.ContactEvent{Event: purser.EventSnapshot, Live: []purser.LiveContact{{Contact: call, Agent: agent(2)}}})
		}, purser.NotClaimed},
		{"silent for twenty minutes", func(w *world, _ *purser.Actor) { w.at += contact.StaleEnd + purser.Second }, purser.NoContact},
		{"a gap of four seconds", func(w *world, _ *purser.Actor) {
			w.seq++
			w.event(purser.ContactEvent{Event: purser.EventHeartbeat})
			w.at += 4 * purser.Second
		}, purser.Allowed},
		{"a gap of six seconds", func(w *world, _ *purser.Actor) {
			w.seq++
			w.pass(10 * purser.Second) // the first event behind the gap comes after four
		}, purser.SourceStale},
		{"over three hours", func(w *world, _ *purser.Actor) { w.pass(contact.Longest + purser.Second) }, purser.ContactTooOld},
		{"sequence came again with other bytes", func(w *world, _ *purser.Actor) {
			forged := w.next(purser.ContactEvent{Event: purser.EventHeartbeat})
			w.deliver(forged)
			forged.Body[0]++
			_, why := w.deliver(forged)
			wantReason(w.tb, "forged", why, purser.EventMismatch)
		}, purser.SourceStale},
		{"source suspended", func(w *world, _ *purser.Actor) {
			w.apply(&purser.SourceSet{Source: source, Vendor: vendor, Status: purser.StatusSuspended})
		}, purser.SourceStale},
		{"source's trust changed", func(w *world, _ *purser.Actor) {
			w.apply(&purser.SourceSet{Source: source, Vendor: vendor, Status: purser.StatusActive})
		}, purser.Allowed},
		{"source's secret changed", func(w *world, _ *purser.Actor) {
			w.apply(&purser.SourceSet{Source: source, Vendor: vendor, Status: purser.StatusActive, Secret: purser.Commitment{1}})
		}, purser.SourceStale},
		{"transferred away", func(w *world, _ *purser.Actor) {
			w.event(purser.ContactEvent{Event: purser.EventTransferred, Contact: call, Agent: agent(1), To: agent(2)})
		}, purser.NotClaimed},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			who := w.connect()
			c.do(w, &who)
			w.held(call, who, c.want)
		})
	}
}

func TestOfferedContactOpensNothing(t *testing.T) {
	w := newWorld(t)
	w.event(purser.ContactEvent{Event: purser.EventOffered, Contact: call, Agent: agent(1)})
	w.claim(call, actor(1, 1), purser.Allowed)
	w.held(call, actor(1, 1), purser.NotAssigned)
	w.event(purser.ContactEvent{Event: purser.EventConnected, Contact: call, Agent: agent(1)})
	w.held(call, actor(1, 1), purser.Allowed)
}

func TestClaim(t *testing.T) {
	foreign := actor(1, 2)
	foreign.Vendor = purser.VendorID{2}
	for _, c := range []struct {
		name string
		do   func(w *world)
		who  purser.Actor
		want purser.Reason
	}{
		{"somebody else's contact", func(*world) {}, actor(2, 1), purser.NotAssigned},
		{"a second session of the person", func(*world) {}, actor(1, 2), purser.AlreadyClaimed},
		{"after the session ended", func(w *world) {
			w.apply(&purser.SessionEnded{Session: actor(1, 1).Session, Why: purser.EndLogout})
		}, actor(1, 2), purser.Allowed},
		{"of another vendor", func(w *world) {
			w.apply(&purser.SessionEnded{Session: actor(1, 1).Session, Why: purser.EndLogout})
		}, foreign, purser.NotAssigned},
		{"after the agent was mapped to another, by him", func(w *world) {
			w.apply(&purser.SessionEnded{Session: actor(1, 1).Session, Why: purser.EndLogout})
			w.apply(&purser.AgentMapped{Source: source, Agent: agent(1), Person: person(2)})
		}, actor(2, 1), purser.AlreadyClaimed},
		{"after a transfer", func(w *world) {
			w.event(purser.ContactEvent{Event: purser.EventTransferred, Contact: call, Agent: agent(1), To: agent(2)})
		}, actor(2, 1), purser.Allowed},
		{"after hang-up", func(w *world) {
			w.apply(&purser.SessionEnded{Session: actor(1, 1).Session, Why: purser.EndLogout})
			w.event(purser.ContactEvent{Event: purser.EventHungUp, Contact: call})
		}, actor(1, 2), purser.HungUp},
		{"while stale", func(w *world) {
			w.apply(&purser.SessionEnded{Session: actor(1, 1).Session, Why: purser.EndLogout})
			w.at += purser.Minute
		}, actor(1, 2), purser.SourceStale},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.connect()
			c.do(w)
			w.claim(call, c.who, c.want)
			if got := w.book.Claimed(call, c.who.Session); got != (c.want == purser.Allowed) {
				t.Fatalf("claimed: got %v", got)
			}
		})
	}
}

func TestConsultAndConference(t *testing.T) {
	w := newWorld(t)
	first, second := w.connect(), actor(2, 1)
	w.event(purser.ContactEvent{Event: purser.EventConsult, Contact: call, Agent: agent(1), To: agent(2)})
	w.claim(call, second, purser.Allowed)
	w.held(call, second, purser.NotAssigned)
	w.event(purser.ContactEvent{Event: purser.EventConsult, Contact: call, Agent: agent(1), To: agent(3)})
	w.claim(call, actor(3, 1), purser.NotAssigned)
	w.event(purser.ContactEvent{Event: purser.EventConference, Contact: call, Agent: agent(1), To: agent(2)})
	w.held(call, first, purser.Allowed)
	w.held(call, second, purser.Allowed)
	wantReason(t, "identify", w.identify(call, first, customer), purser.Allowed)
	w.event(purser.ContactEvent{Event: purser.EventLeft, Contact: call, Agent: agent(1)})
	w.held(call, first, purser.NotClaimed)
	h := w.held(call, second, purser.Allowed)
	wantBound(t, h, customer, purser.A1)
	if h.Before != first {
		t.Fatalf("before: got %v, want %v", h.Before.Person, first.Person)
	}
	w.event(purser.ContactEvent{Event: purser.EventLeft, Contact: call, Agent: agent(2)})
	w.held(call, second, purser.Allowed)
}

func TestTransferTakesTheVerificationAlong(t *testing.T) {
	w := newWorld(t)
	first := w.connect()
	w.identify(call, first, customer)
	for n := byte(2); n <= 4; n++ {
		w.event(purser.ContactEvent{Event: purser.EventTransferred, Contact: call, Agent: agent(n - 1), To: agent(n)})
		w.claim(call, actor(n, 1), purser.Allowed)
		h := w.held(call, actor(n, 1), purser.Allowed)
		wantBound(t, h, customer, purser.A1)
		if h.Before != actor(n-1, 1) || len(h.Earlier) != int(n-1) || h.Earlier[0] != first {
			t.Fatalf("earlier holders: got %d, last %v", len(h.Earlier), h.Before.Person)
		}
	}
	w.event(purser.ContactEvent{Event: purser.EventTransferred, Contact: call, Agent: agent(4), To: agent(1)})
	again := actor(1, 2)
	w.claim(call, again, purser.Allowed)
	wantBound(t, w.held(call, again, purser.Allowed), customer, purser.A1)
	w.event(purser.ContactEvent{Event: purser.EventTransferred, Contact: call, Agent: agent(1), To: agent(2)})
	w.claim(call, actor(2, 2), purser.Allowed)
	// Five sessions is one more than a row can name.
	wantBound(t, w.held(call, actor(2, 2), purser.Allowed), 0, purser.A0)
}

func TestWarmTransferKeepsTheConsultClaim(t *testing.T) {
	w := newWorld(t)
	w.connect()
	w.event(purser.ContactEvent{Event: purser.EventConsult, Contact: call, Agent: agent(1), To: agent(2)})
	w.claim(call, actor(2, 1), purser.Allowed)
	w.event(purser.ContactEvent{Event: purser.EventTransferred, Contact: call, Agent: agent(1), To: agent(2)})
	w.held(call, actor(2, 1), purser.Allowed)
	w.held(call, actor(1, 1), purser.NotClaimed)
}

func TestIdentify(t *testing.T) {
	t.Run("three failures spend the contact", func(t *testing.T) {
		w := newWorld(t)
		who := w.connect()
		for range contact.MaxTries {
			wantReason(t, "identify", w.identify(call, who, 0), purser.Unknown)
		}
		wantReason(t, "identify", w.identify(call, who, customer), purser.TriesSpent)
	})
	t.Run("an attempt without result counts as failed", func(t *testing.T) {
		w := newWorld(t)
		who := w.connect()
		for range contact.MaxTries {
			w.apply(&purser.Attempt{Who: who, Contact: call, Way: purser.WayMatch})
		}
		wantReason(t, "identify", w.identify(call, who, customer), purser.TriesSpent)
	})
	t.Run("a result needs its attempt, and counts once", func(t *testing.T) {
		w := newWorld(t)
		who := w.connect()
		pos := w.apply(&purser.Attempt{Who: who, Contact: call, Way: purser.WayMatch})
		n := contact.Binding{Contact: call, Session: who.Session, Attempt: pos + 1, Way: purser.WayMatch, Customer: customer}
		_, why := w.book.Bind(n, w.at)
		wantReason(t, "bind to no attempt", why, purser.ResultMissing)
		w.apply(&purser.AttemptResult{Who: who, Contact: call, Attempt: pos, Way: purser.WayMatch, Reason: purser.Wrong})
		n.Attempt = pos
		_, why = w.book.Bind(n, w.at)
		wantReason(t, "bind twice", why, purser.ResultMissing)
	})
	t.Run("one contact binds one customer", func(t *testing.T) {
		w := newWorld(t)
		who := w.connect()
		w.identify(call, who, customer)
		wantReason(t, "another", w.identify(call, who, customer+1), purser.AlreadyBound)
		wantReason(t, "the same", w.identify(call, who, customer), purser.Allowed)
		wantBound(t, w.held(call, who, purser.Allowed), customer, purser.A1)
	})
	t.Run("a result after hang-up binds nothing", func(t *testing.T) {
		w := newWorld(t)
		who := w.connect()
		pos := w.apply(&purser.Attempt{Who: who, Contact: call, Way: purser.WayMatch})
		w.event(purser.ContactEvent{Event: purser.EventHungUp, Contact: call})
		_, why := w.book.Bind(contact.Binding{Contact: call, Session: who.Session, Attempt: pos, Way: purser.WayMatch, Customer: customer}, w.at)
		wantReason(t, "bind", why, purser.HungUp)
	})
	t.Run("linked customers come after a bound one, nine at most", func(t *testing.T) {
		w := newWorld(t)
		who := w.connect()
		wantReason(t, "unbound", w.book.Link(call, who.Session, 100, w.at), purser.NotBound)
		w.identify(call, who, customer)
		for n := purser.Ordinal(100); n < 100+contact.MaxLinked; n++ {
			wantReason(t, "link", w.book.Link(call, who.Session, n, w.at), purser.Allowed)
			pos := w.apply(&purser.Attempt{Who: who, Contact: call, Way: purser.WayMatch, Customer: n})
			w.apply(&purser.AttemptResult{
				Who: who, Contact: call, Attempt: pos, Way: purser.WayMatch,
				Customer: n, Assurance: purser.A1, Linked: true,
			})
		}
		wantReason(t, "the tenth", w.book.Link(call, who.Session, 200, w.at), purser.BudgetLinked)
		h := w.held(call, who, purser.Allowed)
		if len(h.Linked) != contact.MaxLinked || h.Tries != contact.MaxTries {
			t.Fatalf("got %d linked and %d tries left", len(h.Linked), h.Tries)
		}
	})
}

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		name  string
		tune  func(*purser.ContactEvent)
		match bool
		want  purser.Reason
	}{
		{"attested by the carrier after a match", func(*purser.ContactEvent) {}, true, purser.Allowed},
		{"before a match", func(*purser.ContactEvent) {}, false, purser.NotBound},
		{"on a trunk that is not trusted", func(e *purser.ContactEvent) { e.Attested = purser.AttestTrunk }, true, purser.NotAttested},
		{"not attested", func(e *purser.ContactEvent) { e.Attested = purser.AttestNone }, true, purser.NotAttested},
		{"withheld", func(e *purser.ContactEvent) { e.Caller = 0 }, true, purser.NotAttested},
		{"outbound", func(e *purser.ContactEvent) { e.Outbound = true }, true, purser.Outbound},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			who := w.connect(c.tune)
			if c.match {
				wantReason(t, "identify", w.identify(call, who, customer), purser.Allowed)
			}
			pos := w.apply(&purser.Attempt{Who: who, Contact: call, Way: purser.WayNumber, Customer: customer})
			got, why := w.book.Bind(contact.Binding{
				Contact: call, Session: who.Session, Attempt: pos, Way: purser.WayNumber, Customer: customer,
			}, w.at)
			wantReason(t, "number", why, c.want)
			if why == purser.Allowed && got != purser.A2 {
				t.Fatalf("got A%d, want A2", got)
			}
		})
	}
}

// A match together with the number is a try that succeeded like a match alone.
func TestNumberGivesItsTryBack(t *testing.T) {
	w := newWorld(t)
	who := w.connect()
	for range contact.MaxTries + 1 {
		_, why := w.book.Verify(call, who.Session, w.at)
		wantReason(t, "try", why, purser.Allowed)
		pos := w.apply(&purser.Attempt{Who: who, Contact: call, Way: purser.WayMatch, Customer: customer})
		w.apply(&purser.AttemptResult{
			Who: who, Contact: call, Attempt: pos, Way: purser.WayNumber, Customer: customer, Assurance: purser.A2,
		})
	}
}

func TestNotesMayBeAppendedInWrapUp(t *testing.T) {
	w := newWorld(t)
	who := w.connect()
	w.event(purser.ContactEvent{Event: purser.EventHungUp, Contact: call})
	h, why := w.book.Notes(call, who.Session, w.at)
	wantReason(t, "notes", why, purser.Allowed)
	if h.HungUpAt == 0 {
		t.Fatal("got no time of hang-up")
	}
	_, why = w.book.Notes(call, actor(2, 1).Session, w.at)
	wantReason(t, "notes by another", why, purser.NotClaimed)
	w.event(purser.ContactEvent{Event: purser.EventClosed, Contact: call})
	_, why = w.book.Notes(call, who.Session, w.at)
	wantReason(t, "notes after the end", why, purser.NoContact)
}

func TestSweepForgetsWhatIsOver(t *testing.T) {
	w := newWorld(t)
	w.connect()
	w.event(purser.ContactEvent{Event: purser.EventClosed, Contact: call})
	w.book.Sweep(w.at + 9*purser.Minute)
	if _, ok := w.book.Contact(call, w.at); !ok {
		t.Fatal("forgotten after nine minutes")
	}
	w.book.Sweep(w.at + 11*purser.Minute)
	if _, ok := w.book.Contact(call, w.at); ok {
		t.Fatal("still there after eleven minutes")
	}
}

// A contact over three hours old stays so, whatever its source lists.
func TestSnapshotMakesNothingYoung(t *testing.T) {
	w := newWorld(t)
	who := w.connect()
	w.pass(contact.Longest + purser.Minute)
	w.book.Sweep(w.at)
	w.event(purser.ContactEvent{Event: purser.EventSnapshot, Live: []purser.LiveContact{{Contact: call, Agent: agent(1)}}})
	w.held(call, who, purser.ContactTooOld)
}
