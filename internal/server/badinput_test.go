package server_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"purser"
	"purser/internal/telephony"
	"purser/internal/workforce"
)

// marker stands in everything that is sent and may come back nowhere.
const marker = "zQ7xMARKERw3v"

// problem is what must hold of every answer to bad input: an error of the asker,
// as a problem, without what was sent.
func (a *airline) problem(t *testing.T, what string, got answer) {
	t.Helper()
	if got.status < 400 || got.status >= 500 {
		t.Errorf("%s: got %d %s, want 4xx", what, got.status, got.body)
	}
	a.repeatsNothing(t, what, got)
	if got.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s: got %d as %q, want a problem", what, got.status, got.header.Get("Content-Type"))
	}
}

func (a *airline) repeatsNothing(t *testing.T, what string, got answer) {
	t.Helper()
	all := fmt.Sprint(got.header) + string(got.body)
	if strings.Contains(strings.ToLower(all), strings.ToLower(marker)) {
		t.Errorf("%s: the answer repeats what was sent: %s", what, all)
	}
	if got.status >= 500 {
		t.Errorf("%s: got %d", what, got.status)
	}
}

// serves proves that a good request works after bad ones.
func (m *member) serves(t *testing.T, c purser.ContactID) {
	t.Helper()
	if status, got := m.says(at(c, "disclose"), fields("name")); status != http.StatusOK || len(got.Fields) != 1 {
		t.Errorf("a good request after bad ones: got %d with %d fields", status, len(got.Fields))
	}
	if bytes.Contains(bytes.ToLower(m.a.logs.Bytes()), []byte(strings.ToLower(marker))) {
		t.Error("the log repeats what was sent")
	}
}

// bodies are no requests at all, whatever the route.
func bodies() map[string]string {
	return map[string]string{
		"no JSON":          marker,
		"cut short":        `{"items":[{"kind":"` + marker,
		"bare word":        `{"items":` + marker + `}`,
		"text":             `"` + marker + `"`,
		"list":             `["` + marker + `"]`,
		"number":           `12345678901234567890e99999`,
		"null":             `null`,
		"empty":            ``,
		"two values":       `{} {"` + marker + `":1}`,
		"unknown member":   `{"` + marker + `":"` + marker + `"}`,
		"member twice":     `{"fields":["name"],"fields":["` + marker + `"],"digits":"1","digits":"2"}`,
		"other letters":    `{"FIELDS":["` + marker + `"],"Items":[]}`,
		"deep lists":       strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000),
		"deep objects":     strings.Repeat(`{"a":`, 5000) + `"` + marker + `"` + strings.Repeat("}", 5000),
		"not UTF-8":        "{\"digits\":\"\xff\xfe" + marker + "\"}",
		"overlong":         "{\"digits\":\"\xc0\x80" + marker + "\"}",
		"NUL":              "{\"digits\":\"\x00" + marker + "\"}",
		"escaped NUL name": `{"\u0000` + marker + `":1}`,
		"over 64 KiB":      `{"fields":["` + strings.Repeat(marker, 6000) + `"]}`,
		"1 MB":             `{"fields":["` + strings.Repeat("x", 1<<20) + marker + `"]}`,
		"wrong types":      `{"items":{"` + marker + `":true},"fields":"` + marker + `","digits":["` + marker + `"],"target":7,"as":{},"level":[],"ceremony":1,"ticket":1,"why":1,"vote":0}`,
	}
}

// TestBadBodies sends every body to every route that takes one.
func TestBadBodies(t *testing.T) {
	a := newAirline(t, 30)
	m := a.hire(0, "desk", "agent")
	_, c := m.identified(a.people(1)[0])
	doc, _ := a.document()
	for path, methods := range doc.Paths {
		op, ok := methods["post"]
		if !ok || len(op.RequestBody) == 0 {
			continue
		}
		for name, body := range bodies() {
			target := strings.Replace(path, "{contact}", c.String(), 1)
			got := m.raw(http.MethodPost, doc.filled(target), []byte(body))
			a.problem(t, path+": "+name, got)
		}
		a.pass(200 * time.Millisecond)
	}
	m.serves(t, c)
}

