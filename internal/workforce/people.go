package workforce

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"

	"purser"
	"purser/internal/fold"
	"purser/internal/ledger"
	"purser/internal/seal"
)

// The kinds of notes that this package seals.
const (
	noteVendor        seal.NoteKind = "vendor name"
	noteTeam          seal.NoteKind = "team name"
	notePerson        seal.NoteKind = "person name"
	noteAuthenticator seal.NoteKind = "authenticator"
	noteSession       seal.NoteKind = "session key"
)

// Rows writes what belongs beside an entry, in its transaction.
type Rows func(ledger.Tx, purser.Pos, purser.Entry) error

// Addition is a new vendor, team or person on its way into the ledger: the
// entry that gives it standing and the row with its name. While the bootstrap
// door is open the Add methods propose it themselves; afterwards it goes
// through a change (L11).
type Addition struct {
	Entry purser.Entry
	Rows  Rows
}

// NewVendor prepares a vendor.
func (w *Workforce) NewVendor(name string) (purser.VendorID, Addition, error) {
	id, err := newID[purser.VendorID](w.random)
	if err != nil {
		return id, Addition{}, err
	}
	sealed, err := w.sealName(noteVendor, id[:], name)
	if err != nil {
		return id, Addition{}, err
	}
	row := VendorRow{Vendor: id, Name: sealed}
	return id, Addition{
		Entry: &purser.VendorSet{Vendor: id, Status: purser.StatusActive},
		Rows:  func(tx ledger.Tx, _ purser.Pos, _ purser.Entry) error { return w.store.PutVendor(tx, row) },
	}, nil
}

// NewTeam prepares a team of a vendor.
func (w *Workforce) NewTeam(vendor purser.VendorID, name string) (purser.TeamID, Addition, error) {
	id, err := newID[purser.TeamID](w.random)
	if err != nil {
		return id, Addition{}, err
	}
	sealed, err := w.sealName(noteTeam, id[:], name)
	if err != nil {
		return id, Addition{}, err
	}
	row := TeamRow{Team: id, Vendor: vendor, Name: sealed}
	return id, Addition{
		Entry: &purser.TeamSet{Team: id, Vendor: vendor, Status: purser.StatusActive},
		Rows:  func(tx ledger.Tx, _ purser.Pos, _ purser.Entry) error { return w.store.PutTeam(tx, row) },
	}, nil
}

// Hire says who a new person is. Team is zero for somebody outside all teams.
type Hire struct {
	Name   string
	Vendor purser.VendorID
	Team   purser.TeamID
	Roles  purser.Role
}

// NewPerson prepares a person. He can do nothing before a passkey is bound to
// him.
func (w *Workforce) NewPerson(h Hire) (purser.PersonID, Addition, error) {
	id, err := newID[purser.PersonID](w.random)
	if err != nil {
		return id, Addition{}, err
	}
	sealed, err := w.sealName(notePerson, id[:], h.Name)
	if err != nil {
		return id, Addition{}, err
	}
	row := PersonRow{Person: id, Vendor: h.Vendor, Name: sealed}
	return id, Addition{
		Entry: &purser.PersonSet{
			Person: id, Vendor: h.Vendor, Team: h.Team, Roles: h.Roles, Status: purser.StatusActive,
		},
		Rows: func(tx ledger.Tx, _ purser.Pos, _ purser.Entry) error { return w.store.PutPerson(tx, row) },
	}, nil
}

// AddVendor adds a vendor through the bootstrap door. With the door shut it is
// refused: LoosensDirectly.
func (w *Workforce) AddVendor(ctx context.Context, name string) (purser.VendorID, error) {
	id, add, err := w.NewVendor(name)
	if err != nil {
		return purser.VendorID{}, err
	}
	return id, w.add(ctx, id, add, func(*fold.Standing) bool { return true })
}

// AddTeam adds a team through the bootstrap door. A vendor that is not there
// is [ErrUnknown].
func (w *Workforce) AddTeam(ctx context.Context, vendor purser.VendorID, name string) (purser.TeamID, error) {
	id, add, err := w.NewTeam(vendor, name)
	if err != nil {
		return purser.TeamID{}, err
	}
	return id, w.add(ctx, vendor, add, func(s *fold.Standing) bool { return hasVendor(s, vendor) })
}

