package gate_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"purser"
	"purser/internal/fold"
	"purser/internal/gate"
	"purser/internal/ledger"
	"purser/internal/rule/casefile"
	"purser/internal/rule/forbidden"
	"purser/internal/seal"
	"purser/internal/synth"
)

func (w *world) note(t tester, m *synth.Member, c purser.ContactID, text string) error {
	t.Helper()
	_, err := w.gate.Note(context.Background(), gate.NoteAsk{Asker: m.Asker(), Contact: c, Text: text})
	return err
}

// opens opens a case and returns it with its number.
func (w *world) opens(t tester, m *synth.Member, c purser.ContactID, text string) (id purser.CaseID, number string, err error) {
	t.Helper()
	id = purser.CaseID(w.ID())
	pos, err := w.gate.OpenCase(context.Background(), gate.CaseAsk{Asker: m.Asker(), Contact: c, Case: id, Topic: 1, Text: text})
	return id, w.gate.Reference(pos), err
}

func (w *world) timeline(t tester, m *synth.Member, c purser.ContactID) (gate.Timeline, error) {
	t.Helper()
	return w.gate.Timeline(context.Background(), gate.TimelineAsk{Asker: m.Asker(), Contact: c})
}

// texts is what a timeline shows, the newest first.
func texts(line gate.Timeline) string {
	var out []string
	for _, item := range line.Items {
		out = append(out, item.Plain.Reveal())
	}
	return strings.Join(out, "|")
}

func (w *world) mustShow(t tester, m *synth.Member, c purser.ContactID, want string) {
	t.Helper()
	line, err := w.timeline(t, m, c)
	if got := texts(line); err != nil || got != want {
		t.Errorf("timeline: got %q, %v (reason %d), want %q", got, err, reason(err), want)
	}
}

// second gives an agent a contact in which customer i is verified at A2, by
// items and by his number.
func (w *world) second(t tester, m *synth.Member, i int) purser.ContactID {
	t.Helper()
	tag, _, err := w.keys.Tag("phone", w.Items(i, "phone")[0].Canonical, purser.StampOf(w.Clock.Now()))
	if err != nil {
		t.Fatal(err)
	}
	c, err := w.Connect(context.Background(), m, tag)
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.gate.Identify(context.Background(), gate.IdentifyAsk{
		Asker: m.Asker(), Contact: c, Items: w.Items(i, "loyalty_number", "birth_date"),
	})
	if err != nil || got.Assurance != purser.A2 {
		t.Fatalf("identify: got %+v, %v, want A2", got, err)
	}
	return c
}

func (w *world) callable(t tester, from int) int {
	return w.whole(t, from, "loyalty_number", "birth_date", "phone")
}

// What is written in a contact is on the timeline of its customer, for whoever
// has him verified enough, in order, and for nobody below; each page is one
// entry whose bits are those of what it shows.
func TestNotesAndCasesMakeATimeline(t *testing.T) {
	w := newWorld(t, 60)
	i := w.callable(t, 0)
	m, other := w.Vendors[0].Agents[0], w.Vendors[1].Agents[0]
	weak := w.connect(t, m)
	w.verify(t, m, weak, i)
	if err := w.note(t, m, weak, "rang about his bag"); err != nil {
		t.Fatalf("note at A1: %v", err)
	}
	id, _, err := w.opens(t, m, weak, "bag is lost")
	if err != nil {
		t.Fatalf("open a case: %v", err)
	}
	before := w.Log.Size()
	if line, err := w.timeline(t, m, weak); err != nil || len(line.Items) != 0 || line.More || w.Log.Size() != before+1 {
		t.Errorf("at A1: got %d items, %v, want none by one entry", len(line.Items), err)
	}
	c := w.second(t, other, i)
	before = w.Log.Size()
	line, err := w.timeline(t, other, c)
	if got := texts(line); err != nil || got != "bag is lost|rang about his bag" || line.More {
		t.Fatalf("at A2: got %q, %v", got, err)
	}
	if item := line.Items[0]; item.Case != id || item.State != purser.CaseOpen || item.Topic != 1 || item.Kind != seal.CaseText {
		t.Errorf("case: got %+v", item)
	}
	both := mask(t, w, "case", "note")
	if e, ok := w.entries(t, before)[0].(*purser.Disclosure); !ok || e.Shown != both || e.Asked != both || e.Customer != purser.Ordinal(i+1) {
		t.Errorf("entry: got %+v, want a disclosure of %b", e, both)
	}
	w.mustShow(t, w.Vendors[0].Agents[1], w.second(t, w.Vendors[0].Agents[1], w.callable(t, i+1)), "") // another customer
}

