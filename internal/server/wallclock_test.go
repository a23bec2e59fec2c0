package server_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"purser"
	"purser/internal/synth"
)

// machine is a simulated clock that tells the time as a machine's does: Now is
// what the wall clock reads, also after somebody set it.
type machine struct{ *synth.Clock }

// Now returns what the wall clock reads.
func (m machine) Now() time.Time { return m.Wall() }

// What is counted against a customer is counted under a key of the month. A wall
// clock that is set two months on, and that nobody of security accepted, makes no
// other month: who was tried too often, or had his codes, still was.
//
// Seen to fail with tags made by the wall clock's time: the right items were
// enough, and a fourth letter went out.
func TestAStepOfTheClockForgetsNoCustomer(t *testing.T) {
	a := newAirline(t, 60)
	m := a.hire(0, "desk", "agent")
	who := a.people(2)
	tried, wrote := who[0], who[1]
	wrong := func(n int) dict {
		return dict{"items": []dict{
			{"kind": "loyalty_number", "said": a.customers[tried].LoyaltyNumber},
			{"kind": "birth_date", "said": []string{"1801-01-02", "1802-01-02", "1803-01-02"}[n]},
		}}
	}
	for _, tries := range []int{3, 2} { // of five a day
		_, c := m.claimed()
		for n := range tries {
			m.refused("not_enough", at(c, "identify"), wrong(n))
		}
	}
	_, c := m.identified(wrote)
	for range 3 { // of three a day
		m.does(at(c, "code"), dict{})
	}
	a.until("the letters", func() bool { return len(a.mail.Letters()) == 3 })

	a.clock.Step(61 * 24 * time.Hour)
	_, c = m.claimed()
	_, got := m.says(at(c, "identify"), a.items(tried))
	if why := a.reasonOf(got.Reference); got.Answer != "not_enough" || why != "*purser.AttemptResult: "+purser.CustomerLimited.String() {
		t.Errorf("the right items: got %q for %s, want not_enough for the customer's limit", got.Answer, why)
	}
	_, c = m.identified(wrote)
	m.does(at(c, "code"), dict{}) // the same answer, and nothing is sent
	var sent []*purser.CodeSent
	steps := 0
	a.until("the fourth code's result", func() bool {
		results := 0
		sent, steps = nil, 0
		for _, e := range a.entries() {
			switch e := e.(type) {
			case *purser.CodeSent:
				sent = append(sent, e)
			case *purser.ClockStep:
				steps++
			case *purser.CodeResult:
				results++
			}
		}
		return results == 4
	})
	if why := sent[3].Reason; why != purser.SendsSpent || len(a.mail.Letters()) != 3 {
		t.Errorf("a fourth code: got %v and %d letters, want %v and 3", why, len(a.mail.Letters()), purser.SendsSpent)
	}
	if steps == 0 {
		t.Error("the step of the clock is no entry")
	}
}

// told returns the time that the server tells.
func (a *airline) told() time.Time {
	a.t.Helper()
	q, err := http.NewRequestWithContext(a.t.Context(), http.MethodGet, a.base+"/healthz", nil)
	must(a.t, err)
	got, err := a.send(q)
	must(a.t, err)
	var health struct{ Now int64 }
	must(a.t, json.Unmarshal(got.body, &health))
	return time.UnixMilli(health.Now)
}

// A wall clock that was set shuts nobody out: sessions go on, and somebody of
// security logs in and accepts it. From then on its time is everybody's.
//
// Seen to fail with sessions that end by the wall clock's time: none that was
// opened lived, nobody's request was in time after a step back, and so nobody
// could accept it.
func TestAStepOfTheClockShutsNobodyOut(t *testing.T) {
	for name, step := range map[string]time.Duration{"on": 61 * 24 * time.Hour, "back": -61 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			a := newAirline(t, 30)
			m, security := a.hire(0, "desk", "agent"), a.add(0, "security")
			i := a.people(1)[0]
			a.clock.Step(step)
			_, c := m.identified(i)
			if got := m.does(at(c, "disclose"), fields("name")); len(got.Fields) != 1 {
				t.Errorf("in a session from before: got %d fields, want 1", len(got.Fields))
			}
			began := a.clock.Now()
			security.login("office")
			security.does("/v1/clock/accept", nil)
			now := a.told()
			if want := max(a.clock.Wall().Sub(began), 0); now.Sub(began).Round(time.Second) != want.Round(time.Second) {
				t.Errorf("once it is accepted, the ledger went on by %v, want %v", now.Sub(began), want)
			}
			m.login("desk")
			if got := m.ask(http.MethodGet, "/v1/contacts", nil); got.status != http.StatusOK {
				t.Errorf("after that an agent gets %d %s", got.status, got.body)
			}
		})
	}
}
