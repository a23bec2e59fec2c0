package server_test

import (
	"net/http"
	"testing"
	"time"

	"purser"
	"purser/internal/synth"
	"purser/internal/telephony"
)

// Break-glass takes the agent, and a lead of his vendor who steps up; it opens
// A1 and A2 fields and never A3.
func TestBreakGlassTakesTwo(t *testing.T) {
	a := newAirline(t, 60)
	agent, lead := a.hire(0, "desk", "agent"), a.hire(0, "office", "lead")
	foreign, both := a.hire(1, "office", "lead"), a.hire(0, "desk", "agent", "lead")
	i := a.with(0, func(c synth.Customer) bool { return complete(c) && c.Address != "" })
	ask := dict{"items": []dict{{"kind": "loyalty_number", "said": a.customers[i].LoyaltyNumber}}, "emergency": "no_other_way"}
	_, c := agent.claimed()
	lead.refused("ask_your_lead", at(c, "break-glass/approve"), nil) // nobody asked
	agent.does(at(c, "break-glass"), ask)
	agent.refused("one_more_way", at(c, "disclose"), fields("name"))
	a.leap(6 * time.Minute)
	lead.refused("ask_your_lead", at(c, "break-glass/approve"), nil) // stepped up long ago
	foreign.stepUp()
	foreign.refused("ask_your_lead", at(c, "break-glass/approve"), nil)
	lead.stepUp()
	lead.refused("ask_your_lead", at(c, "break-glass/approve"), nil) // the call lapsed: nothing to open

	_, c = agent.claimed()
	agent.does(at(c, "break-glass"), ask)
	lead.does(at(c, "break-glass/approve"), nil)
	lead.refused("ask_your_lead", at(c, "break-glass/approve"), nil) // once
	got := agent.does(at(c, "disclose"), fields("name", "email", "address", "birth_date"))
	if len(got.Fields) != 2 || got.Fields["address"] != "" {
		t.Errorf("got %d fields, want name and email", len(got.Fields))
	}
	if w := agent.work(c); !w.Emergency || !w.Bound {
		t.Errorf("got %+v, want a contact bound by break-glass", w)
	}

	_, own := both.claimed()
	both.does(at(own, "break-glass"), ask)
	both.stepUp()
	both.refused("ask_your_lead", at(own, "break-glass/approve"), nil) // the same human
	both.refused("one_more_way", at(own, "disclose"), fields("name"))
}

// A code by mail, through a real SMTP server, gives A2; one keyed on the
// caller's line gives A3.
func TestCodeByMailAndKeypad(t *testing.T) {
	a := newAirline(t, 60)
	m := a.hire(0, "desk", "agent")
	i := a.with(0, func(c synth.Customer) bool { return complete(c) && c.Address != "" })
	call, c := m.identified(i)
	if got := m.does(at(c, "disclose"), fields("name", "email")); len(got.Fields) != 1 {
		t.Errorf("at A1 got %d fields, want 1", len(got.Fields))
	}
	m.does(at(c, "code"), dict{})
	code := a.code(i, 1)
	m.refused("not_enough", at(c, "code/try"), dict{"digits": other(code)})
	if got := m.does(at(c, "code/try"), dict{"digits": code}); got.Assurance != "A2" {
		t.Errorf("got %s, want A2", got.Assurance)
	}
	m.refused("not_enough", at(c, "code/try"), dict{"digits": code}) // used
	if got := m.does(at(c, "disclose"), fields("name", "email", "address")); len(got.Fields) != 2 {
		t.Errorf("at A2 got %d fields, want 2", len(got.Fields))
	}
	m.does(at(c, "code"), dict{})
	m.event(purser.EventKeypad, telephony.Data{Call: call, Digits: a.code(i, 2)})
	a.until("the keyed code", func() bool { return m.work(c).Assurance == "A3" })
	if got := m.does(at(c, "disclose"), fields("name", "email", "address")); len(got.Fields) != 3 {
		t.Errorf("at A3 got %d fields, want 3", len(got.Fields))
	}
	m.does(at(c, "code"), dict{})
	late := a.code(i, 3)
	a.pass(5*time.Minute + time.Second)
	m.refused("not_enough", at(c, "code/try"), dict{"digits": late})
	m.refused("ask_your_lead", at(c, "code"), dict{}) // the contact has sent its three, as anybody can count
	_, again := m.identified(i)
	m.does(at(again, "code"), dict{}) // over the customer's three a day: the same answer, and nothing is sent
	a.until("the results of all five", func() bool {
		n := 0
		for _, e := range a.entries() {
			if e.Kind() == purser.KindCodeResult {
				n++
			}
		}
		return n == 5
	})
	if n := len(a.mail.Letters()); n != 3 {
		t.Errorf("got %d letters, want 3", n)
	}
}

