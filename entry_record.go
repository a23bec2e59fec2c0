package purser

import (
	"errors"
	"fmt"
	"strconv"
)

// Merged is one batch of at most 10,000 rows of an import that belong to
// customers who are there already, from an earlier import or from earlier in
// the same file: their records were written anew.
type Merged struct {
	File    Hash
	Changed uint32 // rows that changed a customer of an earlier import
	Same    uint32 // rows that say of one what his record says
	Merged  uint32 // rows about somebody whom an earlier row of the file brought in
	Root    Hash   // Merkle root over the rows' ordinals and sealed bytes, in the order they were written
	By      Actor
	Reason  Reason
}

func (*Merged) Kind() Kind        { return KindMerged }
func (e *Merged) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *Merged) Code(c *Coder) {
	e.File.Code(c)
	c.U32(&e.Changed)
	c.U32(&e.Same)
	c.U32(&e.Merged)
	e.Root.Code(c)
	e.By.Code(c)
	codeReason(c, &e.Reason)
}

// ImportClosed ends an import: the customers it brought in can be found from
// here on. Read = New + Changed + Same + Merged + Rejected.
type ImportClosed struct {
	File     Hash
	Read     uint64
	New      uint64
	Changed  uint64
	Same     uint64
	Merged   uint64
	Rejected uint64
	By       Actor
	Reason   Reason
}

func (*ImportClosed) Kind() Kind        { return KindImportClosed }
func (e *ImportClosed) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *ImportClosed) Code(c *Coder) {
	e.File.Code(c)
	for _, n := range []*uint64{&e.Read, &e.New, &e.Changed, &e.Same, &e.Merged, &e.Rejected} {
		c.U64(n)
	}
	e.By.Code(c)
	codeReason(c, &e.Reason)
}

// Amend writes fields of one customer without showing what they held. The
// record is written in the transaction of the entry.
type Amend struct {
	Who       Actor
	Contact   ContactID
	Mandate   MandateID
	Customer  Ordinal
	Fields    FieldMask  // written, or emptied
	Channels  FieldMask  // those of Fields to which codes and notices go
	Values    Commitment // to what was written, salted
	Assurance Assurance
	Reason    Reason
}

func (*Amend) Kind() Kind        { return KindAmend }
func (e *Amend) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *Amend) Code(c *Coder) {
	e.Who.Code(c)
	e.Contact.Code(c)
	e.Mandate.Code(c)
	c.Ordinal(&e.Customer)
	e.Fields.Code(c)
	e.Channels.Code(c)
	e.Values.Code(c)
	e.Assurance.Code(c)
	codeReason(c, &e.Reason)
}

// EraseCause is why a customer is erased.
type EraseCause uint8

// The causes.
const (
	EraseRequest   EraseCause = 1 + iota // the customer asked
	EraseRetention                       // a retention rule; nobody's vote
	EraseOrder                           // an authority's order
)

// Erase is one person's vote to destroy the key, the indexes and the salts of a
// customer. The second vote, by another human in another role, does it: Done is
// set in that entry. A retention rule needs no vote.
type Erase struct {
	Customer Ordinal
	By       Actor
	As       Role
	Cause    EraseCause
	Done     bool
	Until    Stamp // when the last backup that can hold the key is gone
	Reason   Reason
}

func (*Erase) Kind() Kind        { return KindErase }
func (e *Erase) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *Erase) Code(c *Coder) {
	c.Ordinal(&e.Customer)
	e.By.Code(c)
	e.As.Code(c)
	codeEnum(c, &e.Cause, EraseOrder)
	c.Flag(&e.Done)
	c.Stamp(&e.Until)
	codeReason(c, &e.Reason)
}

// Expired drops fields whose time was over from the records of at most 4,096
// customers. Without fields it destroys their replaced values whose time was
// over.
type Expired struct {
	Customers []Ordinal // ascending
	Fields    FieldMask
	Reason    Reason
}

func (*Expired) Kind() Kind        { return KindExpired }
func (e *Expired) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *Expired) Code(c *Coder) {
	c.Ordinals(&e.Customers)
	e.Fields.Code(c)
	codeReason(c, &e.Reason)
}

// HoldPlaced orders that nothing of some customers be destroyed: no erasure, no
// deletion, no merge. The matter's words are in the hold's row.
type HoldPlaced struct {
	Hold      HoldID
	All       bool      // of every customer
	Customers []Ordinal // ascending, at most 4,096; none when All
	Matter    Commitment
	By        Actor
	As        Role
	Review    Stamp
	Reason    Reason
}

