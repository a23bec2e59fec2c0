package synth

import (
	"purser"
	"purser/internal/fold"
)

// casework is one case from its opening to its solution, or its lapse: taken
// blind or for somebody, noted to, moved on, and now and then asked for by
// another vendor, once too often or after it is over. The cases decide.
func (e *Entries) casework() []act {
	id, agent, contact := purser.CaseID(e.id()), e.draw(agents), purser.ContactID(e.id())
	about := purser.Ordinal(e.draw(3) * e.draw(40)) // zero: blind
	acts := []act{e.opensCase(id, agent, contact, about)}
	for range 1 + e.draw(4) {
		switch e.draw(6) {
		case 0:
			acts = append(acts, e.bindsCase(id, e.draw(agents), purser.ContactID(e.id()), purser.Ordinal(1+e.draw(40))))
		case 1:
			acts = append(acts, e.opensCase(purser.CaseID(e.id()), agent, contact, about))
		case 2:
			acts = append(acts, e.movesCase(id, agent, contact, about))
		case 3:
			acts = append(acts, e.notes(purser.CaseID{}, agent, contact, about))
		default:
			acts = append(acts, e.notes(id, agent, contact, about))
		}
	}
	return acts
}

func (e *Entries) opensCase(id purser.CaseID, agent int, c purser.ContactID, about purser.Ordinal) act {
	return func(s *fold.State) purser.Entry {
		entry := &purser.CaseOpened{Who: e.who(agent), Contact: c, Case: id, Customer: about, Topic: purser.Topic(1 + e.draw(8))}
		if about != 0 {
			entry.Assurance = purser.Assurance(1 + e.draw(3))
		}
		if entry.Reason = s.Cases().Open(entry); entry.Reason == purser.Allowed {
			entry.Text = purser.Commitment(e.id())
		}
		return entry
	}
}

func (e *Entries) bindsCase(id purser.CaseID, agent int, c purser.ContactID, about purser.Ordinal) act {
	return func(s *fold.State) purser.Entry {
		entry := &purser.CaseChanged{Who: e.who(agent), Contact: c, Case: id, Customer: about, Assurance: purser.A1}
		was, why := s.Cases().Bind(entry, about, e.at)
		entry.State, entry.Topic, entry.Reason = was.State, was.Topic, why
		return entry
	}
}

func (e *Entries) movesCase(id purser.CaseID, agent int, c purser.ContactID, about purser.Ordinal) act {
	return func(s *fold.State) purser.Entry {
		entry := &purser.CaseChanged{Who: e.who(agent), Contact: c, Case: id, State: purser.CaseState(1 + e.draw(3))}
		was, why := s.Cases().Change(entry, about, e.at)
		entry.Customer, entry.Assurance, entry.Topic, entry.Reason = was.Customer, was.Assurance, was.Topic, why
		return entry
	}
}

func (e *Entries) notes(id purser.CaseID, agent int, c purser.ContactID, about purser.Ordinal) act {
	return func(s *fold.State) purser.Entry {
		entry := &purser.NoteAdded{Who: e.who(agent), Contact: c, Case: id, Customer: about}
		was, why := s.Cases().Note(entry, about, e.at)
		if entry.Reason = why; !id.Zero() {
			entry.Customer = was.Customer
		}
		if why == purser.Allowed {
			entry.Text = purser.Commitment(e.id())
		}
		return entry
	}
}
