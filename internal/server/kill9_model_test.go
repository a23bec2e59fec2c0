package server_test

import (
	"fmt"

	"purser"
	"purser/internal/fold"
	"purser/internal/rule/budget"
	"purser/proof"
)

// recount reads entries one after the other and says what is wrong with them
// by rules that are written down a second time here, naively: it keeps every
// moment and counts anew each time. Beside that it folds them.
type recount struct {
	fold     *fold.State
	frontier proof.Frontier
	stamp    purser.Stamp
	again    []byte

	claims    map[claimed]bool
	bound     map[purser.ContactID]purser.Ordinal
	seen      map[shownTo]bool
	shown     map[purser.PersonID][]purser.Stamp // first disclosures
	weak      map[purser.PersonID][]purser.Stamp
	ofVendor  map[purser.VendorID][]purser.Stamp
	delivered map[purser.VendorID][]purser.Stamp
	contacts  map[purser.ContactID]bool // delivered
	owner     map[purser.SourceID]purser.VendorID
	tries     map[purser.Pos]*try
	against   map[purser.Tag][]*try
	by        map[purser.PersonID][]*try
	locks     []purser.LockPlaced

	allowed, first, refused int
	starts, snapshots       int
	rotations               [purser.KeyDestroyed + 1]int // by step
}

type claimed struct {
	contact purser.ContactID
	session purser.SessionID
}

type shownTo struct {
	contact  purser.ContactID
	customer purser.Ordinal
	person   purser.PersonID
}

// try is an attempt, failed as long as no result says otherwise.
type try struct {
	at purser.Stamp
	ok bool
}

func newRecount() *recount {
	return &recount{
		fold: fold.New(), claims: map[claimed]bool{}, bound: map[purser.ContactID]purser.Ordinal{}, seen: map[shownTo]bool{},
		shown: map[purser.PersonID][]purser.Stamp{}, weak: map[purser.PersonID][]purser.Stamp{},
		ofVendor: map[purser.VendorID][]purser.Stamp{}, delivered: map[purser.VendorID][]purser.Stamp{},
		contacts: map[purser.ContactID]bool{}, owner: map[purser.SourceID]purser.VendorID{},
		tries: map[purser.Pos]*try{}, against: map[purser.Tag][]*try{}, by: map[purser.PersonID][]*try{},
	}
}

// take reads the next stored entry.
func (r *recount) take(pos purser.Pos, stored []byte) (purser.Entry, error) {
	h, e, err := purser.ParseEntry(stored)
	if err != nil {
		return nil, err
	}
	if r.again, err = purser.AppendEntry(r.again[:0], h.Pos, h.Stamp, e); err != nil || string(r.again) != string(stored) {
		return nil, fmt.Errorf("another encoding of the same entry: %w", err)
	}
	if h.Pos != pos || pos != r.frontier.Size() || h.Stamp < r.stamp {
		return nil, fmt.Errorf("position %d and stamp %d after %d entries up to %d", h.Pos, h.Stamp, r.frontier.Size(), r.stamp)
	}
	r.frontier.Append(proof.LeafHash(stored))
	r.stamp = h.Stamp
	if err := r.check(h, e); err != nil {
		return nil, err
	}
	if err := r.fold.Apply(h, e); err != nil {
		return nil, err
	}
	r.fold.Commit()
	return e, nil
}

func (r *recount) check(h purser.Header, e purser.Entry) error {
	if d, ok := e.(purser.Decision); ok && d.Refused() != purser.Allowed {
		r.refused++
		return nil
	}
	switch e := e.(type) {
	case *purser.Start:
		r.starts++
	case *purser.Snapshot:
		r.snapshots++
	case *purser.KeyRotation:
		r.rotations[e.Step]++
	case *purser.SourceSet:
		r.owner[e.Source] = e.Vendor
	case *purser.ContactEvent:
		if e.Event == purser.EventConnected && !r.contacts[e.Contact] {
			r.contacts[e.Contact] = true
			r.delivered[r.owner[e.Source]] = append(r.delivered[r.owner[e.Source]], h.Stamp)
		}
	case *purser.Claim:
		r.claims[claimed{e.Contact, e.Who.Session}] = true
	case *purser.LockPlaced:
		r.locks = append(r.locks, *e)
	case *purser.Attempt:
		return r.attempt(h, e)
	case *purser.AttemptResult:
		if t := r.tries[e.Attempt]; t != nil {
			t.ok = true
		}
		r.bound[e.Contact] = e.Customer
	case *purser.Disclosure:
		return r.disclosure(h, e)
	}
	return nil
}

