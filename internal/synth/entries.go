package synth

import (
	"encoding/binary"

	"purser"
	"purser/internal/fold"
	"purser/internal/rule/contain"
)

// Entries makes up the ledger of a small centre, entry by entry: two vendors
// with their people and sources, calls from offer to hang-up, and among them
// everything else that is recorded. Decisions are asked from the state, so what
// it makes is what the program could have recorded. It is for tests and
// benchmarks, and used by one goroutine.
type Entries struct {
	draw   func(n int) int
	last   uint64 // of the identifiers handed out
	at     purser.Stamp
	cast   []member
	vendor [2]vendor
	queue  []act
	locks  []purser.LockID
	change []purser.ChangeID
}

// act makes one entry; nil when there is nothing to record.
type act func(s *fold.State) purser.Entry

// member is a person of the cast.
type member struct {
	actor   purser.Actor
	roles   purser.Role
	passkey purser.AuthenticatorID
	session purser.SessionID
}

type vendor struct {
	id     purser.VendorID
	team   purser.TeamID
	source purser.SourceID
	seq    uint64
}

type call struct {
	id      purser.ContactID
	vendor  int
	agent   int // of the cast
	attempt purser.Pos
	sent    purser.Pos
	asked   purser.Pos
}

// agents and staff are the sizes of the cast: agents first, then one lead for
// each vendor, security, privacy and admin.
const (
	agents = 6
	cast   = agents + 2 + 3
)

// NewEntries returns a ledger to be made, from the stamp start on. draw returns
// a number from 0 to n-1 and is all the chance there is.
func NewEntries(start purser.Stamp, draw func(n int) int) *Entries {
	e := &Entries{draw: draw, at: start}
	for i := range e.vendor {
		e.vendor[i] = vendor{id: e.id(), team: e.id(), source: e.id()}
	}
	for i := range cast {
		v := e.vendor[i%2]
		m := member{
			actor: purser.Actor{Person: e.id(), Team: v.team, Vendor: v.id}, roles: rolesOf(i), passkey: e.id(),
		}
		if i >= agents+2 {
			m.actor.Team = purser.TeamID{}
		}
		e.cast = append(e.cast, m)
	}
	e.queue = e.opening()
	return e
}

func rolesOf(i int) purser.Role {
	switch {
	case i < agents:
		return purser.RoleAgent
	case i < agents+2:
		return purser.RoleLead
	}
	return [...]purser.Role{purser.RoleSecurity, purser.RolePrivacy, purser.RoleAdmin}[i-agents-2]
}

// id hands out the next identifier; all kinds share the numbers.
func (e *Entries) id() (id [16]byte) {
	e.last++
	binary.BigEndian.PutUint64(id[8:], scramble(e.last))
	id[0] = 1
	return id
}

// Next makes the next entry after those that s has applied.
func (e *Entries) Next(s *fold.State) (purser.Header, purser.Entry) {
	e.wait()
	for {
		if len(e.queue) == 0 {
			e.queue = e.scene()
		}
		next := e.queue[0]
		e.queue = e.queue[1:]
		if entry := next(s); entry != nil {
			return purser.Header{Kind: entry.Kind(), Pos: s.Size(), Stamp: e.at}, entry
		}
	}
}

// wait lets time pass: mostly less than a second, now and then a minute, an
// hour or a day.
func (e *Entries) wait() {
	spans := [...]purser.Stamp{0, purser.Millisecond, 400 * purser.Millisecond, purser.Second}
	switch n := e.draw(400); {
	case n == 0:
		e.at += purser.Day + purser.Stamp(e.draw(1000))*purser.Minute
	case n < 4:
		e.at += purser.Stamp(e.draw(300)) * purser.Minute
	case n < 12:
		e.at += purser.Stamp(e.draw(90)) * purser.Second
	default:
		e.at += spans[n%len(spans)]
	}
}

