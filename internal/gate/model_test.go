package gate_test

import (
	"context"
	"testing"

	"pgregory.net/rapid"

	"purser"
	"purser/internal/gate"
	"purser/internal/synth"
)

// model says what must be, of random calls of eight agents in two vendors.
type model struct {
	*world
	t      *rapid.T
	agents []*synth.Member
	calls  []*call
	locks  map[purser.LockID]purser.Target
	known  []int // customers who can be identified
	failed map[int]int
}

type call struct {
	id      purser.ContactID
	agent   int // whom telephony gave it to
	claimed bool
	over    bool
	bound   int // index of the customer, or -1
	tries   int
}

func (m *model) draw(n int, label string) int { return rapid.IntRange(0, n-1).Draw(m.t, label) }

func (m *model) covered(i int) bool {
	for _, target := range m.locks {
		if target.Covers(m.agents[i].Who) {
			return true
		}
	}
	return false
}

func (m *model) step() {
	ctx := context.Background()
	if len(m.calls) == 0 {
		m.offer(ctx)
		return
	}
	c := m.calls[m.draw(len(m.calls), "call")]
	switch m.draw(12, "act") {
	case 0, 1:
		m.offer(ctx)
	case 2:
		m.claim(ctx, c, m.somebody(c))
	case 3, 4:
		m.identify(ctx, c, m.somebody(c))
	case 5:
		if err := m.HangUp(ctx, m.agents[c.agent], c.id); err != nil {
			m.t.Fatal(err)
		}
		c.over = true
	case 6:
		m.lock(ctx)
	case 7:
		m.lift(ctx)
	default:
		m.disclose(ctx, c, m.somebody(c))
	}
}

// somebody is mostly whom the call was given to.
func (m *model) somebody(c *call) int {
	if m.draw(4, "other") == 0 {
		return m.draw(len(m.agents), "agent")
	}
	return c.agent
}

func (m *model) offer(ctx context.Context) {
	agent := m.draw(len(m.agents), "agent")
	id, err := m.Offer(ctx, m.agents[agent], 0)
	if err != nil {
		m.t.Fatal(err)
	}
	m.calls = append(m.calls, &call{id: id, agent: agent, bound: -1})
}

func (m *model) claim(ctx context.Context, c *call, who int) {
	err := m.Claim(ctx, m.agents[who], c.id)
	want := who == c.agent && !c.claimed && !c.over
	if (err == nil) != want {
		m.t.Fatalf("claim by %d of %+v: got %v (reason %d), want allowed %v", who, *c, err, reason(err), want)
	}
	c.claimed = c.claimed || err == nil
}

func (m *model) identify(ctx context.Context, c *call, who int) {
	i := m.known[m.draw(len(m.known), "customer")]
	items := m.Items(i, "loyalty_number", "birth_date")
	right := m.draw(4, "right") > 0
	if !right {
		items[1] = m.Items(m.known[(m.draw(len(m.known)-1, "wrong")+1)%len(m.known)], "birth_date")[0]
		right = items[1] == m.Items(i, "birth_date")[0]
	}
	before := m.Log.Size()
	_, err := m.gate.Identify(ctx, gate.IdentifyAsk{Asker: m.agents[who].Asker(), Contact: c.id, Items: items})
	may := who == c.agent && c.claimed && !c.over && !m.covered(who)
	compared := may && c.tries < 3 && m.failed[i] < 5
	want := compared && right && (c.bound < 0 || c.bound == i)
	if (err == nil) != want {
		m.t.Fatalf("identify %d by %d in %+v, right %v: got %v (reason %d), want enough %v", i, who, *c, right, err, reason(err), want)
	}
	if made := m.Log.Size() - before; made != 2 {
		m.t.Fatalf("identify made %d entries, want 2", made)
	}
	if want {
		c.bound = i
		return
	}
	if compared {
		m.failed[i]++
	}
	if may {
		c.tries++
	}
}

