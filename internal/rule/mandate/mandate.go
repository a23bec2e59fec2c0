// Package mandate owns rights to open fields without a live contact: who may
// ask for one and who approve it, what it names, how long it holds, to which
// deliveries it opens, and who has which case to work on.
//
// It does not own standing and locks (the gate looks at asker, approver and
// holder in the same state), the schema's rules about single fields, or the
// words of an order and the recipient's key, which are in rows.
//
// Laws carried here: L2 (state follows from entries alone) and, for what needs
// no contact, L4: nothing opens under a mandate but the fields of the customers
// that it names, while it is in force.
//
// Start reading at [RuleOf], then [Book.Ask] and [Book.Release].
package mandate

import (
	"errors"
	"slices"

	"purser"
	"purser/internal/rule/overlay"
)

// The bounds that no configuration changes.
const (
	// AssignedLife is how long a case stays with the person it was given to.
	AssignedLife = 14 * purser.Day
	// MostAsked is how many mandates one person may have asked for that are in
	// force or may come into force.
	MostAsked = 16
	// MostDials is how often one call-back is dialled.
	MostDials = 9
	// keep is how long a mandate that is over can be told from an unknown one.
	keep = 30 * purser.Day
)

// errImpossible says that an entry contradicts the mandates that stand: no
// decision allows it, so the ledger is corrupt.
var errImpossible = errors.New("mandate entry contradicts the mandates that stand")

// Rule is what holds for all mandates of one kind that people ask for.
type Rule struct {
	Asks, Approves purser.Role  // any one of these, and never the same on both sides
	Longest        purser.Stamp // from the ask to the expiry
	Most           int          // customers named one by one
	Everybody      bool         // may name every customer instead
	To             []purser.Delivery
	// MatchOnly lets it name fields that are shown to nobody: for the customer
	// himself, or for a compare inside the process.
	MatchOnly bool
	Recipient bool // what leaves is encrypted to a key that the mandate commits to
	Authority bool // somebody outside ordered it
}

// RuleOf returns the compiled rule of a kind. Case-work and call-back have
// none: nobody asks for them.
func RuleOf(k purser.MandateKind) (Rule, bool) {
	switch k {
	case purser.MandateNotice:
		return Rule{
			Asks: purser.RolePrivacy | purser.RoleSecurity, Approves: purser.RolePrivacy | purser.RoleSecurity,
			Longest: 30 * purser.Day, Most: purser.MaxOrdinals, Everybody: true, To: []purser.Delivery{purser.DeliverNotice},
		}, true
	case purser.MandateSubjectAccess:
		return Rule{
			Asks: purser.RolePrivacy, Approves: purser.RoleSecurity | purser.RoleAdmin,
			Longest: 30 * purser.Day, Most: 1, To: []purser.Delivery{purser.DeliverReport}, MatchOnly: true, Recipient: true,
		}, true
	case purser.MandateExport:
		return Rule{
			Asks:     purser.RolePrivacy | purser.RoleSecurity | purser.RoleAdmin,
			Approves: purser.RolePrivacy | purser.RoleSecurity,
			Longest:  purser.Day, Most: purser.MaxOrdinals, Everybody: true,
			To: []purser.Delivery{purser.DeliverFile}, Recipient: true,
		}, true
	case purser.MandateInvestigation:
		return Rule{
			Asks: purser.RoleSecurity | purser.RoleInvestigator, Approves: purser.RolePrivacy | purser.RoleSecurity,
			Longest: 90 * purser.Day, Most: purser.MaxOrdinals, Everybody: true,
			To: []purser.Delivery{purser.DeliverMatch}, MatchOnly: true,
		}, true
	case purser.MandateLegalOrder:
		return Rule{
			Asks: purser.RolePrivacy, Approves: purser.RoleSecurity | purser.RoleAdmin,
			Longest: 30 * purser.Day, Most: purser.MaxOrdinals,
			To: []purser.Delivery{purser.DeliverFile}, Recipient: true, Authority: true,
		}, true
	case purser.MandateCaseWork, purser.MandateCallBack:
	}
	return Rule{}, false
}

// Assigned reports whether the system gives mandates of the kind.
func Assigned(k purser.MandateKind) bool {
	return k == purser.MandateCaseWork || k == purser.MandateCallBack
}

