package server_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"purser"
	"purser/internal/deliver"
	"purser/internal/fold"
	"purser/internal/gate"
	"purser/internal/server"
)

// office is everybody who has a part in mandates.
type office struct {
	*airline
	privacy, security, admin, guard *member
	key                             *age.X25519Identity
}

func newOffice(t testing.TB, customers int) *office {
	t.Helper()
	a := newAirline(t, customers)
	key, err := age.GenerateX25519Identity()
	must(t, err)
	return &office{
		airline: a, key: key,
		privacy: a.hire(0, "office", "privacy"), security: a.hire(0, "office", "security"),
		admin: a.hire(0, "office", "admin"), guard: a.hire(0, "office", "security"),
	}
}

// customer returns the identifier of customer i.
func (a *airline) customer(i int) purser.CustomerID {
	a.t.Helper()
	id, err := a.d.Records.CustomerID(a.t.Context(), purser.Ordinal(i+1))
	must(a.t, err)
	return id
}

// wish is an ask for a mandate, changed as the test wants it.
func (o *office) wish(kind string, change ...func(dict)) dict {
	w := dict{
		"as": "privacy", "kind": kind, "customers": []purser.CustomerID{o.customer(2), o.customer(4)},
		"fields": []string{"name", "email", "phone:masked"}, "expires": o.clock.Now().Add(2 * time.Hour),
		"recipient": o.key.Recipient().String(),
	}
	for _, c := range change {
		c(w)
	}
	return w
}

// asks asks for a mandate and returns it.
func (m *member) asks(wish dict) purser.MandateID {
	m.a.t.Helper()
	var made struct{ Mandate purser.MandateID }
	must(m.a.t, m.post("/v1/mandates", wish, &made))
	return made.Mandate
}

func mandatePath(id purser.MandateID, act string) string {
	return "/v1/mandates/" + id.String() + "/" + act
}

// granted asks as privacy and approves as security.
func (o *office) granted(wish dict) purser.MandateID {
	o.t.Helper()
	o.privacy.stepUp()
	o.security.stepUp()
	id := o.privacy.asks(wish)
	o.security.does(mandatePath(id, "approve"), dict{"as": "security"})
	return id
}

// exports runs an export and returns the file as its recipient reads it.
func (o *office) exports(ask server.ExportAsk) (string, server.ExportStatement, error) {
	o.t.Helper()
	var file bytes.Buffer
	said, err := o.d.ExportCustomers(ask)(o.t.Context(), &file, nil)
	if err != nil {
		return file.String(), server.ExportStatement{}, err
	}
	o.holdsNone(o.t, "the encrypted file", file.Bytes())
	plain, err := age.Decrypt(&file, o.key)
	must(o.t, err)
	text, err := io.ReadAll(plain)
	must(o.t, err)
	return string(text), said.(server.ExportStatement), nil
}

func refusedFor(err error) purser.Reason {
	if r, ok := errors.AsType[*purser.Refusal](err); ok {
		return r.Reason
	}
	return purser.Allowed
}

