// Package fold owns the state that follows from the entries of the ledger:
// standing, contacts, budgets, locks, and the counters of refusals.
//
// It applies each entry to the owners of what the entry is about and answers
// questions; it decides nothing. What may be recorded is decided in
// internal/rule, internal/gate and internal/change. It knows no time but the
// stamps of entries.
//
// Laws carried here: L2 (the same entries give the same bytes, in one encoding,
// on any machine; no floating point, no order of maps, no clock) and L11 as far
// as that an enacted change applies exactly the entry that was proposed.
//
// Start reading at [State.Apply], then [Standing.Live].
package fold

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"purser"
	"purser/internal/rule/budget"
	"purser/internal/rule/casefile"
	"purser/internal/rule/contact"
	"purser/internal/rule/contain"
	"purser/internal/rule/keep"
	"purser/internal/rule/mandate"
	"purser/internal/rule/overlay"
)

// Version numbers the rules under which entries are folded. It rises whenever
// the same entries would give other bytes.
const Version uint16 = 2

// ErrImpossible says that an entry cannot follow the ones before it. No
// decision makes one, so the ledger is corrupt.
var ErrImpossible = errors.New("entry cannot follow the ones before it")

// State is everything that decisions may depend on. It belongs to the ledger's
// writer: nobody else touches it, also not to read.
type State struct {
	standing Standing
	contacts contact.Book
	budgets  budget.Sheet
	locks    contain.Board
	keeping  keep.Book
	mandates mandate.Book
	cases    casefile.Book
	repeats  overlay.Table[refused, repeat]
	at       overlay.Cell[place]
}

// place is how far the state has come.
type place struct {
	size purser.Pos
	last purser.Stamp
}

// New returns the state before the first entry.
func New() *State { return new(State) }

// Restore reads a snapshot that Code wrote under the same Version. Bytes that
// Code would not write are refused with purser.ErrBadBytes.
func Restore(snapshot []byte) (*State, error) {
	s, c := New(), purser.NewDecoder(snapshot)
	s.Code(c)
	if err := c.End(); err != nil {
		return nil, fmt.Errorf("restore snapshot: %w", err)
	}
	return s, nil
}

// Standing returns who and what is registered.
func (s *State) Standing() *Standing { return &s.standing }

// Contacts returns sources, contacts and verifications.
func (s *State) Contacts() *contact.Book { return &s.contacts }

// Budgets returns the counters and their ceilings.
func (s *State) Budgets() *budget.Sheet { return &s.budgets }

// Locks returns the locks.
func (s *State) Locks() *contain.Board { return &s.locks }

// Keeping returns holds, erasures and fresh channels of single customers.
func (s *State) Keeping() *keep.Book { return &s.keeping }

// Mandates returns the rights to open without a contact.
func (s *State) Mandates() *mandate.Book { return &s.mandates }

// Cases returns the cases.
func (s *State) Cases() *casefile.Book { return &s.cases }

// Size returns how many entries were applied: the next one's position.
func (s *State) Size() purser.Pos { return s.at.Get().size }

// Apply folds one entry in, uncommitted. Entries come in the order of their
// positions and their stamps never go back. After an error the caller
// discards.
func (s *State) Apply(h purser.Header, e purser.Entry) error {
	now := s.at.Get()
	if h.Pos != now.size || h.Stamp < now.last || h.Kind != e.Kind() {
		return fmt.Errorf("%w: kind %d at position %d", ErrImpossible, h.Kind, h.Pos)
	}
	s.at.Put(place{h.Pos + 1, h.Stamp})
	s.countRefusal(e, h.Stamp)
	if f, ok := e.(*purser.Finding); ok && f.What == purser.FindingStorageFault {
		s.standing.pause(h.Stamp - now.last) // no veto could be recorded since
	}
	if err := s.dispatch(h, e); err != nil {
		return fmt.Errorf("apply position %d: %w", h.Pos, err)
	}
	if h.Stamp/purser.Minute != now.last/purser.Minute {
		s.Sweep(h.Stamp)
	}
	return nil
}

