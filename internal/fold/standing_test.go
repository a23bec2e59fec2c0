package fold_test

import (
	"testing"

	"purser"
	"purser/internal/fold"
)

// small is a state with one vendor, one team, one agent and his passkey.
type small struct {
	*fold.State
	at purser.Stamp
}

var (
	vendor  = purser.VendorID{1}
	team    = purser.TeamID{2}
	person  = purser.PersonID{3}
	passkey = purser.AuthenticatorID{4}
)

func newSmall(t *testing.T) *small {
	t.Helper()
	s := &small{fold.New(), start}
	s.record(t, &purser.VendorSet{Vendor: vendor, Status: purser.StatusActive})
	s.record(t, &purser.TeamSet{Team: team, Vendor: vendor, Status: purser.StatusActive})
	s.record(t, agentIs(purser.StatusActive))
	s.record(t, passkeyIs(purser.StatusActive))
	return s
}

func agentIs(status purser.Status) *purser.PersonSet {
	return &purser.PersonSet{Person: person, Vendor: vendor, Team: team, Roles: purser.RoleAgent, Status: status}
}

func passkeyIs(status purser.Status) *purser.AuthenticatorSet {
	return &purser.AuthenticatorSet{Authenticator: passkey, Person: person, Credential: purser.Commitment{1}, Status: status}
}

func (s *small) record(t *testing.T, e purser.Entry) {
	t.Helper()
	if err := s.Apply(purser.Header{Kind: e.Kind(), Pos: s.Size(), Stamp: s.at}, e); err != nil {
		t.Fatalf("apply %T: %v", e, err)
	}
	s.Commit()
}

func (s *small) open(t *testing.T, id byte, level purser.Level) purser.SessionID {
	t.Helper()
	session := purser.SessionID{5, id}
	s.record(t, &purser.SessionOpened{
		Who:           purser.Actor{Session: session, Person: person, Team: team, Vendor: vendor},
		Authenticator: passkey, Level: level, Expires: s.at + 30*purser.Day,
	})
	return session
}

func (s *small) wantLive(t *testing.T, id purser.SessionID, want purser.Reason) {
	t.Helper()
	if _, got := s.Standing().Live(id, s.at); got != want {
		t.Errorf("session %v: got reason %d, want %d", id, got, want)
	}
}

func TestSessionsEnd(t *testing.T) {
	for name, end := range map[string]purser.Entry{
		"logout":            &purser.SessionEnded{Session: purser.SessionID{5, 1}, Why: purser.EndLogout},
		"person suspended":  agentIs(purser.StatusSuspended),
		"passkey suspended": passkeyIs(purser.StatusSuspended),
		"team suspended":    &purser.TeamSet{Team: team, Vendor: vendor, Status: purser.StatusSuspended},
		"vendor gone":       &purser.VendorSet{Vendor: vendor, Status: purser.StatusGone},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSmall(t)
			id := s.open(t, 1, purser.LevelDesk)
			s.wantLive(t, id, purser.Allowed)
			s.record(t, end)
			s.wantLive(t, id, purser.NoSession)
			for _, again := range []purser.Entry{
				&purser.VendorSet{Vendor: vendor, Status: purser.StatusActive},
				&purser.TeamSet{Team: team, Vendor: vendor, Status: purser.StatusActive},
				agentIs(purser.StatusActive), passkeyIs(purser.StatusActive),
			} {
				s.record(t, again)
			}
			s.wantLive(t, id, purser.NoSession)
			s.wantLive(t, s.open(t, 2, purser.LevelDesk), purser.Allowed)
		})
	}
}

func TestOneDeskSession(t *testing.T) {
	s := newSmall(t)
	first, office := s.open(t, 1, purser.LevelDesk), s.open(t, 2, purser.LevelOffice)
	s.wantLive(t, first, purser.Allowed)
	second := s.open(t, 3, purser.LevelDesk)
	s.wantLive(t, first, purser.NoSession)
	s.wantLive(t, office, purser.Allowed)
	if desk, _ := s.Standing().Desk(person); desk != second {
		t.Errorf("got desk session %v, want %v", desk, second)
	}
}