// An export takes two humans in two roles, holds what was named, and nothing
// else; it ends when its time is over, when one person ends it, and while
// somebody who asked for or approved it is locked.
func TestExportTakesTwoPeople(t *testing.T) {
	o := newOffice(t, 12)
	id := o.privacy.asks(o.wish("export"))
	ask := server.ExportAsk{Mandate: id, Format: deliver.FileCSV}
	if _, _, err := o.exports(ask); err == nil || !strings.Contains(err.Error(), "not in force: asked") {
		t.Errorf("before the approval: got %v", err)
	}
	o.privacy.refused("ask_your_lead", mandatePath(id, "approve"), dict{"as": "privacy"})
	o.privacy.refused("ask_your_lead", mandatePath(id, "approve"), dict{"as": "security"})
	o.admin.refused("ask_your_lead", mandatePath(id, "approve"), dict{"as": "admin"})
	agent := o.hire(0, "desk", "agent")
	agent.refused("ask_your_lead", "/v1/mandates", o.wish("export"))
	o.security.does(mandatePath(id, "approve"), dict{"as": "security"})
	o.guard.refused("ask_your_lead", mandatePath(id, "approve"), dict{"as": "security"}) // it is

	text, said, err := o.exports(ask)
	must(t, err)
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	must(t, err)
	if len(rows) != 3 || !slices.Equal(rows[0], []string{"customer", "entry", "name", "email", "phone:masked"}) {
		t.Fatalf("got %d rows and the columns %v", len(rows), rows[0])
	}
	for n, i := range []int{2, 4} {
		c := o.customers[i]
		if row := rows[n+1]; row[0] != o.customer(i).String() || row[2] != c.GivenName+" "+c.FamilyName || row[3] != c.Email || strings.Contains(text, c.BirthDate) {
			t.Errorf("row %d is not that of customer %d", n+1, i)
		}
	}
	if said.Customers != 2 || len(said.Entries) != 1 || said.Kind != "export" || !said.DeleteBy.After(o.clock.Now()) {
		t.Errorf("got the statement %+v", said)
	}
	released, ok := o.entries()[said.Entries[0]].(*purser.Released)
	if !ok || released.Mandate != id || !slices.Equal(released.Customers, []purser.Ordinal{3, 5}) || !released.Who.Person.Zero() {
		t.Errorf("got the entry %+v", released)
	}

	lock := o.guard.does("/v1/locks", dict{"target": o.security.person})
	if _, _, err := o.exports(ask); refusedFor(err) != purser.Locked {
		t.Errorf("while the approver is locked: got %v", err)
	}
	o.guard.does("/v1/locks/"+lock.Lock.String()+"/lift", dict{"why": "mistake"})
	lead := o.hire(0, "office", "security")
	lead.does("/v1/locks/"+lock.Lock.String()+"/lift", dict{"why": "mistake"})
	if _, _, err := o.exports(ask); err != nil {
		t.Errorf("once he is not any more: got %v", err)
	}
	agent.refused("ask_your_lead", mandatePath(id, "end"), nil)
	o.guard.does(mandatePath(id, "end"), nil)
	if _, _, err := o.exports(ask); err == nil || !strings.Contains(err.Error(), "ended") {
		t.Errorf("after its end: got %v", err)
	}
	second := o.granted(o.wish("export"))
	o.leap(2 * time.Hour)
	if _, _, err := o.exports(server.ExportAsk{Mandate: second}); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("after its time: got %v", err)
	}
}

// What a mandate may not name is refused when it is asked for, whoever agrees.
func TestWhatAMandateMayNotName(t *testing.T) {
	o := newOffice(t, 6)
	with := func(key string, value any) func(dict) { return func(d dict) { d[key] = value } }
	without := func(key string) func(dict) { return func(d dict) { delete(d, key) } }
	for name, w := range map[string]dict{
		"birth dates in an export":     o.wish("export", with("fields", []string{"birth_date"})),
		"a customer who is nobody":     o.wish("export", with("customers", []purser.CustomerID{{9}})),
		"an export without recipient":  o.wish("export", without("recipient")),
		"an export of a week":          o.wish("export", with("expires", o.clock.Now().Add(7*24*time.Hour))),
		"an order without its words":   o.wish("legal-order", with("authority", "A court")),
		"an order for birth dates":     o.wish("legal-order", with("authority", "A court"), with("reference", "1"), with("order", "All."), with("fields", []string{"birth_date"})),
		"access by two":                o.wish("subject-access"),
		"a notice with a recipient":    o.wish("notice"),
		"investigation by privacy":     o.wish("investigation", without("recipient")),
		"everybody and somebody":       o.wish("export", with("everybody", true)),
		"in a role that he lacks":      o.wish("export", with("as", "security")),
		"a legal order over everybody": o.wish("legal-order", without("customers"), with("everybody", true), with("authority", "A court"), with("reference", "1"), with("order", "All.")),
	} {
		if status, got := o.privacy.says("/v1/mandates", w); status != http.StatusForbidden || got.Answer != "ask_your_lead" {
			t.Errorf("%s: got %d %+v", name, status, got)
		}
	}
	for name, w := range map[string]dict{
		"a recipient that is no key": o.wish("export", with("recipient", "age1nothing")),
		"a field that is none":       o.wish("export", with("fields", []string{"shoe_size"})),
		"a kind that is assigned":    o.wish("case-work"),
	} {
		if status, _ := o.privacy.says("/v1/mandates", w); status != http.StatusUnprocessableEntity {
			t.Errorf("%s: got %d, want 422", name, status)
		}
	}
	o.leap(6 * time.Minute)
	o.privacy.refused("ask_your_lead", "/v1/mandates", o.wish("export")) // an old step-up
}

