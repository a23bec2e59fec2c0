package contain

import "purser"

// Place decides whether by may place the lock of e at stamp at. of is whom the
// target names, with everything known of him: a person's team and vendor, a
// team's vendor; zero when nobody knows the target. Security places any lock; a
// lead stops his own team and its sessions and persons; anybody stops himself.
// Who is silenced stops nobody but himself. Placing is a tightening: it takes
// one person and effect at once, and of two of security who stop one another
// both are stopped, so that nobody is out of reach by being first.
func (b *Board) Place(e *purser.LockPlaced, by Asker, of purser.Actor, at purser.Stamp) purser.Reason {
	if _, used := b.locks.Get(e.Lock); used || e.Lock.Zero() {
		return purser.LockUnknown
	}
	if !meaningful(e, at) || (of == purser.Actor{} && e.Target.Kind != purser.TargetAll && e.Target.Kind != purser.TargetSource) {
		return purser.TargetUnknown
	}
	if !own(e.Target, by, of) && b.Silenced(by, at) {
		return purser.Locked
	}
	if !by.Roles.Has(purser.RoleSecurity) && !mayPlace(e.Target, by, of) {
		return purser.NoRole
	}
	if b.placed(e.Target, by.Who.Person) >= MostLocks {
		return purser.CeilingExceeded
	}
	return purser.Allowed
}

// placed counts the locks of one person on a target, also those that have
// expired and were not yet swept. The operator's do not count.
func (b *Board) placed(t purser.Target, by purser.PersonID) int {
	n := 0
	ids, _ := b.on.Get(t)
	for _, id := range ids {
		if lock, _ := b.locks.Get(id); lock.By.Person == by && !by.Zero() {
			n++
		}
	}
	return n
}

// meaningful reports whether the lock would stop anything.
func meaningful(e *purser.LockPlaced, at purser.Stamp) bool {
	if e.Degree == 0 || e.Paths == 0 || (e.Expires != 0 && e.Expires <= at) {
		return false
	}
	switch e.Target.Kind {
	case purser.TargetAll:
		return e.Target.ID == [16]byte{}
	case purser.TargetSession, purser.TargetPerson, purser.TargetTeam, purser.TargetVendor, purser.TargetSource:
		return e.Target.ID != [16]byte{}
	}
	return false
}

// mayPlace is the rule for everybody but security.
func mayPlace(t purser.Target, by Asker, of purser.Actor) bool {
	switch t.Kind {
	case purser.TargetSession, purser.TargetPerson:
		return own(t, by, of) || leads(by, of)
	case purser.TargetTeam:
		return leads(by, of)
	case purser.TargetVendor, purser.TargetAll, purser.TargetSource:
		return false
	}
	return false
}

// own reports whether somebody is about himself or a session of his.
func own(t purser.Target, by Asker, of purser.Actor) bool {
	return named(t) && of.Person == by.Who.Person
}

// leads reports whether by is a lead of of's team, in the same vendor.
func leads(by Asker, of purser.Actor) bool {
	return by.Roles.Has(purser.RoleLead) && !of.Team.Zero() &&
		of.Team == by.Who.Team && of.Vendor == by.Who.Vendor
}

// Lift decides about one vote to lift a lock and reports whether it is the
// second one, which lifts. It takes two different humans, at least one of them
// with the role of security, and neither of them the one who was stopped; a
// lead votes about his own team only. of is whom the target names, as for
// Place. roles tells what a person holds now, and 0 of somebody who is not
// active: when the second comes the first voter is judged again, by his roles
// and the locks on him. There is no hold: lifting is no change in the sense of
// L11.
func (b *Board) Lift(
	id purser.LockID, by Asker, of purser.Actor, roles func(purser.PersonID) purser.Role, at purser.Stamp,
) (lifted bool, why purser.Reason) {
	lock, ok := b.locks.Get(id)
	if !ok || lock.expired(at) {
		return false, purser.LockUnknown
	}
	if own(lock.Target, by, of) {
		return false, purser.SameHuman
	}
	if b.Silenced(by, at) {
		return false, purser.Locked
	}
	security := by.Roles.Has(purser.RoleSecurity)
	if !security && !leads(by, of) {
		return false, purser.NoRole
	}
	if lock.Lifter.Person == by.Who.Person {
		return false, purser.SameHuman
	}
	first := Asker{Who: lock.Lifter, Roles: roles(lock.Lifter.Person)}
	if first.Roles&(purser.RoleSecurity|purser.RoleLead) == 0 || b.Silenced(first, at) {
		return false, purser.Allowed // there is no first vote, or none that still counts: this is it
	}
	if !security && !first.Roles.Has(purser.RoleSecurity) {
		return false, purser.NoRole
	}
	return true, purser.Allowed
}

// named reports whether the target is one human.
func named(t purser.Target) bool {
	return t.Kind == purser.TargetSession || t.Kind == purser.TargetPerson
}
