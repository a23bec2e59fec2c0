package budget_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"purser"
)

// The ceiling on weak contacts follows the median of the person-days of the 28
// whole days before today, and does not move within a day.
func TestWeakCeilingAgainstList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &sheet{at: start}
		busy := rapid.IntRange(0, 40).Draw(t, "usual")
		var days [][]int
		for day := range rapid.IntRange(1, 40).Draw(t, "days") {
			s.at = start + purser.Stamp(day)*purser.Day + purser.Minute
			want := uint32(wanted(days))
			var today []int
			for person := range byte(rapid.IntRange(0, 3).Draw(t, "persons")) {
				n := rapid.IntRange(max(0, busy-3), min(45, busy+5)).Draw(t, "weak")
				s.work(t, actor(person), n)
				today = append(today, min(n, 41))
			}
			s.Sweep(s.at)
			s.Commit()
			if got := s.Ceilings(actor(0).Vendor).WeakDay; got != want {
				t.Fatalf("day %d: got %d, want %d of %v", day, got, want, days)
			}
			days = append(days, today)
			if rapid.IntRange(0, 5).Draw(t, "restart") == 0 {
				s.restart(t)
			}
		}
	})
}

// work records one strong and n weak disclosures as if they had been allowed.
func (s *sheet) work(t fataler, who purser.Actor, n int) {
	t.Helper()
	s.apply(t, &purser.Disclosure{Who: who, Flags: purser.FirstDisclosure})
	for range n {
		s.apply(t, &purser.Disclosure{Who: who, Flags: purser.FirstDisclosure | purser.WeakDisclosure})
	}
}

func wanted(days [][]int) int {
	var all []int
	for _, day := range days[max(0, len(days)-28):] {
		all = append(all, day...)
	}
	if len(all) == 0 {
		return 15
	}
	slices.Sort(all)
	return min(40, max(15, 3*all[(len(all)-1)/2]))
}
