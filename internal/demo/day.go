package demo

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"purser"
	"purser/internal/synth"
)

// The day. Its end is as far from the wall clock as it takes for the last
// calls to end; what is left over is caught up at once.
const (
	dayLength  = 6 * time.Hour
	margin     = 20 * time.Minute
	theftAt    = dayLength / 2
	lunch      = 40 * time.Minute
	mostCalls  = 30 // an agent and day
	weakPrefer = 13 // weak contacts after which an agent asks for a code
)

// plan is one call as the seed has it. What becomes of it is decided in the
// call.
type plan struct {
	number   int
	at       time.Duration // since the day began
	customer int
	dice     *dice

	attested bool // the caller's number is on file and the carrier vouches for it
	slip     bool // an item is mistyped first
	miss     bool // the item that finds the customer is mistyped first
	code     bool
	keypad   bool
	strong   bool // the agent needs a field that takes more than knowledge
	hold     bool
	consult  bool
	transfer bool
	glass    bool // the caller cannot be verified
}

// plans makes the calls of an agent. Whoever is robbed is at lunch then.
func (a *airline) plans(agent int) []plan {
	calls := min(mostCalls, a.config.Customers*6/10/(2*agentsEach))
	slot := dayLength / time.Duration(calls)
	from := theftAt - 10*time.Minute
	if agent != robbed {
		from = dayLength/3 + time.Duration(agent)*4*time.Minute
	}
	var out []plan
	for i := range calls {
		number := i*2*agentsEach + agent
		d := newDice(a.config.Seed, streamCall, uint64(number))
		p := plan{number: number, dice: d, at: time.Duration(i)*slot + d.seconds(0, int(slot/time.Second)*2/3)}
		if p.at > from-10*time.Minute && p.at < from+lunch {
			continue
		}
		p.customer = a.caller(number)
		p.attested = d.chance(60)
		p.slip, p.miss = d.chance(8), d.chance(7)
		p.strong, p.code, p.keypad = d.chance(30), d.chance(14), d.chance(5)
		p.hold, p.consult, p.transfer = d.chance(8), d.chance(4), d.chance(5)
		out = append(out, p)
	}
	if agent == glassAgent && len(out) > 0 {
		out[len(out)/3] = broken(out[len(out)/3])
	}
	return out
}

// The agents with a part of their own.
const (
	robbed     = agentsEach + 7 // of the second vendor
	glassAgent = 4
)

// broken makes a plan one in which only break-glass helps.
func broken(p plan) plan {
	return plan{number: p.number, at: p.at, customer: p.customer, dice: p.dice, glass: true}
}

// caller is who makes call number: everybody once before anybody twice, and
// only customers who can say two things about themselves.
func (a *airline) caller(number int) int {
	const stride = 7919
	n := a.config.Customers
	for i := range n {
		c := (number*stride + int(a.config.Seed%uint64(n)) + i) % n
		if who := a.customers.At(c); len(items(&who)) >= 2 {
			return c
		}
	}
	return 0
}

// item is one thing that a caller says.
type item struct {
	Kind string `json:"kind"`
	Said string `json:"said"`
}

// items are what a customer would say: something that finds the record, and
// something that is printed on no boarding pass.
func items(c *synth.Customer) []item {
	var out []item
	if c.LoyaltyNumber != "" {
		out = append(out, item{"loyalty_number", c.LoyaltyNumber})
	} else if c.Email != "" {
		out = append(out, item{"email", c.Email})
	} else {
		return nil
	}
	if c.BirthDate != "" {
		out = append(out, item{"birth_date", c.BirthDate})
	}
	if c.Postcode != "" && len(out) < 2 {
		out = append(out, item{"postcode", c.Postcode})
	}
	return out
}

// shift is the day while it is worked.
type shift struct {
	*airline
	tally *tally
	began time.Time

	mu    sync.Mutex
	live  map[purser.ContactID]*person // guarded by mu: who is on which contact
	sends map[int]int                  // guarded by mu: codes sent, by customer
	fails map[int]int                  // guarded by mu: failed tries, by customer
}

// work plays the whole day and returns when the last call is over.
func (s *shift) work(ctx context.Context) error {
	var working sync.WaitGroup
	var agents []*person
	for _, v := range s.vendors {
		agents = append(agents, v.agents...)
	}
	for i, p := range agents {
		w := s.pace.worker()
		working.Go(func() {
			defer w.leave()
			s.agent(ctx, w, p, s.plans(i))
		})
	}
	w := s.pace.worker()
	working.Go(func() {
		defer w.leave()
		if w.until(ctx, s.began.Add(theftAt)) == nil {
			if err := s.theft(ctx, w, agents[robbed]); err != nil && ctx.Err() == nil {
				s.fault(fmt.Errorf("the theft: %w", err))
			}
		}
	})
	working.Wait()
	return ctx.Err()
}

// agent answers one call after another.
func (s *shift) agent(ctx context.Context, w *worker, p *person, plans []plan) {
	weak, robbedOnce := 0, false
	for _, call := range plans {
		if w.until(ctx, s.began.Add(call.at)) != nil {
			return
		}
		if s.tally.stolen() == p && !robbedOnce {
			robbedOnce = true
			w.touch()
			if err := p.login(ctx); err != nil {
				s.fault(fmt.Errorf("the robbed agent logs in again: %w", err))
				return
			}
			s.tally.mark(s.clock.Now(), "%s is back from lunch, logs in with the passkey, and goes on", p.Name)
		}
		c := &conversation{who: s.customers.At(call.customer), shift: s, worker: w, plan: call, agent: p, holder: p, weak: &weak}
		if err := c.run(ctx); err != nil && ctx.Err() == nil {
			s.fault(fmt.Errorf("call %d: %w", call.number, err))
		}
	}
}

func (s *shift) enter(c purser.ContactID, p *person) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live[c] = p
	s.tally.set(func(t *tally) { t.live = len(s.live) })
}

func (s *shift) exit(c purser.ContactID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.live, c)
	s.tally.set(func(t *tally) { t.live = len(s.live) })
}

// others returns contacts that other people are on now.
func (s *shift) others(p *person) []purser.ContactID {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []purser.ContactID
	for c, who := range s.live {
		if who != p {
			out = append(out, c)
		}
	}
	return out
}

// mayFail and maySend keep chance from making a customer fail or be sent codes
// more often than the limits allow in a day: that would be an attack.
func (s *shift) mayFail(customer int) bool { return s.count(s.fails, customer, 3) }
func (s *shift) maySend(customer int) bool { return s.count(s.sends, customer, 3) }

func (s *shift) count(of map[int]int, customer, most int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if of[customer] >= most {
		return false
	}
	of[customer]++
	return true
}

func (s *shift) sent(customer int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sends[customer]
}

// explained asks a lead why somebody of his vendor was refused.
func (s *shift) explained(ctx context.Context, p *person, err error) string {
	refused, ok := refusal(err)
	if !ok {
		return ""
	}
	var why struct {
		Text string `json:"text"`
	}
	lead := p.lead()
	err = lead.stepUp(ctx)
	if err == nil {
		err = lead.get(ctx, "/v1/refusals/"+refused.Reference, &why)
	}
	if err != nil {
		if ctx.Err() == nil {
			s.fault(fmt.Errorf("ask for the reason of a refusal: %w", err))
		}
		return refused.Answer
	}
	return why.Text
}

var errNotOffered = errors.New("the agent was not shown the contact that telephony offered")
