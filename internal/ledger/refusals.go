package ledger

import (
	"bytes"
	"cmp"
	"slices"

	"purser"
)

// refusals counts what a session was refused beyond the entries of its own
// that it gets in a minute. The writer owns it. What the current attempt at a
// batch adds is kept apart until the batch is committed.
type refusals struct {
	counts map[refusalKey]refusalCount
	own    map[refusalKey]ownRefusals // refusals of the asker that got an entry in a minute
	minute purser.Stamp               // of the last prune

	counted []counted // by this attempt
	wrote   []wrote   // by this attempt
}

type refusalKey struct {
	session purser.SessionID
	kind    purser.Kind
	minute  purser.Stamp
}

type refusalCount struct {
	who    purser.Actor
	reason purser.Reason // of the last one
	count  uint32
}

type ownRefusals struct {
	count int
	last  purser.Pos
}

type counted struct {
	key    refusalKey
	who    purser.Actor
	reason purser.Reason
}

type wrote struct {
	key     refusalKey
	pos     purser.Pos
	ofAsker bool
}

// mostOwn is how many refusals of the asker have entries of their own, of one
// session, kind and minute.
const mostOwn = 20

func minuteOf(at purser.Stamp) purser.Stamp { return at - at%purser.Minute }

func newRefusals() refusals {
	return refusals{
		counts: make(map[refusalKey]refusalCount),
		own:    make(map[refusalKey]ownRefusals),
	}
}

// count counts a refusal of the asker instead of writing it, once mostOwn of
// its kind are written, and returns the last of those. Others that were written
// do not matter, neither for how many there were nor for where: whether there
// were any depends on what is stored of customers, and the asker sees by his
// references what was only counted (L5). After a restart as many more are
// written.
func (r *refusals) count(who purser.Actor, kind purser.Kind, why purser.Reason, at purser.Stamp) (purser.Pos, bool) {
	key := refusalKey{who.Session, kind, minuteOf(at)}
	own := r.own[key]
	for _, w := range r.wrote {
		if w.ofAsker && w.key == key {
			own = ownRefusals{own.count + 1, w.pos}
		}
	}
	if own.count < mostOwn {
		return 0, false
	}
	r.counted = append(r.counted, counted{key, who, why})
	return own.last, true
}

// written notes a refusal that got an entry.
func (r *refusals) written(who purser.Actor, kind purser.Kind, why purser.Reason, pos purser.Pos, at purser.Stamp) {
	r.wrote = append(r.wrote, wrote{refusalKey{who.Session, kind, minuteOf(at)}, pos, why.OfAsker()})
}

// discard forgets what this attempt added.
func (r *refusals) discard() { r.counted, r.wrote = r.counted[:0], r.wrote[:0] }

// commit keeps what this attempt added, at stamp at.
func (r *refusals) commit(at purser.Stamp) {
	for _, c := range r.counted {
		n := r.counts[c.key]
		r.counts[c.key] = refusalCount{who: c.who, reason: c.reason, count: n.count + 1}
	}
	for _, w := range r.wrote {
		if w.ofAsker {
			r.own[w.key] = ownRefusals{r.own[w.key].count + 1, w.pos}
		}
	}
	r.discard()
	if minute := minuteOf(at); minute != r.minute {
		r.minute = minute
		for key := range r.own {
			if key.minute < minute {
				delete(r.own, key)
			}
		}
	}
}

// due returns the entries for minutes before the one of at, or for all, in a
// fixed order, and their keys, which the writer forgets once they are durable.
func (r *refusals) due(at purser.Stamp, all bool) (keys []refusalKey, entries []*purser.Refusals) {
	minute := minuteOf(at)
	for k := range r.counts {
		if all || k.minute < minute {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b refusalKey) int {
		return cmp.Or(cmp.Compare(a.minute, b.minute), bytes.Compare(a.session[:], b.session[:]), cmp.Compare(a.kind, b.kind))
	})
	for _, k := range keys {
		n := r.counts[k]
		entries = append(entries, &purser.Refusals{Who: n.who, Of: k.kind, Reason: n.reason, Count: n.count})
	}
	return keys, entries
}

func (r *refusals) forget(keys []refusalKey) {
	for _, k := range keys {
		delete(r.counts, k)
	}
}
