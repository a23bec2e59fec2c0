package contact_test

import (
	"testing"

	"purser"
	"purser/internal/rule/contact"
)

func outbound(e *purser.ContactEvent) { e.Outbound = true }

func TestCode(t *testing.T) {
	wrong := purser.Commitment{0xe}
	for _, c := range []struct {
		name string
		way  purser.Way
		do   func(w *world, digits *purser.Commitment)
		want purser.Reason
		gets purser.Assurance
	}{
		{"spoken", purser.WayCode, func(*world, *purser.Commitment) {}, purser.Allowed, purser.A2},
		{"keyed", purser.WayKeypad, func(*world, *purser.Commitment) {}, purser.Allowed, purser.A3},
		{"wrong", purser.WayCode, func(_ *world, d *purser.Commitment) { *d = wrong }, purser.Wrong, purser.A0},
		{"right at the third try", purser.WayCode, func(w *world, _ *purser.Commitment) {
			w.try(call, purser.WayCode, wrong)
			w.try(call, purser.WayKeypad, wrong)
		}, purser.Allowed, purser.A2},
		{"right at the fourth", purser.WayCode, func(w *world, _ *purser.Commitment) {
			for range contact.MaxCodeTries {
				w.try(call, purser.WayCode, wrong)
			}
		}, purser.TriesSpent, purser.A0},
		{"after five minutes", purser.WayKeypad, func(w *world, _ *purser.Commitment) {
			w.pass(contact.CodeLife + purser.Second)
		}, purser.CodeExpired, purser.A0},
		{"twice", purser.WayCode, func(w *world, d *purser.Commitment) { w.try(call, purser.WayCode, *d) }, purser.NoCode, purser.A2},
		{"of an earlier send", purser.WayCode, func(w *world, _ *purser.Commitment) {
			w.send(call, actor(1, 1), customer)
		}, purser.Wrong, purser.A0},
		{"while stale", purser.WayKeypad, func(w *world, _ *purser.Commitment) { w.at += purser.Minute }, purser.SourceStale, purser.A0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			who := w.connect()
			digits, why := w.send(call, who, customer)
			wantReason(t, "send", why, purser.Allowed)
			c.do(w, &digits)
			wantReason(t, "try", w.try(call, c.way, digits), c.want)
			got, _ := w.book.Contact(call, w.at)
			if got.Assurance != c.gets {
				t.Fatalf("got A%d, want A%d", got.Assurance, c.gets)
			}
		})
	}
}

func TestCodeSends(t *testing.T) {
	w := newWorld(t)
	who := w.connect()
	w.send(call, who, customer)
	// One that reaches nobody reads and costs the same (L5).
	w.apply(&purser.CodeSent{Who: who, Contact: call, Reason: purser.NoChannel})
	w.apply(&purser.CodeSent{Who: who, Contact: call, Reason: purser.SourceStale})
	_, why := w.send(call, who, customer)
	wantReason(t, "the third", why, purser.Allowed)
	_, why = w.send(call, who, customer)
	wantReason(t, "the fourth", why, purser.NoSendsLeft)
}

// L5: a send that reaches nobody is to the contact what one that reaches
// somebody is: it voids the code before it and gives as many tries. Seen to
// fail with only allowed sends replacing the code.
func TestLaw05ASendToNobodyIsASend(t *testing.T) {
	w := newWorld(t)
	who := w.connect()
	digits, _ := w.send(call, who, customer)
	wantReason(t, "wrong", w.try(call, purser.WayCode, purser.Commitment{0xe}), purser.Wrong)
	w.apply(&purser.CodeSent{Who: who, Contact: call, Reason: purser.Unknown})
	for range contact.MaxCodeTries {
		wantReason(t, "the code before it", w.try(call, purser.WayCode, digits), purser.NoCode)
	}
	wantReason(t, "one more", w.try(call, purser.WayCode, digits), purser.TriesSpent)
}

// Whether or not there is a code, a contact has three tries after each send,
// and three before the first: what comes after is known to the asker.
func TestTriesAreOfTheContact(t *testing.T) {
	w := newWorld(t)
	who := w.connect()
	for range contact.MaxCodeTries {
		wantReason(t, "without a code", w.try(call, purser.WayCode, purser.Commitment{1}), purser.NoCode)
	}
	for range 5 {
		wantReason(t, "no try left", w.try(call, purser.WayCode, purser.Commitment{1}), purser.TriesSpent)
	}
	digits, _ := w.send(call, who, customer)
	wantReason(t, "after a send", w.try(call, purser.WayCode, digits), purser.Allowed)
	wantReason(t, "used", w.try(call, purser.WayCode, digits), purser.NoCode)
	w.apply(&purser.BindingUndone{Who: actor(3, 1), Contact: call})
	wantReason(t, "after the undoing", w.try(call, purser.WayCode, digits), purser.NoCode)
	wantReason(t, "and no more", w.try(call, purser.WayCode, digits), purser.TriesSpent)
}

