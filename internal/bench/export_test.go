package bench

import (
	"context"
	"time"
)

// Percentile is percentile.
var Percentile = percentile

// TinyReveal is Reveal with a few disclosures.
func TinyReveal(ctx context.Context, o Options) ([]Result, error) {
	return reveal(ctx, o, revealSize{siteSize{200, 2, 2}, 2, 20 * time.Millisecond, 5})
}

// TinyStart is Start on a short ledger.
func TinyStart(ctx context.Context, o Options) ([]Result, error) {
	return start(ctx, o, startSize{siteSize{200, 2, 2}, 3_000, 1_000, 2})
}

// TinyOracle is Oracle with a few asks.
func TinyOracle(ctx context.Context, o Options) ([]Result, error) {
	return oracle(ctx, o, oracleSize{20})
}

// Classify trains on the first two and judges by the last two.
func Classify(first, second, firstJudged, secondJudged []float64) float64 {
	return train(first, second).accuracy(firstJudged, secondJudged)
}

// Wilson is wilson.
var Wilson = wilson
