package purser

import (
	"encoding/binary"
	"fmt"
)

// Kind numbers the kinds of entries. Numbers are part of the format: never
// reuse one.
type Kind uint8

// The kinds.
const (
	KindStart Kind = 1 + iota
	KindClockStep
	KindClockAccepted
	KindSnapshot
	KindDoor
	KindVendor
	KindTeam
	KindPerson
	KindAuthenticator
	KindSessionOpened
	KindSessionSteppedUp
	KindSessionEnded
	KindSource
	KindAgentMapped
	KindConfiguration
	KindContactEvent
	KindClaim
	KindAttempt
	KindAttemptResult
	KindCodeSent
	KindCodeResult
	KindCodeTried
	KindBreakGlass
	KindBreakGlassApproved
	KindBindingUndone
	KindDisclosure
	KindRefusals
	KindLockPlaced
	KindLockLift
	KindChangeProposed
	KindChangeVoted
	KindChangeEnacted
	KindImport
	KindFinding
	KindMerged
	KindImportClosed
	KindAmend
	KindErase
	KindExpired
	KindHoldPlaced
	KindHoldLift
	KindHoldings
	KindKeyRotation
	KindBackedUp
	KindRestored
	KindMandateAsked
	KindMandateApproved
	KindMandateAssigned
	KindMandateEnded
	KindReleased
	KindCaseOpened
	KindCaseChanged
	KindNoteAdded

	kindEnd
)

// EntryVersion is the version of the entry format.
const EntryVersion = 1

// headerSize is version, kind, payload length, position and stamp.
const headerSize = 1 + 1 + 2 + 8 + 8

// MaxEntry is the longest entry in bytes: what a C2SP entry bundle can hold.
const MaxEntry = 0xffff

// Entry is one record of the ledger. Only this package declares kinds; the
// format of each is the order of its Code method (docs/formats/entry.md).
// Entries are handled as pointers and not changed once proposed.
type Entry interface {
	Kind() Kind
	// Code reads or writes the payload.
	Code(*Coder)
}

// Decision is an entry that says yes or no to somebody.
type Decision interface {
	Entry
	// Refused returns Allowed or why not.
	Refused() Reason
}

// Opener is a decision that, when allowed, permits opening fields of one
// customer. Only a ledger receipt of such an entry opens anything (L1).
type Opener interface {
	Decision
	// Opens returns whose fields may be opened and which bits.
	Opens() (Ordinal, FieldMask)
}

// BulkOpener is a decision that, when allowed, permits opening the same fields
// of many customers, each once (L1).
type BulkOpener interface {
	Decision
	// OpensAll returns whose fields may be opened, ascending, and which bits.
	OpensAll() ([]Ordinal, FieldMask)
}

// Header is what every entry starts with.
type Header struct {
	Kind  Kind
	Pos   Pos
	Stamp Stamp
}

