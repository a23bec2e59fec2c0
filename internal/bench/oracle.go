package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"sync"
	"time"

	"purser/internal/edge/web"
	"purser/internal/synth"
	"purser/internal/verification"
)

// outcome is one of the reasons for the answer "not enough" that an asker must
// not tell apart (L5).
type outcome uint8

const (
	unknown outcome = iota // nobody has that number
	wrong                  // somebody has it, with another date of birth
	limited                // too many have failed against him today
	outcomes
)

func (o outcome) String() string { return [...]string{"unknown", "wrong", "limited"}[o] }

// oracleSize shapes a run: how often each outcome is asked for.
type oracleSize struct{ samples int }

func oracleSizes(quick bool) oracleSize {
	if quick {
		return oracleSize{600}
	}
	return oracleSize{3_000}
}

const (
	// oracleContacts is how many contacts an agent has. Each takes one unknown
	// and one wrong try; an agent may fail 20 times a day.
	oracleContacts = 9
	// oracleClients is how many agents ask at the same time.
	oracleClients = 4
	// exhausted is how many customers are failed against until they are limited,
	// failures is how often that takes, and triesEach is how often one contact
	// may fail.
	exhausted = 8
	failures  = 5
	triesEach = 3
	// oracleTarget is how often a classifier may be right; 0.5 is guessing.
	oracleTarget = 0.55
)

// Oracle measures L5 on the real clock: how well the time of an answer tells
// an unknown customer, a wrong answer and a limited customer apart, by asks at
// any moment, and by asks aimed at the tick so that a little more work misses
// it.
func Oracle(ctx context.Context, o Options) ([]Result, error) {
	return oracle(ctx, o, oracleSizes(o.Quick))
}

