package storetest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"

	"purser"
	"purser/internal/ledger"
	"purser/internal/workforce"
)

// People is a store of the workforce beside the ledger whose entries change
// it.
type People interface {
	ledger.Store
	workforce.Store
}

// Workforce checks an implementation of workforce.Store. open returns an empty
// one that the test closes by itself.
func Workforce(t *testing.T, open func(testing.TB) People) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, People)
	}{
		{"a new store has nobody", nobody},
		{"names come back in order and are written over", names},
		{"breaking off a list releases it", breakOffNames},
		{"a ticket is taken once", tickets},
		{"a credential is bound once", credentials},
		{"a sign count moves from what it was", signCounts},
		{"sessions come newest first and expired ones go", sessions},
		{"a batch that fails leaves no row", rowsUndone},
		{"a foreign transaction is refused", foreignPeopleTx},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

// beside appends one entry and runs write in its transaction.
func beside(t *testing.T, s People, write func(ledger.Tx) error) error {
	t.Helper()
	b := next(mustHead(t, s), 1)
	b.Rows = []ledger.Row{{Write: write}}
	return s.Append(t.Context(), b)
}

func mustBeside(t *testing.T, s People, write func(ledger.Tx) error) {
	t.Helper()
	if err := beside(t, s, write); err != nil {
		t.Fatalf("rows beside an entry: %v", err)
	}
}

func nobody(t *testing.T, s People) {
	ctx := t.Context()
	if _, err := s.Person(ctx, purser.PersonID{1}); !errors.Is(err, workforce.ErrUnknown) {
		t.Errorf("person: got %v, want ErrUnknown", err)
	}
	if _, err := s.Ticket(ctx, [32]byte{1}); !errors.Is(err, workforce.ErrNotProved) {
		t.Errorf("ticket: got %v, want ErrNotProved", err)
	}
	if _, err := s.Authenticator(ctx, [32]byte{1}); !errors.Is(err, workforce.ErrNotProved) {
		t.Errorf("authenticator: got %v, want ErrNotProved", err)
	}
	if _, err := s.Session(ctx, [32]byte{1}); !errors.Is(err, workforce.ErrNoSession) {
		t.Errorf("session: got %v, want ErrNoSession", err)
	}
	if rows, err := s.Sessions(ctx, purser.PersonID{1}); len(rows) != 0 || err != nil {
		t.Errorf("sessions: got %d %v, want none", len(rows), err)
	}
	for range s.Persons(ctx) {
		t.Error("persons: got one, want none")
	}
}

func names(t *testing.T, s People) {
	ctx := t.Context()
	mustBeside(t, s, func(tx ledger.Tx) error {
		for _, i := range []byte{9, 3, 6} {
			if err := errors.Join(
				s.PutVendor(tx, workforce.VendorRow{Vendor: purser.VendorID{i}, Name: []byte{i}}),
				s.PutTeam(tx, workforce.TeamRow{Team: purser.TeamID{i}, Vendor: purser.VendorID{i}, Name: []byte{i}}),
				s.PutPerson(tx, workforce.PersonRow{Person: purser.PersonID{i}, Vendor: purser.VendorID{i}, Name: []byte{i}}),
			); err != nil {
				return err
			}
		}
		return s.PutPerson(tx, workforce.PersonRow{Person: purser.PersonID{6}, Vendor: purser.VendorID{7}, Name: []byte("six")})
	})
	var vendors, teams, persons []byte
	for row, err := range s.Vendors(ctx) {
		if err != nil || row.Name[0] != row.Vendor[0] {
			t.Fatalf("vendor: got %v %v", row, err)
		}
		vendors = append(vendors, row.Vendor[0])
	}
	for row, err := range s.Teams(ctx) {
		if err != nil || row.Name[0] != row.Team[0] || row.Vendor[0] != row.Team[0] {
			t.Fatalf("team: got %v %v", row, err)
		}
		teams = append(teams, row.Team[0])
	}
	for row, err := range s.Persons(ctx) {
		if err != nil {
			t.Fatalf("persons: %v", err)
		}
		persons = append(persons, row.Person[0])
	}
	if got := fmt.Sprint(vendors, teams, persons); got != "[3 6 9] [3 6 9] [3 6 9]" {
		t.Fatalf("order: got %s, want 3 6 9 each", got)
	}
	row, err := s.Person(ctx, purser.PersonID{6})
	if err != nil || string(row.Name) != "six" || row.Vendor != (purser.VendorID{7}) {
		t.Fatalf("person written over: got %v %v, want six of 7", row, err)
	}
}

func breakOffNames(t *testing.T, s People) {
	mustBeside(t, s, func(tx ledger.Tx) error {
		return errors.Join(
			s.PutPerson(tx, workforce.PersonRow{Person: purser.PersonID{1}, Name: []byte("a")}),
			s.PutPerson(tx, workforce.PersonRow{Person: purser.PersonID{2}, Name: []byte("b")}))
	})
	for range 100 { // more often than there are connections
		for range s.Persons(t.Context()) {
			break
		}
	}
	if _, err := s.Person(t.Context(), purser.PersonID{2}); err != nil {
		t.Fatalf("person afterwards: %v", err)
	}
}

func tickets(t *testing.T, s People) {
	ctx := t.Context()
	old := workforce.TicketRow{Hash: [32]byte{1}, Person: purser.PersonID{1}, Expires: 100}
	fresh := workforce.TicketRow{Hash: [32]byte{2}, Person: purser.PersonID{2}, Expires: 300}
	for _, put := range []struct {
		row workforce.TicketRow
		now purser.Stamp
	}{{old, 50}, {fresh, 100}} {
		if err := s.PutTicket(ctx, put.row, put.now); err != nil {
			t.Fatalf("put ticket: %v", err)
		}
	}
	if _, err := s.Ticket(ctx, old.Hash); !errors.Is(err, workforce.ErrNotProved) {
		t.Errorf("expired ticket: got %v, want ErrNotProved", err)
	}
	if got, err := s.Ticket(ctx, fresh.Hash); got != fresh || err != nil {
		t.Errorf("ticket: got %v %v, want %v", got, err, fresh)
	}
	mustBeside(t, s, func(tx ledger.Tx) error { return s.TakeTicket(tx, fresh.Hash) })
	if err := beside(t, s, func(tx ledger.Tx) error { return s.TakeTicket(tx, fresh.Hash) }); !errors.Is(err, workforce.ErrNotProved) {
		t.Errorf("take again: got %v, want ErrNotProved", err)
	}
}

func passkeyRow(i byte) workforce.AuthenticatorRow {
	return workforce.AuthenticatorRow{
		Authenticator: purser.AuthenticatorID{i}, Person: purser.PersonID{i / 10},
		Credential: sha256.Sum256([]byte{i}), SignCount: 1<<32 - 2, Sealed: []byte{1, 2, i},
	}
}

func credentials(t *testing.T, s People) {
	ctx := t.Context()
	mustBeside(t, s, func(tx ledger.Tx) error {
		return errors.Join(s.PutAuthenticator(tx, passkeyRow(12)), s.PutAuthenticator(tx, passkeyRow(11)),
			s.PutAuthenticator(tx, passkeyRow(21)))
	})
	twice := passkeyRow(22)
	twice.Credential = passkeyRow(11).Credential
	if err := beside(t, s, func(tx ledger.Tx) error { return s.PutAuthenticator(tx, twice) }); !errors.Is(err, workforce.ErrNotProved) {
		t.Errorf("credential again: got %v, want ErrNotProved", err)
	}
	rows, err := s.Authenticators(ctx, purser.PersonID{1})
	if err != nil || len(rows) != 2 || rows[0].Authenticator[0] != 11 || rows[1].Authenticator[0] != 12 {
		t.Fatalf("authenticators: got %v %v, want 11 and 12", rows, err)
	}
	got, err := s.Authenticator(ctx, passkeyRow(21).Credential)
	if want := passkeyRow(21); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("authenticator: got %v %v, want %v", got, err, want)
	}
}