// AddPerson adds a person through the bootstrap door. A vendor or team that is
// not there, or not the vendor's, is [ErrUnknown].
func (w *Workforce) AddPerson(ctx context.Context, h Hire) (purser.PersonID, error) {
	id, add, err := w.NewPerson(h)
	if err != nil {
		return purser.PersonID{}, err
	}
	return id, w.add(ctx, h.Vendor, add, func(s *fold.Standing) bool {
		return hasVendor(s, h.Vendor) && (h.Team.Zero() || hasTeam(s, h.Team, h.Vendor))
	})
}

// add proposes an addition while the door is open and what it names is there.
func (w *Workforce) add(ctx context.Context, lane purser.VendorID, a Addition, fits func(*fold.Standing) bool) error {
	why, known := purser.Allowed, true
	receipt, err := w.log.ProposeRows(ctx, lane, func(s *fold.State, at purser.Stamp) purser.Entry {
		why, known = purser.Allowed, fits(s.Standing())
		if !doorOpen(s.Standing(), at) {
			why = purser.LoosensDirectly
		}
		if why != purser.Allowed || !known {
			return nil
		}
		return a.Entry
	}, a.Rows)
	switch {
	case err != nil:
		return fmt.Errorf("add to the workforce: %w", err)
	case receipt.Recorded():
		return nil
	case why != purser.Allowed:
		return &purser.Refusal{Reason: why}
	}
	return ErrUnknown
}

// VendorName is a vendor as it is shown.
type VendorName struct {
	Vendor purser.VendorID
	Name   purser.Plain
}

// TeamName is a team as it is shown.
type TeamName struct {
	Team   purser.TeamID
	Vendor purser.VendorID
	Name   purser.Plain
}

// PersonName is a person as one is shown.
type PersonName struct {
	Person purser.PersonID
	Vendor purser.VendorID
	Name   purser.Plain
}

// Vendors yields the vendors in ascending order of their identifiers.
func (w *Workforce) Vendors(ctx context.Context) iter.Seq2[VendorName, error] {
	return opened(w.store.Vendors(ctx), func(r VendorRow) (VendorName, error) {
		name, err := w.openName(noteVendor, r.Vendor[:], r.Name)
		return VendorName{Vendor: r.Vendor, Name: name}, err
	})
}

// Teams yields the teams in ascending order of their identifiers.
func (w *Workforce) Teams(ctx context.Context) iter.Seq2[TeamName, error] {
	return opened(w.store.Teams(ctx), func(r TeamRow) (TeamName, error) {
		name, err := w.openName(noteTeam, r.Team[:], r.Name)
		return TeamName{Team: r.Team, Vendor: r.Vendor, Name: name}, err
	})
}

// Persons yields the persons in ascending order of their identifiers.
func (w *Workforce) Persons(ctx context.Context) iter.Seq2[PersonName, error] {
	return opened(w.store.Persons(ctx), w.personName)
}

// Person returns a person as one is shown, or [ErrUnknown].
func (w *Workforce) Person(ctx context.Context, id purser.PersonID) (PersonName, error) {
	row, err := w.store.Person(ctx, id)
	if err != nil {
		return PersonName{}, fmt.Errorf("person %v: %w", id, err)
	}
	return w.personName(row)
}

func (w *Workforce) personName(r PersonRow) (PersonName, error) {
	name, err := w.openName(notePerson, r.Person[:], r.Name)
	return PersonName{Person: r.Person, Vendor: r.Vendor, Name: name}, err
}

// opened maps rows; the first error ends it.
func opened[R, N any](rows iter.Seq2[R, error], open func(R) (N, error)) iter.Seq2[N, error] {
	return func(yield func(N, error) bool) {
		for row, err := range rows {
			var name N
			if err == nil {
				name, err = open(row)
			}
			if !yield(name, err) || err != nil {
				return
			}
		}
	}
}

// sealName seals a name for the row that id names. What is no name of 1 to
// 200 bytes of printable text is [ErrName], which does not repeat it.
func (w *Workforce) sealName(kind seal.NoteKind, id []byte, name string) ([]byte, error) {
	if name == "" || len(name) > 200 || !utf8.ValidString(name) || strings.ContainsFunc(name, hidden) {
		return nil, ErrName
	}
	return w.keys.SealNote(kind, id, []byte(name))
}

// hidden says which characters make a name read as something else.
func hidden(r rune) bool { return !unicode.IsPrint(r) }

func (w *Workforce) openName(kind seal.NoteKind, id, sealed []byte) (purser.Plain, error) {
	name, err := w.keys.OpenNote(kind, id, sealed)
	if err != nil {
		return purser.Plain{}, err
	}
	return purser.NewPlain(string(name)), nil
}
