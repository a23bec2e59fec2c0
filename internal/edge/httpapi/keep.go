package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"purser"
	"purser/internal/edge/web"
	"purser/internal/retention"
)

// KeeperRole is the role in which somebody votes.
type KeeperRole struct {
	As string `json:"as" enum:"privacy,security,investigator" doc:"the role in which this is said"`
}

type eraseInput struct {
	Body struct {
		KeeperRole
		Customer purser.CustomerID `json:"customer"`
		Cause    string            `json:"cause" enum:"request,order" doc:"the customer asked, or an authority ordered it"`
	}
}

type erasedBody struct {
	Outcome string       `json:"outcome" enum:"voted,erased,held,unknown" doc:"voted: one more person must; held: a legal hold keeps everything as it is"`
	Receipt *receiptBody `json:"receipt,omitempty"`
}

// receiptBody says what an erasure destroyed. It names nobody who could still
// be found.
type receiptBody struct {
	Reference  string            `json:"reference" doc:"names the ledger entry"`
	Entry      purser.Pos        `json:"entry" doc:"its position"`
	At         time.Time         `json:"at"`
	Customer   purser.CustomerID `json:"customer" doc:"as it was; it names nobody any more"`
	Cause      string            `json:"cause" enum:"request,order,retention"`
	Destroyed  destroyedBody     `json:"destroyed"`
	BackupsEnd time.Time         `json:"backups_end" doc:"from then on no backup that is kept as it must be holds the key"`
	Checkpoint string            `json:"checkpoint,omitempty" doc:"the latest signed checkpoint, once it covers the entry"`
	Text       string            `json:"text" doc:"the same in words"`
}

type destroyedBody struct {
	Keys       int `json:"keys"`
	Indexes    int `json:"indexes"`
	Channels   int `json:"channels"`
	Superseded int `json:"superseded"`
	Salts      int `json:"salts"`
	Texts      int `json:"texts" doc:"of cases and notes"`
}

type erasedOutput struct{ Body erasedBody }

func (a *API) erase(ctx context.Context, in *eraseInput) (*erasedOutput, error) {
	ask := retention.EraseAsk{
		Asker: a.asker(ctx), As: purser.RoleOf(in.Body.As), Cause: purser.EraseRequest, Customer: in.Body.Customer,
	}
	if in.Body.Cause == "order" {
		ask.Cause = purser.EraseOrder
	}
	out := &erasedOutput{Body: erasedBody{Outcome: "voted"}}
	gone, done, err := a.c.Retention.Erase(ctx, ask)
	refusal, refused := errors.AsType[*purser.Refusal](err)
	switch {
	case refused && refusal.Reason == purser.CustomerHeld:
		out.Body.Outcome = "held"
		return out, nil
	case refused && refusal.Reason == purser.Unknown:
		out.Body.Outcome = "unknown"
		return out, nil
	case err != nil:
		return nil, err
	case done:
		out.Body.Outcome = "erased"
		out.Body.Receipt = a.receipt(ctx, gone)
	}
	return out, nil
}

type erasureInput struct {
	Reference string `path:"reference" minLength:"8" maxLength:"8"`
}

type receiptOutput struct{ Body *receiptBody }

func (a *API) erasure(ctx context.Context, in *erasureInput) (*receiptOutput, error) {
	gone, err := a.c.Retention.Erasure(ctx, a.asker(ctx), in.Reference)
	if err != nil {
		return nil, err
	}
	return &receiptOutput{Body: a.receipt(ctx, gone)}, nil
}

