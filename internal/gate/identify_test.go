package gate_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"purser"
	"purser/internal/gate"
	"purser/internal/rule/budget"
)

func TestIdentifyCountsOnlyWhatTheRecordHolds(t *testing.T) {
	w := made{agents: 8}.world(t, 120)
	full := w.whole(t, 0, "loyalty_number", "birth_date", "postcode")
	for n, c := range []struct {
		name  string
		items []string
		wrong string
		want  purser.Reason
	}{
		{"number and birth date", []string{"loyalty_number", "birth_date"}, "", purser.Allowed},
		{"e-mail and postcode", []string{"email", "postcode"}, "", purser.Allowed},
		{"number and a wrong postcode", []string{"loyalty_number", "postcode"}, "postcode", purser.Wrong},
		{"three, one wrong", []string{"loyalty_number", "birth_date", "postcode"}, "postcode", purser.Wrong},
		{"name and number are both printed", []string{"loyalty_number", "name"}, "", purser.OnlyPrinted},
		{"nothing that finds", []string{"name", "birth_date"}, "", purser.Unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := w.Vendors[n%2].Agents[n/2]
			items := w.Items(full, c.items...)
			for i, name := range c.items {
				if name == c.wrong {
					items[i].Canonical = "9999"
				}
			}
			_, err := w.gate.Identify(t.Context(), gate.IdentifyAsk{Asker: m.Asker(), Contact: w.connect(t, m), Items: items})
			if got := w.last(t); got != c.want || (err == nil) != (c.want == purser.Allowed) {
				t.Errorf("got reason %d and error %v, want reason %d", got, err, c.want)
			}
		})
	}
}

// last is the reason of the newest entry, which is a decision.
func (w *world) last(t tester) purser.Reason {
	t.Helper()
	list := w.entries(t, w.Log.Size()-1)
	d, ok := list[0].(purser.Decision)
	if !ok {
		t.Fatalf("newest entry is %T", list[0])
	}
	return d.Refused()
}

func TestNumberRaisesToA2(t *testing.T) {
	w := newWorld(t, 60)
	i := w.whole(t, 0, "loyalty_number", "birth_date", "phone")
	phone := w.Items(i, "phone")[0].Canonical
	now, _, err := w.keys.Tag("phone", phone, purser.StampOf(w.Clock.Now()))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		caller purser.Tag
		want   purser.Assurance
	}{{"own number", now, purser.A2}, {"another number", now + 1, purser.A1}, {"withheld", 0, purser.A1}} {
		t.Run(c.name, func(t *testing.T) {
			m := w.Vendors[0].Agents[1]
			call, err := w.Connect(t.Context(), m, c.caller)
			if err != nil {
				t.Fatal(err)
			}
			got, err := w.gate.Identify(t.Context(), gate.IdentifyAsk{
				Asker: m.Asker(), Contact: call, Items: w.Items(i, "loyalty_number", "birth_date"),
			})
			if err != nil || got.Assurance != c.want {
				t.Errorf("got %+v, %v, want assurance %d", got, err, c.want)
			}
		})
	}
}

func TestLinkedCustomer(t *testing.T) {
	w := newWorld(t, 300)
	first, second := w.pair(t)
	m := w.Vendors[0].Agents[0]
	c := w.connect(t, m)
	link := func(i int) (gate.Identified, error) {
		return w.gate.Identify(t.Context(), gate.IdentifyAsk{
			Asker: m.Asker(), Contact: c, Items: w.Items(i, "loyalty_number", "birth_date"), Linked: true,
		})
	}
	if _, err := link(second); reason(err) != purser.NotBound {
		t.Fatalf("link before binding: got reason %d, want %d", reason(err), purser.NotBound)
	}
	w.verify(t, m, c, first)
	got, err := link(second)
	if err != nil || got.Assurance != purser.A1 {
		t.Fatalf("link: got %+v, %v (reason %d)", got, err, reason(err))
	}
	shown, err := w.gate.Disclose(t.Context(), gate.Ask{
		Asker: m.Asker(), Contact: c, Customer: got.Customer, Path: purser.PathDesk, Fields: mask(t, w, "name", "email"),
	})
	if err != nil || shown.Shown != mask(t, w, "name") {
		t.Errorf("linked customer: got %b, %v, want the name alone", shown.Shown, err)
	}
	stranger := w.whole(t, max(first, second)+1, "loyalty_number", "birth_date")
	if _, err := link(stranger); reason(err) != purser.OtherCustomer {
		t.Errorf("link a stranger: got reason %d, want %d", reason(err), purser.OtherCustomer)
	}
}

