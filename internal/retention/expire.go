package retention

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"purser"
	"purser/internal/fold"
	"purser/internal/ledger"
	"purser/internal/record"
)

const (
	// batch is how many customers one entry names at most: their records are
	// written in its transaction, and everybody else waits for that.
	batch = 200
	// page is how many rows are read at once, and pages how often in one turn.
	page  = 10 * batch
	pages = 10
)

// Expire is one turn of the work that drops what has outlived its time: fields
// with a time of their own, then replaced values. A turn is bounded; the next
// one goes on where it ended, and begins again when it came to the end. What a
// hold keeps is passed over each time round, until it is lifted. Killed at any
// point it loses nothing: what is due is in the rows, and goes from there in the
// transaction of the entry that tells of it.
//
// A record that does not open is passed over too; the turn ends with that fault,
// after it did the rest.
func (r *Retention) Expire(ctx context.Context) error {
	r.turn.Lock()
	defer r.turn.Unlock()
	faults, err := r.dropDue(ctx)
	if err != nil {
		return err
	}
	return errors.Join(append(faults, r.purge(ctx))...)
}

func (r *Retention) dropDue(ctx context.Context) (faults []error, err error) {
	for range pages {
		due, next, err := r.c.Records.Due(ctx, r.c.Log.Now(), r.dropped, page)
		if err != nil {
			return faults, err
		}
		for _, e := range r.expiries(due) {
			fault, err := r.expire(ctx, e)
			if err != nil {
				return faults, err
			}
			if fault != nil {
				faults = append(faults, fault)
			}
		}
		if r.dropped = next; next == (record.ExpiryRow{}) {
			break
		}
	}
	return faults, nil
}

// expiries puts rows together to entries: customers of whom the same fields are
// due, channels apart from others, since what becomes of the values differs.
func (r *Retention) expiries(due []record.ExpiryRow) []purser.Expired {
	channels := r.c.Records.Schema().Channels()
	var kinds [2]map[purser.Ordinal]purser.FieldMask
	for _, row := range due {
		kind := 0
		if channels.Has(row.Field) {
			kind = 1
		}
		if kinds[kind] == nil {
			kinds[kind] = make(map[purser.Ordinal]purser.FieldMask)
		}
		kinds[kind][row.Ordinal] |= purser.Mask(row.Field)
	}
	whose := make(map[purser.FieldMask][]purser.Ordinal)
	for _, kind := range kinds {
		for o, fields := range kind {
			whose[fields] = append(whose[fields], o)
		}
	}
	var out []purser.Expired
	for fields, customers := range whose {
		slices.Sort(customers)
		for some := range slices.Chunk(customers, batch) {
			out = append(out, purser.Expired{Customers: some, Fields: fields})
		}
	}
	slices.SortFunc(out, func(a, b purser.Expired) int { return int(a.Customers[0]) - int(b.Customers[0]) })
	return out
}

// purge destroys replaced values whose time is over.
func (r *Retention) purge(ctx context.Context) error {
	for range pages * page / batch {
		customers, err := r.c.Records.Outlived(ctx, r.c.Log.Now(), r.purged, batch)
		if err != nil {
			return err
		}
		if len(customers) > 0 {
			if _, err := r.expire(ctx, purser.Expired{Customers: customers}); err != nil {
				return err
			}
		}
		if r.purged = 0; len(customers) < batch {
			return nil
		}
		r.purged = customers[batch-1]
	}
	return nil
}

// expire records one entry about those of the customers whom no hold keeps and
// nobody erased, as things stand where it lands, and does what it says. It goes
// on without those who are put off, and returns why when that is a fault of
// their rows.
func (r *Retention) expire(ctx context.Context, wish purser.Expired) (fault, err error) {
	for {
		var at purser.Stamp // of the decision that stands
		_, err := r.c.Log.ProposeRows(ctx, purser.VendorID{}, func(s *fold.State, now purser.Stamp) purser.Entry {
			at = now
			free := s.Keeping().Free(wish.Customers)
			if len(free) == 0 {
				return nil
			}
			return &purser.Expired{Customers: free, Fields: wish.Fields}
		}, func(tx ledger.Tx, pos purser.Pos, entry purser.Entry) error {
			e, ok := entry.(*purser.Expired)
			if !ok {
				return nil
			}
			return r.c.Records.Expire(tx, pos, at, e)
		})
		off, ok := errors.AsType[*record.PutOffError](err)
		if !ok {
			if err != nil {
				return fault, fmt.Errorf("record expiry: %w", err)
			}
			return fault, nil
		}
		if off.Cause != nil {
			fault = errors.Join(fault, off.Cause)
		}
		wish.Customers = slices.DeleteFunc(slices.Clone(wish.Customers), func(o purser.Ordinal) bool {
			return slices.Contains(off.Customers, o)
		})
	}
}
