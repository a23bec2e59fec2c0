package httpapi

import (
	"context"
	"encoding/base64"
	"time"

	"purser"
	"purser/internal/change"
	"purser/internal/edge/web"
)

type changeInput struct {
	Body struct {
		As string `json:"as" enum:"admin,security,privacy"`
		// Exactly one of what follows.
		Source *sourceBody  `json:"source,omitempty" doc:"a new telephony source"`
		Renew  *renewBody   `json:"renew,omitempty" doc:"another secret for a source, which also ends its suspension or its lock"`
		Stop   *stopBody    `json:"stop,omitempty" doc:"suspends a source, at once"`
		Map    *mapBody     `json:"map,omitempty"`
		Budget *budgetBody  `json:"budget,omitempty"`
		Person *standingSet `json:"person,omitempty"`
	}
}

type sourceBody struct {
	Name   string          `json:"name" minLength:"1" maxLength:"80"`
	Vendor purser.VendorID `json:"vendor"`
	Trust  []string        `json:"trust,omitempty" maxItems:"2" enum:"carrier,trunk" doc:"whose word on a caller's number counts"`
}

type renewBody struct {
	Source purser.SourceID `json:"source"`
	Trust  *[]string       `json:"trust,omitempty" maxItems:"2" enum:"carrier,trunk" doc:"none: as it stands"`
}

type stopBody struct {
	Source purser.SourceID `json:"source"`
}

type mapBody struct {
	Source purser.SourceID `json:"source"`
	Agent  string          `json:"agent" minLength:"1" maxLength:"80" doc:"the switch's agent id, never an extension"`
	Person purser.PersonID `json:"person" doc:"empty unmaps"`
}

type budgetBody struct {
	Vendor  purser.VendorID `json:"vendor,omitempty" doc:"none: everybody"`
	Ceiling string          `json:"ceiling" enum:"person_hour,person_day,weak_day,break_glass_day,vendor_share,after_hang_up"`
	Value   uint32          `json:"value"`
}

// standingSet is what a person may do from then on; what is left out stays.
type standingSet struct {
	Person purser.PersonID `json:"person"`
	Status string          `json:"status,omitempty" enum:"active,suspended,gone"`
	Roles  *[]string       `json:"roles,omitempty" minItems:"1" maxItems:"8" enum:"agent,lead,desk,approver,security,privacy,admin,investigator"`
	Team   *purser.TeamID  `json:"team,omitempty"`
}

type changeOutput struct {
	Body struct {
		Change purser.ChangeID  `json:"change,omitempty" doc:"waits for a second person of another role, then four hours"`
		Source *purser.SourceID `json:"source,omitempty"`
		Secret string           `json:"secret,omitempty" doc:"shown once; of no use before the change is enacted"`
		Entry  purser.Pos       `json:"entry,omitempty" doc:"set when it took effect at once, being no loosening"`
	}
}

func (o *changeOutput) secret() bool { return o.Body.Secret != "" }

func trusts(names []string) (t purser.SourceTrust) {
	for _, n := range names {
		switch n {
		case "carrier":
			t |= purser.TrustCarrier
		case "trunk":
			t |= purser.TrustTrunk
		}
	}
	return t
}

// part takes another secret, and with it ends a suspension. Of a source nobody
// knows there is no secret, and nothing to take.
func (b *renewBody) part(made NewSource) change.SourcePart {
	p := change.SourcePart{Source: b.Source, Secret: made.Entry.Secret, Status: made.Entry.Status}
	if b.Trust != nil {
		t := trusts(*b.Trust)
		p.Trust = &t
	}
	return p
}

func (b *mapBody) entry(ctx context.Context, s Sources) (*purser.AgentMapped, error) {
	return s.MapAgent(ctx, b.Source, b.Agent, b.Person)
}

func (b *budgetBody) entry() *purser.Configuration {
	which := map[string]purser.BudgetKind{
		"person_hour": purser.BudgetPersonHour, "person_day": purser.BudgetPersonDay, "weak_day": purser.BudgetWeakDay,
		"break_glass_day": purser.BudgetBreakGlassDay, "vendor_share": purser.BudgetVendorShare,
		"after_hang_up": purser.BudgetAfterHangUp,
	}
	return &purser.Configuration{What: purser.ConfigBudget, Vendor: b.Vendor, Which: which[b.Ceiling], Value: b.Value}
}

func (b *standingSet) part() change.PersonPart {
	p := change.PersonPart{Person: b.Person, Team: b.Team}
	switch b.Status {
	case "active":
		p.Status = purser.StatusActive
	case "suspended":
		p.Status = purser.StatusSuspended
	case "gone":
		p.Status = purser.StatusGone
	}
	if b.Roles != nil {
		roles := rolesOf(*b.Roles)
		p.Roles = &roles
	}
	return p
}

// asked is what a change asks for, and what is told of a source with it.
type asked struct {
	wish change.Wish
	made NewSource
}

