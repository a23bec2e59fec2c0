// Package change is the one mechanism by which anything is loosened: somebody
// proposes, another human in another role approves, a hold runs in which any
// security person vetoes, and then the proposed entry takes effect.
//
// It owns what counts as a loosening ([Loosens]), what may be proposed about
// whom ([Check]) and the rules of votes, hold, veto and expiry. It does not own
// the state of a change (the fold keeps it) nor the rows beside the entries:
// rows ride with the proposal and take effect only by the status that the fold
// knows. Locks are not lifted by changes, and a tightening needs none: it is
// single and instant. Which of both an ask is, is decided where its one entry
// lands ([Decide]).
//
// Law carried here: L11.
//
// Nobody is silenced by one person: what takes standing from somebody of
// security is a change like a loosening, a lock on him does not stop his veto
// before a second person placed one, and every hold starts anew when somebody
// who may veto was locked or lost his standing.
//
// Start reading at [DecideVote], then [Register.Set].
package change

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"purser"
	"purser/internal/fold"
	"purser/internal/ledger"
)

// The spans of a change, by stamps.
const (
	// Hold runs from the approval; until it has run any security person vetoes.
	Hold = 4 * purser.Hour
	// Life is how long a change may take from proposal to enactment.
	Life = 7 * purser.Day
	// MostOpen is how many changes one person may have open.
	MostOpen = 64
)

// Log is the ledger over the fold.
type Log = ledger.Log[*fold.State]

// Rows writes what stands beside a proposed entry, in its transaction. It is
// called for allowed proposals only, and like the entry has no effect yet.
type Rows func(ledger.Tx, purser.Pos) error

// Notice says that something happened to a change that security may veto.
type Notice struct {
	Change   purser.ChangeID
	What     purser.Kind // ChangeProposed, ChangeVoted or ChangeEnacted
	Security []purser.PersonID
	At       purser.Stamp
}

// Notices tells all security people. It must not block for long and keeps what
// it could not deliver: the entry stands whether or not anybody was told.
type Notices interface {
	Notify(ctx context.Context, n Notice)
}

// Register takes changes from proposal to enactment. Its methods may be called
// by many goroutines.
type Register struct {
	log     *Log
	notices Notices
	random  io.Reader
}

// New returns a register over log. Identifiers of changes are drawn from
// random, which is crypto/rand.Reader outside tests.
func New(log *Log, notices Notices, random io.Reader) *Register {
	return &Register{log: log, notices: notices, random: random}
}

// Vote approves or vetoes a change in one role of the session's person. A veto
// takes the role of security. A refusal is a *purser.Refusal.
func (r *Register) Vote(
	ctx context.Context, session purser.SessionID, id purser.ChangeID, as purser.Role, vote purser.Vote,
) error {
	receipt, err := r.log.Propose(ctx, purser.VendorID{}, func(s *fold.State, at purser.Stamp) purser.Entry {
		return DecideVote(s, Ballot{id, session, as, vote}, at)
	})
	if err := settle("vote on change", receipt, err); err != nil {
		return err
	}
	r.tell(ctx, id, receipt)
	return nil
}

// Enact makes an approved change take effect once its hold has run. While it
// may not, nothing is recorded and the error is a *purser.Refusal that says
// why.
func (r *Register) Enact(ctx context.Context, id purser.ChangeID) error {
	why := purser.Allowed
	receipt, err := r.log.Propose(ctx, purser.VendorID{}, func(s *fold.State, at purser.Stamp) purser.Entry {
		e := DecideEnactment(s, id, at)
		if why = e.Reason; why != purser.Allowed {
			return nil
		}
		return e
	})
	if err := settle("enact change", receipt, err); err != nil {
		return err
	}
	if !receipt.Recorded() {
		return &purser.Refusal{Reason: why, At: receipt.Pos()}
	}
	r.tell(ctx, id, receipt)
	return nil
}

