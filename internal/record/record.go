// Package record owns the service records: the schema that says which fields
// exist and what may become of each, the customers with their sealed fields
// and blind indexes, how one is found, and how they are brought in.
//
// It opens nothing: values stay sealed here (package seal), and whoever wants
// one asks package gate. It decides nothing either: whether a customer that
// was found is the caller is the gate's compare, which uses the rules of the
// schema.
//
// Laws carried here: L5 (finding costs the same work for a hit and a miss) and
// L6 (a store of this package never sees a value, and no error holds one).
//
// Start reading at [Schema], then [Book.Candidates] and [Book.Import].
package record

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"purser"
	"purser/internal/ledger"
	"purser/internal/seal"
)

// MaxLinked is how many customers of shared bookings are told of at most.
const MaxLinked = 9

// ErrNoCustomer says that there is no customer of that number or identifier.
var ErrNoCustomer = errors.New("no such customer")

// IndexRow is one blind index of a customer.
type IndexRow struct {
	Field purser.Field
	Index seal.Index
}

// ChannelRow says since when a channel holds what it holds. Zero means since
// before the customer came to Purser.
type ChannelRow struct {
	Field purser.Field
	Since purser.Stamp
}

// Customer is everything a store keeps of one customer.
type Customer struct {
	Record   seal.Record
	Indexes  []IndexRow
	Channels []ChannelRow // those that are older or younger than Purser knows need none
	Expires  []ExpiryRow
}

// ErrStale says that a record was written after it was read.
var ErrStale = errors.New("the record was written meanwhile")

// ImportRow is how far the import of a file is.
type ImportRow struct {
	File    purser.Hash
	Options purser.Hash    // of what shaped its rows beside the file
	First   purser.Ordinal // of its customers
	Rows    uint64         // whose fate is written
	Settled uint64         // rows up to which those about known people are merged
	Tally
	Ended bool
}

// Fates is what became of some rows of a file that follow each other.
type Fates struct {
	Before uint64 // rows of the file before them
	Count  uint32
	Rows   []byte           // two bits a row
	Whose  []purser.Ordinal // of those about somebody who is there, in order
}

func (f *Fates) add(what fate, whose purser.Ordinal) {
	if f.Count%4 == 0 {
		f.Rows = append(f.Rows, 0)
	}
	f.Rows[f.Count/4] |= byte(what) << (f.Count % 4 * 2)
	f.Count++
	if what == fateKnown {
		f.Whose = append(f.Whose, whose)
	}
}

func (f *Fates) unpack() []fate {
	out := make([]fate, f.Count)
	for n := range out {
		if n/4 < len(f.Rows) {
			out[n] = fate(f.Rows[n/4] >> (n % 4 * 2) & 3)
		}
	}
	return out
}

// Store keeps records. Implementations pass storetest.Record. Reads see what
// is committed; writes happen in the transaction of the entry that tells of
// them.
type Store interface {
	Texts
	// Sealed returns the sealed record of a customer, or ErrNoCustomer.
	Sealed(ctx context.Context, o purser.Ordinal) (seal.Record, error)
	// SealedAgain is Sealed for a customer whom an entry names: it may answer
	// from memory, and then costs less. It never returns what was there before
	// a write that somebody was told of. The bytes are not to be changed.
	SealedAgain(ctx context.Context, o purser.Ordinal) (seal.Record, error)
	// OrdinalOf returns the number of a customer, or ErrNoCustomer.
	OrdinalOf(ctx context.Context, id purser.CustomerID) (purser.Ordinal, error)
	// After returns customers above o, ascending, at most limit.
	After(ctx context.Context, o purser.Ordinal, limit int) ([]purser.Ordinal, error)
	// Holders returns whose field has the index, ascending, at most limit.
	Holders(ctx context.Context, row IndexRow, limit int) ([]purser.Ordinal, error)
	// ChannelSince returns since when a channel holds what it holds, and
	// whether the customer has it.
	ChannelSince(ctx context.Context, o purser.Ordinal, f purser.Field) (purser.Stamp, bool, error)
	// PutCustomers adds customers as written by the entry at pos, with what
	// they are found by; a number that is taken fails.
	PutCustomers(tx ledger.Tx, pos purser.Pos, customers []Customer) error
	// SealedIn is Sealed as the transaction sees it, with what it wrote.
	SealedIn(tx ledger.Tx, o purser.Ordinal) (seal.Record, error)
	// Rewrite replaces the rows of a customer, as written by the entry at pos;
	// ErrNoCustomer where there is none.
	Rewrite(tx ledger.Tx, pos purser.Pos, w Rewriting) error
	// Erase destroys every row of a customer, who is found by those indexes.
	// Nil means that nobody knows them: then all are searched, which takes as
	// long as there are many. Of one who is not there it destroys nothing,
	// without an error.
	Erase(tx ledger.Tx, o purser.Ordinal, found []IndexRow) (Destroyed, error)
	// PutErasure keeps what an erasure destroyed, for its receipt, and Erasure
	// returns it by the position of its entry.
	PutErasure(tx ledger.Tx, e Erasure) error
	Erasure(ctx context.Context, pos purser.Pos) (e Erasure, found bool, err error)
	// PutHold keeps the words of a legal hold, and HoldText returns them.
	PutHold(tx ledger.Tx, h purser.HoldID, sealed []byte) error
	HoldText(ctx context.Context, h purser.HoldID) (sealed []byte, err error)
	// Superseded returns a customer's replaced values by field and version.
	Superseded(ctx context.Context, o purser.Ordinal) ([]PastRow, error)
	// Salt returns the salt kept for the entry at pos; nil for none.
	Salt(ctx context.Context, pos purser.Pos) ([]byte, error)
	// Expiring returns fields whose time is over at a stamp, the earliest
	// first, at most limit, behind the row last; zero begins.
	Expiring(ctx context.Context, at purser.Stamp, last ExpiryRow, limit int) ([]ExpiryRow, error)
	// ExpiredIn returns which fields of a customer are over at a stamp, as the
	// transaction sees it.
	ExpiredIn(tx ledger.Tx, o purser.Ordinal, at purser.Stamp) (purser.FieldMask, error)
	// Outlived returns, ascending, customers above after of whom a replaced
	// value is to be destroyed at a stamp.
	Outlived(ctx context.Context, at purser.Stamp, after purser.Ordinal, limit int) ([]purser.Ordinal, error)
	// Forget destroys those replaced values of customers that are to be
	// destroyed at a stamp.
	Forget(tx ledger.Tx, at purser.Stamp, customers []purser.Ordinal) error
	RotationStore
	ImportStore
}