func (a *API) asked(ctx context.Context, in *changeInput) (w asked, err error) {
	b := &in.Body
	n := 0
	for _, given := range []bool{b.Source != nil, b.Renew != nil, b.Stop != nil, b.Map != nil, b.Budget != nil, b.Person != nil} {
		if given {
			n++
		}
	}
	if n != 1 {
		return asked{}, web.BadRequest("body", "wants exactly one of source, renew, stop, map, budget and person")
	}
	switch {
	case b.Source != nil:
		w.made, err = a.c.Sources.NewSource(purser.SourceSet{Vendor: b.Source.Vendor, Trust: trusts(b.Source.Trust)}, b.Source.Name)
		w.wish = change.Exactly(w.made.Entry)
	case b.Renew != nil:
		if w.made, err = a.c.Sources.Renew(ctx, b.Renew.Source); err == nil {
			w.wish = b.Renew.part(w.made).Wish
		}
	case b.Stop != nil:
		w.wish = change.SourcePart{Source: b.Stop.Source, Status: purser.StatusSuspended}.Wish
	case b.Map != nil:
		var e *purser.AgentMapped
		e, err = b.Map.entry(ctx, a.c.Sources)
		w.wish = change.Exactly(e)
	case b.Budget != nil:
		w.wish = change.Exactly(b.Budget.entry())
	case b.Person != nil:
		w.wish = b.Person.part().Wish
	}
	return w, err
}

// set takes a wish to change something. What tightens takes effect at once;
// what loosens waits for a second person of another role and a hold.
func (a *API) set(ctx context.Context, in *changeInput) (*changeOutput, error) {
	w, err := a.asked(ctx, in)
	if err != nil {
		return nil, err
	}
	settled, err := a.c.Changes.Set(ctx, web.Session(ctx).Who.Session, purser.RoleOf(in.Body.As), w.wish, w.made.Rows)
	if err != nil {
		return nil, err
	}
	out := new(changeOutput)
	if w.made.Entry != nil {
		out.Body.Source = &w.made.Entry.Source
		out.Body.Secret = base64.StdEncoding.EncodeToString(w.made.Secret)
	}
	if out.Body.Change = settled.Change; settled.Change.Zero() {
		out.Body.Entry = settled.Entry
	}
	return out, nil
}

type voteInput struct {
	Change purser.ChangeID `path:"change"`
	Body   struct {
		As   string `json:"as" enum:"admin,security,privacy"`
		Vote string `json:"vote" enum:"approve,veto"`
	}
}

func (a *API) vote(ctx context.Context, in *voteInput) (*doneOutput, error) {
	vote := purser.VoteApprove
	if in.Body.Vote == "veto" {
		vote = purser.VoteVeto
	}
	return done(a.c.Changes.Vote(ctx, web.Session(ctx).Who.Session, in.Change, purser.RoleOf(in.Body.As), vote))
}

type changePath struct {
	Change purser.ChangeID `path:"change"`
}

type changeBody struct {
	Change     purser.ChangeID  `json:"change"`
	State      string           `json:"state" enum:"proposed,held,due,enacted,vetoed,overtaken,expired"`
	Enacts     string           `json:"enacts" doc:"what it sets, in words; names of persons are at their identifiers"`
	By         purser.PersonID  `json:"by"`
	As         string           `json:"as"`
	Proposed   time.Time        `json:"proposed"`
	Expires    time.Time        `json:"expires" doc:"nothing becomes of it from then on"`
	ApprovedBy *purser.PersonID `json:"approved_by,omitempty"`
	Approved   *time.Time       `json:"approved,omitempty"`
	Due        *time.Time       `json:"due,omitempty" doc:"takes effect then if nobody vetoes; stopping somebody who may veto moves it on"`
}

func (a *API) shown(v change.View) changeBody {
	b := changeBody{
		Change: v.Change, State: v.State(purser.StampOf(a.c.Clock.Now())), Enacts: v.Words, By: v.By.Person, As: v.As.Names()[0],
		Proposed: v.Proposed.Time(), Expires: v.Expires.Time(),
	}
	if v.Approved != 0 {
		approved, due := v.Approved.Time(), v.Due.Time()
		b.ApprovedBy, b.Approved, b.Due = &v.Approver.Person, &approved, &due
	}
	return b
}

type changesOutput struct {
	Body struct {
		Changes []changeBody `json:"changes"`
	}
}

func (a *API) openChanges(ctx context.Context, _ *struct{}) (*changesOutput, error) {
	views, err := a.c.Changes.Open(ctx, web.Session(ctx).Who.Session)
	if err != nil {
		return nil, err
	}
	out := new(changesOutput)
	out.Body.Changes = make([]changeBody, 0, len(views))
	for _, v := range views {
		out.Body.Changes = append(out.Body.Changes, a.shown(v))
	}
	return out, nil
}

type oneChangeOutput struct{ Body changeBody }

func (a *API) oneChange(ctx context.Context, in *changePath) (*oneChangeOutput, error) {
	v, err := a.c.Changes.One(ctx, web.Session(ctx).Who.Session, in.Change)
	if err != nil {
		return nil, err
	}
	return &oneChangeOutput{Body: a.shown(v)}, nil
}
