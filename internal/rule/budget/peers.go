package budget

import (
	"purser"
	"purser/internal/rule/overlay"
)

const (
	// peerDays is over how many whole days the peers' median runs.
	peerDays = 28
	// weakBins is how many counts of weak contacts are told apart: 0 to 40,
	// and more.
	weakBins = weakMost + 2
)

// histogram says how many persons had how many weak contacts on one day.
type histogram struct {
	day    int64
	counts [weakBins]uint16
}

// vendorDay is where a vendor's histogram of one day is kept: days take turns.
type vendorDay struct {
	vendor purser.VendorID
	slot   uint8 // day modulo peerDays
}

// vendor counts what happens in one vendor.
type vendor struct {
	delivered, shown overlay.Window
	today            histogram // of persons who were shown anybody today
	median           uint8     // over the peerDays days before today
}

func dayOf(at purser.Stamp) int64 { return int64(at / purser.Day) }

// most is how many customers a vendor may see in the window that ends at at.
func (v *vendor) most(share uint32, at purser.Stamp) uint32 {
	return v.delivered.Sum(day, at)*share/100 + VendorSlack
}

// mark moves a person's day one bin up when weak, or into the first bin when he
// has not been shown anybody here today.
func (v *vendor) mark(p personDay, id purser.VendorID, weak bool) personDay {
	if p.vendor != id || p.day != v.today.day {
		p = personDay{vendor: id, day: v.today.day}
	} else {
		v.today.counts[p.weak]--
	}
	if weak && p.weak < weakBins-1 {
		p.weak++
	}
	v.today.counts[p.weak]++
	return p
}

// vendor changes a vendor's row, moved to the day of at first.
func (s *Sheet) vendor(id purser.VendorID, at purser.Stamp, change func(*vendor)) {
	row, ok := s.vendors.Get(id)
	if !ok {
		row.today.day = dayOf(at)
	}
	s.midnight(id, &row, dayOf(at))
	change(&row)
	s.vendors.Put(id, row)
}

// midnight puts the finished day of a vendor away and freezes the median for
// today.
func (s *Sheet) midnight(id purser.VendorID, row *vendor, today int64) {
	if row.today.day == today {
		return
	}
	if row.today.counts != [weakBins]uint16{} {
		s.weak.Put(vendorDay{id, slotOf(row.today.day)}, row.today)
	}
	row.today = histogram{day: today}
	row.median = s.median(id, today)
}

func slotOf(day int64) uint8 { return uint8(day % peerDays) }

// median is the lower median of weak contacts per person-day over the whole
// days before today; 0 when there was none.
func (s *Sheet) median(id purser.VendorID, today int64) uint8 {
	var bins [weakBins]uint32
	var n uint32
	for slot := range uint8(peerDays) {
		h, ok := s.weak.Get(vendorDay{id, slot})
		if !ok || h.day < today-peerDays || h.day >= today {
			continue
		}
		for i, c := range h.counts {
			bins[i] += uint32(c)
			n += uint32(c)
		}
	}
	var below uint32
	for i, c := range bins {
		below += c
		if 2*below >= n {
			return uint8(i)
		}
	}
	return 0
}

// peers is how many weak contacts a person of the vendor may have in a day, as
// frozen at the last midnight.
func (s *Sheet) peers(v purser.VendorID) uint32 {
	row, _ := s.vendors.Get(v)
	return max(WeakLeast, WeakFactor*uint32(row.median))
}
