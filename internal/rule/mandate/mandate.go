// Package mandate owns rights to open fields without a live contact.
//
// Laws carried here: L2 (state follows from entries alone).
//
// Start reading at [Book].
package mandate

import "purser"

// Book is the state. It belongs to the fold, and through it to the ledger's
// writer.
type Book struct{}

// Apply folds one entry in, uncommitted.
func (b *Book) Apply(purser.Header, purser.Entry) error { return nil }

// Commit keeps what was applied.
func (b *Book) Commit() {}

// Discard forgets what was applied since the last Commit.
func (b *Book) Discard() {}

// Sweep drops what can no longer matter at a stamp.
func (b *Book) Sweep(purser.Stamp) {}

// Code writes the book, or reads one into a new Book.
func (b *Book) Code(*purser.Coder) {}
