// Package budget owns the ceilings: how many customers a person may bind and
// see, how often somebody may fail against a customer, how many codes are sent,
// and what a vendor may see for the contacts that were delivered to it.
//
// It does not own tries within one contact (package contact counts those), nor
// what happens to somebody who reaches a ceiling beyond the refusal. Decisions
// ([Sheet.Disclose], [Sheet.Attempt], …) read; only [Sheet.Apply] counts.
//
// Laws carried here: L2 (integers, no order of maps) and the ceilings of L11: a
// Configuration tightens the compiled values of [Compiled] and never exceeds
// them.
//
// Start reading at [Ceilings], then [Sheet.Disclose].
package budget

import (
	"purser"
	"purser/internal/rule/overlay"
)

// Ceilings bound what happens in a vendor. Counts are customers, contacts or
// tries in the sliding window named; 0 allows nothing.
type Ceilings struct {
	PersonHour    uint32 // customers first disclosed, per person and hour
	PersonDay     uint32 // and per person and day
	WeakDay       uint32 // weak contacts, per person and day
	BreakGlassDay uint32 // break-glass asked for, per person and day
	AmendDay      uint32 // fields written, per person and day
	Export        uint32 // customers exported without a mandate
	// VendorShare is how many customers a vendor may see per day, in percent
	// of the contacts delivered to it, beyond VendorSlack.
	VendorShare uint32
	// AfterHangUp is for how many seconds open fields stay after hang-up.
	AfterHangUp uint32
}

// Ceilings that no configuration changes.
const (
	// LinkedContact is how many linked customers one contact may have.
	LinkedContact = 9
	// LinkedSlack is how many linked customers a person may bind in a day
	// beyond half the contacts claimed.
	LinkedSlack = 9
	// FailuresDay and FailuresMonth bound failed attempts against one customer
	// over everybody, in 24 hours and in 30 days.
	FailuresDay   = 5
	FailuresMonth = 10
	// PersonFailuresDay bounds the failed attempts of one person in a day.
	PersonFailuresDay = 20
	// SendsDay bounds the codes sent to one customer in a day.
	SendsDay = 3
	// VendorSlack is how many customers a vendor may see in a day before its
	// share of delivered contacts counts: it carries a small centre, and the
	// contacts that were delivered just before the window began.
	VendorSlack = 20
	// WeakLeast is the ceiling on weak contacts where peers have few.
	WeakLeast = 15
	// WeakFactor is how often the peers' median a person may reach.
	WeakFactor = 3
)

// Compiled returns the ceilings that hold when nothing is tightened, and that
// no configuration exceeds. AfterHangUp is the exception: its default is 45 and
// its ceiling what it has here.
func Compiled() Ceilings {
	return Ceilings{
		PersonHour: 40, PersonDay: 150, WeakDay: weakMost, BreakGlassDay: 3, AmendDay: 10,
		Export: 0, VendorShare: 130, AfterHangUp: 120,
	}
}

const (
	weakMost           = 40
	defaultAfterHangUp = 45
)

// Draft is a disclosure that is being decided.
type Draft struct {
	Who     purser.Actor
	Contact purser.ContactID
	First   bool // the first of this customer in this contact: what is counted
	Weak    bool // at A1 or less
	Linked  bool // of a linked customer
}

// Sheet counts. The zero Sheet is ready to use. It belongs to the goroutine
// that owns the fold.
type Sheet struct {
	shown    overlay.Table[purser.PersonID, shown]
	tries    overlay.Table[purser.PersonID, tries]
	tags     overlay.Table[purser.Tag, against]
	contacts overlay.Table[purser.ContactID, contact]
	vendors  overlay.Table[purser.VendorID, vendor]
	weak     overlay.Table[vendorDay, histogram]
	sources  overlay.Table[purser.SourceID, purser.VendorID]
	pending  overlay.Table[purser.Pos, pending]
	tighter  overlay.Table[setting, uint32]
	swept    overlay.Cell[purser.Stamp] // the last full sweep, cut to hours
}

// Ceilings returns what holds in a vendor now: the compiled values, tightened
// for everybody, then for the vendor. WeakDay includes what the vendor's peers
// allow; that was frozen at the last midnight (UTC).
func (s *Sheet) Ceilings(v purser.VendorID) Ceilings {
	c := Compiled()
	c.PersonHour = s.tightened(v, purser.BudgetPersonHour)
	c.PersonDay = s.tightened(v, purser.BudgetPersonDay)
	c.WeakDay = min(s.tightened(v, purser.BudgetWeakDay), s.peers(v))
	c.BreakGlassDay = s.tightened(v, purser.BudgetBreakGlassDay)
	c.VendorShare = s.tightened(v, purser.BudgetVendorShare)
	c.AfterHangUp = s.tightened(v, purser.BudgetAfterHangUp)
	return c
}

// tightened is the least of the default, the value for all and the vendor's.
func (s *Sheet) tightened(v purser.VendorID, which purser.BudgetKind) uint32 {
	value, set := s.tighter.Get(setting{which: which})
	if own, ok := s.tighter.Get(setting{v, which}); ok && (!set || own < value) {
		value, set = own, true
	}
	if !set {
		return standard(which)
	}
	return value
}

