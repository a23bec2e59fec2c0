package synth

import "purser"

// rights asks for mandates, approves, uses and ends them.
func (e *Entries) rights() []act {
	id := purser.MandateID(e.id())
	customers := []purser.Ordinal{1, purser.Ordinal(2 + e.draw(40))}
	return []act{
		told(&purser.MandateAsked{
			Mandate: id, For: purser.MandateExport, By: e.who(agents + 3), As: purser.RolePrivacy,
			Customers: customers, Fields: purser.Mask(0, 3), Expires: e.at + purser.Day,
		}),
		told(&purser.MandateApproved{Mandate: id, By: e.who(agents + 2), As: purser.RoleSecurity}),
		told(&purser.Released{Mandate: id, To: purser.DeliverFile, Customers: customers, Fields: purser.Mask(0, 3)}),
		told(&purser.MandateEnded{Mandate: id, By: e.who(agents + 3)}),
		told(&purser.MandateAssigned{
			Mandate: e.id(), For: purser.MandateCaseWork, To: e.who(e.draw(agents)), Case: e.id(),
			Customer: customers[1], Fields: purser.Mask(0), Assurance: purser.A2, Expires: e.at + 14*purser.Day,
		}),
	}
}
