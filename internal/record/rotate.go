package record

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"purser"
	"purser/internal/fold"
	"purser/internal/seal"
)

// KeysKept is how long a file of wrapped keys may be kept, and so how long a key
// stays in the keyset after nothing is left under it: a backup that may still be
// restored was made under it.
const KeysKept = 30 * purser.Day

// rotationSpan is how many ordinals one query of a walk goes over.
const rotationSpan = 5000

// Conditions of a rotation.
var (
	// ErrImporting says that an import is under way, whose customers are sealed
	// before their entry.
	ErrImporting = errors.New("an import is under way: rotate when it is done")
	// ErrRotating says that a key of this use is being exchanged.
	ErrRotating = errors.New("a rotation of this key is under way")
)

// Walk is how far a walk over all customers has come that changes them over to
// the key Now. It is stored with what it changed, so that it goes on there.
type Walk struct {
	Use     purser.KeyUse
	Now     uint32
	After   purser.Ordinal // the last customer that was looked at
	Changed uint64         // customers changed over since the walk began
	Total   uint64         // and in the walks before it
}

// Rewrapped is a data key under another wrapping key. It is written only where
// the one before it still stands.
type Rewrapped struct {
	Ordinal     purser.Ordinal
	Before, Now []byte
}

// Reindexed is what changes in the blind indexes of a record. It is written only
// where the record still has the version.
type Reindexed struct {
	Ordinal    purser.Ordinal
	Version    uint32
	Gone, Come []IndexRow
}

// RotationStore keeps what a rotation changes. Its writes have transactions of
// their own: the rotation's entries speak of all of them together.
type RotationStore interface {
	// Walk returns how far the walk of a use is; zero when there was none.
	Walk(ctx context.Context, use purser.KeyUse) (Walk, error)
	// PutWalk notes how far one is, beside what changed.
	PutWalk(ctx context.Context, w Walk) error
	// WrappedElse returns the records of the ordinals (after, through] whose
	// data keys are not wrapped under a key, ascending, at most limit.
	WrappedElse(ctx context.Context, key uint32, after, through purser.Ordinal, limit int) ([]seal.Record, error)
	// SealedBetween returns the records of the ordinals (after, through],
	// ascending, at most limit.
	SealedBetween(ctx context.Context, after, through purser.Ordinal, limit int) ([]seal.Record, error)
	// Standing returns those of the blind indexes of a customer that are stored,
	// in the order given.
	Standing(ctx context.Context, o purser.Ordinal, of []IndexRow) ([]IndexRow, error)
	// PutRewrapped and PutReindexed write what still fits, and the walk.
	PutRewrapped(ctx context.Context, list []Rewrapped, w Walk) error
	PutReindexed(ctx context.Context, list []Reindexed, w Walk) error
}