// Disclose decides whether the budgets allow a disclosure. Only the first of a
// customer in a contact counts.
func (s *Sheet) Disclose(d Draft, at purser.Stamp) purser.Reason {
	if !d.First {
		return purser.Allowed
	}
	c := s.Ceilings(d.Who.Vendor)
	mine, _ := s.shown.Get(d.Who.Person)
	if mine.hour.Sum(hour, at) >= c.PersonHour {
		return purser.BudgetHour
	}
	if mine.day.Sum(day, at) >= c.PersonDay {
		return purser.BudgetDay
	}
	if d.Weak && mine.weak.Sum(day, at) >= c.WeakDay {
		return purser.BudgetWeak
	}
	if d.Linked {
		if row, _ := s.contacts.Get(d.Contact); row.linkedShown >= LinkedContact {
			return purser.BudgetLinked
		}
	}
	if ours, _ := s.vendors.Get(d.Who.Vendor); ours.shown.Sum(day, at) >= ours.most(c.VendorShare, at) {
		return purser.BudgetVendor
	}
	return purser.Allowed
}

// Bind decides, before anything is compared, whether who may bind a customer
// to a contact: customers bound stay within claimed contacts, linked customers
// within nine a contact and half the claimed contacts and nine a day. It counts
// attempts of his in other contacts that have no result yet as bound, so the
// result of an attempt that was allowed here always fits. Asking afterwards
// would tell a match from a miss (L5).
func (s *Sheet) Bind(who purser.PersonID, c purser.ContactID, linked bool, at purser.Stamp) purser.Reason {
	mine, _ := s.tries.Get(who)
	row, _ := s.contacts.Get(c)
	open := uint32(mine.open)
	if linked {
		if uint32(row.linked)+uint32(row.open) >= LinkedContact {
			return purser.BudgetLinked
		}
		if mine.linked.Sum(day, at)+open >= mine.claimed.Sum(day, at)/2+LinkedSlack {
			return purser.BudgetLinked
		}
		return purser.Allowed
	}
	if !row.binder.Zero() {
		return purser.Allowed // the contact binds him already
	}
	if mine.bound.Sum(binding, at)+open-min(open, uint32(row.open)) >= mine.claimed.Sum(day, at) {
		return purser.BudgetBind
	}
	return purser.Allowed
}

// Attempt decides whether who may fail once more by match, and whether the
// customer behind the tags (this month's and last month's) may be failed
// against once more. Attempts without a result count as failed. Other ways are
// bounded by what they take: a code by its tries and sends.
func (s *Sheet) Attempt(who purser.PersonID, now, last purser.Tag, way purser.Way, at purser.Stamp) purser.Reason {
	if !compares(way) {
		return purser.Allowed // it guesses at nothing that is stored
	}
	mine, _ := s.tries.Get(who)
	if mine.failed.Sum(day, at)+uint32(mine.open) >= PersonFailuresDay {
		return purser.AgentLimited
	}
	var inDay, inMonth uint32
	for _, row := range s.against(now, last) {
		inDay += row.failedDay.Sum(day, at) + uint32(row.open)
		inMonth += row.failedMonth.Sum(month, at) + uint32(row.open)
	}
	if inDay >= FailuresDay || inMonth >= FailuresMonth {
		return purser.CustomerLimited
	}
	return purser.Allowed
}

// Send decides whether one more code may go to the customer behind the tags.
// A send whose result is missing counts as sent.
func (s *Sheet) Send(now, last purser.Tag, at purser.Stamp) purser.Reason {
	var sent uint32
	for _, row := range s.against(now, last) {
		sent += row.sent.Sum(day, at) + uint32(row.sending)
	}
	if sent >= SendsDay {
		return purser.SendsSpent
	}
	return purser.Allowed
}

// against returns the rows of this month's and last month's tag, once each.
func (s *Sheet) against(now, last purser.Tag) [2]against {
	var rows [2]against
	rows[0], _ = s.tags.Get(now)
	if last != now {
		rows[1], _ = s.tags.Get(last)
	}
	return rows
}

// BreakGlass decides whether who may ask for break-glass once more today.
func (s *Sheet) BreakGlass(who purser.Actor, at purser.Stamp) purser.Reason {
	mine, _ := s.tries.Get(who.Person)
	if mine.broken.Sum(day, at) >= s.Ceilings(who.Vendor).BreakGlassDay {
		return purser.BudgetBreak
	}
	return purser.Allowed
}

// Amend decides whether who may write so many more fields today.
func (s *Sheet) Amend(who purser.Actor, fields int, at purser.Stamp) purser.Reason {
	mine, _ := s.tries.Get(who.Person)
	if mine.amended.Sum(day, at)+uint32(fields) > s.Ceilings(who.Vendor).AmendDay {
		return purser.BudgetAmend
	}
	return purser.Allowed
}
