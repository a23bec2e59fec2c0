package server_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"purser"
)

func long(n int) string { return strings.Repeat("x", n) }

// A lock on any level stops the agent at the next ask and nobody whom it does
// not cover; lifting takes two people, neither of them the one it names.
func TestLocksAtEveryLevel(t *testing.T) {
	a := newAirline(t, 30)
	agent, elsewhere := a.hire(0, "desk", "agent"), a.hire(1, "desk", "agent")
	one, two := a.hire(0, "office", "security"), a.hire(0, "office", "security")
	lead, stranger := a.hire(0, "office", "lead"), a.hire(1, "office", "lead")
	name := fields("name")
	who := a.people(2)
	call, c := agent.identified(who[0])
	otherCall, other := elsewhere.identified(who[1])
	_, _ = call, otherCall
	why := dict{"why": "mistake"}
	for _, level := range []struct {
		target string
		wide   bool // covers the other vendor too
		lead   bool // the agent's lead may place it
	}{
		{agent.session.String(), false, true},
		{agent.person.String(), false, true},
		{a.teams[0].String(), false, true},
		{a.vendors[0].String(), false, false},
		{a.phones[0].id.String(), false, false},
		{"all", true, false},
	} {
		ask := dict{"target": level.target}
		agent.does(at(c, "disclose"), name)
		stranger.refused("ask_your_lead", "/v1/locks", ask)
		var lock told
		if status, got := lead.says("/v1/locks", ask); (status == http.StatusOK) != level.lead {
			t.Errorf("%.4s: a lead was answered %d", level.target, status)
		} else if lock = got; !level.lead {
			lock = one.does("/v1/locks", ask)
		}
		agent.refused("ask_your_lead", at(c, "disclose"), name)
		agent.refused("ask_your_lead", at(c, "identify"), a.items(who[0]))
		if status, _ := elsewhere.says(at(other, "disclose"), name); (status == http.StatusOK) == level.wide {
			t.Errorf("%.4s: the other vendor was answered %d", level.target, status)
		}
		lift := "/v1/locks/" + lock.Lock.String() + "/lift"
		agent.refused("ask_your_lead", lift, why)
		stranger.refused("ask_your_lead", lift, why)
		if got := one.does(lift, why); got.Lifted {
			t.Errorf("%.4s: one person lifted it", level.target)
		}
		one.refused("ask_your_lead", lift, why) // the same human
		agent.refused("ask_your_lead", at(c, "disclose"), name)
		if got := two.does(lift, why); !got.Lifted {
			t.Errorf("%.4s: two people did not lift it", level.target)
		}
		two.refused("ask_your_lead", lift, why) // there is none
	}
	agent.does(at(c, "disclose"), name)

	step := dict{"target": agent.person, "degree": "step_up"}
	a.pass(time.Second)
	one.does("/v1/locks", step)
	agent.refused("ask_your_lead", at(c, "disclose"), name)
	a.pass(time.Second)
	agent.stepUp()
	agent.does(at(c, "disclose"), name)
	expires := dict{"target": agent.person, "expires": a.clock.Now().Add(30 * time.Second)}
	one.does("/v1/locks", expires)
	agent.refused("ask_your_lead", at(c, "disclose"), name)
	a.pass(40 * time.Second)
	agent.does(at(c, "disclose"), name)
}

// Suspending a person takes one person and ends what he could do.
func TestSuspend(t *testing.T) {
	a := newAirline(t, 30)
	agent, security := a.hire(0, "desk", "agent"), a.hire(0, "office", "security")
	peer := a.hire(0, "desk", "agent")
	_, c := agent.identified(a.people(1)[0])
	path := "/v1/people/" + agent.person.String() + "/suspend"
	peer.refused("ask_your_lead", path, nil)
	agent.does(at(c, "disclose"), fields("name"))
	security.does(path, nil)
	if status, got := agent.says(at(c, "disclose"), fields("name")); status < 400 || len(got.Fields) != 0 {
		t.Errorf("a suspended person: got %d", status)
	}
	if status, _ := agent.says(at(c, "claim"), nil); status < 400 {
		t.Errorf("a suspended person's claim: got %d", status)
	}
}

