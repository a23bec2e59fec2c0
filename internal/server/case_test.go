package server_test

import (
	"net/http"
	"strings"
	"testing"

	"purser"
	"purser/internal/edge/web"
	"purser/internal/telephony"
)

// shows asks for a page and compares its texts, the newest first.
func (m *member) shows(c purser.ContactID, want ...string) []item {
	m.a.t.Helper()
	got := m.does(at(c, "timeline"), dict{})
	var texts []string
	for _, i := range got.Items {
		texts = append(texts, i.Text)
	}
	if strings.Join(texts, "|") != strings.Join(want, "|") {
		m.a.t.Errorf("timeline: got %q, want %q", texts, want)
	}
	return got.Items
}

// atA2 gives a member a contact in which customer i is verified at A2.
func (m *member) atA2(i int) (call string, c purser.ContactID) {
	m.a.t.Helper()
	call, c = m.identified(i, func(d *telephony.Data) { d.Caller, d.Attestation = m.a.customers[i].Phone, "carrier" })
	if w := m.work(c); w.Assurance != "A2" {
		m.a.t.Fatalf("got assurance %s, want A2", w.Assurance)
	}
	return call, c
}

// An agent notes, hangs up, wraps up; afterwards it is too late. The next agent
// who has the customer verified sees it, and one who has not sees nothing.
func TestNotesAndWrapUp(t *testing.T) {
	a := newAirline(t, 60)
	i := a.people(1)[0]
	m, next := a.hire(0, "desk", "agent"), a.hire(0, "desk", "agent")
	call, c := m.identified(i)
	if got := m.does(at(c, "notes"), dict{"text": " wants the bag\r\nat home "}); got.Answer != "noted" {
		t.Errorf("got %q", got.Answer)
	}
	m.shows(c) // at A1
	m.event(purser.EventHungUp, telephony.Data{Call: call})
	m.does(at(c, "notes"), dict{"text": "called the courier"})
	m.does(at(c, "wrap-up"), dict{"topic": "baggage"})
	m.refused("ask_your_lead", at(c, "timeline"), dict{})
	m.event(purser.EventClosed, telephony.Data{Call: call})
	m.refused("ask_your_lead", at(c, "notes"), dict{"text": "too late"})
	_, again := next.atA2(i)
	next.shows(again, "called the courier", "wants the bag\nat home")
	next.refused("ask_your_lead", at(c, "notes"), dict{"text": "not mine"})
}

// A case is opened, moved and seen; whoever is stopped does none of it.
func TestCasesAndLocks(t *testing.T) {
	a := newAirline(t, 60)
	i := a.people(1)[0]
	m, security := a.hire(0, "desk", "agent"), a.hire(0, "office", "security")
	_, c := m.atA2(i)
	opened := m.does(at(c, "cases"), dict{"topic": "baggage", "text": "bag is lost"})
	if opened.Case.Zero() || len(opened.Number) != 8 {
		t.Fatalf("opened: got %+v", opened)
	}
	m.does(at(c, "cases/"+opened.Case.String()+"/move"), dict{"state": "waiting", "topic": "refund"})
	items := m.shows(c, "bag is lost")
	if len(items) == 1 && (items[0].State != "waiting" || items[0].Kind != "case" || items[0].Case != opened.Case || items[0].Topic != "baggage") {
		t.Errorf("got %+v", items[0])
	}
	m.does(at(c, "cases/"+opened.Case.String()+"/move"), dict{"state": "solved"})
	m.refused("ask_your_lead", at(c, "notes"), dict{"text": "more", "case": opened.Case})
	m.refused("ask_your_lead", at(c, "notes"), dict{"text": "more", "case": purser.CaseID{1}})
	security.does("/v1/locks", dict{"target": m.person})
	for act, body := range map[string]dict{
		"notes": {"text": "x"}, "wrap-up": {"topic": "other"}, "cases": {"topic": "other", "text": "x"},
		"cases/bind": {"number": opened.Number}, "timeline": {}, "cases/" + opened.Case.String() + "/move": {"state": "open"},
	} {
		m.refused("ask_your_lead", at(c, act), body)
	}
}

// A caller who cannot say who he is is not sent away: the case is taken blind,
// he is given its number, and it is his when he rings again and can.
func TestACaseIsTakenBlind(t *testing.T) {
	a := newAirline(t, 60)
	i := a.people(1)[0]
	m, next, far := a.hire(0, "desk", "agent"), a.hire(0, "desk", "agent"), a.hire(1, "desk", "agent")
	_, c := m.claimed()
	m.refused("not_enough", at(c, "identify"), said("loyalty_number", "900000001", "birth_date", "1980-02-03"))
	opened := m.does(at(c, "cases"), dict{"topic": "not_verified", "text": "knows no number, the bag is red"})
	m.does(at(c, "notes"), dict{"text": "will ring again", "case": opened.Case})
	m.refused("one_more_way", at(c, "timeline"), dict{})
	m.refused("one_more_way", at(c, "cases/bind"), dict{"number": opened.Number})
	_, elsewhere := far.atA2(i)
	far.refused("ask_your_lead", at(elsewhere, "cases/bind"), dict{"number": opened.Number})
	_, back := next.atA2(i)
	next.shows(back)
	if got := next.does(at(back, "cases/bind"), dict{"number": strings.ToLower(opened.Number)}); got.Case != opened.Case {
		t.Errorf("bound %v, want %v", got.Case, opened.Case)
	}
	next.shows(back, "will ring again", "knows no number, the bag is red")
	next.refused("ask_your_lead", at(back, "cases/bind"), dict{"number": opened.Number})
}

// What must not be kept is refused with class and place, in the length of every
// refusal; what nobody could read is a part of the request that is invalid.
func TestTextsAreRefusedWithoutTheValue(t *testing.T) {
	a := newAirline(t, 60)
	m := a.hire(0, "desk", "agent")
	_, c := m.claimed()
	for _, act := range []string{"notes", "cases", "wrap-up"} {
		body := dict{"text": "password: Tr0ub4dor&3 and card 4242 4242 4242 4242 and again 4000 0566 5566 5556", "topic": "other"}
		if act == "notes" {
			delete(body, "topic")
		}
		got := m.refused("ask_your_lead", at(c, act), body)
		if len(got.Errors) != 2 || got.Errors[0].Where != "body.text" || !strings.HasPrefix(got.Errors[0].What, "holds what looks like a password at character") {
			t.Errorf("%s: got %+v", act, got.Errors)
		}
		if raw := m.ask(http.MethodPost, at(c, act), body); len(raw.body) != web.AnswerSize || strings.Contains(string(raw.body), "4242") {
			t.Errorf("%s: got %d bytes", act, len(raw.body))
		}
		body["text"] = "a\x00b"
		if status, got := m.says(at(c, act), body); status != http.StatusUnprocessableEntity || len(got.Errors) != 1 || got.Errors[0].What != "holds a control character" {
			t.Errorf("%s, control character: got %d %+v", act, status, got.Errors)
		}
	}
	if status, _ := m.says(at(c, "wrap-up"), dict{"topic": "nonsense"}); status != http.StatusUnprocessableEntity {
		t.Errorf("unknown topic: got %d", status)
	}
	if got := m.ask(http.MethodGet, "/v1/topics", nil); !strings.Contains(string(got.body), `"topics":["answered",`) {
		t.Errorf("topics: got %s", got.body)
	}
}
