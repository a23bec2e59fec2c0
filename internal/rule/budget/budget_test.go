package budget_test

import (
	"cmp"
	"testing"

	"pgregory.net/rapid"

	"purser"
	"purser/internal/rule/budget"
)

const start = 1_767_225_600 * purser.Second // 2026-01-01

// sheet is a budget.Sheet that is fed like the fold feeds it.
type sheet struct {
	budget.Sheet
	pos purser.Pos
	at  purser.Stamp
}

type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

func (s *sheet) apply(t fataler, e purser.Entry) purser.Pos {
	t.Helper()
	if err := s.Apply(purser.Header{Kind: e.Kind(), Pos: s.pos, Stamp: s.at}, e); err != nil {
		t.Fatalf("apply %T: %v", e, err)
	}
	s.Sweep(s.at)
	s.Commit()
	s.pos++
	return s.pos - 1
}

// restart writes the sheet and reads it again.
func (s *sheet) restart(t fataler) {
	t.Helper()
	c := purser.NewEncoder(nil)
	s.Code(c)
	s.Sheet = budget.Sheet{}
	d := purser.NewDecoder(c.Bytes())
	s.Code(d)
	if err := d.End(); err != nil {
		t.Fatalf("restore: %v", err)
	}
}

func actor(person byte) purser.Actor {
	return purser.Actor{Person: purser.PersonID{1, person}, Vendor: purser.VendorID{2}}
}

var source = purser.SourceID{3}

// deliver reports n contacts, so that the vendor's share is not what refuses.
func (s *sheet) deliver(t fataler, n int) {
	t.Helper()
	s.apply(t, &purser.SourceSet{Source: source, Vendor: actor(0).Vendor, Status: purser.StatusActive})
	for range n {
		s.apply(t, &purser.ContactEvent{
			Source: source, Event: purser.EventConnected, Contact: purser.ContactID{7, byte(s.pos), byte(s.pos >> 8), byte(s.pos >> 16)},
		})
	}
}

func (s *sheet) disclose(t fataler, who purser.Actor, weak bool) purser.Reason {
	t.Helper()
	why := s.Disclose(budget.Draft{Who: who, First: true, Weak: weak}, s.at)
	e := &purser.Disclosure{Who: who, Flags: purser.FirstDisclosure, Reason: why}
	if weak {
		e.Flags |= purser.WeakDisclosure
	}
	s.apply(t, e)
	return why
}

func until(t *testing.T, most int, want purser.Reason, try func() purser.Reason) {
	t.Helper()
	for i := range most {
		if got := try(); got != purser.Allowed {
			t.Fatalf("number %d: got reason %d, want allowed", i+1, got)
		}
	}
	if got := try(); got != want {
		t.Fatalf("number %d: got reason %d, want %d", most+1, got, want)
	}
}

func TestCeilings(t *testing.T) {
	who := actor(1)
	ready := func(t *testing.T) *sheet {
		s := &sheet{at: start}
		s.deliver(t, 200)
		return s
	}
	t.Run("customers an hour", func(t *testing.T) {
		s := ready(t)
		until(t, 40, purser.BudgetHour, func() purser.Reason { return s.disclose(t, who, false) })
		if got := s.disclose(t, actor(2), false); got != purser.Allowed {
			t.Errorf("another person: got %d", got)
		}
		s.at += 65 * purser.Minute
		if got := s.disclose(t, who, false); got != purser.Allowed {
			t.Errorf("an hour later: got %d", got)
		}
	})
	t.Run("customers a day", func(t *testing.T) {
		s := ready(t)
		until(t, 150, purser.BudgetDay, func() purser.Reason {
			s.at += 3 * purser.Minute
			return s.disclose(t, who, false)
		})
	})
	t.Run("weak contacts a day", func(t *testing.T) {
		s := ready(t)
		until(t, 15, purser.BudgetWeak, func() purser.Reason { return s.disclose(t, who, true) })
		if got := s.disclose(t, who, false); got != purser.Allowed {
			t.Errorf("a strong one: got %d", got)
		}
	})
	t.Run("tightened", func(t *testing.T) {
		s := ready(t)
		s.apply(t, &purser.Configuration{What: purser.ConfigBudget, Which: purser.BudgetPersonHour, Value: 5})
		until(t, 5, purser.BudgetHour, func() purser.Reason { return s.disclose(t, who, false) })
	})
	t.Run("again in the same contact", func(t *testing.T) {
		s := ready(t)
		for range 100 {
			if got := s.Disclose(budget.Draft{Who: who}, s.at); got != purser.Allowed {
				t.Fatalf("got %d", got)
			}
			s.apply(t, &purser.Disclosure{Who: who})
		}
	})
	t.Run("a vendor without contacts", func(t *testing.T) {
		s := &sheet{at: start}
		until(t, budget.VendorSlack, purser.BudgetVendor, func() purser.Reason { return s.disclose(t, who, false) })
	})
	t.Run("a vendor's share", func(t *testing.T) {
		s := &sheet{at: start}
		s.deliver(t, 10)
		until(t, 13+budget.VendorSlack, purser.BudgetVendor, func() purser.Reason { return s.disclose(t, who, false) })
	})
	t.Run("break-glass", func(t *testing.T) {
		s := ready(t)
		until(t, 3, purser.BudgetBreak, func() purser.Reason {
			why := s.BreakGlass(who, s.at)
			s.apply(t, &purser.BreakGlass{Who: who, Reason: why})
			return why
		})
	})
	t.Run("codes sent", func(t *testing.T) {
		s := ready(t)
		until(t, 3, purser.SendsSpent, func() purser.Reason {
			why := s.Send(5, 4, s.at)
			s.apply(t, &purser.CodeSent{Who: who, Tag: 5, Last: 4, Reason: why})
			return why
		})
		s.at += 2 * purser.Minute // in doubt: they count as sent
		if got := s.Send(5, 4, s.at); got != purser.SendsSpent {
			t.Errorf("in doubt: got %d", got)
		}
		if got := s.Send(6, 5, s.at); got != purser.SendsSpent {
			t.Errorf("in the new month: got %d", got)
		}
	})
	t.Run("codes that the next hop refused", func(t *testing.T) {
		s := ready(t)
		for range 10 {
			pos := s.apply(t, &purser.CodeSent{Who: who, Tag: 5})
			s.apply(t, &purser.CodeResult{Sent: pos, Reason: purser.SendFailed})
		}
		if got := s.Send(5, 4, s.at); got != purser.Allowed {
			t.Errorf("got %d", got)
		}
	})
}

