package synth

import "purser"

// casework opens cases, moves them on and appends notes.
func (e *Entries) casework() []act {
	id, who := purser.CaseID(e.id()), e.who(e.draw(agents))
	customer := purser.Ordinal(1 + e.draw(40))
	return []act{
		told(&purser.CaseOpened{Who: who, Contact: e.id(), Case: id, Customer: customer, Assurance: purser.A2, Topic: 1}),
		told(&purser.NoteAdded{Who: who, Case: id, Customer: customer}),
		told(&purser.CaseChanged{Who: who, Case: id, Customer: customer, State: purser.CaseSolved, Topic: 1}),
	}
}