// receipt words what was destroyed. The checkpoint is that of the ledger, as
// far as the asker may read it.
func (a *API) receipt(ctx context.Context, e retention.Erasure) *receiptBody {
	gone := e.Destroyed
	r := &receiptBody{
		Reference: a.c.Gate.Reference(e.Pos), Entry: e.Pos, At: e.At.Time(), Customer: e.Customer,
		Cause: causeText(e.Cause), BackupsEnd: e.Until.Time(),
		Destroyed: destroyedBody{gone.Keys, gone.Indexes, gone.Channels, gone.Superseded, gone.Salts, gone.Texts},
	}
	if extent, err := a.c.Verification.Extent(ctx, a.asker(ctx)); err == nil && extent.Covered > e.Pos {
		r.Checkpoint = extent.Checkpoint
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Receipt of erasure %s\n\n", r.Reference)
	fmt.Fprintf(&b, "At %s everything that was held of customer %v was destroyed: ", r.At.UTC().Format(time.RFC3339), r.Customer)
	fmt.Fprintf(&b, "the record with its data key (%d), %d indexes, %d channels, %d replaced values, %d salts, %d texts of cases and notes.\n",
		gone.Keys, gone.Indexes, gone.Channels, gone.Superseded, gone.Salts, gone.Texts)
	fmt.Fprintf(&b, "Until %s a backup may still hold the key, under the key of the deployment; a restore destroys it again before it serves.\n",
		r.BackupsEnd.UTC().Format(time.RFC3339))
	fmt.Fprintf(&b, "The entry of the erasure is number %d of the ledger. Entries name the customer by a number that leads to nothing any more.\n", r.Entry)
	r.Text = b.String()
	return r
}

func causeText(c purser.EraseCause) string {
	switch c {
	case purser.EraseRequest:
		return "request"
	case purser.EraseOrder:
		return "order"
	case purser.EraseRetention:
		return "retention"
	}
	return "request"
}

type holdInput struct {
	Body struct {
		KeeperRole
		Matter    string              `json:"matter" minLength:"1" maxLength:"2048" doc:"what it is about; no personal data"`
		Everybody bool                `json:"everybody,omitempty"`
		Customers []purser.CustomerID `json:"customers,omitempty" maxItems:"1500" uniqueItems:"true"`
		Review    time.Time           `json:"review" doc:"when somebody must look whether it is still needed, at most 400 days ahead"`
	}
}

type holdOutput struct {
	Body struct {
		Hold      purser.HoldID `json:"hold"`
		Reference string        `json:"reference"`
	}
}

func (a *API) placeHold(ctx context.Context, in *holdInput) (*holdOutput, error) {
	ask := retention.HoldAsk{
		Asker: a.asker(ctx), As: purser.RoleOf(in.Body.As), All: in.Body.Everybody, Customers: in.Body.Customers,
		Matter: in.Body.Matter, Review: purser.StampOf(in.Body.Review),
	}
	if ask.All == (len(ask.Customers) > 0) {
		return nil, web.BadRequest("customers", "name some, or everybody, and not both")
	}
	if _, err := io.ReadFull(a.c.Random, ask.Hold[:]); err != nil {
		return nil, fmt.Errorf("draw a hold's id: %w", err)
	}
	at, err := a.c.Retention.PlaceHold(ctx, ask)
	if err != nil {
		return nil, err
	}
	out := new(holdOutput)
	out.Body.Hold, out.Body.Reference = ask.Hold, a.c.Gate.Reference(at)
	return out, nil
}

type liftHoldInput struct {
	Hold purser.HoldID `path:"hold"`
	Body KeeperRole
}

func (a *API) liftHold(ctx context.Context, in *liftHoldInput) (*liftOutput, error) {
	lifted, err := a.c.Retention.LiftHold(ctx, a.asker(ctx), in.Hold, purser.RoleOf(in.Body.As))
	if err != nil {
		return nil, err
	}
	out := new(liftOutput)
	out.Body.Lifted = lifted
	return out, nil
}

type holdBody struct {
	Hold      purser.HoldID `json:"hold"`
	Everybody bool          `json:"everybody"`
	Customers int           `json:"customers" doc:"how many it names"`
	Matter    string        `json:"matter"`
	As        string        `json:"as" doc:"the role in which it was placed"`
	Placed    time.Time     `json:"placed"`
	Review    time.Time     `json:"review"`
	Voted     bool          `json:"voted" doc:"one person wants it lifted"`
}

type holdsOutput struct {
	Body struct {
		Holds []holdBody `json:"holds"`
	}
}

func (a *API) holds(ctx context.Context, _ *struct{}) (*holdsOutput, error) {
	all, err := a.c.Retention.Holds(ctx, a.asker(ctx))
	if err != nil {
		return nil, err
	}
	out := new(holdsOutput)
	out.Body.Holds = make([]holdBody, 0, len(all))
	for _, h := range all {
		out.Body.Holds = append(out.Body.Holds, holdBody{
			Hold: h.Hold, Everybody: h.All, Customers: h.Customers, Matter: h.Matter, As: strings.Join(h.As.Names(), ","),
			Placed: h.Placed.Time(), Review: h.Review.Time(), Voted: h.Voted,
		})
	}
	return out, nil
}