// A page shows twenty at most, says whether older ones are left, and goes on
// where the one before ended.
func TestATimelineHasPages(t *testing.T) {
	w := newWorld(t, 60)
	i := w.callable(t, 0)
	m := w.Vendors[0].Agents[0]
	for n := range 2 {
		c := w.connect(t, m)
		w.verify(t, m, c, i)
		for k := range 15 {
			if err := w.note(t, m, c, "note "+string(rune('a'+n))+string(rune('a'+k))); err != nil {
				t.Fatal(err)
			}
		}
	}
	c := w.second(t, m, i)
	first, err := w.timeline(t, m, c)
	if err != nil || len(first.Items) != gate.PageSize || !first.More {
		t.Fatalf("first page: got %d, more %v, %v", len(first.Items), first.More, err)
	}
	rest, err := w.gate.Timeline(t.Context(), gate.TimelineAsk{Asker: m.Asker(), Contact: c, Before: first.Items[gate.PageSize-1].Pos})
	if err != nil || len(rest.Items) != 10 || rest.More || rest.Items[9].Plain.Reveal() != "note aa" {
		t.Errorf("second page: got %q, more %v, %v", texts(rest), rest.More, err)
	}
}

// L1: a fault at any point of the commit shows no text, unless the entry that
// records it is in the store. Seen to fail with the ledger's writer ignoring
// the error of Append.
func TestLaw01NoTextWithoutEvidence(t *testing.T) {
	for _, point := range ledger.Points() {
		t.Run(point, func(t *testing.T) {
			var armed atomic.Bool
			w := made{fault: func(at string) error {
				if armed.Load() && at == point {
					return errors.New("disk says no")
				}
				return nil
			}}.world(t, 40)
			m := w.Vendors[0].Agents[0]
			c := w.second(t, m, w.callable(t, 0))
			if err := w.note(t, m, c, "rang about his bag"); err != nil {
				t.Fatal(err)
			}
			before := w.Log.Size()
			armed.Store(true)
			line, err := w.timeline(t, m, c)
			head, headErr := w.store.Head(t.Context())
			if headErr != nil {
				t.Fatal(headErr)
			}
			if len(line.Items) > 0 && head.Size <= before {
				t.Fatal("a text was shown and no entry is stored")
			}
			if err == nil && len(line.Items) == 0 {
				t.Fatal("neither text nor error")
			}
		})
	}
}

