package contain_test

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"purser"
	"purser/internal/rule/contain"
)

// everybody is a small world in which actors share teams and vendors.
func everybody() []purser.Actor {
	var all []purser.Actor
	for i := range byte(12) {
		all = append(all, purser.Actor{
			Session: purser.SessionID{1, i}, Person: purser.PersonID{2, i / 2},
			Team: purser.TeamID{3, i / 4}, Vendor: purser.VendorID{4, i / 6},
		})
	}
	all[11].Team = purser.TeamID{}
	return all
}

func drawTarget(t *rapid.T) purser.Target {
	a := rapid.SampledFrom(everybody()).Draw(t, "whom")
	kind := purser.TargetKind(rapid.IntRange(int(purser.TargetSession), int(purser.TargetSource)).Draw(t, "kind"))
	switch kind {
	case purser.TargetSession:
		return purser.Target{Kind: kind, ID: a.Session}
	case purser.TargetPerson:
		return purser.Target{Kind: kind, ID: a.Person}
	case purser.TargetTeam:
		return purser.Target{Kind: kind, ID: a.Team}
	case purser.TargetVendor:
		return purser.Target{Kind: kind, ID: a.Vendor}
	case purser.TargetAll, purser.TargetSource:
	}
	return purser.Target{Kind: kind, ID: [16]byte{}}
}

// world is a board beside the plainest model of it: a list of locks.
type world struct {
	board   contain.Board
	pos     purser.Pos
	at      purser.Stamp
	locks   map[purser.LockID]*purser.LockPlaced
	placed  map[purser.LockID]purser.Stamp
	stepped map[purser.SessionID]purser.Stamp
}

func newWorld() *world {
	return &world{
		locks:   map[purser.LockID]*purser.LockPlaced{},
		placed:  map[purser.LockID]purser.Stamp{},
		stepped: map[purser.SessionID]purser.Stamp{},
	}
}

func (w *world) apply(t *rapid.T, e purser.Entry) {
	if err := w.board.Apply(purser.Header{Kind: e.Kind(), Pos: w.pos, Stamp: w.at}, e); err != nil {
		t.Fatalf("apply %T: %v", e, err)
	}
	w.pos++
	w.board.Commit()
}

func (w *world) place(t *rapid.T) {
	e := &purser.LockPlaced{
		Lock: purser.LockID{9, byte(w.pos), byte(w.pos >> 8)}, Target: drawTarget(t),
		Degree: purser.Degree(rapid.IntRange(1, 2).Draw(t, "degree")),
		Paths:  purser.Path(rapid.IntRange(0, 255).Draw(t, "paths")),
	}
	if rapid.Bool().Draw(t, "expires") {
		e.Expires = w.at + purser.Stamp(rapid.IntRange(0, 50).Draw(t, "after"))
	}
	security := contain.Asker{Who: purser.Actor{Person: purser.PersonID{8}}, Roles: purser.RoleSecurity}
	e.Reason = w.board.Place(e, security, purser.Actor{Vendor: purser.VendorID{1}}, w.at)
	w.apply(t, e)
	if e.Reason == purser.Allowed {
		w.locks[e.Lock], w.placed[e.Lock] = e, w.at
	}
}

func (w *world) lift(t *rapid.T) {
	if len(w.locks) == 0 {
		return
	}
	ids := slices.SortedFunc(maps.Keys(w.locks), func(a, b purser.LockID) int { return bytes.Compare(a[:], b[:]) })
	id := rapid.SampledFrom(ids).Draw(t, "lock")
	w.apply(t, &purser.LockLift{Lock: id, Lifted: true})
	delete(w.locks, id)
}

// covered says what Covers should, by looking at every lock.
func (w *world) covered(a purser.Actor, p purser.Path) (purser.Degree, bool) {
	var hardest purser.Degree
	for id, l := range w.locks {
		if !l.Target.Covers(a) || l.Paths&p == 0 || (l.Expires != 0 && l.Expires <= w.at) {
			continue
		}
		if l.Degree == purser.DegreeStepUp && w.stepped[a.Session] > w.placed[id] {
			continue
		}
		hardest = max(hardest, l.Degree)
	}
	return hardest, hardest != 0
}

