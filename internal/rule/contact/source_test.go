package contact_test

import (
	"testing"

	"pgregory.net/rapid"

	"purser"
	"purser/internal/rule/contact"
)

func heartbeat() purser.ContactEvent { return purser.ContactEvent{Event: purser.EventHeartbeat} }

func TestEventBeforeItIsRecorded(t *testing.T) {
	for _, c := range []struct {
		name   string
		do     func(w *world) purser.ContactEvent
		repeat bool
		want   purser.Reason
	}{
		{"the next", func(w *world) purser.ContactEvent { return w.next(heartbeat()) }, false, purser.Allowed},
		{"after a gap", func(w *world) purser.ContactEvent { w.seq += 3; return w.next(heartbeat()) }, false, purser.Allowed},
		{"the same again", func(w *world) purser.ContactEvent {
			e := w.next(heartbeat())
			w.deliver(e)
			return e
		}, true, purser.Allowed},
		{"the same again while it waits for a gap", func(w *world) purser.ContactEvent {
			w.seq++
			e := w.next(heartbeat())
			w.deliver(e)
			return e
		}, true, purser.Allowed},
		{"the same number with other bytes", func(w *world) purser.ContactEvent {
			e := w.next(heartbeat())
			w.deliver(e)
			e.Body[3]++
			return e
		}, false, purser.EventMismatch},
		{"after a mismatch", func(w *world) purser.ContactEvent {
			e := w.next(heartbeat())
			w.deliver(e)
			e.Body[3]++
			w.deliver(e)
			return w.next(heartbeat())
		}, false, purser.Locked},
		{"older than is remembered", func(w *world) purser.ContactEvent {
			e := w.next(heartbeat())
			w.deliver(e)
			for range 1024 {
				w.event(heartbeat())
			}
			e.Body[3]++
			return e
		}, true, purser.SourceStale},
		{"passed over by a snapshot", func(w *world) purser.ContactEvent {
			late := w.next(heartbeat())
			w.event(heartbeat())
			w.at += 6 * purser.Second
			w.event(purser.ContactEvent{Event: purser.EventSnapshot})
			return late
		}, true, purser.SourceStale},
		{"number too high", func(w *world) purser.ContactEvent {
			w.seq = contact.MaxSequence + 1
			return w.next(heartbeat())
		}, true, purser.SourceStale},
		{"unknown source", func(w *world) purser.ContactEvent {
			e := w.next(heartbeat())
			e.Source = purser.SourceID{9}
			return e
		}, false, purser.NoStanding},
		{"suspended source", func(w *world) purser.ContactEvent {
			w.apply(&purser.SourceSet{Source: source, Vendor: vendor, Status: purser.StatusSuspended})
			return w.next(heartbeat())
		}, false, purser.NoStanding},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			e := c.do(w)
			repeat, why := w.book.Event(&e, w.at)
			if repeat != c.repeat || why != c.want {
				t.Fatalf("got repeat %v, reason %d; want %v, %d", repeat, why, c.repeat, c.want)
			}
		})
	}
}

func TestStale(t *testing.T) {
	parts := func(w *world) []purser.ContactEvent {
		again := purser.ContactID{0xff}
		return []purser.ContactEvent{
			w.next(purser.ContactEvent{Event: purser.EventSnapshot, More: true, Live: []purser.LiveContact{{Contact: call, Agent: agent(1)}}}),
			w.next(purser.ContactEvent{Event: purser.EventSnapshot, More: true, Contact: again}),
			w.next(purser.ContactEvent{Event: purser.EventSnapshot, Contact: again}),
		}
	}
	for _, c := range []struct {
		name string
		do   func(w *world)
		want bool
	}{
		{"a snapshot in parts", func(w *world) {
			for _, e := range parts(w) {
				w.deliver(e)
			}
		}, false},
		{"in parts, out of order", func(w *world) {
			p := parts(w)
			w.deliver(p[2])
			w.deliver(p[1])
			w.deliver(p[0])
		}, false},
		{"in parts, after a gap", func(w *world) {
			w.seq += 7
			for _, e := range parts(w) {
				w.deliver(e)
			}
		}, false},
		{"without its first part", func(w *world) {
			for _, e := range parts(w)[1:] {
				w.deliver(e)
			}
		}, true},
		{"without a middle part", func(w *world) {
			p := parts(w)
			w.deliver(p[0])
			w.deliver(p[2])
		}, true},
		{"broken off by another event", func(w *world) {
			w.deliver(parts(w)[0])
			w.seq -= 2
			w.event(heartbeat())
			w.event(purser.ContactEvent{Event: purser.EventSnapshot, Contact: purser.ContactID{0xff}})
		}, true},
		{"heartbeats alone", func(w *world) { w.pass(purser.Minute) }, true},
		{"a number far ahead, then the true ones", func(w *world) {
			was := w.seq
			w.seq += 1 << 40
			w.event(heartbeat())
			w.seq = was
			w.at += 6 * purser.Second
			w.event(purser.ContactEvent{Event: purser.EventSnapshot, Live: []purser.LiveContact{{Contact: call, Agent: agent(1)}}})
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.connect()
			w.at += contact.Silence + purser.Second
			if !w.book.Stale(source, w.at) {
				t.Fatal("fresh after silence")
			}
			c.do(w)
			if got := w.book.Stale(source, w.at); got != c.want {
				t.Fatalf("stale: got %v, want %v", got, c.want)
			}
			got, _ := w.book.Contact(call, w.at)
			if !c.want && got.Phase != contact.PhaseConnected {
				t.Fatalf("phase: got %d", got.Phase)
			}
		})
	}
}

