package keep_test

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"purser"
	"purser/internal/rule/keep"
)

const start = 1_767_225_600 * purser.Second // 2026-01-01

// voter is somebody who acts in a role, and the roles that he has.
type voter struct {
	Who       purser.Actor
	As, Roles purser.Role
}

// cast are people and the one role of each.
func cast() []voter {
	var all []voter
	for i, role := range []purser.Role{
		purser.RolePrivacy, purser.RoleSecurity, purser.RoleInvestigator, purser.RolePrivacy, purser.RoleAdmin, purser.RoleAgent,
	} {
		all = append(all, voter{Who: purser.Actor{Person: purser.PersonID{byte(i + 1)}}, As: role, Roles: role})
	}
	return all
}

const (
	privacy = iota
	security
	investigator
	otherPrivacy
	admin
	agent
)

func counts(purser.Actor, purser.Role) bool { return true }

// desk applies entries to a book, committed.
type desk struct {
	*keep.Book
	pos purser.Pos
	at  purser.Stamp
}

func newDesk() *desk { return &desk{Book: new(keep.Book), at: start} }

func (d *desk) apply(t interface{ Fatalf(string, ...any) }, e purser.Entry) {
	if err := d.Apply(purser.Header{Kind: e.Kind(), Pos: d.pos, Stamp: d.at}, e); err != nil {
		t.Fatalf("apply %T: %v", e, err)
	}
	d.pos++
	d.Commit()
}

func (d *desk) erase(t *testing.T, o purser.Ordinal, by voter) (bool, purser.Reason) {
	t.Helper()
	return d.eraseFor(t, o, purser.EraseRequest, by, counts)
}

func (d *desk) eraseFor(
	t interface{ Fatalf(string, ...any) }, o purser.Ordinal, cause purser.EraseCause, by voter, counts keep.Judge,
) (bool, purser.Reason) {
	e := &purser.Erase{Customer: o, By: by.Who, As: by.As, Cause: cause}
	done, until, why := d.Erase(e, by.Roles, counts, d.at)
	if done != (until == d.at+keep.BackupLife) {
		t.Fatalf("done %v, until %v", done, until)
	}
	e.Done, e.Until, e.Reason = done, until, why
	d.apply(t, e)
	return done, why
}

func (d *desk) hold(t *testing.T, id byte, by voter, customers ...purser.Ordinal) purser.Reason {
	t.Helper()
	e := &purser.HoldPlaced{
		Hold: purser.HoldID{id}, All: len(customers) == 0, Customers: customers, By: by.Who, As: by.As, Review: d.at + 90*purser.Day,
	}
	e.Reason = d.Place(e, by.Roles, d.at)
	d.apply(t, e)
	return e.Reason
}

func (d *desk) lift(t *testing.T, id byte, by voter, counts keep.Judge) (bool, purser.Reason) {
	t.Helper()
	e := &purser.HoldLift{Hold: purser.HoldID{id}, By: by.Who, As: by.As}
	lifted, why := d.Lift(e, by.Roles, counts, d.at)
	e.Lifted, e.Reason = lifted, why
	d.apply(t, e)
	return lifted, why
}

func TestErasingTakesPrivacyAndAnotherRole(t *testing.T) {
	who := cast()
	both := who[privacy]
	both.As, both.Roles = purser.RoleSecurity, purser.RolePrivacy|purser.RoleSecurity
	notHis := who[privacy]
	notHis.As = purser.RoleSecurity
	for name, c := range map[string]struct {
		votes []voter
		last  purser.Reason
		done  bool
	}{
		"privacy alone":                     {[]voter{who[privacy]}, purser.Allowed, false},
		"privacy and security":              {[]voter{who[privacy], who[security]}, purser.Allowed, true},
		"security and privacy":              {[]voter{who[security], who[privacy]}, purser.Allowed, true},
		"privacy and investigation":         {[]voter{who[privacy], who[investigator]}, purser.Allowed, true},
		"an admin":                          {[]voter{who[privacy], who[admin]}, purser.NoRole, false},
		"one human in two roles":            {[]voter{who[privacy], both}, purser.SameHuman, false},
		"two of privacy":                    {[]voter{who[privacy], who[otherPrivacy]}, purser.SameHuman, false},
		"two, none of privacy":              {[]voter{who[security], who[investigator]}, purser.Allowed, false},
		"two, none of privacy, then it":     {[]voter{who[security], who[investigator], who[privacy]}, purser.Allowed, true},
		"an agent":                          {[]voter{who[privacy], who[agent]}, purser.NoRole, false},
		"a role that he does not hold":      {[]voter{who[security], notHis}, purser.NoRole, false},
		"privacy, then once more the other": {[]voter{who[privacy], who[security], who[privacy]}, purser.Unknown, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk()
			var done bool
			var why purser.Reason
			for _, by := range c.votes {
				done, why = d.erase(t, 7, by)
			}
			if done != c.done || why != c.last {
				t.Errorf("got done %v for reason %d, want %v and %d", done, why, c.done, c.last)
			}
			if _, gone := d.Erased(7); gone != (c.done || c.last == purser.Unknown) {
				t.Errorf("gone %v", gone)
			}
		})
	}
}