// L3: whoever is stopped writes nothing, whoever the lock names, and where it
// came through somebody who is locked. Seen to fail with the step of locks
// taken out of writes.
func TestLaw03LocksStopWriting(t *testing.T) {
	for name, target := range map[string]func(m *synth.Member) purser.Target{
		"session": func(m *synth.Member) purser.Target {
			return purser.Target{Kind: purser.TargetSession, ID: m.Who.Session}
		},
		"team": func(m *synth.Member) purser.Target { return purser.Target{Kind: purser.TargetTeam, ID: m.Who.Team} },
		"all":  func(*synth.Member) purser.Target { return purser.Target{Kind: purser.TargetAll} },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 40)
			m := w.Vendors[0].Agents[0]
			c := w.connect(t, m)
			w.verify(t, m, c, w.whole(t, 0, "loyalty_number", "birth_date"))
			id, number, err := w.opens(t, m, c, "bag is lost")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.gate.PlaceLock(t.Context(), gate.LockAsk{
				Asker: w.Security[0].Asker(), Lock: purser.LockID(w.ID()), Target: target(m), Degree: purser.DegreeLock, Paths: purser.PathAll,
			}); err != nil {
				t.Fatal(err)
			}
			_, _, opened := w.opens(t, m, c, "another")
			_, moved := w.gate.MoveCase(t.Context(), gate.MoveAsk{Asker: m.Asker(), Contact: c, Case: id, State: purser.CaseSolved})
			_, bound := w.gate.BindCase(t.Context(), m.Asker(), c, number)
			_, wrapped := w.gate.WrapUp(t.Context(), gate.NoteAsk{Asker: m.Asker(), Contact: c, Topic: 1})
			_, shown := w.timeline(t, m, c)
			for act, err := range map[string]error{
				"note": w.note(t, m, c, "x"), "open": opened, "move": moved, "bind": bound, "wrap up": wrapped, "timeline": shown,
			} {
				if reason(err) != purser.Locked {
					t.Errorf("%s: got reason %d, want %d", act, reason(err), purser.Locked)
				}
			}
		})
	}
}

// L5: what is answered to whoever writes, and how many entries of which size it
// makes, does not depend on what is stored of the customer: there, erased or
// held, and nothing of an erased one is kept.
//
// Seen to fail with Keep refusing where there is no record, and with a note
// about nobody kept for one who is erased.
func TestLaw05WritingTellsNothingOfTheCustomer(t *testing.T) {
	erased := map[purser.Ordinal]bool{}
	w := made{erased: erased}.world(t, 120)
	m := w.Vendors[0].Agents[0]
	next := 0
	acts := func(state func(purser.Ordinal)) map[string]answer {
		i := w.callable(t, next)
		next = i + 1
		out := map[string]answer{}
		c := w.connect(t, m)
		w.verify(t, m, c, i)
		state(purser.Ordinal(i + 1))
		did := func(name string, act func() error) {
			before := w.Log.Size()
			out[name] = w.answered(t, before, act())
		}
		var id purser.CaseID
		did("note", func() error { return w.note(t, m, c, "rang about his bag") })
		did("case", func() (err error) { id, _, err = w.opens(t, m, c, "bag is lost"); return err })
		did("note to it", func() error {
			_, err := w.gate.Note(t.Context(), gate.NoteAsk{Asker: m.Asker(), Contact: c, Case: id, Text: "found"})
			return err
		})
		did("move", func() error {
			_, err := w.gate.MoveCase(t.Context(), gate.MoveAsk{Asker: m.Asker(), Contact: c, Case: id, State: purser.CaseSolved})
			return err
		})
		did("note to a solved one", func() error {
			_, err := w.gate.Note(t.Context(), gate.NoteAsk{Asker: m.Asker(), Contact: c, Case: id, Text: "found"})
			return err
		})
		did("wrap up", func() error {
			_, err := w.gate.WrapUp(t.Context(), gate.NoteAsk{Asker: m.Asker(), Contact: c, Topic: 2, Text: "done"})
			return err
		})
		did("timeline", func() error { _, err := w.timeline(t, m, c); return err })
		return out
	}
	there := acts(func(purser.Ordinal) {})
	for name, got := range map[string]map[string]answer{
		"erased": acts(func(o purser.Ordinal) { erased[o] = true }),
		"held": acts(func(o purser.Ordinal) {
			held := &purser.HoldPlaced{Hold: purser.HoldID{1}, Customers: []purser.Ordinal{o}, Review: 1}
			if err := w.propose(held); err != nil {
				t.Fatal(err)
			}
		}),
	} {
		for act, want := range there {
			if got[act] != want {
				t.Errorf("%s, %s: got %+v, want %+v", name, act, got[act], want)
			}
		}
	}
	for o := range erased {
		for _, kind := range []seal.TextKind{seal.CaseText, seal.NoteText} {
			if kept, err := w.store.TextsOf(t.Context(), o, kind, 1<<40, 9); len(kept) != 0 || err != nil {
				t.Errorf("of the erased customer %d texts are kept, %v", len(kept), err)
			}
		}
	}
}