func TestNewSourceStartsWithASnapshot(t *testing.T) {
	w := &world{tb: t, at: purser.Hour, seq: 5000}
	w.apply(&purser.SourceSet{Source: source, Vendor: vendor, Status: purser.StatusActive})
	w.event(purser.ContactEvent{Event: purser.EventConnected, Contact: call, Agent: agent(1)})
	if !w.book.Stale(source, w.at) {
		t.Fatal("fresh before its first snapshot")
	}
	if _, ok := w.book.Contact(call, w.at); ok {
		t.Fatal("an event before the first snapshot had an effect")
	}
	w.event(purser.ContactEvent{Event: purser.EventSnapshot})
	if s, _ := w.book.Source(source); w.book.Stale(source, w.at) || s.Next != 5002 {
		t.Fatalf("after the first snapshot: got next %d", s.Next)
	}
}

func TestLockedSourceComesBackWithASnapshot(t *testing.T) {
	w := newWorld(t)
	who := w.connect()
	e := w.next(heartbeat())
	w.deliver(e)
	e.Body[0]++
	w.deliver(e)
	if s, _ := w.book.Source(source); !s.Locked {
		t.Fatal("not locked")
	}
	w.apply(&purser.SourceSet{Source: source, Vendor: vendor, Status: purser.StatusActive, Secret: purser.Commitment{2}})
	w.seq = 0
	w.held(call, who, purser.SourceStale)
	w.event(purser.ContactEvent{Event: purser.EventSnapshot, Live: []purser.LiveContact{{Contact: call, Agent: agent(1)}}})
	w.held(call, who, purser.Allowed)
}

func TestContactsOfOneSourceAreNoBusinessOfAnother(t *testing.T) {
	w := newWorld(t)
	who := w.connect()
	other := purser.SourceID{2}
	w.apply(&purser.SourceSet{Source: other, Vendor: vendor, Status: purser.StatusActive})
	for seq, e := range []purser.ContactEvent{
		{Event: purser.EventSnapshot, Live: []purser.LiveContact{{Contact: call, Agent: agent(2)}}},
		{Event: purser.EventTransferred, Contact: call, Agent: agent(1), To: agent(2)},
		{Event: purser.EventHungUp, Contact: call},
		{Event: purser.EventClosed, Contact: call},
		{Event: purser.EventKeypad, Contact: call, Keyed: purser.Commitment{1}},
	} {
		e.Source, e.Seq = other, uint64(seq)
		w.deliver(e)
	}
	w.held(call, who, purser.Allowed)
	if _, ok := w.book.Keyed(call); ok {
		t.Fatal("another source keyed digits")
	}
}

// Whatever order a source's events arrive in within the time allowed, and
// however often, the contacts come out the same.
func TestOrderOfArrivalDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		inOrder, shuffled := newWorld(t), newWorld(t)
		var events []purser.ContactEvent
		for range rapid.IntRange(1, 30).Draw(t, "events") {
			events = append(events, inOrder.next(anyEvent(t)))
		}
		for _, e := range events {
			inOrder.deliver(e)
		}
		late := append(events, events[:rapid.IntRange(0, len(events)).Draw(t, "twice")]...)
		for _, e := range rapid.Permutation(late).Draw(t, "arrival") {
			shuffled.at += 10 * purser.Millisecond
			shuffled.deliver(e)
		}
		for n := range byte(3) {
			id := purser.ContactID{n + 1}
			got, want := plain(shuffled, id), plain(inOrder, id)
			if got != want {
				t.Fatalf("contact %d: got %+v, want %+v", n+1, got, want)
			}
		}
	})
}

// shape is what the order of arrival must not change.
type shape struct {
	there    bool
	phase    contact.Phase
	stale    bool
	outbound bool
	caller   purser.Tag
	legs     [2]contact.Leg
}

func plain(w *world, id purser.ContactID) shape {
	c, ok := w.book.Contact(id, w.at)
	s := shape{there: ok, phase: c.Phase, stale: c.Stale, outbound: c.Outbound, caller: c.Caller}
	copy(s.legs[:], c.Legs)
	return s
}

// anyEvent is one of any kind about three contacts and four agents.
func anyEvent(t *rapid.T) purser.ContactEvent {
	kind := rapid.SampledFrom([]purser.Event{
		purser.EventOffered, purser.EventConnected, purser.EventConnected, purser.EventHeld, purser.EventConsult,
		purser.EventConference, purser.EventTransferred, purser.EventLeft, purser.EventHungUp, purser.EventClosed,
		purser.EventHeartbeat,
	}).Draw(t, "event")
	return purser.ContactEvent{
		Event:    kind,
		Contact:  purser.ContactID{rapid.ByteRange(1, 3).Draw(t, "contact")},
		Agent:    agent(rapid.ByteRange(1, 4).Draw(t, "agent")),
		To:       agent(rapid.ByteRange(1, 4).Draw(t, "to")),
		Caller:   purser.Tag(rapid.Uint64Range(0, 2).Draw(t, "caller")),
		Outbound: rapid.IntRange(0, 9).Draw(t, "outbound") == 0,
	}
}
