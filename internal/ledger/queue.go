package ledger

import (
	"slices"
	"sync"

	"purser"
)

// Bounds of what may wait. A lane's share keeps one vendor from filling the
// queue for the others.
const (
	mostWaiting = 8192
	mostInLane  = 2048
	mostInBatch = 256
	mostLanes   = 1024 // idle lanes are forgotten above this
)

// proposal is one call of Propose. It belongs to its caller until it is
// queued, then to the writer, and to its caller again after done.
type proposal[S State] struct {
	decide func(S, purser.Stamp) purser.Entry
	rows   func(Tx, purser.Pos, purser.Entry) error
	done   chan struct{}

	receipt Receipt
	err     error
}

// answer hands the proposal back to its caller. The channel holds one, so the
// writer never waits.
func (p *proposal[S]) answer() { p.done <- struct{}{} }

// queue holds waiting proposals, a lane each vendor, and gives the lanes turns.
type queue[S State] struct {
	wake chan struct{} // holds one; sent to when something was put

	mu      sync.Mutex
	lanes   map[purser.VendorID]*lane[S]
	turns   []*lane[S] // lanes that hold something
	next    int        // whose turn it is
	waiting int
	closed  bool
}

type lane[S State] struct {
	waiting []*proposal[S]
	taken   int // of waiting
}

func (q *queue[S]) open() {
	q.wake = make(chan struct{}, 1)
	q.lanes = make(map[purser.VendorID]*lane[S])
}

// put queues p, or fails with ErrStopped or ErrOverloaded.
func (q *queue[S]) put(id purser.VendorID, p *proposal[S]) error {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return ErrStopped
	}
	l := q.lanes[id]
	if l == nil {
		if len(q.lanes) >= mostLanes {
			q.forgetIdle()
		}
		l = new(lane[S])
		q.lanes[id] = l
	}
	held := len(l.waiting) - l.taken
	if q.waiting >= mostWaiting || held >= mostInLane {
		q.mu.Unlock()
		return ErrOverloaded
	}
	if held == 0 {
		q.turns = append(q.turns, l)
	}
	l.waiting = append(l.waiting, p)
	q.waiting++
	q.mu.Unlock()
	q.ring()
	return nil
}

func (q *queue[S]) ring() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *queue[S]) forgetIdle() {
	for id, l := range q.lanes {
		if len(l.waiting) == l.taken {
			delete(q.lanes, id)
		}
	}
}

// take appends the next proposals to batch, one a lane in turn, and reports
// whether more may come.
func (q *queue[S]) take(batch []*proposal[S]) ([]*proposal[S], bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(batch) < mostInBatch && len(q.turns) > 0 {
		if q.next >= len(q.turns) {
			q.next = 0
		}
		l := q.turns[q.next]
		batch = append(batch, l.waiting[l.taken])
		l.waiting[l.taken] = nil
		l.taken++
		q.waiting--
		if l.taken < len(l.waiting) {
			l.compact()
			q.next++
			continue
		}
		l.waiting, l.taken = l.waiting[:0], 0
		q.turns = slices.Delete(q.turns, q.next, q.next+1)
	}
	return batch, !q.closed || q.waiting > 0
}

// compact forgets what was taken from a lane that never runs empty.
func (l *lane[S]) compact() {
	if l.taken < mostInLane {
		return
	}
	n := copy(l.waiting, l.waiting[l.taken:])
	clear(l.waiting[n:])
	l.waiting, l.taken = l.waiting[:n], 0
}

func (q *queue[S]) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.ring()
}