// TestBadValues puts bad values where good ones belong.
func TestBadValues(t *testing.T) {
	a := newAirline(t, 30)
	m, office := a.hire(0, "desk", "agent"), a.hire(0, "office", "security", "admin")
	_, c := m.identified(a.people(1)[0])
	other := a.hire(0, "desk", "agent")
	for n, said := range []string{
		marker, "\u202e" + marker + "\u202c", "\x00", "\u0000" + marker, strings.Repeat("é", 128), "9999-99-99", "31/02/1990",
		"0000-00-00", "-1", "1e309", "%00", "<script>" + marker, "\U0010ffff", "\ufeff", "ＭＡＲＫＥＲ", "Kim\u0301\u0301\u0301\u0301",
	} {
		if n%3 == 0 { // three tries a contact
			_, k := other.claimed()
			for _, kind := range []string{"birth_date", "email", "name", "phone", "postcode", "booking_reference", "loyalty_number"} {
				got := other.ask(http.MethodPost, at(k, "identify"), dict{"items": []dict{
					{"kind": kind, "said": said}, {"kind": otherKind(kind), "said": said},
				}})
				a.problem(t, fmt.Sprintf("%s: item %d", kind, n), got)
			}
		}
	}
	for name, one := range map[string]struct {
		path string
		body any
	}{
		"over 256 bytes":    {at(c, "identify"), said("email", strings.Repeat("x", 257))},
		"over the schema":   {at(c, "identify"), said("email", strings.Repeat(marker, 100))},
		"unknown kind":      {at(c, "identify"), said(marker, marker)},
		"kind twice":        {at(c, "identify"), said("email", marker, "email", marker)},
		"eight items":       {at(c, "identify"), said("email", "1", "phone", "1", "name", "1", "a", "1", "b", "1", "c", "1", "d", "1", "e", marker)},
		"no items":          {at(c, "identify"), dict{"items": []dict{}}},
		"unknown field":     {at(c, "disclose"), fields(marker)},
		"unknown mask":      {at(c, "disclose"), fields("name:masked")},
		"unknown purpose":   {at(c, "disclose"), dict{"fields": []string{"name"}, "purpose": marker}},
		"no fields":         {at(c, "disclose"), fields()},
		"33 fields":         {at(c, "disclose"), fields(strings.Split(strings.Repeat("name,", 32)+marker, ",")...)},
		"no such id form":   {at(c, "disclose"), dict{"fields": []string{"name"}, "customer": marker}},
		"long code":         {at(c, "code/try"), dict{"digits": marker}},
		"unknown emergency": {at(c, "break-glass"), dict{"items": []dict{{"kind": "email", "said": marker}}, "emergency": marker}},
		"bad target":        {"/v1/locks", dict{"target": marker}},
		"bad target id":     {"/v1/locks", dict{"target": "per_" + marker}},
		"bad degree":        {"/v1/locks", dict{"target": "all", "degree": marker}},
		"bad date":          {"/v1/locks", dict{"target": "all", "expires": "2026-13-45T" + marker}},
		"past date":         {"/v1/locks", dict{"target": "all", "expires": "1970-01-01T00:00:00Z"}},
		"far date":          {"/v1/locks", dict{"target": marker, "expires": "9999-12-31T23:59:59Z"}},
		"bad role":          {"/v1/changes", dict{"as": marker}},
		"nothing to change": {"/v1/changes", dict{"as": "admin"}},
		"two changes": {"/v1/changes", dict{
			"as": "admin", "map": dict{"source": a.phones[0].id, "agent": marker, "person": m.person},
			"budget": dict{"ceiling": "weak_day", "value": 1},
		}},
		"bad number":   {"/v1/changes", dict{"as": "admin", "budget": dict{"ceiling": "weak_day", "value": -1}}},
		"bad ceremony": {"/v1/step-up/finish", dict{"ceremony": marker, "response": dict{marker: marker}}},
	} {
		a.problem(t, name, m.ask(http.MethodPost, one.path, one.body))
		a.problem(t, name, office.ask(http.MethodPost, one.path, one.body))
	}
	for _, path := range []string{
		"/v1/contacts/" + marker + "/claim", "/v1/contacts/con_" + strings.ToUpper(marker) + "/claim", "/v1/contacts//claim",
		"/v1/contacts/" + c.String() + "x/claim", "/v1/contacts/" + strings.ToUpper(c.String()) + "/claim",
		"/v1/contacts/%00" + marker + "/claim", "/v1/contacts/" + m.person.String() + "/claim", "/v1/people/" + marker + "/suspend",
		"/v1/locks/" + marker + "/lift", "/v1/changes/" + marker + "/vote", "/" + marker, "/v1/" + marker + "?" + marker + "=" + marker,
	} {
		got := m.ask(http.MethodPost, path, dict{"why": "over", "as": "admin", "vote": "veto"})
		if got.status == http.StatusTemporaryRedirect || got.status == http.StatusMovedPermanently {
			continue // a path with an empty part is cleaned by the library: nothing is done
		}
		a.problem(t, path, got)
	}
	a.problem(t, "reference", m.ask(http.MethodGet, "/v1/refusals/"+marker, nil))
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodGet, "MARKER", http.MethodOptions} {
		a.problem(t, method, m.raw(method, at(c, "disclose"), []byte(`{"fields":["name"]}`)))
	}
	for _, media := range []string{"text/plain", "application/xml", "application/cbor", marker + "/" + marker, "multipart/form-data; boundary=" + marker} {
		got := m.raw(http.MethodPost, at(c, "disclose"), []byte(`{"fields":["name"]}`), func(h http.Header) { h.Set("Content-Type", media) })
		a.problem(t, media, got)
	}
	got := m.raw(http.MethodPost, at(c, "disclose"), []byte(`{"fields":["name"]}`), func(h http.Header) {
		for _, name := range []string{"Accept", "User-Agent", "Cookie", "Origin", "Referer", "X-Forwarded-For", "Accept-Language", marker} {
			h.Set(name, marker)
		}
	})
	a.repeatsNothing(t, "headers", got)
	m.serves(t, c)
}