// Mandate is one as it stands. Its list is not changed.
type Mandate struct {
	For purser.MandateKind

	// Of one that was asked for: who asked and who approved, in which roles.
	By         purser.Actor
	As         purser.Role
	Approver   purser.Actor
	ApprovedAs purser.Role
	Customers  []purser.Ordinal // ascending
	UpTo       purser.Ordinal   // or every customer up to here
	Authority  purser.Commitment
	Recipient  purser.Commitment
	Gag        purser.Stamp

	// Of one that was assigned: to whom, for which case, with what assurance.
	// Its one customer is in Customers.
	To        purser.Actor
	Case      purser.CaseID
	Assurance purser.Assurance

	Fields   purser.FieldMask
	Purpose  purser.Purpose
	Asked    purser.Stamp // or assigned
	Approved purser.Stamp // zero: not yet
	Expires  purser.Stamp
	Ended    purser.Stamp // before its time; zero: not
	Released uint64       // customers released so far, one in two releases twice
	Dials    uint8
	Shown    bool // its customer was disclosed under it
}

// Over reports whether nothing can come of the mandate any more.
func (m *Mandate) Over(at purser.Stamp) bool { return m.Ended != 0 || m.Expires <= at }

// InForce reports whether it opens anything, as far as this package knows.
func (m *Mandate) InForce(at purser.Stamp) bool {
	return !m.Over(at) && (m.Approved != 0 || Assigned(m.For))
}

// Names reports whether the mandate names a customer.
func (m *Mandate) Names(o purser.Ordinal) bool {
	if m.UpTo != 0 {
		return o > 0 && o <= m.UpTo
	}
	_, found := slices.BinarySearch(m.Customers, o)
	return found
}

// Customer returns the one customer of an assigned mandate.
func (m *Mandate) Customer() purser.Ordinal {
	if len(m.Customers) != 1 {
		return 0
	}
	return m.Customers[0]
}

// Book is the state. The zero Book is ready to use. It belongs to the fold, and
// through it to the ledger's writer.
type Book struct {
	mandates overlay.Table[purser.MandateID, Mandate]
	// held is the last mandate that was assigned to each person. It follows
	// from mandates and is not part of the snapshot.
	held overlay.Table[purser.PersonID, purser.MandateID]
}

// Mandate returns one, also one that is over and was not yet forgotten.
func (b *Book) Mandate(id purser.MandateID) (Mandate, bool) { return b.mandates.Get(id) }

// Mandates lists all that are not over at stamp at, by id, for display.
func (b *Book) Mandates(at purser.Stamp) []purser.MandateID {
	var ids []purser.MandateID
	for id, m := range b.mandates.All() {
		if !m.Over(at) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, compareIDs)
	return ids
}

// Open returns the mandate that is assigned to a person now.
func (b *Book) Open(p purser.PersonID, at purser.Stamp) (purser.MandateID, bool) {
	id, ok := b.held.Get(p)
	if !ok {
		return purser.MandateID{}, false
	}
	m, ok := b.mandates.Get(id)
	return id, ok && !m.Over(at)
}

// Given returns the cases that somebody has to work on or to call back about.
func (b *Book) Given(at purser.Stamp) map[purser.CaseID]bool {
	given := make(map[purser.CaseID]bool)
	for _, m := range b.mandates.All() {
		if Assigned(m.For) && !m.Over(at) {
			given[m.Case] = true
		}
	}
	return given
}

// Ask decides whether e may be asked for at stamp at. shown are the fields that
// may be shown to somebody: others may be named by few kinds alone. That its
// people stand and its fields exist is for the gate to see.
func (b *Book) Ask(e *purser.MandateAsked, shown purser.FieldMask, at purser.Stamp) purser.Reason {
	if _, used := b.mandates.Get(e.Mandate); used || e.Mandate.Zero() {
		return purser.MandateUnknown
	}
	rule, asked := RuleOf(e.For)
	if !asked || !e.As.One() || rule.Asks&e.As == 0 {
		return purser.NoRole
	}
	if !rule.fits(e) || (!rule.MatchOnly && e.Fields&^shown != 0) {
		return purser.OutsideMandate
	}
	if e.Expires <= at || e.Expires > at+rule.Longest || b.asked(e.By.Person, at) >= MostAsked {
		return purser.CeilingExceeded
	}
	return purser.Allowed
}

// fits reports whether the mandate names what one of its kind must name, and
// nothing that it may not.
func (r *Rule) fits(e *purser.MandateAsked) bool {
	named := len(e.Customers) > 0 && len(e.Customers) <= r.Most && e.UpTo == 0
	everybody := r.Everybody && len(e.Customers) == 0 && e.UpTo > 0
	return (named || everybody) && ascending(e.Customers) && e.Fields != 0 &&
		r.Recipient != e.Recipient.Zero() && r.Authority != e.Authority.Zero() &&
		(r.Authority || e.Gag == 0)
}

func ascending(list []purser.Ordinal) bool {
	last := purser.Ordinal(0)
	for _, o := range list {
		if o <= last {
			return false
		}
		last = o
	}
	return true
}

