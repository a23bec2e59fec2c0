package synth

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"purser"
	"purser/internal/fold"
	"purser/internal/gate"
	"purser/internal/ledger"
	"purser/internal/record"
)

// WorldConfig says what a world is made of. Everything but the last two is
// needed.
type WorldConfig struct {
	Log     *ledger.Log[*fold.State]
	Records *record.Book
	Clock   *Clock
	// Tag gives the tag of a caller's number, as telephony does.
	Tag        func(class, normal string, at purser.Stamp) (now, last purser.Tag, err error)
	Policy     purser.Hash
	Seed       uint64
	Population int // made-up customers to bring in
	Agents     int // of each vendor; zero means 4
}

// World is a scratch deployment behind a labelled door: two vendors, each with
// a team, a source, agents and two leads, two people of security, and
// customers. Everything in it is registered by entries, as the real ones
// write, without passkeys: a session is opened by its entry. Its methods may
// be called by one goroutine at a time.
type World struct {
	WorldConfig
	Vendors   [2]Centre
	Security  [2]*Member
	Customers []Customer // customer i has ordinal i+1
	drawn     uint64
}

// Centre is one vendor.
type Centre struct {
	Vendor purser.VendorID
	Team   purser.TeamID
	Source purser.SourceID
	Agents []*Member
	Leads  [2]*Member
	seq    uint64
}

// Member is somebody of the workforce and the session he has now.
type Member struct {
	Who      purser.Actor
	Roles    purser.Role
	Passkey  purser.AuthenticatorID
	AgentKey purser.AgentKey // zero for who takes no contacts
	Centre   int
}

// Asker is the member as the gate wants him.
func (m *Member) Asker() gate.Asker { return gate.Asker{Session: m.Who.Session, Lane: m.Who.Vendor} }

// NewWorld writes the entries of a world into an empty ledger and imports its
// customers.
func NewWorld(ctx context.Context, c WorldConfig) (*World, error) {
	if c.Agents == 0 {
		c.Agents = 4
	}
	w := &World{WorldConfig: c}
	err := errors.Join(
		w.tell(ctx, &purser.Door{State: purser.DoorLabelled}),
		w.tell(ctx, &purser.Configuration{What: purser.ConfigPolicy, Hash: c.Policy}),
		w.tell(ctx, &purser.Configuration{What: purser.ConfigSchema, Hash: c.Records.Schema().Hash()}),
	)
	if err = errors.Join(err, w.people(ctx)); err != nil {
		return nil, fmt.Errorf("make world: %w", err)
	}
	return w, w.bringIn(ctx)
}

// people founds both vendors and security.
func (w *World) people(ctx context.Context) (err error) {
	for i := range w.Vendors {
		w.Vendors[i] = Centre{}
		err = errors.Join(err, w.found(ctx, i))
	}
	for i := range w.Security {
		w.Security[i] = &Member{Who: purser.Actor{Vendor: w.Vendors[0].Vendor}, Roles: purser.RoleSecurity}
		err = errors.Join(err, w.hire(ctx, w.Security[i]))
	}
	return err
}

// ID draws sixteen bytes that no other call gave.
func (w *World) ID() (id [16]byte) {
	w.drawn++
	binary.BigEndian.PutUint64(id[:], w.drawn)
	id[15] = 0x57
	return id
}

// tell records an entry as it is.
func (w *World) tell(ctx context.Context, e purser.Entry) error {
	_, err := w.Log.Propose(ctx, purser.VendorID{}, func(*fold.State, purser.Stamp) purser.Entry { return e })
	return err
}

// found registers vendor i with everybody in it.
func (w *World) found(ctx context.Context, i int) error {
	c := &w.Vendors[i]
	c.Vendor, c.Team, c.Source = w.ID(), w.ID(), w.ID()
	err := errors.Join(
		w.tell(ctx, &purser.VendorSet{Vendor: c.Vendor, Status: purser.StatusActive}),
		w.tell(ctx, &purser.TeamSet{Team: c.Team, Vendor: c.Vendor, Status: purser.StatusActive}),
		w.tell(ctx, &purser.SourceSet{
			Source: c.Source, Vendor: c.Vendor, Trust: purser.TrustCarrier,
			Secret: purser.Commitment(w.ID()), Status: purser.StatusActive,
		}),
	)
	for range w.Agents {
		m := &Member{Who: purser.Actor{Vendor: c.Vendor, Team: c.Team}, Roles: purser.RoleAgent, AgentKey: w.ID(), Centre: i}
		c.Agents = append(c.Agents, m)
		err = errors.Join(err, w.hire(ctx, m))
	}
	for n := range c.Leads {
		c.Leads[n] = &Member{Who: purser.Actor{Vendor: c.Vendor, Team: c.Team}, Roles: purser.RoleLead, Centre: i}
		err = errors.Join(err, w.hire(ctx, c.Leads[n]))
	}
	return errors.Join(err, w.Report(ctx, i, purser.ContactEvent{Event: purser.EventSnapshot}))
}

// hire registers a member with a passkey and logs him in.
func (w *World) hire(ctx context.Context, m *Member) error {
	m.Who.Person, m.Passkey = w.ID(), w.ID()
	err := errors.Join(
		w.tell(ctx, &purser.PersonSet{
			Person: m.Who.Person, Vendor: m.Who.Vendor, Team: m.Who.Team, Roles: m.Roles, Status: purser.StatusActive,
		}),
		w.tell(ctx, &purser.AuthenticatorSet{
			Authenticator: m.Passkey, Person: m.Who.Person, Credential: purser.Commitment(m.Passkey), Status: purser.StatusActive,
		}),
	)
	if !m.AgentKey.Zero() {
		err = errors.Join(err, w.tell(ctx, &purser.AgentMapped{
			Source: w.Vendors[m.Centre].Source, Agent: m.AgentKey, Person: m.Who.Person,
		}))
	}
	return errors.Join(err, w.Login(ctx, m))
}

