package bench_test

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"purser/internal/bench"
)

func TestARatioIsThatOfTheMedians(t *testing.T) {
	type round struct{ ours, reference float64 }
	for _, c := range []struct {
		name            string
		rounds          []round
		target          float64
		sense           bench.Sense
		ours, reference float64
		ratio, min, max float64
		met             bool
	}{
		{"one round", []round{{30, 100}}, 0.25, bench.AtLeast, 30, 100, 0.3, 0.3, 0.3, true},
		{"the middle of three counts, not the mean", []round{{10, 100}, {20, 100}, {90, 100}}, 0.25, bench.AtLeast, 20, 100, 0.2, 0.1, 0.9, false},
		{"of four, between the middle two", []round{{1, 10}, {2, 10}, {4, 10}, {9, 10}}, 0.3, bench.AtLeast, 3, 10, 0.3, 0.1, 0.9, true},
		{"sides are sorted apart, ratios are not", []round{{10, 10}, {20, 40}, {30, 20}}, 1, bench.AtLeast, 20, 20, 1, 0.5, 1.5, true},
		{"at most, below", []round{{200, 100}}, 2.5, bench.AtMost, 200, 100, 2, 2, 2, true},
		{"at most, above", []round{{300, 100}}, 2.5, bench.AtMost, 300, 100, 3, 3, 3, false},
		{"exactly the target is met", []round{{50, 100}}, 0.5, bench.AtMost, 50, 100, 0.5, 0.5, 0.5, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r bench.Rounds
			for _, one := range c.rounds {
				r.Add(one.ours, one.reference)
			}
			got := r.Result("P0", "what", "unit", "peer", c.target, c.sense)
			for _, f := range []struct {
				name      string
				got, want float64
			}{
				{"ours", got.Ours, c.ours},
				{"reference", got.Reference.Value, c.reference},
				{"ratio", got.Ratio, c.ratio},
				{"min", got.Min, c.min},
				{"max", got.Max, c.max},
				{"target", got.Target, c.target},
			} {
				if math.Abs(f.got-f.want) > 1e-12 {
					t.Errorf("%s: got %v, want %v", f.name, f.got, f.want)
				}
			}
			if got.Met != c.met || got.ID != "P0" || got.Unit != "unit" || got.Reference.Name != "peer" {
				t.Errorf("got %+v, want met %v", got, c.met)
			}
		})
	}
}

func TestPercentiles(t *testing.T) {
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[99-i] = float64(i + 1)
	}
	for _, c := range []struct {
		name   string
		values []float64
		q      float64
		want   float64
	}{
		{"nothing", nil, 0.99, 0},
		{"one", []float64{7}, 0.99, 7},
		{"median of a hundred", hundred, 0.5, 51},
		{"99 of a hundred", hundred, 0.99, 100},
		{"all", hundred, 1, 100},
	} {
		if got := bench.Percentile(c.values, c.q); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func TestResultsAreWritten(t *testing.T) {
	var r bench.Rounds
	r.Add(30, 100)
	results := []bench.Result{r.Result("P1", "what it is", "/s", "a peer", 0.25, bench.AtLeast)}
	results[0].More = map[string]float64{"p99_ms": 4}
	var lines, table bytes.Buffer
	if err := bench.WriteJSON(&lines, results); err != nil {
		t.Fatal(err)
	}
	var back bench.Result
	if err := json.Unmarshal(lines.Bytes(), &back); err != nil || back.ID != "P1" || back.Ratio != 0.3 || !back.Met || back.More["p99_ms"] != 4 {
		t.Errorf("JSON: got %s (%v)", lines.Bytes(), err)
	}
	if err := bench.WriteTable(&table, results); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"P1", "0.300", "0.25", "met", "what it is", "a peer", "p99_ms: 4"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("table lacks %q:\n%s", want, table.String())
		}
	}
}

// No time is asserted here: that everything is asked and answered is.
func TestRevealRunsEndToEnd(t *testing.T) {
	results, err := bench.TinyReveal(t.Context(), bench.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	checkResults(t, results, "P1", "P2", "P3")
}

func TestStartRunsEndToEnd(t *testing.T) {
	results, err := bench.TinyStart(t.Context(), bench.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	checkResults(t, results, "P9")
	if got := results[0].More["folded_entries"]; got < 900 || got > 2_000 {
		t.Errorf("folded at a start: got %v entries, want nearly the 1,000 between snapshots", got)
	}
}

func TestOracleRunsEndToEnd(t *testing.T) {
	results, err := bench.TinyOracle(t.Context(), bench.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	checkResults(t, results, "L5", "L5-aimed")
}

func TestTheClassifierFindsWhatCanBeTold(t *testing.T) {
	for _, c := range []struct {
		name                                     string
		first, second, firstJudged, secondJudged []float64
		want                                     float64
	}{
		{"apart, second slower", []float64{1, 2, 3}, []float64{5, 6}, []float64{1, 4}, []float64{5, 9}, 0.75},
		{"apart, second faster", []float64{5, 6}, []float64{1, 2, 3}, []float64{5, 9}, []float64{1, 2}, 1},
		{"the same", []float64{4, 4, 4}, []float64{4, 4, 4}, []float64{4, 4}, []float64{4, 4}, 0.5},
		{"of different sizes, the same", []float64{1, 2}, []float64{1, 2, 1, 2}, []float64{1, 2}, []float64{1, 2}, 0.5},
		{"half of the second slower", []float64{1, 1, 1, 1}, []float64{1, 1, 9, 9}, []float64{1, 1}, []float64{1, 9}, 0.75},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := bench.Classify(c.first, c.second, c.firstJudged, c.secondJudged); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestTheIntervalHoldsTheShare(t *testing.T) {
	for _, c := range []struct {
		name      string
		share     float64
		n         int
		low, high float64
	}{
		{"half of a hundred", 0.5, 100, 0.404, 0.596},
		{"half of ten thousand", 0.5, 10_000, 0.490, 0.510},
		{"all of ten", 1, 10, 0.722, 1},
	} {
		low, high := bench.Wilson(c.share, c.n)
		if math.Abs(low-c.low) > 0.001 || math.Abs(high-c.high) > 0.001 {
			t.Errorf("%s: got %.4f to %.4f, want %.3f to %.3f", c.name, low, high, c.low, c.high)
		}
	}
}

func checkResults(t *testing.T, results []bench.Result, ids ...string) {
	t.Helper()
	if len(results) != len(ids) {
		t.Fatalf("got %d results, want %v", len(results), ids)
	}
	for i, r := range results {
		if r.ID != ids[i] || r.What == "" || !(r.Ours > 0) || !(r.Reference.Value > 0) || !(r.Min <= r.Ratio*2) || !(r.Max > 0) {
			t.Errorf("got %+v, want a figure for %s", r, ids[i])
		}
	}
}
