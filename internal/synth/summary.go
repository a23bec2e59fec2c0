package synth

import "iter"

// A Summary is the truth about a set of made-up customers, for tests that
// check what a statement or a notice says about them.
type Summary struct {
	// Customers is how many there are.
	Customers int
	// Combinations counts them by the exact set of fields they hold.
	Combinations map[Fields]int
	// OtherScripts counts those with a romanised name.
	OtherScripts int
}

// Summarise counts customers.
func Summarise(customers iter.Seq[Customer]) Summary {
	s := Summary{Combinations: map[Fields]int{}}
	for c := range customers {
		s.Customers++
		s.Combinations[c.Holds()]++
		if c.FamilyRomanised != "" {
			s.OtherScripts++
		}
	}
	return s
}

// Holding returns how many customers hold at least these fields.
func (s Summary) Holding(fields Fields) int {
	n := 0
	for held, count := range s.Combinations {
		if held.Has(fields) {
			n += count
		}
	}
	return n
}

// Exactly returns how many customers hold these fields and no others.
func (s Summary) Exactly(fields Fields) int { return s.Combinations[fields] }
