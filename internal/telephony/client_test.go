package telephony_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"purser"
	"purser/internal/fold"
	"purser/internal/telephony"
)

type ctx = context.Context

var update = flag.Bool("update", false, "rewrite golden files")

func TestClientSendsAgainWhatWasNotDelivered(t *testing.T) {
	w := newWorld(t)
	down := true
	client := telephony.NewClient(w.source, w.secret, 1, w.clock.Wall, func(ctx ctx, r telephony.Request) error {
		if down {
			return errors.New("no route")
		}
		return w.send(ctx, r)
	})
	if err := client.Snapshot(t.Context(), nil); err == nil {
		t.Fatal("got no error from a dead line")
	}
	_ = client.Emit(t.Context(), purser.EventOffered, telephony.Data{Call: "1", Agent: "a"})
	down = false
	w.clock.step(time.Hour) // a fresh signature for old bytes
	if err := client.Emit(t.Context(), purser.EventConnected, telephony.Data{Call: "1", Agent: "a"}); err != nil {
		t.Fatal(err)
	}
	w.look(func(s *fold.State, at purser.Stamp) {
		if src, _ := s.Contacts().Source(w.source); src.Next != 4 || s.Contacts().Stale(w.source, at) {
			t.Errorf("got next %d", src.Next)
		}
	})
}

func TestClientHeartbeat(t *testing.T) {
	w := newWorld(t)
	if err := w.client.Snapshot(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for range 60 {
		w.clock.step(time.Second)
		if err := w.client.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(w.sent); got != 1+12 {
		t.Fatalf("got %d events in a minute, want 13", got)
	}
	w.look(func(s *fold.State, at purser.Stamp) {
		if s.Contacts().Stale(w.source, at) {
			t.Error("stale in spite of heartbeats")
		}
	})
}

func TestClientSnapshotInParts(t *testing.T) {
	w := newWorld(t)
	var live []telephony.Live
	for n := range 250 {
		long := strings.Repeat(`"`, telephony.MaxText-3)
		live = append(live, telephony.Live{Call: long + strconv.Itoa(100+n), Agent: long + strconv.Itoa(n%7)})
	}
	if err := w.client.Snapshot(t.Context(), live); err != nil {
		t.Fatal(err)
	}
	if len(w.sent) != 3 {
		t.Fatalf("got %d parts, want 3", len(w.sent))
	}
	w.look(func(s *fold.State, at purser.Stamp) {
		if s.Contacts().Stale(w.source, at) {
			t.Error("stale after a whole snapshot")
		}
		for _, l := range live {
			if _, ok := s.Contacts().Contact(telephony.ContactID(w.salt, l.Call), at); !ok {
				t.Errorf("contact of part missing")
			}
		}
	})
}

func TestClientRefusesWhatTheFormatRefuses(t *testing.T) {
	w := newWorld(t)
	err := w.client.Emit(t.Context(), purser.EventHungUp, telephony.Data{})
	if !errors.Is(err, telephony.ErrMalformed) || len(w.sent) != 0 || w.client.Next() != 1 {
		t.Fatalf("got %v, %d events sent", err, len(w.sent))
	}
}

// vector is the golden event of docs/formats/event.md.
type vector struct {
	Secret    string `json:"secret"`
	Salt      string `json:"salt"`
	ID        string `json:"id"`
	Timestamp string `json:"timestamp"`
	Body      string `json:"body"`
	Signature string `json:"signature"`
	Contact   string `json:"contact"`
	Agent     string `json:"agent"`
}

func TestGoldenEvent(t *testing.T) {
	source := purser.SourceID{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	secret := []byte("0123456789abcdef0123456789abcdef")
	const salt = "fedcba9876543210"
	salted := must(telephony.NewSalt(strings.NewReader(salt)))(t)
	var got vector
	client := telephony.NewClient(source, secret, 42, func() time.Time { return morning }, func(_ ctx, r telephony.Request) error {
		contact, agent := telephony.ContactID(salted, "call-4711"), telephony.AgentKey(salted, "agent-12")
		got = vector{
			Secret: string(secret), Salt: salt, ID: r.ID, Timestamp: r.Timestamp, Body: string(r.Body), Signature: r.Signature,
			Contact: contact.String(), Agent: hex.EncodeToString(agent[:]),
		}
		return nil
	})
	err := client.Emit(t.Context(), purser.EventOffered, telephony.Data{
		Call: "call-4711", Agent: "agent-12", Caller: "+61491570156", Attestation: "carrier",
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", "event.json")
	if *update {
		text, err := json.MarshalIndent(got, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, append(text, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var want vector
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "formats", "event.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{want.Body, want.Signature, want.Secret, want.Contact, want.Timestamp, want.Salt, want.Agent} {
		if !strings.Contains(string(page), part) {
			t.Errorf("the page on the format lacks part of the golden event")
		}
	}
}

func FuzzParse(f *testing.F) {
	source := purser.SourceID{1}
	for _, data := range []string{
		`{"sequence":1}`, `{"sequence":1,"call":"c","agent":"a"}`, `{"sequence":9007199254740991,"live":[{"call":"c","agent":"a","held":true}],"more":true}`,
		`{"sequence":1,"call":"c","digits":"123456"}`, `{"sequence":null}`, `[[[[[[]]]]]]`,
	} {
		for _, kind := range []string{"purser.contact.connected", "purser.source.snapshot", "purser.contact.keypad", "purser.source.heartbeat"} {
			f.Add([]byte(`{"specversion":"1.0","id":"1","source":"` + source.String() + `","type":"` + kind +
				`","time":"2026-03-02T09:00:00Z","data":` + data + `}`))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		err := telephony.Parse(body, "1", source)
		if err == nil {
			var loose map[string]any
			if json.Unmarshal(body, &loose) != nil {
				t.Fatal("took what is not a JSON object")
			}
			return
		}
		if !errors.Is(err, telephony.ErrMalformed) || len(err.Error()) > 120 {
			t.Fatalf("got %v", err)
		}
	})
}
