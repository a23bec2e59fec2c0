package synth

import "purser/internal/rule/canon"

// Loyalty numbers have nine digits that do not begin with 0, and the check
// digit. The stride shares no factor with the count.
const (
	firstLoyalty  = 100_000_000
	loyaltyCount  = 900_000_000
	loyaltyStride = 387_421_013
)

// memberNumber returns the loyalty number of customer i without check digit.
func memberNumber(seed uint64, i int) int {
	return firstLoyalty + int(shuffled(seed, streamLoyalty, uint64(i), loyaltyStride, loyaltyCount))
}

func loyaltyNumber(member int) string {
	var buf [10]byte
	b := number(buf[:0], member, 9)
	check, err := canon.LoyaltyCheckDigit(string(b))
	if err != nil {
		return "" // cannot be: nine digits have one; a test reads every number back
	}
	return string(append(b, check))
}

// Booking references number all strings of six places in base 36. Each
// customer owns three: two of his own and one that his party may share.
const (
	bookingCount    = 36 * 36 * 36 * 36 * 36 * 36
	bookingStride   = 1_345_678_901
	bookingPlaces   = 6
	bookingsOwned   = 3
	bookingOfParty  = 2
	maxBookings     = 2
	partyWindow     = 4  // parties lie within windows of four customers
	partyPercent    = 12 // of the windows hold a party
	smallestParty   = 2
	partySizes      = 3 // 2, 3 or 4
	noBooking       = 55
	oneBookingBelow = 88
)

func bookingReference(seed uint64, owner, which int) string {
	id := uint64(owner)*bookingsOwned + uint64(which)
	var buf [bookingPlaces]byte
	return string(base36(buf[:0], shuffled(seed, streamBooking, id, bookingStride, bookingCount), bookingPlaces, upperDigits))
}

// party returns the first customer of the linked party that customer i
// travels with. Neighbours by index form it, so each member finds it alone.
func party(seed uint64, i int) (first int, member bool) {
	window := i / partyWindow
	d := newDice(seed, streamParty, uint64(window))
	if !d.chance(partyPercent) {
		return 0, false
	}
	size := smallestParty + d.below(partySizes)
	return window * partyWindow, i%partyWindow < size
}

// bookingReferences draws up to two, the party's first.
func bookingReferences(d *dice, seed uint64, i int) []string {
	own := 0
	switch r := d.below(100); {
	case r < noBooking:
	case r < oneBookingBelow:
		own = 1
	default:
		own = 2
	}
	first, member := party(seed, i)
	if !member && own == 0 {
		return nil
	}
	out := make([]string, 0, maxBookings)
	if member {
		out = append(out, bookingReference(seed, first, bookingOfParty))
	}
	for which := 0; which < own && len(out) < maxBookings; which++ {
		out = append(out, bookingReference(seed, i, which))
	}
	return out
}
