package demo

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"sync"
	"time"

	"purser"
	"purser/internal/synth"
)

// The thief asks so often, by so many hands at once. Security locks the session
// when the first part is through.
const (
	thiefAsks  = 2400
	thiefHands = 6
	lockAfter  = thiefAsks * 2 / 3
	slowly     = 12 // simulated seconds a real one, so that one can watch
)

// thief has the token and the key of somebody's session, and asks at full
// speed.
type thief struct {
	*shift
	victim  *person
	client  *synth.Client
	session purser.SessionID

	mu     sync.Mutex
	asked  int  // guarded by mu
	called bool // guarded by mu: security was called
}

// theft is a session stolen while its owner is at lunch, and its end.
func (s *shift) theft(ctx context.Context, w *worker, victim *person) error {
	for s.onContact(victim) { // whoever is stolen from on a call loses that call
		if err := w.sleep(ctx, time.Second); err != nil {
			return err
		}
	}
	own := victim.signer()
	t := &thief{shift: s, victim: victim, session: victim.sessionID(), client: synth.NewClient(own.Token(), own.Key(), s.clock)}
	before := s.pace.now()
	if before != unlimited {
		s.pace.set(min(before, slowly))
		defer s.pace.set(before)
	}
	s.tally.steal(s.clock.Now(), victim, t.session)
	var hands sync.WaitGroup
	errs := make([]error, thiefHands)
	for i := range thiefHands {
		hand := s.pace.worker()
		hands.Go(func() {
			defer hand.leave()
			errs[i] = t.ask(ctx, hand, newDice(s.config.Seed, streamThief, uint64(i)))
		})
	}
	w.leave() // the hands are at work, not this one
	hands.Wait()
	w.touch()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	s.tally.mark(s.clock.Now(), "the thief gives up: %d asks, nothing", thiefAsks)
	return nil
}

func (s *shift) onContact(p *person) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, who := range s.live {
		if who == p {
			return true
		}
	}
	return false
}

// next counts an ask, and says whether it is the one at which security is
// called.
func (t *thief) next() (n int, call bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked++
	if t.asked >= lockAfter && !t.called {
		t.called = true
		return t.asked, true
	}
	return t.asked, false
}

// ask asks until the asks are spent.
func (t *thief) ask(ctx context.Context, w *worker, d *dice) error {
	for {
		n, call := t.next()
		if n > thiefAsks {
			return nil
		}
		w.touch()
		if call {
			if err := t.lock(ctx); err != nil {
				return err
			}
		}
		status, err := t.attempt(ctx, d, n)
		if err != nil {
			return err
		}
		if status == http.StatusTooManyRequests {
			if err := w.sleep(ctx, time.Second); err != nil { // he learns how fast he may be
				return err
			}
		}
	}
}

// lock is security's part: a passkey, and one act.
func (t *thief) lock(ctx context.Context) error {
	guard := t.security[0]
	if err := guard.stepUp(ctx); err != nil {
		return fmt.Errorf("step-up of security: %w", err)
	}
	var placed struct {
		Lock  purser.LockID `json:"lock"`
		Entry purser.Pos    `json:"entry"`
	}
	if err := guard.post(ctx, "/v1/locks", map[string]any{"target": t.session.String()}, &placed); err != nil {
		return fmt.Errorf("lock the stolen session: %w", err)
	}
	t.tally.locked(t.clock.Now(), placed.Entry, guard)
	return nil
}

// attempt is one of the things that somebody with a session might try. It
// returns the status of the answer.
func (t *thief) attempt(ctx context.Context, d *dice, n int) (int, error) {
	c := t.customers.At(t.caller(d.below(t.config.Customers)))
	everything := map[string]any{"fields": []string{"name", "email", "phone", "address", "loyalty_number", "tier", "points"}}
	said := map[string]any{"items": items(&c)}
	invented := "/v1/contacts/" + madeUp[purser.ContactID]().String()
	theirs := invented
	if others := t.others(t.victim); len(others) > 0 {
		theirs = "/v1/contacts/" + others[d.below(len(others))].String()
	}
	switch n % 10 {
	case 0:
		return t.try(ctx, http.MethodGet, "/v1/contacts", nil)
	case 1:
		return t.try(ctx, http.MethodPost, theirs+"/claim", nil)
	case 2, 3:
		return t.try(ctx, http.MethodPost, theirs+"/disclose", everything)
	case 4:
		return t.try(ctx, http.MethodPost, theirs+"/identify", said)
	case 5:
		return t.try(ctx, http.MethodPost, invented+"/identify", said)
	case 6:
		everything["customer"] = madeUp[purser.CustomerID]()
		return t.try(ctx, http.MethodPost, invented+"/disclose", everything)
	case 7:
		return t.try(ctx, http.MethodPost, invented+"/claim", nil)
	case 8:
		return t.try(ctx, http.MethodGet, "/v1/customers?name=a", nil)
	}
	said["items"], said["emergency"] = items(&c)[:1], "safety"
	return t.try(ctx, http.MethodPost, theirs+"/break-glass", said)
}

// try sends it and counts what came of it.
func (t *thief) try(ctx context.Context, method, path string, in any) (int, error) {
	var got struct {
		Fields   map[string]string `json:"fields"`
		Contacts []any             `json:"contacts"`
		Customer string            `json:"customer"`
	}
	err := t.web.call(ctx, t.client, method, path, in, &got)
	p, refused := refusal(err)
	status := http.StatusOK
	if other, answered := asProblem(err); answered {
		status = other.Status
	} else if err != nil {
		return 0, err
	}
	why := ""
	if refused {
		why = t.tally.known(p.Reference, func() string { return t.explained(ctx, t.victim, err) })
	}
	if got.Customer != "" {
		got.Fields = map[string]string{"customer": ""} // somebody's identifier is loot too
	}
	t.tally.thieve(status, len(got.Fields), len(got.Contacts), why)
	return status, nil
}

func madeUp[I ~[16]byte]() (id I) {
	_, _ = rand.Read(id[:]) // never fails
	return id
}
