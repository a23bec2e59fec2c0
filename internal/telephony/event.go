package telephony

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"purser"
	"purser/internal/rule/contact"
)

// The limits of an event.
const (
	MaxText   = 128  // bytes of an id
	MaxDigits = 16   // digits keyed at once
	MaxLive   = 1400 // contacts in one part of a snapshot
	maxDepth  = 5
	maxCaller = 64
)

// Live is one contact that is live at a source. Direction, inbound or outbound,
// is what lets a contact open anything whose first events were lost; Caller and
// Attestation are as in an offered event.
type Live struct {
	Call        string `json:"call"`
	Agent       string `json:"agent"`
	Held        bool   `json:"held,omitempty"`
	Direction   string `json:"direction,omitempty"`
	Caller      string `json:"caller,omitempty"`
	Attestation string `json:"attestation,omitempty"`
}

// The directions of a contact.
const (
	inbound  = "inbound"
	outbound = "outbound"
)

// Data is what an event says, in the source's own ids.
type Data struct {
	Sequence    *uint64 `json:"sequence"`
	Call        string  `json:"call,omitempty"`
	Agent       string  `json:"agent,omitempty"`
	To          string  `json:"to,omitempty"`
	Caller      string  `json:"caller,omitempty"`
	Attestation string  `json:"attestation,omitempty"`
	Outbound    bool    `json:"outbound,omitempty"`
	Digits      string  `json:"digits,omitempty"`
	Live        []Live  `json:"live,omitempty"`
	More        bool    `json:"more,omitempty"`
	// Continues is set on every part but the first of a snapshot in parts.
	Continues bool `json:"continues,omitempty"`
}

// message is the body of an event.
type message struct {
	SpecVersion     string `json:"specversion"`
	ID              string `json:"id"`
	Source          string `json:"source"`
	Type            string `json:"type"`
	Time            string `json:"time"`
	DataContentType string `json:"datacontenttype,omitempty"`
	Data            Data   `json:"data"`
}

// kind is one type of event: which members its data has to and may have
// beside the sequence number.
type kind struct {
	event     purser.Event
	name      string
	must, may []string
}

// kinds lists every type.
func kinds() []kind {
	leg := []string{"call", "agent"}
	legs := []string{"call", "agent", "to"}
	begins := []string{"caller", "attestation", "outbound"}
	return []kind{
		{purser.EventOffered, "purser.contact.offered", leg, begins},
		{purser.EventConnected, "purser.contact.connected", leg, begins},
		{purser.EventHeld, "purser.contact.held", leg, nil},
		{purser.EventConsult, "purser.contact.consult", legs, nil},
		{purser.EventConference, "purser.contact.conference", legs, nil},
		{purser.EventTransferred, "purser.contact.transferred", legs, nil},
		{purser.EventLeft, "purser.contact.left", leg, nil},
		{purser.EventHungUp, "purser.contact.hungup", []string{"call"}, []string{"agent"}},
		{purser.EventClosed, "purser.contact.closed", []string{"call"}, []string{"agent"}},
		{purser.EventKeypad, "purser.contact.keypad", []string{"call", "digits"}, nil},
		{purser.EventHeartbeat, "purser.source.heartbeat", nil, nil},
		{purser.EventSnapshot, "purser.source.snapshot", nil, []string{"live", "more", "continues"}},
	}
}

// kindOf returns the type with the given name or event.
func kindOf(is func(kind) bool) (kind, bool) {
	all := kinds()
	i := slices.IndexFunc(all, is)
	if i < 0 {
		return kind{}, false
	}
	return all[i], true
}

// malformed names the member and the rule, never the value.
func malformed(member, rule string) error {
	return fmt.Errorf("%w: %s %s", ErrMalformed, member, rule)
}

// parse reads the body of an event that id and source signed for. It refuses
// whatever the format does not name: other members, members twice or in other
// letters, null, text that is not UTF-8.
func parse(body []byte, id string, source purser.SourceID) (message, kind, error) {
	var m message
	if err := strict(body); err != nil {
		return m, kind{}, err
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		// The library's text may quote the body.
		return message{}, kind{}, malformed("a member", "is of the wrong type or in the wrong place")
	}
	k, ok := kindOf(func(k kind) bool { return k.name == m.Type })
	_, timeErr := time.Parse(time.RFC3339Nano, m.Time)
	switch {
	case m.SpecVersion != "1.0":
		return m, k, malformed("specversion", "is not 1.0")
	case m.ID != id || !plainText(m.ID):
		return m, k, malformed("id", "is not the signed one")
	case m.Source != source.String():
		return m, k, malformed("source", "is not the signed one")
	case m.DataContentType != "" && m.DataContentType != "application/json":
		return m, k, malformed("datacontenttype", "is not application/json")
	case !ok:
		return m, k, malformed("type", "is not one of the format's")
	case timeErr != nil:
		return m, k, malformed("time", "is not an RFC 3339 time")
	}
	return m, k, m.Data.check(k)
}

