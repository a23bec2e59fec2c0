package server_test

import (
	"net/http"
	"strings"
	"testing"

	"purser"
)

// The main job: a signed event opens a contact, a desk session claims it, the
// agent types what the caller says, the gate discloses a field, the ledger
// proves it.
func TestAVerifiedCallerOneFieldOneEntry(t *testing.T) {
	a := newAirline(t, 30)
	agent := a.hire(0, "desk", "agent")
	_, contact := agent.call()

	var list struct {
		Contacts []struct {
			Contact purser.ContactID
			Phase   string
		}
	}
	got := agent.ask(http.MethodGet, "/v1/contacts", nil)
	if got.status != 200 || !strings.Contains(string(got.body), contact.String()) {
		t.Fatalf("list: got %d %s %v", got.status, got.body, list)
	}
	if err := agent.post(at(contact, "disclose"), dict{"fields": []string{"name"}}, nil); err == nil {
		t.Fatal("disclosed before the claim")
	}
	must(t, agent.post(at(contact, "claim"), nil, nil))
	if err := agent.post(at(contact, "disclose"), dict{"fields": []string{"name"}}, nil); err == nil {
		t.Fatal("disclosed before the verification")
	}
	var enough struct{ Answer, Assurance string }
	must(t, agent.post(at(contact, "identify"), a.items(3), &enough))
	if enough.Answer != "enough" || enough.Assurance != "A1" {
		t.Fatalf("identify: got %+v", enough)
	}
	before := a.d.Status().Size
	var shown struct {
		Fields       map[string]string
		NotAvailable []string `json:"not_available"`
		Reference    string
	}
	must(t, agent.post(at(contact, "disclose"), dict{"fields": []string{"name", "email:masked", "email", "birth_date"}}, &shown))
	if want := a.customers[3].GivenName + " " + a.customers[3].FamilyName; shown.Fields["name"] != want {
		t.Errorf("got the name of somebody else, or none: %d characters", len(shown.Fields["name"]))
	}
	if _, ok := shown.Fields["email"]; ok || len(shown.NotAvailable) != 2 {
		t.Errorf("at A1 got %d fields and %v not available", len(shown.Fields), shown.NotAvailable)
	}
	if got := a.d.Status().Size; got != before+1 || shown.Reference != a.d.Keys.Reference(before) {
		t.Errorf("got %d entries more named %s, want one named %s", got-before, shown.Reference, a.d.Keys.Reference(before))
	}
	dir := t.TempDir() + "/export"
	exported, err := a.d.Export(t.Context(), dir, nil)
	must(t, err)
	verify(t, dir, a.verifier)
	if exported.Size != before+1 {
		t.Errorf("exported %d entries, want %d", exported.Size, before+1)
	}
}
