package record

import (
	"encoding/binary"

	"purser"
	"purser/internal/seal"
)

// people remembers which customer of a running import has which number, and
// which has which e-mail address and name: about 45 bytes a row. Its keys are
// blind indexes, of which it keeps 96 bits: that two of a hundred million
// differ and look the same is less likely than 1 in 10^12.
type people struct {
	slots []slot // a power of two, less than three quarters full
	held  int
	own   map[purser.Ordinal]bool // earlier customers: whether one has a number
	first purser.Ordinal
	has   []uint64 // bit by ordinal from first: it has a number
}

type slot struct {
	key     uint64
	check   uint32
	ordinal purser.Ordinal // zero: free
}

func newPeople(first purser.Ordinal) *people {
	return &people{slots: make([]slot, 1<<12), first: first, own: map[purser.Ordinal]bool{}}
}

// keyOf mixes the field in, so that one field's index is none of another's.
func keyOf(field purser.Field, i seal.Index) (key uint64, check uint32) {
	return binary.BigEndian.Uint64(i[:]) ^ uint64(field)<<56, binary.BigEndian.Uint32(i[8:])
}

// personKey keeps e-mail address and name apart from every field.
const personKey = purser.MaxField + 1

func (p *people) at(key uint64, check uint32) *slot {
	mask := uint64(len(p.slots) - 1)
	for i := key & mask; ; i = (i + 1) & mask {
		s := &p.slots[i]
		if s.ordinal == 0 || s.key == key && s.check == check {
			return s
		}
	}
}

func (p *people) get(field purser.Field, i seal.Index) purser.Ordinal {
	key, check := keyOf(field, i)
	return p.at(key, check).ordinal
}

// put remembers o under the index, unless somebody stands there.
func (p *people) put(field purser.Field, i seal.Index, o purser.Ordinal) {
	if 4*(p.held+1) > 3*len(p.slots) {
		old := p.slots
		p.slots = make([]slot, 2*len(old))
		for _, s := range old {
			if s.ordinal != 0 {
				*p.at(s.key, s.check) = s
			}
		}
	}
	key, check := keyOf(field, i)
	if s := p.at(key, check); s.ordinal == 0 {
		*s = slot{key, check, o}
		p.held++
	}
}

func (p *people) numbered(o purser.Ordinal) bool {
	if o < p.first {
		return p.own[o]
	}
	i := o - p.first
	return int(i/64) < len(p.has) && p.has[i/64]&(1<<(i%64)) != 0
}

// add remembers that the row is about o.
func (p *people) add(t *taken, o purser.Ordinal) {
	if t.person != (seal.Index{}) {
		p.put(personKey, t.person, o)
	}
	if t.unique == (IndexRow{}) {
		return
	}
	p.put(t.unique.Field, t.unique.Index, o)
	p.number(o)
}

// number remembers that o has a number.
func (p *people) number(o purser.Ordinal) {
	if o < p.first {
		p.own[o] = true
		return
	}
	i := o - p.first
	for int(i/64) >= len(p.has) {
		p.has = append(p.has, 0)
	}
	p.has[i/64] |= 1 << (i % 64)
}
