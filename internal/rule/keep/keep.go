// Package keep owns what stands in the way of, or hangs over, single customers:
// legal holds, erasures and the votes for them, and the channels that changed a
// short time ago.
//
// It decides who places and lifts a hold, who erases, and what a hold stops. It
// does not own what an erasure destroys (package record), nor whether the asker
// is there at all (the gate looks at standing, policies and locks before it
// asks here). The words of a matter are in the hold's row, not here.
//
// Laws carried here: L2 (state follows from entries alone; a channel's age is
// judged where the entry that uses it lands), and those of the second human:
// lifting and erasing take two, in different roles, and the first is judged
// again when the second comes.
//
// Start reading at [Book], then [Book.Erase].
package keep

import (
	"bytes"
	"errors"
	"slices"

	"purser"
	"purser/internal/rule/overlay"
)

const (
	// ChannelAge is how long a channel must be unchanged before it proves
	// anything or carries a notice alone.
	ChannelAge = 72 * purser.Hour
	// BackupLife is how long a backup of wrapped keys is kept at most: it can
	// bring back the key of a customer who was erased after it was made.
	BackupLife = 30 * purser.Day
	// VoteLife is how long a first vote waits for the second.
	VoteLife = 7 * purser.Day
	// MostHolds is how many holds of one person stand at most.
	MostHolds = 64
	// MostReview is the furthest that a hold's review can be put off.
	MostReview = 400 * purser.Day
)

// errImpossible says that an entry contradicts what stands: no decision allows
// it, so the ledger is corrupt.
var errImpossible = errors.New("entry contradicts the holds and erasures that stand")

// Vote is somebody's word, as of then. The zero Vote is nobody's.
type Vote struct {
	Who purser.Actor
	As  purser.Role // the one he gave it in
	At  purser.Stamp
}

// Judge tells whether somebody's earlier word, given in a role, still counts.
type Judge = func(who purser.Actor, as purser.Role) bool

// Hold is a legal hold that stands. Customers is not changed by whoever gets it.
type Hold struct {
	All       bool
	Customers []purser.Ordinal // ascending
	Matter    purser.Commitment
	By        purser.Actor
	As        purser.Role
	Placed    purser.Stamp
	Review    purser.Stamp
	First     Vote // to lift it
}

// Erasure is what is known of a customer who is gone.
type Erasure struct {
	Pos   purser.Pos   // of the entry
	Until purser.Stamp // when the last backup that can hold the key is gone
}

// Book is the state. It belongs to the fold, and through it to the ledger's
// writer. The zero Book is ready to use.
type Book struct {
	holds  overlay.Table[purser.HoldID, Hold]
	erased overlay.Table[purser.Ordinal, Erasure] // for good
	votes  overlay.Table[purser.Ordinal, vote]    // to erase
	fresh  overlay.Table[channel, purser.Stamp]   // when it changed
	swept  overlay.Cell[purser.Stamp]

	// These follow from holds and are not in the snapshot: how many holds name
	// a customer, and how many name everybody.
	named overlay.Table[purser.Ordinal, uint16]
	all   overlay.Cell[uint16]
}

type vote struct {
	Vote
	cause purser.EraseCause
}

type channel struct {
	customer purser.Ordinal
	bit      purser.Field
}

// Held reports whether a hold keeps everything of a customer as it is.
func (b *Book) Held(o purser.Ordinal) bool {
	n, _ := b.named.Get(o)
	return n > 0 || b.all.Get() > 0
}

// AnyHold reports whether any hold stands: what cannot be destroyed for some
// customers alone is not destroyed at all.
func (b *Book) AnyHold() bool { return b.holds.Len() > 0 }

// Hold returns a hold that stands.
func (b *Book) Hold(id purser.HoldID) (Hold, bool) { return b.holds.Get(id) }

// Holds lists the holds that stand, by id.
func (b *Book) Holds() []purser.HoldID {
	var ids []purser.HoldID
	for id := range b.holds.All() {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b purser.HoldID) int { return bytes.Compare(a[:], b[:]) })
	return ids
}

// Erased reports whether a customer is gone for good, and since which entry.
func (b *Book) Erased(o purser.Ordinal) (Erasure, bool) { return b.erased.Get(o) }

// Gone lists every customer who was ever erased, ascending: what a restored
// backup must not bring back.
func (b *Book) Gone() []purser.Ordinal {
	gone := make([]purser.Ordinal, 0, b.erased.Len())
	for o := range b.erased.All() {
		gone = append(gone, o)
	}
	slices.Sort(gone)
	return gone
}

