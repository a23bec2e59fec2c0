// Package contact decides who holds which contact and what the caller has
// proved.
//
// It owns the telephony sources with the order, gaps and silence of their
// events, the agents they map to, the state machine of a contact and its
// legs, the claim of a leg by one desk session, and the verification: tries,
// codes, the binding to one customer, assurance, break-glass and its undoing.
// It does not own who a session belongs to or whether it is live (fold), how
// many customers a person may reach (budget), locks (contain), or the compare
// of values (gate).
//
// Laws carried here: L2 (everything follows from entries and their stamps;
// staleness is worked out when it is asked for, never by a timer) and the
// contact's part of L4 ([Book.Held] is the one way to a contact that may
// disclose).
//
// What is asked by person or by session, [Book.Offered] and the release of an
// ended session's legs, goes through all contacts there are: live ones, and
// those closed in the last ten minutes. That is microseconds for the contacts
// of some thousand desks; far beyond that it wants a table by person.
//
// Start reading at [Book.Held], then [Book.Apply].
package contact

import (
	"errors"
	"fmt"

	"purser"
	"purser/internal/rule/overlay"
)

// The spans and ceilings of contacts. They are part of the fold's version.
const (
	// Reorder is how long a gap in the sequence numbers may stay open.
	Reorder = 5 * purser.Second
	// Silence is how long a source may say nothing.
	Silence = 15 * purser.Second
	// StaleEnd is how long after its source's last event a contact ends.
	StaleEnd = 20 * purser.Minute
	// Longest is how long a contact lives.
	Longest = 3 * purser.Hour
	// Resume is how soon after hang-up a call back resumes the verification.
	Resume = 5 * purser.Minute
	// CodeLife is how long a code is good for.
	CodeLife = 5 * purser.Minute

	// MaxTries is how many failed identifies a contact has.
	MaxTries = 3
	// MaxCodeTries is how many tries a contact has at codes after each one that
	// it sent, and before the first; whether there is a code does not matter.
	MaxCodeTries = 3
	// MaxSends is how many codes one contact may send.
	MaxSends = 3
	// MaxLinked is how many linked customers a contact may bind, ever.
	MaxLinked = 9
	// MaxSequence is the highest sequence number a source may use.
	MaxSequence = 1<<53 - 1

	maxPending  = 64   // events waiting for a gap, per source
	maxRepeats  = 1024 // sequence numbers whose bytes are remembered, per source
	keepClosed  = 10 * purser.Minute
	keepUnended = purser.Day // a row nobody ended stands for "over three hours"
)

// ErrImpossible says that an entry cannot follow from the entries before it:
// the ledger, or the program that wrote it, is corrupt.
var ErrImpossible = errors.New("contact entry that nothing allows")

// Book is the state of sources and contacts. The zero Book is empty and
// ready. It is used by one goroutine, the ledger writer.
type Book struct {
	sources  overlay.Table[purser.SourceID, sourceRow]
	agents   overlay.Table[agentKey, purser.PersonID]
	waiting  overlay.Table[slotKey, waitingRow] // by seq mod maxPending
	repeats  overlay.Table[slotKey, repeatRow]  // by seq mod maxRepeats
	contacts overlay.Table[purser.ContactID, row]
	hungUp   overlay.Table[callerKey, purser.ContactID] // the last one that could resume
	keyed    overlay.Table[purser.ContactID, purser.Commitment]
}

// Apply folds one entry in. Kinds that do not concern contacts are ignored. It
// fails with ErrImpossible on an allowed entry that no decision of this
// package allows.
func (b *Book) Apply(h purser.Header, e purser.Entry) error {
	var err error
	switch e := e.(type) {
	case *purser.SourceSet:
		b.setSource(e)
	case *purser.AgentMapped:
		b.mapAgent(e)
	case *purser.ContactEvent:
		err = b.applyEvent(e, h.Stamp)
	case *purser.SessionOpened:
		b.sessionOpened(e)
	case *purser.SessionEnded:
		b.release(func(who purser.Actor) bool { return who.Session == e.Session })
	case *purser.Claim:
		err = b.applyClaim(e, h.Stamp)
	case *purser.Attempt:
		err = b.applyAttempt(h.Pos, e)
	case *purser.AttemptResult:
		err = b.applyResult(e)
	case *purser.CodeSent:
		err = b.applySent(h, e)
	case *purser.CodeResult:
		// In doubt, failed and delivered count alike.
	case *purser.CodeTried:
		err = b.applyTried(e)
	case *purser.BreakGlass:
		err = b.applyBreakGlass(h.Pos, e)
	case *purser.BreakGlassApproved:
		err = b.applyApproved(e)
	case *purser.BindingUndone:
		err = b.applyUndone(e)
	case *purser.Disclosure:
		err = b.applyDisclosure(e)
	}
	if err != nil {
		return fmt.Errorf("apply kind %d at position %d: %w", h.Kind, h.Pos, err)
	}
	return nil
}

// Commit keeps what was applied since the last Commit.
func (b *Book) Commit() {
	b.sources.Commit()
	b.agents.Commit()
	b.waiting.Commit()
	b.repeats.Commit()
	b.contacts.Commit()
	b.hungUp.Commit()
	b.keyed.Commit()
}

// Discard forgets what was applied since the last Commit.
func (b *Book) Discard() {
	b.sources.Discard()
	b.agents.Discard()
	b.waiting.Discard()
	b.repeats.Discard()
	b.contacts.Discard()
	b.hungUp.Discard()
	b.keyed.Discard()
}

// Code reads or writes the whole state.
func (b *Book) Code(c *purser.Coder) {
	b.sources.Code(c, 16, codeSourceID, codes[sourceRow])
	b.agents.Code(c, 48, codes[agentKey], func(c *purser.Coder, p *purser.PersonID) { p.Code(c) })
	b.waiting.Code(c, 18, codes[slotKey], codes[waitingRow])
	b.repeats.Code(c, 42, codes[slotKey], codes[repeatRow])
	b.contacts.Code(c, 16, codeContactID, codes[row])
	b.hungUp.Code(c, 40, codes[callerKey], codeContactID)
	b.keyed.Code(c, 32, codeContactID, func(c *purser.Coder, m *purser.Commitment) { m.Code(c) })
}

// Sweep ends contacts whose source fell silent and drops rows that can no
// longer matter at at.
func (b *Book) Sweep(at purser.Stamp) {
	b.lapseSilent(at)
	var gone []purser.ContactID
	for id, r := range b.contacts.All() {
		if r.forgettable(at) {
			gone = append(gone, id)
		}
	}
	for _, id := range gone {
		b.contacts.Delete(id)
		b.keyed.Delete(id)
	}
	var stale []callerKey
	for k, id := range b.hungUp.All() {
		if r, ok := b.contacts.Get(id); !ok || over(r.HungUpAt, Resume, at) {
			stale = append(stale, k)
		}
	}
	for _, k := range stale {
		b.hungUp.Delete(k)
	}
}

// over reports whether more than span has passed since since.
func over(since, span, at purser.Stamp) bool { return at-since > span }
