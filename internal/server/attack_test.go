package server_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"testing"
	"time"

	"purser"
	"purser/internal/synth"
	"purser/internal/telephony"
)

// thief is somebody who took a session with its token and its request key.
func (m *member) thief() *member {
	other := *m
	other.client = synth.NewClient(m.client.Token(), m.client.Key(), m.a.clock)
	return &other
}

// A stolen session, with its key, at full speed, and no contact of its own: no
// field, and every try is an entry or in a count.
func TestAttack01StolenSessionWithoutContact(t *testing.T) {
	a := newAirline(t, 30)
	victim, other := a.hire(0, "desk", "agent"), a.hire(0, "desk", "agent")
	_, busy := other.identified(a.people(1)[0])
	thief := victim.thief()
	const tries = 60
	for i := range tries {
		c := busy
		if i%2 == 0 {
			c = purser.ContactID{byte(i), 7}
		}
		for act, body := range map[string]any{
			"disclose": fields("name", "loyalty_number", "email:masked"), "identify": a.items(i % 20), "claim": nil,
			"code": a.items(i % 20), "code/try": dict{"digits": fmt.Sprintf("%06d", i)},
			"break-glass": dict{"items": a.items(i % 20)["items"], "emergency": "safety"},
		} {
			got := thief.ask(http.MethodPost, at(c, act), body)
			if got.status != http.StatusForbidden {
				t.Fatalf("%s: got %d, want 403", act, got.status)
			}
			a.holdsNone(t, act, got.body)
		}
		got := thief.ask(http.MethodGet, "/v1/contacts", nil)
		if string(got.body) != "{\"contacts\":[]}\n" {
			t.Fatalf("the list shows %d bytes", len(got.body))
		}
		a.pass(200 * time.Millisecond)
	}
	a.pass(time.Minute + time.Second)
	other.does("/v1/logout", nil) // anything at all: a count is written beside what comes next
	all := a.entries()
	if n, _ := shown(all); n != 0 {
		t.Fatalf("got %d disclosures, want none", n)
	}
	for _, k := range []purser.Kind{purser.KindDisclosure, purser.KindAttempt} {
		if times, entries := refusals(all, victim.session, k); times != tries || entries >= tries {
			t.Errorf("kind %v: got %d refusals in %d entries, want %d in fewer", k, times, entries, tries)
		}
	}
	if len(a.mail.Letters()) != 0 {
		t.Error("a code went out")
	}
}

// One real call, held open, and many customers tried under it: one is shown.
func TestAttack07ManyCustomersUnderOneCall(t *testing.T) {
	a := newAirline(t, 60)
	m := a.hire(0, "desk", "agent")
	who := a.people(12)
	call, c := m.identified(who[0])
	m.does(at(c, "disclose"), fields("name"))
	for _, i := range who[1:] {
		m.refused("not_enough", at(c, "identify"), a.items(i))
		m.refused("not_enough", at(c, "link"), a.items(i))
		m.says(at(c, "code"), a.items(i))
		m.says(at(c, "break-glass"), dict{"items": a.items(i)["items"], "emergency": "travel_now"})
		m.does(at(c, "disclose"), fields("name"))
	}
	for range 40 { // hours on the same line
		m.event(purser.EventHeld, telephony.Data{Call: call, Agent: m.agent})
		a.pass(8 * time.Second)
		m.event(purser.EventConnected, telephony.Data{Call: call, Agent: m.agent})
		m.says(at(c, "identify"), a.items(who[2]))
		m.does(at(c, "disclose"), fields("name"))
	}
	if _, customers := shown(a.entries()); len(customers) != 1 {
		t.Errorf("got %d customers under one call, want 1", len(customers))
	}
	if n := len(a.mail.Letters()); n != 0 {
		t.Errorf("got %d letters to customers who are not on the line", n)
	}
	a.leap(3*time.Hour, telephony.Live{Call: call, Agent: m.agent})
	m.refused("ask_your_lead", at(c, "disclose"), fields("name"))
}

