// Package gate is the only opener of customer fields. It owns the order in
// which an ask is decided: standing, contact, policy, locks, budgets, entry;
// and the acts that open something: disclose, the compare of identify, and
// the release of an address to the delivery of a code.
//
// It does not own the rules themselves (each lives in its own package under
// internal/rule), the values (record and seal keep them), or what was typed
// (package verification reads that). It keeps nothing between asks.
//
// Laws carried here: L1 (every value comes from [seal.Keys.Open] against the
// receipt of an entry that is durable), L3 and L4 (locks and contact are
// looked at in the state at the entry's own position), L5 (who may not tell
// cases apart gets one answer, and the same number of entries, for all).
//
// Start reading at [Gate.Disclose], then [Gate.Identify].
package gate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"purser"
	"purser/internal/fold"
	"purser/internal/ledger"
	"purser/internal/record"
	"purser/internal/rule/contact"
	"purser/internal/rule/policy"
	"purser/internal/seal"
)

// Policies gives the set that a hash of the standing names, or nil.
type Policies interface {
	For(hash purser.Hash) *policy.Set
}

// Config is what a gate works with; everything is needed.
type Config struct {
	Log      *ledger.Log[*fold.State]
	Records  *record.Book
	Keys     *seal.Keys
	Policies Policies
	// Now is the clock of the attempt tags, which change every month. It
	// decides nothing: decisions take the stamp of their entry.
	Now func() purser.Stamp
	// Random draws codes; crypto/rand.Reader outside tests.
	Random io.Reader
}

// Gate decides and opens. It may be used by any number of goroutines.
type Gate struct {
	c      Config
	laws   [purser.MaxField + 1]law // by field bit
	nobody *seal.Dummy
}

// New checks the configuration and reads the schema.
func New(c Config) (*Gate, error) {
	if c.Log == nil || c.Records == nil || c.Keys == nil || c.Policies == nil || c.Now == nil || c.Random == nil {
		return nil, errors.New("gate: part of the configuration is missing")
	}
	nobody, err := newNobody(c.Keys, c.Records.Schema())
	if err != nil {
		return nil, fmt.Errorf("prepare a record for nobody: %w", err)
	}
	return &Gate{c: c, laws: lawsOf(c.Records.Schema()), nobody: nobody}, nil
}

// Asker is the session that asks. Lane is its vendor for the fair queue alone;
// decisions take everything from the standing.
type Asker struct {
	Session purser.SessionID
	Lane    purser.VendorID
}

// Reference returns the code by which an entry is named to people: it tells
// neither how many there are nor which came first.
func (g *Gate) Reference(at purser.Pos) string { return g.c.Keys.Reference(at) }

// Position returns the entry that a reference names; it may be beyond the end.
func (g *Gate) Position(reference string) (purser.Pos, error) { return g.c.Keys.Position(reference) }

// propose records one decision, and returns its refusal if it is one.
func (g *Gate) propose(ctx context.Context, a Asker, what string, decide func(*fold.State, purser.Stamp) purser.Entry) (ledger.Receipt, error) {
	receipt, err := g.c.Log.Propose(ctx, a.Lane, decide)
	if err != nil {
		return receipt, fmt.Errorf("record %s: %w", what, err)
	}
	if refusal := receipt.Refusal(); refusal != nil {
		return receipt, refusal
	}
	return receipt, nil
}

// view is the state at the position where an entry lands. Its steps only read:
// a later one may be worked out although an earlier one refuses ([cmp.Or] keeps
// the first).
type view struct {
	*fold.State
	at purser.Stamp
}

// seated is the first step for whoever works contacts: a live desk session.
// who is filled in as soon as it is known, also for a refusal.
func (v view) seated(a Asker, who *purser.Actor) (fold.Session, purser.Reason) {
	who.Session = a.Session
	session, why := v.Standing().Live(a.Session, v.at)
	if why != purser.Allowed {
		return session, why
	}
	if *who = session.Who; session.Level != purser.LevelDesk {
		return session, purser.NotDesk
	}
	return session, purser.Allowed
}

// desk is the first two steps: a live desk session, then a contact it holds.
func (v view) desk(a Asker, c purser.ContactID, who *purser.Actor) (session fold.Session, hold contact.Hold, why purser.Reason) {
	if session, why = v.seated(a, who); why == purser.Allowed {
		hold, why = v.Contacts().Held(c, a.Session, v.at)
	}
	return session, hold, why
}

