// Package bench owns the measurements that Purser promises: each runs Purser
// and what it is held against alternately in one run, on one machine, and
// reports the ratio, since milliseconds move from machine to machine and
// ratios do not.
//
// It does not own pass or fail: a missed target is printed as missed, and no
// test depends on a time. Scratch deployments live in temporary directories
// with the scratch label.
//
// Start reading at [Result] and [Rounds].
package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"text/tabwriter"
)

// Reference is what a figure is held against.
type Reference struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// Result is one figure, its reference in the same run, and the target.
type Result struct {
	ID        string    `json:"id"`
	What      string    `json:"what"`
	Ours      float64   `json:"ours"` // median over the rounds
	Reference Reference `json:"reference"`
	Unit      string    `json:"unit"`
	// Ratio is the ratio of the medians, in the direction that Target names.
	Ratio  float64 `json:"ratio"`
	Min    float64 `json:"min"` // of the ratio, round by round
	Max    float64 `json:"max"`
	Target float64 `json:"target"`
	Met    bool    `json:"met"` // the ratio, and p99 where it has a target too
	// More are further figures of the same rounds, such as p99.
	More map[string]float64 `json:"more,omitempty"`
}

// Sense says whether a ratio should be large or small.
type Sense uint8

// The senses.
const (
	AtLeast Sense = 1 + iota
	AtMost
)

// Rounds collects ours and the reference, measured in turn.
type Rounds struct {
	ours, reference []float64
}

// Add keeps one round: ours and the reference, measured one after the other.
func (r *Rounds) Add(ours, reference float64) {
	r.ours = append(r.ours, ours)
	r.reference = append(r.reference, reference)
}

// Result computes medians, their ratio ours ÷ reference and its range.
func (r *Rounds) Result(id, what, unit, reference string, target float64, sense Sense) Result {
	ours, ref := median(r.ours), median(r.reference)
	ratios := make([]float64, len(r.ours))
	for i := range ratios {
		ratios[i] = r.ours[i] / r.reference[i]
	}
	out := Result{
		ID: id, What: what, Unit: unit, Ours: ours, Reference: Reference{reference, ref},
		Ratio: ours / ref, Min: slices.Min(ratios), Max: slices.Max(ratios), Target: target,
	}
	out.Met = out.Ratio >= target
	if sense == AtMost {
		out.Met = out.Ratio <= target
	}
	return out
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// percentile returns the value below which the share q of the sorted values
// lies.
func percentile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// WriteJSON prints one object a line.
func WriteJSON(w io.Writer, results []Result) error {
	e := json.NewEncoder(w)
	for _, r := range results {
		if err := e.Encode(r); err != nil {
			return err
		}
	}
	return nil
}

// WriteTable prints the results for people.
func WriteTable(w io.Writer, results []Result) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\tours\treference\tunit\tratio\tmin\tmax\ttarget\t\t")
	for _, r := range results {
		met := "missed"
		if r.Met {
			met = "met"
		}
		fmt.Fprintf(t, "%s\t%.4g\t%.4g\t%s\t%.3f\t%.3f\t%.3f\t%.2f\t%s\t\n",
			r.ID, r.Ours, r.Reference.Value, r.Unit, r.Ratio, r.Min, r.Max, r.Target, met)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, r := range results {
		fmt.Fprintf(w, "\n%s  %s\n    held against: %s\n", r.ID, r.What, r.Reference.Name)
		for _, name := range slices.Sorted(maps.Keys(r.More)) {
			fmt.Fprintf(w, "    %s: %.4g\n", name, r.More[name])
		}
	}
	return nil
}

// Options shape a run.
type Options struct {
	// Quick is the small form of under a minute, with the same ratios.
	Quick bool
	// Dir is where scratch directories are made and removed again; empty means
	// the system's temporary directory. It should be on the disk that counts.
	Dir string
	// Progress says what is being measured; may be nil.
	Progress func(text string)
}

func (o Options) say(format string, args ...any) {
	if o.Progress != nil {
		o.Progress(fmt.Sprintf(format, args...))
	}
}

// scratch runs f with a directory that is removed afterwards.
func (o Options) scratch(f func(dir string) error) error {
	dir, err := os.MkdirTemp(o.Dir, "purser-bench-")
	if err != nil {
		return fmt.Errorf("make scratch directory: %w", err)
	}
	return errors.Join(f(dir), os.RemoveAll(dir))
}

// Run is one benchmark by name.
type Run func(context.Context, Options) ([]Result, error)