// L3: what a code proves came through whoever had it sent, also where another
// agent had it tried, or the customer keyed it.
func TestLaw03SenderVouchesForTheCode(t *testing.T) {
	for _, way := range []purser.Way{purser.WayCode, purser.WayKeypad} {
		w := newWorld(t)
		sender := w.connect()
		digits, _ := w.send(call, sender, customer)
		w.event(purser.ContactEvent{Event: purser.EventTransferred, Contact: call, Agent: agent(1), To: agent(2)})
		trier := actor(2, 1)
		w.claim(call, trier, purser.Allowed)
		e := &purser.CodeTried{Contact: call, Way: way}
		if way == purser.WayCode {
			e.Who = trier
		}
		e.Customer, e.Assurance, e.Reason = w.book.Try(call, way, digits, w.at)
		wantReason(t, "try", e.Reason, purser.Allowed)
		w.apply(e)
		if h := w.held(call, trier, purser.Allowed); len(h.Earlier) != 1 || h.Earlier[0] != sender {
			t.Fatalf("way %d: got earlier %v, want the sender", way, h.Earlier)
		}
		w.event(purser.ContactEvent{Event: purser.EventTransferred, Contact: call, Agent: agent(2), To: agent(3)})
		w.claim(call, actor(3, 1), purser.Allowed)
		if h := w.held(call, actor(3, 1), purser.Allowed); len(h.Earlier) != 2 || h.Earlier[1] != trier {
			t.Fatalf("way %d: got earlier %v, want sender and trier", way, h.Earlier)
		}
	}
}

func TestCodeOfAnotherCustomer(t *testing.T) {
	w := newWorld(t)
	who := w.connect()
	w.identify(call, who, customer)
	digits, _ := w.send(call, who, customer+1)
	wantReason(t, "try", w.try(call, purser.WayKeypad, digits), purser.AlreadyBound)
	wantBound(t, w.held(call, who, purser.Allowed), customer, purser.A1)
}

func TestOutboundOpensNothingUntilTheCustomerKeysACode(t *testing.T) {
	w := newWorld(t)
	who := w.connect(outbound)
	wantReason(t, "identify", w.identify(call, who, customer), purser.Allowed)
	h := w.held(call, who, purser.Allowed)
	wantBound(t, h, customer, purser.A0)
	if !h.Outbound {
		t.Fatal("an outbound contact opens something")
	}
	digits, _ := w.send(call, who, customer)
	wantReason(t, "spoken", w.try(call, purser.WayCode, digits), purser.Outbound)
	_, why := w.book.BreakGlass(call, who.Session, customer, w.at)
	wantReason(t, "break-glass", why, purser.Outbound)
	wantReason(t, "keyed", w.try(call, purser.WayKeypad, digits), purser.Allowed)
	h = w.held(call, who, purser.Allowed)
	wantBound(t, h, customer, purser.A3)
	if h.Outbound {
		t.Fatal("the customer proved himself, and nothing opens")
	}
}

func TestContactFromASnapshotHasNoDirection(t *testing.T) {
	w := newWorld(t)
	w.event(purser.ContactEvent{Event: purser.EventSnapshot, Live: []purser.LiveContact{{Contact: call, Agent: agent(1)}}})
	who := actor(1, 1)
	w.claim(call, who, purser.Allowed)
	if h := w.held(call, who, purser.Allowed); !h.Outbound {
		t.Fatal("a contact of unknown direction opens something")
	}
	w.event(purser.ContactEvent{Event: purser.EventConnected, Contact: call, Agent: agent(1), Caller: 5})
	if h := w.held(call, who, purser.Allowed); h.Outbound || h.Caller != 5 {
		t.Fatalf("described: got %+v", h)
	}
	w.event(purser.ContactEvent{Event: purser.EventConnected, Contact: call, Agent: agent(1), Caller: 6, Outbound: true})
	if h := w.held(call, who, purser.Allowed); !h.Outbound || h.Caller != 5 {
		t.Fatalf("described again: got %+v", h)
	}
}

func TestKeypad(t *testing.T) {
	w := newWorld(t)
	who := w.connect()
	digits, _ := w.send(call, who, customer)
	w.event(purser.ContactEvent{Event: purser.EventKeypad, Contact: call, Keyed: digits})
	if got := w.book.Keypads(); len(got) != 1 || got[0] != call {
		t.Fatalf("keypads: got %v", got)
	}
	keyed, ok := w.book.Keyed(call)
	if !ok || keyed != digits {
		t.Fatal("the keyed digits are not there")
	}
	wantReason(t, "try", w.try(call, purser.WayKeypad, keyed), purser.Allowed)
	if got := w.book.Keypads(); len(got) != 0 {
		t.Fatalf("keypads after the try: got %v", got)
	}
	wantBound(t, w.held(call, who, purser.Allowed), customer, purser.A3)
}

