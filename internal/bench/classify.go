package bench

import (
	"fmt"
	"math"
	"slices"
)

// threshold is a classifier: a time above or below At is of the second kind.
type threshold struct {
	at    float64
	above bool
}

// second reports whether the classifier takes a time to be of the second kind.
func (t threshold) second(seconds float64) bool { return (seconds > t.at) == t.above }

// train finds the threshold that is right most often about times of two kinds.
func train(first, second []float64) threshold {
	type sample struct {
		at     float64
		second bool
	}
	all := make([]sample, 0, len(first)+len(second))
	for _, s := range first {
		all = append(all, sample{s, false})
	}
	for _, s := range second {
		all = append(all, sample{s, true})
	}
	slices.SortFunc(all, func(a, b sample) int {
		switch {
		case a.at < b.at:
			return -1
		case a.at > b.at:
			return 1
		}
		return 0
	})
	best, most := threshold{math.Inf(-1), true}, 0.0
	// below is how much of the first kind lies at or below a threshold, less
	// how much of the second does: far from zero, the threshold tells.
	below := 0.0
	for i, s := range all {
		if s.second {
			below -= 1 / float64(len(second))
		} else {
			below += 1 / float64(len(first))
		}
		if i+1 < len(all) && all[i+1].at == s.at {
			continue
		}
		if math.Abs(below) > most {
			best, most = threshold{s.at, below > 0}, math.Abs(below)
		}
	}
	return best
}

// accuracy is how often the classifier is right about times of two kinds, each
// counting half.
func (t threshold) accuracy(first, second []float64) float64 {
	right := func(times []float64, want bool) float64 {
		n := 0
		for _, s := range times {
			if t.second(s) == want {
				n++
			}
		}
		return float64(n) / float64(len(times))
	}
	return (right(first, false) + right(second, true)) / 2
}

// halves splits times into those to train on and those to judge by.
func halves(times []float64) (training, judged []float64) {
	for i, s := range times {
		if i%2 == 0 {
			training = append(training, s)
		} else {
			judged = append(judged, s)
		}
	}
	return training, judged
}

// wilson returns the 95 % interval of a share that was seen among n.
func wilson(share float64, n int) (low, high float64) {
	const z = 1.96
	size := float64(n)
	middle := (share + z*z/(2*size)) / (1 + z*z/size)
	half := z / (1 + z*z/size) * math.Sqrt(share*(1-share)/size+z*z/(4*size*size))
	return middle - half, middle + half
}

// guessing is how often somebody is right who knows nothing.
const guessing = 0.5

// judge trains and judges a classifier for each pair of outcomes and reports
// the one that is right most often.
func (p *prober) judge(times [outcomes][]float64, samples int) Result {
	out := Result{
		ID: "L5", Unit: "share right", Reference: Reference{"guessing", guessing}, Target: oracleTarget / guessing,
		More: make(map[string]float64),
	}
	for first := range outcomes {
		for second := first + 1; second < outcomes; second++ {
			firstTraining, firstJudged := halves(times[first])
			secondTraining, secondJudged := halves(times[second])
			share := train(firstTraining, secondTraining).accuracy(firstJudged, secondJudged)
			out.More[fmt.Sprintf("%v_or_%v", first, second)] = share
			if share > out.Ours {
				low, high := wilson(share, len(firstJudged)+len(secondJudged))
				out.Ours, out.Ratio, out.Min, out.Max = share, share/guessing, low/guessing, high/guessing
			}
		}
	}
	for o := range outcomes {
		out.More[fmt.Sprintf("%v_p50_ms", o)] = 1e3 * median(times[o])
	}
	out.Met = out.Ratio <= out.Target
	moment := "at any moment"
	if p.aim {
		out.ID, moment = "L5-aimed", "aimed so that half of the answers miss a tick"
	}
	out.What = fmt.Sprintf("identify over HTTP, asked %s, %d times each with an unknown, a wrong and a limited customer: "+
		"the best threshold on the time of an answer, trained on half and judged on the rest, for the pair it tells apart best; "+
		"min and max are the 95 %% interval", moment, samples)
	return out
}
