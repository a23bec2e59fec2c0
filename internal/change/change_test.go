package change_test

import (
	"testing"

	"purser"
	"purser/internal/change"
)

func mapped() purser.Entry {
	return &purser.AgentMapped{Source: source, Agent: purser.AgentKey{9}, Person: person(agent)}
}

func TestPartiesAreFresh(t *testing.T) {
	o := newOffice(t)
	o.at += 5*purser.Minute + 1
	if got := o.propose(t, 1, admin, purser.RoleAdmin, mapped()); got != purser.NeedStepUp {
		t.Errorf("proposal with an old step-up: got %d", got)
	}
	o.login(t, admin)
	if got := o.propose(t, 1, admin, purser.RoleAdmin, mapped()); got != purser.Allowed {
		t.Errorf("proposal: got %d", got)
	}
	if got := o.vote(t, 1, sec1, purser.RoleSecurity, purser.VoteApprove); got != purser.NeedStepUp {
		t.Errorf("approval with an old step-up: got %d", got)
	}
	if got := o.vote(t, 1, sec1, purser.RoleSecurity, purser.VoteVeto); got != purser.Allowed {
		t.Errorf("veto with an old step-up: got %d", got)
	}
}

func TestNobodyIsPartyToHisOwnChange(t *testing.T) {
	o := newOffice(t)
	more := set(privacy, purser.RolePrivacy|purser.RoleAdmin, purser.StatusActive)
	if got := o.propose(t, 1, privacy, purser.RolePrivacy, more); got != purser.SameHuman {
		t.Errorf("proposing for himself: got %d", got)
	}
	if got := o.propose(t, 2, admin, purser.RoleAdmin, more); got != purser.Allowed {
		t.Errorf("proposing for another: got %d", got)
	}
	if got := o.vote(t, 2, privacy, purser.RolePrivacy, purser.VoteApprove); got != purser.SameHuman {
		t.Errorf("approving for himself: got %d", got)
	}
}

func TestVetoBeatsEnactmentOfTheSameStamp(t *testing.T) {
	o := newOffice(t)
	o.propose(t, 1, admin, purser.RoleAdmin, mapped())
	o.vote(t, 1, sec1, purser.RoleSecurity, purser.VoteApprove)
	o.at += change.Hold - 1
	if got := o.enact(t, 1); got != purser.ChangeHeld {
		t.Errorf("a microsecond early: got %d", got)
	}
	o.at++
	if got := o.vote(t, 1, sec2, purser.RoleSecurity, purser.VoteVeto); got != purser.Allowed {
		t.Errorf("veto when the hold has run: got %d", got)
	}
	if got := o.enact(t, 1); got != purser.ChangeEnded {
		t.Errorf("enactment after the veto: got %d", got)
	}
}

// A lock on the very session that proposed stops the change: it was stolen.
func TestLockedSessionStopsItsChange(t *testing.T) {
	o := newOffice(t)
	o.propose(t, 1, admin, purser.RoleAdmin, mapped())
	o.vote(t, 1, sec1, purser.RoleSecurity, purser.VoteApprove)
	o.apply(t, &purser.LockPlaced{
		Lock: purser.LockID{1}, Degree: purser.DegreeLock, Paths: purser.PathAll,
		Target: purser.Target{Kind: purser.TargetSession, ID: session(admin)},
	})
	o.at += change.Hold
	if got := o.enact(t, 1); got != purser.Locked {
		t.Errorf("got %d, want Locked", got)
	}
}