// Enumeration: three tries a contact and twenty failures a day for one agent;
// five failures against a customer over all agents.
func TestAttack09Enumeration(t *testing.T) {
	a := newAirline(t, 60)
	m := a.hire(0, "desk", "agent")
	guess := func(i, n int) dict {
		return dict{"items": []dict{
			{"kind": "loyalty_number", "said": a.customers[i].LoyaltyNumber},
			{"kind": "birth_date", "said": fmt.Sprintf("18%02d-01-02", n)},
		}}
	}
	who := a.people(30)
	failed, lead := 0, 0
	for n := range 30 {
		_, c := m.claimed()
		for range 4 {
			_, got := m.says(at(c, "identify"), guess(who[n], n))
			switch got.Answer {
			case "not_enough":
				failed++
			case "ask_your_lead":
				lead++
			default:
				t.Fatalf("a guess was answered %q", got.Answer)
			}
		}
	}
	if _, c := m.claimed(); true {
		m.refused("ask_your_lead", at(c, "identify"), a.items(who[0]))
	}
	if failed != 26 || lead != 94 { // 20 compared, and the fourth of each contact till then
		t.Errorf("got %d tries answered and %d sent to a lead, want 26 and 94", failed, lead)
	}
	victim := who[29] // nobody came that far
	for n := range 5 {
		each := a.hire(n%2, "desk", "agent")
		_, c := each.claimed()
		each.refused("not_enough", at(c, "identify"), guess(victim, 50+n))
	}
	sixth := a.hire(0, "desk", "agent")
	_, c := sixth.claimed()
	got := sixth.refused("not_enough", at(c, "identify"), a.items(victim)) // right, and it reads the same
	if why := a.reasonOf(got.Reference); why != "*purser.AttemptResult: "+purser.CustomerLimited.String() {
		t.Errorf("got %s, want the customer's limit", why)
	}
	sixth.does(at(c, "code"), a.items(victim)) // the stronger way is open
	sixth.does(at(c, "code/try"), dict{"digits": a.code(victim, 1)})
	if got := sixth.does(at(c, "disclose"), fields("name")); len(got.Fields) != 1 {
		t.Error("the real customer is shut out")
	}
}

// code waits for the n-th letter to customer i and returns its digits.
func (a *airline) code(i, n int) string {
	a.t.Helper()
	letter, err := a.mail.WaitForNth(a.t.Context(), a.customers[i].Email, n)
	must(a.t, err)
	return letter.Text[:6]
}

// An admin brings his own switch, or maps an agent id to a login that he
// stole: it takes a second person of another role, four hours, and nobody of
// security who says no.
func TestAttack19AdminBringsHisOwnSwitch(t *testing.T) {
	a := newAirline(t, 10)
	admin, second := a.hire(0, "office", "admin", "security"), a.hire(0, "office", "admin", "privacy")
	security, watch := a.hire(0, "office", "security"), a.hire(0, "office", "security")
	stolen := a.hire(1, "desk", "agent")
	source := dict{"as": "admin", "source": dict{"name": "mine", "vendor": a.vendors[1]}}
	vote := func(c purser.ChangeID) string { return "/v1/changes/" + c.String() + "/vote" }
	approve := func(as string) dict { return dict{"as": as, "vote": "approve"} }

	a.leap(6 * time.Minute)
	admin.refused("ask_your_lead", "/v1/changes", source) // no step-up
	stolen.refused("ask_your_lead", "/v1/changes", source)
	admin.stepUp()
	made := admin.does("/v1/changes", source)
	if made.Change.Zero() || made.Entry != 0 {
		t.Fatalf("a source took effect at once: %+v", made.Change)
	}
	secret, err := base64.StdEncoding.DecodeString(made.Secret)
	must(t, err)
	mine := telephony.NewClient(made.Source, secret, 1, a.clock.Now, a.event)
	if mine.Snapshot(t.Context(), nil) == nil {
		t.Fatal("an event of a source that is only proposed was taken")
	}
	admin.refused("ask_your_lead", vote(made.Change), approve("admin"))
	admin.refused("ask_your_lead", vote(made.Change), approve("security")) // the same human in another role
	second.stepUp()
	second.refused("ask_your_lead", vote(made.Change), approve("admin")) // the same role
	second.does(vote(made.Change), approve("privacy"))
	a.pass(30 * time.Second) // the background job looks, and may not
	if mine.Snapshot(t.Context(), nil) == nil {
		t.Fatal("an event was taken before the hold ran out")
	}
	watch.does(vote(made.Change), dict{"as": "security", "vote": "veto"}) // single, without a step-up
	a.leap(5 * time.Hour)
	a.pass(20 * time.Second)
	if mine.Snapshot(t.Context(), nil) == nil {
		t.Fatal("a vetoed source speaks")
	}

	mapping := dict{"as": "admin", "map": dict{"source": a.phones[1].id, "agent": "spare", "person": stolen.person}}
	admin.stepUp()
	mapped := admin.does("/v1/changes", mapping)
	security.stepUp()
	security.does(vote(mapped.Change), approve("security"))
	ring := func() purser.ContactID {
		p := a.phones[1]
		p.calls++
		call := fmt.Sprintf("spare %d", p.calls)
		must(t, p.Emit(t.Context(), purser.EventOffered, telephony.Data{Call: call, Agent: "spare"}))
		must(t, p.Emit(t.Context(), purser.EventConnected, telephony.Data{Call: call, Agent: "spare"}))
		return a.contact(p)
	}
	stolen.refused("ask_your_lead", at(ring(), "claim"), nil)
	a.leap(3*time.Hour + 59*time.Minute)
	a.pass(12 * time.Second)
	stolen.refused("ask_your_lead", at(ring(), "claim"), nil)
	a.pass(72 * time.Second)
	a.until("the change to be enacted", func() bool {
		status, _ := stolen.says(at(ring(), "claim"), nil)
		return status == http.StatusOK
	})
	watch.refused("ask_your_lead", vote(mapped.Change), dict{"as": "security", "vote": "veto"}) // too late
}

