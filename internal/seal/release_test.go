package seal_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"purser"
	"purser/internal/seal"
)

// L1, for a release: its receipt opens exactly the customers and fields of its
// entry, each customer once and in order, and only records that were written
// before it; the receipt of a refusal, of another kind, or one used before
// opens nothing.
//
// Seen to fail when Open kept the customers that it had opened, when it took
// the fields from the record, when it did not compare positions, and when
// RedeemAll did not mark the receipt as taken.
func TestLaw01AReleaseOpensWhatItNamesOnce(t *testing.T) {
	k, log := newKeys(t), newReceipts(t)
	records := make([]seal.Record, 12) // the customer with ordinal i is records[i-1]
	for i := range records {
		r, err := k.Seal(seal.Subject{Customer: purser.CustomerID{byte(i + 1)}, Ordinal: purser.Ordinal(i + 1), Version: 1}, fields())
		if err != nil {
			t.Fatalf("seal: %v", err)
		}
		r.Masks = masks()
		records[i] = r
	}
	whole := t
	rapid.Check(t, func(t *rapid.T) {
		e := &purser.Released{To: purser.DeliverFile, Fields: purser.FieldMask(rapid.Uint32Range(1, 0xfff).Draw(t, "fields"))}
		named := map[purser.Ordinal]bool{}
		for o := purser.Ordinal(1); o <= 12; o++ {
			if rapid.Bool().Draw(t, "named") {
				e.Customers, named[o] = append(e.Customers, o), true
			}
		}
		refused := rapid.IntRange(0, 5).Draw(t, "refused") == 0
		if refused {
			e.Reason = purser.Locked
		}
		receipt := log.of(whole, e)
		if _, err := k.Open(receipt, records[0]); !errors.Is(err, seal.ErrNoReceipt) {
			t.Fatalf("opened like a disclosure: got %v", err)
		}
		release, err := k.OpenAll(receipt)
		if want := !refused && len(e.Customers) > 0; (err == nil) != want {
			t.Fatalf("take the receipt of %+v: got %v, want taken %v", *e, err, want)
		}
		if _, again := k.OpenAll(receipt); !errors.Is(again, seal.ErrNoReceipt) {
			t.Fatalf("take it again: got %v", again)
		}
		if err != nil {
			return
		}
		last := purser.Ordinal(0)
		for range rapid.IntRange(1, 20).Draw(t, "tries") {
			o := purser.Ordinal(rapid.IntRange(1, 12).Draw(t, "customer"))
			r := records[o-1]
			late := rapid.IntRange(0, 4).Draw(t, "late") == 0
			if late {
				r.Written = receipt.Pos() + 1
			}
			values, err := release.Open(r)
			next := named[o] && o > last
			switch {
			case !next && !errors.Is(err, seal.ErrOtherCustomer):
				t.Fatalf("customer %d of %v after %d: got %v", o, e.Customers, last, err)
			case next && late && !errors.Is(err, seal.ErrOlderReceipt):
				t.Fatalf("a record written after the entry: got %v", err)
			case next && !late && err != nil:
				t.Fatalf("customer %d: %v", o, err)
			case err == nil && len(values) != (e.Fields&r.Holds()).Len():
				t.Fatalf("fields %b of a record with %b: got %d values", e.Fields, r.Holds(), len(values))
			}
			for f := range values {
				if !e.Fields.Has(f) {
					t.Fatalf("field %d was opened, %b were released", f, e.Fields)
				}
			}
			if next {
				last = o
			}
		}
	})
}