// match tries once to bind a customer by match.
type match struct {
	who     purser.Actor
	contact purser.ContactID
	tag     purser.Tag
	last    purser.Tag
	linked  bool
	way     purser.Way // of the result; WayMatch if zero
}

func (s *sheet) attempt(t fataler, m match, found purser.Reason) purser.Reason {
	t.Helper()
	why := s.Attempt(m.who.Person, m.tag, m.last, purser.WayMatch, s.at)
	if why == purser.Allowed {
		why = s.Bind(m.who.Person, m.contact, m.linked, s.at)
	}
	pos := s.apply(t, &purser.Attempt{
		Who: m.who, Contact: m.contact, Way: purser.WayMatch, Tag: m.tag, Last: m.last, Reason: why,
	})
	if why == purser.Allowed {
		s.apply(t, &purser.AttemptResult{
			Who: m.who, Contact: m.contact, Attempt: pos, Way: cmp.Or(m.way, purser.WayMatch), Tag: m.tag, Last: m.last,
			Customer: 1, Linked: m.linked, Reason: found,
		})
	}
	return why
}

func (s *sheet) claim(t fataler, who purser.Actor, c purser.ContactID) {
	t.Helper()
	s.apply(t, &purser.Claim{Who: who, Contact: c})
}

func TestBinding(t *testing.T) {
	who, one := actor(1), purser.ContactID{1}
	t.Run("within claimed contacts", func(t *testing.T) {
		s := &sheet{at: start}
		if got := s.attempt(t, match{who: who, contact: one, tag: 1}, purser.Allowed); got != purser.BudgetBind {
			t.Errorf("without a claim: got %d", got)
		}
		s.claim(t, who, one)
		if got := s.attempt(t, match{who: who, contact: one, tag: 1}, purser.Allowed); got != purser.Allowed {
			t.Errorf("with a claim: got %d", got)
		}
		if got := s.Bind(who.Person, purser.ContactID{2}, false, s.at); got != purser.BudgetBind {
			t.Errorf("in another contact: got %d", got)
		}
		s.apply(t, &purser.BindingUndone{Who: actor(9), Contact: one})
		if got := s.attempt(t, match{who: who, contact: one, tag: 2}, purser.Allowed); got != purser.Allowed {
			t.Errorf("after the binding was taken back: got %d", got)
		}
		if got := s.Bind(who.Person, purser.ContactID{2}, false, s.at); got != purser.BudgetBind {
			t.Errorf("and then in another contact: got %d", got)
		}
	})
	t.Run("with the number too", func(t *testing.T) {
		s := &sheet{at: start}
		s.claim(t, who, one)
		pos := s.apply(t, &purser.Attempt{Who: who, Contact: one, Way: purser.WayMatch, Tag: 1})
		s.apply(t, &purser.AttemptResult{Who: who, Contact: one, Attempt: pos, Way: purser.WayNumber, Tag: 1, Customer: 1})
		if got := s.Bind(who.Person, purser.ContactID{2}, false, s.at); got != purser.BudgetBind {
			t.Errorf("in another contact: got %d", got)
		}
		s.apply(t, &purser.BindingUndone{Who: actor(9), Contact: one})
		if got := s.Bind(who.Person, one, false, s.at); got != purser.Allowed {
			t.Errorf("after the binding was taken back: got %d", got)
		}
	})
	t.Run("open attempts elsewhere count", func(t *testing.T) {
		s := &sheet{at: start}
		s.claim(t, who, one)
		s.apply(t, &purser.Attempt{Who: who, Contact: one, Way: purser.WayMatch, Tag: 1})
		if got := s.Bind(who.Person, purser.ContactID{2}, false, s.at); got != purser.BudgetBind {
			t.Errorf("while one is open: got %d", got)
		}
		s.apply(t, &purser.Start{})
		if got := s.Bind(who.Person, purser.ContactID{2}, false, s.at); got != purser.Allowed {
			t.Errorf("after a start: got %d", got)
		}
	})
	t.Run("linked in a contact", func(t *testing.T) {
		s := &sheet{at: start}
		s.claim(t, who, one)
		tag := purser.Tag(10)
		until(t, budget.LinkedContact, purser.BudgetLinked, func() purser.Reason {
			tag++
			return s.attempt(t, match{who: who, contact: one, tag: tag, linked: true}, purser.Allowed)
		})
	})
	t.Run("linked in a day", func(t *testing.T) {
		s := &sheet{at: start}
		n := byte(0)
		until(t, budget.LinkedSlack+2, purser.BudgetLinked, func() purser.Reason {
			n++
			if n <= 4 {
				s.claim(t, who, purser.ContactID{n})
			}
			return s.attempt(t, match{who: who, contact: purser.ContactID{n}, tag: purser.Tag(n), linked: true}, purser.Allowed)
		})
	})
	t.Run("same hours every day", func(t *testing.T) {
		s := &sheet{at: start + 8*purser.Hour}
		for call := range 40 {
			c := purser.ContactID{1, byte(call)}
			s.claim(t, who, c)
			s.at += 50 * purser.Minute // claimed in one hour, bound in the next
			if got := s.attempt(t, match{who: who, contact: c, tag: purser.Tag(call + 1)}, purser.Allowed); got != purser.Allowed {
				t.Fatalf("call %d: got %d", call, got)
			}
		}
	})
}