// NewEntry returns an empty entry of kind k, or nil if there is none.
func NewEntry(k Kind) Entry {
	switch k {
	case KindStart:
		return new(Start)
	case KindClockStep:
		return new(ClockStep)
	case KindClockAccepted:
		return new(ClockAccepted)
	case KindSnapshot:
		return new(Snapshot)
	case KindDoor:
		return new(Door)
	case KindVendor:
		return new(VendorSet)
	case KindTeam:
		return new(TeamSet)
	case KindPerson:
		return new(PersonSet)
	case KindAuthenticator:
		return new(AuthenticatorSet)
	case KindSessionOpened:
		return new(SessionOpened)
	case KindSessionSteppedUp:
		return new(SessionSteppedUp)
	case KindSessionEnded:
		return new(SessionEnded)
	case KindSource:
		return new(SourceSet)
	case KindAgentMapped:
		return new(AgentMapped)
	case KindConfiguration:
		return new(Configuration)
	case KindContactEvent:
		return new(ContactEvent)
	case KindClaim:
		return new(Claim)
	case KindAttempt:
		return new(Attempt)
	case KindAttemptResult:
		return new(AttemptResult)
	case KindCodeSent:
		return new(CodeSent)
	case KindCodeResult:
		return new(CodeResult)
	case KindCodeTried:
		return new(CodeTried)
	case KindBreakGlass:
		return new(BreakGlass)
	case KindBreakGlassApproved:
		return new(BreakGlassApproved)
	case KindBindingUndone:
		return new(BindingUndone)
	case KindDisclosure:
		return new(Disclosure)
	case KindRefusals:
		return new(Refusals)
	case KindLockPlaced:
		return new(LockPlaced)
	case KindLockLift:
		return new(LockLift)
	case KindChangeProposed:
		return new(ChangeProposed)
	case KindChangeVoted:
		return new(ChangeVoted)
	case KindChangeEnacted:
		return new(ChangeEnacted)
	case KindImport:
		return new(Import)
	case KindFinding:
		return new(Finding)
	case KindMerged:
		return new(Merged)
	case KindImportClosed:
		return new(ImportClosed)
	case KindAmend:
		return new(Amend)
	case KindErase:
		return new(Erase)
	case KindExpired:
		return new(Expired)
	case KindHoldPlaced:
		return new(HoldPlaced)
	case KindHoldLift:
		return new(HoldLift)
	case KindHoldings:
		return new(Holdings)
	case KindKeyRotation:
		return new(KeyRotation)
	case KindBackedUp:
		return new(BackedUp)
	case KindRestored:
		return new(Restored)
	case KindMandateAsked:
		return new(MandateAsked)
	case KindMandateApproved:
		return new(MandateApproved)
	case KindMandateAssigned:
		return new(MandateAssigned)
	case KindMandateEnded:
		return new(MandateEnded)
	case KindReleased:
		return new(Released)
	case KindCaseOpened:
		return new(CaseOpened)
	case KindCaseChanged:
		return new(CaseChanged)
	case KindNoteAdded:
		return new(NoteAdded)
	case kindEnd:
		return nil
	}
	return nil
}

// AppendEntry appends the canonical bytes of e at pos and stamp to buf. It
// fails if the payload does not fit an entry.
func AppendEntry(buf []byte, pos Pos, stamp Stamp, e Entry) ([]byte, error) {
	start := len(buf)
	buf = append(buf, EntryVersion, byte(e.Kind()), 0, 0)
	buf = binary.BigEndian.AppendUint64(buf, uint64(pos))
	buf = binary.BigEndian.AppendUint64(buf, uint64(stamp))
	c := Coder{buf: buf}
	e.Code(&c)
	size := len(c.buf) - start
	if c.err != nil || size > MaxEntry {
		return buf[:start], fmt.Errorf("encode entry of kind %d: over %d bytes", e.Kind(), MaxEntry)
	}
	binary.BigEndian.PutUint16(c.buf[start+2:], uint16(size-headerSize))
	return c.buf, nil
}

// ReadHeader reads the header of canonical bytes and returns the payload.
func ReadHeader(b []byte) (Header, []byte, error) {
	if len(b) < headerSize {
		return Header{}, nil, fmt.Errorf("%w: entry of %d bytes", ErrBadBytes, len(b))
	}
	h := Header{
		Kind:  Kind(b[1]),
		Pos:   Pos(binary.BigEndian.Uint64(b[4:])),
		Stamp: Stamp(binary.BigEndian.Uint64(b[12:])),
	}
	if b[0] != EntryVersion {
		return h, nil, fmt.Errorf("%w: entry version %d", ErrBadBytes, b[0])
	}
	payload := b[headerSize:]
	if int(binary.BigEndian.Uint16(b[2:])) != len(payload) {
		return h, nil, fmt.Errorf("%w: entry length at position %d", ErrBadBytes, h.Pos)
	}
	return h, payload, nil
}

// ParseEntry reads canonical bytes; bytes that AppendEntry would not write are
// refused.
func ParseEntry(b []byte) (Header, Entry, error) {
	h, payload, err := ReadHeader(b)
	if err != nil {
		return h, nil, err
	}
	e, err := ParsePayload(h.Kind, payload)
	if err != nil {
		return h, nil, fmt.Errorf("position %d: %w", h.Pos, err)
	}
	return h, e, nil
}

// ParsePayload reads the payload of an entry of kind k.
func ParsePayload(k Kind, payload []byte) (Entry, error) {
	e := NewEntry(k)
	if e == nil {
		return nil, fmt.Errorf("%w: entry kind %d", ErrBadBytes, k)
	}
	c := NewDecoder(payload)
	e.Code(c)
	if err := c.End(); err != nil {
		return nil, fmt.Errorf("entry kind %d: %w", k, err)
	}
	return e, nil
}