// stopped is the step of locks: on whoever asks, on the source of the
// contact, and on whoever the verification came through before.
func (v view) stopped(s *fold.Session, h *contact.Hold, p purser.Path) purser.Reason {
	if why := v.locked(s, p); why != purser.Allowed {
		return why
	}
	if _, covered := v.Locks().Source(h.Source, v.at); covered {
		return purser.Locked
	}
	for _, earlier := range h.Earlier {
		if _, _, covered := v.Locks().Covers(earlier, p, 0, v.at); covered {
			return purser.Locked
		}
	}
	return purser.Allowed
}

// locked reports a lock on a session's actor.
func (v view) locked(s *fold.Session, p purser.Path) purser.Reason {
	_, degree, covered := v.Locks().Covers(s.Who, p, s.SteppedUp, v.at)
	switch {
	case !covered:
		return purser.Allowed
	case degree == purser.DegreeStepUp:
		return purser.NeedStepUp
	}
	return purser.Locked
}

// office is the first step for whoever oversees: a live session of any level
// whose person stepped up a moment ago.
func (v view) office(a Asker, who *purser.Actor) (fold.Session, purser.Reason) {
	who.Session = a.Session
	session, why := v.Standing().Fresh(a.Session, v.at)
	if why == purser.Allowed || why == purser.NeedStepUp {
		*who = session.Who
	}
	return session, why
}

// Works is the steps of whoever works a contact without being shown a field,
// for decisions of package verification: standing, contact, policy, locks. who
// is filled in as soon as it is known.
func (g *Gate) Works(
	s *fold.State, at purser.Stamp, a Asker, c purser.ContactID, action policy.Action, who *purser.Actor,
) (contact.Hold, purser.Reason) {
	v := view{s, at}
	session, hold, why := v.desk(a, c, who)
	return hold, cmp.Or(why, g.may(v, &session, action), v.stopped(&session, &hold, purser.PathDesk))
}

// Claims is the same for whoever is about to claim a contact.
func (g *Gate) Claims(s *fold.State, at purser.Stamp, a Asker, who *purser.Actor) purser.Reason {
	v := view{s, at}
	session, why := v.seated(a, who)
	return cmp.Or(why, g.may(v, &session, policy.Claim), v.locked(&session, purser.PathDesk))
}

// Oversees is the same for whoever oversees a contact of his vendor, which
// takes a step-up of the last five minutes.
func (g *Gate) Oversees(
	s *fold.State, at purser.Stamp, a Asker, action policy.Action, vendor purser.VendorID, who *purser.Actor,
) purser.Reason {
	v := view{s, at}
	session, why := v.office(a, who)
	if why == purser.Allowed && vendor != session.Who.Vendor {
		why = purser.NoContact
	}
	return cmp.Or(why, g.may(v, &session, action), v.locked(&session, purser.PathDesk))
}

// Keeps is the same for whoever erases and holds: a session of any level whose
// person stepped up a moment ago, policy, locks on any path.
func (g *Gate) Keeps(
	s *fold.State, at purser.Stamp, a Asker, action policy.Action, who *purser.Actor,
) (fold.Session, purser.Reason) {
	v := view{s, at}
	session, why := v.office(a, who)
	return session, cmp.Or(why, g.may(v, &session, action), v.locked(&session, purser.PathAll))
}

// Stops reports a lock that keeps a session from working a contact, its own or
// one on whoever the verification came through.
func (g *Gate) Stops(s *fold.State, at purser.Stamp, session fold.Session, hold contact.Hold) purser.Reason {
	return view{s, at}.stopped(&session, &hold, purser.PathDesk)
}

// policies returns the set in force, which may be nil.
func (g *Gate) policies(v view) *policy.Set {
	return g.c.Policies.For(v.Standing().Configuration().Policy)
}

// may asks the policies about an act that shows no field.
func (g *Gate) may(v view, s *fold.Session, action policy.Action) purser.Reason {
	set := g.policies(v)
	if set == nil || !set.Allow(policy.Ask{Action: action, Roles: s.Roles, Vendor: s.Who.Vendor, Path: purser.PathDesk}) {
		return purser.Policy
	}
	return purser.Allowed
}
