// Package purser holds the words of Purser, a self-hosted customer-record
// system for contact centres in which a stolen login alone opens nothing.
//
// It owns the vocabulary that every other package speaks: identifiers,
// fields and masks, assurance, targets, stamps, every kind of ledger entry
// with its canonical bytes, and refusals with the answers that an asker may
// see. It owns no rule, no storage, no clock, no randomness and does no input
// or output; a decision is taken in internal/rule and internal/gate, and an
// entry is made durable in internal/ledger.
//
// Laws carried here: L2 (entries have exactly one encoding, so replay is byte
// for byte the same), L5 (reasons map to few answers) and L6 (an opened value
// hides itself in every formatter).
//
// Start reading at [Entry], then [Disclosure].
package purser