// EnactDue enacts every change whose hold has run and that may still take
// effect, and returns how many did. A job in the server calls it.
func (r *Register) EnactDue(ctx context.Context) (int, error) {
	var due []purser.ChangeID
	err := r.log.Look(ctx, func(s *fold.State, at purser.Stamp) error {
		for _, id := range s.Standing().Changes() {
			if DecideEnactment(s, id, at).Reason == purser.Allowed {
				due = append(due, id)
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("look for due changes: %w", err)
	}
	enacted := 0
	var errs []error
	for _, id := range due {
		err := r.Enact(ctx, id)
		if _, refused := errors.AsType[*purser.Refusal](err); refused {
			continue // vetoed, or its people lost their standing, since we looked
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		enacted++
	}
	return enacted, errors.Join(errs...)
}

// Suspend ends what a person may do, at once, on the word of one session.
func (r *Register) Suspend(ctx context.Context, by purser.SessionID, person purser.PersonID) error {
	_, err := r.directly(ctx, "suspend", func(s *fold.State, at purser.Stamp) purser.Entry {
		return DecideSuspension(s, by, person, at)
	}, nil)
	return err
}

// Direct records inner at once while the bootstrap door is open, or in a
// labelled deployment. Only what stands behind the door calls it: it asks for
// no session.
func (r *Register) Direct(ctx context.Context, inner purser.Entry, rows Rows) (ledger.Receipt, error) {
	return r.directly(ctx, "set up", func(s *fold.State, at purser.Stamp) purser.Entry {
		return DecideDirect(s, inner, at)
	}, rows)
}

func (r *Register) directly(
	ctx context.Context, doing string, decide func(*fold.State, purser.Stamp) purser.Entry, rows Rows,
) (ledger.Receipt, error) {
	receipt, err := r.log.ProposeRows(ctx, purser.VendorID{}, decide, whenAllowed(rows))
	return receipt, settle(doing, receipt, err)
}

// settle turns the end of a proposal into the error its caller gets.
func settle(doing string, receipt ledger.Receipt, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if refusal := receipt.Refusal(); refusal != nil {
		return refusal
	}
	return nil
}

// whenAllowed keeps the rows of a refused proposal from being written.
func whenAllowed(rows Rows) func(ledger.Tx, purser.Pos, purser.Entry) error {
	return func(tx ledger.Tx, pos purser.Pos, e purser.Entry) error {
		d, ok := e.(purser.Decision)
		if rows == nil || (ok && d.Refused() != purser.Allowed) {
			return nil
		}
		return rows(tx, pos)
	}
}

// Remind notifies again of every open change: at a start, since what was told
// before it may not have reached anybody.
func (r *Register) Remind(ctx context.Context) error {
	var all []Notice
	err := r.log.Look(ctx, func(s *fold.State, at purser.Stamp) error {
		for _, id := range s.Standing().Changes() {
			c, _ := s.Standing().Change(id)
			if over(c, at) {
				continue
			}
			n := Notice{Change: id, What: purser.KindChangeProposed, At: c.Proposed}
			if c.Approved != 0 {
				n.What, n.At = purser.KindChangeVoted, c.Approved
			}
			n.Security = slices.Clone(s.Standing().Holders(purser.RoleSecurity))
			all = append(all, n)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("look for open changes: %w", err)
	}
	for _, n := range all {
		r.notices.Notify(ctx, n)
	}
	return nil
}

// tell notifies all security people of what was recorded about a change.
func (r *Register) tell(ctx context.Context, id purser.ChangeID, receipt ledger.Receipt) {
	n := Notice{Change: id, What: receipt.Entry().Kind(), At: receipt.Stamp()}
	err := r.log.Look(ctx, func(s *fold.State, _ purser.Stamp) error {
		n.Security = slices.Clone(s.Standing().Holders(purser.RoleSecurity))
		return nil
	})
	if err == nil {
		r.notices.Notify(ctx, n)
	}
}
