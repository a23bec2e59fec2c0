package bench

import (
	"context"
	"errors"
	"sync"
	"syscall"
	"time"
)

// load is what a number of callers reached together.
type load struct {
	rate   float64   // answers a second
	second []float64 // of each answer, in seconds
	cpu    float64   // seconds of processor that the whole process spent on an answer
}

// drive has callers ask again and again, each as soon as it was answered, for
// about d. ask is told who asks and for which time; an error of it ends the
// run.
func drive(ctx context.Context, callers int, d time.Duration, ask func(ctx context.Context, caller, turn int) error) (load, error) {
	ended := make([]error, callers)
	times := make([][]float64, callers)
	before := processorTime()
	start := time.Now()
	var running sync.WaitGroup
	for c := range callers {
		running.Go(func() {
			for turn, now := 0, start; ended[c] == nil && now.Sub(start) < d; turn++ {
				ended[c] = ask(ctx, c, turn)
				done := time.Now()
				times[c] = append(times[c], done.Sub(now).Seconds())
				now = done
			}
		})
	}
	running.Wait()
	elapsed := time.Since(start).Seconds()
	var all load
	for _, t := range times {
		all.second = append(all.second, t...)
	}
	all.rate = float64(len(all.second)) / elapsed
	all.cpu = (processorTime() - before).Seconds() / float64(len(all.second))
	return all, errors.Join(ended...)
}

// processorTime returns how long this process has run on all cores together.
// Unlike a rate it hardly depends on what else the machine does.
func processorTime() time.Duration {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// spread collects, round by round, what stands beside a rate.
type spread struct{ p50, p99, cpu, reference []float64 }

// add keeps a round: the load, and what the reference took of the processor for
// one answer.
func (s *spread) add(l load, referenceCPU float64) {
	s.p50 = append(s.p50, 1e3*percentile(l.second, 0.5))
	s.p99 = append(s.p99, 1e3*percentile(l.second, 0.99))
	s.cpu = append(s.cpu, 1e6*l.cpu)
	s.reference = append(s.reference, 1e6*referenceCPU)
}

// complete adds the medians over the rounds to a result, which is met only if
// p99 is at most as many milliseconds too.
func (s *spread) complete(r *Result, most float64) {
	r.Met = r.Met && median(s.p99) <= most
	r.More = map[string]float64{
		"p50_ms": median(s.p50), "p99_ms": median(s.p99), "p99_ms_target": most,
		"cpu_us": median(s.cpu), "reference_cpu_us": median(s.reference),
	}
}
