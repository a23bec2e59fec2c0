package server_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"golang.org/x/mod/sumdb/note"

	"purser"
	"purser/internal/deliver"
	"purser/internal/fold"
	"purser/internal/server"
)

// reports runs an access report and returns what its recipient reads.
func (o *office) reports(ask server.AccessAsk) ([]byte, server.AccessStatement) {
	o.t.Helper()
	var file bytes.Buffer
	said, err := o.d.AccessReport(ask)(o.t.Context(), &file, nil)
	must(o.t, err)
	o.holdsNone(o.t, "the encrypted report", file.Bytes())
	plain, err := age.Decrypt(&file, o.key)
	must(o.t, err)
	text, err := io.ReadAll(plain)
	must(o.t, err)
	return text, said.(server.AccessStatement)
}

// pdfText is what poppler reads in a PDF.
func pdfText(t testing.TB, pdf []byte) string {
	t.Helper()
	program, err := exec.LookPath("pdftotext")
	if err != nil {
		t.Fatal("pdftotext is missing; run make deps, or apt-get install poppler-utils")
	}
	path := filepath.Join(t.TempDir(), "report.pdf")
	must(t, os.WriteFile(path, pdf, 0o600))
	out, err := exec.Command(program, "-layout", path, "-").CombinedOutput()
	if err != nil {
		t.Fatalf("pdftotext: %v %s", err, out)
	}
	return string(out)
}

// The report tells the customer what is held, also what nobody is shown, and
// who saw what when: the vendor and a number, never a name; and nothing of an
// order that forbids to tell.
func TestAccessReportTellsTheCustomer(t *testing.T) {
	o := newOffice(t, 30)
	agent := o.hire(0, "desk", "agent")
	i := o.people(1)[0]
	_, c := agent.identified(i)
	agent.does(at(c, "disclose"), dict{"fields": []string{"name", "tier"}, "purpose": "baggage"})
	one := func(d dict) { d["customers"] = []purser.CustomerID{o.customer(i)} }
	everything := func(d dict) {
		d["fields"] = []string{"name", "email", "phone", "birth_date", "postcode", "address", "loyalty_number", "tier", "note"}
	}
	for _, gag := range []time.Duration{0, 48 * time.Hour} {
		order := o.granted(o.wish("legal-order", one, func(d dict) {
			d["authority"], d["reference"], d["order"], d["fields"] = "District Court", "12/2026", "Hand over.", []string{"name"}
			if gag > 0 {
				d["gag"], d["fields"] = o.clock.Now().Add(gag), []string{"loyalty_number"}
			}
		}))
		_, _, err := o.exports(server.ExportAsk{Mandate: order})
		must(t, err)
	}
	id := o.granted(o.wish("subject-access", one, everything))
	text, said := o.reports(server.AccessAsk{Mandate: id, Format: deliver.ReportJSON})
	var report struct {
		Customer purser.CustomerID
		Held     []struct {
			Field, Value string
			Shown        bool
		}
		Events []struct {
			What    string
			Fields  []string
			Purpose string
			By      struct {
				Vendor, Role string
				Person       int
			}
		}
	}
	must(t, json.Unmarshal(text, &report))
	values := map[string]string{}
	for _, h := range report.Held {
		values[h.Field] = h.Value
		if h.Shown == (h.Field == "birth_date" || h.Field == "postcode") {
			t.Errorf("%s: got shown %v", h.Field, h.Shown)
		}
	}
	who := o.customers[i]
	if report.Customer != o.customer(i) || values["birth_date"] != who.BirthDate || values["email"] != who.Email || said.Fields != len(report.Held) {
		t.Errorf("the report holds %d fields of %v", len(report.Held), report.Customer)
	}
	what := map[string]int{}
	for _, e := range report.Events {
		what[e.What]++
		if e.What == "shown" && (e.Purpose != "baggage" || e.By.Vendor != "In-house" || e.By.Person != 1 || e.By.Role != "agent" || strings.Join(e.Fields, " ") != "name tier") {
			t.Errorf("got the disclosure %+v", e)
		}
	}
	if what["shown"] != 1 || what["the record came with an import"] != 1 || what["handed over by a legal order"] != 1 {
		t.Errorf("got the events %v", what)
	}
	for _, hidden := range []string{agent.person.String(), agent.session.String(), "Made Up"} {
		if strings.Contains(string(text), hidden) {
			t.Errorf("the report names staff: %s", hidden)
		}
	}
	pdf, _ := o.reports(server.AccessAsk{Mandate: id, Format: deliver.ReportPDF})
	page := pdfText(t, pdf)
	for _, want := range []string{"What is held", who.Email, who.BirthDate, "shown: name, tier; by person 1 (agent) of In-house; for baggage"} {
		if !strings.Contains(strings.Join(strings.Fields(page), " "), want) {
			t.Errorf("the PDF leaves out %d characters that it should hold", len(want))
		}
	}
	o.leap(49 * time.Hour)
	o.privacy.login("office")
	o.security.login("office")
	id = o.granted(o.wish("subject-access", one, everything))
	text, _ = o.reports(server.AccessAsk{Mandate: id, Format: deliver.ReportJSON})
	if n := strings.Count(string(text), "handed over by a legal order"); n != 2 {
		t.Errorf("once the order of silence is over: got %d hand-overs, want 2", n)
	}
}

