package demo

import "time"

// dice is where the day's chances come from: each call, agent and name has a
// sequence of its own that follows from the seed, so that the same seed plays
// the same day however the machine schedules it.
type dice struct{ state uint64 }

// The streams keep apart draws that must not depend on each other.
const (
	streamCall uint64 = 1 + iota
	streamThief
)

func newDice(seed, stream, index uint64) *dice {
	return &dice{spread(spread(seed)^stream<<56) ^ spread(index)}
}

// spread is the finisher of SplitMix64.
func spread(x uint64) uint64 {
	x += 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

// below returns a number from 0 to n-1.
func (d *dice) below(n int) int {
	d.state += 0x9E3779B97F4A7C15
	return int(spread(d.state) >> 1 % uint64(n))
}

// chance is true in percent of a hundred draws.
func (d *dice) chance(percent int) bool { return d.below(100) < percent }

// seconds returns a time of from to to seconds.
func (d *dice) seconds(from, to int) time.Duration {
	return time.Duration(from*1000+d.below((to-from)*1000)) * time.Millisecond
}

// some returns up to n of the words, in their order.
func (d *dice) some(n int, words ...string) []string {
	n = min(n, len(words))
	var out []string
	for i, word := range words {
		if d.below(len(words)-i) < n-len(out) {
			out = append(out, word)
		}
	}
	return out
}
