package contain

import (
	"slices"

	"purser"
)

// Apply folds LockPlaced and LockLift; other kinds change nothing.
func (b *Board) Apply(h purser.Header, e purser.Entry) error {
	switch e := e.(type) {
	case *purser.LockPlaced:
		return b.place(h, e)
	case *purser.LockLift:
		return b.lift(e)
	}
	return nil
}

func (b *Board) place(h purser.Header, e *purser.LockPlaced) error {
	if e.Reason != purser.Allowed {
		return nil
	}
	if _, used := b.locks.Get(e.Lock); used {
		return errImpossible
	}
	b.locks.Put(e.Lock, Lock{
		Target: e.Target, Degree: e.Degree, Paths: e.Paths, Expires: e.Expires, By: e.By, Placed: h.Stamp,
	})
	b.index(e.Target, e.Lock)
	return nil
}

func (b *Board) lift(e *purser.LockLift) error {
	if e.Reason != purser.Allowed {
		return nil
	}
	lock, ok := b.locks.Get(e.Lock)
	if !ok {
		return errImpossible
	}
	if e.Lifted {
		b.remove(e.Lock, lock.Target)
		return nil
	}
	lock.Lifter = e.By
	b.locks.Put(e.Lock, lock)
	return nil
}

// index adds a lock to the list of its target, in order.
func (b *Board) index(t purser.Target, id purser.LockID) {
	old, _ := b.on.Get(t)
	i, _ := slices.BinarySearchFunc(old, id, compareIDs)
	ids := make([]purser.LockID, 0, len(old)+1)
	ids = append(append(append(ids, old[:i]...), id), old[i:]...)
	b.on.Put(t, ids)
}

func (b *Board) remove(id purser.LockID, t purser.Target) {
	b.locks.Delete(id)
	old, _ := b.on.Get(t)
	if len(old) <= 1 {
		b.on.Delete(t)
		return
	}
	ids := make([]purser.LockID, 0, len(old)-1)
	for _, other := range old {
		if other != id {
			ids = append(ids, other)
		}
	}
	b.on.Put(t, ids)
}

// Sweep drops locks that have expired.
func (b *Board) Sweep(at purser.Stamp) {
	type ended struct {
		id     purser.LockID
		target purser.Target
	}
	var gone []ended
	for id, lock := range b.locks.All() {
		if lock.expired(at) {
			gone = append(gone, ended{id, lock.Target})
		}
	}
	for _, g := range gone {
		b.remove(g.id, g.target)
	}
}

// Commit keeps what was applied.
func (b *Board) Commit() { b.locks.Commit(); b.on.Commit() }

// Discard forgets what was applied since the last Commit.
func (b *Board) Discard() { b.locks.Discard(); b.on.Discard() }

// Code writes the locks, or reads them into an empty Board.
func (b *Board) Code(c *purser.Coder) {
	const least = 16 + 17 + 1 + 1 + 8 + 64 + 8 + 64
	b.locks.Code(c, least, codeLockID, codeLock)
	if !c.Reading() || c.Err() != nil {
		return
	}
	for id, lock := range b.locks.All() {
		b.index(lock.Target, id)
	}
	b.on.Commit()
}

func codeLockID(c *purser.Coder, id *purser.LockID) { id.Code(c) }

func codeLock(c *purser.Coder, l *Lock) {
	l.Target.Code(c)
	c.U8((*uint8)(&l.Degree))
	c.U8((*uint8)(&l.Paths))
	c.Stamp(&l.Expires)
	l.By.Code(c)
	c.Stamp(&l.Placed)
	l.Lifter.Code(c)
}