func oracle(ctx context.Context, o Options, size oracleSize) (results []Result, err error) {
	for _, aim := range []bool{false, true} {
		err := o.scratch(func(dir string) error {
			r, err := oracleIn(ctx, o, size, dir, aim)
			results = append(results, r)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return results, nil
}

// prober asks over HTTP for outcomes of its choice.
type prober struct {
	*site
	url     string
	desks   []desk
	clients []*caller
	numbers [outcomes][]string // loyalty numbers that lead to each outcome

	aim    bool
	mu     sync.Mutex    // guards what follows
	lead   time.Duration // how long before a tick an aimed ask is made
	length int           // of every answer
}

func oracleIn(ctx context.Context, o Options, size oracleSize, dir string, aim bool) (result Result, err error) {
	contacts := size.samples + (exhausted*failures+triesEach-1)/triesEach
	agents := (contacts+oracleContacts-1)/oracleContacts + 1
	s, err := newSite(ctx, dir, siteSize{2*(size.samples+exhausted) + 200, (agents + 1) / 2, oracleContacts})
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	p := &prober{site: s, aim: aim, lead: web.Tick / 10}
	if err := p.prepare(ctx, size.samples); err != nil {
		return Result{}, err
	}
	served, err := s.serve(ctx)
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, served.stop()) }()
	p.url = served.url
	defer p.close()
	times, err := p.probe(ctx, o, size.samples)
	if err != nil {
		return Result{}, err
	}
	return p.judge(times, size.samples), nil
}

// prepare opens desks and brings some customers to their limit.
func (p *prober) prepare(ctx context.Context, samples int) (err error) {
	if p.desks, err = p.openDesks(ctx); err != nil {
		return err
	}
	callers, err := p.callers(samples + exhausted)
	if err != nil {
		return err
	}
	for i, c := range callers {
		o := wrong
		if i < exhausted {
			o = limited
		}
		p.numbers[o] = append(p.numbers[o], c.LoyaltyNumber)
	}
	for c := range synth.NewGenerator(1, synth.Airline).Range(p.size.customers, 4*p.size.customers) { // never brought in
		if c.LoyaltyNumber != "" {
			p.numbers[unknown] = append(p.numbers[unknown], c.LoyaltyNumber)
		}
	}
	return p.exhaust(ctx)
}

// exhaust fails against some customers until nobody may any more today.
func (p *prober) exhaust(ctx context.Context) error {
	for n := range exhausted * failures {
		d := p.desks[len(p.desks)-1-n/triesEach]
		_, err := p.Verification.Identify(ctx, d.agent.asker, d.contact, []verification.Said{
			{Item: "loyalty_number", Text: p.numbers[limited][n/failures]}, {Item: "birth_date", Text: neverBorn},
		})
		if err == nil {
			return errors.New("a wrong answer was taken")
		}
	}
	return nil
}

// neverBorn is a date of birth that none of the customers asked for has; it is
// checked.
const neverBorn = "1925-06-30"

// probe asks for every outcome once on each of the desks, in random order.
func (p *prober) probe(ctx context.Context, o Options, samples int) (times [outcomes][]float64, err error) {
	when := "at any moment"
	if p.aim {
		when = "aimed at the tick"
	}
	o.say("L5, %d asks of each outcome, %s", samples, when)
	for i := range times {
		times[i] = make([]float64, samples)
	}
	ended := make([]error, oracleClients)
	var running sync.WaitGroup
	for lane := range oracleClients {
		client := newCaller(lane)
		p.clients = append(p.clients, client)
		chance := rand.New(rand.NewPCG(1, uint64(lane)))
		running.Go(func() {
			for n := lane; n < samples && ended[lane] == nil; n += oracleClients {
				for _, i := range chance.Perm(int(outcomes)) {
					seconds, err := p.ask(ctx, client, chance, outcome(i), n)
					times[i][n], ended[lane] = seconds, errors.Join(ended[lane], err)
				}
			}
		})
	}
	running.Wait()
	return times, errors.Join(ended...)
}

func (p *prober) close() {
	for _, c := range p.clients {
		c.close()
	}
}

// ask is one identify with the wanted outcome; its answer is always the same.
func (p *prober) ask(ctx context.Context, c *caller, chance *rand.Rand, o outcome, n int) (seconds float64, err error) {
	number := p.numbers[o][n%len(p.numbers[o])]
	body, err := json.Marshal(map[string]any{"items": []map[string]string{
		{"kind": "loyalty_number", "said": number}, {"kind": "birth_date", "said": neverBorn},
	}})
	if err != nil {
		return 0, err
	}
	if err := p.wait(ctx, chance); err != nil {
		return 0, err
	}
	d := p.desks[n]
	begun := time.Now()
	status, answer, err := c.post(ctx, d.agent, p.url+"/v1/contacts/"+d.contact.String()+"/identify", body)
	seconds = time.Since(begun).Seconds()
	if err == nil && status != http.StatusForbidden {
		err = fmt.Errorf("identify, %v: status %d", o, status)
	}
	if err != nil {
		return 0, err
	}
	return seconds, p.learn(seconds, len(answer))
}

// errLengths says that the outcomes can be told apart without a clock.
var errLengths = errors.New("answers that must look the same have different lengths")

// aimStep is by how much the aim moves after each ask.
const aimStep = 10 * time.Microsecond

// wait returns at the moment of the next ask: any, or so long before a tick
// that the answer just reaches it or just misses it.
func (p *prober) wait(ctx context.Context, chance *rand.Rand) error {
	if !p.aim {
		return p.clock.Sleep(ctx, time.Duration(chance.Int64N(int64(web.Tick))))
	}
	p.mu.Lock()
	lead := p.lead
	p.mu.Unlock()
	now := p.clock.Now()
	due := now.Truncate(web.Tick).Add(2 * web.Tick).Add(-lead)
	if err := p.clock.Sleep(ctx, due.Sub(now)-time.Millisecond); err != nil {
		return err
	}
	for p.clock.Now().Before(due) { // a timer alone is too late to aim with
		runtime.Gosched()
	}
	return nil
}

// learn moves the aim to where half of the answers miss the tick, which tells
// the most, and checks the answer's length.
func (p *prober) learn(seconds float64, length int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.length != 0 && p.length != length {
		return errLengths
	}
	p.length = length
	if missed := seconds > p.lead.Seconds()+web.Tick.Seconds()/2; missed {
		p.lead = min(p.lead+aimStep, web.Tick)
	} else {
		p.lead = max(p.lead-aimStep, 0)
	}
	return nil
}