// dispatch gives an entry to the owners of what it is about.
func (s *State) dispatch(h purser.Header, e purser.Entry) error {
	switch h.Kind {
	case purser.KindStart:
		return errors.Join(s.standing.apply(h, e), s.budgets.Apply(h, e))
	case purser.KindVendor, purser.KindTeam, purser.KindPerson:
		return s.standing.set(h, e)
	case purser.KindClockStep, purser.KindClockAccepted, purser.KindDoor,
		purser.KindAuthenticator, purser.KindSessionSteppedUp, purser.KindImport,
		purser.KindChangeProposed, purser.KindChangeVoted:
		return s.standing.apply(h, e)
	case purser.KindSessionOpened, purser.KindSessionEnded:
		return errors.Join(s.standing.apply(h, e), s.contacts.Apply(h, e))
	case purser.KindConfiguration:
		s.standing.overtake(e)
		return errors.Join(s.standing.apply(h, e), s.budgets.Apply(h, e))
	case purser.KindAgentMapped:
		s.standing.overtake(e)
		return s.contacts.Apply(h, e)
	case purser.KindSource:
		s.standing.overtake(e)
		return errors.Join(s.contacts.Apply(h, e), s.budgets.Apply(h, e))
	case purser.KindContactEvent, purser.KindClaim,
		purser.KindAttempt, purser.KindAttemptResult,
		purser.KindCodeSent, purser.KindCodeResult, purser.KindCodeTried,
		purser.KindBreakGlass, purser.KindBreakGlassApproved, purser.KindBindingUndone:
		return errors.Join(s.contacts.Apply(h, e), s.budgets.Apply(h, e))
	case purser.KindDisclosure:
		return errors.Join(s.contacts.Apply(h, e), s.budgets.Apply(h, e), s.mandates.Apply(h, e))
	case purser.KindLockPlaced:
		if placed, ok := e.(*purser.LockPlaced); ok && placed.Reason == purser.Allowed {
			s.standing.covered(placed, h.Stamp)
		}
		return s.locks.Apply(h, e)
	case purser.KindLockLift:
		return s.locks.Apply(h, e)
	case purser.KindChangeEnacted:
		return s.enact(h, e)
	case purser.KindMerged, purser.KindImportClosed, purser.KindKeyRotation, purser.KindRestored:
		return s.standing.apply(h, e)
	case purser.KindAmend:
		return errors.Join(s.contacts.Apply(h, e), s.budgets.Apply(h, e), s.keeping.Apply(h, e))
	case purser.KindErase, purser.KindExpired, purser.KindHoldPlaced, purser.KindHoldLift:
		return s.keeping.Apply(h, e)
	case purser.KindMandateAsked, purser.KindMandateApproved, purser.KindMandateAssigned,
		purser.KindMandateEnded, purser.KindReleased:
		return s.mandates.Apply(h, e)
	case purser.KindCaseOpened, purser.KindNoteAdded:
		return s.cases.Apply(h, e, s.origin(e, h.Stamp))
	case purser.KindCaseChanged:
		return errors.Join(s.cases.Apply(h, e, s.origin(e, h.Stamp)), s.mandates.Apply(h, e))
	case purser.KindSnapshot, purser.KindRefusals, purser.KindFinding,
		purser.KindHoldings, purser.KindBackedUp:
		return nil // evidence alone
	}
	return fmt.Errorf("%w: kind %d", ErrImpossible, h.Kind)
}

// enact ends a change and applies what it enacts, at the enacting entry's own
// position and stamp.
func (s *State) enact(h purser.Header, e purser.Entry) error {
	enacted, ok := e.(*purser.ChangeEnacted)
	if !ok {
		return ErrImpossible
	}
	if enacted.Reason != purser.Allowed {
		return nil
	}
	if err := s.standing.enacted(enacted, h.Stamp); err != nil {
		return err
	}
	inner, err := purser.Inner(enacted.Enacts)
	if err != nil {
		return fmt.Errorf("%w: enacted entry", ErrImpossible)
	}
	return s.dispatch(purser.Header{Kind: inner.Kind(), Pos: h.Pos, Stamp: h.Stamp}, inner)
}

// Sweep drops what can no longer matter. Apply calls it when stamps enter a
// new minute, so it happens at the same places in a replay: after the entry,
// since the entry was decided on what stood before, and must find it.
func (s *State) Sweep(at purser.Stamp) {
	s.standing.sweep(at)
	s.contacts.Sweep(at)
	s.budgets.Sweep(at)
	s.locks.Sweep(at)
	s.keeping.Sweep(at)
	s.mandates.Sweep(at)
	s.cases.Sweep(at)
	s.sweepRefusals(at)
}

// Commit keeps what was applied.
func (s *State) Commit() {
	s.standing.commit()
	s.contacts.Commit()
	s.budgets.Commit()
	s.locks.Commit()
	s.keeping.Commit()
	s.mandates.Commit()
	s.cases.Commit()
	s.repeats.Commit()
	s.at.Commit()
}

// Discard forgets what was applied since the last Commit.
func (s *State) Discard() {
	s.standing.discard()
	s.contacts.Discard()
	s.budgets.Discard()
	s.locks.Discard()
	s.keeping.Discard()
	s.mandates.Discard()
	s.cases.Discard()
	s.repeats.Discard()
	s.at.Discard()
}

// Code writes the snapshot, Version first, or reads one into a new State.
func (s *State) Code(c *purser.Coder) {
	version := Version
	c.U16(&version)
	if version != Version {
		c.Fail()
		return
	}
	at := s.at.Get()
	c.Pos(&at.size)
	c.Stamp(&at.last)
	s.standing.code(c)
	s.contacts.Code(c)
	s.budgets.Code(c)
	s.locks.Code(c)
	s.keeping.Code(c)
	s.mandates.Code(c)
	s.cases.Code(c)
	s.repeats.Code(c, 17+12, codeRefused, codeRepeat)
	if c.Reading() {
		s.at.Put(at)
		s.at.Commit()
	}
}

// Digest returns the SHA-256 of the snapshot: equal digests, equal states.
func (s *State) Digest() purser.Hash {
	c := purser.NewEncoder(nil)
	s.Code(c)
	return sha256.Sum256(c.Bytes())
}
