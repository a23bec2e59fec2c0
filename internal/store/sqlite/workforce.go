package sqlite

import (
	"context"
	"errors"
	"iter"

	"zombiezen.com/go/sqlite"

	"purser"
	"purser/internal/ledger"
	"purser/internal/workforce"
)

var _ workforce.Store = (*DB)(nil)

// Person implements workforce.Store.
func (d *DB) Person(ctx context.Context, id purser.PersonID) (workforce.PersonRow, error) {
	return oneRow(ctx, d, "person", id[:], personRow, workforce.ErrUnknown)
}

// Vendors implements workforce.Store.
func (d *DB) Vendors(ctx context.Context) iter.Seq2[workforce.VendorRow, error] {
	return eachRow(ctx, d, "vendors", func(s *sqlite.Stmt) workforce.VendorRow {
		row := workforce.VendorRow{Name: column(s, 1)}
		s.ColumnBytes(0, row.Vendor[:])
		return row
	})
}

// Teams implements workforce.Store.
func (d *DB) Teams(ctx context.Context) iter.Seq2[workforce.TeamRow, error] {
	return eachRow(ctx, d, "teams", func(s *sqlite.Stmt) workforce.TeamRow {
		row := workforce.TeamRow{Name: column(s, 2)}
		s.ColumnBytes(0, row.Team[:])
		s.ColumnBytes(1, row.Vendor[:])
		return row
	})
}

// Persons implements workforce.Store.
func (d *DB) Persons(ctx context.Context) iter.Seq2[workforce.PersonRow, error] {
	return eachRow(ctx, d, "persons", personRow)
}

func personRow(s *sqlite.Stmt) workforce.PersonRow {
	row := workforce.PersonRow{Name: column(s, 2)}
	s.ColumnBytes(0, row.Person[:])
	s.ColumnBytes(1, row.Vendor[:])
	return row
}

// PutVendor implements workforce.Store.
func (d *DB) PutVendor(t ledger.Tx, row workforce.VendorRow) error {
	return d.putRow(t, "put_vendor", func(s *sqlite.Stmt) {
		s.BindBytes(1, row.Vendor[:])
		s.BindBytes(2, row.Name)
	})
}

// PutTeam implements workforce.Store.
func (d *DB) PutTeam(t ledger.Tx, row workforce.TeamRow) error {
	return d.putRow(t, "put_team", func(s *sqlite.Stmt) {
		s.BindBytes(1, row.Team[:])
		s.BindBytes(2, row.Vendor[:])
		s.BindBytes(3, row.Name)
	})
}

// PutPerson implements workforce.Store.
func (d *DB) PutPerson(t ledger.Tx, row workforce.PersonRow) error {
	return d.putRow(t, "put_person", func(s *sqlite.Stmt) {
		s.BindBytes(1, row.Person[:])
		s.BindBytes(2, row.Vendor[:])
		s.BindBytes(3, row.Name)
	})
}

// PutTicket implements workforce.Store.
func (d *DB) PutTicket(ctx context.Context, row workforce.TicketRow, now purser.Stamp) error {
	return d.write(ctx, func(t *tx) error {
		if err := t.exec("drop_tickets", func(s *sqlite.Stmt) { s.BindInt64(1, int64(now)) }); err != nil {
			return err
		}
		return t.exec("put_ticket", func(s *sqlite.Stmt) {
			s.BindBytes(1, row.Hash[:])
			s.BindBytes(2, row.Person[:])
			s.BindInt64(3, int64(row.Expires))
		})
	})
}

// Ticket implements workforce.Store.
func (d *DB) Ticket(ctx context.Context, hash [32]byte) (workforce.TicketRow, error) {
	return oneRow(ctx, d, "ticket", hash[:], func(s *sqlite.Stmt) workforce.TicketRow {
		row := workforce.TicketRow{Expires: purser.Stamp(s.ColumnInt64(2))}
		s.ColumnBytes(0, row.Hash[:])
		s.ColumnBytes(1, row.Person[:])
		return row
	}, workforce.ErrNotProved)
}

// TakeTicket implements workforce.Store.
func (d *DB) TakeTicket(t ledger.Tx, hash [32]byte) error {
	return d.changeRow(t, "take_ticket", func(s *sqlite.Stmt) { s.BindBytes(1, hash[:]) })
}

// Authenticator implements workforce.Store.
func (d *DB) Authenticator(ctx context.Context, credential [32]byte) (workforce.AuthenticatorRow, error) {
	return oneRow(ctx, d, "authenticator", credential[:], authenticatorRow, workforce.ErrNotProved)
}

// Authenticators implements workforce.Store.
func (d *DB) Authenticators(ctx context.Context, person purser.PersonID) ([]workforce.AuthenticatorRow, error) {
	return listRows(ctx, d, "authenticators", person[:], authenticatorRow)
}