// A code may be keyed before any agent took the call.
func TestKeypadWhileOffered(t *testing.T) {
	w := newWorld(t)
	who := w.connect()
	digits, _ := w.send(call, who, customer)
	w.event(purser.ContactEvent{Event: purser.EventTransferred, Contact: call, Agent: agent(1), To: agent(2)})
	wantReason(t, "keyed with nobody's claim", w.try(call, purser.WayKeypad, digits), purser.Allowed)
	w.claim(call, actor(2, 1), purser.Allowed)
	wantBound(t, w.held(call, actor(2, 1), purser.Allowed), customer, purser.A3)
}

func TestBreakGlass(t *testing.T) {
	lead := actor(4, 1)
	for _, c := range []struct {
		name string
		lead purser.Actor
		do   func(w *world, asked purser.Pos)
		want purser.Reason
	}{
		{"approved", lead, func(*world, purser.Pos) {}, purser.Allowed},
		{"by the agent himself", actor(1, 2), func(*world, purser.Pos) {}, purser.SameHuman},
		{"after hang-up", lead, func(w *world, _ purser.Pos) {
			w.event(purser.ContactEvent{Event: purser.EventHungUp, Contact: call})
		}, purser.HungUp},
		{"after a transfer", lead, func(w *world, _ purser.Pos) {
			w.event(purser.ContactEvent{Event: purser.EventTransferred, Contact: call, Agent: agent(1), To: agent(2)})
		}, purser.NotClaimed},
		{"twice", lead, func(w *world, asked purser.Pos) {
			w.apply(&purser.BreakGlassApproved{Who: lead, Contact: call, Asked: asked})
		}, purser.BreakGlassOpen},
		{"when another customer was bound since", lead, func(w *world, _ purser.Pos) {
			w.identify(call, actor(1, 1), customer+1)
		}, purser.BreakGlassOpen},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			who := w.connect()
			_, why := w.book.BreakGlass(call, who.Session, customer, w.at)
			wantReason(t, "ask", why, purser.Allowed)
			asked := w.apply(&purser.BreakGlass{Who: who, Contact: call, Customer: customer, Emergency: purser.EmergencySafety})
			_, why = w.book.BreakGlass(call, who.Session, customer, w.at)
			wantReason(t, "ask again", why, purser.Allowed)
			c.do(w, asked)
			_, why = w.book.ApproveBreakGlass(call, c.lead, asked, w.at)
			wantReason(t, "approve", why, c.want)
			if why != purser.Allowed {
				return
			}
			w.apply(&purser.BreakGlassApproved{Who: lead, Contact: call, Asked: asked})
			h := w.held(call, who, purser.Allowed)
			wantBound(t, h, customer, purser.A0)
			if !h.Emergency {
				t.Fatal("bound without the emergency mark")
			}
		})
	}
}

// What was asked last counts, so that a mistyped item is no dead end. An ask
// that led to nobody voids the one before it like any other: were it not so, a
// lead's yes would tell them apart. Seen to fail with an ask that leads to
// nobody ignored where there is one already, and with the person not compared.
func TestBreakGlassIsAskedAnew(t *testing.T) {
	lead := actor(4, 1)
	for name, second := range map[string]purser.BreakGlass{
		"for somebody else":          {Customer: customer + 1},
		"for the same":               {Customer: customer},
		"for nobody":                 {Reason: purser.Unknown},
		"for more than one":          {Reason: purser.Several},
		"over what he may ask a day": {Reason: purser.BudgetBreak},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			who := w.connect()
			first := w.apply(&purser.BreakGlass{Who: who, Contact: call, Customer: customer})
			second.Who, second.Contact = who, call
			asked := w.apply(&second)
			oldest, newest := purser.BreakGlassOpen, purser.Allowed
			if second.Reason == purser.BudgetBreak { // changes nothing
				oldest = purser.Allowed
			}
			if second.Reason != purser.Allowed {
				newest = purser.BreakGlassOpen
			}
			_, why := w.book.ApproveBreakGlass(call, lead, first, w.at)
			wantReason(t, "approve the first", why, oldest)
			_, why = w.book.ApproveBreakGlass(call, lead, asked, w.at)
			wantReason(t, "approve the second", why, newest)
			if newest == purser.Allowed {
				w.apply(&purser.BreakGlassApproved{Who: lead, Contact: call, Asked: asked})
				wantBound(t, w.held(call, who, purser.Allowed), second.Customer, purser.A0)
				_, why = w.book.BreakGlass(call, who.Session, second.Customer, w.at)
				wantReason(t, "ask after the approval", why, purser.BreakGlassOpen)
			}
		})
	}
	w := newWorld(t)
	w.apply(&purser.BreakGlass{Who: w.connect(), Contact: call, Customer: customer})
	w.event(purser.ContactEvent{Event: purser.EventTransferred, Contact: call, Agent: agent(1), To: agent(2)})
	other := actor(2, 1)
	w.apply(&purser.Claim{Who: other, Contact: call})
	_, why := w.book.BreakGlass(call, other.Session, customer, w.at)
	wantReason(t, "ask in another's place", why, purser.BreakGlassOpen)
}