// asked counts what a person asked for and that is not over.
func (b *Book) asked(who purser.PersonID, at purser.Stamp) int {
	n := 0
	for _, m := range b.mandates.All() {
		if m.By.Person == who && !who.Zero() && !m.Over(at) {
			n++
		}
	}
	return n
}

// Approve decides about the second person's yes: another human than the one who
// asked, in another role, and one that may approve the kind.
func (b *Book) Approve(id purser.MandateID, who purser.Actor, as purser.Role, at purser.Stamp) purser.Reason {
	m, ok := b.mandates.Get(id)
	if !ok {
		return purser.MandateUnknown
	}
	if m.Over(at) || m.Approved != 0 || Assigned(m.For) {
		return purser.MandateOver
	}
	if m.By.Person == who.Person || m.As == as {
		return purser.SameHuman
	}
	if rule, _ := RuleOf(m.For); !as.One() || rule.Approves&as == 0 {
		return purser.NoRole
	}
	return purser.Allowed
}

// Until is when a case that is given to somebody at stamp at is taken back.
func (b *Book) Until(at purser.Stamp) purser.Stamp { return at + AssignedLife }

// Assign decides whether the system may give e.To the case: nobody has two at a
// time, and it ends at the latest after AssignedLife.
func (b *Book) Assign(e *purser.MandateAssigned, at purser.Stamp) purser.Reason {
	if _, used := b.mandates.Get(e.Mandate); used || e.Mandate.Zero() {
		return purser.MandateUnknown
	}
	if !Assigned(e.For) || e.To.Person.Zero() || e.Case.Zero() || e.Customer == 0 || e.Fields == 0 {
		return purser.OutsideMandate
	}
	if e.Expires <= at || e.Expires > at+AssignedLife {
		return purser.CeilingExceeded
	}
	if _, open := b.Open(e.To.Person, at); open {
		return purser.MandateOpen
	}
	return purser.Allowed
}

// End decides whether who, holding roles, may end a mandate: a tightening, so
// one person is enough. Whoever asked or approved it may, and anybody of
// security or privacy; an assigned one also its holder and the leads of his
// team. Nobody at all is the system, which ends what it assigned.
func (b *Book) End(id purser.MandateID, who purser.Actor, roles purser.Role, at purser.Stamp) purser.Reason {
	m, ok := b.mandates.Get(id)
	if !ok {
		return purser.MandateUnknown
	}
	if m.Over(at) {
		return purser.MandateOver
	}
	party := who.Person
	switch {
	case party.Zero() && roles == 0:
		if Assigned(m.For) {
			return purser.Allowed
		}
		return purser.NoRole
	case roles&(purser.RoleSecurity|purser.RolePrivacy) != 0,
		party == m.By.Person, party == m.Approver.Person, party == m.To.Person:
		return purser.Allowed
	case roles.Has(purser.RoleLead) && !m.To.Team.Zero() && m.To.Team == who.Team && m.To.Vendor == who.Vendor:
		return purser.Allowed
	}
	return purser.NoRole
}

// Held returns the mandate that was assigned to a person, for opening its
// fields on his screen.
func (b *Book) Held(id purser.MandateID, who purser.PersonID, at purser.Stamp) (Mandate, purser.Reason) {
	m, ok := b.mandates.Get(id)
	if !ok || !Assigned(m.For) || m.To.Person != who {
		return Mandate{}, purser.MandateUnknown
	}
	if !m.InForce(at) {
		return m, purser.MandateOver
	}
	return m, purser.Allowed
}

// Release decides whether the mandate reaches everything that e names, and
// returns it. It is asked for every batch anew.
func (b *Book) Release(e *purser.Released, at purser.Stamp) (Mandate, purser.Reason) {
	m, ok := b.mandates.Get(e.Mandate)
	if !ok {
		return Mandate{}, purser.MandateUnknown
	}
	if !m.InForce(at) {
		return m, purser.MandateOver
	}
	if !m.Delivers(e.To) || e.Fields == 0 || e.Fields&^m.Fields != 0 ||
		len(e.Customers) == 0 || len(e.Customers) > purser.MaxOrdinals || !ascending(e.Customers) {
		return m, purser.OutsideMandate
	}
	for _, o := range e.Customers {
		if !m.Names(o) {
			return m, purser.OutsideMandate
		}
	}
	if e.To == purser.DeliverDial && m.Dials >= MostDials {
		return m, purser.CeilingExceeded
	}
	return m, purser.Allowed
}

// Delivers reports whether what the mandate opens may go there.
func (m *Mandate) Delivers(to purser.Delivery) bool {
	if Assigned(m.For) {
		return m.For == purser.MandateCallBack && to == purser.DeliverDial
	}
	rule, _ := RuleOf(m.For)
	return slices.Contains(rule.To, to)
}