func authenticatorRow(s *sqlite.Stmt) workforce.AuthenticatorRow {
	row := workforce.AuthenticatorRow{SignCount: uint32(s.ColumnInt64(3)), Sealed: column(s, 4)}
	s.ColumnBytes(0, row.Authenticator[:])
	s.ColumnBytes(1, row.Person[:])
	s.ColumnBytes(2, row.Credential[:])
	return row
}

// PutAuthenticator implements workforce.Store.
func (d *DB) PutAuthenticator(t ledger.Tx, row workforce.AuthenticatorRow) error {
	return d.changeRow(t, "put_authenticator", func(s *sqlite.Stmt) {
		s.BindBytes(1, row.Authenticator[:])
		s.BindBytes(2, row.Person[:])
		s.BindBytes(3, row.Credential[:])
		s.BindInt64(4, int64(row.SignCount))
		s.BindBytes(5, row.Sealed)
	})
}

// CountAuthenticator implements workforce.Store.
func (d *DB) CountAuthenticator(t ledger.Tx, id purser.AuthenticatorID, from, to uint32) error {
	return d.changeRow(t, "count_authenticator", func(s *sqlite.Stmt) {
		s.BindBytes(1, id[:])
		s.BindInt64(2, int64(from))
		s.BindInt64(3, int64(to))
	})
}

// Session implements workforce.Store.
func (d *DB) Session(ctx context.Context, token [32]byte) (workforce.SessionRow, error) {
	return oneRow(ctx, d, "session", token[:], sessionRow, workforce.ErrNoSession)
}

// Sessions implements workforce.Store.
func (d *DB) Sessions(ctx context.Context, person purser.PersonID) ([]workforce.SessionRow, error) {
	return listRows(ctx, d, "sessions", person[:], sessionRow)
}

func sessionRow(s *sqlite.Stmt) workforce.SessionRow {
	row := workforce.SessionRow{
		Opened: purser.Stamp(s.ColumnInt64(3)), Expires: purser.Stamp(s.ColumnInt64(4)), Sealed: column(s, 5),
	}
	s.ColumnBytes(0, row.Session[:])
	s.ColumnBytes(1, row.Person[:])
	s.ColumnBytes(2, row.Token[:])
	return row
}

// PutSession implements workforce.Store.
func (d *DB) PutSession(t ledger.Tx, row workforce.SessionRow) error {
	if err := d.putRow(t, "drop_sessions", func(s *sqlite.Stmt) { s.BindInt64(1, int64(row.Opened)) }); err != nil {
		return err
	}
	return d.putRow(t, "put_session", func(s *sqlite.Stmt) {
		s.BindBytes(1, row.Session[:])
		s.BindBytes(2, row.Person[:])
		s.BindBytes(3, row.Token[:])
		s.BindInt64(4, int64(row.Opened))
		s.BindInt64(5, int64(row.Expires))
		s.BindBytes(6, row.Sealed)
	})
}

// DropSession implements workforce.Store.
func (d *DB) DropSession(t ledger.Tx, id purser.SessionID) error {
	return d.putRow(t, "drop_session", func(s *sqlite.Stmt) { s.BindBytes(1, id[:]) })
}

// putRow runs a statement in an entry's transaction.
func (d *DB) putRow(t ledger.Tx, name string, bind func(*sqlite.Stmt)) error {
	own, err := d.inTx(t)
	if err != nil {
		return err
	}
	return own.exec(name, bind)
}

// changeRow is putRow for a statement that must change a row: where it does not,
// somebody else did, and that is workforce.ErrNotProved.
func (d *DB) changeRow(t ledger.Tx, name string, bind func(*sqlite.Stmt)) error {
	own, err := d.inTx(t)
	if err != nil {
		return err
	}
	if err := own.exec(name, bind); err != nil {
		return err
	}
	if own.changes() == 0 {
		return workforce.ErrNotProved
	}
	return nil
}

// oneRow returns the row that the statement yields for a key, or missing.
func oneRow[R any](ctx context.Context, d *DB, name string, key []byte, scan func(*sqlite.Stmt) R, missing error) (R, error) {
	rows, err := listRows(ctx, d, name, key, scan)
	if err == nil && len(rows) == 0 {
		err = missing
	}
	if err != nil {
		var none R
		return none, err
	}
	return rows[0], nil
}

// listRows returns the rows that the statement yields for a key.
func listRows[R any](ctx context.Context, d *DB, name string, key []byte, scan func(*sqlite.Stmt) R) ([]R, error) {
	var rows []R
	err := d.query(ctx, name, func(s *sqlite.Stmt) { s.BindBytes(1, key) }, func(s *sqlite.Stmt) error {
		rows = append(rows, scan(s))
		return nil
	})
	return rows, err
}

// eachRow yields all rows of a statement without parameters.
func eachRow[R any](ctx context.Context, d *DB, name string, scan func(*sqlite.Stmt) R) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		err := d.query(ctx, name, nil, func(s *sqlite.Stmt) error {
			if !yield(scan(s), nil) {
				return errStop
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStop) {
			var none R
			yield(none, err)
		}
	}
}
