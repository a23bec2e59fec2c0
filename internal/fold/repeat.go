package fold

import "purser"

// MostRefusals is how many refusals of one session and kind have entries of
// their own within a minute.
const MostRefusals = 20

// refused is what refusals are counted by. The reason is no part of it: how
// many entries somebody causes must not tell reasons apart (L5).
type refused struct {
	session purser.SessionID
	kind    purser.Kind
}

type repeat struct {
	minute int64
	count  uint32
}

// Repeats reports who is refused by e and whether that refusal is over the
// twentieth of his session and kind in the minute of at. Such a one gets no
// entry of its own; the ledger counts it into a Refusals entry. An entry that
// refuses nothing is never over.
func (s *State) Repeats(e purser.Entry, at purser.Stamp) (who purser.Actor, over bool) {
	d, ok := e.(purser.Decision)
	if !ok || d.Refused() == purser.Allowed {
		return purser.Actor{}, false
	}
	who = asker(e)
	row, _ := s.repeats.Get(refused{who.Session, e.Kind()})
	return who, row.minute == minuteOf(at) && row.count >= MostRefusals
}

// ClockAccepted reports whether nothing about the wall clock awaits security's
// word.
func (s *State) ClockAccepted() bool { return s.standing.Clock().Accepted() }

func minuteOf(at purser.Stamp) int64 { return int64(at / purser.Minute) }

func (s *State) countRefusal(e purser.Entry, at purser.Stamp) {
	d, ok := e.(purser.Decision)
	if !ok || d.Refused() == purser.Allowed {
		return
	}
	key := refused{asker(e).Session, e.Kind()}
	row, _ := s.repeats.Get(key)
	if row.minute != minuteOf(at) {
		row = repeat{minute: minuteOf(at)}
	}
	row.count++
	s.repeats.Put(key, row)
}

func (s *State) sweepRefusals(at purser.Stamp) {
	for key, row := range s.repeats.All() {
		if row.minute != minuteOf(at) {
			s.repeats.Delete(key)
		}
	}
}

// asker returns who asked for the decision e; nobody where a source or the
// process itself did. Every kind of decision that names one is here, or below:
// what is missing is counted for nobody, and so has no bound.
func asker(e purser.Entry) purser.Actor {
	switch e := e.(type) {
	case *purser.Claim:
		return e.Who
	case *purser.Attempt:
		return e.Who
	case *purser.AttemptResult:
		return e.Who
	case *purser.CodeSent:
		return e.Who
	case *purser.CodeTried:
		return e.Who
	case *purser.BreakGlass:
		return e.Who
	case *purser.BreakGlassApproved:
		return e.Who
	case *purser.BindingUndone:
		return e.Who
	case *purser.Disclosure:
		return e.Who
	case *purser.Amend:
		return e.Who
	case *purser.Released:
		return e.Who
	case *purser.CaseOpened:
		return e.Who
	case *purser.CaseChanged:
		return e.Who
	case *purser.NoteAdded:
		return e.Who
	case *purser.SessionOpened:
		return e.Who
	case *purser.SessionSteppedUp:
		return e.Who
	}
	return overseer(e)
}

// overseer is the part of asker about those who work no contact.
func overseer(e purser.Entry) purser.Actor {
	switch e := e.(type) {
	case *purser.MandateAsked:
		return e.By
	case *purser.MandateApproved:
		return e.By
	case *purser.MandateEnded:
		return e.By
	case *purser.Erase:
		return e.By
	case *purser.HoldPlaced:
		return e.By
	case *purser.HoldLift:
		return e.By
	case *purser.LockPlaced:
		return e.By
	case *purser.LockLift:
		return e.By
	case *purser.ChangeProposed:
		return e.By
	case *purser.ChangeVoted:
		return e.By
	case *purser.ClockAccepted:
		return e.By
	case *purser.VendorSet:
		return e.By
	case *purser.TeamSet:
		return e.By
	case *purser.PersonSet:
		return e.By
	case *purser.AuthenticatorSet:
		return e.By
	case *purser.SessionEnded:
		return e.By
	case *purser.SourceSet:
		return e.By
	case *purser.AgentMapped:
		return e.By
	case *purser.Configuration:
		return e.By
	case *purser.Door:
		return e.By
	case *purser.Import:
		return e.By
	case *purser.Merged:
		return e.By
	case *purser.ImportClosed:
		return e.By
	case *purser.KeyRotation:
		return e.By
	}
	return purser.Actor{}
}

func codeRefused(c *purser.Coder, r *refused) {
	r.session.Code(c)
	c.U8((*uint8)(&r.kind))
}

func codeRepeat(c *purser.Coder, r *repeat) {
	c.I64(&r.minute)
	c.U32(&r.count)
}