func (r *recount) attempt(h purser.Header, e *purser.Attempt) error {
	if n := failed(r.against[e.Tag], h.Stamp-purser.Day); n >= budget.FailuresDay {
		return fmt.Errorf("an attempt on somebody with %d failures in a day", n)
	}
	if n := failed(r.against[e.Tag], h.Stamp-30*purser.Day); n >= budget.FailuresMonth {
		return fmt.Errorf("an attempt on somebody with %d failures in a month", n)
	}
	if n := failed(r.by[e.Who.Person], h.Stamp-purser.Day); n >= budget.PersonFailuresDay {
		return fmt.Errorf("an attempt by somebody with %d failures in a day", n)
	}
	t := &try{at: h.Stamp}
	r.tries[h.Pos] = t
	r.against[e.Tag] = append(r.against[e.Tag], t)
	r.by[e.Who.Person] = append(r.by[e.Who.Person], t)
	return nil
}

func failed(tries []*try, since purser.Stamp) (n int) {
	for i := len(tries) - 1; i >= 0 && tries[i].at > since; i-- {
		if !tries[i].ok {
			n++
		}
	}
	return n
}

// after counts moments later than since; the moments ascend.
func after(moments []purser.Stamp, since purser.Stamp) (n int) {
	for i := len(moments) - 1; i >= 0 && moments[i] > since; i-- {
		n++
	}
	return n
}

func (r *recount) disclosure(h purser.Header, e *purser.Disclosure) error {
	r.allowed++
	if !r.claims[claimed{e.Contact, e.Who.Session}] {
		return fmt.Errorf("disclosed in a contact that the session never claimed")
	}
	if e.Customer == 0 || r.bound[e.Contact] != e.Customer {
		return fmt.Errorf("disclosed customer %d in a contact that binds %d", e.Customer, r.bound[e.Contact])
	}
	for i := len(r.locks) - 1; i >= 0; i-- {
		if l := &r.locks[i]; l.Target.ID == e.Who.Person && h.Stamp < l.Expires {
			return fmt.Errorf("disclosed to somebody under lock %v", l.Lock)
		}
	}
	to := shownTo{e.Contact, e.Customer, e.Who.Person}
	if first := !r.seen[to]; first != (e.Flags&purser.FirstDisclosure != 0) {
		return fmt.Errorf("first disclosure: %v, the entry says otherwise", first)
	} else if !first {
		return nil
	}
	r.first++
	r.seen[to] = true
	return r.budget(h.Stamp, e)
}

// budget checks a first disclosure against the compiled ceilings. Delivered
// contacts are counted for one hour more than a day: an allowance is counted
// in whole hours.
func (r *recount) budget(at purser.Stamp, e *purser.Disclosure) error {
	most, who := budget.Compiled(), e.Who.Person
	if n := after(r.shown[who], at-purser.Hour); n >= int(most.PersonHour) {
		return fmt.Errorf("customer %d of one person in an hour", n+1)
	}
	if n := after(r.shown[who], at-purser.Day); n >= int(most.PersonDay) {
		return fmt.Errorf("customer %d of one person in a day", n+1)
	}
	r.shown[who] = append(r.shown[who], at)
	if e.Assurance <= purser.A1 {
		if n := after(r.weak[who], at-purser.Day); n >= int(most.WeakDay) {
			return fmt.Errorf("weak contact %d of one person in a day", n+1)
		}
		r.weak[who] = append(r.weak[who], at)
	}
	v := e.Who.Vendor
	allowance := after(r.delivered[v], at-purser.Day-purser.Hour)*int(most.VendorShare)/100 + budget.VendorSlack
	if n := after(r.ofVendor[v], at-purser.Day); n >= allowance {
		return fmt.Errorf("customer %d of one vendor in a day, of %d", n+1, allowance)
	}
	r.ofVendor[v] = append(r.ofVendor[v], at)
	return nil
}
