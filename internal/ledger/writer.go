package ledger

import (
	"context"
	"errors"
	"fmt"
	"path"
	"runtime"
	"slices"
	"strings"
	"time"

	"purser"
	"purser/proof"
)

// writer is the one goroutine that appends. It takes what waits, decides and
// folds it on top of the state, makes it durable in one transaction, and only
// then answers. It owns all its fields.
type writer[S State] struct {
	log      *Log[S]
	head     Head // committed
	refusals refusals
	faults   uint32 // batches that could not be written since the last that could

	batch []*proposal[S] // waiting for this commit
	// Of the current attempt at the batch:
	made     []made[S]
	arena    []byte // encoded entries, back to back
	out      Batch
	at       purser.Stamp
	flushed  []refusalKey
	stepped  bool // a clock step is among the entries
	accepted bool // an accepted clock is
	closing  bool
}

// made is one entry of the batch. p is nil for those of the writer itself.
type made[S State] struct {
	p     *proposal[S]
	entry purser.Entry
	end   int // in arena
}

func newWriter[S State](l *Log[S], head Head) *writer[S] {
	return &writer[S]{log: l, head: head, refusals: newRefusals()}
}

func (w *writer[S]) run() {
	for {
		var more bool
		w.batch, more = w.log.queue.take(w.batch[:0])
		switch {
		case len(w.batch) > 0:
			w.commit()
		case more:
			w.wait()
		default:
			w.closing = true
			w.commit() // what was counted and has no entry yet
			return
		}
	}
}

// wait returns when something was queued, or when a minute with counted
// refusals may be over.
func (w *writer[S]) wait() {
	if len(w.refusals.counts) == 0 {
		<-w.log.queue.wake
		return
	}
	now := w.log.clock.now(w.log.cfg.Clock)
	left := minuteOf(now) + purser.Minute - now
	timer := time.NewTimer(time.Duration(left) * time.Microsecond)
	defer timer.Stop()
	select {
	case <-w.log.queue.wake:
	case <-timer.C:
		w.commit()
	}
}

// commit makes the batch durable and answers it. A proposal that fails by
// itself is answered with its error, and the others are decided again.
func (w *writer[S]) commit() {
	if w.log.stop.Load() != nil {
		w.answerAll(w.log.stopError())
		return
	}
	w.log.looking.Lock()
	for !w.attempt() {
		w.log.state.Discard()
		w.refusals.discard()
	}
	w.log.looking.Unlock()
	for i, p := range w.batch {
		w.batch[i] = nil
		p.answer()
	}
}

// attempt decides the batch once and appends it. It returns false when a
// proposal was dropped and the rest must be decided again. Whatever it leaves
// in w.batch has its answer.
func (w *writer[S]) attempt() bool {
	w.begin()
	if err := w.own(); err != nil {
		w.end(fmt.Errorf("entries of the writer: %w", err))
		return true
	}
	for i, p := range w.batch {
		if err := w.decide(p); err != nil {
			w.drop(i, err)
			return false
		}
	}
	if len(w.made) == 0 {
		w.log.state.Discard()
		w.refusals.commit(w.at)
		return true
	}
	w.seal()
	if err := w.log.cfg.Store.Append(context.Background(), &w.out); err != nil {
		return w.failed(err)
	}
	w.committed()
	return true
}

func (w *writer[S]) begin() {
	w.made, w.arena = w.made[:0], w.arena[:0]
	w.flushed, w.stepped, w.accepted = nil, false, false
	w.at = w.log.clock.now(w.log.cfg.Clock)
}

// own adds the entries that nobody proposes.
func (w *writer[S]) own() error {
	if step := w.log.clock.step(w.log.cfg.Clock); step != nil {
		w.stepped = true
		if err := errors.Join(w.add(nil, step), w.add(nil, &purser.Finding{What: purser.FindingClock, Count: 1})); err != nil {
			return err
		}
	}
	if w.faults > 0 {
		if err := w.add(nil, &purser.Finding{What: purser.FindingStorageFault, Count: w.faults}); err != nil {
			return err
		}
	}
	if len(w.refusals.counts) == 0 {
		return nil
	}
	keys, entries := w.refusals.due(w.at, w.closing)
	w.flushed = keys
	for _, e := range entries {
		if err := w.add(nil, e); err != nil {
			return err
		}
	}
	return nil
}

// decide runs one proposal's decision on top of the batch so far.
func (w *writer[S]) decide(p *proposal[S]) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = panicked(r)
		}
	}()
	e := p.decide(w.log.state, w.at)
	if e == nil {
		p.receipt = Receipt{stamp: w.at}
		return nil
	}
	d, ok := e.(purser.Decision)
	if !ok || d.Refused() == purser.Allowed {
		return w.add(p, e)
	}
	who, over := w.log.state.Repeats(e, w.at)
	if over && !who.Session.Zero() && d.Refused().OfAsker() {
		if pos, ok := w.refusals.count(who, e.Kind(), d.Refused(), w.at); ok {
			p.receipt = Receipt{stamp: w.at, entry: e, refusal: &purser.Refusal{Reason: d.Refused(), At: pos}}
			return nil
		}
	}
	pos := w.next()
	if err := w.add(p, e); err != nil {
		return err
	}
	w.refusals.written(who, e.Kind(), d.Refused(), pos, w.at)
	return nil
}