// A parasite beside the honest agent: a token alone and a repeated request are
// worth nothing, a login elsewhere ends the first session, and with the key he
// sees no more than the customer on the line.
func TestAttack21ParasiteBesideTheAgent(t *testing.T) {
	a := newAirline(t, 30)
	m := a.hire(0, "desk", "agent")
	who := a.people(3)
	_, c := m.identified(who[0])
	var heard http.Header
	body := []byte(`{"fields":["name"]}`)
	first := m.raw(http.MethodPost, at(c, "disclose"), body, func(h http.Header) { heard = h.Clone() })
	if first.status != http.StatusOK {
		t.Fatalf("the honest request: got %d", first.status)
	}
	for range 3 {
		got := m.raw(http.MethodPost, at(c, "disclose"), body, func(h http.Header) { maps.Copy(h, heard) })
		if got.status != http.StatusUnauthorized {
			t.Fatalf("a repeated request: got %d, want 401", got.status)
		}
		a.holdsNone(t, "a repeated request", got.body)
	}
	keyless := *m
	keyless.client = synth.NewClient(m.client.Token(), [32]byte{1}, a.clock)
	if got := keyless.ask(http.MethodPost, at(c, "disclose"), fields("name")); got.status != http.StatusUnauthorized {
		t.Fatalf("a token without its key: got %d, want 401", got.status)
	}
	if n := findings(a.entries(), purser.FindingSessionKey); n != 1 {
		t.Errorf("got %d findings about wrong signatures, want 1", n)
	}
	a.pass(time.Second)
	parasite := m.thief()
	for _, i := range who[1:] {
		parasite.says(at(c, "identify"), a.items(i))
		parasite.says(at(c, "link"), a.items(i))
	}
	if got := m.ask(http.MethodGet, "/v1/contacts", nil); got.status != http.StatusUnauthorized {
		t.Errorf("the honest agent is not told: got %d, since the parasite's counters ran ahead of his", got.status)
	}
	parasite.does(at(c, "disclose"), fields("name", "loyalty_number"))
	if _, customers := shown(a.entries()); len(customers) != 1 {
		t.Errorf("got %d customers, want the one on the line", len(customers))
	}

	elsewhere := *m
	elsewhere.login("desk")
	for _, ended := range []*member{m, parasite} {
		if got := ended.ask(http.MethodPost, at(c, "disclose"), fields("name")); got.status != http.StatusUnauthorized {
			t.Fatalf("the session of before: got %d, want 401", got.status)
		}
	}
	elsewhere.refused("ask_your_lead", at(c, "disclose"), fields("name")) // not claimed by this one
	elsewhere.does(at(c, "claim"), nil)
	elsewhere.does(at(c, "disclose"), fields("name"))
}

