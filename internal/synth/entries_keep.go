package synth

import "purser"

// keeping writes, holds, erases and lets expire.
func (e *Entries) keeping() []act {
	customer := purser.Ordinal(1 + e.draw(40))
	hold := purser.HoldID(e.id())
	return []act{
		told(&purser.Amend{Who: e.who(e.draw(agents)), Customer: customer, Fields: purser.Mask(3), Channels: purser.Mask(3), Assurance: purser.A3}),
		told(&purser.HoldPlaced{Hold: hold, Customers: []purser.Ordinal{customer, customer + 1}, By: e.who(agents + 2), As: purser.RoleSecurity}),
		told(&purser.HoldLift{Hold: hold, By: e.who(agents + 3), As: purser.RolePrivacy}),
		told(&purser.Expired{Customers: []purser.Ordinal{customer, customer + 2}, Fields: purser.Mask(9)}),
		told(&purser.Erase{Customer: customer + 50, By: e.who(agents + 3), As: purser.RolePrivacy, Cause: purser.EraseRequest}),
	}
}
