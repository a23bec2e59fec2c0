package demo

import (
	"context"
	"sync"
	"time"

	"purser/internal/synth"
)

// The simulated clock moves in steps of at most longestStep. Nobody who is at
// work falls behind it by more than patience, so that nothing is late because
// a machine is slow.
const (
	longestStep  = 250 * time.Millisecond
	shortestStep = 5 * time.Millisecond
	stepEach     = 4 * time.Millisecond // of real time, where the pace allows it
	patience     = 2 * time.Second
	tick         = 20 * time.Millisecond // on which the server answers
	lateTick     = 2 * time.Millisecond  // of real time, between ticks while somebody is late
)

// unlimited is the speed at which only the work itself holds the clock back.
const unlimited = 0

// pace moves the simulated clock: at so many simulated seconds a real one,
// with every line's heartbeats sent in step, and never far ahead of anybody
// who is at work.
type pace struct {
	clock *synth.Clock

	mu      sync.Mutex
	speed   float64   // guarded by mu, as all below; 0 is unlimited
	from    time.Time // simulated time at which the speed was set
	since   time.Time // real time at which it was set
	lines   []*line
	working map[*worker]time.Time // what the clock waits for, in simulated time
	moved   chan struct{}         // closed when somebody's work moved on
}

func newPace(clock *synth.Clock, speed float64) *pace {
	return &pace{
		clock: clock, speed: speed, from: clock.Now(), since: time.Now(),
		working: make(map[*worker]time.Time), moved: make(chan struct{}),
	}
}

// set changes the speed.
func (p *pace) set(speed float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.speed, p.from, p.since = speed, p.clock.Now(), time.Now()
}

func (p *pace) now() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.speed
}

func (p *pace) add(l *line) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines = append(p.lines, l)
}

// run moves the clock until ctx ends.
func (p *pace) run(ctx context.Context) {
	for ctx.Err() == nil {
		p.beat(ctx)
		step, wait := p.next()
		if wait > 0 {
			pause(ctx, wait)
			continue
		}
		if step = p.held(ctx, step); step > 0 {
			p.clock.Advance(step)
		}
	}
}

// next returns how far the clock may go now, or how long it has to wait.
func (p *pace) next() (step, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.speed == unlimited {
		return longestStep, 0
	}
	step = min(longestStep, max(shortestStep, time.Duration(p.speed*float64(stepEach))))
	due := time.Duration(float64(time.Since(p.since)) * p.speed)
	behind := due - p.clock.Now().Sub(p.from)
	if behind < step {
		return 0, time.Duration(float64(step-behind)/p.speed) + time.Microsecond
	}
	return step, 0
}

// held returns how far the clock may go with those at work. While one of them
// is late it goes on by single ticks only, since the answer he waits for may
// leave on the next one.
func (p *pace) held(ctx context.Context, step time.Duration) time.Duration {
	limit, moved := p.limit(step)
	if limit > 0 {
		return limit
	}
	late := time.NewTimer(lateTick)
	defer late.Stop()
	select {
	case <-moved:
		return 0
	case <-late.C:
		return tick
	case <-ctx.Done():
		return 0
	}
}

// limit is how much of a step nobody at work minds, and what tells that it may
// be more.
func (p *pace) limit(step time.Duration) (time.Duration, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.Now()
	for _, since := range p.working {
		step = min(step, since.Add(patience).Sub(now))
	}
	return step, p.moved
}

// beat sends the heartbeats that are due before the clock's next step.
func (p *pace) beat(ctx context.Context) {
	p.mu.Lock()
	lines := p.lines
	p.mu.Unlock()
	var sending sync.WaitGroup
	for _, l := range lines {
		if l.due() {
			sending.Go(func() { l.tick(ctx) })
		}
	}
	sending.Wait()
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// worker is somebody made up who does one thing at a time. It is used by one
// goroutine.
type worker struct{ pace *pace }

// worker begins somebody's work; leave ends it.
func (p *pace) worker() *worker {
	w := &worker{p}
	w.at(p.clock.Now())
	return w
}

func (w *worker) at(t time.Time) {
	p := w.pace
	p.mu.Lock()
	defer p.mu.Unlock()
	p.working[w] = t
	close(p.moved)
	p.moved = make(chan struct{})
}

// touch says that something new begins now.
func (w *worker) touch() { w.at(w.pace.clock.Now()) }

// sleep lets simulated time pass. The clock waits for the sleeper from the
// moment at which it should wake.
func (w *worker) sleep(ctx context.Context, d time.Duration) error {
	w.at(w.pace.clock.Now().Add(d))
	return w.pace.clock.Sleep(ctx, d)
}

// until is sleep to a moment; one that is past is now.
func (w *worker) until(ctx context.Context, t time.Time) error {
	return w.sleep(ctx, max(0, t.Sub(w.pace.clock.Now())))
}

// leave stops the clock from waiting for the worker.
func (w *worker) leave() {
	p := w.pace
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.working, w)
	close(p.moved)
	p.moved = make(chan struct{})
}