// panicked describes a panic without its value, which may hold a field's.
func panicked(r any) error {
	where := "unknown place"
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		if !strings.HasPrefix(f.Function, "runtime.") {
			where = fmt.Sprintf("%s:%d", path.Base(f.File), f.Line)
			break
		}
	}
	return fmt.Errorf("decision stopped by a panic (%T) at %s", r, where)
}

func (w *writer[S]) next() purser.Pos { return w.head.Size + purser.Pos(len(w.made)) }

// add encodes an entry and applies it.
func (w *writer[S]) add(p *proposal[S], e purser.Entry) error {
	pos := w.next()
	arena, err := purser.AppendEntry(w.arena, pos, w.at, e)
	if err != nil {
		return err
	}
	w.arena = arena
	if err := w.log.state.Apply(purser.Header{Kind: e.Kind(), Pos: pos, Stamp: w.at}, e); err != nil {
		return fmt.Errorf("apply entry of kind %d: %w", e.Kind(), err)
	}
	if a, ok := e.(*purser.ClockAccepted); ok && a.Reason == purser.Allowed {
		w.accepted = true
	}
	w.made = append(w.made, made[S]{p: p, entry: e, end: len(w.arena)})
	return nil
}

// seal computes the batch's tree head and what the store is to write.
func (w *writer[S]) seal() {
	clear(w.out.Rows)
	w.out = Batch{
		Before: w.head, After: w.head, Fault: w.log.cfg.Fault,
		Entries: w.out.Entries[:0], Rows: w.out.Rows[:0],
	}
	from := 0
	for i, m := range w.made {
		entry := w.arena[from:m.end]
		from = m.end
		w.out.Entries = append(w.out.Entries, entry)
		w.out.After.Frontier.Append(proof.LeafHash(entry))
		if m.p != nil && m.p.rows != nil {
			w.out.Rows = append(w.out.Rows, Row{Index: i, Write: w.rows(m, w.head.Size+purser.Pos(i))})
		}
	}
	w.out.After.Size = w.out.After.Frontier.Size()
	w.out.After.Root = w.out.After.Frontier.Root()
}

// rows binds a proposal's rows to its entry. A panic in them fails the
// proposal, like one in its decision.
func (w *writer[S]) rows(m made[S], pos purser.Pos) func(Tx) error {
	return func(tx Tx) (err error) {
		defer func() {
			if r := recover(); r != nil {
				err = panicked(r)
			}
		}()
		return m.p.rows(tx, pos, m.entry)
	}
}

// committed takes over what the store has made durable.
func (w *writer[S]) committed() {
	l := w.log
	l.state.Commit()
	first := w.head.Size
	w.head = w.out.After
	w.faults = 0
	l.full.Store(false)
	w.refusals.commit(w.at)
	w.refusals.forget(w.flushed)
	l.clock.last = w.at
	if w.stepped {
		l.clock.following = true
	}
	if w.accepted {
		l.clock.accept(l.cfg.Clock)
	}
	l.tellTime()
	l.end.Store(&end{w.head.Size, w.head.Root})
	l.snapshots.grown(w.head.Size)
	l.signing.grown()
	if err := w.out.At("before-answer"); err != nil {
		w.end(fmt.Errorf("after the commit: %w", err))
		return
	}
	for i, m := range w.made {
		if m.p != nil {
			m.p.receipt = receiptOf(first+purser.Pos(i), w.at, m.entry)
		}
	}
}

// failed sorts out a failed append. Where nothing was written the log goes on:
// it returns false to try the rest again, or answers everybody. Otherwise the
// log ends, for a device that failed once may have lied before, and syncing
// the same file again would only hide it.
func (w *writer[S]) failed(err error) (done bool) {
	var row *RowError
	if errors.As(err, &row) && row.Index < len(w.made) && w.made[row.Index].p != nil {
		w.drop(slices.Index(w.batch, w.made[row.Index].p), row.Err)
		return false
	}
	w.log.state.Discard()
	w.refusals.discard()
	head, headErr := w.log.cfg.Store.Head(context.Background())
	switch {
	case headErr != nil:
		err = fmt.Errorf("whether it was committed is unknown: %w", errors.Join(err, headErr))
	case errors.Is(err, ErrNothingWritten) && head == w.head:
		w.faults++
		w.log.full.Store(true)
		w.fault(err)
		return true
	case head == w.head:
		err = fmt.Errorf("nothing was committed: %w", err)
	case head == w.out.After:
		err = fmt.Errorf("the entries were committed and nobody was answered: %w", err)
	default:
		err = fmt.Errorf("another head of size %d stands: %w", head.Size, err)
	}
	w.end(fmt.Errorf("append %d entries at %d: %w", len(w.made), w.head.Size, err))
	return true
}

// drop answers one proposal of the batch with its own error.
func (w *writer[S]) drop(i int, err error) {
	p := w.batch[i]
	w.batch = slices.Delete(w.batch, i, i+1)
	p.receipt, p.err = Receipt{}, err
	p.answer()
}

// fault gives everybody in the batch the same error.
func (w *writer[S]) fault(err error) {
	for _, p := range w.batch {
		p.receipt, p.err = Receipt{}, err
	}
}

// end stops the log for good.
func (w *writer[S]) end(cause error) {
	w.log.state.Discard()
	w.log.fail(cause)
	w.fault(w.log.stopError())
}

func (w *writer[S]) answerAll(err error) {
	w.fault(err)
	for i, p := range w.batch {
		w.batch[i] = nil
		p.answer()
	}
}