// Force takes those keys into use that the ledger names. It does so after every
// start, and again where an entry landed whose answer was lost. While an import
// is under way, whose customers are sealed and not yet written, keys do not
// change: ErrImporting.
func (b *Book) Force(ctx context.Context, log *Ledger) error {
	for _, use := range []purser.KeyUse{purser.KeyWrap, purser.KeyIndex} {
		keys, _, err := keysOf(ctx, log, use)
		if err != nil {
			return err
		}
		want := beside(keys, use)
		if now, old := b.keys.InForce(use); keys.Now == 0 || now == keys.Now && slices.Equal(old, want) {
			continue
		}
		if !b.importing.TryLock() {
			return ErrImporting
		}
		err = b.keys.Force(use, keys.Now, want)
		b.importing.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// beside returns the keys that are asked beside the one in force. A record that
// was read before its rotation ended may be opened after it, so a wrapping key
// opens until it is destroyed; lookups need no index key any longer under which
// there is nothing.
func beside(keys fold.Keys, use purser.KeyUse) []uint32 {
	old := slices.Clone(keys.Leaving)
	if use == purser.KeyIndex {
		return old
	}
	for _, idle := range keys.Idle {
		old = append(old, idle.Number)
	}
	slices.Sort(old)
	return old
}

func keysOf(ctx context.Context, log *Ledger, use purser.KeyUse) (keys fold.Keys, last purser.Ordinal, err error) {
	err = log.Look(ctx, func(s *fold.State, _ purser.Stamp) error {
		if keys, last = s.Standing().Keys(use), s.Standing().Ordinals(); use == purser.KeyIndex {
			last = s.Standing().Closed() // nothing leads to the others yet
		}
		return nil
	})
	if err != nil {
		return keys, 0, fmt.Errorf("look for the keys in force: %w", err)
	}
	return keys, last, nil
}

// Rotate puts another key into the keyset file, which file opens, and takes it
// into use by an entry. What is under the one before is changed over by Rotation.
// It fails with ErrRotating while the last rotation of this use goes on, and with
// ErrImporting during an import.
func (b *Book) Rotate(ctx context.Context, log *Ledger, file seal.Options, use purser.KeyUse) error {
	if err := b.Force(ctx, log); err != nil {
		return err
	}
	if err := b.add(ctx, log, file, use); err != nil {
		return err
	}
	return b.Force(ctx, log)
}

func (b *Book) add(ctx context.Context, log *Ledger, file seal.Options, use purser.KeyUse) error {
	if !b.importing.TryLock() {
		return ErrImporting
	}
	defer b.importing.Unlock()
	keys, _, err := keysOf(ctx, log, use)
	if err != nil {
		return err
	}
	if len(keys.Leaving) > 0 {
		return ErrRotating
	}
	step := &purser.KeyRotation{Use: use, Step: purser.KeyAdded}
	step.Old, _ = b.keys.InForce(use)
	if step.New, err = b.keys.Add(file, use, keys.Known()); err != nil {
		return fmt.Errorf("add a key: %w", err)
	}
	receipt, err := log.Propose(ctx, purser.VendorID{}, func(s *fold.State, _ purser.Stamp) purser.Entry {
		if now := s.Standing().Keys(use); now.Now != keys.Now || len(now.Leaving) > 0 {
			return nil
		}
		return step
	})
	if err != nil {
		return fmt.Errorf("record the new key: %w", err)
	}
	if !receipt.Recorded() {
		return ErrRotating
	}
	return nil
}

// Rotated says how far a rotation is.
type Rotated struct {
	Use     purser.KeyUse
	Going   bool   // something may be left under an older key
	Done    uint64 // ordinals that this walk has looked at
	Of      uint64
	Changed uint64 // customers, over all walks
}

// Rotation changes at most limit customers over to the key in force, and reports
// how far it is. A walk that finds nothing to change proves that nothing is left
// under the older keys, and ends the rotation by an entry for each.
func (b *Book) Rotation(ctx context.Context, log *Ledger, use purser.KeyUse, limit int) (Rotated, error) {
	if err := b.Force(ctx, log); err != nil {
		return Rotated{Use: use, Going: true}, err
	}
	r, w, keys, err := b.rotated(ctx, log, use)
	if err != nil || !r.Going {
		return r, err
	}
	if uint64(w.After) < r.Of {
		err = b.walk(ctx, &w, purser.Ordinal(r.Of), limit)
	} else if w.Changed > 0 {
		w.Total, w.Changed, w.After = w.Total+w.Changed, 0, 0
		err = b.store.PutWalk(ctx, w)
	} else {
		err = b.finish(ctx, log, w, keys)
	}
	if err != nil {
		return r, fmt.Errorf("rotate the %v key: %w", use, err)
	}
	r, _, _, err = b.rotated(ctx, log, use)
	return r, err
}

// Rotated reports how far the rotation of a use is.
func (b *Book) Rotated(ctx context.Context, log *Ledger, use purser.KeyUse) (Rotated, error) {
	r, _, _, err := b.rotated(ctx, log, use)
	return r, err
}

func (b *Book) rotated(ctx context.Context, log *Ledger, use purser.KeyUse) (Rotated, Walk, fold.Keys, error) {
	keys, last, err := keysOf(ctx, log, use)
	if err != nil || keys.Now == 0 {
		return Rotated{Use: use, Of: uint64(last)}, Walk{}, keys, err
	}
	w, err := b.store.Walk(ctx, use)
	if err != nil {
		return Rotated{}, w, keys, fmt.Errorf("look how far the rotation is: %w", err)
	}
	if w.Now != keys.Now {
		w = Walk{Use: use, Now: keys.Now}
	}
	r := Rotated{Use: use, Going: len(keys.Leaving) > 0, Done: uint64(w.After), Of: uint64(last), Changed: w.Total + w.Changed}
	return r, w, keys, nil
}

// walk goes on by at most limit customers.
func (b *Book) walk(ctx context.Context, w *Walk, last purser.Ordinal, limit int) error {
	through := min(last, w.After+rotationSpan)
	if w.Use == purser.KeyIndex {
		return b.reindex(ctx, w, through, limit)
	}
	list, err := b.store.WrappedElse(ctx, w.Now, w.After, through, limit)
	if err != nil {
		return err
	}
	var out []Rewrapped
	for _, r := range list {
		wrapped, changed, err := b.keys.Rewrap(r)
		if err != nil {
			return err
		}
		if changed {
			out = append(out, Rewrapped{r.Ordinal, r.Wrapped, wrapped})
		}
	}
	if w.After = through; len(list) == limit {
		w.After = list[limit-1].Ordinal
	}
	w.Changed += uint64(len(out))
	return b.store.PutRewrapped(ctx, out, *w)
}

func (b *Book) reindex(ctx context.Context, w *Walk, through purser.Ordinal, limit int) error {
	list, err := b.store.SealedBetween(ctx, w.After, through, limit)
	if err != nil {
		return err
	}
	var out []Reindexed
	for _, one := range list {
		change, err := b.reindexed(ctx, one)
		if err != nil {
			return err
		}
		if len(change.Gone)+len(change.Come) > 0 {
			out = append(out, change)
		}
	}
	if w.After = through; len(list) == limit {
		w.After = list[limit-1].Ordinal
	}
	w.Changed += uint64(len(out))
	return b.store.PutReindexed(ctx, out, *w)
}

// reindexed says what must change so that a record is found under the key in
// force and no other.
func (b *Book) reindexed(ctx context.Context, r seal.Record) (Reindexed, error) {
	out := Reindexed{Ordinal: r.Ordinal, Version: r.Version}
	old, now, err := b.keys.Reindex(r, b.schema)
	if err != nil {
		return out, err
	}
	if out.Gone, err = b.store.Standing(ctx, r.Ordinal, rowsOf(old)); err != nil {
		return out, err
	}
	there, err := b.store.Standing(ctx, r.Ordinal, rowsOf(now))
	out.Come = without(rowsOf(now), there)
	return out, err
}

// finish records that nothing is left under the older keys.
func (b *Book) finish(ctx context.Context, log *Ledger, w Walk, keys fold.Keys) error {
	for _, old := range keys.Leaving {
		step := &purser.KeyRotation{Use: w.Use, Step: purser.KeyDone, Old: old, New: w.Now, Count: w.Total}
		_, err := log.Propose(ctx, purser.VendorID{}, func(s *fold.State, _ purser.Stamp) purser.Entry {
			now := s.Standing().Keys(w.Use)
			// A customer who came meanwhile is under the new key: only a key that
			// changed since would make the walk worth nothing.
			if now.Now != w.Now || !slices.Contains(now.Leaving, old) {
				return nil
			}
			return step
		})
		if err != nil {
			return err
		}
	}
	return b.Force(ctx, log)
}

// Destroy ends the life of a key under which nothing is left: by an entry that
// refuses it for KeysKept after the rotation was done, and while there is a legal
// hold, and by taking it out of the keyset file.
func (b *Book) Destroy(ctx context.Context, log *Ledger, file seal.Options, use purser.KeyUse, number uint32) error {
	receipt, err := log.Propose(ctx, purser.VendorID{}, func(s *fold.State, at purser.Stamp) purser.Entry {
		keys := s.Standing().Keys(use)
		e := &purser.KeyRotation{Use: use, Step: purser.KeyDestroyed, Old: number, New: keys.Now}
		e.Reason = mayDestroy(keys, number, at)
		if e.Reason == purser.Allowed && s.Keeping().AnyHold() {
			e.Reason = purser.CustomerHeld // a hold wants what a backup under the key would open
		}
		return e
	})
	if err != nil {
		return fmt.Errorf("record the destruction: %w", err)
	}
	if r := receipt.Refusal(); r != nil {
		return r
	}
	return b.DropDestroyed(ctx, log, file)
}

// mayDestroy decides on the fold alone.
func mayDestroy(keys fold.Keys, number uint32, at purser.Stamp) purser.Reason {
	idle, ok := keys.Idling(number)
	switch {
	case !ok && slices.Contains(keys.Known(), number):
		return purser.ChangeHeld
	case !ok:
		return purser.ChangeUnknown
	case at < idle.Since+KeysKept:
		return purser.ChangeHeld
	}
	return purser.Allowed
}

// DropDestroyed takes every key out of the keyset file that the ledger says is
// destroyed: what a crash left after the entry, or somebody put back.
func (b *Book) DropDestroyed(ctx context.Context, log *Ledger, file seal.Options) error {
	if err := b.Force(ctx, log); err != nil {
		return err
	}
	for _, use := range []purser.KeyUse{purser.KeyWrap, purser.KeyIndex} {
		keys, _, err := keysOf(ctx, log, use)
		if err != nil {
			return err
		}
		for _, number := range keys.Destroyed {
			if !slices.Contains(b.keys.Numbers(use), number) {
				continue
			}
			if err := b.keys.Drop(file, use, number); err != nil {
				return fmt.Errorf("take a destroyed key out of the keyset: %w", err)
			}
		}
	}
	return nil
}

var _ seal.Forms = (*Schema)(nil)
