package telephony_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"purser"
	"purser/internal/fold"
	"purser/internal/rule/contact"
	"purser/internal/telephony"
)

const number = "+61 491 570 156" // of the range reserved for fiction

func TestSignedEventOpensAContact(t *testing.T) {
	w := newWorld(t)
	if err := w.client.Snapshot(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	w.emit(purser.EventOffered, telephony.Data{Call: "call-4711", Agent: "agent-12", Caller: number, Attestation: "carrier"})
	w.emit(purser.EventConnected, telephony.Data{Call: "call-4711", Agent: "agent-12"})
	id := telephony.ContactID(w.salt, "call-4711")
	tag, _, _ := keys{}.Tag("phone", "+61491570156", 0)
	w.look(func(s *fold.State, at purser.Stamp) {
		c, ok := s.Contacts().Contact(id, at)
		if !ok || c.Phase != contact.PhaseConnected || c.Caller != tag || !c.Attested || c.Stale {
			t.Errorf("got %+v", c)
		}
	})
	for stored, err := range w.db.Entries(t.Context(), 0, w.log.Size()) {
		if err != nil {
			t.Fatal(err)
		}
		for _, value := range []string{"4711", "agent-12", "491570156", "491 570"} {
			if bytes.Contains(stored.Bytes, []byte(value)) {
				t.Errorf("entry %d holds %q", stored.Pos, value)
			}
		}
	}
}

func TestKeyedDigitsBecomeACommitment(t *testing.T) {
	w := newWorld(t)
	if err := w.client.Snapshot(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	w.emit(purser.EventConnected, telephony.Data{Call: "1", Agent: "a"})
	w.emit(purser.EventKeypad, telephony.Data{Call: "1", Digits: "123456"})
	id := telephony.ContactID(w.salt, "1")
	if !slices.Equal(w.keyed, []purser.ContactID{id}) {
		t.Fatalf("told of %v", w.keyed)
	}
	w.look(func(s *fold.State, _ purser.Stamp) {
		got, ok := s.Contacts().Keyed(id)
		if want := (keys{}).Commit("code", id[:], []byte("123456")); !ok || got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

// Whatever fails authentication changes nothing but the count of failures.
func TestLaw04ForgedEventsChangeNothing(t *testing.T) {
	for _, c := range []struct {
		name  string
		forge func(w *world, r *telephony.Request)
	}{
		{"no signature", func(_ *world, r *telephony.Request) { r.Signature = "" }},
		{"signature cut short", func(_ *world, r *telephony.Request) { r.Signature = r.Signature[:len(r.Signature)-2] }},
		{"another secret", func(_ *world, r *telephony.Request) {
			r.Signature = telephony.Sign([]byte("guessed"), r.ID, r.Timestamp, r.Body)
		}},
		{"no secret", func(_ *world, r *telephony.Request) { r.Signature = telephony.Sign(nil, r.ID, r.Timestamp, r.Body) }},
		{"another id", func(_ *world, r *telephony.Request) { r.ID += "0" }},
		{"full stop moved", func(_ *world, r *telephony.Request) { r.ID, r.Timestamp = r.ID+"."+r.Timestamp, "" }},
		{"one bit of the body", func(_ *world, r *telephony.Request) { r.Body = bytes.Clone(r.Body); r.Body[20] ^= 1 }},
		{"another source", func(_ *world, r *telephony.Request) { r.Source[0]++ }},
		{"no source", func(_ *world, r *telephony.Request) { r.Source = purser.SourceID{} }},
		{"timestamp not signed", func(_ *world, r *telephony.Request) { r.Timestamp = "1" + r.Timestamp[1:] + "1" }},
		{"too late", func(w *world, _ *telephony.Request) { w.clock.step(5*time.Minute + time.Second) }},
		{"too early", func(w *world, _ *telephony.Request) { w.clock.step(-5*time.Minute - time.Second) }},
		{"too long", func(w *world, r *telephony.Request) { *r = w.signed(r.ID, make([]byte, telephony.MaxBody+1)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			var kept telephony.Request
			client := telephony.NewClient(w.source, w.secret, 1, w.clock.Wall, func(_ ctx, r telephony.Request) error {
				kept = r
				return nil
			})
			if err := client.Snapshot(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			c.forge(w, &kept)
			before := w.contacts()
			if err := w.receive(t.Context(), kept); !errors.Is(err, telephony.ErrUnauthentic) {
				t.Fatalf("got %v, want %v", err, telephony.ErrUnauthentic)
			}
			if !bytes.Equal(w.contacts(), before) {
				t.Fatal("the state changed")
			}
			if got := w.findings(purser.FindingForgedEvent); !slices.Equal(got, []uint32{1}) {
				t.Fatalf("findings: got %v", got)
			}
		})
	}
}

func TestForgedEventsAreCountedOnceAMinute(t *testing.T) {
	w := newWorld(t)
	forged := w.signed("1", []byte("{}"))
	forged.Signature = "v1=00"
	for range 10 {
		_ = w.receive(t.Context(), forged)
	}
	w.clock.step(time.Minute)
	_ = w.receive(t.Context(), forged)
	if got := w.findings(purser.FindingForgedEvent); !slices.Equal(got, []uint32{1, 10}) {
		t.Fatalf("findings: got %v, want 1 and 10", got)
	}
	_ = w.receive(t.Context(), forged)
	w.clock.step(time.Minute)
	if err := w.intake.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.findings(purser.FindingForgedEvent); !slices.Equal(got, []uint32{1, 10, 1}) {
		t.Fatalf("findings after a flush: got %v", got)
	}
}

func TestForgerIsSlowedAndTheSourceIsNot(t *testing.T) {
	w := newWorld(t)
	forged := w.signed("1", []byte("{}"))
	forged.Signature, forged.Remote = "v1=00", netip.MustParseAddr("192.0.2.1")
	var err error
	for range 30 {
		err = w.receive(t.Context(), forged)
	}
	if !errors.Is(err, telephony.ErrTooMany) {
		t.Fatalf("got %v, want %v", err, telephony.ErrTooMany)
	}
	if err := w.client.Snapshot(t.Context(), nil); err != nil {
		t.Fatalf("the source itself: %v", err)
	}
	w.clock.step(2 * time.Second)
	if err := w.receive(t.Context(), forged); !errors.Is(err, telephony.ErrUnauthentic) {
		t.Fatalf("after a while: got %v", err)
	}
}

func TestRepeatsAreAnsweredAsBefore(t *testing.T) {
	w := newWorld(t)
	if err := w.client.Snapshot(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	size, again := w.log.Size(), w.sent[0]
	w.clock.step(time.Second)
	for _, r := range []telephony.Request{again, w.signed(again.ID, again.Body)} {
		if err := w.receive(t.Context(), r); err != nil {
			t.Fatalf("repeat: %v", err)
		}
	}
	if got := w.log.Size(); got != size {
		t.Fatalf("got %d entries, want %d", got, size)
	}
}

func TestOtherBytesUnderTheSameNumberLockTheSource(t *testing.T) {
	w := newWorld(t)
	if err := w.client.Snapshot(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	other := bytes.Replace(w.sent[0].Body, []byte("T09:00:00Z"), []byte("T09:00:01Z"), 1)
	wantRefusal(t, w.receive(t.Context(), w.signed(w.sent[0].ID, other)), purser.EventMismatch)
	if got := w.findings(purser.FindingEventMismatch); !slices.Equal(got, []uint32{1}) {
		t.Fatalf("findings: got %v", got)
	}
	size := w.log.Size()
	wantRefusal(t, w.client.Emit(t.Context(), purser.EventHeartbeat, telephony.Data{}), purser.Locked)
	if got := w.log.Size(); got != size {
		t.Fatalf("a locked source made %d entries", got-size)
	}
	w.look(func(s *fold.State, at purser.Stamp) {
		if !s.Contacts().Stale(w.source, at) {
			t.Error("the locked source is fresh")
		}
	})
}

// A live call, and the agents who take calls, outlive an exchange of the secret.
func TestIdsOutliveASecret(t *testing.T) {
	w := newWorld(t)
	if err := w.client.Snapshot(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	person := purser.PersonID{5}
	w.propose(telephony.MapAgent(w.source, w.salt, "agent-12", person, purser.Actor{}))
	w.emit(purser.EventConnected, telephony.Data{Call: "call-4711", Agent: "agent-12"})
	before := w.contact

	salt := must(telephony.SaltOf(t.Context(), w.db, keys{}, w.source))(t)
	entry, row, secret, err := telephony.NewSecret(w.random, keys{}, keys{}, purser.SourceSet{
		Source: w.source, Vendor: w.vendor, Status: purser.StatusActive,
	}, "switch", salt)
	if err != nil {
		t.Fatal(err)
	}
	w.put(entry, row)
	w.client = telephony.NewClient(w.source, secret, w.client.Next(), w.clock.Wall, w.send)
	if err := w.client.Snapshot(t.Context(), []telephony.Live{{Call: "call-4711", Agent: "agent-12"}}); err != nil {
		t.Fatal(err)
	}
	w.emit(purser.EventHeld, telephony.Data{Call: "call-4711", Agent: "agent-12"})
	if w.contact != before || before.Zero() {
		t.Fatalf("the call's contact: got %v, want %v", w.contact, before)
	}
	w.look(func(s *fold.State, at purser.Stamp) {
		if c, ok := s.Contacts().Contact(before, at); !ok || c.Phase != contact.PhaseHeld {
			t.Errorf("got %+v, want the call on hold", c)
		}
		if who, _ := s.Contacts().PersonOf(w.source, telephony.AgentKey(w.salt, "agent-12")); who != person {
			t.Errorf("agent: got %v, want %v", who, person)
		}
	})
}

// TestLaw06IdsNeedTheSalt: whoever has the ledger, the source's id and even its
// secret cannot try a switch's ids until one gives what an entry holds.
func TestLaw06IdsNeedTheSalt(t *testing.T) {
	w := newWorld(t)
	if err := w.client.Snapshot(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	w.emit(purser.EventConnected, telephony.Data{Call: "call-4711", Agent: "agent-12"})
	body := w.sent[len(w.sent)-1].Body
	var guesses [][]byte
	for _, key := range [][]byte{nil, w.source[:], w.vendor[:], w.secret} {
		for _, id := range []string{"call-4711", "agent-12", string(body)} {
			for _, label := range []string{"", "contact|", "agent|"} {
				mac := hmac.New(sha256.New, key)
				mac.Write([]byte(label + id))
				sum := sha256.Sum256([]byte(string(key) + label + id))
				guesses = append(guesses, mac.Sum(nil)[:16], sum[:16])
			}
		}
	}
	whole := keys{}.Commit("event body", body)
	guesses = append(guesses, whole[:])
	for stored, err := range w.db.Entries(t.Context(), 0, w.log.Size()) {
		if err != nil {
			t.Fatal(err)
		}
		for i, guess := range guesses {
			if bytes.Contains(stored.Bytes, guess) {
				t.Errorf("entry %d holds guess %d", stored.Pos, i)
			}
		}
	}
	if got := fmt.Sprintf("%v %+v %#v %s %x %d", w.salt, w.salt, w.salt, w.salt, w.salt, []telephony.Salt{w.salt}); got != "[salt] [salt] [salt] [salt] [salt] [[salt]]" {
		t.Errorf("a printed salt: got %q", got)
	}
}

func TestEventsAreAnsweredWithTheirContact(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		event purser.Event
		data  telephony.Data
		want  purser.ContactID
	}{
		{purser.EventSnapshot, telephony.Data{More: true}, purser.ContactID{}},
		{purser.EventSnapshot, telephony.Data{Continues: true}, purser.ContactID{}},
		{purser.EventConnected, telephony.Data{Call: "1", Agent: "a"}, telephony.ContactID(w.salt, "1")},
		{purser.EventKeypad, telephony.Data{Call: "1", Digits: "1"}, telephony.ContactID(w.salt, "1")},
		{purser.EventHeartbeat, telephony.Data{}, purser.ContactID{}},
	} {
		w.emit(c.event, c.data)
		if w.contact != c.want {
			t.Errorf("event %d: got %v, want %v", c.event, w.contact, c.want)
		}
		w.contact = purser.ContactID{9}
		if err := w.receive(t.Context(), w.sent[len(w.sent)-1]); err != nil || w.contact != c.want {
			t.Errorf("event %d again: got %v, %v, want %v", c.event, w.contact, err, c.want)
		}
	}
}

func wantRefusal(t *testing.T, err error, want purser.Reason) {
	t.Helper()
	var refusal *purser.Refusal
	if !errors.As(err, &refusal) || refusal.Reason != want {
		t.Fatalf("got %v, want a refusal for %d", err, want)
	}
}

// A secret that was proposed opens nothing, and closes nothing, until the
// ledger names it.
func TestNewSecretCountsWhenItIsEnacted(t *testing.T) {
	w := newWorld(t)
	entry, row, secret, err := telephony.NewSecret(w.random, keys{}, keys{}, purser.SourceSet{
		Source: w.source, Vendor: w.vendor, Status: purser.StatusActive,
	}, "switch", w.salt)
	if err != nil {
		t.Fatal(err)
	}
	w.put(&purser.Finding{What: purser.FindingClock}, row) // as a proposal does
	if err := w.client.Snapshot(t.Context(), nil); err != nil {
		t.Fatalf("under the old secret: %v", err)
	}
	renewed := telephony.NewClient(w.source, secret, 100, w.clock.Wall, w.send)
	if err := renewed.Snapshot(t.Context(), nil); !errors.Is(err, telephony.ErrUnauthentic) {
		t.Fatalf("under a secret that is only proposed: got %v", err)
	}
	w.propose(entry)
	if err := renewed.Snapshot(t.Context(), nil); err != nil {
		t.Fatalf("under the new secret: %v", err)
	}
	if err := w.client.Emit(t.Context(), purser.EventHeartbeat, telephony.Data{}); !errors.Is(err, telephony.ErrUnauthentic) {
		t.Fatalf("under the old secret: got %v", err)
	}
}

func TestMalformedEvents(t *testing.T) {
	const good = `{"specversion":"1.0","id":"1","source":"%s","type":"purser.contact.offered",` +
		`"time":"2026-03-02T09:00:00Z","data":{"sequence":1,"call":"c-998877","agent":"a-665544","caller":"+61491570156"}}`
	w := newWorld(t)
	body := fmt.Sprintf(good, w.source)
	if err := w.receive(t.Context(), w.signed("1", []byte(body))); err != nil {
		t.Fatalf("the good one: %v", err)
	}
	size := w.log.Size()
	for _, c := range []struct{ name, old, new string }{
		{"empty", body, ""},
		{"no object", body, "7"},
		{"cut short", `"}}`, `"`},
		{"goes on", `"}}`, `"}}{}`},
		{"another member", `"call"`, `"extension":"998877","call"`},
		{"member in other letters", `"call"`, `"Call"`},
		{"member twice", `"call"`, `"call":"998877","call"`},
		{"member in the wrong place", `"id":"1"`, `"id":"1","agent":"665544"`},
		{"null", `"c-998877"`, `null`},
		{"wrong type", `"c-998877"`, `998877`},
		{"nested deeply", `"c-998877"`, `[[[[[["998877"]]]]]]`},
		{"not UTF-8", `c-998877`, "c-\xff998877"},
		{"overlong UTF-8", `c-998877`, "c-\xc0\xaf998877"},
		{"half a surrogate", `c-998877`, `c-\ud800998877`},
		{"NUL", `c-998877`, `c-\u0000998877`},
		{"call too long", `c-998877`, strings.Repeat("998877", 30)},
		{"other version", `"1.0"`, `"0.3"`},
		{"other id", `"id":"1"`, `"id":"998877"`},
		{"other source", `"source":"src_`, `"source":"src_998877`},
		{"unknown type", `offered`, `998877`},
		{"no time", `2026-03-02T09:00:00Z`, `998877`},
		{"no sequence", `"sequence":1,`, ``},
		{"negative sequence", `"sequence":1`, `"sequence":-998877`},
		{"sequence with a fraction", `"sequence":1`, `"sequence":1.998877`},
		{"sequence too high", `"sequence":1`, `"sequence":9988776655443322110`},
		{"no agent", `"agent":"a-665544",`, ``},
		{"member of another type", `"call"`, `"digits":"998877","call"`},
		{"unknown attestation", `"call"`, `"attestation":"998877","call"`},
		{"caller too long", `+61491570156`, strings.Repeat("998877", 30)},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad := strings.Replace(body, c.old, c.new, 1)
			if bad == body {
				t.Fatal("the case changes nothing")
			}
			err := w.receive(t.Context(), w.signed("1", []byte(bad)))
			if !errors.Is(err, telephony.ErrMalformed) {
				t.Fatalf("got %v, want %v", err, telephony.ErrMalformed)
			}
			for _, value := range []string{"9988", "6655", "6149"} {
				if strings.Contains(err.Error(), value) {
					t.Fatalf("the error holds a value: %v", err)
				}
			}
			if got := w.log.Size(); got != size {
				t.Fatalf("got %d more entries", got-size)
			}
		})
	}
}

func TestNumberWithoutNormalFormCountsAsWithheld(t *testing.T) {
	w := newWorld(t)
	if err := w.client.Snapshot(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	w.emit(purser.EventOffered, telephony.Data{Call: "1", Agent: "a", Caller: "anonymous", Attestation: "carrier"})
	w.look(func(s *fold.State, at purser.Stamp) {
		if c, ok := s.Contacts().Contact(telephony.ContactID(w.salt, "1"), at); !ok || c.Caller != 0 || c.Attested {
			t.Errorf("got %+v", c)
		}
	})
}

func TestNoFailureStopsTheLedger(t *testing.T) {
	w := newWorld(t)
	if _, err := telephony.NewIntake(telephony.Config{}); err == nil {
		t.Fatal("an empty configuration was taken")
	}
	if err := w.log.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.client.Snapshot(t.Context(), nil); err == nil {
		t.Fatal("an event was taken by a closed ledger")
	}
}
