package budget

import "purser"

// setting is one ceiling of one vendor; the zero vendor means all.
type setting struct {
	vendor purser.VendorID
	which  purser.BudgetKind
}

// most is what no configuration of this kind may exceed.
func most(which purser.BudgetKind) uint32 {
	c := Compiled()
	switch which {
	case purser.BudgetPersonHour:
		return c.PersonHour
	case purser.BudgetPersonDay:
		return c.PersonDay
	case purser.BudgetWeakDay:
		return c.WeakDay
	case purser.BudgetBreakGlassDay:
		return c.BreakGlassDay
	case purser.BudgetVendorShare:
		return c.VendorShare
	case purser.BudgetAfterHangUp:
		return c.AfterHangUp
	}
	return 0
}

// standard is the value without any configuration.
func standard(which purser.BudgetKind) uint32 {
	if which == purser.BudgetAfterHangUp {
		return defaultAfterHangUp
	}
	return most(which)
}

// Configure decides about a configuration of a ceiling: one above the compiled
// ceiling is refused, whoever asks.
func Configure(e *purser.Configuration) purser.Reason {
	switch e.Which {
	case purser.BudgetPersonHour, purser.BudgetPersonDay, purser.BudgetWeakDay,
		purser.BudgetBreakGlassDay, purser.BudgetVendorShare, purser.BudgetAfterHangUp:
	default:
		return purser.TargetUnknown
	}
	if e.Value > most(e.Which) {
		return purser.CeilingExceeded
	}
	return purser.Allowed
}

// Loosens reports whether a configuration would raise what holds for its
// vendor, or for all, now.
func (s *Sheet) Loosens(e *purser.Configuration) bool {
	now, ok := s.tighter.Get(setting{e.Vendor, e.Which})
	if !ok {
		now = standard(e.Which)
	}
	return e.Value > now
}

// configure keeps a ceiling; a value above the compiled one is cut to it.
func (s *Sheet) configure(e *purser.Configuration) {
	if e.What == purser.ConfigBudget {
		s.tighter.Put(setting{e.Vendor, e.Which}, min(e.Value, most(e.Which)))
	}
}