// Free returns those of the customers, in their order, of whom something may be
// destroyed or merged: there, and under no hold.
func (b *Book) Free(customers []purser.Ordinal) []purser.Ordinal {
	free := make([]purser.Ordinal, 0, len(customers))
	for _, o := range customers {
		if _, gone := b.erased.Get(o); !gone && !b.Held(o) {
			free = append(free, o)
		}
	}
	return free
}

// ChannelFrom returns from when on a channel of a customer may carry or prove
// something by itself, as far as amendments say; zero where none of the last 72
// hours changed it.
func (b *Book) ChannelFrom(o purser.Ordinal, bit purser.Field) purser.Stamp {
	if changed, ok := b.fresh.Get(channel{o, bit}); ok {
		return changed + ChannelAge
	}
	return 0
}

// Place decides whether a hold may be placed by somebody who has these roles
// now. Holding is a tightening: it takes one person of security, privacy or
// investigation and effect at once.
func (b *Book) Place(e *purser.HoldPlaced, roles purser.Role, at purser.Stamp) purser.Reason {
	if _, used := b.holds.Get(e.Hold); used || e.Hold.Zero() {
		return purser.HoldUnknown
	}
	switch {
	case !acts(e.As, roles, keepers):
		return purser.NoRole
	case e.All == (len(e.Customers) > 0):
		return purser.TargetUnknown
	case len(e.Customers) > purser.MaxOrdinals, e.Review <= at, e.Review > at+MostReview, b.placed(e.By.Person) >= MostHolds:
		return purser.CeilingExceeded
	}
	return purser.Allowed
}

func (b *Book) placed(by purser.PersonID) int {
	n := 0
	for _, hold := range b.holds.All() {
		if hold.By.Person == by {
			n++
		}
	}
	return n
}

// Lift decides about one vote to lift a hold, of somebody who has these roles
// now, and reports whether it is the second one, which lifts: of another human,
// in another role.
func (b *Book) Lift(e *purser.HoldLift, roles purser.Role, counts Judge, at purser.Stamp) (lifted bool, why purser.Reason) {
	hold, ok := b.holds.Get(e.Hold)
	if !ok {
		return false, purser.HoldUnknown
	}
	if !acts(e.As, roles, keepers) {
		return false, purser.NoRole
	}
	return second(hold.First, e.By, e.As, counts, at)
}

// Erase decides about one vote to erase a customer, of somebody who has these
// roles now, and reports whether it is the second one, which does it. One of
// the two is given as privacy. Until is when the last backup that can hold the
// key is gone: also of one that is being made just now.
func (b *Book) Erase(
	e *purser.Erase, roles purser.Role, counts Judge, at purser.Stamp,
) (done bool, until purser.Stamp, why purser.Reason) {
	if why := b.destroyable(e.Customer); why != purser.Allowed {
		return false, 0, why
	}
	if !acts(e.As, roles, keepers) || e.Cause == purser.EraseRetention {
		return false, 0, purser.NoRole
	}
	first, _ := b.votes.Get(e.Customer)
	if first.cause != e.Cause || (first.As != purser.RolePrivacy && e.As != purser.RolePrivacy) {
		first = vote{} // another reason, or two without privacy: this is a first vote
	}
	done, why = second(first.Vote, e.By, e.As, counts, at)
	if done {
		until = at + BackupLife
	}
	return done, until, why
}

// EraseByRule decides about erasing a customer whose time is over, which takes
// no vote: the rule went through a change of its own.
func (b *Book) EraseByRule(o purser.Ordinal, at purser.Stamp) (until purser.Stamp, why purser.Reason) {
	return at + BackupLife, b.destroyable(o)
}

func (b *Book) destroyable(o purser.Ordinal) purser.Reason {
	if _, gone := b.erased.Get(o); gone || o == 0 {
		return purser.Unknown
	}
	if b.Held(o) {
		return purser.CustomerHeld
	}
	return purser.Allowed
}

// keepers place and lift holds, and erase. All of them may learn that a hold
// stands in the way.
const keepers = purser.RoleSecurity | purser.RolePrivacy | purser.RoleInvestigator

// acts reports whether somebody acts in exactly one of some roles, and has it.
func acts(as, has, of purser.Role) bool { return as.One() && of.Has(as) && has.Has(as) }

// second judges a vote by the first: none, one whose time is over or that no
// longer counts leaves this one the first.
func second(first Vote, by purser.Actor, as purser.Role, counts Judge, at purser.Stamp) (done bool, why purser.Reason) {
	switch {
	case first.Who.Person.Zero(), first.At+VoteLife <= at, !counts(first.Who, first.As):
		return false, purser.Allowed
	case first.Who.Person == by.Person, first.As == as:
		return false, purser.SameHuman
	}
	return true, purser.Allowed
}