// opening registers everybody while the door is open.
func (e *Entries) opening() []act {
	acts := []act{
		told(&purser.Start{Software: "made up", FoldVersion: fold.Version, Wall: e.at}),
		told(&purser.Door{State: purser.DoorOpen, Until: e.at + purser.Hour}),
		told(&purser.Configuration{What: purser.ConfigSchema, Hash: purser.Hash{1}}),
		told(&purser.Configuration{What: purser.ConfigPolicy, Hash: purser.Hash{2}}),
	}
	for _, v := range e.vendor {
		acts = append(acts,
			told(&purser.VendorSet{Vendor: v.id, Status: purser.StatusActive}),
			told(&purser.TeamSet{Team: v.team, Vendor: v.id, Status: purser.StatusActive}),
			told(&purser.SourceSet{
				Source: v.source, Vendor: v.id, Trust: purser.TrustCarrier,
				Secret: purser.Commitment{1}, Status: purser.StatusActive,
			}))
	}
	for i, m := range e.cast {
		acts = append(acts,
			told(&purser.PersonSet{
				Person: m.actor.Person, Vendor: m.actor.Vendor, Team: m.actor.Team,
				Roles: m.roles, Status: purser.StatusActive,
			}),
			told(&purser.AuthenticatorSet{
				Authenticator: m.passkey, Person: m.actor.Person,
				Credential: purser.Commitment(m.passkey), Status: purser.StatusActive,
			}))
		if i < agents {
			acts = append(acts, told(&purser.AgentMapped{
				Source: e.vendor[i%2].source, Agent: agentKey(i), Person: m.actor.Person,
			}))
		}
	}
	return append(acts, told(&purser.Door{State: purser.DoorSealed, Quorum: 1, Custodians: []purser.Commitment{{1}}}))
}

// told makes an entry that needs no decision.
func told(entry purser.Entry) act { return func(*fold.State) purser.Entry { return entry } }

func agentKey(i int) purser.AgentKey { return purser.AgentKey{1, byte(i)} }

// scene is what happens next: mostly calls.
func (e *Entries) scene() []act {
	switch n := e.draw(25); {
	case n >= 24:
		return e.imports()
	case n >= 23:
		return e.keeping()
	case n >= 22:
		return e.rights()
	case n >= 21:
		return e.casework()
	case n >= 20:
		return e.upkeep()
	case n < 10:
		return e.phone()
	case n < 12:
		return []act{e.login(e.draw(cast))}
	case n < 14:
		return e.stop()
	case n < 16:
		return e.loosen()
	case n < 18:
		return e.upset()
	default:
		return e.run()
	}
}

// login opens a session of member i, or steps the one he has up.
func (e *Entries) login(i int) act {
	return func(s *fold.State) purser.Entry {
		m := &e.cast[i]
		if _, why := s.Standing().Live(m.session, e.at); why == purser.Allowed && e.draw(3) > 0 {
			who := e.who(i)
			return &purser.SessionSteppedUp{Who: who, Authenticator: m.passkey}
		}
		entry := &purser.SessionOpened{
			Authenticator: m.passkey, Level: purser.LevelOffice,
			Key: purser.Commitment{byte(i)}, Expires: e.at + fold.SessionLife,
		}
		if m.roles == purser.RoleAgent {
			entry.Level = purser.LevelDesk
		}
		if s.Standing().Roles(m.actor.Person) == 0 {
			entry.Who, entry.Reason = m.actor, purser.NoStanding
			return entry
		}
		m.session = e.id()
		entry.Who = e.who(i)
		return entry
	}
}

// who is member i in the session he opened last.
func (e *Entries) who(i int) purser.Actor {
	who := e.cast[i].actor
	who.Session = e.cast[i].session
	return who
}

// stop places locks and votes to lift them.
func (e *Entries) stop() []act {
	return []act{func(s *fold.State) purser.Entry {
		by := agents + e.draw(3)
		if len(e.locks) > 0 && e.draw(2) == 0 {
			id := e.locks[e.draw(len(e.locks))]
			lock, _ := s.Locks().Lock(id)
			lifted, why := s.Locks().Lift(id, e.asker(by), s.Standing().Of(lock.Target), s.Standing().Roles, e.at)
			return &purser.LockLift{Lock: id, By: e.who(by), Lifted: lifted, Reason: why}
		}
		entry := &purser.LockPlaced{
			Lock: e.id(), Target: e.target(), Degree: purser.Degree(1 + e.draw(2)),
			Paths: purser.PathAll, By: e.who(by), Expires: e.at + purser.Stamp(1+e.draw(120))*purser.Minute,
		}
		entry.Reason = s.Locks().Place(entry, e.asker(by), s.Standing().Of(entry.Target), e.at)
		if entry.Reason == purser.Allowed {
			e.locks = append(e.locks, entry.Lock)
		}
		return entry
	}}
}

func (e *Entries) asker(i int) contain.Asker {
	return contain.Asker{Who: e.who(i), Roles: e.cast[i].roles, Stepped: e.at}
}

func (e *Entries) target() purser.Target {
	m := e.cast[e.draw(cast)]
	switch e.draw(6) {
	case 0:
		return purser.Target{Kind: purser.TargetTeam, ID: m.actor.Team}
	case 1:
		return purser.Target{Kind: purser.TargetVendor, ID: m.actor.Vendor}
	case 2:
		return purser.Target{Kind: purser.TargetSession, ID: m.session}
	case 3:
		return purser.Target{Kind: purser.TargetAll}
	}
	return purser.Target{Kind: purser.TargetPerson, ID: m.actor.Person}
}

