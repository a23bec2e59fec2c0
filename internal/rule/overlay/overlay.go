// Package overlay owns maps that can be tried and thrown away.
//
// The ledger decides and folds a batch of entries before the batch is
// durable. What the fold learns from them goes into the top of each [Table];
// after the commit the top is merged into the base, after an error it is
// discarded, and nothing of the base was touched. A table also has one
// canonical encoding, in ascending key order, for snapshots and digests (L2).
//
// It does not own what the rows mean, and it does no locking: the ledger
// writer is the only one who touches a fold.
//
// Start reading at [Table].
package overlay

import (
	"bytes"
	"iter"
	"slices"

	"purser"
)

// Table is a map from K to V with uncommitted changes on top. V must be a
// plain value: Get hands out a copy, and only Put changes a row, so V holds no
// slice or map that is changed in place. The zero Table is ready to use.
type Table[K comparable, V any] struct {
	base map[K]V
	top  map[K]row[V]
	n    int // rows visible
}

type row[V any] struct {
	value V
	gone  bool
}

// Get returns a copy of the row under k.
func (t *Table[K, V]) Get(k K) (V, bool) {
	if len(t.top) > 0 {
		if r, ok := t.top[k]; ok {
			return r.value, !r.gone
		}
	}
	v, ok := t.base[k]
	return v, ok
}

// Put sets the row under k, uncommitted.
func (t *Table[K, V]) Put(k K, v V) {
	if _, ok := t.Get(k); !ok {
		t.n++
	}
	t.set(k, row[V]{value: v})
}

// Delete removes the row under k, uncommitted.
func (t *Table[K, V]) Delete(k K) {
	if _, ok := t.Get(k); !ok {
		return
	}
	t.n--
	t.set(k, row[V]{gone: true})
}

func (t *Table[K, V]) set(k K, r row[V]) {
	if t.top == nil {
		t.top = make(map[K]row[V])
	}
	t.top[k] = r
}

// Len returns the number of rows.
func (t *Table[K, V]) Len() int { return t.n }

// All yields every row in no particular order. Whatever is done with them must
// not depend on the order (L2). Deleting while iterating is allowed; putting is
// not, since a row put before its turn may or may not be yielded: collect the
// keys first.
func (t *Table[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for k, r := range t.top {
			if !r.gone && !yield(k, r.value) {
				return
			}
		}
		for k, v := range t.base {
			if _, over := t.top[k]; !over && !yield(k, v) {
				return
			}
		}
	}
}

// Commit merges the uncommitted rows into the base.
func (t *Table[K, V]) Commit() {
	if len(t.top) == 0 {
		return
	}
	if t.base == nil {
		t.base = make(map[K]V)
	}
	for k, r := range t.top {
		if r.gone {
			delete(t.base, k)
		} else {
			t.base[k] = r.value
		}
	}
	t.clearTop()
}

// Discard forgets the uncommitted rows.
func (t *Table[K, V]) Discard() {
	t.clearTop()
	t.n = len(t.base)
}

// clearTop keeps a small map for the next batch and drops a large one, whose
// clearing would cost every later commit.
func (t *Table[K, V]) clearTop() {
	if len(t.top) > 4096 {
		t.top = nil
		return
	}
	clear(t.top)
}

// Code writes all rows in ascending order of their encoded keys, or reads them
// into an empty table and refuses any other order. minRow is the least number
// of bytes a key and row take together.
func (t *Table[K, V]) Code(c *purser.Coder, minRow int, key func(*purser.Coder, *K), value func(*purser.Coder, *V)) {
	if c.Reading() {
		t.read(c, minRow, key, value)
		return
	}
	type coded struct {
		key []byte
		k   K
		v   V
	}
	rows := make([]coded, 0, t.n)
	arena := purser.NewEncoder(make([]byte, 0, 16*t.n))
	for k, v := range t.All() {
		from := len(arena.Bytes())
		key(arena, &k)
		rows = append(rows, coded{key: arena.Bytes()[from:], k: k, v: v})
	}
	slices.SortFunc(rows, func(a, b coded) int { return bytes.Compare(a.key, b.key) })
	c.CountLong(len(rows), minRow)
	for i := range rows {
		c.Fixed(rows[i].key)
		value(c, &rows[i].v)
	}
}

func (t *Table[K, V]) read(c *purser.Coder, minRow int, key func(*purser.Coder, *K), value func(*purser.Coder, *V)) {
	n := c.CountLong(0, minRow)
	t.base, t.top, t.n = make(map[K]V, n), nil, 0
	var last []byte
	for range n {
		var k K
		var v V
		key(c, &k)
		again := purser.NewEncoder(nil)
		key(again, &k)
		value(c, &v)
		if c.Err() != nil {
			return
		}
		if t.n > 0 && bytes.Compare(last, again.Bytes()) >= 0 {
			c.Fail()
			return
		}
		last = again.Bytes()
		t.base[k] = v
		t.n++
	}
}

// Cell is one value with an uncommitted change on top: a table of one row.
type Cell[V any] struct {
	base, top V
	changed   bool
}

// Get returns the value.
func (l *Cell[V]) Get() V {
	if l.changed {
		return l.top
	}
	return l.base
}

// Put sets the value, uncommitted.
func (l *Cell[V]) Put(v V) { l.top, l.changed = v, true }

// Commit keeps the uncommitted value.
func (l *Cell[V]) Commit() {
	if l.changed {
		l.base, l.changed = l.top, false
	}
}

// Discard forgets the uncommitted value.
func (l *Cell[V]) Discard() { l.changed = false }

// Window counts events in a sliding span of N buckets of equal width. A count
// holds for at least the span and at most one bucket longer: a ceiling errs on
// the strict side. It is a plain value, fit for a table.
type Window struct {
	start  purser.Stamp // start of the newest bucket
	counts [25]uint32   // newest first
}

// Span is the shape of a window: at most 24 buckets of the given width.
type Span struct {
	Buckets int
	Width   purser.Stamp
}

// Sum returns how many events fall into the span that ends at at.
func (w Window) Sum(s Span, at purser.Stamp) uint32 {
	w.roll(s, at)
	var sum uint32
	for _, n := range w.counts[:s.Buckets+1] {
		sum += n
	}
	return sum
}

// Least returns how many events fall into the span at the least: what an
// allowance, in contrast to a ceiling, may be computed from.
func (w Window) Least(s Span, at purser.Stamp) uint32 {
	w.roll(s, at)
	var sum uint32
	for _, n := range w.counts[:s.Buckets] {
		sum += n
	}
	return sum
}

// Add counts n more events at at and returns the new window.
func (w Window) Add(s Span, at purser.Stamp, n uint16) Window {
	w.roll(s, at)
	w.counts[0] += uint32(n)
	return w
}

// roll moves the window so that its newest bucket holds at. Stamps never go
// back, so neither does the window.
func (w *Window) roll(s Span, at purser.Stamp) {
	start := at - at%s.Width
	steps := (start - w.start) / s.Width
	if steps <= 0 {
		return
	}
	w.start = start
	kept := len(w.counts) - int(min(steps, purser.Stamp(len(w.counts))))
	copy(w.counts[len(w.counts)-kept:], w.counts[:kept])
	clear(w.counts[:len(w.counts)-kept])
}

// Idle reports whether nothing of the span is left at at, so that the row may
// be deleted.
func (w Window) Idle(s Span, at purser.Stamp) bool { return w.Sum(s, at) == 0 }

// Code codes the window.
func (w *Window) Code(c *purser.Coder) {
	c.Stamp(&w.start)
	for i := range w.counts {
		c.U32(&w.counts[i])
	}
}