// After hang-up notes may be appended while wrap-up lasts and nothing opens;
// afterwards it is too late. Whoever has the contact next writes and sees,
// whoever had it does neither.
func TestWrapUpAndTransfer(t *testing.T) {
	w := newWorld(t, 60)
	i := w.callable(t, 0)
	first, next := w.Vendors[0].Agents[0], w.Vendors[0].Agents[1]
	c := w.second(t, first, i)
	if err := w.note(t, first, c, "one"); err != nil {
		t.Fatal(err)
	}
	err := w.Report(t.Context(), 0, purser.ContactEvent{Event: purser.EventTransferred, Contact: c, Agent: first.AgentKey, To: next.AgentKey})
	if err = errors.Join(err, w.Claim(t.Context(), next, c)); err != nil {
		t.Fatal(err)
	}
	if err := w.note(t, first, c, "x"); reason(err) != purser.NotClaimed {
		t.Errorf("who had it: got reason %d, want %d", reason(err), purser.NotClaimed)
	}
	w.mustShow(t, next, c, "one")
	if err := w.HangUp(t.Context(), next, c); err != nil {
		t.Fatal(err)
	}
	if err := w.note(t, next, c, "two"); err != nil {
		t.Errorf("in wrap-up: got %v (reason %d)", err, reason(err))
	}
	if _, err := w.gate.WrapUp(t.Context(), gate.NoteAsk{Asker: next.Asker(), Contact: c, Topic: 3}); err != nil {
		t.Errorf("wrap up without a note: got %v", err)
	}
	if _, err := w.timeline(t, next, c); reason(err) != purser.HungUp {
		t.Errorf("timeline in wrap-up: got reason %d, want %d", reason(err), purser.HungUp)
	}
	closed := purser.ContactEvent{Event: purser.EventClosed, Contact: c, Agent: next.AgentKey}
	if err := w.Report(t.Context(), 0, closed); err != nil {
		t.Fatal(err)
	}
	if err := w.note(t, next, c, "x"); reason(err) != purser.TooLate {
		t.Errorf("after wrap-up: got reason %d, want %d", reason(err), purser.TooLate)
	}
	if err := w.note(t, first, c, "x"); reason(err) != purser.NotClaimed {
		t.Errorf("who never had it then: got reason %d, want %d", reason(err), purser.NotClaimed)
	}
	again := w.second(t, first, i)
	w.mustShow(t, first, again, "two|one")
}

// Nobody is sent away: a case is taken without a customer, and is his whom
// somebody verifies later, with what was noted to it; once, by its number, at
// the same vendor. What was written in the contact itself is his as soon as he
// is known there.
func TestACaseTakenBlind(t *testing.T) {
	w := newWorld(t, 60)
	i := w.callable(t, 0)
	m, mate, far := w.Vendors[0].Agents[0], w.Vendors[0].Agents[1], w.Vendors[1].Agents[0]
	c := w.connect(t, m)
	id, number, err := w.opens(t, m, c, "could not say his number")
	if err != nil {
		t.Fatal(err)
	}
	noted := func(m *synth.Member, c purser.ContactID) error {
		_, err := w.gate.Note(t.Context(), gate.NoteAsk{Asker: m.Asker(), Contact: c, Case: id, Text: "will ring again"})
		return err
	}
	if err := noted(m, c); err != nil {
		t.Fatalf("note to it: %v", err)
	}
	if err := noted(mate, w.connect(t, mate)); reason(err) != purser.CaseUnknown {
		t.Errorf("note from another contact: got reason %d, want %d", reason(err), purser.CaseUnknown)
	}
	binds := func(m *synth.Member, c purser.ContactID, number string) purser.Reason {
		got, err := w.gate.BindCase(t.Context(), m.Asker(), c, number)
		if err == nil && got != id {
			t.Errorf("bound %v, want %v", got, id)
		}
		return reason(err)
	}
	if got := binds(m, c, number); got != purser.NotBound {
		t.Errorf("where nobody is bound: got reason %d, want %d", got, purser.NotBound)
	}
	elsewhere := w.second(t, far, i)
	for what, number := range map[string]string{"another vendor's": number, "of no case": w.gate.Reference(3), "no number": "?"} {
		if got := binds(far, elsewhere, number); got != purser.CaseUnknown {
			t.Errorf("%s: got reason %d, want %d", what, got, purser.CaseUnknown)
		}
	}
	back := w.second(t, mate, i)
	w.mustShow(t, mate, back, "")
	if got := binds(mate, back, strings.ToLower(number)); got != purser.Allowed {
		t.Fatalf("bind: got reason %d", got)
	}
	w.mustShow(t, mate, back, "will ring again|could not say his number")
	if got := binds(mate, back, number); got != purser.CaseUnknown {
		t.Errorf("bind again: got reason %d, want %d", got, purser.CaseUnknown)
	}
	other := w.connect(t, m)
	if err := w.note(t, m, other, "before he was known"); err != nil {
		t.Fatal(err)
	}
	w.verify(t, m, other, i)
	if err := w.note(t, m, other, "and after"); err != nil {
		t.Fatal(err)
	}
	w.mustShow(t, mate, back, "and after|before he was known|will ring again|could not say his number")
}