func TestAFirstVoteIsJudgedAgain(t *testing.T) {
	who := cast()
	t.Run("to erase, when it no longer counts", func(t *testing.T) {
		d := newDesk()
		d.erase(t, 7, who[privacy])
		if done, why := d.eraseFor(t, 7, purser.EraseRequest, who[security], func(v purser.Actor, _ purser.Role) bool { return v != who[privacy].Who }); done || why != purser.Allowed {
			t.Fatalf("got done %v for reason %d, want a first vote", done, why)
		}
		if done, _ := d.erase(t, 7, who[otherPrivacy]); !done {
			t.Fatal("a vote in place of one that does not count is no vote")
		}
	})
	t.Run("to erase, when it is too old", func(t *testing.T) {
		d := newDesk()
		d.erase(t, 7, who[privacy])
		d.at += keep.VoteLife
		if done, _ := d.erase(t, 7, who[security]); done {
			t.Fatal("a vote of last week erased")
		}
	})
	t.Run("to erase, for another cause", func(t *testing.T) {
		d := newDesk()
		d.erase(t, 7, who[privacy])
		if done, _ := d.eraseFor(t, 7, purser.EraseOrder, who[security], counts); done {
			t.Fatal("two votes for different causes erased")
		}
	})
	t.Run("to lift", func(t *testing.T) {
		d := newDesk()
		d.hold(t, 1, who[security], 7)
		d.lift(t, 1, who[privacy], counts)
		if lifted, _ := d.lift(t, 1, who[security], func(purser.Actor, purser.Role) bool { return false }); lifted {
			t.Fatal("a vote that does not count lifted")
		}
		if !d.Held(7) {
			t.Fatal("not held")
		}
	})
}

func TestAHoldStandsUntilTwoLiftIt(t *testing.T) {
	who := cast()
	d := newDesk()
	if why := d.hold(t, 1, who[agent], 7); why != purser.NoRole {
		t.Fatalf("an agent holds: got reason %d", why)
	}
	d.erase(t, 7, who[privacy])
	d.hold(t, 1, who[investigator], 6, 7)
	d.hold(t, 2, who[security], 7)
	if _, why := d.erase(t, 7, who[security]); why != purser.CustomerHeld {
		t.Fatalf("erase of a held customer: got reason %d", why)
	}
	if got := d.Free([]purser.Ordinal{5, 6, 7, 8}); len(got) != 2 || got[0] != 5 || got[1] != 8 {
		t.Fatalf("free: got %v, want 5 and 8", got)
	}
	for _, id := range []byte{1, 2} {
		if lifted, why := d.lift(t, id, who[privacy], counts); lifted || why != purser.Allowed {
			t.Fatalf("first vote: got %v for reason %d", lifted, why)
		}
		if lifted, why := d.lift(t, id, who[otherPrivacy], counts); lifted || why != purser.SameHuman {
			t.Fatalf("second of the same role: got %v for reason %d", lifted, why)
		}
		if !d.Held(7) {
			t.Fatal("free after one vote")
		}
		if lifted, _ := d.lift(t, id, who[investigator], counts); !lifted {
			t.Fatal("not lifted by two")
		}
	}
	if d.Held(7) || d.AnyHold() {
		t.Fatal("held after both holds were lifted")
	}
	if _, why := d.lift(t, 2, who[security], counts); why != purser.HoldUnknown {
		t.Fatalf("lifted twice: got reason %d", why)
	}
	d.hold(t, 3, who[privacy])
	if !d.Held(7) || !d.Held(99) {
		t.Fatal("a hold on everybody does not hold everybody")
	}
	if _, why := d.EraseByRule(8, d.at); why != purser.CustomerHeld {
		t.Fatalf("a rule erases a held customer: got reason %d", why)
	}
}