// A reference tells a lead the reason of a refusal in his own vendor. What is
// elsewhere, allowed or nowhere looks the same to him.
func TestReferences(t *testing.T) {
	a := newAirline(t, 30)
	agent, lead := a.hire(0, "desk", "agent"), a.hire(0, "office", "lead")
	stranger, security := a.hire(1, "office", "lead"), a.hire(1, "office", "security")
	_, c := agent.claimed()
	got := agent.refused("one_more_way", at(c, "disclose"), fields("name"))
	agent.does(at(c, "identify"), a.items(a.people(1)[0]))
	allowed := agent.does(at(c, "disclose"), fields("name"))
	path := func(reference string) string { return "/v1/refusals/" + reference }
	for _, who := range []*member{lead, security} {
		answer := who.ask(http.MethodGet, path(got.Reference), nil)
		if answer.status != http.StatusOK || !strings.Contains(string(answer.body), `"text":"no customer is bound"`) {
			t.Errorf("got %d %s, want the reason", answer.status, answer.body)
		}
	}
	nothing := stranger.ask(http.MethodGet, path("AAAAAAAA"), nil)
	for name, reference := range map[string]string{
		"another vendor's": got.Reference, "of an allowed disclosure": allowed.Reference, "in small letters": "aaaaaaaa",
	} {
		answer := stranger.ask(http.MethodGet, path(reference), nil)
		if answer.status != http.StatusForbidden || blanked(answer.body) != blanked(nothing.body) || headerText(answer.header) != headerText(nothing.header) {
			t.Errorf("%s: got %d %s, want what a reference to nothing gets: %s", name, answer.status, answer.body, nothing.body)
		}
	}
	if answer := agent.ask(http.MethodGet, path(got.Reference), nil); answer.status != http.StatusForbidden {
		t.Errorf("an agent: got %d", answer.status)
	}
}

// How far the ledger goes is told to security, privacy and admins after a
// step-up, and nobody else learns a position, not of his own disclosure nor of
// a lock on himself. Seen to fail with the entry in the answer to a disclosure,
// with the size in that of /healthz, and with the entry in that of every lock.
func TestNobodyLearnsHowFarTheLedgerGoes(t *testing.T) {
	a := newAirline(t, 30)
	agent, lead := a.hire(0, "desk", "agent"), a.hire(0, "office", "lead")
	security := a.hire(0, "office", "security")
	_, c := agent.identified(a.people(1)[0])
	var extent struct {
		Entries, Covered purser.Pos
		Checkpoint       string
	}
	got := security.ask(http.MethodGet, "/v1/ledger", nil)
	must(t, json.Unmarshal(got.body, &extent))
	if size := a.d.Status().Size; extent.Entries != size || extent.Covered > size || (extent.Covered > 0) != (extent.Checkpoint != "") {
		t.Errorf("got %d %s, want %d entries and a checkpoint", got.status, got.body, size)
	}
	for _, who := range []*member{agent, lead} {
		if got := who.ask(http.MethodGet, "/v1/ledger", nil); got.status != http.StatusForbidden {
			t.Errorf("the ledger: got %d, want 403", got.status)
		}
	}
	health, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.base+"/healthz", nil)
	must(t, err)
	healthy, err := a.send(health)
	must(t, err)
	own := dict{"target": agent.session, "degree": "step_up"}
	for what, got := range map[string]answer{
		"health": healthy, "disclosure": agent.ask(http.MethodPost, at(c, "disclose"), fields("name")),
		"lock on himself": agent.ask(http.MethodPost, "/v1/locks", own),
	} {
		if got.status != http.StatusOK {
			t.Errorf("%s: got %d", what, got.status)
		}
		for _, position := range []string{`"entry"`, `"entries"`, `"checkpoint"`, `"size"`} {
			if strings.Contains(string(got.body), position) {
				t.Errorf("%s: got %s, which tells a position", what, got.body)
			}
		}
	}
	if got := security.does("/v1/locks", dict{"target": lead.person}); got.Entry == 0 || got.Reference != a.d.Keys.Reference(got.Entry) {
		t.Errorf("security's lock: got %+v, want its position", got)
	}
	a.leap(6 * time.Minute)
	if got := security.ask(http.MethodGet, "/v1/ledger", nil); got.status != http.StatusForbidden {
		t.Errorf("without a step-up: got %d, want 403", got.status)
	}
}