// ImportStore keeps what imports need. Implementations pass storetest.Import.
type ImportStore interface {
	// Import returns how far the import of a file is, or ErrNoImport.
	Import(ctx context.Context, file purser.Hash) (ImportRow, error)
	// OpenImport returns the import that has not ended, or ErrNoImport.
	OpenImport(ctx context.Context) (ImportRow, error)
	// Fates yields what became of the rows of a file, in their order.
	Fates(ctx context.Context, file purser.Hash) iter.Seq2[Fates, error]
	// Written yields the customers [from, to) in order: who they are and which
	// version of the record is there, nothing else.
	Written(ctx context.Context, from, to purser.Ordinal) iter.Seq2[seal.Subject, error]
	// PutSealed is PutCustomers for customers whom nobody finds yet.
	PutSealed(tx ledger.Tx, pos purser.Pos, customers []Customer) error
	// PutImport writes how far an import is.
	PutImport(tx ledger.Tx, row ImportRow) error
	// PutFates adds what became of rows, and DropFates forgets it.
	PutFates(tx ledger.Tx, file purser.Hash, all []Fates) error
	DropFates(tx ledger.Tx, file purser.Hash) error
	// DropImport forgets an import.
	DropImport(tx ledger.Tx, file purser.Hash) error
	// PutIndexes writes what customers are found by, where it is not there. All
	// go in or none. It is fastest in ascending order.
	PutIndexes(ctx context.Context, all []IndexEntry) error
	// PutNames does the same for outward identifiers.
	PutNames(ctx context.Context, all []NameEntry) error
	// DropCustomers drops everything of the customers [from, to]; it may be
	// done again after it was broken off.
	DropCustomers(ctx context.Context, from, to purser.Ordinal) error
}

// Book finds and keeps service records. It may be used by any number of
// goroutines; imports run one at a time.
type Book struct {
	store     Store
	keys      *seal.Keys
	schema    *Schema
	importing sync.Mutex
}

// New returns the book over a store.
func New(store Store, keys *seal.Keys, schema *Schema) *Book {
	return &Book{store: store, keys: keys, schema: schema}
}

// Schema returns the schema in force.
func (b *Book) Schema() *Schema { return b.schema }

// Sealed returns the sealed record of a customer, ready to be opened against a
// receipt, or ErrNoCustomer. Ordinal zero costs the same work.
func (b *Book) Sealed(ctx context.Context, o purser.Ordinal) (seal.Record, error) {
	r, err := b.store.Sealed(ctx, o)
	return b.masked(r, err)
}

// SealedAgain is Sealed for a customer whom an entry names already. It costs
// less for one who was read a short time ago, so it is not for finding
// anybody (L5).
func (b *Book) SealedAgain(ctx context.Context, o purser.Ordinal) (seal.Record, error) {
	r, err := b.store.SealedAgain(ctx, o)
	return b.masked(r, err)
}

func (b *Book) masked(r seal.Record, err error) (seal.Record, error) {
	if err != nil {
		return seal.Record{}, fmt.Errorf("read sealed record: %w", err)
	}
	r.Masks = b.schema.Masks()
	return r, nil
}

// CustomerID returns the outward identifier of a customer, or ErrNoCustomer.
func (b *Book) CustomerID(ctx context.Context, o purser.Ordinal) (purser.CustomerID, error) {
	r, err := b.Sealed(ctx, o)
	return r.Customer, err
}

// Ordinal returns the number of a customer, or ErrNoCustomer.
func (b *Book) Ordinal(ctx context.Context, id purser.CustomerID) (purser.Ordinal, error) {
	o, err := b.store.OrdinalOf(ctx, id)
	if err != nil {
		return 0, fmt.Errorf("look up %v: %w", id, err)
	}
	return o, nil
}

// ChannelSince returns since when a channel of the customer holds what it
// holds, and whether there is one. Zero means since before the customer came to
// Purser.
func (b *Book) ChannelSince(ctx context.Context, o purser.Ordinal, channel purser.Field) (purser.Stamp, bool, error) {
	since, ok, err := b.store.ChannelSince(ctx, o, channel)
	if err != nil {
		return 0, false, fmt.Errorf("read age of channel: %w", err)
	}
	return since, ok, nil
}
