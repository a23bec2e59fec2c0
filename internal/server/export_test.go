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

// Given counts the entries from a position on by which the system gives cases to
// people, whenever it is time: nobody asked for them.
func (d *Deployment) Given(ctx context.Context, from purser.Pos) (n purser.Pos, err error) {
	for stored, err := range d.db.Entries(ctx, from, d.log.Size()) {
		if err != nil {
			return n, err
		}
		if h, _, err := purser.ReadHeader(stored.Bytes); err != nil {
			return n, err
		} else if h.Kind == purser.KindMandateAssigned {
			n++
		}
	}
	return n, nil
}

// CloseLedger closes the ledger alone.
func (d *Deployment) CloseLedger() error { return d.log.Close() }

// KeyFile reads the beginning of a file of wrapped keys and writes it again.
func KeyFile(b []byte) ([]byte, error) {
	k, err := readKeyFile(bufio.NewReader(bytes.NewReader(b)))
	return k.bytes(), err
}
