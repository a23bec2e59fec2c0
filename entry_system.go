package purser

// Start is the first entry of every run of a process on a ledger.
type Start struct {
	Software    string // version of the program
	FoldVersion uint16 // rules under which the following entries were folded
	Wall        Stamp  // the wall clock at start
	Downtime    Stamp  // wall clock minus the last stamp, in microseconds
	// Held is set when the downtime is over 24 h or negative by more than a
	// minute: stamps continue from the last one until security accepts.
	Held bool
}

func (*Start) Kind() Kind { return KindStart }

// Code codes the payload.
func (e *Start) Code(c *Coder) {
	c.Text(&e.Software)
	c.U16(&e.FoldVersion)
	c.Stamp(&e.Wall)
	c.Stamp(&e.Downtime)
	c.Flag(&e.Held)
}

// ClockStep records that the wall clock left the monotonic clock by over
// 60 s; stamps follow the monotonic clock from here on.
type ClockStep struct {
	Wall Stamp
	Mono Stamp // what the wall clock would read had it not stepped
}

func (*ClockStep) Kind() Kind { return KindClockStep }

// Code codes the payload.
func (e *ClockStep) Code(c *Coder) { c.Stamp(&e.Wall); c.Stamp(&e.Mono) }

// ClockAccepted is security's word that the wall clock is right again.
type ClockAccepted struct {
	By     Actor
	Wall   Stamp
	Reason Reason
}

func (*ClockAccepted) Kind() Kind        { return KindClockAccepted }
func (e *ClockAccepted) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *ClockAccepted) Code(c *Coder) { e.By.Code(c); c.Stamp(&e.Wall); codeReason(c, &e.Reason) }

// Snapshot binds a snapshot of the fold to the ledger: the state after the
// entries [0, Size) had this digest.
type Snapshot struct {
	Size        Pos
	FoldVersion uint16
	Digest      Hash
	Root        Hash // of the tree over the entries [0, Size)
}

func (*Snapshot) Kind() Kind { return KindSnapshot }

// Code codes the payload.
func (e *Snapshot) Code(c *Coder) {
	c.Pos(&e.Size)
	c.U16(&e.FoldVersion)
	e.Digest.Code(c)
	e.Root.Code(c)
}

// DoorState is the state of the bootstrap door.
type DoorState uint8

// The door's states. A labelled deployment is a demo or scratch directory,
// whose door may stay open and whose label `serve` refuses.
const (
	DoorOpen DoorState = 1 + iota
	DoorExpired
	DoorSealed
	DoorLabelled
)

// Door opens or closes the bootstrap door: the time in which authenticators
// are enrolled without a help-desk request (L7).
type Door struct {
	State DoorState
	Until Stamp // for DoorOpen: when it shuts by itself
	// Custodians holds a commitment to each custodian public key of a seal,
	// and Quorum how many must sign.
	Custodians []Commitment
	Quorum     uint8
	By         Actor // zero: the operator on the host
	Reason     Reason
}

func (*Door) Kind() Kind        { return KindDoor }
func (e *Door) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *Door) Code(c *Coder) {
	codeEnum(c, &e.State, DoorLabelled)
	c.Stamp(&e.Until)
	n := c.Count(len(e.Custodians), 16)
	if c.Reading() && n > 0 {
		e.Custodians = make([]Commitment, n)
	}
	for i := range e.Custodians {
		e.Custodians[i].Code(c)
	}
	c.U8(&e.Quorum)
	e.By.Code(c)
	codeReason(c, &e.Reason)
}

// ConfigKind says which configuration an entry sets.
type ConfigKind uint8

// The configurations. Their bytes live in a table; the entry holds the hash.
const (
	ConfigSchema ConfigKind = 1 + iota
	ConfigPolicy
	ConfigBudget // Value of Which for Vendor (zero vendor: all); Text unused
)

// BudgetKind names a ceiling that a deployment may tighten.
type BudgetKind uint8

// The ceilings that Configuration may set.
const (
	BudgetPersonHour BudgetKind = 1 + iota
	BudgetPersonDay
	BudgetWeakDay
	BudgetBreakGlassDay
	BudgetVendorShare // percent of delivered contacts
	BudgetAfterHangUp // seconds fields stay open after hang-up, 0 to 120
)

// Configuration sets a schema, a policy set or a ceiling. By is who enacted
// it; zero at init.
type Configuration struct {
	What   ConfigKind
	Hash   Hash
	Vendor VendorID
	Which  BudgetKind
	Value  uint32
	By     Actor
	Reason Reason
}

func (*Configuration) Kind() Kind        { return KindConfiguration }
func (e *Configuration) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *Configuration) Code(c *Coder) {
	codeEnum(c, &e.What, ConfigBudget)
	e.Hash.Code(c)
	e.Vendor.Code(c)
	codeEnum(c, &e.Which, BudgetAfterHangUp)
	c.U32(&e.Value)
	e.By.Code(c)
	codeReason(c, &e.Reason)
}

// Import is one batch of at most 10,000 customers brought in.
type Import struct {
	File     Hash // of the whole input
	First    Ordinal
	Count    uint32 // ordinals First … First+Count-1
	Rejected uint32
	Root     Hash // Merkle root over the rows' sealed bytes, in ordinal order
	By       Actor
	Reason   Reason
}

func (*Import) Kind() Kind        { return KindImport }
func (e *Import) Refused() Reason { return e.Reason }

// Code codes the payload.
func (e *Import) Code(c *Coder) {
	e.File.Code(c)
	c.Ordinal(&e.First)
	c.U32(&e.Count)
	c.U32(&e.Rejected)
	e.Root.Code(c)
	e.By.Code(c)
	codeReason(c, &e.Reason)
}

// FindingKind numbers what a finding is about.
type FindingKind uint8

// The findings that the core raises by itself.
const (
	FindingForgedEvent   FindingKind = 1 + iota // event failed authentication
	FindingEventMismatch                        // sequence came again with other bytes
	FindingSecondClaim                          // a claimed contact was claimed again
	FindingClock                                // the wall clock stepped
	FindingSourceStale                          // silence or an open gap
	FindingSignCount                            // a passkey's counter went back
	FindingSessionKey                           // a session's requests were not signed by its key
	FindingStorageFault                         // the database could not be written
	FindingResultMissing                        // an attempt never got its result
)

// Finding is something security should look at. It changes no standing.
type Finding struct {
	What    FindingKind
	Source  SourceID
	Contact ContactID
	Who     Actor
	Count   uint32 // how often since the last entry of this kind
}

func (*Finding) Kind() Kind { return KindFinding }

// Code codes the payload.
func (e *Finding) Code(c *Coder) {
	codeEnum(c, &e.What, FindingResultMissing)
	e.Source.Code(c)
	e.Contact.Code(c)
	e.Who.Code(c)
	c.U32(&e.Count)
}

// codeReason codes a reason as two bytes.
func codeReason(c *Coder, r *Reason) { c.U16((*uint16)(r)) }