// Whether the caller's number was right beside a match changes nothing that
// budgets decide: two sheets with the same day, but for that, agree. Seen to
// fail with compares leaving the number out.
func TestNumberCountsLikeAMatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plain, numbered := &sheet{at: start}, &sheet{at: start}
		both := func(f func(s *sheet, way purser.Way) purser.Reason) {
			t.Helper()
			if got, want := f(numbered, purser.WayNumber), f(plain, purser.WayMatch); got != want {
				t.Fatalf("with the number: got %d, want %d as without", got, want)
			}
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			who := actor(byte(rapid.IntRange(1, 2).Draw(t, "who")))
			c := purser.ContactID{byte(rapid.IntRange(1, 4).Draw(t, "contact"))}
			step := rapid.IntRange(0, 5).Draw(t, "step")
			linked, tag := rapid.Bool().Draw(t, "linked"), purser.Tag(rapid.IntRange(1, 3).Draw(t, "tag"))
			wait := rapid.SampledFrom([]purser.Stamp{0, purser.Second, 2 * purser.Minute, 5 * purser.Hour}).Draw(t, "wait")
			both(func(s *sheet, way purser.Way) purser.Reason {
				s.at += wait
				switch step {
				case 0:
					s.claim(t, who, c)
				case 1:
					s.apply(t, &purser.BindingUndone{Who: actor(9), Contact: c})
				case 2:
					return s.attempt(t, match{who: who, contact: c, tag: tag, linked: linked}, purser.Wrong)
				default:
					return s.attempt(t, match{who: who, contact: c, tag: tag, linked: linked, way: way}, purser.Allowed)
				}
				return s.Bind(who.Person, c, linked, s.at)
			})
		}
	})
}