// The approver reads what he approves; others read nothing.
func TestMandatesCanBeRead(t *testing.T) {
	o := newOffice(t, 6)
	gag := o.clock.Now().Add(48 * time.Hour).Truncate(time.Second)
	id := o.privacy.asks(o.wish("legal-order", func(d dict) {
		d["authority"], d["reference"], d["order"], d["gag"] = "District Court", "12/2026", "Hand over.", gag
	}))
	read := func(m *member, path string) (int, map[string]any) {
		got := m.ask(http.MethodGet, path, nil)
		var out map[string]any
		must(t, json.Unmarshal(got.body, &out))
		return got.status, out
	}
	status, one := read(o.security, "/v1/mandates/"+id.String())
	if status != http.StatusOK || one["order"] != "Hand over." || one["state"] != "asked" || len(one["customers"].([]any)) != 2 || one["as"] != "privacy" {
		t.Errorf("got %d %v", status, one)
	}
	agent := o.hire(0, "desk", "agent")
	if status, _ := read(agent, "/v1/mandates/"+id.String()); status != http.StatusForbidden {
		t.Errorf("an agent reads it: got %d", status)
	}
	if status, list := read(agent, "/v1/mandates"); status != http.StatusOK || len(list["mandates"].([]any)) != 0 {
		t.Errorf("an agent's list: got %d %v", status, list)
	}
	if status, list := read(o.admin, "/v1/mandates"); status != http.StatusOK || len(list["mandates"].([]any)) != 1 {
		t.Errorf("the list: got %d %v", status, list)
	}
}

// assigned opens a case of customer i at A2 and has the system give it to m.
func (a *airline) assigned(m *member, i int, kind purser.MandateKind, n byte) (purser.MandateID, error) {
	a.t.Helper()
	opened := &purser.CaseOpened{
		Who: purser.Actor{Person: m.person, Vendor: a.vendors[m.centre], Team: a.teams[m.centre]}, Contact: purser.ContactID{n},
		Case: purser.CaseID{n}, Customer: purser.Ordinal(i + 1), Assurance: purser.A2,
	}
	_, err := a.d.Ledger().Propose(a.t.Context(), purser.VendorID{}, func(*fold.State, purser.Stamp) purser.Entry { return opened })
	must(a.t, err)
	id := purser.MandateID{n, 1}
	_, err = a.d.Gate.Assign(a.t.Context(), gate.Assignment{Mandate: id, For: kind, To: m.person, Case: opened.Case})
	return id, err
}

