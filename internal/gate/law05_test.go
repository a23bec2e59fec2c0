package gate_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"purser"
	"purser/internal/gate"
	"purser/internal/record"
)

// L5: whatever an agent's items lead to, he gets the same answer for the same
// number of entries of the same kinds and sizes. Seen to fail with a miss
// refused before it is proposed, with CustomerLimited answering "try later",
// and with the result left out after a refused attempt.
func TestLaw05AnswersLeakNothingElse(t *testing.T) {
	erased := map[purser.Ordinal]bool{}
	w := made{erased: erased, agents: 8}.world(t, 300)
	ids := func(i int) []string { return []string{"loyalty_number", "birth_date"} }
	known := w.whole(t, 0, ids(0)...)
	limited := w.whole(t, known+1, ids(0)...)
	gone := w.whole(t, limited+1, ids(0)...)
	erased[purser.Ordinal(gone+1)] = true
	agents := append(w.Vendors[0].Agents, w.Vendors[1].Agents...)
	wrong := func(i int) gate.IdentifyAsk {
		items := w.Items(i, "loyalty_number", "birth_date")
		items[1].Canonical = "1901-01-01"
		return gate.IdentifyAsk{Items: items}
	}
	ask := func(n int, ask gate.IdentifyAsk) answer {
		m := agents[n]
		c := w.connect(t, m)
		ask.Asker, ask.Contact = m.Asker(), c
		before := w.Log.Size()
		_, err := w.gate.Identify(t.Context(), ask)
		return w.answered(t, before, err)
	}
	for n := range 5 {
		ask(n%4, wrong(limited))
	}
	unknown := w.Items(known, "loyalty_number", "birth_date")
	unknown[0].Canonical = "000000000"
	nothing := w.Items(known, "loyalty_number", "birth_date")
	nothing[0].Canonical, nothing[1].Canonical = "", ""
	cases := map[string]gate.IdentifyAsk{
		"wrong":           wrong(known),
		"unknown":         {Items: unknown},
		"no normal form":  {Items: nothing},
		"several":         w.several(t),
		"limited, wrong":  wrong(limited),
		"limited, right":  {Items: w.Items(limited, "loyalty_number", "birth_date")},
		"erased":          {Items: w.Items(gone, "loyalty_number", "birth_date")},
		"too few items":   {Items: w.Items(known, "loyalty_number")},
		"only printed":    {Items: w.Items(known, "loyalty_number", "name")},
		"empty":           {},
		"another's items": {Items: append(w.Items(known, "loyalty_number"), w.Items(gone, "birth_date")...)},
	}
	got := map[string]answer{}
	n := 4
	for name, items := range cases {
		got[name] = ask(n%len(agents), items)
		n++
	}
	for a := range got {
		for b := range got {
			if got[a] != got[b] {
				t.Errorf("%s and %s can be told apart: %+v and %+v", a, b, got[a], got[b])
			}
		}
	}
	if right := ask(0, gate.IdentifyAsk{Items: w.Items(known, "loyalty_number", "birth_date")}); right.answer != "" || right.entries != got["wrong"].entries {
		t.Errorf("right items: got %+v, want enough by as many entries as %+v", right, got["wrong"])
	}
}

// answer is what can be told from outside.
type answer struct {
	answer  string
	entries string // kinds and sizes
}

func (w *world) answered(t tester, before purser.Pos, err error) answer {
	var out answer
	if err != nil {
		out.answer = err.Error()
	}
	for stored, err := range w.store.Entries(context.Background(), before, w.Log.Size()) {
		if err != nil {
			t.Fatal(err)
		}
		out.entries += fmt.Sprintf("%d:%d ", stored.Bytes[1], len(stored.Bytes))
	}
	return out
}

// several finds items that lead to more than one customer.
func (w *world) several(t tester) gate.IdentifyAsk {
	for i := range w.Customers {
		for _, name := range []string{"phone", "booking_reference"} {
			items := w.Items(i, name, "birth_date")
			if found, err := w.Records.Candidates(context.Background(), items); err == nil && found.Reason == purser.Several {
				return gate.IdentifyAsk{Items: items}
			}
		}
	}
	t.Fatal("no two customers share a phone or a booking")
	return gate.IdentifyAsk{}
}

// What is only counted refers to the asker's own last refusal, not to one that
// he was not told of: were the reference to move, it would tell him whether a
// send, which always says the same, reached somebody.
//
// Seen to fail with the session's last refusal, of whatever kind.
func TestLaw05ReferencesStandStill(t *testing.T) {
	for _, exists := range []bool{true, false} {
		w := newWorld(t, 20)
		m := w.Vendors[0].Agents[0]
		c := w.connect(t, m)
		refused := func() purser.Pos {
			_, err := w.gate.Disclose(t.Context(), gate.Ask{Asker: m.Asker(), Contact: c, Fields: 1, Path: purser.PathDesk})
			refusal, ok := errors.AsType[*purser.Refusal](err)
			if !ok {
				t.Fatalf("got %v, want a refusal", err)
			}
			return refusal.At
		}
		for range 20 {
			refused()
		}
		before := refused()
		items := w.Items(w.whole(t, 0, "loyalty_number", "email"), "loyalty_number")
		if !exists {
			items = []record.Item{{Kind: items[0].Kind, Canonical: items[0].Canonical + "9"}}
		}
		release, err := w.gate.SendCode(t.Context(), gate.CodeAsk{Asker: m.Asker(), Contact: c, Items: items, Channel: "email"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := release.Deliver(t.Context(), func(context.Context, purser.Plain, string) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if after := refused(); after != before {
			t.Errorf("somebody there %v: the reference moved from %d to %d", exists, before, after)
		}
	}
}
