package synth

import (
	"purser"
	"purser/internal/fold"
)

// upkeep is what the operator does: keys, backups, statements.
func (e *Entries) upkeep() []act {
	use := purser.KeyUse(1 + e.draw(2))
	acts := []act{e.exchange(use), e.exchange(use), e.exchange(use)}
	return append(acts,
		told(&purser.BackedUp{Records: purser.Hash{1}, Keys: purser.Hash{2}}),
		told(&purser.Restored{Backup: purser.Hash{1}, Rows: 3, Size: 9}),
		told(&purser.Holdings{Customers: 40, Fields: 300}))
}

// exchange moves the replacement of a key on by a step.
func (e *Entries) exchange(use purser.KeyUse) act {
	return func(s *fold.State) purser.Entry {
		keys := s.Standing().Keys(use)
		step := &purser.KeyRotation{Use: use, Step: purser.KeyAdded, Old: max(1, keys.Now), New: uint32(s.Size()) + 1000}
		switch {
		case len(keys.Leaving) > 0:
			step.Step, step.Old, step.New, step.Count = purser.KeyDone, keys.Leaving[0], keys.Now, 40
		case len(keys.Idle) > 0 && e.draw(2) == 0:
			step.Step, step.Old, step.New = purser.KeyDestroyed, keys.Idle[0].Number, keys.Now
		}
		return step
	}
}
