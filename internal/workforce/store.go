package workforce

import (
	"context"
	"iter"

	"purser"
	"purser/internal/ledger"
)

// VendorRow is what is stored of a vendor.
type VendorRow struct {
	Vendor purser.VendorID
	Name   []byte // sealed
}

// TeamRow is what is stored of a team.
type TeamRow struct {
	Team   purser.TeamID
	Vendor purser.VendorID
	Name   []byte // sealed
}

// PersonRow is what is stored of a person. Everything else about one is in
// the fold.
type PersonRow struct {
	Person purser.PersonID
	Vendor purser.VendorID
	Name   []byte // sealed
}

// TicketRow is an invitation to enrol, by the hash of its ticket.
type TicketRow struct {
	Hash    [32]byte
	Person  purser.PersonID
	Expires purser.Stamp
}

// AuthenticatorRow is a passkey. What would let somebody log in if it were
// exchanged in the database (credential id, public key, flags) is sealed and
// bound to the authenticator's id.
type AuthenticatorRow struct {
	Authenticator purser.AuthenticatorID
	Person        purser.PersonID
	Credential    [32]byte // SHA-256 of the credential id
	SignCount     uint32
	Sealed        []byte
}

// SessionRow is what a restarted process needs to check a session's requests.
type SessionRow struct {
	Session purser.SessionID
	Person  purser.PersonID
	Token   [32]byte // SHA-256 of the token
	Opened  purser.Stamp
	Expires purser.Stamp
	Sealed  []byte // request key and page key
}

// Store keeps the rows. Implementations pass storetest.Workforce. Methods with
// a transaction write beside an entry; the others may be called at any time.
type Store interface {
	// Person returns a person's row, or ErrUnknown.
	Person(ctx context.Context, id purser.PersonID) (PersonRow, error)
	// Vendors, Teams and Persons yield all rows in ascending order of their
	// identifiers. Breaking off releases what they hold.
	Vendors(ctx context.Context) iter.Seq2[VendorRow, error]
	Teams(ctx context.Context) iter.Seq2[TeamRow, error]
	Persons(ctx context.Context) iter.Seq2[PersonRow, error]
	// PutVendor, PutTeam and PutPerson write a row, over an earlier one.
	PutVendor(tx ledger.Tx, row VendorRow) error
	PutTeam(tx ledger.Tx, row TeamRow) error
	PutPerson(tx ledger.Tx, row PersonRow) error

	// PutTicket keeps a ticket and drops those that expired before now.
	PutTicket(ctx context.Context, row TicketRow, now purser.Stamp) error
	// Ticket returns the ticket with this hash, or ErrNotProved.
	Ticket(ctx context.Context, hash [32]byte) (TicketRow, error)
	// TakeTicket removes the ticket, or returns ErrNotProved if it is gone.
	TakeTicket(tx ledger.Tx, hash [32]byte) error

	// Authenticator returns the passkey with this credential hash, or
	// ErrNotProved.
	Authenticator(ctx context.Context, credential [32]byte) (AuthenticatorRow, error)
	// Authenticators returns the passkeys of a person in ascending order of
	// their identifiers.
	Authenticators(ctx context.Context, person purser.PersonID) ([]AuthenticatorRow, error)
	// PutAuthenticator adds a passkey, or returns ErrNotProved if one with the
	// same credential exists.
	PutAuthenticator(tx ledger.Tx, row AuthenticatorRow) error
	// CountAuthenticator moves the sign count from one value to another, or returns
	// ErrNotProved if it is not the first any more.
	CountAuthenticator(tx ledger.Tx, id purser.AuthenticatorID, from, to uint32) error

	// Session returns the session with this token hash, or ErrNoSession.
	Session(ctx context.Context, token [32]byte) (SessionRow, error)
	// Sessions returns the sessions of a person, the newest first.
	Sessions(ctx context.Context, person purser.PersonID) ([]SessionRow, error)
	// PutSession adds a session and drops those that expired before its Opened.
	PutSession(tx ledger.Tx, row SessionRow) error
	// DropSession removes a session, if it is there.
	DropSession(tx ledger.Tx, id purser.SessionID) error
}