// Case-work shows its holder what the case was opened with, of its customer,
// and one case at a time; nobody else, and no field beyond that.
func TestCaseWorkShowsItsCustomer(t *testing.T) {
	o := newOffice(t, 30)
	agent, other := o.hire(0, "desk", "agent"), o.hire(0, "desk", "agent")
	i := o.people(1)[0]
	id, err := o.assigned(agent, i, purser.MandateCaseWork, 1)
	must(t, err)
	if _, err := o.assigned(agent, i, purser.MandateCaseWork, 2); refusedFor(err) != purser.MandateOpen {
		t.Errorf("a second case: got %v", err)
	}
	if _, err := o.assigned(o.admin, i, purser.MandateCaseWork, 3); refusedFor(err) != purser.NoRole {
		t.Errorf("a case for an admin: got %v", err)
	}
	path := mandatePath(id, "disclose")
	got := agent.does(path, fields("name", "email", "address", "birth_date"))
	if c := o.customers[i]; got.Fields["email"] != c.Email || len(got.Fields) != 2 || len(got.NotAvailable) != 2 {
		t.Errorf("got %d fields, %v not available", len(got.Fields), got.NotAvailable)
	}
	other.refused("ask_your_lead", path, fields("name"))
	o.privacy.refused("ask_your_lead", path, fields("name"))
	lock := o.security.does("/v1/locks", dict{"target": agent.person})
	agent.refused("ask_your_lead", path, fields("name"))
	for _, m := range []*member{o.security, o.guard} {
		m.does("/v1/locks/"+lock.Lock.String()+"/lift", dict{"why": "mistake"})
	}
	agent.does(path, fields("name"))
	counted := 0
	for _, e := range o.entries() {
		if d, ok := e.(*purser.Disclosure); ok && d.Mandate == id && d.Reason == purser.Allowed {
			if d.Flags&purser.FirstDisclosure != 0 {
				counted++
			}
			if d.Customer != purser.Ordinal(i+1) || d.Assurance != purser.A2 || !d.Contact.Zero() {
				t.Errorf("got the entry %+v", d)
			}
		}
	}
	if counted != 1 {
		t.Errorf("budgets counted %d customers, want 1", counted)
	}
	if answer := agent.ask(http.MethodPost, mandatePath(id, "dial"), nil); answer.status != http.StatusConflict || !strings.Contains(string(answer.body), "no dialler is configured") {
		t.Errorf("without a dialler: got %d %s", answer.status, answer.body)
	}
	agent.does(mandatePath(id, "end"), nil)
	agent.refused("ask_your_lead", path, fields("name"))
	o.leap(time.Minute)
	if _, err := o.assigned(agent, i, purser.MandateCallBack, 4); err != nil {
		t.Errorf("the next case: got %v", err)
	}
}

// A call-back hands the number to what dials, and to nobody else, under its own
// entry, nine times at most.
func TestCallBackDialsWithoutShowing(t *testing.T) {
	o := newOffice(t, 30)
	agent, other := o.hire(0, "desk", "agent"), o.hire(0, "desk", "agent")
	i := o.with(0, complete)
	id, err := o.assigned(agent, i, purser.MandateCallBack, 1)
	must(t, err)
	asker := gate.Asker{Session: agent.session, Lane: o.vendors[0]}
	dialled := 0
	dial := func(_ context.Context, to purser.Plain) error {
		dialled++
		if to.Reveal() == "" {
			t.Error("dialled nothing")
		}
		return nil
	}
	if err := o.d.Gate.Dial(t.Context(), gate.Asker{Session: other.session}, id, dial); refusedFor(err) != purser.MandateUnknown {
		t.Errorf("somebody else: got %v", err)
	}
	if _, err := o.d.Gate.ReleaseTo(t.Context(), gate.ReleaseAsk{
		Mandate: id, To: purser.DeliverDial, Customers: []purser.Ordinal{purser.Ordinal(i + 1)}, Fields: purser.Mask(5),
	}, func(gate.Opened) error { return nil }); refusedFor(err) != purser.MandateUnknown {
		t.Errorf("without its holder: got %v", err)
	}
	for range 9 {
		must(t, o.d.Gate.Dial(t.Context(), asker, id, dial))
	}
	if err := o.d.Gate.Dial(t.Context(), asker, id, dial); refusedFor(err) != purser.CeilingExceeded || dialled != 9 {
		t.Errorf("the tenth call: got %v after %d", err, dialled)
	}
}
