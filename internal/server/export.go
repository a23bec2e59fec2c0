package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"purser"
	"purser/internal/deliver"
	"purser/internal/edge/httpapi"
	"purser/internal/fold"
	"purser/internal/gate"
	"purser/internal/rule/mandate"
)

// ExportAsk is an operator's ask to have the customers of a mandate exported.
type ExportAsk struct {
	Mandate purser.MandateID `json:"mandate"`
	Format  deliver.FileForm `json:"format"`
}

// ExportStatement says what an exported file holds. Nothing in it is about one
// customer.
type ExportStatement struct {
	Mandate   purser.MandateID `json:"mandate"`
	Kind      string           `json:"kind"`
	Format    deliver.FileForm `json:"format"`
	Fields    []string         `json:"fields"`
	Customers int              `json:"customers"`
	Entries   []purser.Pos     `json:"entries"` // the releases, in the order of their positions
	Recipient string           `json:"recipient"`
	Bytes     int64            `json:"bytes"`
	SHA256    string           `json:"sha256"` // of the encrypted file
	Written   time.Time        `json:"written"`
	// DeleteBy is when the mandate ends, and this copy of the file should be
	// gone from the host.
	DeleteBy time.Time `json:"delete_by"`
}

// ExportCustomers writes the customers of an export or legal-order mandate, encrypted to
// its recipient. Each batch is a release: decided anew, an entry, and recorded
// whether or not the file survives. Running it again begins a new file.
func (d *Deployment) ExportCustomers(ask ExportAsk) Work {
	return func(ctx context.Context, out io.Writer, progress func(done, total int64)) (any, error) {
		if ask.Format == "" {
			ask.Format = deliver.FileCSV
		}
		if ask.Format != deliver.FileCSV && ask.Format != deliver.FileLines {
			return nil, &UsageError{"the format is neither csv nor jsonl"}
		}
		m, words, err := d.worksUnder(ctx, ask.Mandate, purser.DeliverFile)
		if err != nil {
			return nil, err
		}
		file, err := deliver.NewFile(out, words.Recipient, ask.Format, ask.Mandate, d.columns(m.Fields))
		if err != nil {
			return nil, err
		}
		said := ExportStatement{
			Mandate: ask.Mandate, Kind: httpapi.MandateName(m.For), Format: ask.Format, Fields: d.fieldNames(m.Fields),
			Recipient: words.Recipient, DeleteBy: m.Expires.Time(),
		}
		walk := walk{d: d, ask: gate.ReleaseAsk{Mandate: ask.Mandate, To: purser.DeliverFile, Fields: m.Fields}, m: m, progress: progress}
		if err := walk.run(ctx, func(o gate.Opened) error { return file.Add(o.Customer, o.Values, o.Pos) }); err != nil {
			return nil, err
		}
		if err := file.Close(); err != nil {
			return nil, fmt.Errorf("finish the file: %w", err)
		}
		said.Customers, said.Entries, said.Written = walk.opened, walk.entries, d.clock().Now().UTC()
		said.Bytes, said.SHA256 = file.Sum()
		return said, nil
	}
}

// worksUnder returns a mandate that the operator may use now for a delivery,
// with its words. Whether it is in force is decided again with every batch.
func (d *Deployment) worksUnder(ctx context.Context, id purser.MandateID, to purser.Delivery) (m mandate.Mandate, w httpapi.MandateWords, err error) {
	err = d.log.Look(ctx, func(s *fold.State, at purser.Stamp) error {
		found, ok := s.Mandates().Mandate(id)
		switch {
		case !ok:
			return &UsageError{"there is no such mandate"}
		case !found.Delivers(to) || mandate.Assigned(found.For):
			return &UsageError{"a mandate of kind " + httpapi.MandateName(found.For) + " is not for this"}
		case !found.InForce(at):
			return &UsageError{"the mandate is not in force: " + stateOf(found, at)}
		}
		m = found
		return nil
	})
	if err == nil {
		w, err = d.mandateWords(ctx, id, m)
	}
	return m, w, err
}

func (d *Deployment) columns(fields purser.FieldMask) []deliver.Column {
	names := d.fieldNames(fields)
	columns := make([]deliver.Column, len(names))
	for i, f := range fields.Fields()[:len(names)] {
		columns[i] = deliver.Column{Field: f, Name: names[i]}
	}
	return columns
}

// walk releases every customer of a mandate, batch by batch.
type walk struct {
	d        *Deployment
	ask      gate.ReleaseAsk
	m        mandate.Mandate
	progress func(done, total int64)

	last    purser.Ordinal // the batches so far went up to here
	again   []purser.Ordinal
	opened  int
	entries []purser.Pos
}

func (w *walk) run(ctx context.Context, deliver func(gate.Opened) error) error {
	for {
		batch, err := w.next(ctx)
		if err != nil || len(batch) == 0 {
			return err
		}
		w.ask.Customers = batch
		done, err := w.d.Gate.ReleaseTo(ctx, w.ask, deliver)
		w.opened += done.Opened
		if refusal, ok := errors.AsType[*purser.Refusal](err); ok && refusal.Reason == purser.CustomerErased {
			continue // nobody of the batch is there any more
		}
		if err != nil {
			return err
		}
		w.again = done.Again
		w.entries = append(w.entries, done.Pos)
		if w.progress != nil {
			w.progress(w.done())
		}
	}
}

// next returns the next batch, and nobody at the end: first those whose record
// was written while they were released.
func (w *walk) next(ctx context.Context) ([]purser.Ordinal, error) {
	if len(w.again) > 0 {
		batch := w.again
		w.again = nil
		return batch, nil
	}
	if w.m.UpTo == 0 {
		i, _ := slices.BinarySearch(w.m.Customers, w.last+1)
		batch := w.m.Customers[i:]
		if len(batch) > 0 {
			w.last = batch[len(batch)-1]
		}
		return batch, nil
	}
	batch, err := w.d.Records.After(ctx, w.last, purser.MaxOrdinals)
	if err != nil {
		return nil, err
	}
	i, found := slices.BinarySearch(batch, w.m.UpTo)
	if found {
		i++
	}
	if batch = batch[:i]; len(batch) > 0 {
		w.last = batch[len(batch)-1]
	}
	return batch, nil
}

func (w *walk) done() (done, total int64) {
	if w.m.UpTo != 0 {
		return int64(w.last), int64(w.m.UpTo)
	}
	return int64(w.opened), int64(len(w.m.Customers))
}
