package server

import (
	"bufio"
	"bytes"
	"context"
	"log/slog"
	"time"

	"purser"
)

// Limit gives a server the limits of the real ones.
var Limit = limit

// Every runs work as background work is run, until ctx ends.
func Every(ctx context.Context, c Clock, l *slog.Logger, period time.Duration, work func(context.Context) error) {
	b := &background{clock: c, logger: l}
	b.every(ctx, period, "test", work)
	b.running.Wait()
}

// WatchSources looks once for sources that fell silent.
func (d *Deployment) WatchSources(ctx context.Context) error {
	return d.watchSources(&staleWatch{told: make(map[purser.SourceID]bool)})(ctx)
}

// CloseLedger closes the ledger alone.
func (d *Deployment) CloseLedger() error { return d.log.Close() }

// KeyFile reads the beginning of a file of wrapped keys and writes it again.
func KeyFile(b []byte) ([]byte, error) {
	k, err := readKeyFile(bufio.NewReader(bytes.NewReader(b)))
	return k.bytes(), err
}