// The windows may count an event for one bucket too long, and never too short.
//
// Failures over everybody against one customer, with this month's and last
// month's tag, and of one person: against a list of what happened.
func TestFailuresAgainstList(t *testing.T) {
	type failure struct {
		at  purser.Stamp
		who purser.Actor
		tag purser.Tag
	}
	count := func(all []failure, after purser.Stamp, which func(failure) bool) (n int) {
		for _, f := range all {
			if f.at > after && which(f) {
				n++
			}
		}
		return n
	}
	rapid.Check(t, func(t *rapid.T) {
		s := &sheet{at: start}
		var all []failure
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			s.at += rapid.SampledFrom([]purser.Stamp{
				0, purser.Second, 2 * purser.Minute, purser.Hour, 7 * purser.Hour, 40 * purser.Hour,
			}).Draw(t, "wait")
			if rapid.IntRange(0, 9).Draw(t, "restart") == 0 {
				s.restart(t)
			}
			s.apply(t, &purser.Finding{}) // something always happens: sources send heartbeats
			who := actor(byte(rapid.IntRange(1, 3).Draw(t, "who")))
			now := purser.Tag(rapid.IntRange(2, 4).Draw(t, "tag"))
			last := now - 1
			about := func(f failure) bool { return f.tag == now || f.tag == last }
			mine := func(f failure) bool { return f.who == who }
			got := s.Attempt(who.Person, now, last, purser.WayMatch, s.at)
			// Events up to a bucket older may or may not count.
			least := count(all, s.at-purser.Day, mine) >= 20 || count(all, s.at-purser.Day, about) >= 5 || count(all, s.at-30*purser.Day, about) >= 10
			most := count(all, s.at-25*purser.Hour-purser.Minute, mine) >= 20 ||
				count(all, s.at-25*purser.Hour-purser.Minute, about) >= 5 ||
				count(all, s.at-30*purser.Day-30*purser.Hour-purser.Minute, about) >= 10
			if refused := got != purser.Allowed; (least && !refused) || (refused && !most) {
				t.Fatalf("got reason %d, want refused between %v and %v", got, least, most)
			}
			if got != purser.Allowed {
				continue
			}
			pos := s.apply(t, &purser.Attempt{Who: who, Way: purser.WayMatch, Tag: now, Last: last})
			switch rapid.IntRange(0, 3).Draw(t, "result") {
			case 0:
				s.apply(t, &purser.AttemptResult{Who: who, Attempt: pos, Way: purser.WayMatch, Tag: now, Customer: 1})
				continue
			case 1: // never a result
			default:
				s.apply(t, &purser.AttemptResult{Who: who, Attempt: pos, Way: purser.WayMatch, Tag: now, Reason: purser.Wrong})
			}
			all = append(all, failure{at: s.at, who: who, tag: now})
		}
	})
}

// Disclosures of persons of one vendor against lists: never over a ceiling in
// any window, never refused a bucket after it.
func TestDisclosuresAgainstList(t *testing.T) {
	type one struct {
		at  purser.Stamp
		who purser.Actor
	}
	rapid.Check(t, func(t *rapid.T) {
		s := &sheet{at: start}
		s.apply(t, &purser.SourceSet{Source: source, Vendor: actor(0).Vendor, Status: purser.StatusActive})
		hourly := uint32(rapid.IntRange(1, 10).Draw(t, "hour"))
		daily := uint32(rapid.IntRange(1, 30).Draw(t, "day"))
		s.apply(t, &purser.Configuration{What: purser.ConfigBudget, Which: purser.BudgetPersonHour, Value: hourly})
		s.apply(t, &purser.Configuration{What: purser.ConfigBudget, Vendor: actor(0).Vendor, Which: purser.BudgetPersonDay, Value: daily})
		var all []one
		var delivered []purser.Stamp
		for range rapid.IntRange(1, 150).Draw(t, "steps") {
			s.at += rapid.SampledFrom([]purser.Stamp{0, purser.Second, 3 * purser.Minute, 50 * purser.Minute, 9 * purser.Hour}).Draw(t, "wait")
			if rapid.Bool().Draw(t, "contact") {
				s.deliver(t, 1)
				delivered = append(delivered, s.at)
			}
			who := actor(byte(rapid.IntRange(1, 3).Draw(t, "who")))
			within := func(span purser.Stamp, mine bool) (n uint32) {
				for _, d := range all {
					if d.at > s.at-span && (!mine || d.who == who) {
						n++
					}
				}
				return n
			}
			contacts := func(span purser.Stamp) (n uint32) {
				for _, at := range delivered {
					if at > s.at-span {
						n++
					}
				}
				return n*130/100 + budget.VendorSlack
			}
			const hour, day = purser.Hour, purser.Day
			least := within(hour, true) >= hourly || within(day, true) >= daily || within(day, false) >= contacts(25*hour)
			most := within(65*purser.Minute, true) >= hourly || within(25*hour, true) >= daily || within(25*hour, false) >= contacts(day)
			got := s.disclose(t, who, false)
			if refused := got != purser.Allowed; (least && !refused) || (refused && !most) {
				t.Fatalf("got reason %d, want refused between %v and %v", got, least, most)
			}
			if got == purser.Allowed {
				all = append(all, one{s.at, who})
			}
		}
	})
}