func signCounts(t *testing.T, s People) {
	id := purser.AuthenticatorID{11}
	mustBeside(t, s, func(tx ledger.Tx) error { return s.PutAuthenticator(tx, passkeyRow(11)) })
	move := func(from, to uint32) error {
		return beside(t, s, func(tx ledger.Tx) error { return s.CountAuthenticator(tx, id, from, to) })
	}
	if err := move(1<<32-2, 1<<32-1); err != nil {
		t.Fatalf("count: %v", err)
	}
	if err := move(1<<32-2, 7); !errors.Is(err, workforce.ErrNotProved) {
		t.Fatalf("count from an old value: got %v, want ErrNotProved", err)
	}
	got, err := s.Authenticator(t.Context(), passkeyRow(11).Credential)
	if err != nil || got.SignCount != 1<<32-1 {
		t.Fatalf("count: got %d %v, want %d", got.SignCount, err, uint32(1<<32-1))
	}
}

func sessionRow(i byte) workforce.SessionRow {
	return workforce.SessionRow{
		Session: purser.SessionID{i}, Person: purser.PersonID{1}, Token: [32]byte{i},
		Opened: purser.Stamp(i), Expires: purser.Stamp(i) + 10, Sealed: []byte{i, i},
	}
}

func sessions(t *testing.T, s People) {
	ctx := t.Context()
	put := func(i byte) {
		t.Helper()
		mustBeside(t, s, func(tx ledger.Tx) error { return s.PutSession(tx, sessionRow(i)) })
	}
	put(1)
	put(5)
	put(11) // the first expired at 11
	rows, err := s.Sessions(ctx, purser.PersonID{1})
	if err != nil || len(rows) != 2 || rows[0].Session[0] != 11 || rows[1].Session[0] != 5 {
		t.Fatalf("sessions: got %v %v, want 11 and 5", rows, err)
	}
	got, err := s.Session(ctx, [32]byte{5})
	if want := sessionRow(5); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("session: got %v %v, want %v", got, err, want)
	}
	for range 2 { // one that is not there is no error
		mustBeside(t, s, func(tx ledger.Tx) error { return s.DropSession(tx, purser.SessionID{5}) })
	}
	if _, err := s.Session(ctx, [32]byte{5}); !errors.Is(err, workforce.ErrNoSession) {
		t.Fatalf("dropped session: got %v, want ErrNoSession", err)
	}
}

func rowsUndone(t *testing.T, s People) {
	cause := errors.New("later row")
	err := beside(t, s, func(tx ledger.Tx) error {
		return errors.Join(s.PutSession(tx, sessionRow(1)), s.PutAuthenticator(tx, passkeyRow(11)), cause)
	})
	if !errors.Is(err, cause) {
		t.Fatalf("batch: got %v, want the cause", err)
	}
	nobody(t, s)
	if rows, err := s.Authenticators(t.Context(), purser.PersonID{1}); len(rows) != 0 || err != nil {
		t.Fatalf("authenticators: got %d %v, want none", len(rows), err)
	}
}

type foreignPeople struct{}

func (foreignPeople) LedgerTx() {}

func foreignPeopleTx(t *testing.T, s People) {
	var kept ledger.Tx
	mustBeside(t, s, func(tx ledger.Tx) error { kept = tx; return nil })
	for name, tx := range map[string]ledger.Tx{"foreign": foreignPeople{}, "kept": kept, "none": nil} {
		if err := s.PutSession(tx, sessionRow(1)); err == nil {
			t.Errorf("%s transaction: got none, want an error", name)
		}
	}
}