func TestHoldsHaveBounds(t *testing.T) {
	who := cast()
	d := newDesk()
	ask := func(change func(*purser.HoldPlaced)) purser.Reason {
		e := &purser.HoldPlaced{
			Hold: purser.HoldID{200}, Customers: []purser.Ordinal{7}, Review: d.at + purser.Day,
			By: who[security].Who, As: purser.RoleSecurity,
		}
		change(e)
		return d.Place(e, who[security].Roles, d.at)
	}
	d.hold(t, 1, who[security], 7)
	for name, c := range map[string]struct {
		change func(*purser.HoldPlaced)
		want   purser.Reason
	}{
		"as it should be":      {func(*purser.HoldPlaced) {}, purser.Allowed},
		"an id that is taken":  {func(e *purser.HoldPlaced) { e.Hold = purser.HoldID{1} }, purser.HoldUnknown},
		"nobody":               {func(e *purser.HoldPlaced) { e.Customers = nil }, purser.TargetUnknown},
		"everybody and some":   {func(e *purser.HoldPlaced) { e.All = true }, purser.TargetUnknown},
		"too many":             {func(e *purser.HoldPlaced) { e.Customers = make([]purser.Ordinal, 4097) }, purser.CeilingExceeded},
		"no review":            {func(e *purser.HoldPlaced) { e.Review = 0 }, purser.CeilingExceeded},
		"review in two years":  {func(e *purser.HoldPlaced) { e.Review = d.at + 2*400*purser.Day }, purser.CeilingExceeded},
		"without an id at all": {func(e *purser.HoldPlaced) { e.Hold = purser.HoldID{} }, purser.HoldUnknown},
	} {
		if got := ask(c.change); got != c.want {
			t.Errorf("%s: got reason %d, want %d", name, got, c.want)
		}
	}
	for id := byte(2); id <= keep.MostHolds; id++ {
		d.hold(t, id, who[security], 7)
	}
	if got := ask(func(*purser.HoldPlaced) {}); got != purser.CeilingExceeded {
		t.Errorf("one more than a person may have: got reason %d", got)
	}
}

func TestWhatCannotFollowIsRefused(t *testing.T) {
	who := cast()
	for name, e := range map[string]purser.Entry{
		"done without a vote":    &purser.Erase{Customer: 5, By: who[privacy].Who, As: purser.RolePrivacy, Cause: purser.EraseRequest, Done: true},
		"done by the same human": &purser.Erase{Customer: 9, By: who[privacy].Who, As: purser.RoleSecurity, Cause: purser.EraseRequest, Done: true},
		"of a held customer":     &purser.Erase{Customer: 7, Cause: purser.EraseRetention, Done: true},
		"of one who is gone":     &purser.Erase{Customer: 8, Cause: purser.EraseRetention, Done: true},
		"expiry under a hold":    &purser.Expired{Customers: []purser.Ordinal{6, 7}},
		"a hold twice":           &purser.HoldPlaced{Hold: purser.HoldID{1}},
		"a lift of none":         &purser.HoldLift{Hold: purser.HoldID{2}},
		"a lift by one":          &purser.HoldLift{Hold: purser.HoldID{1}, By: who[privacy].Who, As: purser.RolePrivacy, Lifted: true},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk()
			d.erase(t, 9, who[privacy])
			d.apply(t, &purser.Erase{Customer: 8, Cause: purser.EraseRetention, Done: true})
			d.hold(t, 1, who[security], 7)
			if err := d.Apply(purser.Header{Kind: e.Kind(), Pos: d.pos, Stamp: d.at}, e); err == nil {
				t.Error("got no error")
			}
		})
	}
}

