package verification_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"purser"
	"purser/internal/gate"
	"purser/internal/synth"
	"purser/internal/verification"
)

// hammer is everything that somebody with a session may ask for at a desk,
// about a customer who is known, or who is not.
type hammer struct {
	name string
	ask  func(w *world, m *synth.Member, c purser.ContactID, said []verification.Said) error
}

func hammers() []hammer {
	ctx := context.Background()
	return []hammer{
		{"claim", func(w *world, m *synth.Member, c purser.ContactID, _ []verification.Said) error {
			return w.desk.Claim(ctx, m.Asker(), c)
		}},
		{"identify", func(w *world, m *synth.Member, c purser.ContactID, said []verification.Said) error {
			_, err := w.desk.Identify(ctx, m.Asker(), c, said)
			return err
		}},
		{"identify by one item", func(w *world, m *synth.Member, c purser.ContactID, said []verification.Said) error {
			_, err := w.desk.Identify(ctx, m.Asker(), c, said[:1])
			return err
		}},
		{"link", func(w *world, m *synth.Member, c purser.ContactID, said []verification.Said) error {
			_, err := w.desk.Link(ctx, m.Asker(), c, said)
			return err
		}},
		{"code", func(w *world, m *synth.Member, c purser.ContactID, said []verification.Said) error {
			return w.desk.SendCode(ctx, m.Asker(), c, said)
		}},
		{"code to the bound one", func(w *world, m *synth.Member, c purser.ContactID, _ []verification.Said) error {
			return w.desk.SendCode(ctx, m.Asker(), c, nil)
		}},
		{"try", func(w *world, m *synth.Member, c purser.ContactID, _ []verification.Said) error {
			_, err := w.desk.TryCode(ctx, m.Asker(), c, "no way")
			return err
		}},
		{"break-glass", func(w *world, m *synth.Member, c purser.ContactID, said []verification.Said) error {
			return w.desk.BreakGlass(ctx, m.Asker(), c, said, purser.EmergencySafety)
		}},
		{"approve", func(w *world, m *synth.Member, c purser.ContactID, _ []verification.Said) error {
			return w.desk.ApproveBreakGlass(ctx, m.Asker(), c)
		}},
		{"undo", func(w *world, m *synth.Member, c purser.ContactID, _ []verification.Said) error {
			return w.desk.Undo(ctx, m.Asker(), c)
		}},
		{"disclose", func(w *world, m *synth.Member, c purser.ContactID, _ []verification.Said) error {
			_, err := w.gate.Disclose(ctx, gate.Ask{Asker: m.Asker(), Contact: c, Path: purser.PathDesk, Fields: 1 << 31})
			return err
		}},
		{"disclose somebody", func(w *world, m *synth.Member, c purser.ContactID, _ []verification.Said) error {
			_, err := w.gate.Disclose(ctx, gate.Ask{
				Asker: m.Asker(), Contact: c, Customer: purser.CustomerID{7}, Path: purser.PathDesk, Fields: 1,
			})
			return err
		}},
	}
}

// wrongly is what somebody says who knows a customer's number, and nobody's.
func (w *world) wrongly(i int) []verification.Said {
	said := w.said(i, "loyalty_number", "birth_date")
	said[1].Text = "1901-02-03"
	return said
}

func strangers() []verification.Said {
	return []verification.Said{{Item: "loyalty_number", Text: "900000001"}, {Item: "birth_date", Text: "1901-02-03"}}
}

// mostInAMinute is how many entries one session can cause in a minute by what
// it is refused: twenty, and a count, of each of the nine kinds of a desk; a
// result for each of twenty codes; a finding for each of twenty claims of what
// somebody else holds; and what the contacts it holds let it spend, here one:
// three tries and three codes with their results, twelve tries of codes, three
// asks for break-glass. Whatever is allowed is an entry, always (L1); the rate
// of a session bounds that.
const mostInAMinute = 9*21 + 20 + 20 + (2*3 + 2*3 + 12 + 3)

// One session that hammers any act, or all in turn, in its own contact,
// somebody else's and none, adds a bounded number of entries a minute. Seen to
// fail with TriesSpent left out of Reason.OfAsker.
func TestHammeringAddsFewEntries(t *testing.T) {
	w := newWorld(t, 60, 4)
	ctx := t.Context()
	m, other := w.Vendors[0].Agents[0], w.Vendors[0].Agents[1]
	own, theirs := w.connect(t, m), w.connect(t, other)
	i := w.complete(t, 0)
	contacts := []purser.ContactID{own, theirs, {9, 9}}
	acts := hammers()
	for n := range len(acts) + 1 {
		name, these := "all", acts
		if n < len(acts) {
			name, these = acts[n].name, acts[n:n+1]
		}
		if err := w.Pass(ctx, time.Minute); err != nil {
			t.Fatal(err)
		}
		from := w.Log.Size()
		for turn := range 600 / len(these) {
			for _, h := range these {
				said := strangers()
				if turn%2 == 0 {
					said = w.wrongly(i)
				}
				_ = h.ask(w, m, contacts[turn%len(contacts)], said)
			}
		}
		if err := w.Pass(ctx, time.Minute); err != nil { // its counts
			t.Fatal(err)
		}
		list, _ := w.entries(t, from)
		made := 0
		for _, e := range list {
			if e.Kind() != purser.KindContactEvent {
				made++
			}
		}
		if made > mostInAMinute {
			t.Errorf("%s: got %d entries, want at most %d", name, made, mostInAMinute)
		}
	}
}

// What was asked about a customer changes nothing of how many entries later
// asks make, nor which of them are only counted: neither whether he exists nor
// what is stored of him. Seen to fail with refusals of every reason counted
// towards the twenty of a minute.
func TestLaw05RefusalsAreCountedAlike(t *testing.T) {
	for _, before := range []int{18, 19, 20, 21} {
		for _, act := range []string{"identify", "code", "break-glass", "try"} {
			var want string
			for name, known := range map[string]bool{"known": true, "unknown": false} {
				w := newWorld(t, 60, 2)
				m := w.Vendors[0].Agents[0]
				own := w.connect(t, m)
				var one hammer
				for _, h := range hammers() {
					if h.name == act {
						one = h
					}
				}
				said := strangers()
				if known {
					said = w.wrongly(w.complete(t, 0))
				}
				from := w.Log.Size()
				var heard []string
				hears := func(c purser.ContactID) {
					size := w.Log.Size()
					err := one.ask(w, m, c, said)
					w.settled(t)
					heard = append(heard, fmt.Sprint(err, w.Log.Size()-size))
				}
				for range before {
					hears(purser.ContactID{9, 9})
				}
				hears(own)
				for range 4 {
					hears(purser.ContactID{9, 9})
				}
				got := fmt.Sprint(heard, w.Log.Size()-from)
				if want == "" {
					want = got
				}
				if got != want {
					t.Errorf("%s after %d, %s: got %s, want %s as for the other", act, before, name, got, want)
				}
			}
		}
	}
}

// settled waits until every recorded code has its result.
func (w *world) settled(t *testing.T) { t.Helper(); w.outcomes(t, 0, 0) }