// acts are the interleavings that both laws are tried over.
func (w *world) acts() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"place": w.place,
		"lift":  w.lift,
		"wait":  func(t *rapid.T) { w.at += purser.Stamp(rapid.IntRange(1, 20).Draw(t, "by")) },
		"sweep": func(t *rapid.T) {
			w.board.Sweep(w.at)
			w.board.Commit()
			maps.DeleteFunc(w.locks, func(_ purser.LockID, l *purser.LockPlaced) bool {
				return l.Expires != 0 && l.Expires <= w.at
			})
		},
		"step up": func(t *rapid.T) {
			w.stepped[rapid.SampledFrom(everybody()).Draw(t, "who").Session] = w.at
		},
		"restart": func(t *rapid.T) {
			c := purser.NewEncoder(nil)
			w.board.Code(c)
			w.board = contain.Board{}
			d := purser.NewDecoder(c.Bytes())
			w.board.Code(d)
			if err := d.End(); err != nil {
				t.Fatalf("restore: %v", err)
			}
		},
	}
}

// From the position of a lock on, whoever is inside its target is covered on
// its paths, until it expires, is lifted, or he steps up from a step-up lock.
//
// Seen to fail when Covers left out the locks of teams, when a step-up at the
// lock's own stamp did not count as before it, and when a lock without an end
// was taken for expired.
func TestLaw03LocksAreTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		acts := w.acts()
		acts[""] = func(t *rapid.T) {
			for _, a := range everybody() {
				for _, p := range []purser.Path{purser.PathDesk, purser.PathExport} {
					id, got, covered := w.board.Covers(a, p, w.stepped[a.Session], w.at)
					want, should := w.covered(a, p)
					if got != want || covered != should {
						t.Fatalf("got degree %d (%v), want %d (%v) for %v", got, covered, want, should, a.Session)
					}
					if _, stands := w.locks[id]; covered && !stands {
						t.Fatal("covered by a lock that does not stand")
					}
				}
			}
		}
		t.Repeat(acts)
	})
}

// Whoever is in no target is covered by nothing, whatever locks stand: his
// answer is the one of a board without locks.
//
// Seen to fail when a session's locks were looked up under its neighbour, and
// when identifiers were compared by their first byte alone.
func TestLaw08Selective(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		acts := w.acts()
		acts[""] = func(t *rapid.T) {
			for _, a := range everybody() {
				inside := false
				for _, l := range w.locks {
					inside = inside || l.Target.Covers(a)
				}
				_, _, covered := w.board.Covers(a, purser.PathAll, w.stepped[a.Session], w.at)
				if !inside && (covered || w.board.Named(a, w.stepped[a.Session], w.at)) {
					t.Fatalf("covered without being in a target: %v", a.Session)
				}
			}
		}
		t.Repeat(acts)
	})
}

