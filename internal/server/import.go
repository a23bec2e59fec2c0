package server

import (
	"context"
	"fmt"
	"io"

	"purser"
	"purser/internal/record"
)

// Import brings customers in from CSV on the word of the operator on the host.
// It is resumable: batches of the same file that are in are skipped. Customers
// are stored only in a sealed deployment, or a labelled one.
func (d *Deployment) Import(ctx context.Context, r io.Reader, progress func(done, total int64)) (record.Summary, error) {
	sum, err := d.Records.Import(ctx, d.log, purser.Actor{}, r, record.ImportOptions{Region: d.cfg.Region, Progress: progress})
	if err != nil {
		return sum, fmt.Errorf("import: %w", err)
	}
	return sum, nil
}
