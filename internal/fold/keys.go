package fold

import (
	"cmp"
	"fmt"
	"slices"

	"purser"
)

// keyName names a key of the keyset.
type keyName struct {
	use    purser.KeyUse
	number uint32
}

// keyRow is how far a key is on its way out; step zero is the one that new work
// uses.
type keyRow struct {
	step  purser.KeyStep
	since purser.Stamp
}

// Keys says which keys of one use there are. Without a rotation since init all
// of it is zero: the keyset's first key is in force.
type Keys struct {
	Now       uint32    // new work uses it
	Leaving   []uint32  // something may still be under these, ascending
	Idle      []IdleKey // nothing is under these, ascending
	Destroyed []uint32  // these must not be in the keyset any more, ascending
}

// IdleKey is a key under which nothing is left, and since when.
type IdleKey struct {
	Number uint32
	Since  purser.Stamp
}

// Keys returns the keys of a use.
func (s *Standing) Keys(use purser.KeyUse) Keys {
	var k Keys
	for name, row := range s.keys.All() {
		switch {
		case name.use != use:
		case row.step == 0:
			k.Now = name.number
		case row.step == purser.KeyAdded:
			k.Leaving = append(k.Leaving, name.number)
		case row.step == purser.KeyDone:
			k.Idle = append(k.Idle, IdleKey{name.number, row.since})
		default:
			k.Destroyed = append(k.Destroyed, name.number)
		}
	}
	slices.Sort(k.Leaving)
	slices.Sort(k.Destroyed)
	slices.SortFunc(k.Idle, func(a, b IdleKey) int { return cmp.Compare(a.Number, b.Number) })
	return k
}

// Known returns every key that the ledger ever named, ascending.
func (k Keys) Known() []uint32 {
	all := slices.Concat(k.Leaving, k.Destroyed)
	for _, idle := range k.Idle {
		all = append(all, idle.Number)
	}
	if k.Now != 0 {
		all = append(all, k.Now)
	}
	slices.Sort(all)
	return all
}

// Idling returns the key if nothing is left under it.
func (k Keys) Idling(number uint32) (IdleKey, bool) {
	i := slices.IndexFunc(k.Idle, func(idle IdleKey) bool { return idle.Number == number })
	if i < 0 {
		return IdleKey{}, false
	}
	return k.Idle[i], true
}

// rotate follows one step of a key's replacement.
func (s *Standing) rotate(h purser.Header, e *purser.KeyRotation) error {
	impossible := fmt.Errorf("%w: %s key %08x", ErrImpossible, e.Use, e.Old)
	known, old := s.Keys(e.Use), keyName{e.Use, e.Old}
	row, there := s.keys.Get(old)
	switch e.Step {
	case purser.KeyAdded:
		_, again := s.keys.Get(keyName{e.Use, e.New})
		if known.Now != 0 && known.Now != e.Old || again || e.Old == e.New {
			return impossible
		}
		s.keys.Put(old, keyRow{purser.KeyAdded, h.Stamp})
		s.keys.Put(keyName{e.Use, e.New}, keyRow{0, h.Stamp})
	case purser.KeyDone:
		if !there || row.step != purser.KeyAdded {
			return impossible
		}
		s.keys.Put(old, keyRow{purser.KeyDone, h.Stamp})
	case purser.KeyDestroyed:
		if !there || row.step != purser.KeyDone {
			return impossible
		}
		s.keys.Put(old, keyRow{purser.KeyDestroyed, h.Stamp})
	}
	return nil
}

// restored has every exchange that was done go on: rows of a backup may be
// under any key that was not destroyed.
func (s *Standing) restored(at purser.Stamp) {
	var names []keyName
	for name, row := range s.keys.All() {
		if row.step == purser.KeyDone {
			names = append(names, name)
		}
	}
	for _, name := range names {
		s.keys.Put(name, keyRow{purser.KeyAdded, at})
	}
}

func codeKeyName(c *purser.Coder, k *keyName) {
	c.U8((*uint8)(&k.use))
	c.U32(&k.number)
}

func codeKeyRow(c *purser.Coder, r *keyRow) {
	c.U8((*uint8)(&r.step))
	c.Stamp(&r.since)
}