func TestSessionsAndStepUpsGrowOld(t *testing.T) {
	s := newSmall(t)
	id := s.open(t, 1, purser.LevelDesk)
	s.at += fold.StepUpLife
	if _, got := s.Standing().Fresh(id, s.at); got != purser.Allowed {
		t.Errorf("at five minutes: got %d", got)
	}
	if _, got := s.Standing().Fresh(id, s.at+1); got != purser.NeedStepUp {
		t.Errorf("after five minutes: got %d", got)
	}
	s.record(t, &purser.SessionSteppedUp{Who: purser.Actor{Session: id, Person: person}, Authenticator: passkey})
	if _, got := s.Standing().Fresh(id, s.at+1); got != purser.Allowed {
		t.Errorf("stepped up: got %d", got)
	}
	s.at = start + fold.SessionLife
	s.wantLive(t, id, purser.NoSession)
}

func TestDoorShutsByItself(t *testing.T) {
	s := newSmall(t)
	if got := s.Standing().Door(s.at); got != purser.DoorExpired {
		t.Errorf("never opened: got %d", got)
	}
	s.record(t, &purser.Door{State: purser.DoorOpen, Until: s.at + purser.Hour})
	for after, want := range map[purser.Stamp]purser.DoorState{
		0: purser.DoorOpen, purser.Hour - 1: purser.DoorOpen, purser.Hour: purser.DoorExpired,
	} {
		if got := s.Standing().Door(s.at + after); got != want {
			t.Errorf("after %d: got %d, want %d", after, got, want)
		}
	}
}

func TestClockWaitsForSecurity(t *testing.T) {
	s := newSmall(t)
	s.record(t, &purser.Start{Held: true})
	s.record(t, &purser.Start{})
	if s.Standing().Clock().Accepted() {
		t.Error("another start accepted the clock")
	}
	s.record(t, &purser.ClockAccepted{Reason: purser.NoRole})
	if s.Standing().Clock().Accepted() {
		t.Error("a refused acceptance accepted the clock")
	}
	s.record(t, &purser.ClockAccepted{})
	if !s.Standing().Clock().Accepted() {
		t.Error("the clock still waits")
	}
}

func TestRepeatsCountPerSessionKindAndMinute(t *testing.T) {
	s := newSmall(t)
	refused := func(session byte, why purser.Reason) *purser.Disclosure {
		return &purser.Disclosure{Who: purser.Actor{Session: purser.SessionID{session}}, Reason: why}
	}
	for i := range fold.MostRefusals {
		e := refused(1, purser.Reason(1+i%3)) // the reason tells nothing apart
		if _, over := s.Repeats(e, s.at); over {
			t.Fatalf("refusal %d is over", i+1)
		}
		s.record(t, e)
	}
	for name, c := range map[string]struct {
		e    purser.Entry
		at   purser.Stamp
		over bool
	}{
		"one more":         {refused(1, purser.Locked), s.at, true},
		"another session":  {refused(2, purser.Locked), s.at, false},
		"another kind":     {&purser.Claim{Who: refused(1, 0).Who, Reason: purser.Locked}, s.at, false},
		"the next minute":  {refused(1, purser.Locked), s.at + purser.Minute, false},
		"an allowed one":   {refused(1, purser.Allowed), s.at, false},
		"not a decision":   {&purser.Finding{}, s.at, false},
		"nobody's refusal": {&purser.ContactEvent{Reason: purser.EventMismatch}, s.at, false},
	} {
		t.Run(name, func(t *testing.T) {
			who, over := s.Repeats(c.e, c.at)
			if over != c.over || (over && who.Session != purser.SessionID{1}) {
				t.Errorf("got %v of %v, want %v", over, who.Session, c.over)
			}
		})
	}
}