// Everything held is searched under an investigation of all of it; the
// statement is signed, and its hash an entry.
func TestAttestHoldings(t *testing.T) {
	o := newOffice(t, 40)
	investigate := func(change ...func(dict)) purser.MandateID {
		o.security.stepUp()
		o.privacy.stepUp()
		w := o.wish("investigation", append([]func(dict){func(d dict) {
			delete(d, "recipient")
			delete(d, "customers")
			d["as"], d["everybody"] = "security", true
			d["fields"] = []string{
				"name", "salutation", "gender", "email", "phone", "birth_date", "postcode", "address", "loyalty_number",
				"booking_reference", "tier", "points", "status_credits", "meal_preference", "case", "note",
			}
		}}, change...)...)
		id := o.security.asks(w)
		o.privacy.does(mandatePath(id, "approve"), dict{"as": "privacy"})
		return id
	}
	part := investigate(func(d dict) { d["fields"] = []string{"name"} })
	if _, err := o.d.Attest(server.AttestAsk{Mandate: part})(t.Context(), io.Discard, nil); err == nil || !strings.Contains(err.Error(), "every field") {
		t.Errorf("a part of what is held: got %v", err)
	}
	wrong := uint64(41)
	var file bytes.Buffer
	got, err := o.d.Attest(server.AttestAsk{Mandate: investigate(), Against: &wrong})(t.Context(), &file, nil)
	must(t, err)
	said := got.(server.HoldingsStatement)
	if said.Customers != 40 || said.Fields < 400 || said.Found != 0 || !said.Differs || len(said.Classes) != 12 || said.Releases != 1 {
		t.Errorf("got %+v", said)
	}
	key, err := note.NewVerifier(o.verifier)
	must(t, err)
	if _, err := note.Open(file.Bytes(), note.VerifierList(key)); err != nil || file.String() != said.Note {
		t.Errorf("the statement's signature: %v", err)
	}
	o.holdsNone(t, "the statement", file.Bytes())
	entry, ok := o.entries()[said.Entry].(*purser.Holdings)
	if !ok || entry.Customers != 40 || entry.Statement == (purser.Hash{}) {
		t.Errorf("got the entry %+v", entry)
	}
	var after bool
	must(t, o.d.Ledger().Look(t.Context(), func(s *fold.State, _ purser.Stamp) error { after = s.Size() > said.Entry; return nil }))
	if !after {
		t.Error("the entry is not in the ledger")
	}
}