// In whatever order channels are amended, time passes, batches are discarded
// and snapshots restored, a channel is fresh for 72 hours from its last
// committed change and not a microsecond less.
//
// Seen to fail with Sweep dropping changes a day too early, and with a change
// of a channel that was fresh already left out.
func TestLaw02AChannelIsFreshFor72Hours(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := newDesk()
		changed := map[[2]int]purser.Stamp{}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			d.at += rapid.SampledFrom([]purser.Stamp{0, 1, purser.Minute, 5 * purser.Hour, 30 * purser.Hour, 71 * purser.Hour}).Draw(t, "wait")
			if rapid.Bool().Draw(t, "sweep") {
				d.Sweep(d.at)
				d.Commit()
			}
			customer, bit := rapid.IntRange(1, 3).Draw(t, "customer"), rapid.SampledFrom([]int{3, 5}).Draw(t, "bit")
			e := &purser.Amend{Customer: purser.Ordinal(customer), Channels: purser.Mask(purser.Field(bit))}
			if e.Fields = e.Channels; rapid.IntRange(0, 9).Draw(t, "refused") == 0 {
				e.Reason = purser.Policy
			}
			if err := d.Apply(purser.Header{Kind: e.Kind(), Pos: d.pos, Stamp: d.at}, e); err != nil {
				t.Fatalf("apply: %v", err)
			}
			switch rapid.IntRange(0, 5).Draw(t, "then") {
			case 0:
				d.Discard()
			case 1:
				d.Commit()
				d.Book = restored(t, d.Book)
				fallthrough
			default:
				d.Commit()
				if d.pos++; e.Reason == purser.Allowed {
					changed[[2]int{customer, bit}] = d.at
				}
			}
			for customer := 1; customer <= 3; customer++ {
				for _, bit := range []int{3, 5} {
					last, ever := changed[[2]int{customer, bit}]
					got := d.ChannelFrom(purser.Ordinal(customer), purser.Field(bit))
					if fresh := ever && d.at < last+72*purser.Hour; (d.at < got) != fresh || (fresh && got != last+72*purser.Hour) {
						t.Fatalf("channel %d of %d, changed at %v: at %v got from %v", bit, customer, last, d.at, got)
					}
				}
			}
		}
	})
}

func restored(t interface{ Fatalf(string, ...any) }, b *keep.Book) *keep.Book {
	first := purser.NewEncoder(nil)
	b.Code(first)
	again, c := new(keep.Book), purser.NewDecoder(first.Bytes())
	again.Code(c)
	if err := c.End(); err != nil {
		t.Fatalf("restore: %v", err)
	}
	second := purser.NewEncoder(nil)
	if again.Code(second); !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Fatalf("a second encoding differs")
	}
	return again
}

// Whatever is voted, held and lifted by whomever, nobody is erased under a
// hold, or by fewer than two humans in two roles of which one is privacy.
//
// Seen to fail with the roles of the two not compared.
func TestErasureModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, who := newDesk(), cast()
		held := map[byte][]purser.Ordinal{}
		votes := map[purser.Ordinal]map[purser.PersonID]purser.Role{}
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			by := who[rapid.IntRange(0, len(who)-1).Draw(t, "who")]
			o, id := purser.Ordinal(rapid.IntRange(1, 3).Draw(t, "customer")), byte(rapid.IntRange(1, 3).Draw(t, "hold"))
			switch rapid.IntRange(0, 4).Draw(t, "act") {
			case 0:
				e := &purser.HoldPlaced{Hold: purser.HoldID{id}, Customers: []purser.Ordinal{o}, By: by.Who, As: by.As, Review: d.at + purser.Day}
				if e.Reason = d.Place(e, by.Roles, d.at); e.Reason == purser.Allowed {
					held[id] = e.Customers
				}
				d.apply(t, e)
			case 1:
				e := &purser.HoldLift{Hold: purser.HoldID{id}, By: by.Who, As: by.As}
				e.Lifted, e.Reason = d.Lift(e, by.Roles, counts, d.at)
				d.apply(t, e)
				if e.Lifted {
					delete(held, id)
				}
			default:
				done, why := d.eraseFor(t, o, purser.EraseRequest, by, counts)
				if why == purser.Allowed && !done {
					if votes[o] == nil {
						votes[o] = map[purser.PersonID]purser.Role{}
					}
					votes[o][by.Who.Person] = by.As
				}
				if !done {
					continue
				}
				for _, customers := range held {
					if customers[0] == o {
						t.Fatalf("customer %d was erased under a hold", o)
					}
				}
				another := false
				for person, as := range votes[o] {
					another = another || (person != by.Who.Person && as != by.As && (as | by.As).Has(purser.RolePrivacy))
				}
				if !another {
					t.Fatalf("customer %d was erased by %v after %v", o, by.As.Names(), votes[o])
				}
			}
			d.Book = restored(t, d.Book)
		}
	})
}
