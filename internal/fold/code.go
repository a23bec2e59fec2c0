package fold

import "purser"

// code writes standing, or reads it and rebuilds what follows from it.
func (s *Standing) code(c *purser.Coder) {
	s.vendors.Code(c, 17, codeID, codeStatus)
	s.teams.Code(c, 33, codeID, codeTeam)
	s.persons.Code(c, 51, codeID, codePerson)
	s.authenticators.Code(c, 57, codeID, codeAuthenticator)
	s.sessions.Code(c, 89, codeID, codeSession)
	s.changes.Code(c, 16+64+2+2+8+64+2+8+8+1, codeID, codeChange)
	door, config, clock, ordinals := s.door.Get(), s.config.Get(), s.clock.Get(), s.ordinals.Get()
	codeDoor(c, &door)
	config.Schema.Code(c)
	config.Policy.Code(c)
	c.Flag(&clock.Held)
	c.Flag(&clock.Stepped)
	c.Ordinal(&ordinals)
	s.keys.Code(c, 5+9, codeKeyName, codeKeyRow)
	closed, rules := s.closed.Get(), s.rules.Get()
	c.Ordinal(&closed)
	c.U16(&rules)
	if !c.Reading() || c.Err() != nil {
		return
	}
	s.door.Put(door)
	s.config.Put(config)
	s.clock.Put(clock)
	s.ordinals.Put(ordinals)
	s.closed.Put(closed)
	s.rules.Put(rules)
	s.rebuild(c)
	s.commit()
}

// rebuild fills the tables that follow from the others. Two rows that claim
// the same place were never written by Code.
func (s *Standing) rebuild(c *purser.Coder) {
	for id, row := range s.sessions.All() {
		if row.level != purser.LevelDesk {
			continue
		}
		if _, taken := s.desk.Get(row.person); taken {
			c.Fail()
		}
		s.desk.Put(row.person, id)
	}
	for id, row := range s.authenticators.All() {
		if _, taken := s.credentials.Get(row.Credential); taken {
			c.Fail()
		}
		s.credentials.Put(row.Credential, id)
	}
}

func codeID[I ~[16]byte](c *purser.Coder, id *I) {
	b := [16]byte(*id)
	c.Fixed(b[:])
	*id = I(b)
}

func codeStatus(c *purser.Coder, s *purser.Status) { c.U8((*uint8)(s)) }

func codeTeam(c *purser.Coder, t *Team) {
	t.Vendor.Code(c)
	codeStatus(c, &t.Status)
}

func codePerson(c *purser.Coder, p *Person) {
	p.Vendor.Code(c)
	p.Team.Code(c)
	p.Roles.Code(c)
	codeStatus(c, &p.Status)
}

func codeAuthenticator(c *purser.Coder, a *Authenticator) {
	a.Person.Code(c)
	a.Credential.Code(c)
	codeStatus(c, &a.Status)
	c.Stamp(&a.Since)
}

func codeSession(c *purser.Coder, s *session) {
	s.person.Code(c)
	s.authenticator.Code(c)
	c.U8((*uint8)(&s.level))
	s.key.Code(c)
	c.Stamp(&s.opened)
	c.Stamp(&s.steppedUp)
	c.Stamp(&s.expires)
}

func codeChange(c *purser.Coder, row *Change) {
	row.By.Code(c)
	row.As.Code(c)
	c.Blob(&row.Enacts)
	c.Stamp(&row.Proposed)
	row.Approver.Code(c)
	row.ApprovedAs.Code(c)
	c.Stamp(&row.Approved)
	c.Stamp(&row.Held)
	c.U8((*uint8)(&row.Outcome))
}

func codeDoor(c *purser.Coder, d *Door) {
	c.U8((*uint8)(&d.State))
	c.Stamp(&d.Until)
	n := c.Count(len(d.Custodians), 16)
	if c.Reading() && n > 0 {
		d.Custodians = make([]purser.Commitment, n)
	}
	for i := range d.Custodians {
		d.Custodians[i].Code(c)
	}
	c.U8(&d.Quorum)
}
