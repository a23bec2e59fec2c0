package contact_test

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"purser"
	"purser/internal/rule/contact"
)

// oneCall is a contact as a switch would tell it, and nothing more.
type oneCall struct {
	there, gone   bool
	ringing, over bool
	closed        bool // over, and wrapped up too
	opened        purser.Stamp
	ended         purser.Stamp
	holders       []byte // agents with the customer, at most two
	consulted     byte   // an agent asked by the first; zero: none
	claims        map[byte]purser.Actor
}

// model is what the Book must agree with: calls in order, and who is logged in.
type model struct {
	calls    map[byte]*oneCall
	sessions map[byte]byte // number of the agent's desk session; zero: none
	logins   byte
	heard    purser.Stamp
	stale    bool
	locked   bool
	unsynced bool // registered again, no snapshot yet
}

func newModel(at purser.Stamp) *model {
	m := &model{calls: map[byte]*oneCall{}, sessions: map[byte]byte{}, heard: at}
	for n := byte(1); n <= 3; n++ {
		m.calls[n] = &oneCall{}
	}
	return m
}

// silent brings staleness up to date before anything happens at at.
func (m *model) silent(at purser.Stamp) {
	if at-m.heard > 20*purser.Minute {
		for _, c := range m.calls {
			c.end(m.heard + 20*purser.Minute)
		}
	}
	m.stale = m.stale || at-m.heard > 15*purser.Second
}

func (c *oneCall) live() bool { return c.there && !c.over && !c.gone }

// end is an end that no event told.
func (c *oneCall) end(at purser.Stamp) {
	if c.live() {
		c.gone, c.ended = true, at
	}
}

// forget makes the call's name free again.
func (c *oneCall) forget(at purser.Stamp) {
	free := at-c.opened > 24*purser.Hour
	switch {
	case c.closed || c.gone:
		free = at-c.ended > 10*purser.Minute
	case c.over:
		free = at-c.opened > 3*purser.Hour+10*purser.Minute
	}
	if free {
		*c = oneCall{}
	}
}

func (c *oneCall) drop(agent byte) {
	c.holders = slices.DeleteFunc(c.holders, func(n byte) bool { return n == agent })
	delete(c.claims, agent)
	if c.consulted == agent {
		c.consulted = 0
	}
}

// start begins a call, or takes up one that was thought gone.
func (c *oneCall) start(agent byte, at purser.Stamp, ringing bool) {
	if !c.there {
		c.there, c.opened = true, at
	}
	c.gone, c.consulted = false, 0
	c.ringing, c.holders, c.claims = ringing, []byte{agent}, map[byte]purser.Actor{}
}

func (m *model) event(e purser.Event, c *oneCall, from, to byte, at purser.Stamp) {
	begins := e == purser.EventOffered || e == purser.EventConnected
	if begins && !c.over && (!c.there || c.gone) {
		c.start(from, at, e == purser.EventOffered)
	}
	if e == purser.EventClosed && c.over && !c.closed && at-c.opened <= 24*purser.Hour {
		c.closed, c.ended = true, at
	}
	if !c.live() {
		return
	}
	old := at-c.opened > 3*purser.Hour
	holds := slices.Contains(c.holders, from)
	switch {
	case e == purser.EventHungUp || e == purser.EventClosed:
		c.over, c.closed, c.ended = true, e == purser.EventClosed, at
	case old:
	case begins && c.ringing && !holds:
		c.start(from, at, e == purser.EventOffered)
	case e == purser.EventConnected && holds:
		c.ringing = false
	case e == purser.EventConsult && !c.ringing && c.holders[0] == from && len(c.holders) == 1 && c.consulted == 0 && to != from:
		c.consulted = to
	case e == purser.EventConference && c.consulted == to && to != 0:
		c.holders, c.consulted = append(c.holders, to), 0
	case e == purser.EventTransferred && holds && to != from:
		m.transfer(c, from, to)
	case e == purser.EventLeft && c.consulted == from:
		c.drop(from)
	case e == purser.EventLeft && holds && len(c.holders) == 2:
		c.drop(from)
	}
}

func (m *model) transfer(c *oneCall, from, to byte) {
	if c.consulted == to || slices.Contains(c.holders, to) {
		c.drop(from)
		c.holders, c.consulted = []byte{to}, 0
		return
	}
	i := slices.Index(c.holders, from)
	delete(c.claims, from)
	c.holders[i] = to
	if c.consulted != 0 {
		delete(c.claims, c.consulted)
		c.consulted = 0
	}
}

