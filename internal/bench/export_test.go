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
