package record

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"purser"
	"purser/internal/ledger"
	"purser/internal/seal"
)

// PastLife is how long a value of a channel or an address is kept, sealed,
// after another took its place: alarms and notices go there too, and leaked
// samples are held against it.
const PastLife = 90 * purser.Day

// saltSize is the size in bytes of the salt of a commitment.
const saltSize = 16

// PastRow is a value that another took the place of.
type PastRow struct {
	Field    purser.Field
	Version  uint32 // of the record that held it last
	Replaced purser.Stamp
	Until    purser.Stamp // from when on it is to be destroyed
	Sealed   []byte
}

// ExpiryRow says when a field of a customer is to be dropped.
type ExpiryRow struct {
	Ordinal purser.Ordinal
	Field   purser.Field
	At      purser.Stamp
}

// Rewriting is what becomes of one customer's rows.
type Rewriting struct {
	Record   seal.Record // as it is from now on; unchanged where nothing was written
	Gone     []IndexRow
	Come     []IndexRow
	Channels []ChannelRow     // since when they hold what they hold now
	Lost     purser.FieldMask // channels that hold nothing any more
	Past     []PastRow
	Expiries []ExpiryRow
	Endless  purser.FieldMask // fields that had a time and have none any more
	Salt     []byte           // of the entry's commitment; empty for none
	Destroys bool             // what it replaces is to leave every file
}

// Writing is what somebody wants of one customer's record. Nothing of it says
// what the record holds.
type Writing struct {
	Customer purser.Ordinal
	At       purser.Stamp                  // of the entry
	Set      map[purser.Field]string       // in canonical form; empty drops the field
	Until    map[purser.Field]purser.Stamp // when some of them are to be dropped
	// Held keeps every value that is replaced, whatever field it is of, and as
	// long as the hold stands.
	Held bool
	// Final keeps no value that is replaced, whatever field it is of.
	Final bool
	Salt  []byte // of the entry's commitment; empty for none
}

// Salt draws a salt for the commitment of an entry about a customer.
func Salt() ([]byte, error) {
	salt := make([]byte, saltSize)
	_, err := rand.Read(salt)
	return salt, err
}

// Indexed implements seal.Forms.
func (s *Schema) Indexed(f purser.Field, value string) (name string, normals []string) {
	i, ok := s.full[f]
	if !ok || s.fields[i].Find == NotFound {
		return "", nil
	}
	normals, problem := s.fields[i].normals(value, "")
	if problem != "" {
		return s.fields[i].Name, nil
	}
	return s.fields[i].Name, normals
}

// Write rewrites a record in the transaction of the entry at pos that tells of
// it, as the record is there, and reports which fields hold another value than
// before: nobody who asked for the writing is to learn that. A channel that is
// set is as old as the entry, also where it held the same value: else its age
// would tell. Where there is no record nothing is written.
func (b *Book) Write(tx ledger.Tx, pos purser.Pos, w Writing) (purser.FieldMask, error) {
	r, err := b.store.SealedIn(tx, w.Customer)
	if errors.Is(err, ErrNoCustomer) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read record: %w", err)
	}
	next, err := b.keys.Rewrite(r, w.Set, b.schema)
	if err != nil {
		return 0, err
	}
	out := Rewriting{Record: next.Record, Salt: w.Salt, Destroys: w.Final}
	for _, f := range next.Gone {
		out.Gone = append(out.Gone, IndexRow{f.Field, f.Index})
	}
	for _, f := range next.Come {
		out.Come = append(out.Come, IndexRow{f.Field, f.Index})
	}
	for _, p := range next.Past {
		if keep, ok := b.pastOf(p.Field, w); ok {
			out.Past = append(out.Past, PastRow{p.Field, r.Version, w.At, w.At + keep, p.Sealed})
		}
	}
	b.times(&out, w)
	if err := b.store.Rewrite(tx, pos, out); err != nil {
		return 0, fmt.Errorf("write %v anew: %w", r.Customer, err)
	}
	return next.Wrote, nil
}

// pastOf returns how long a replaced value is kept: of channels and addresses
// as stated, of other fields not at all, except under a hold.
func (b *Book) pastOf(f purser.Field, w Writing) (purser.Stamp, bool) {
	bit, ok := b.schema.Bit(f)
	if ok && (bit.Field.Channel || bit.Field.Class == Place) {
		return PastLife, !w.Final
	}
	return 0, w.Held && !w.Final
}

// times fills in ages of channels and ends of fields.
func (b *Book) times(out *Rewriting, w Writing) {
	for f := range purser.MaxField + 1 {
		value, set := w.Set[f]
		if !set {
			continue
		}
		bit, _ := b.schema.Bit(f) // one that the schema has no more is no channel, and its time ends too
		if bit.Field.Channel && value != "" {
			out.Channels = append(out.Channels, ChannelRow{f, w.At})
		} else if bit.Field.Channel {
			out.Lost |= purser.Mask(f)
		}
		if until, ends := w.Until[f]; ends && value != "" {
			out.Expiries = append(out.Expiries, ExpiryRow{w.Customer, f, until})
		} else {
			out.Endless |= purser.Mask(f)
		}
	}
}

// foundIn returns what a customer is found by, or nil where his record does not
// open any more.
func (b *Book) foundIn(tx ledger.Tx, o purser.Ordinal) ([]IndexRow, error) {
	r, err := b.store.SealedIn(tx, o)
	if errors.Is(err, ErrNoCustomer) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read record: %w", err)
	}
	old, now, err := b.keys.Reindex(r, b.schema)
	if errors.Is(err, seal.ErrRecord) {
		return nil, nil
	}
	found := make([]IndexRow, 0, len(old)+len(now))
	for _, f := range append(old, now...) {
		found = append(found, IndexRow(f))
	}
	return found, err
}

// Superseded returns the values of a customer that others took the place of
// and that are not destroyed yet: sealed, by field, oldest first.
func (b *Book) Superseded(ctx context.Context, o purser.Ordinal) ([]PastRow, error) {
	rows, err := b.store.Superseded(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("read replaced values: %w", err)
	}
	return rows, nil
}

// Salted returns the salt of the commitment in the entry at pos, and whether it
// is still there.
func (b *Book) Salted(ctx context.Context, pos purser.Pos) ([]byte, bool, error) {
	salt, err := b.store.Salt(ctx, pos)
	if err != nil {
		return nil, false, fmt.Errorf("read salt: %w", err)
	}
	return slices.Clone(salt), len(salt) > 0, nil
}