// pair finds two customers of one booking who can both be identified.
func (w *world) pair(t tester) (first, second int) {
	for i := range w.Customers {
		others, err := w.Records.Linked(context.Background(), purser.Ordinal(i+1))
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range others {
			j := int(o) - 1
			if w.whole(t, i, "loyalty_number", "birth_date") == i && w.whole(t, j, "loyalty_number", "birth_date") == j {
				return i, j
			}
		}
	}
	t.Fatal("no two customers share a booking")
	return 0, 0
}

func TestLimitsOfFailures(t *testing.T) {
	w := made{agents: 8}.world(t, 60)
	i := w.whole(t, 0, "loyalty_number", "birth_date")
	try := func(n int, right bool) purser.Reason {
		m := w.Vendors[0].Agents[n]
		items := w.Items(i, "loyalty_number", "birth_date")
		if !right {
			items[1].Canonical = "1901-01-01"
		}
		_, _ = w.gate.Identify(t.Context(), gate.IdentifyAsk{Asker: m.Asker(), Contact: w.connect(t, m), Items: items})
		return w.last(t)
	}
	for n := range budget.FailuresDay {
		if got := try(n%4, false); got != purser.Wrong {
			t.Fatalf("try %d: got reason %d, want %d", n, got, purser.Wrong)
		}
	}
	if got := try(5, true); got != purser.CustomerLimited {
		t.Errorf("after %d failures: got reason %d, want %d", budget.FailuresDay, got, purser.CustomerLimited)
	}
	w.Clock.Advance(26 * time.Hour)
	if err := w.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := try(5, true); got != purser.Allowed {
		t.Errorf("later: got reason %d, want %d", got, purser.Allowed)
	}
}

// Budgets hold under 64 goroutines: one agent, 48 verified contacts, each
// asked for by many at once; his forty an hour are first disclosures of forty
// contacts, never more.
func TestBudgetsAreNotOverdrawn(t *testing.T) {
	w := made{agents: 1}.world(t, 120)
	m := w.Vendors[0].Agents[0]
	var calls []purser.ContactID
	next := 0
	for range 48 {
		c := w.connect(t, m)
		i := w.whole(t, next, "loyalty_number", "birth_date")
		next = i + 1
		w.verify(t, m, c, i)
		calls = append(calls, c)
	}
	first := w.Log.Size()
	fields := mask(t, w, "name")
	var turn atomic.Int64
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for range 12 {
				c := calls[int(turn.Add(1))%len(calls)]
				_, err := w.gate.Disclose(t.Context(), gate.Ask{Asker: m.Asker(), Contact: c, Path: purser.PathDesk, Fields: fields})
				if r := reason(err); r != purser.Allowed && r != purser.BudgetHour && r != purser.BudgetWeak {
					t.Errorf("disclose: %v (reason %d)", err, r)
				}
			}
		})
	}
	wg.Wait()
	shown := map[purser.ContactID]bool{}
	counted := 0
	for _, e := range w.entries(t, first) {
		if d, ok := e.(*purser.Disclosure); ok && d.Reason == purser.Allowed {
			shown[d.Contact] = true
			if d.Flags&purser.FirstDisclosure != 0 {
				counted++
			}
		}
	}
	if counted != len(shown) || len(shown) > 40 || len(shown) < 15 {
		t.Errorf("got %d contacts shown and %d counted, want the same, 15 to 40", len(shown), counted)
	}
}

// BenchmarkDisclose is the engine of P1 with everything but the reference.
func BenchmarkDisclose(b *testing.B) {
	w := newWorld(b, 60)
	m := w.Vendors[0].Agents[0]
	c := w.connect(b, m)
	w.verify(b, m, c, w.whole(b, 0, "loyalty_number", "birth_date"))
	ask := gate.Ask{Asker: m.Asker(), Contact: c, Path: purser.PathDesk, Fields: mask(b, w, "name", "loyalty_number", "tier", "points")}
	b.ReportAllocs()
	b.SetParallelism(64)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if got, err := w.gate.Disclose(b.Context(), ask); err != nil || got.Shown == 0 {
				b.Errorf("disclose: %v", err)
				return
			}
		}
	})
}