func (*HoldPlaced) Kind() Kind        { return KindHoldPlaced }
func (e *HoldPlaced) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *HoldPlaced) Code(c *Coder) {
	e.Hold.Code(c)
	c.Flag(&e.All)
	c.Ordinals(&e.Customers)
	e.Matter.Code(c)
	e.By.Code(c)
	e.As.Code(c)
	c.Stamp(&e.Review)
	codeReason(c, &e.Reason)
}

// HoldLift is one person's vote to lift a hold. The second vote, by another
// human in another role, lifts it.
type HoldLift struct {
	Hold   HoldID
	By     Actor
	As     Role
	Lifted bool
	Reason Reason
}

func (*HoldLift) Kind() Kind        { return KindHoldLift }
func (e *HoldLift) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *HoldLift) Code(c *Coder) {
	e.Hold.Code(c)
	e.By.Code(c)
	e.As.Code(c)
	c.Flag(&e.Lifted)
	codeReason(c, &e.Reason)
}

// Holdings is a statement of what a scan of everything held found: per class of
// forbidden data, how often. The signed statement is kept in a row.
type Holdings struct {
	Statement Hash
	Customers uint64
	Fields    uint64
	Texts     uint64 // cases and notes
	Found     uint64
	By        Actor
}

func (*Holdings) Kind() Kind { return KindHoldings }

// Code codes the payload.
func (e *Holdings) Code(c *Coder) {
	e.Statement.Code(c)
	for _, n := range []*uint64{&e.Customers, &e.Fields, &e.Texts, &e.Found} {
		c.U64(n)
	}
	e.By.Code(c)
}

// KeyUse is what a key is for.
type KeyUse uint8

// The uses of keys that rotate.
const (
	KeyWrap  KeyUse = 1 + iota // wraps the data keys of records
	KeyIndex                   // makes blind indexes
)

// String returns the use in a word.
func (u KeyUse) String() string {
	if u == KeyIndex {
		return "index"
	}
	return "wrap"
}

// KeyNumber writes the number of a key as people name it.
func KeyNumber(n uint32) string { return fmt.Sprintf("%08x", n) }

// ParseKeyNumber reads the eight hexadecimal digits.
func ParseKeyNumber(text string) (uint32, error) {
	n, err := strconv.ParseUint(text, 16, 32)
	if err != nil || len(text) != 8 {
		return 0, errors.New("key number: want 8 hexadecimal digits")
	}
	return uint32(n), nil
}

// KeyStep is how far a rotation has come.
type KeyStep uint8

// The steps of a rotation.
const (
	KeyAdded     KeyStep = 1 + iota // new work uses the new key, the old one still opens
	KeyDone                         // nothing is left under the old one
	KeyDestroyed                    // the old one is gone from the keyset
)

// KeyRotation is one step of a key's replacement. Old and New are the keys'
// numbers in the keyset.
type KeyRotation struct {
	Use    KeyUse
	Step   KeyStep
	Old    uint32
	New    uint32
	Count  uint64 // of records that were changed over
	By     Actor  // zero: the operator on the host
	Reason Reason
}

func (*KeyRotation) Kind() Kind        { return KindKeyRotation }
func (e *KeyRotation) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *KeyRotation) Code(c *Coder) {
	codeEnum(c, &e.Use, KeyIndex)
	codeEnum(c, &e.Step, KeyDestroyed)
	c.U32(&e.Old)
	c.U32(&e.New)
	c.U64(&e.Count)
	e.By.Code(c)
	codeReason(c, &e.Reason)
}

// BackedUp says that a backup was made of everything before the entry.
type BackedUp struct {
	Records Hash // of the file of records
	Keys    Hash // of the file of wrapped keys
	By      Actor
}

func (*BackedUp) Kind() Kind { return KindBackedUp }

// Code codes the payload.
func (e *BackedUp) Code(c *Coder) {
	e.Records.Code(c)
	e.Keys.Code(c)
	e.By.Code(c)
}

// Restored says that rows come from a backup of the first Rows entries, under a
// ledger that went on to Size before it was restored.
type Restored struct {
	Backup Hash // of the file of records
	Rows   Pos
	Size   Pos
	Erased uint32 // customers who were erased after the backup, and again now
	By     Actor
}

func (*Restored) Kind() Kind { return KindRestored }

// Code codes the payload.
func (e *Restored) Code(c *Coder) {
	e.Backup.Code(c)
	c.Pos(&e.Rows)
	c.Pos(&e.Size)
	c.U32(&e.Erased)
	e.By.Code(c)
}
