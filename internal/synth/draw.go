package synth

import (
	"math/bits"
	"math/rand/v2"
)

// MaxCustomers is how many customers one seed has before loyalty numbers,
// e-mail addresses and booking references repeat.
const MaxCustomers = 700_000_000

// The streams keep apart draws that must not depend on each other.
const (
	streamPerson uint64 = iota + 1
	streamParty
	streamMix
	streamLoyalty
	streamBooking
)

// dice is the randomness of one customer: a PCG generator seeded by the
// airline's seed, the stream and the customer's index.
type dice struct{ pcg rand.PCG }

func newDice(seed, stream, index uint64) dice {
	var d dice
	d.pcg.Seed(scramble(seed^scramble(stream)), scramble(index))
	return d
}

// below returns a number from 0 to n-1. It takes the high half of a product
// instead of a remainder; for the small n used here the bias is under 2^-50.
func (d *dice) below(n int) int {
	high, _ := bits.Mul64(d.pcg.Uint64(), uint64(n))
	return int(high)
}

// chance is true in percent of a hundred draws.
func (d *dice) chance(percent int) bool { return d.below(100) < percent }

// pick returns one of eight or four words; arrays keep the lists off the heap.
func pick[A [8]string | [4]string](d *dice, from A) string {
	return from[d.below(len(from))]
}

// scramble spreads the bits of x over the whole word, one to one (the
// finisher of SplitMix64), so that neighbouring indexes give unrelated
// streams.
func scramble(x uint64) uint64 {
	x += 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

// shuffled maps 0..size-1 one to one onto itself, differently for each seed:
// a step of stride, which shares no factor with size, from an offset. The
// product must fit into 64 bits.
func shuffled(seed, stream, index, stride, size uint64) uint64 {
	offset := scramble(seed^scramble(stream)) % size
	return (index%size*stride + offset) % size
}

// number appends n in decimal with at least width digits.
func number(b []byte, n, width int) []byte {
	var buf [20]byte
	at := len(buf)
	for n > 0 || width > 0 {
		at--
		buf[at] = byte('0' + n%10)
		n, width = n/10, width-1
	}
	return append(b, buf[at:]...)
}

// The digits of base 36, for printed codes and for e-mail addresses.
const (
	upperDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	lowerDigits = "0123456789abcdefghijklmnopqrstuvwxyz"
)

// base36 appends n in these digits with at least width places.
func base36(b []byte, n uint64, width int, digits string) []byte {
	var buf [16]byte
	at := len(buf)
	for n > 0 || width > 0 {
		at--
		buf[at] = digits[n%36]
		n, width = n/36, width-1
	}
	return append(b, buf[at:]...)
}