// otherKind is an item that goes with another.
func otherKind(kind string) string {
	if kind == "postcode" {
		return "phone"
	}
	return "postcode"
}

// TestBadSignatures changes what signs a request.
func TestBadSignatures(t *testing.T) {
	a := newAirline(t, 30)
	m := a.hire(0, "desk", "agent")
	_, c := m.identified(a.people(1)[0])
	body := []byte(`{"fields":["name"]}`)
	names := []string{workforce.HeaderToken, workforce.HeaderTime, workforce.HeaderCounter, workforce.HeaderSignature}
	try := func(what string, f func(http.Header)) {
		t.Helper()
		got := m.raw(http.MethodPost, at(c, "disclose"), body, f)
		if got.status != http.StatusUnauthorized {
			t.Errorf("%s: got %d, want 401", what, got.status)
		}
		a.problem(t, what, got)
	}
	for _, name := range names {
		try(name+" missing", func(h http.Header) { h.Del(name) })
		try(name+" empty", func(h http.Header) { h.Set(name, "") })
		try(name+" garbled", func(h http.Header) { h.Set(name, marker) })
		try(name+" twice", func(h http.Header) { h[http.CanonicalHeaderKey(name)] = append(h.Values(name), h.Get(name)) })
		try(name+" longer", func(h http.Header) { h.Set(name, h.Get(name)+"A") })
		try(name+" in two", func(h http.Header) { h.Set(name, h.Get(name)+", "+h.Get(name)) })
		try(name+" with a zero", func(h http.Header) { h.Set(name, "0"+h.Get(name)) })
		try(name+" huge", func(h http.Header) { h.Set(name, strings.Repeat("9", 4000)) })
	}
	for _, scheme := range []string{"Bearer ", "Basic ", "purser ", "Purser  "} {
		try(scheme, func(h http.Header) { h.Set(names[0], scheme+strings.TrimPrefix(h.Get(names[0]), "Purser ")) })
	}
	for _, off := range []time.Duration{-time.Hour, -61 * time.Second, 61 * time.Second, 24 * time.Hour, 1 << 62} {
		skewed := m.thief()
		skewed.client.Correct(a.clock.Now().Add(off))
		got := skewed.raw(http.MethodPost, at(c, "disclose"), body)
		if got.status != http.StatusUnauthorized || got.header.Get(workforce.HeaderTime) == "" {
			t.Errorf("signed for %v from now: got %d, want 401 with the server's time", off, got.status)
		}
	}
	try("another body", func(h http.Header) {
		other := *m
		other.raw(http.MethodPost, at(c, "claim"), []byte("{}"), func(g http.Header) {
			for _, name := range names {
				h.Set(name, g.Get(name))
			}
		})
	})
	// Go's server answers a request line and headers over its limit by itself.
	got := m.raw(http.MethodPost, at(c, "disclose"), body, func(h http.Header) { h.Set("X-Marker", strings.Repeat(marker, 4000)) })
	if got.status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("huge headers: got %d, want 431", got.status)
	}
	a.repeatsNothing(t, "huge headers", got)
	m.serves(t, c)
}

// TestBadEvents sends authentic events that are not in the format.
func TestBadEvents(t *testing.T) {
	a := newAirline(t, 30)
	m := a.hire(0, "desk", "agent")
	_, c := m.identified(a.people(1)[0])
	p := a.phones[0]
	before := a.d.Status().Size
	n := 0
	for name, body := range bodies() {
		n++
		at := fmt.Sprint(a.clock.Now().Unix())
		id := fmt.Sprintf("bad %d", n)
		err := a.event(t.Context(), telephony.Request{
			Source: p.id, ID: id, Timestamp: at, Body: []byte(body), Signature: telephony.Sign(p.secret, id, at, []byte(body)),
		})
		if err == nil {
			t.Errorf("%s: was taken", name)
		} else if strings.Contains(err.Error(), marker) {
			t.Errorf("%s: the answer repeats what was sent", name)
		}
	}
	if grown := a.d.Status().Size - before; grown > 1 {
		t.Errorf("the ledger grew by %d entries", grown)
	}
	must(t, p.Emit(t.Context(), purser.EventHeartbeat, telephony.Data{}))
	m.serves(t, c)
}

// TestHalfRequestsEnd writes requests that never end to the real server, and
// closes: nothing is left that would keep it from shutting down.
func TestHalfRequestsEnd(t *testing.T) {
	a := newAirline(t, 30)
	m := a.hire(0, "desk", "agent")
	_, c := m.identified(a.people(1)[0])
	var open []net.Conn
	for _, half := range []string{
		"", "P", "POST /v1/login/begin HTTP/1.1\r\n", "POST /v1/login/begin HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n{",
		"POST /v1/login/begin HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{" + marker[:4] + "\r\n",
	} {
		conn, err := net.Dial("tcp", a.s.Address())
		must(t, err)
		_, err = io.WriteString(conn, half)
		must(t, err)
		open = append(open, conn)
	}
	m.serves(t, c)
	for _, conn := range slices.Backward(open) {
		must(t, conn.Close())
	}
	m.serves(t, c)
}
