package httpapi

import (
	"context"
	"time"

	"purser"
	"purser/internal/edge/web"
	"purser/internal/gate"
)

type lockInput struct {
	Body struct {
		Target  string     `json:"target" maxLength:"40" doc:"a session, person, team, vendor or source by its identifier, or all"`
		Degree  string     `json:"degree,omitempty" enum:"lock,step_up" doc:"default lock"`
		Expires *time.Time `json:"expires,omitempty" doc:"none: until two people lift it"`
	}
}

type lockOutput struct {
	Body struct {
		Lock      purser.LockID `json:"lock"`
		Reference string        `json:"reference,omitempty" doc:"names the ledger entry, after which nothing of the target is disclosed"`
		Entry     purser.Pos    `json:"entry,omitempty" doc:"its position, for whoever may read /v1/ledger"`
	}
}

func (a *API) placeLock(ctx context.Context, in *lockInput) (*lockOutput, error) {
	target, err := purser.ParseTarget(in.Body.Target)
	if err != nil {
		return nil, web.BadRequest("target", "is not an identifier of somebody who can be locked, nor all")
	}
	id, err := a.newLock()
	if err != nil {
		return nil, err
	}
	ask := gate.LockAsk{Asker: a.asker(ctx), Lock: id, Target: target, Degree: purser.DegreeLock, Paths: purser.PathAll}
	if in.Body.Degree == "step_up" {
		ask.Degree = purser.DegreeStepUp
	}
	if in.Body.Expires != nil {
		if !in.Body.Expires.After(a.c.Clock.Now()) { // the epoch's stamp would be a lock without end
			return nil, web.BadRequest("expires", "is not in the future")
		}
		ask.Expires = purser.StampOf(*in.Body.Expires)
	}
	out := new(lockOutput)
	out.Body.Lock = id
	at, err := a.c.Gate.PlaceLock(ctx, ask)
	if err != nil {
		return nil, err
	}
	out.Body.Reference = a.c.Gate.Reference(at)
	if _, err := a.c.Verification.Extent(ctx, ask.Asker); err == nil { // anybody may lock himself
		out.Body.Entry = at
	}
	return out, nil
}

type liftInput struct {
	Lock purser.LockID `path:"lock"`
	Body struct {
		Why string `json:"why" enum:"mistake,over" doc:"the lock was a mistake, or what it was placed for is over"`
	}
}

type liftOutput struct {
	Body struct {
		Lifted bool `json:"lifted" doc:"false: one more person must lift it"`
	}
}

func (a *API) liftLock(ctx context.Context, in *liftInput) (*liftOutput, error) {
	why := purser.CauseCleared
	if in.Body.Why == "mistake" {
		why = purser.CauseMistake
	}
	lifted, err := a.c.Gate.LiftLock(ctx, a.asker(ctx), in.Lock, why)
	if err != nil {
		return nil, err
	}
	out := new(liftOutput)
	out.Body.Lifted = lifted
	return out, nil
}

type ledgerOutput struct {
	Body struct {
		Entries    purser.Pos `json:"entries" doc:"how many the ledger has"`
		Covered    purser.Pos `json:"covered" doc:"how many of them the latest checkpoint covers"`
		Checkpoint string     `json:"checkpoint,omitempty" doc:"that checkpoint, a signed note"`
	}
}

func (a *API) ledger(ctx context.Context, _ *struct{}) (*ledgerOutput, error) {
	extent, err := a.c.Verification.Extent(ctx, a.asker(ctx))
	if err != nil {
		return nil, err
	}
	out := new(ledgerOutput)
	out.Body.Entries, out.Body.Covered, out.Body.Checkpoint = extent.Size, extent.Covered, extent.Checkpoint
	return out, nil
}

type reasonInput struct {
	Reference string `path:"reference" minLength:"8" maxLength:"8"`
}

type reasonOutput struct {
	Body struct {
		Kind   purser.Kind   `json:"kind" doc:"number of the entry's kind, docs/formats/entry.md"`
		Reason purser.Reason `json:"reason" doc:"number of the reason"`
		Text   string        `json:"text" doc:"the reason in words"`
		At     time.Time     `json:"at"`
	}
}

func (a *API) reason(ctx context.Context, in *reasonInput) (*reasonOutput, error) {
	why, err := a.c.Verification.Reason(ctx, a.asker(ctx), in.Reference)
	if err != nil {
		return nil, err
	}
	out := new(reasonOutput)
	out.Body.Kind, out.Body.Reason, out.Body.Text, out.Body.At = why.Kind, why.Reason, why.Reason.String(), why.Stamp.Time()
	return out, nil
}