// What loosens goes through a change; what tightens takes one person.
func TestTightening(t *testing.T) {
	status := func(who byte, s purser.Status) purser.Entry { return set(who, rolesOf(who), s) }
	budget := func(value uint32) purser.Entry {
		return &purser.Configuration{What: purser.ConfigBudget, Vendor: vendor, Which: purser.BudgetPersonHour, Value: value}
	}
	everybodys := &purser.Configuration{What: purser.ConfigBudget, Which: purser.BudgetPersonHour, Value: 10}
	abroad := purser.VendorID{33}
	from := func(trust purser.SourceTrust, s purser.Status) purser.Entry {
		return &purser.SourceSet{Source: source, Vendor: vendor, Trust: trust, Secret: purser.Commitment{1}, Status: s}
	}
	for name, c := range map[string]struct {
		inner purser.Entry
		as    purser.Role
		want  purser.Reason
	}{
		"suspend an agent":           {status(agent, purser.StatusSuspended), purser.RoleAdmin, purser.Allowed},
		"suspend security as admin":  {status(sec1, purser.StatusSuspended), purser.RoleAdmin, purser.LoosensDirectly},
		"suspend security":           {status(sec1, purser.StatusSuspended), purser.RoleSecurity, purser.LoosensDirectly},
		"suspend security's vendor":  {&purser.VendorSet{Vendor: vendor, Status: purser.StatusSuspended}, purser.RoleAdmin, purser.LoosensDirectly},
		"another vendor, as admin":   {&purser.VendorSet{Vendor: abroad, Status: purser.StatusSuspended}, purser.RoleAdmin, purser.NoRole},
		"another vendor":             {&purser.VendorSet{Vendor: abroad, Status: purser.StatusSuspended}, purser.RoleSecurity, purser.Allowed},
		"everybody, as admin":        {everybodys, purser.RoleAdmin, purser.NoRole},
		"everybody":                  {everybodys, purser.RoleSecurity, purser.Allowed},
		"give a role":                {set(agent, purser.RoleAgent|purser.RoleLead, purser.StatusActive), purser.RoleAdmin, purser.LoosensDirectly},
		"give a role and suspend":    {set(agent, purser.RoleAgent|purser.RoleLead, purser.StatusSuspended), purser.RoleAdmin, purser.LoosensDirectly},
		"add a person":               {&purser.PersonSet{Person: person(77), Vendor: vendor, Roles: purser.RoleAgent, Status: purser.StatusActive}, purser.RoleAdmin, purser.LoosensDirectly},
		"add a vendor":               {&purser.VendorSet{Vendor: purser.VendorID{8}, Status: purser.StatusActive}, purser.RoleAdmin, purser.LoosensDirectly},
		"lower a ceiling":            {budget(10), purser.RoleAdmin, purser.Allowed},
		"raise a ceiling":            {budget(30), purser.RoleAdmin, purser.LoosensDirectly},
		"exceed a ceiling":           {budget(41), purser.RoleAdmin, purser.LoosensDirectly},
		"another policy":             {&purser.Configuration{What: purser.ConfigPolicy, Hash: purser.Hash{7}}, purser.RoleAdmin, purser.LoosensDirectly},
		"suspend a source":           {from(0, purser.StatusSuspended), purser.RoleAdmin, purser.Allowed},
		"trust a source":             {from(purser.TrustTrunk, purser.StatusActive), purser.RoleAdmin, purser.LoosensDirectly},
		"unmap an agent":             {&purser.AgentMapped{Source: source, Agent: purser.AgentKey{1}}, purser.RoleAdmin, purser.Allowed},
		"map an agent":               {mapped(), purser.RoleAdmin, purser.LoosensDirectly},
		"a passkey":                  {&purser.AuthenticatorSet{Status: purser.StatusActive}, purser.RoleAdmin, purser.TargetUnknown},
		"a session, which is no set": {&purser.SessionEnded{}, purser.RoleAdmin, purser.TargetUnknown},
		"in a role he lacks":         {budget(10), purser.RolePrivacy, purser.NoRole},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			o.apply(t, budget(20))
			o.apply(t, &purser.VendorSet{Vendor: abroad, Status: purser.StatusActive})
			got := change.DecideTightening(o.state, change.Proposal{Session: session(both), As: c.as, Inner: c.inner}, o.at)
			why := purser.Allowed
			if refused, ok := got.(*purser.ChangeProposed); ok {
				why = refused.Reason
			}
			if why != c.want {
				t.Errorf("got %d, want %d", why, c.want)
			}
			o.apply(t, got)
		})
	}
}

// After the seal nothing gives a new passkey (L7), and no ceiling is exceeded
// whoever agrees.
func TestWhatNoChangeGives(t *testing.T) {
	o := newOffice(t)
	for name, c := range map[string]struct {
		inner purser.Entry
		want  purser.Reason
	}{
		"a new passkey": {&purser.AuthenticatorSet{
			Authenticator: purser.AuthenticatorID{99}, Person: person(agent), Credential: purser.Commitment{99}, Status: purser.StatusActive,
		}, purser.TargetUnknown},
		"over the ceiling": {&purser.Configuration{
			What: purser.ConfigBudget, Which: purser.BudgetPersonHour, Value: 41,
		}, purser.CeilingExceeded},
		"person of no vendor":    {&purser.PersonSet{Person: person(70), Vendor: purser.VendorID{99}, Status: purser.StatusActive}, purser.TargetUnknown},
		"agent of no source":     {&purser.AgentMapped{Source: purser.SourceID{99}, Agent: purser.AgentKey{1}, Person: person(agent)}, purser.TargetUnknown},
		"another kind of entry":  {&purser.Disclosure{}, purser.TargetUnknown},
		"the door":               {&purser.Door{State: purser.DoorOpen}, purser.TargetUnknown},
		"a change in the change": {&purser.ChangeEnacted{}, purser.TargetUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			e := change.DecideProposal(o.state, change.Proposal{
				Change: purser.ChangeID{50}, Session: session(admin), As: purser.RoleAdmin, Inner: c.inner,
			}, o.at)
			if e.Reason != c.want {
				t.Errorf("got %d, want %d", e.Reason, c.want)
			}
		})
	}
}

