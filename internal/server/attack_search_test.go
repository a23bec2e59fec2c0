package server_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// document is what /openapi.json says, as far as tests look at it.
type document struct {
	OpenAPI    string
	Info       struct{ Title, Version string }
	Paths      map[string]map[string]operation
	Components struct {
		Schemas         map[string]json.RawMessage
		SecuritySchemes map[string]json.RawMessage
	}
}

type operation struct {
	OperationID string
	Summary     string
	Security    []map[string][]string
	Parameters  []struct {
		Name, In string
		Required bool
		Schema   json.RawMessage
	}
	RequestBody json.RawMessage
	Responses   map[string]json.RawMessage
}

func (a *airline) document() (document, []byte) {
	a.t.Helper()
	q, err := http.NewRequestWithContext(a.t.Context(), http.MethodGet, a.base+"/openapi.json", nil)
	must(a.t, err)
	got, err := a.send(q)
	must(a.t, err)
	if got.status != http.StatusOK {
		a.t.Fatalf("openapi.json: got %d", got.status)
	}
	var d document
	must(a.t, json.Unmarshal(got.body, &d))
	return d, got.body
}

// filled puts made-up identifiers into a path.
func (d document) filled(path string) string {
	return strings.NewReplacer(
		"{contact}", "con_aaaaaaaaaaaaaaaaaaaaaaaaaa", "{lock}", "lck_aaaaaaaaaaaaaaaaaaaaaaaaaa",
		"{person}", "per_aaaaaaaaaaaaaaaaaaaaaaaaaa", "{change}", "chg_aaaaaaaaaaaaaaaaaaaaaaaaaa", "{reference}", "AAAAAAAA",
	).Replace(path)
}

// There is no list, prefix, autocomplete or count over customers: no route
// takes a query, the four that read reveal nothing of any, and parts of a value
// find nobody.
func TestAttack14SearchAbuse(t *testing.T) {
	a := newAirline(t, 60)
	m, security := a.hire(0, "desk", "agent"), a.hire(0, "office", "security", "privacy", "admin", "lead")
	doc, text := a.document()
	a.holdsNone(t, "openapi.json", text)
	var reads []string
	for path, methods := range doc.Paths {
		for method, op := range methods {
			if method == "get" {
				reads = append(reads, path)
			}
			for _, p := range op.Parameters {
				if p.In == "query" || p.In == "cookie" {
					t.Errorf("%s %s takes %s from the %s", method, path, p.Name, p.In)
				}
			}
		}
		if strings.Contains(path, "customer") || strings.Contains(path, "search") {
			t.Errorf("there is a route %s", path)
		}
	}
	slices.Sort(reads)
	if want := []string{
		"/healthz", "/v1/changes", "/v1/changes/{change}", "/v1/contacts", "/v1/erasures/{reference}", "/v1/holds", "/v1/ledger",
		"/v1/mandates", "/v1/mandates/{mandate}", "/v1/refusals/{reference}", "/v1/sessions", "/v1/topics",
	}; !slices.Equal(reads, want) {
		t.Errorf("got routes that read %v, want %v", reads, want)
	}
	c := a.customers[a.people(1)[0]]
	for _, who := range []*member{m, security} {
		for path := range doc.Paths {
			got := who.ask(http.MethodGet, doc.filled(path)+"?q="+c.LoyaltyNumber[:4]+"&limit=100", nil)
			a.holdsNone(t, path, got.body)
		}
		for _, path := range []string{
			"/v1/customers", "/v1/customers/1", "/v1/customers?q=a", "/v1/search?q=a", "/v1/records", "/v1/customers/count",
			"/v1/suggest?q=" + c.LoyaltyNumber[:3], "/v1/contacts/", "/v1/contacts/recent", "/v1/../v1/customers",
		} {
			if got := who.ask(http.MethodGet, path, nil); got.status < 300 {
				t.Errorf("%s: got %d, want nothing", path, got.status)
			}
		}
	}
	_, k := m.claimed()
	for _, part := range []string{c.LoyaltyNumber[:len(c.LoyaltyNumber)-1], c.LoyaltyNumber[:4] + "%", "*", "_", "%", ".*", "' OR 1=1 --"} {
		got, told := m.says(at(k, "identify"), dict{"items": []dict{
			{"kind": "loyalty_number", "said": part}, {"kind": "birth_date", "said": c.BirthDate},
		}})
		if got != http.StatusForbidden || told.Answer != "not_enough" {
			t.Errorf("a part of a number: got %d %s", got, told.Answer)
		}
	}
	if w := m.work(k); w.Bound {
		t.Error("a part of a number bound somebody")
	}
}

// The description is OpenAPI 3.1, whole, and every route but the open ones
// refuses what is not signed.
func TestOpenAPIAndUnsignedRequests(t *testing.T) {
	a := newAirline(t, 0)
	doc, text := a.document()
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") || doc.Info.Title == "" || doc.Info.Version == "" {
		t.Errorf("got %q %+v, want OpenAPI 3.1 with title and version", doc.OpenAPI, doc.Info)
	}
	for _, ref := range regexp.MustCompile(`"\$ref":"([^"]*)"`).FindAllSubmatch(text, -1) {
		name, ok := strings.CutPrefix(string(ref[1]), "#/components/schemas/")
		if _, there := doc.Components.Schemas[name]; !ok || !there {
			t.Errorf("a reference leads nowhere: %s", ref[1])
		}
	}
	open := []string{
		"get /healthz", "post /v1/enrolments/begin", "post /v1/enrolments/finish", "post /v1/login/begin",
		"post /v1/login/finish", "post /v1/telephony/events",
	}
	ids, routes := make(map[string]bool), 0
	for path, methods := range doc.Paths {
		for method, op := range methods {
			routes++
			where := method + " " + path
			if op.OperationID == "" || ids[op.OperationID] || op.Summary == "" || len(op.Responses) == 0 {
				t.Errorf("%s: lacks an id of its own, a summary or answers", where)
			}
			ids[op.OperationID] = true
			for _, wildcard := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(path, -1) {
				if !slices.ContainsFunc(op.Parameters, func(p struct {
					Name, In string
					Required bool
					Schema   json.RawMessage
				},
				) bool {
					return p.Name == wildcard[1] && p.In == "path" && p.Required && len(p.Schema) > 0
				}) {
					t.Errorf("%s: %s is not described", where, wildcard[0])
				}
			}
			q, err := http.NewRequestWithContext(t.Context(), strings.ToUpper(method), a.base+doc.filled(path), strings.NewReader("{}"))
			must(t, err)
			q.Header.Set("Content-Type", "application/json")
			got, err := a.send(q)
			must(t, err)
			isOpen, named := slices.Contains(open, where), len(op.Security) > 0
			switch {
			case isOpen == named:
				t.Errorf("%s: open %v and described with a session %v", where, isOpen, named)
			case !isOpen && got.status != http.StatusUnauthorized:
				t.Errorf("%s: unsigned got %d, want 401", where, got.status)
			case isOpen && where != "post /v1/telephony/events" && got.status == http.StatusUnauthorized:
				t.Errorf("%s: got 401 and is open", where)
			}
		}
	}
	if routes < 28 {
		t.Errorf("got %d routes described", routes)
	}
}
