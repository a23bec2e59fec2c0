package change

import (
	"context"
	"fmt"
	"strings"

	"purser"
	"purser/internal/fold"
)

// View is a change as those see it who may vote on it.
type View struct {
	Change   purser.ChangeID
	By       purser.Actor
	As       purser.Role
	Proposed purser.Stamp
	Expires  purser.Stamp // from here on nothing becomes of it
	Approver purser.Actor // zero until approved
	Approved purser.Stamp
	// Due is when it takes effect if nobody vetoes, as things stand; zero until
	// approved. Whatever stops somebody who may veto moves it on.
	Due     purser.Stamp
	Outcome fold.Outcome // ChangeOpen also when it expired
	Enacts  purser.Entry
	Words   string // what it enacts, for people
}

// Open lists the changes that may still take effect, oldest first, to a live
// session that has one of the roles of the parties. A refusal is a
// *purser.Refusal and is not recorded: nothing was decided, and its reference
// names no refusal.
func (r *Register) Open(ctx context.Context, session purser.SessionID) ([]View, error) {
	var views []View
	err := r.reading(ctx, session, func(s *fold.State, at purser.Stamp) error {
		for _, id := range s.Standing().Changes() {
			c, _ := s.Standing().Change(id)
			if over(c, at) {
				continue
			}
			v, err := viewOf(id, c)
			if err != nil {
				return err
			}
			views = append(views, v)
		}
		return nil
	})
	return views, err
}

// One returns a change of the last thirty days, open or not. An unknown one is
// a refusal with ChangeUnknown.
func (r *Register) One(ctx context.Context, session purser.SessionID, id purser.ChangeID) (v View, err error) {
	err = r.reading(ctx, session, func(s *fold.State, _ purser.Stamp) error {
		c, known := s.Standing().Change(id)
		if !known {
			return &purser.Refusal{Reason: purser.ChangeUnknown}
		}
		v, err = viewOf(id, c)
		return err
	})
	return v, err
}

// reading looks at the state for somebody who may vote on changes.
func (r *Register) reading(ctx context.Context, session purser.SessionID, look func(*fold.State, purser.Stamp) error) error {
	return r.log.Look(ctx, func(s *fold.State, at purser.Stamp) error {
		live, why := s.Standing().Live(session, at)
		if why == purser.Allowed && live.Roles&parties == 0 {
			why = purser.NoRole
		}
		if why != purser.Allowed {
			return &purser.Refusal{Reason: why}
		}
		return look(s, at)
	})
}

func viewOf(id purser.ChangeID, c fold.Change) (View, error) {
	inner, err := purser.Inner(c.Enacts)
	if err != nil {
		return View{}, fmt.Errorf("change %v: %w", id, err)
	}
	v := View{
		Change: id, By: c.By, As: c.As, Proposed: c.Proposed, Expires: c.Proposed + Life,
		Approver: c.Approver, Approved: c.Approved, Outcome: c.Outcome,
		Enacts: inner, Words: Words(inner),
	}
	if c.Approved != 0 {
		v.Due = c.Held + Hold
	}
	return v, nil
}

// State names how far the change has come at a stamp: proposed, held, due,
// enacted, vetoed, overtaken or expired.
func (v View) State(at purser.Stamp) string {
	switch v.Outcome {
	case fold.ChangeEnacted:
		return "enacted"
	case fold.ChangeVetoed:
		return "vetoed"
	case fold.ChangeOvertaken:
		return "overtaken"
	case fold.ChangeOpen:
	}
	switch {
	case at >= v.Expires:
		return "expired"
	case v.Approved == 0:
		return "proposed"
	case at < v.Due:
		return "held"
	}
	return "due"
}

// Words says what an entry sets, for whoever has to approve or veto it.
func Words(e purser.Entry) string {
	switch e := e.(type) {
	case *purser.VendorSet:
		return fmt.Sprintf("Vendor %v becomes %s.", e.Vendor, status(e.Status))
	case *purser.TeamSet:
		return fmt.Sprintf("Team %v of vendor %v becomes %s.", e.Team, e.Vendor, status(e.Status))
	case *purser.PersonSet:
		team := "no team"
		if !e.Team.Zero() {
			team = "team " + e.Team.String()
		}
		return fmt.Sprintf("Person %v becomes %s in %s of vendor %v, with %s.", e.Person, status(e.Status), team, e.Vendor, roleWords(e.Roles))
	case *purser.SourceSet:
		return fmt.Sprintf("Telephony source %v of vendor %v becomes %s; its word on a caller's number counts %s.",
			e.Source, e.Vendor, status(e.Status), trustWords(e.Trust))
	case *purser.AgentMapped:
		if e.Person.Zero() {
			return fmt.Sprintf("An agent of telephony source %v is mapped to nobody.", e.Source)
		}
		return fmt.Sprintf("An agent of telephony source %v is mapped to person %v, who then gets that agent's calls.", e.Source, e.Person)
	case *purser.Configuration:
		return configurationWords(e)
	}
	return "Nothing that a change may enact."
}

func configurationWords(e *purser.Configuration) string {
	switch e.What {
	case purser.ConfigSchema:
		return fmt.Sprintf("The schema of records becomes the one with the SHA-256 %v.", e.Hash)
	case purser.ConfigPolicy:
		return fmt.Sprintf("The policies become those with the SHA-256 %v.", e.Hash)
	case purser.ConfigBudget:
		who := "everybody"
		if !e.Vendor.Zero() {
			who = "vendor " + e.Vendor.String()
		}
		return fmt.Sprintf("For %s: %s.", who, ceiling(e.Which, e.Value))
	}
	return "A configuration that this version does not know."
}

func ceiling(which purser.BudgetKind, value uint32) string {
	switch which {
	case purser.BudgetPersonHour:
		return fmt.Sprintf("at most %d customers a person and hour", value)
	case purser.BudgetPersonDay:
		return fmt.Sprintf("at most %d customers a person and day", value)
	case purser.BudgetWeakDay:
		return fmt.Sprintf("at most %d customers a person and day on a weak verification", value)
	case purser.BudgetBreakGlassDay:
		return fmt.Sprintf("at most %d break-glass openings a day", value)
	case purser.BudgetVendorShare:
		return fmt.Sprintf("records for at most %d percent of the contacts that telephony delivered", value)
	case purser.BudgetAfterHangUp:
		return fmt.Sprintf("fields stay on the screen for %d seconds after the customer hung up", value)
	}
	return fmt.Sprintf("a ceiling that this version does not know becomes %d", value)
}

func status(s purser.Status) string {
	switch s {
	case purser.StatusActive:
		return "active"
	case purser.StatusSuspended:
		return "suspended"
	case purser.StatusGone:
		return "gone for good"
	}
	return "something this version does not know"
}

func roleWords(r purser.Role) string {
	names := r.Names()
	if len(names) == 0 {
		return "no role"
	}
	return "the roles " + strings.Join(names, ", ")
}

func trustWords(t purser.SourceTrust) string {
	switch {
	case t&purser.TrustCarrier != 0 && t&purser.TrustTrunk != 0:
		return "where a carrier or the own trunk attests it"
	case t&purser.TrustCarrier != 0:
		return "where a carrier attests it"
	case t&purser.TrustTrunk != 0:
		return "where the own trunk attests it"
	}
	return "nothing"
}