func TestWhoMayPlace(t *testing.T) {
	all := everybody()
	agent, mate, other, far := all[0], all[2], all[4], all[10]
	lead := contain.Asker{Who: mate, Roles: purser.RoleLead}
	for name, c := range map[string]struct {
		by     contain.Asker
		target purser.Target
		of     purser.Actor
		want   purser.Reason
	}{
		"himself":              {contain.Asker{Who: agent}, purser.Target{Kind: purser.TargetPerson, ID: agent.Person}, agent, purser.Allowed},
		"own session":          {contain.Asker{Who: agent}, purser.Target{Kind: purser.TargetSession, ID: agent.Session}, agent, purser.Allowed},
		"a mate":               {contain.Asker{Who: agent}, purser.Target{Kind: purser.TargetPerson, ID: mate.Person}, mate, purser.NoRole},
		"own team, no lead":    {contain.Asker{Who: agent}, purser.Target{Kind: purser.TargetTeam, ID: agent.Team}, purser.Actor{Team: agent.Team, Vendor: agent.Vendor}, purser.NoRole},
		"lead, own person":     {lead, purser.Target{Kind: purser.TargetPerson, ID: agent.Person}, agent, purser.Allowed},
		"lead, own team":       {lead, purser.Target{Kind: purser.TargetTeam, ID: agent.Team}, purser.Actor{Team: agent.Team, Vendor: agent.Vendor}, purser.Allowed},
		"lead, other team":     {lead, purser.Target{Kind: purser.TargetPerson, ID: other.Person}, other, purser.NoRole},
		"lead, own vendor":     {lead, purser.Target{Kind: purser.TargetVendor, ID: agent.Vendor}, purser.Actor{Vendor: agent.Vendor}, purser.NoRole},
		"lead, all":            {lead, purser.Target{Kind: purser.TargetAll}, purser.Actor{}, purser.NoRole},
		"security, all":        {contain.Asker{Who: far, Roles: purser.RoleSecurity}, purser.Target{Kind: purser.TargetAll}, purser.Actor{}, purser.Allowed},
		"security, other":      {contain.Asker{Who: far, Roles: purser.RoleSecurity}, purser.Target{Kind: purser.TargetPerson, ID: agent.Person}, agent, purser.Allowed},
		"security, nobody":     {contain.Asker{Who: far, Roles: purser.RoleSecurity}, purser.Target{Kind: purser.TargetPerson, ID: [16]byte{99}}, purser.Actor{}, purser.TargetUnknown},
		"security, no target":  {contain.Asker{Who: far, Roles: purser.RoleSecurity}, purser.Target{Kind: purser.TargetSession}, agent, purser.TargetUnknown},
		"security, kind zero":  {contain.Asker{Who: far, Roles: purser.RoleSecurity}, purser.Target{ID: agent.Session}, agent, purser.TargetUnknown},
		"security, the source": {contain.Asker{Who: far, Roles: purser.RoleSecurity}, purser.Target{Kind: purser.TargetSource, ID: [16]byte{7}}, purser.Actor{}, purser.Allowed},
	} {
		t.Run(name, func(t *testing.T) {
			var b contain.Board
			e := &purser.LockPlaced{Lock: purser.LockID{1}, Target: c.target, Degree: purser.DegreeLock, Paths: purser.PathAll}
			if got := b.Place(e, c.by, c.of, 10); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

func TestWhoMayLift(t *testing.T) {
	all := everybody()
	agent, mate, other, far := all[0], all[2], all[4], all[10]
	lead, security, second := contain.Asker{Who: mate, Roles: purser.RoleLead},
		contain.Asker{Who: far, Roles: purser.RoleSecurity}, contain.Asker{Who: other, Roles: purser.RoleSecurity}
	self := contain.Asker{Who: agent, Roles: purser.RoleSecurity}
	otherLead := lead
	otherLead.Who.Person = purser.PersonID{2, 99}
	type vote struct {
		by     contain.Asker
		lifted bool
		why    purser.Reason
	}
	for name, c := range map[string]struct {
		gone  purser.PersonID // who has lost every role by the second vote
		votes []vote
	}{
		"two of security":          {votes: []vote{{security, false, 0}, {second, true, 0}}},
		"lead, then security":      {votes: []vote{{lead, false, 0}, {security, true, 0}}},
		"security, then lead":      {votes: []vote{{security, false, 0}, {lead, true, 0}}},
		"one human twice":          {votes: []vote{{security, false, 0}, {security, false, purser.SameHuman}}},
		"two leads":                {votes: []vote{{lead, false, 0}, {otherLead, false, purser.NoRole}}},
		"lead of another team":     {votes: []vote{{contain.Asker{Who: other, Roles: purser.RoleLead}, false, purser.NoRole}}},
		"no role":                  {votes: []vote{{contain.Asker{Who: other}, false, purser.NoRole}}},
		"the one who is stopped":   {votes: []vote{{self, false, purser.SameHuman}}},
		"first voter lost his job": {gone: far.Person, votes: []vote{{security, false, 0}, {second, false, 0}}},
	} {
		t.Run(name, func(t *testing.T) {
			var b contain.Board
			lock := &purser.LockPlaced{
				Lock: purser.LockID{1}, Degree: purser.DegreeLock, Paths: purser.PathAll,
				Target: purser.Target{Kind: purser.TargetSession, ID: agent.Session},
			}
			if err := b.Apply(purser.Header{}, lock); err != nil {
				t.Fatal(err)
			}
			roles := map[purser.PersonID]purser.Role{}
			for _, v := range c.votes {
				lifted, why := b.Lift(lock.Lock, v.by, agent, func(p purser.PersonID) purser.Role { return roles[p] }, 10)
				if lifted != v.lifted || why != v.why {
					t.Fatalf("got %v %d, want %v %d", lifted, why, v.lifted, v.why)
				}
				if err := b.Apply(purser.Header{}, &purser.LockLift{Lock: lock.Lock, By: v.by.Who, Lifted: lifted, Reason: why}); err != nil {
					t.Fatal(err)
				}
				if v.by.Who.Person != c.gone {
					roles[v.by.Who.Person] = v.by.Roles
				}
			}
			_, _, covered := b.Covers(agent, purser.PathDesk, 0, 10)
			if want := !c.votes[len(c.votes)-1].lifted; covered != want {
				t.Errorf("covered after the votes: got %v, want %v", covered, want)
			}
		})
	}
}

func TestLocksOnOneTargetAreCapped(t *testing.T) {
	var b contain.Board
	agent := everybody()[0]
	self := contain.Asker{Who: agent}
	for i := range byte(contain.MostLocks + 1) {
		e := &purser.LockPlaced{
			Lock: purser.LockID{1, i}, Degree: purser.DegreeLock, Paths: purser.PathAll,
			Target: purser.Target{Kind: purser.TargetPerson, ID: agent.Person}, By: agent,
		}
		e.Reason = b.Place(e, self, agent, 1)
		if want := i >= contain.MostLocks; (e.Reason == purser.CeilingExceeded) != want {
			t.Fatalf("lock %d: got reason %d, want refused %v", i, e.Reason, want)
		}
		if err := b.Apply(purser.Header{}, e); err != nil {
			t.Fatal(err)
		}
	}
}

// Nobody gets out of reach by being first, nor by filling up the places for
// locks on himself; and what one person of security places does not pile up.
//
// Seen to fail with Named in place of Silenced, and with one cap for everybody
// but security.
func TestNobodyGetsOutOfReach(t *testing.T) {
	all := everybody()
	x, y := contain.Asker{Who: all[4], Roles: purser.RoleSecurity}, contain.Asker{Who: all[10], Roles: purser.RoleSecurity}
	agent, lead := all[0], contain.Asker{Who: all[2], Roles: purser.RoleLead}
	var b contain.Board
	locks := byte(0)
	place := func(target purser.Target, by contain.Asker, of purser.Actor, degree purser.Degree) purser.Reason {
		t.Helper()
		locks++
		e := &purser.LockPlaced{Lock: purser.LockID{locks}, Target: target, Degree: degree, Paths: purser.PathAll, By: by.Who}
		if e.Reason = b.Place(e, by, of, 1); e.Reason == purser.Allowed {
			if err := b.Apply(purser.Header{Kind: e.Kind(), Stamp: 1}, e); err != nil {
				t.Fatal(err)
			}
		}
		return e.Reason
	}
	person := func(who purser.Actor) purser.Target { return purser.Target{Kind: purser.TargetPerson, ID: who.Person} }
	placed := 0
	for range 100 {
		if place(person(y.Who), x, y.Who, purser.DegreeLock) == purser.Allowed {
			placed++
		}
	}
	if placed != contain.MostLocks {
		t.Errorf("security placed %d locks on one person, want %d", placed, contain.MostLocks)
	}
	if why := place(person(x.Who), y, x.Who, purser.DegreeLock); why != purser.Allowed {
		t.Errorf("the one who was locked first locks back: got %d", why)
	}
	for range contain.MostLocks {
		place(person(agent), contain.Asker{Who: agent}, agent, purser.DegreeStepUp)
	}
	if why := place(person(agent), lead, agent, purser.DegreeLock); why != purser.Allowed {
		t.Errorf("a lead's lock on who locked himself: got %d", why)
	}
}