// A suspension takes one person with a fresh step-up and no lock on him, who
// stands over the one he suspends.
func TestSuspension(t *testing.T) {
	team := purser.TeamID{44}
	type state struct {
		by   byte
		whom purser.PersonID
		when purser.Stamp
		lock bool
	}
	for name, c := range map[string]struct {
		state
		want purser.Reason
	}{
		"security anybody":         {state{by: sec1, whom: person(admin)}, purser.Allowed},
		"admin in his vendor":      {state{by: admin, whom: person(agent)}, purser.Allowed},
		"admin elsewhere":          {state{by: admin, whom: purser.PersonID{88}}, purser.NoRole},
		"security elsewhere":       {state{by: sec1, whom: purser.PersonID{88}}, purser.Allowed},
		"privacy":                  {state{by: privacy, whom: person(agent)}, purser.NoRole},
		"a lead his agent":         {state{by: agent, whom: purser.PersonID{90}}, purser.Allowed},
		"a lead his lead":          {state{by: agent, whom: purser.PersonID{91}}, purser.NoRole},
		"a lead another's agent":   {state{by: agent, whom: purser.PersonID{92}}, purser.NoRole},
		"somebody of security":     {state{by: sec1, whom: person(sec2)}, purser.LoosensDirectly},
		"nobody":                   {state{by: sec1, whom: purser.PersonID{99}}, purser.TargetUnknown},
		"stepped up too long ago":  {state{by: sec1, whom: person(agent), when: 6 * purser.Minute}, purser.NeedStepUp},
		"locked":                   {state{by: sec1, whom: person(agent), lock: true}, purser.Locked},
		"session that has run out": {state{by: sec1, whom: person(agent), when: purser.Day}, purser.NoSession},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			o.apply(t, &purser.VendorSet{Vendor: purser.VendorID{33}, Status: purser.StatusActive})
			o.apply(t, &purser.PersonSet{Person: purser.PersonID{88}, Vendor: purser.VendorID{33}, Roles: purser.RoleAgent, Status: purser.StatusActive})
			o.apply(t, &purser.TeamSet{Team: team, Vendor: vendor, Status: purser.StatusActive})
			in := func(id byte, team purser.TeamID, roles purser.Role) {
				o.apply(t, &purser.PersonSet{Person: purser.PersonID{id}, Vendor: vendor, Team: team, Roles: roles, Status: purser.StatusActive})
			}
			in(90, team, purser.RoleAgent)
			in(91, team, purser.RoleAgent|purser.RoleLead)
			in(92, purser.TeamID{}, purser.RoleAgent)
			o.apply(t, &purser.PersonSet{Person: person(agent), Vendor: vendor, Team: team, Roles: purser.RoleLead, Status: purser.StatusActive})
			if c.lock {
				o.apply(t, &purser.LockPlaced{
					Lock: purser.LockID{1}, Degree: purser.DegreeLock, Paths: purser.PathAll,
					Target: purser.Target{Kind: purser.TargetSession, ID: session(c.by)},
				})
			}
			o.at += c.when
			got := change.DecideSuspension(o.state, session(c.by), c.whom, o.at)
			why := purser.Allowed
			if refused, ok := got.(*purser.ChangeProposed); ok {
				why = refused.Reason
			}
			if why != c.want {
				t.Errorf("got %d, want %d", why, c.want)
			}
			o.apply(t, got)
			if suspended := o.state.Standing().Roles(c.whom) == 0; c.whom != (purser.PersonID{99}) && suspended != (c.want == purser.Allowed) {
				t.Errorf("suspended: got %v", suspended)
			}
		})
	}
}

func TestDirectOnlyThroughTheDoor(t *testing.T) {
	o := newOffice(t)
	for name, c := range map[string]struct {
		door purser.Door
		want purser.Reason
	}{
		"sealed":   {purser.Door{State: purser.DoorSealed}, purser.DoorShut},
		"open":     {purser.Door{State: purser.DoorOpen, Until: o.at + 1}, purser.Allowed},
		"ran out":  {purser.Door{State: purser.DoorOpen, Until: o.at}, purser.DoorShut},
		"labelled": {purser.Door{State: purser.DoorLabelled}, purser.Allowed},
	} {
		t.Run(name, func(t *testing.T) {
			o.apply(t, &c.door)
			why := purser.Allowed
			if refused, ok := change.DecideDirect(o.state, mapped(), o.at).(*purser.ChangeProposed); ok {
				why = refused.Reason
			}
			if why != c.want {
				t.Errorf("got %d, want %d", why, c.want)
			}
		})
	}
}