func TestUndo(t *testing.T) {
	w := newWorld(t)
	who, lead := w.connect(), actor(4, 1)
	wantReason(t, "unbound", w.book.Undo(call, lead, w.at), purser.NotBound)
	w.identify(call, who, 0)
	w.identify(call, who, customer)
	w.apply(&purser.Disclosure{Who: who, Contact: call, Customer: customer, Flags: purser.FirstDisclosure})
	wantReason(t, "by the holder", w.book.Undo(call, who, w.at), purser.SameHuman)
	wantReason(t, "by a lead", w.book.Undo(call, lead, w.at), purser.Allowed)
	w.apply(&purser.BindingUndone{Who: lead, Contact: call})
	h := w.held(call, who, purser.Allowed)
	wantBound(t, h, 0, purser.A0)
	if h.Tries != contact.MaxTries-1 || h.First(customer) || !h.First(customer+1) {
		t.Fatalf("after undoing: got %d tries left, shown %v", h.Tries, h.Shown)
	}
	wantReason(t, "identify", w.identify(call, who, customer+1), purser.Allowed)
	wantReason(t, "a second time", w.book.Undo(call, lead, w.at), purser.TriesSpent)
}

func TestResume(t *testing.T) {
	back := purser.ContactID{2}
	for _, c := range []struct {
		name string
		tune func(*purser.ContactEvent)
		do   func(w *world) purser.Actor
		want purser.Ordinal
	}{
		{"at once", nil, func(*world) purser.Actor { return actor(1, 1) }, customer},
		{"after four minutes", nil, func(w *world) purser.Actor { w.pass(4 * purser.Minute); return actor(1, 1) }, customer},
		{"after six minutes", nil, func(w *world) purser.Actor { w.pass(6 * purser.Minute); return actor(1, 1) }, 0},
		{"another number", func(e *purser.ContactEvent) { e.Caller++ }, func(*world) purser.Actor { return actor(1, 1) }, 0},
		{"not attested", func(e *purser.ContactEvent) { e.Attested = purser.AttestNone }, func(*world) purser.Actor { return actor(1, 1) }, 0},
		{"withheld", func(e *purser.ContactEvent) { e.Caller = 0 }, func(*world) purser.Actor { return actor(1, 1) }, 0},
		{"outbound", outbound, func(*world) purser.Actor { return actor(1, 1) }, 0},
		{"a new session of the person", nil, func(w *world) purser.Actor {
			w.apply(&purser.SessionOpened{Who: actor(1, 2), Level: purser.LevelDesk})
			return actor(1, 2)
		}, 0},
		{"undone by a lead since", nil, func(w *world) purser.Actor {
			w.apply(&purser.BindingUndone{Who: actor(4, 1), Contact: call})
			return actor(1, 1)
		}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.identify(call, w.connect(), customer)
			w.event(purser.ContactEvent{Event: purser.EventHungUp, Contact: call})
			who := c.do(w)
			e := purser.ContactEvent{
				Event: purser.EventConnected, Contact: back, Agent: agent(1),
				Caller: 99, Attested: purser.AttestCarrier,
			}
			if c.tune != nil {
				c.tune(&e)
			}
			w.event(e)
			w.claim(back, who, purser.Allowed)
			if h := w.held(back, who, purser.Allowed); h.Customer != c.want {
				t.Fatalf("got customer %d, want %d", h.Customer, c.want)
			}
			if c.want == 0 {
				return
			}
			w.event(purser.ContactEvent{Event: purser.EventHungUp, Contact: back})
			again := purser.ContactID{3}
			w.event(purser.ContactEvent{
				Event: purser.EventConnected, Contact: again, Agent: agent(1), Caller: 99, Attested: purser.AttestCarrier,
			})
			w.claim(again, who, purser.Allowed)
			wantBound(t, w.held(again, who, purser.Allowed), 0, purser.A0)
		})
	}
}
