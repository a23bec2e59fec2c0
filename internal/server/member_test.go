package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"purser"
	"purser/internal/synth"
	"purser/internal/telephony"
	"purser/internal/workforce"
)

// member is somebody with a passkey and a session.
type member struct {
	a       *airline
	person  purser.PersonID
	session purser.SessionID
	agent   string // at the vendor's switch
	centre  int
	browser *synth.Browser
	client  *synth.Client
}

// hire adds a person with the roles, enrols a passkey and logs in.
func (a *airline) hire(centre int, level string, roles ...string) *member {
	a.t.Helper()
	m := a.add(centre, roles...)
	m.login(level)
	return m
}

// add adds a person with a passkey.
func (a *airline) add(centre int, roles ...string) *member {
	a.t.Helper()
	var p struct{ Person purser.PersonID }
	must(a.t, a.door("/door/people", dict{
		"name": "Made Up", "vendor": a.vendors[centre], "team": a.teams[centre], "roles": roles,
	}, &p))
	browser, err := synth.NewBrowser(rp, a.clock)
	must(a.t, err)
	m := &member{a: a, person: p.Person, centre: centre, browser: browser}
	must(a.t, m.enrol())
	if strings.Contains(strings.Join(roles, " "), "agent") {
		m.agent = "agent " + p.Person.String()
		must(a.t, a.door("/door/agents", dict{"source": a.phones[centre].id, "agent": m.agent, "person": p.Person}, nil))
	}
	return m
}

func (m *member) enrol() error {
	var ticket struct{ Ticket string }
	if err := m.a.door("/door/tickets", dict{"person": m.person}, &ticket); err != nil {
		return err
	}
	var begun workforce.Begun
	if err := m.a.open("/v1/enrolments/begin", dict{"ticket": ticket.Ticket, "page_key": m.browser.PageKey()}, &begun); err != nil {
		return err
	}
	response, err := m.browser.Enrol(begun)
	must(m.a.t, err)
	return m.a.open("/v1/enrolments/finish", dict{"ceremony": begun.Ceremony, "response": json.RawMessage(response)}, nil)
}

func (m *member) login(level string) {
	m.a.t.Helper()
	var begun workforce.Begun
	must(m.a.t, m.a.open("/v1/login/begin", dict{"page_key": m.browser.PageKey(), "level": level, "person": m.person}, &begun))
	response, err := m.browser.Assert(begun)
	must(m.a.t, err)
	var opened struct {
		Session   purser.SessionID
		Token     string
		ServerKey workforce.PageKey `json:"server_key"`
		Now       time.Time
	}
	must(m.a.t, m.a.open("/v1/login/finish", dict{"ceremony": begun.Ceremony, "response": json.RawMessage(response)}, &opened))
	token, err := workforce.ParseToken(opened.Token)
	must(m.a.t, err)
	m.session = opened.Session
	m.client, err = m.browser.Open(token, opened.Session, opened.ServerKey, purser.StampOf(opened.Now))
	must(m.a.t, err)
}

func (m *member) stepUp() {
	m.a.t.Helper()
	var begun workforce.Begun
	must(m.a.t, m.post("/v1/step-up/begin", nil, &begun))
	response, err := m.browser.Assert(begun)
	must(m.a.t, err)
	must(m.a.t, m.post("/v1/step-up/finish", dict{"ceremony": begun.Ceremony, "response": json.RawMessage(response)}, nil))
}

// ask sends a signed request and returns all that can be seen of the answer.
func (m *member) ask(method, path string, body any) answer {
	m.a.t.Helper()
	var text []byte
	if body != nil {
		var err error
		text, err = json.Marshal(body)
		must(m.a.t, err)
	}
	return m.raw(method, path, text)
}

// raw is ask with a body that need not be JSON, and headers of the test's own.
// Where the session is too fast it waits, as a page does.
func (m *member) raw(method, path string, body []byte, more ...func(http.Header)) answer {
	m.a.t.Helper()
	for {
		got := m.hasty(method, path, body, more...)
		if got.status != http.StatusTooManyRequests {
			return got
		}
		m.a.clock.Advance(50 * time.Millisecond) // one request's worth
	}
}

// hasty is raw without waiting.
func (m *member) hasty(method, path string, body []byte, more ...func(http.Header)) answer {
	m.a.t.Helper()
	q, err := http.NewRequestWithContext(m.a.t.Context(), method, m.a.base+path, bytes.NewReader(body))
	must(m.a.t, err)
	if body != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	m.client.Sign(q, body)
	for _, f := range more {
		f(q.Header)
	}
	got, err := m.a.send(q)
	must(m.a.t, err)
	return got
}

// post asks and decodes; an answer that is no success is an *errAnswer.
func (m *member) post(path string, body, out any) error {
	m.a.t.Helper()
	got := m.ask(http.MethodPost, path, body)
	if got.status >= 300 {
		return &errAnswer{got.status, string(got.body)}
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(got.body, out)
}

// call has the switch offer and connect a call to the member's agent, and
// returns its contact, unclaimed.
func (m *member) call(more ...func(*telephony.Data)) (call string, contact purser.ContactID) {
	m.a.t.Helper()
	p := m.a.phones[m.centre]
	p.calls++
	call = fmt.Sprintf("call %d", p.calls)
	d := telephony.Data{Call: call, Agent: m.agent}
	for _, f := range more {
		f(&d)
	}
	must(m.a.t, p.Emit(m.a.t.Context(), purser.EventOffered, d))
	must(m.a.t, p.Emit(m.a.t.Context(), purser.EventConnected, telephony.Data{Call: call, Agent: m.agent}))
	return call, m.a.contact(p)
}

func (m *member) claimed(more ...func(*telephony.Data)) (call string, contact purser.ContactID) {
	m.a.t.Helper()
	call, contact = m.call(more...)
	must(m.a.t, m.post(at(contact, "claim"), nil, nil))
	return call, contact
}

func at(c purser.ContactID, act string) string { return "/v1/contacts/" + c.String() + "/" + act }

// hangUp ends a call.
func (m *member) hangUp(call string) {
	m.a.t.Helper()
	p := m.a.phones[m.centre]
	must(m.a.t, p.Emit(m.a.t.Context(), purser.EventHungUp, telephony.Data{Call: call}))
	must(m.a.t, p.Emit(m.a.t.Context(), purser.EventClosed, telephony.Data{Call: call}))
}