// other returns six digits that are not code.
func other(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

// What was verified moves with the call, to whoever has it now and to nobody
// else; a consult opens nothing.
func TestTransferConsultConference(t *testing.T) {
	a := newAirline(t, 30)
	first, second, third := a.hire(0, "desk", "agent"), a.hire(0, "desk", "agent"), a.hire(0, "desk", "agent")
	security := a.hire(0, "office", "security")
	call, c := first.identified(a.people(1)[0])
	name := fields("name")

	first.event(purser.EventConsult, telephony.Data{Call: call, Agent: first.agent, To: second.agent})
	second.does(at(c, "claim"), nil)
	second.refused("ask_your_lead", at(c, "disclose"), name)
	third.refused("ask_your_lead", at(c, "claim"), nil)
	first.event(purser.EventConference, telephony.Data{Call: call, Agent: first.agent, To: second.agent})
	second.does(at(c, "disclose"), name)
	first.does(at(c, "disclose"), name)
	first.event(purser.EventLeft, telephony.Data{Call: call, Agent: first.agent})
	first.refused("ask_your_lead", at(c, "disclose"), name)
	second.does(at(c, "disclose"), name)
	second.event(purser.EventTransferred, telephony.Data{Call: call, Agent: second.agent, To: third.agent})
	second.refused("ask_your_lead", at(c, "disclose"), name)
	third.refused("ask_your_lead", at(c, "disclose"), name) // not claimed yet
	third.does(at(c, "claim"), nil)
	third.does(at(c, "disclose"), name)
	security.does("/v1/locks", dict{"target": first.person})
	third.refused("ask_your_lead", at(c, "disclose"), name) // it came through who is locked now
}

// After the customer hung up nothing opens. A call back from the number that a
// carrier vouches for resumes, once, within five minutes, for the same session.
func TestHangUpAndResume(t *testing.T) {
	a := newAirline(t, 30)
	m := a.hire(0, "desk", "agent")
	caller := func(d *telephony.Data) { d.Caller, d.Attestation = "+61 491 570 156", "carrier" }
	name := fields("name")
	call, c := m.identified(a.people(1)[0], caller)
	m.does(at(c, "disclose"), name)
	m.hangUp(call)
	m.refused("ask_your_lead", at(c, "disclose"), name)
	a.pass(4 * time.Minute)
	unvouched := func(d *telephony.Data) { d.Caller, d.Attestation = "+61 491 570 156", "none" }
	_, not := m.claimed(unvouched)
	m.refused("one_more_way", at(not, "disclose"), name)
	again, back := m.claimed(caller)
	m.does(at(back, "disclose"), name)
	m.hangUp(again)
	_, twice := m.claimed(caller)
	m.refused("one_more_way", at(twice, "disclose"), name)

	call, _ = m.identified(a.people(2)[1], caller)
	m.hangUp(call)
	a.pass(5*time.Minute + 4*time.Second)
	_, late := m.claimed(caller)
	m.refused("one_more_way", at(late, "disclose"), name)
}

// While a source is silent, or has a gap, nothing new opens; a snapshot of its
// live contacts ends it. No contact lives over three hours.
func TestStaleSourceAndOldContact(t *testing.T) {
	a := newAirline(t, 30)
	m := a.hire(0, "desk", "agent")
	call, c := m.identified(a.people(1)[0])
	name := fields("name")
	live := telephony.Live{Call: call, Agent: m.agent}
	p := a.phones[0]

	a.clock.Advance(14 * time.Second)
	m.does(at(c, "disclose"), name)
	a.clock.Advance(2 * time.Second)
	m.refused("try_later", at(c, "disclose"), name)
	if w := m.work(c); !w.Stale {
		t.Error("the list does not say so")
	}
	must(t, p.Emit(t.Context(), purser.EventHeartbeat, telephony.Data{}))
	m.refused("try_later", at(c, "disclose"), name) // heard again, and what was missed is not known
	must(t, p.Snapshot(t.Context(), []telephony.Live{live}))
	m.does(at(c, "disclose"), name)

	jump := telephony.NewClient(p.id, p.secret, p.Next()+1, a.clock.Now, a.event)
	must(t, jump.Emit(t.Context(), purser.EventHeartbeat, telephony.Data{}))
	a.clock.Advance(4 * time.Second)
	m.does(at(c, "disclose"), name)
	a.clock.Advance(2 * time.Second)
	must(t, jump.Emit(t.Context(), purser.EventHeartbeat, telephony.Data{}))
	m.refused("try_later", at(c, "disclose"), name)
	p.Client = jump
	must(t, p.Snapshot(t.Context(), []telephony.Live{live}))
	m.does(at(c, "disclose"), name)
	a.leap(2*time.Hour+50*time.Minute, live)
	m.refused("ask_your_lead", at(c, "disclose"), name) // it lapsed in the silence
	call, c = m.identified(a.people(2)[1])
	for range 11 {
		a.leap(16*time.Minute, telephony.Live{Call: call, Agent: m.agent})
	}
	m.does(at(c, "disclose"), name)
	a.leap(5*time.Minute, telephony.Live{Call: call, Agent: m.agent})
	m.refused("ask_your_lead", at(c, "disclose"), name)
	a.until("a finding", func() bool { return findings(a.entries(), purser.FindingSourceStale) > 0 })
}

// The same request again is answered as the first time and done once; with
// another body its name is taken. Disclosures are done anew each time.
func TestIdempotencyKey(t *testing.T) {
	a := newAirline(t, 30)
	m, security := a.hire(0, "desk", "agent"), a.hire(0, "office", "security")
	_, c := m.identified(a.people(1)[0])
	named := func(h http.Header) { h.Set("Idempotency-Key", "one") }
	lock := []byte(`{"target":"` + m.person.String() + `","degree":"step_up"}`)
	before := a.d.Status().Size
	first := security.raw(http.MethodPost, "/v1/locks", lock, named)
	again := security.raw(http.MethodPost, "/v1/locks", lock, named)
	if first.status != 200 || again.status != 200 || string(first.body) != string(again.body) {
		t.Errorf("got %d %q, then %d %q", first.status, first.body, again.status, again.body)
	}
	if n := a.d.Status().Size - before; n != 1 {
		t.Errorf("got %d locks, want 1", n)
	}
	taken := security.raw(http.MethodPost, "/v1/locks", []byte(`{"target":"all"}`), named)
	if taken.status != http.StatusConflict || taken.header.Get("Content-Type") != "application/problem+json" || len(taken.body) == 0 {
		t.Errorf("the name for another body: got %d %q", taken.status, taken.body)
	}
	for _, bad := range []func(http.Header){
		func(h http.Header) { h.Set("Idempotency-Key", long(129)) },
		func(h http.Header) { h["Idempotency-Key"] = []string{"a", "b"} },
	} {
		if got := security.raw(http.MethodPost, "/v1/locks", lock, bad); got.status != http.StatusBadRequest {
			t.Errorf("a bad name: got %d, want 400", got.status)
		}
	}
	admin := a.hire(0, "office", "admin")
	source := []byte(`{"as":"admin","source":{"name":"second","vendor":"` + a.vendors[0].String() + `"}}`)
	one, other := admin.raw(http.MethodPost, "/v1/changes", source, named), admin.raw(http.MethodPost, "/v1/changes", source, named)
	if one.status != 200 || other.status != 200 || string(one.body) == string(other.body) {
		t.Errorf("a source's secret was kept: got %d %d", one.status, other.status)
	}
	ceiling := []byte(`{"as":"admin","budget":{"vendor":"` + a.vendors[0].String() + `","ceiling":"person_hour","value":9}}`)
	one, other = admin.raw(http.MethodPost, "/v1/changes", ceiling, named), admin.raw(http.MethodPost, "/v1/changes", ceiling, named)
	if one.status != 200 || string(one.body) != string(other.body) {
		t.Errorf("a change without a secret: got %d %q, then %q", one.status, one.body, other.body)
	}
	a.pass(time.Second)
	m.stepUp()
	before = a.d.Status().Size
	for range 2 {
		if got := m.raw(http.MethodPost, at(c, "disclose"), []byte(`{"fields":["name"]}`), named); got.status != 200 {
			t.Errorf("disclose: got %d", got.status)
		}
	}
	if n := a.d.Status().Size - before; n != 2 {
		t.Errorf("got %d entries of two disclosures", n)
	}
	if got := m.raw(http.MethodPost, at(c, "claim"), []byte("{}"), named); got.status == http.StatusConflict {
		t.Errorf("a disclosure's name was kept: got %d", got.status)
	}
}
