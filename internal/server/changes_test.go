package server_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"purser"
	"purser/internal/telephony"
)

// listed is a change as it can be read.
type listed struct {
	Change purser.ChangeID
	State  string
	Enacts string
	Due    time.Time
}

func (m *member) openChanges() (all []listed) {
	m.a.t.Helper()
	got := m.ask(http.MethodGet, "/v1/changes", nil)
	if got.status != http.StatusOK {
		m.a.t.Fatalf("list of changes: got %d %s", got.status, got.body)
	}
	var out struct{ Changes []listed }
	must(m.a.t, json.Unmarshal(got.body, &out))
	return out.Changes
}

func (m *member) change(id purser.ChangeID) (one listed) {
	m.a.t.Helper()
	got := m.ask(http.MethodGet, "/v1/changes/"+id.String(), nil)
	if got.status != http.StatusOK {
		m.a.t.Fatalf("change: got %d %s", got.status, got.body)
	}
	must(m.a.t, json.Unmarshal(got.body, &one))
	return one
}

// A source gets another secret by a change; until it is enacted the old one
// counts, and then no more. Whoever may vote can read what it is about.
func TestRenewAndStopASource(t *testing.T) {
	a := newAirline(t, 0)
	admin, privacy, agent := a.hire(1, "office", "admin"), a.hire(0, "office", "privacy"), a.hire(1, "desk", "agent")
	security := a.hire(0, "office", "security")
	old := a.phones[1]
	made := admin.does("/v1/changes", dict{"as": "admin", "renew": dict{"source": old.id}})
	secret, err := base64.StdEncoding.DecodeString(made.Secret)
	must(t, err)
	if made.Source != old.id || made.Change.Zero() {
		t.Fatalf("got source %v, change %v", made.Source, made.Change)
	}
	for _, who := range []*member{admin, privacy, security} {
		all := who.openChanges()
		if len(all) != 1 || all[0].Change != made.Change || all[0].State != "proposed" || !strings.Contains(all[0].Enacts, old.id.String()) {
			t.Errorf("got %+v, want the change in words", all)
		}
	}
	if got := agent.ask(http.MethodGet, "/v1/changes", nil); got.status != http.StatusForbidden {
		t.Errorf("an agent reads changes: got %d %s", got.status, got.body)
	}
	privacy.does("/v1/changes/"+made.Change.String()+"/vote", dict{"as": "privacy", "vote": "approve"})
	if got := security.change(made.Change); got.State != "held" || !got.Due.Equal(a.clock.Now().UTC().Add(4*time.Hour)) {
		t.Errorf("got %+v, want it held for four hours", got)
	}
	must(t, old.Emit(t.Context(), purser.EventHeartbeat, telephony.Data{}))
	a.clock.Advance(4*time.Hour + 20*time.Second)
	a.until("the new secret to count", func() bool { return security.change(made.Change).State == "enacted" })
	if old.Emit(t.Context(), purser.EventHeartbeat, telephony.Data{}) == nil {
		t.Error("the old secret still counts")
	}
	renewed := telephony.NewClient(old.id, secret, 1, a.clock.Now, a.event)
	must(t, renewed.Snapshot(t.Context(), nil))

	admin.stepUp()
	if got := admin.does("/v1/changes", dict{"as": "admin", "stop": dict{"source": old.id}}); !got.Change.Zero() {
		t.Error("stopping a source waits for somebody")
	}
	if renewed.Emit(t.Context(), purser.EventHeartbeat, telephony.Data{}) == nil {
		t.Error("a stopped source speaks")
	}
	admin.refused("ask_your_lead", "/v1/changes", dict{"as": "admin", "stop": dict{"source": purser.SourceID{9}}})
	admin.refused("ask_your_lead", "/v1/changes", dict{"as": "admin", "renew": dict{"source": purser.SourceID{9}}})
}

// Who was suspended comes back by a change, which ends when he is suspended
// once more.
func TestSetAPerson(t *testing.T) {
	a := newAirline(t, 0)
	admin, security, agent := a.hire(0, "office", "admin"), a.hire(0, "office", "security"), a.hire(0, "desk", "agent")
	suspend := "/v1/people/" + agent.person.String() + "/suspend"
	back := dict{"as": "admin", "person": dict{"person": agent.person, "status": "active"}}
	security.does(suspend, nil)
	first := admin.does("/v1/changes", back)
	if !strings.Contains(security.change(first.Change).Enacts, "becomes active in team") {
		t.Errorf("got %q", security.change(first.Change).Enacts)
	}
	security.does("/v1/changes/"+first.Change.String()+"/vote", dict{"as": "security", "vote": "approve"})
	security.does(suspend, nil)
	if got := security.change(first.Change); got.State != "overtaken" || len(security.openChanges()) != 0 {
		t.Errorf("after another suspension: got %+v", got)
	}
	second := admin.does("/v1/changes", back)
	security.does("/v1/changes/"+second.Change.String()+"/vote", dict{"as": "security", "vote": "approve"})
	a.leap(4 * time.Hour)
	a.pass(20 * time.Second)
	a.until("the agent to be back", func() bool { return security.change(second.Change).State == "enacted" })
	agent.login("desk")

	admin.stepUp()
	security.refused("ask_your_lead", "/v1/people/"+security.person.String()+"/suspend", nil) // an old step-up
	security.stepUp()
	security.refused("ask_your_lead", "/v1/people/"+security.person.String()+"/suspend", nil) // takes a change
	waits := admin.does("/v1/changes", dict{"as": "admin", "person": dict{"person": security.person, "status": "suspended"}})
	if waits.Change.Zero() {
		t.Error("an admin suspended security at once")
	}
	admin.refused("ask_your_lead", "/v1/changes", dict{"as": "admin", "person": dict{"person": purser.PersonID{9}, "status": "active"}})
}