// An agent rings the customer and has the code read out to him.
func TestAttack22CodeReadOutOnAnOutboundCall(t *testing.T) {
	a := newAirline(t, 30)
	m := a.hire(0, "desk", "agent")
	i := a.people(1)[0]
	call, c := m.claimed(func(d *telephony.Data) { d.Outbound = true })
	m.does(at(c, "identify"), a.items(i))
	m.refused("ask_your_lead", at(c, "disclose"), fields("name"))
	m.does(at(c, "code"), dict{})
	code := a.code(i, 1)
	m.refused("ask_your_lead", at(c, "code/try"), dict{"digits": code})
	m.refused("ask_your_lead", at(c, "break-glass"), dict{"items": a.items(i)["items"], "emergency": "safety"})
	m.refused("ask_your_lead", at(c, "disclose"), fields("name"))
	if n, _ := shown(a.entries()); n != 0 {
		t.Fatalf("got %d disclosures on an outbound call", n)
	}
	m.event(purser.EventKeypad, telephony.Data{Call: call, Digits: code}) // the customer himself
	a.until("the keyed code", func() bool { return m.work(c).Assurance == "A3" })
	if got := m.does(at(c, "disclose"), fields("name")); len(got.Fields) != 1 {
		t.Error("a customer who keyed the code is not served")
	}
}

// A flood of refusals has few entries and hinders nobody else.
func TestAttack23FloodOfRefusals(t *testing.T) {
	a := newAirline(t, 30)
	bad, good := a.hire(0, "desk", "agent"), a.hire(1, "desk", "agent")
	_, c := good.identified(a.people(1)[0])
	before := a.d.Status().Size
	const workers, each = 4, 100
	var flood sync.WaitGroup
	for w := range workers {
		flood.Go(func() {
			for i := range each {
				got := bad.ask(http.MethodPost, at(purser.ContactID{byte(w), byte(i), 1}, "disclose"), fields("name"))
				if got.status != http.StatusForbidden {
					t.Errorf("got %d, want 403", got.status)
				}
			}
		})
	}
	for range 20 {
		good.does(at(c, "disclose"), fields("name"))
		must(t, a.phones[1].Emit(t.Context(), purser.EventHeartbeat, telephony.Data{}))
	}
	flood.Wait()
	span := a.clock.Now()
	a.leap(time.Minute)
	good.does("/v1/logout", nil)
	all := a.entries()
	times, entries := refusals(all, bad.session, purser.KindDisclosure)
	if minutes := span.Sub(a.began)/time.Minute + 2; times != workers*each || entries > int(minutes)*21 {
		t.Errorf("got %d refusals in %d entries, want %d in at most 21 a minute", times, entries, workers*each)
	}
	if grown := a.d.Status().Size - before; grown > 400 {
		t.Errorf("the ledger grew by %d entries", grown)
	}
}

// Events that nobody signed change nothing: the source is not stale by them,
// its contacts go on, and how many there were is a finding.
func TestAttack23UnsignedEvents(t *testing.T) {
	a := newAirline(t, 30)
	m := a.hire(0, "desk", "agent")
	call, c := m.identified(a.people(1)[0])
	p := a.phones[0]
	before := a.d.Status().Size
	var statuses [600]int
	forger := telephony.NewClient(p.id, []byte("not the secret of this source!!!"), p.Next(), a.clock.Now,
		func(ctx context.Context, r telephony.Request) error {
			err := a.event(ctx, r)
			if told := new(errAnswer); errors.As(err, &told) {
				statuses[told.status]++
			}
			return err
		})
	for range 40 {
		_ = forger.Emit(t.Context(), purser.EventHungUp, telephony.Data{Call: call})
		_ = forger.Emit(t.Context(), purser.EventTransferred, telephony.Data{Call: call, Agent: m.agent, To: "me"})
		_ = forger.Snapshot(t.Context(), nil)
	}
	if statuses[http.StatusUnauthorized] == 0 || statuses[http.StatusTooManyRequests] == 0 ||
		statuses[http.StatusUnauthorized]+statuses[http.StatusTooManyRequests] != 120 {
		t.Errorf("got %d times 401 and %d times 429 of 120", statuses[http.StatusUnauthorized], statuses[http.StatusTooManyRequests])
	}
	if grown := a.d.Status().Size - before; grown != 1 {
		t.Errorf("the ledger grew by %d entries, want one finding", grown)
	}
	if w := m.work(c); w.Stale || w.Phase != "connected" {
		t.Errorf("got %+v, want a live contact of a source that is heard", w)
	}
	m.does(at(c, "disclose"), fields("name"))
	a.pass(2 * time.Minute)
	if n := findings(a.entries(), purser.FindingForgedEvent); n < 1 || n > 2 {
		t.Errorf("got %d findings of forged events, want 1 or 2", n)
	}
}