// listed is a whole snapshot with the given contacts.
func (m *model) listed(live map[byte]byte, at purser.Stamp) {
	for id, c := range m.calls {
		agent, in := live[id]
		switch {
		case c.over:
		case !in:
			c.end(at)
		case !c.there || c.gone:
			c.start(agent, at, false)
		default:
			for _, n := range append(slices.Clone(c.holders), c.consulted) {
				if n != agent {
					c.drop(n)
				}
			}
			c.holders, c.consulted, c.ringing = []byte{agent}, 0, false
		}
	}
	m.stale, m.unsynced = false, false
}

func (m *model) login(w *world, n byte) {
	m.logins++
	m.logout(n)
	m.sessions[n] = m.logins
	w.apply(&purser.SessionOpened{Who: actor(n, m.logins), Level: purser.LevelDesk})
}

func (m *model) logout(n byte) {
	if m.sessions[n] == 0 {
		return
	}
	for _, c := range m.calls {
		if c.claims[n].Session == actor(n, m.sessions[n]).Session {
			delete(c.claims, n)
		}
	}
	m.sessions[n] = 0
}

// mayHold is the rule of L4: the contact's part of it, in one line each.
func (m *model) mayHold(c *oneCall, who purser.Actor, n byte, at purser.Stamp) bool {
	claimed := !who.Session.Zero() && c.claims[n].Session == who.Session
	withCustomer := slices.Contains(c.holders, n) && !c.ringing
	young := at-c.opened <= 3*purser.Hour
	fresh := !m.stale && !m.locked && at-m.heard <= 15*purser.Second
	return c.live() && claimed && withCustomer && young && fresh
}