func (m *model) disclose(ctx context.Context, c *call, who int) {
	got, err := m.gate.Disclose(ctx, gate.Ask{
		Asker: m.agents[who].Asker(), Contact: c.id, Path: purser.PathDesk, Fields: mask(m.t, m.world, "name"),
	})
	want := who == c.agent && c.claimed && !c.over && c.bound >= 0 && !m.covered(who)
	if (err == nil) != want {
		m.t.Fatalf("disclose to %d in %+v: got %v (reason %d), want allowed %v, locks %v", who, *c, err, reason(err), want, m.locks)
	}
	if covered := m.covered(who); err != nil && covered != (reason(err) == purser.Locked) && who == c.agent && c.claimed && !c.over && c.bound >= 0 {
		m.t.Fatalf("disclose to %d: got reason %d, covered by a lock: %v", who, reason(err), covered)
	}
	if want {
		f, _ := m.Records.Schema().Field("name")
		have := m.Customers[c.bound]
		if text := got.Values[f.Bit].Reveal(); text != have.GivenName+" "+have.FamilyName {
			m.t.Fatalf("disclose in %+v: got a name that is not of customer %d", *c, c.bound)
		}
	}
}

func (m *model) lock(ctx context.Context) {
	who := m.agents[m.draw(len(m.agents), "target")].Who
	target := []purser.Target{
		{Kind: purser.TargetSession, ID: who.Session},
		{Kind: purser.TargetPerson, ID: who.Person},
		{Kind: purser.TargetTeam, ID: who.Team},
		{Kind: purser.TargetVendor, ID: who.Vendor},
	}[m.draw(4, "kind")]
	id := purser.LockID(m.ID())
	if _, err := m.gate.PlaceLock(ctx, gate.LockAsk{
		Asker: m.Security[0].Asker(), Lock: id, Target: target, Degree: purser.DegreeLock, Paths: purser.PathAll,
	}); err != nil {
		// Security works for the first vendor: a lock on it stops nobody from placing another.
		m.t.Fatalf("place lock on %+v: %v (reason %d)", target, err, reason(err))
	}
	m.locks[id] = target
}

// lift lifts the lowest lock by two of security.
func (m *model) lift(ctx context.Context) {
	var id purser.LockID
	for have := range m.locks {
		if id.Zero() || have.String() < id.String() {
			id = have
		}
	}
	if id.Zero() {
		return
	}
	for n, s := range m.Security {
		if err := m.StepUp(ctx, s); err != nil {
			m.t.Fatal(err)
		}
		lifted, err := m.gate.LiftLock(ctx, s.Asker(), id, purser.CauseCleared)
		if err != nil || lifted != (n == 1) {
			m.t.Fatalf("vote %d to lift: got %v, %v (reason %d), want %v", n, lifted, err, reason(err), n == 1)
		}
	}
	delete(m.locks, id)
}

func run(t *testing.T, steps int) {
	w := newWorld(t, 60)
	var known []int
	for i := 0; len(known) < 6; i = known[len(known)-1] + 1 {
		known = append(known, w.whole(t, i, "loyalty_number", "birth_date"))
	}
	rapid.Check(t, func(rt *rapid.T) {
		m := &model{world: w, t: rt, locks: map[purser.LockID]purser.Target{}, known: known, failed: map[int]int{}}
		// A new world is slow to make; new people in the old one share nothing with others.
		if err := w.Renew(context.Background()); err != nil {
			rt.Fatal(err)
		}
		for _, v := range w.Vendors {
			m.agents = append(m.agents, v.Agents...)
		}
		for range steps {
			m.step()
		}
	})
}

// L4: only the session that holds a live contact which is bound discloses, and
// only of the customer who is bound. Seen to fail with Held replaced by
// Contact in desk, and with party taking any customer that is named.
func TestLaw04ContactFirst(t *testing.T) { run(t, 40) }

// L8: locks on sessions, persons, teams and vendors change the outcome of no
// ask that they do not cover. The model knows nothing else that a lock could
// change. Seen to fail with any lock taken for one on everybody.
func TestLaw08Selective(t *testing.T) { run(t, 60) }
