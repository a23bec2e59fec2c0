// Package contain owns the locks: stored orders that stop a target on some
// paths. It says who is covered by which lock, who may place one and who may
// lift one.
//
// It does not own what a lock stops (the gate and the edges ask [Board.Covers]
// before they act), nor who is in which team: whoever asks passes the actor.
// Posture, caps on automatic locks and containment certificates are not here.
//
// Laws carried here: L3 (from the position of a lock on, its target is
// covered), L8 (coverage depends on the actor, the path and the time alone,
// so a lock changes nothing for anybody else) and L11 as far as that nobody
// disarms those who watch by stopping them: see [Board.Silenced].
//
// Start reading at [Board.Covers], then [Board.Silenced].
package contain

import (
	"bytes"
	"errors"
	"slices"

	"purser"
	"purser/internal/rule/overlay"
)

// MostLocks is how many locks one person may have on one target. Each takes two
// people to lift, and none of his keeps anybody else from placing one.
const MostLocks = 4

// Lane is the queue of acts that stop somebody, so that a vendor whose own
// queue is full can still be stopped by those who may. Whoever may stop nobody
// but himself waits in his vendor's.
func Lane() purser.VendorID { return purser.VendorID{0xff, 's', 't', 'o', 'p'} }

// Stops reports whether roles let somebody stop others.
func Stops(roles purser.Role) bool {
	return roles&(purser.RoleSecurity|purser.RoleLead|purser.RoleAdmin) != 0
}

// errImpossible says that an entry contradicts the locks that stand: no
// decision allows it, so the ledger is corrupt.
var errImpossible = errors.New("lock entry contradicts the locks that stand")

// Lock is one lock that was placed and not lifted.
type Lock struct {
	Target  purser.Target
	Degree  purser.Degree
	Paths   purser.Path
	Expires purser.Stamp // zero: until lifted
	By      purser.Actor
	Placed  purser.Stamp
	// Lifter is whoever voted first to lift it, as of then; zero until then.
	Lifter purser.Actor
}

// Asker is somebody who wants a lock placed or lifted, with the roles he holds
// now. Stepped is when his session last stepped up; zero for somebody who is
// not there to step up.
type Asker struct {
	Who     purser.Actor
	Roles   purser.Role
	Stepped purser.Stamp
}

// Board is the set of all locks. The zero Board is ready to use. It belongs to
// the goroutine that owns the fold.
type Board struct {
	locks overlay.Table[purser.LockID, Lock]
	// on lists the locks of each target in ascending order of their ids. It
	// follows from locks and is not part of the snapshot. Slices are replaced,
	// never changed.
	on overlay.Table[purser.Target, []purser.LockID]
}

// Covers reports whether a lock stops actor a on path p at stamp at. stepped is
// when the session last stepped up: a step-up lock placed before that no longer
// holds. Of several locks it returns the hardest, then the one with the lowest
// id.
func (b *Board) Covers(a purser.Actor, p purser.Path, stepped, at purser.Stamp) (purser.LockID, purser.Degree, bool) {
	if b.locks.Len() == 0 {
		return purser.LockID{}, 0, false
	}
	var found purser.LockID
	var hardest purser.Degree
	for _, t := range targets(a) {
		id, degree := b.hardest(t, p, stepped, at)
		if degree > hardest || (degree == hardest && degree != 0 && bytes.Compare(id[:], found[:]) < 0) {
			found, hardest = id, degree
		}
	}
	return found, hardest, hardest != 0
}

// Named reports whether a lock names the session or the person of a, on any
// path. Locks on his team, his vendor or everybody do not count.
func (b *Board) Named(a purser.Actor, stepped, at purser.Stamp) bool {
	narrow := targets(a)
	for _, t := range narrow[:2] {
		if _, degree := b.hardest(t, purser.PathAll, stepped, at); degree != 0 {
			return true
		}
	}
	return false
}

// Silenced reports whether locks that name by, or his session, take away his
// word about others: his locks on them, his vote to lift one, his veto, and his
// way in to cast it. One
// such lock does, but for security: there it takes his own, the operator's, or
// those of two people. Otherwise one session could lock all of security, and
// nobody would be left to lift a lock or to come in and veto. It stops less
// than [Board.Covers]: what a lock covers stays stopped.
func (b *Board) Silenced(by Asker, at purser.Stamp) bool {
	var first purser.PersonID
	narrow := targets(by.Who)
	for _, t := range narrow[:2] {
		ids, _ := b.on.Get(t)
		for _, id := range ids {
			lock, _ := b.locks.Get(id)
			switch placer := lock.By.Person; {
			case !lock.holds(purser.PathAll, by.Stepped, at):
			case !by.Roles.Has(purser.RoleSecurity), placer.Zero(), placer == by.Who.Person:
				return true
			case first.Zero():
				first = placer
			case placer != first:
				return true
			}
		}
	}
	return false
}

// Source returns the lock that stops a source, if one does.
func (b *Board) Source(id purser.SourceID, at purser.Stamp) (purser.LockID, bool) {
	lock, degree := b.hardest(purser.Target{Kind: purser.TargetSource, ID: id}, purser.PathAll, 0, at)
	return lock, degree != 0
}

// Lock returns a lock that stands, also one that has expired and was not yet
// swept.
func (b *Board) Lock(id purser.LockID) (Lock, bool) { return b.locks.Get(id) }

// Locks lists the locks that hold at stamp at, by id, for display.
func (b *Board) Locks(at purser.Stamp) []purser.LockID {
	var ids []purser.LockID
	for id, lock := range b.locks.All() {
		if !lock.expired(at) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, compareIDs)
	return ids
}

// targets are all targets that cover a, narrow to wide: session and person
// first. A zero identifier never covers anybody, so it names no target.
func targets(a purser.Actor) [5]purser.Target {
	var out [5]purser.Target
	name := func(i int, kind purser.TargetKind, id [16]byte) {
		if id != [16]byte{} {
			out[i] = purser.Target{Kind: kind, ID: id}
		}
	}
	name(0, purser.TargetSession, a.Session)
	name(1, purser.TargetPerson, a.Person)
	name(2, purser.TargetTeam, a.Team)
	name(3, purser.TargetVendor, a.Vendor)
	out[4] = purser.Target{Kind: purser.TargetAll}
	return out
}

// hardest returns the hardest lock on exactly target t, or degree 0.
func (b *Board) hardest(t purser.Target, p purser.Path, stepped, at purser.Stamp) (purser.LockID, purser.Degree) {
	ids, _ := b.on.Get(t)
	var found purser.LockID
	var degree purser.Degree
	for _, id := range ids {
		lock, _ := b.locks.Get(id)
		if lock.Degree > degree && lock.holds(p, stepped, at) {
			found, degree = id, lock.Degree
		}
	}
	return found, degree
}

func (l Lock) expired(at purser.Stamp) bool { return l.Expires != 0 && l.Expires <= at }

// holds reports whether the lock stops path p of whoever it targets.
func (l Lock) holds(p purser.Path, stepped, at purser.Stamp) bool {
	if l.expired(at) || l.Paths&p == 0 {
		return false
	}
	return l.Degree != purser.DegreeStepUp || stepped <= l.Placed
}

func compareIDs(a, b purser.LockID) int { return bytes.Compare(a[:], b[:]) }
