// Package retention owns what becomes of records in the end: votes to erase,
// legal holds, and the work that drops what has outlived its time.
//
// It opens nothing. Who may vote and what a hold stops is decided by
// internal/rule/keep, what is destroyed by package record; here each vote
// becomes an entry, and what it does happens in the transaction of that entry.
//
// Laws carried here: L2 (a hold is looked at where the entry lands that erases
// or drops), L6 (what is dropped leaves every file) and L5 (whoever was erased is unknown, like somebody who never was).
//
// Start reading at [Retention.Erase], then [Retention.Expire].
package retention

import (
	"errors"
	"sync"

	"purser"
	"purser/internal/fold"
	"purser/internal/gate"
	"purser/internal/ledger"
	"purser/internal/record"
)

// Config is what a retention works with; everything is needed.
type Config struct {
	Log     *ledger.Log[*fold.State]
	Gate    *gate.Gate
	Records *record.Book
}

// Retention records votes, holds and expiries. It may be used by any number of
// goroutines.
type Retention struct {
	c Config

	turn    sync.Mutex       // one Expire at a time; guards what follows
	dropped record.ExpiryRow // where the next turn goes on
	purged  purser.Ordinal
}

// New checks the configuration.
func New(c Config) (*Retention, error) {
	if c.Log == nil || c.Gate == nil || c.Records == nil {
		return nil, errors.New("retention: part of the configuration is missing")
	}
	return &Retention{c: c}, nil
}