// loosen moves a change on: it is proposed, approved or vetoed, and enacted
// after its hold.
func (e *Entries) loosen() []act {
	security, admin := agents+2, agents+4
	return []act{func(s *fold.State) purser.Entry {
		if len(e.change) == 0 || e.draw(3) == 0 {
			id := e.id()
			e.change = append(e.change, id)
			return &purser.ChangeProposed{
				Change: id, By: e.who(admin), As: purser.RoleAdmin, Enacts: purser.Enacts(e.enacts()),
			}
		}
		id := e.change[e.draw(len(e.change))]
		c, _ := s.Standing().Change(id)
		switch {
		case c.Outcome != fold.ChangeOpen:
			return &purser.ChangeVoted{
				Change: id, By: e.who(security), As: purser.RoleSecurity,
				Vote: purser.VoteVeto, Reason: purser.ChangeEnded,
			}
		case e.draw(8) == 0:
			return &purser.ChangeVoted{Change: id, By: e.who(security), As: purser.RoleSecurity, Vote: purser.VoteVeto}
		case c.Approved == 0:
			return &purser.ChangeVoted{Change: id, By: e.who(security), As: purser.RoleSecurity, Vote: purser.VoteApprove}
		default:
			return &purser.ChangeEnacted{Change: id, Enacts: c.Enacts}
		}
	}}
}

// enacts draws what a change would do.
func (e *Entries) enacts() purser.Entry {
	i := e.draw(agents)
	m := e.cast[i]
	switch e.draw(4) {
	case 0:
		return &purser.PersonSet{
			Person: m.actor.Person, Vendor: m.actor.Vendor, Team: m.actor.Team,
			Roles: m.roles | purser.RoleDesk, Status: purser.StatusActive,
		}
	case 1:
		return &purser.AgentMapped{Source: e.vendor[i%2].source, Agent: agentKey(i), Person: m.actor.Person}
	case 2:
		return &purser.Configuration{What: purser.ConfigPolicy, Hash: purser.Hash{byte(e.draw(256))}}
	}
	v := e.vendor[i%2]
	return &purser.SourceSet{Source: v.source, Vendor: v.id, Secret: purser.Commitment{1}, Status: purser.StatusActive}
}

// upset suspends somebody and takes him back, or tightens a ceiling.
func (e *Entries) upset() []act {
	m := e.cast[e.draw(agents)]
	set := &purser.PersonSet{
		Person: m.actor.Person, Vendor: m.actor.Vendor, Team: m.actor.Team, Roles: m.roles, Status: purser.StatusSuspended,
	}
	back := *set
	back.Status = purser.StatusActive
	switch e.draw(4) {
	case 0:
		return []act{told(set), told(&back)}
	case 1:
		return []act{told(&purser.SessionEnded{Session: m.session, Why: purser.EndLogout, By: m.actor})}
	case 2:
		return []act{told(&purser.Configuration{
			What: purser.ConfigBudget, Vendor: m.actor.Vendor,
			Which: purser.BudgetKind(1 + e.draw(6)), Value: uint32(e.draw(200)),
		})}
	}
	passkey := &purser.AuthenticatorSet{
		Authenticator: m.passkey, Person: m.actor.Person, Credential: purser.Commitment(m.passkey), Status: purser.StatusSuspended,
	}
	again := *passkey
	again.Status = purser.StatusActive
	return []act{told(passkey), told(&again)}
}

// run is what the process records of itself.
func (e *Entries) run() []act {
	security := e.who(agents + 2)
	switch e.draw(6) {
	case 0:
		return []act{told(&purser.Start{Software: "made up", FoldVersion: fold.Version, Wall: e.at, Held: e.draw(4) == 0})}
	case 1:
		return []act{
			told(&purser.ClockStep{Wall: e.at + purser.Hour, Mono: e.at}),
			told(&purser.ClockAccepted{By: security, Wall: e.at}),
		}
	case 2:
		return []act{func(s *fold.State) purser.Entry {
			return &purser.Snapshot{Size: s.Size(), FoldVersion: fold.Version}
		}}
	case 3:
		return []act{func(s *fold.State) purser.Entry {
			return &purser.Import{First: s.Standing().Ordinals() + 1, Count: uint32(1 + e.draw(500)), By: security}
		}}
	case 4:
		return []act{told(&purser.Refusals{Who: e.who(0), Of: purser.KindDisclosure, Reason: purser.BudgetHour, Count: 7})}
	}
	return []act{told(&purser.Finding{What: purser.FindingClock, Count: 1})}
}