// TestLaw04OnlyTheHolderOfALiveContactHolds runs the Book against the model:
// after anything that may happen, Held allows exactly what L4 allows, and the
// state survives being written, read, tried and thrown away.
func TestLaw04OnlyTheHolderOfALiveContactHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		m := newModel(w.at)
		deliver := func(e purser.ContactEvent) bool {
			m.silent(w.at + 1)
			_, why := w.deliver(w.next(e))
			if why == purser.Allowed {
				m.heard = w.at
			}
			return why == purser.Allowed
		}
		agents, calls := rapid.ByteRange(1, 4), rapid.ByteRange(1, 3)
		happen := func(t *rapid.T) {
			e := anyEvent(t)
			e.Outbound = false
			if c := m.calls[e.Contact[0]]; c.live() && rapid.Bool().Draw(t, "by a holder") {
				e.Agent = agent(c.holders[0])
			}
			if deliver(e) && !m.unsynced && e.Event != purser.EventHeartbeat {
				m.event(e.Event, m.calls[e.Contact[0]], e.Agent[1], e.To[1], w.at)
			}
		}
		claim := func(t *rapid.T) {
			n, id := agents.Draw(t, "agent"), calls.Draw(t, "contact")
			if c := m.calls[id]; c.live() && rapid.Bool().Draw(t, "by whom it is for") {
				n = c.holders[0]
				if c.consulted != 0 {
					n = c.consulted
				}
			}
			if m.sessions[n] == 0 {
				m.login(w, n)
			}
			who, c := actor(n, m.sessions[n]), m.calls[id]
			why := w.book.Claim(purser.ContactID{id}, who, w.at)
			w.apply(&purser.Claim{Who: who, Contact: purser.ContactID{id}, Reason: why})
			_, taken := c.claims[n]
			mine := c.live() && (slices.Contains(c.holders, n) || c.consulted == n) && !taken
			want := mine && !m.stale && !m.locked && w.at-1-m.heard <= 15*purser.Second && w.at-1-c.opened <= 3*purser.Hour
			if (why == purser.Allowed) != want {
				t.Fatalf("claim by agent %d: got reason %d, want allowed %v", n, why, want)
			}
			if want {
				c.claims[n] = who
			}
		}
		for id := byte(1); id <= 3; id++ { // a desk at work
			m.login(w, id)
			deliver(purser.ContactEvent{Event: purser.EventConnected, Contact: purser.ContactID{id}, Agent: agent(id)})
			m.event(purser.EventConnected, m.calls[id], id, 0, w.at)
		}
		t.Repeat(map[string]func(*rapid.T){
			"event": happen, "event2": happen, "event3": happen, "event4": happen, "event5": happen,
			"claim": claim, "claim2": claim, "claim3": claim,
			"login": func(t *rapid.T) { m.login(w, agents.Draw(t, "agent")) },
			"logout": func(t *rapid.T) {
				n := agents.Draw(t, "agent")
				w.apply(&purser.SessionEnded{Session: actor(n, m.sessions[n]).Session, Why: purser.EndLogout})
				m.logout(n)
			},
			"a moment": func(*rapid.T) { w.at += 3 * purser.Second },
			"silence": func(t *rapid.T) {
				w.at += rapid.SampledFrom([]purser.Stamp{16 * purser.Second, 21 * purser.Minute}).Draw(t, "how long")
			},
			"hours": func(*rapid.T) {
				m.silent(w.at + 4*purser.Second + 1)
				w.pass(contact.Longest / 2)
				if !m.locked {
					m.heard = w.at
				}
				m.silent(w.at)
			},
			"coding":    func(t *rapid.T) { checkCoding(t, w) },
			"heartbeat": func(*rapid.T) { deliver(heartbeat()) },
			"all as it was": func(*rapid.T) {
				e, live := purser.ContactEvent{Event: purser.EventSnapshot}, map[byte]byte{}
				for _, id := range []byte{1, 2, 3} {
					if c := m.calls[id]; c.live() && !c.ringing {
						live[id] = c.holders[0]
						e.Live = append(e.Live, purser.LiveContact{Contact: purser.ContactID{id}, Agent: agent(live[id])})
					}
				}
				if (m.stale || m.unsynced) && deliver(e) {
					m.listed(live, w.at)
				}
			},
			"snapshot": func(t *rapid.T) {
				live := rapid.MapOf(calls, agents).Draw(t, "live")
				e := purser.ContactEvent{Event: purser.EventSnapshot}
				for _, id := range []byte{1, 2, 3} {
					if n, in := live[id]; in {
						e.Live = append(e.Live, purser.LiveContact{Contact: purser.ContactID{id}, Agent: agent(n)})
					}
				}
				if deliver(e) {
					m.listed(live, w.at)
				}
			},
			"forged": func(*rapid.T) {
				e := w.next(heartbeat())
				m.silent(w.at + 1)
				if _, why := w.deliver(e); why == purser.Allowed {
					m.heard = w.at
				}
				e.Body[5] ^= 1
				w.deliver(e)
				m.locked = true
			},
			"registered again": func(*rapid.T) {
				w.apply(&purser.SourceSet{Source: source, Vendor: vendor, Trust: purser.TrustCarrier, Status: purser.StatusActive})
				m.stale, m.unsynced, m.locked = m.stale || m.locked, m.unsynced || m.locked, false
			},
			"commit": func(*rapid.T) { w.book.Commit() },
			"sweep": func(*rapid.T) {
				m.silent(w.at)
				for _, c := range m.calls {
					c.forget(w.at)
				}
				w.book.Sweep(w.at)
			},
			"": func(t *rapid.T) { m.check(t, w) },
		})
	})
}

func (m *model) check(t *rapid.T, w *world) {
	silence := *m
	silence.stale = m.stale || w.at-m.heard > 15*purser.Second
	for id, c := range m.calls {
		for n := byte(1); n <= 4; n++ {
			who := actor(n, m.sessions[n])
			if m.sessions[n] == 0 {
				who.Session = purser.SessionID{}
			}
			_, why := w.book.Held(purser.ContactID{id}, who.Session, w.at)
			want := silence.mayHold(c, who, n, w.at)
			if (why == purser.Allowed) != want {
				t.Fatalf("contact %d, agent %d: got reason %d, want allowed %v", id, n, why, want)
			}
		}
	}
}

// checkCoding wants one encoding, which reads back to itself, and a Discard
// that leaves no trace.
func checkCoding(t *rapid.T, w *world) {
	b := w.encode()
	var again contact.Book
	c := purser.NewDecoder(b)
	again.Code(c)
	if err := c.End(); err != nil {
		t.Fatalf("decode: %v", err)
	}
	e := purser.NewEncoder(nil)
	again.Code(e)
	if !bytes.Equal(b, e.Bytes()) {
		t.Fatal("a second encoding differs")
	}
	_ = again.Apply(purser.Header{Stamp: w.at + purser.Hour}, &purser.SourceSet{Source: source, Secret: purser.Commitment{9}})
	again.Sweep(w.at + purser.Day)
	again.Discard()
	e = purser.NewEncoder(nil)
	again.Code(e)
	if !bytes.Equal(b, e.Bytes()) {
		t.Fatal("discard left a trace")
	}
}
