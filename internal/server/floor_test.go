package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"purser"
	"purser/internal/synth"
	"purser/internal/telephony"
	"purser/proof"
)

// told is every member that an answer of the API may have.
type told struct {
	Answer       string
	Assurance    string
	Reference    string
	Customer     purser.CustomerID
	Fields       map[string]string
	NotAvailable []string `json:"not_available"`
	Entry        purser.Pos
	Lock         purser.LockID
	Lifted       bool
	Change       purser.ChangeID
	Source       purser.SourceID
	Secret       string
	Text         string
	Contacts     []work
	Case         purser.CaseID
	Number       string
	Items        []item
	More         bool
	Errors       []struct{ Where, What string }
}

// item is one text of a timeline.
type item struct {
	Reference, Kind, State, Topic, Text string
	Case                                purser.CaseID
}

type work struct {
	Contact    purser.ContactID
	Phase      string
	Claimed    bool
	Stale      bool
	Bound      bool
	Assurance  string
	Outbound   bool
	Linked     []purser.CustomerID
	Emergency  bool
	TriesLeft  int               `json:"tries_left"`
	SendsLeft  int               `json:"sends_left"`
	CustomerID purser.CustomerID `json:"customer"`
}

// says posts and returns what came, with its status.
func (m *member) says(path string, body any) (int, told) {
	m.a.t.Helper()
	got := m.ask(http.MethodPost, path, body)
	var out told
	must(m.a.t, json.Unmarshal(got.body, &out))
	return got.status, out
}

// does posts what must succeed.
func (m *member) does(path string, body any) told {
	m.a.t.Helper()
	status, got := m.says(path, body)
	if status >= 300 {
		m.a.t.Fatalf("%s: got %d %+v, want success", path, status, got)
	}
	return got
}

// refused posts what must be refused with this answer.
func (m *member) refused(want, path string, body any) told {
	m.a.t.Helper()
	status, got := m.says(path, body)
	if status != http.StatusForbidden || got.Answer != want {
		m.a.t.Fatalf("%s: got %d %q (%s), want 403 %q", path, status, got.Answer, m.a.reasonOf(got.Reference), want)
	}
	return got
}

// reasonOf tells a failing test why something was refused.
func (a *airline) reasonOf(reference string) string {
	pos, err := a.d.Gate.Position(reference)
	if err != nil {
		return "no reference"
	}
	all := a.entries()
	if int(pos) >= len(all) {
		return "beyond the end"
	}
	if d, ok := all[pos].(purser.Decision); ok {
		return fmt.Sprintf("%T: %v", d, d.Refused())
	}
	return fmt.Sprintf("%T", all[pos])
}

func fields(names ...string) dict { return dict{"fields": names} }

func (m *member) work(c purser.ContactID) work {
	m.a.t.Helper()
	got := m.ask(http.MethodGet, "/v1/contacts", nil)
	var out told
	must(m.a.t, json.Unmarshal(got.body, &out))
	i := slices.IndexFunc(out.Contacts, func(w work) bool { return w.Contact == c })
	if i < 0 {
		return work{}
	}
	return out.Contacts[i]
}

// identified claims a new call and binds customer i to it.
func (m *member) identified(i int, more ...func(*telephony.Data)) (call string, c purser.ContactID) {
	m.a.t.Helper()
	call, c = m.claimed(more...)
	m.does(at(c, "identify"), m.a.items(i))
	return call, c
}

// event has the member's switch report something, which must be taken.
func (m *member) event(e purser.Event, d telephony.Data) {
	m.a.t.Helper()
	must(m.a.t, m.a.phones[m.centre].Emit(m.a.t.Context(), e, d))
}

// entries exports the ledger, verifies it, and returns what it holds.
func (a *airline) entries() []purser.Entry {
	a.t.Helper()
	dir := filepath.Join(a.t.TempDir(), "export")
	_, err := a.d.Export(a.t.Context(), dir, nil)
	must(a.t, err)
	key, err := note.NewVerifier(a.verifier)
	must(a.t, err)
	var all []purser.Entry
	_, err = proof.VerifyFolder(a.t.Context(), os.DirFS(dir), key, proof.Options{
		Each: func(_ purser.Header, e purser.Entry) error { all = append(all, e); return nil },
	})
	must(a.t, err)
	return all
}

// shown counts disclosures that showed something, and whom.
func shown(all []purser.Entry) (n int, customers map[purser.Ordinal]bool) {
	customers = make(map[purser.Ordinal]bool)
	for _, e := range all {
		if d, ok := e.(*purser.Disclosure); ok && d.Reason == purser.Allowed {
			n++
			customers[d.Customer] = true
		}
	}
	return n, customers
}

// refusals counts how often a session was refused something of a kind, and how
// many entries that took.
func refusals(all []purser.Entry, s purser.SessionID, k purser.Kind) (times, entries int) {
	for _, e := range all {
		switch d := e.(type) {
		case *purser.Refusals:
			if d.Who.Session == s && d.Of == k {
				times += int(d.Count)
				entries++
			}
		case *purser.Disclosure:
			if d.Who.Session == s && e.Kind() == k && d.Reason != purser.Allowed {
				times++
				entries++
			}
		case *purser.Attempt:
			if d.Who.Session == s && e.Kind() == k && d.Reason != purser.Allowed {
				times++
				entries++
			}
		}
	}
	return times, entries
}

func findings(all []purser.Entry, what purser.FindingKind) (n int) {
	for _, e := range all {
		if f, ok := e.(*purser.Finding); ok && f.What == what {
			n++
		}
	}
	return n
}

// until waits for what background work brings about.
func (a *airline) until(what string, done func() bool) {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), 20*time.Second)
	defer cancel()
	for !done() {
		select {
		case <-ctx.Done():
			a.t.Fatalf("waited in vain for %s", what)
		case <-time.After(time.Millisecond): // real time: nothing else tells of it
		}
	}
}

// leap moves the clock by d at once and has both switches say what is live.
func (a *airline) leap(d time.Duration, live ...telephony.Live) {
	a.t.Helper()
	a.clock.Advance(d)
	for _, p := range a.phones {
		must(a.t, p.Snapshot(a.t.Context(), live))
	}
}

// with finds the first customer, from number from on, that has what is asked.
func (a *airline) with(from int, has func(synth.Customer) bool) int {
	a.t.Helper()
	for i := from; i < len(a.customers); i++ {
		if has(a.customers[i]) {
			return i
		}
	}
	a.t.Fatal("no such customer: have more of them")
	return 0
}

func complete(c synth.Customer) bool {
	return c.LoyaltyNumber != "" && c.BirthDate != "" && c.Email != ""
}

// people returns the numbers of n customers who have what most tests need.
func (a *airline) people(n int) []int {
	a.t.Helper()
	out := make([]int, 0, n)
	for i, c := range a.customers {
		if complete(c) && len(out) < n {
			out = append(out, i)
		}
	}
	if len(out) < n {
		a.t.Fatalf("got %d complete customers, want %d", len(out), n)
	}
	return out
}

// holdsNone fails if a text holds a value of one of the customers that is long
// enough not to be there by chance.
func (a *airline) holdsNone(t testing.TB, where string, text []byte) {
	t.Helper()
	s := strings.ToLower(string(text))
	for i, c := range a.customers {
		for _, v := range []string{c.Email, c.Phone, c.LoyaltyNumber, c.BirthDate, c.GivenName + " " + c.FamilyName} {
			if len(v) >= 8 && strings.Contains(s, strings.ToLower(v)) {
				t.Fatalf("%s: holds a value of customer %d", where, i)
			}
		}
	}
}
