package synth

import "purser"

// upkeep is what the operator does: keys, backups, statements.
func (e *Entries) upkeep() []act {
	use, old := purser.KeyUse(1+e.draw(2)), uint32(e.draw(1000))
	return []act{
		told(&purser.KeyRotation{Use: use, Step: purser.KeyAdded, Old: old, New: old + 1}),
		told(&purser.KeyRotation{Use: use, Step: purser.KeyDone, Old: old, New: old + 1, Count: 40}),
		told(&purser.KeyRotation{Use: use, Step: purser.KeyDestroyed, Old: old, New: old + 1}),
		told(&purser.BackedUp{Records: purser.Hash{1}, Keys: purser.Hash{2}}),
		told(&purser.Restored{Backup: purser.Hash{1}, Rows: 3, Size: 9}),
		told(&purser.Holdings{Customers: 40, Fields: 300}),
	}
}