// check looks at what the event says.
func (d *Data) check(k kind) error {
	for _, member := range []struct {
		name string
		set  bool
	}{
		{"call", d.Call != ""},
		{"agent", d.Agent != ""},
		{"to", d.To != ""},
		{"caller", d.Caller != ""},
		{"attestation", d.Attestation != ""},
		{"outbound", d.Outbound},
		{"digits", d.Digits != ""},
		{"live", d.Live != nil},
		{"more", d.More},
		{"continues", d.Continues},
	} {
		switch {
		case member.set && !slices.Contains(k.must, member.name) && !slices.Contains(k.may, member.name):
			return malformed(member.name, "does not belong to this type")
		case !member.set && slices.Contains(k.must, member.name):
			return malformed(member.name, "is missing")
		}
	}
	switch {
	case d.Sequence == nil:
		return malformed("sequence", "is missing")
	case *d.Sequence > contact.MaxSequence:
		return malformed("sequence", "is over 2^53-1")
	case !plainText(d.Call) || !plainText(d.Agent) || !plainText(d.To):
		return malformed("call, agent or to", "is over 128 bytes or holds control characters")
	case len(d.Digits) > MaxDigits || strings.Trim(d.Digits, "0123456789*#") != "":
		return malformed("digits", "are over 16 or none of 0-9, * and #")
	case len(d.Live) > MaxLive:
		return malformed("live", "lists over 1400 contacts: send it in parts")
	}
	for _, l := range d.Live {
		if l.Call == "" || l.Agent == "" || !plainText(l.Call) || !plainText(l.Agent) {
			return malformed("live", "has a contact without a proper call and agent")
		}
		if !slices.Contains([]string{"", inbound, outbound}, l.Direction) {
			return malformed("live", "has a direction that is not inbound or outbound")
		}
		if err := caller(l.Caller, l.Attestation); err != nil {
			return err
		}
	}
	return caller(d.Caller, d.Attestation)
}

// caller checks what an event says of a caller's number.
func caller(number, attestation string) error {
	switch {
	case len(number) > maxCaller || !plainText(number):
		return malformed("caller", "is over 64 bytes or holds control characters")
	case !slices.Contains([]string{"", "none", "carrier", "trunk"}, attestation):
		return malformed("attestation", "is not none, carrier or trunk")
	}
	return nil
}

// plainText reports whether s can be an id. What JSON cannot express in UTF-8
// was decoded as U+FFFD.
func plainText(s string) bool {
	return len(s) <= MaxText && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || r == utf8.RuneError
	})
}

// members are the names of the format.
func members() []string {
	return []string{
		"specversion", "id", "source", "type", "time", "datacontenttype", "data",
		"sequence", "call", "agent", "to", "caller", "attestation", "outbound", "digits", "live", "more", "continues",
		"held", "direction",
	}
}

// strict refuses what the decoder would let pass: names in other letters or
// twice, null, nesting, a second value, bytes that are not UTF-8.
func strict(body []byte) error {
	if !utf8.Valid(body) {
		return malformed("the body", "is not UTF-8")
	}
	w := walker{d: json.NewDecoder(bytes.NewReader(body)), known: members()}
	if err := w.value(0); err != nil {
		return err
	}
	if _, err := w.d.Token(); !errors.Is(err, io.EOF) {
		return malformed("the body", "goes on after its end")
	}
	return nil
}

type walker struct {
	d     *json.Decoder
	known []string
}

func (w *walker) value(depth int) error {
	token, err := w.d.Token()
	switch {
	case err != nil:
		return malformed("the body", "is not JSON")
	case token == nil:
		return malformed("a member", "is null")
	case depth >= maxDepth:
		return malformed("the body", "is nested too deeply")
	}
	switch token {
	case json.Delim('{'):
		return w.object(depth)
	case json.Delim('['):
		return w.array(depth)
	}
	return nil
}

func (w *walker) object(depth int) error {
	var seen []string
	for w.d.More() {
		token, err := w.d.Token()
		if err != nil {
			return malformed("the body", "is not JSON")
		}
		name, ok := token.(string)
		switch {
		case !ok || !slices.Contains(w.known, name):
			return malformed("a member", "is not of the format")
		case slices.Contains(seen, name):
			return malformed(name, "is there twice")
		}
		seen = append(seen, name)
		if err := w.value(depth + 1); err != nil {
			return err
		}
	}
	return w.end()
}

func (w *walker) array(depth int) error {
	for w.d.More() {
		if err := w.value(depth + 1); err != nil {
			return err
		}
	}
	return w.end()
}

func (w *walker) end() error {
	if _, err := w.d.Token(); err != nil {
		return malformed("the body", "is not JSON")
	}
	return nil
}
