package server

import (
	"context"
	"errors"
	"fmt"

	"purser"
	"purser/internal/fold"
)

// staleWatch raises one finding for each time a source falls silent or leaves
// a gap. Whether it is stale is decided elsewhere, from stamps; this only
// tells. It is used by one goroutine.
type staleWatch struct{ told map[purser.SourceID]bool }

func (d *Deployment) watchSources(w *staleWatch) func(context.Context) error {
	return func(ctx context.Context) error {
		stale := make(map[purser.SourceID]purser.VendorID)
		err := d.log.Look(ctx, func(s *fold.State, at purser.Stamp) error {
			for _, source := range s.Contacts().Sources() {
				if source.Status == purser.StatusActive && source.Heard != 0 && s.Contacts().Stale(source.ID, at) {
					stale[source.ID] = source.Vendor
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		for id := range w.told {
			if _, still := stale[id]; !still {
				delete(w.told, id)
			}
		}
		var errs []error
		for id, vendor := range stale {
			if w.told[id] {
				continue
			}
			_, err := d.log.Propose(ctx, vendor, func(*fold.State, purser.Stamp) purser.Entry {
				return &purser.Finding{What: purser.FindingSourceStale, Source: id, Count: 1}
			})
			if err != nil {
				errs = append(errs, fmt.Errorf("record that %v is stale: %w", id, err))
				continue
			}
			w.told[id] = true
		}
		return errors.Join(errs...)
	}
}