// A text that holds what must not be kept is refused with class and place; the
// entry has nothing of it, and neither has the error.
func TestForbiddenTextIsRefused(t *testing.T) {
	w := newWorld(t, 40)
	m := w.Vendors[0].Agents[0]
	c := w.connect(t, m)
	before := w.Log.Size()
	err := w.note(t, m, c, "paid with 4242 4242 4242 4242")
	told, ok := errors.AsType[*gate.ForbiddenText](err)
	if !ok || reason(err) != purser.Forbidden || len(told.Found) != 1 || told.Found[0].Class != forbidden.Card || told.Found[0].At != 11 {
		t.Fatalf("got %v (reason %d), want a card at 11", err, reason(err))
	}
	if strings.Contains(err.Error(), "4242") {
		t.Errorf("the error holds the value: %v", err)
	}
	if e, ok := w.entries(t, before)[0].(*purser.NoteAdded); !ok || e.Reason != purser.Forbidden || !e.Text.Zero() {
		t.Errorf("got entry %+v, want a refusal that commits to nothing", e)
	}
	if _, _, err := w.opens(t, m, c, "password: hunter2hunter2"); reason(err) != purser.Forbidden {
		t.Errorf("case: got reason %d, want %d", reason(err), purser.Forbidden)
	}
}

// One contact writes so much and no more, and nothing under a topic that the
// schema does not have.
func TestAContactWritesItsShare(t *testing.T) {
	w := newWorld(t, 40)
	m := w.Vendors[0].Agents[0]
	c := w.connect(t, m)
	_, err := w.gate.Note(t.Context(), gate.NoteAsk{Asker: m.Asker(), Contact: c, Topic: 99, Text: "x"})
	if reason(err) != purser.TargetUnknown {
		t.Errorf("unknown topic: got reason %d, want %d", reason(err), purser.TargetUnknown)
	}
	for n := range casefile.MostNotes + 1 {
		want := purser.Allowed
		if n == casefile.MostNotes {
			want = purser.CeilingExceeded
		}
		if err := w.note(t, m, c, "x"); reason(err) != want {
			t.Fatalf("note %d: got reason %d, want %d", n, reason(err), want)
		}
	}
	for n := range casefile.MostCases + 1 {
		want := purser.Allowed
		if n == casefile.MostCases {
			want = purser.CeilingExceeded
		}
		if _, _, err := w.opens(t, m, c, "x"); reason(err) != want {
			t.Fatalf("case %d: got reason %d, want %d", n, reason(err), want)
		}
	}
}

// propose records an entry as it is.
func (w *world) propose(e purser.Entry) error {
	_, err := w.Log.Propose(context.Background(), purser.VendorID{}, func(*fold.State, purser.Stamp) purser.Entry { return e })
	return err
}