// Renew founds vendors and security anew a month later, so that no counter,
// contact or lock reaches from one run into the next; only the customers stay.
func (w *World) Renew(ctx context.Context) error {
	w.Clock.Advance(32 * 24 * time.Hour)
	return w.people(ctx)
}

// Login gives a member a new session: a desk session to who takes contacts.
func (w *World) Login(ctx context.Context, m *Member) error {
	level := purser.LevelOffice
	if !m.AgentKey.Zero() {
		level = purser.LevelDesk
	}
	m.Who.Session = w.ID()
	_, err := w.Log.Propose(ctx, m.Who.Vendor, func(_ *fold.State, at purser.Stamp) purser.Entry {
		return &purser.SessionOpened{
			Who: m.Who, Authenticator: m.Passkey, Level: level, Key: purser.Commitment(w.ID()), Expires: at + 12*purser.Hour,
		}
	})
	return err
}

// StepUp uses a member's passkey again in his session.
func (w *World) StepUp(ctx context.Context, m *Member) error {
	return w.tell(ctx, &purser.SessionSteppedUp{Who: m.Who, Authenticator: m.Passkey})
}

// Logout ends a member's session.
func (w *World) Logout(ctx context.Context, m *Member) error {
	return w.tell(ctx, &purser.SessionEnded{Session: m.Who.Session, Why: purser.EndLogout, By: m.Who})
}

// bringIn imports the customers by the ordinary way.
func (w *World) bringIn(ctx context.Context) error {
	var file bytes.Buffer
	mix := Airline
	if err := WriteCSV(&file, w.Seed, mix, w.Population); err != nil {
		return err
	}
	sum, err := w.Records.Import(ctx, w.Log, purser.Actor{}, bytes.NewReader(file.Bytes()), record.ImportOptions{})
	if err != nil {
		return fmt.Errorf("bring customers in: %w", err)
	}
	if sum.New != uint64(w.Population) {
		return fmt.Errorf("bring customers in: %d of %d", sum.New, w.Population)
	}
	for c := range Customers(w.Seed, mix, w.Population) {
		w.Customers = append(w.Customers, c)
	}
	return nil
}

// Items returns what a caller says who knows these fields of customer i.
func (w *World) Items(i int, names ...string) []record.Item {
	row, columns := w.Customers[i].Row(), Columns()
	var out []record.Item
	for _, name := range names {
		f, ok := w.Records.Schema().Field(name)
		if !ok {
			continue
		}
		said := ""
		for _, column := range f.Columns {
			for n, have := range columns {
				if have == column && row[n] != "" {
					said += row[n] + " "
				}
			}
		}
		out = append(out, record.Item{Kind: f.Item, Canonical: w.Records.Schema().Canonical(f.Item, said[:max(0, len(said)-1)], "")})
	}
	return out
}

// Report has a vendor's source send its next event.
func (w *World) Report(ctx context.Context, centre int, e purser.ContactEvent) error {
	c := &w.Vendors[centre]
	c.seq++
	e.Source, e.Seq, e.Body = c.Source, c.seq, w.ID()
	_, err := w.Log.Propose(ctx, c.Vendor, func(s *fold.State, at purser.Stamp) purser.Entry {
		event := e
		repeat, why := s.Contacts().Event(&event, at)
		if event.Reason = why; repeat || why == purser.NoStanding || why == purser.Locked {
			return nil
		}
		return &event
	})
	return err
}

// Offer has telephony give a new contact to an agent.
func (w *World) Offer(ctx context.Context, m *Member, caller purser.Tag) (purser.ContactID, error) {
	c := purser.ContactID(w.ID())
	err := w.Report(ctx, m.Centre, purser.ContactEvent{
		Event: purser.EventOffered, Contact: c, Agent: m.AgentKey, Caller: caller, Attested: purser.AttestCarrier,
	})
	return c, errors.Join(err, w.Report(ctx, m.Centre, purser.ContactEvent{Event: purser.EventConnected, Contact: c, Agent: m.AgentKey}))
}

// Claim has a session take a contact, as far as the contact allows it.
func (w *World) Claim(ctx context.Context, m *Member, c purser.ContactID) error {
	receipt, err := w.Log.Propose(ctx, m.Who.Vendor, func(s *fold.State, at purser.Stamp) purser.Entry {
		return &purser.Claim{Who: m.Who, Contact: c, Reason: s.Contacts().Claim(c, m.Who, at)}
	})
	if err == nil && receipt.Refusal() != nil {
		return receipt.Refusal()
	}
	return err
}

// Connect is Offer, and the agent's session claims the contact.
func (w *World) Connect(ctx context.Context, m *Member, caller purser.Tag) (purser.ContactID, error) {
	c, err := w.Offer(ctx, m, caller)
	if err != nil {
		return c, err
	}
	return c, w.Claim(ctx, m, c)
}

// HangUp ends the customer's part of a contact.
func (w *World) HangUp(ctx context.Context, m *Member, c purser.ContactID) error {
	return w.Report(ctx, m.Centre, purser.ContactEvent{Event: purser.EventHungUp, Contact: c, Agent: m.AgentKey})
}

// Pass lets time pass while the sources stay alive.
func (w *World) Pass(ctx context.Context, d time.Duration) error {
	const beat = 5 * time.Second
	for d > 0 {
		step := min(d, beat)
		w.Clock.Advance(step)
		d -= step
		for i := range w.Vendors {
			if err := w.Report(ctx, i, purser.ContactEvent{Event: purser.EventHeartbeat}); err != nil {
				return err
			}
		}
	}
	return nil
}
