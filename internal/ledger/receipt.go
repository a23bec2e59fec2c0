package ledger

import (
	"sync/atomic"

	"purser"
)

// Receipt says that an entry is durable, or that a proposal recorded nothing.
// That of an allowed opener is the only thing that opens fields (L1), once:
// copies share the flag. The zero value opens nothing.
type Receipt struct {
	pos      purser.Pos
	stamp    purser.Stamp
	entry    purser.Entry
	refusal  *purser.Refusal
	recorded bool

	taken     *atomic.Bool // nil: opens nothing
	customer  purser.Ordinal
	customers []purser.Ordinal // of a release, in place of customer
	fields    purser.FieldMask
}

// Recorded reports whether an entry was written for this proposal alone. It
// is false where decide returned nil, and for a refusal that was only counted.
func (r Receipt) Recorded() bool { return r.recorded }

// Pos returns the entry's position; meaningless unless Recorded.
func (r Receipt) Pos() purser.Pos { return r.pos }

// Stamp returns the stamp that the proposal was decided at.
func (r Receipt) Stamp() purser.Stamp { return r.stamp }

// Entry returns what was decided; nil where decide returned nil. It must not
// be changed.
func (r Receipt) Entry() purser.Entry { return r.entry }

// Refusal returns why the decision went against the asker, or nil.
func (r Receipt) Refusal() *purser.Refusal { return r.refusal }

// Redeem gives, to its first caller only, whose fields may be opened and which
// ones. Package seal is its only caller.
func (r Receipt) Redeem() (purser.Ordinal, purser.FieldMask, bool) {
	if r.taken == nil || r.customers != nil || !r.taken.CompareAndSwap(false, true) {
		return 0, 0, false
	}
	return r.customer, r.fields, true
}

// RedeemAll is Redeem for a release: it gives, to its first caller only, whose
// fields may be opened, ascending, and which ones. The list is not changed.
func (r Receipt) RedeemAll() ([]purser.Ordinal, purser.FieldMask, bool) {
	if r.taken == nil || r.customers == nil || !r.taken.CompareAndSwap(false, true) {
		return nil, 0, false
	}
	return r.customers, r.fields, true
}

// receiptOf is called by the writer only, after the commit.
func receiptOf(pos purser.Pos, stamp purser.Stamp, e purser.Entry) Receipt {
	r := Receipt{pos: pos, stamp: stamp, entry: e, recorded: true}
	d, ok := e.(purser.Decision)
	if !ok {
		return r
	}
	if why := d.Refused(); why != purser.Allowed {
		r.refusal = &purser.Refusal{Reason: why, At: pos}
		return r
	}
	switch o := e.(type) {
	case purser.Opener:
		r.customer, r.fields = o.Opens()
		r.taken = new(atomic.Bool)
	case purser.BulkOpener:
		r.customers, r.fields = o.OpensAll()
		r.taken = new(atomic.Bool)
	}
	return r
}
