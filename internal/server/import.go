package server

import (
	"context"
	"fmt"
	"io"

	"purser"
	"purser/internal/record"
)

// Import brings customers in on the word of the operator on the host. It is
// resumable: a file that was broken off goes on where it stopped. Customers are
// stored only in a sealed deployment, or a labelled one. A region that o does
// not name is the configured one.
func (d *Deployment) Import(ctx context.Context, r io.Reader, o record.ImportOptions) (record.Summary, error) {
	if o.Region == "" {
		o.Region = d.cfg.Region
	}
	o.Spool = d.cfg.Data
	sum, err := d.Records.Import(ctx, d.log, purser.Actor{}, r, o)
	if err != nil {
		return sum, fmt.Errorf("import: %w", err)
	}
	return sum, nil
}

// Abandon gives up an import that has not ended.
func (d *Deployment) Abandon(ctx context.Context) (record.Summary, error) {
	return d.Records.Abandon(ctx, d.log, purser.Actor{})
}
