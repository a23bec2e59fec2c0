package httpapi

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"purser"
	"purser/internal/edge/web"
	"purser/internal/gate"
)

// Mandates keeps the words of mandates and tells who may read them.
type Mandates interface {
	// Ask asks for a mandate with its words, which are sealed beside the entry.
	// ErrRecipient says that the recipient is no key.
	Ask(ctx context.Context, ask gate.MandateAsk, w MandateWords) (purser.MandateID, error)
	// Mandates lists what is not over and what the asker may read.
	Mandates(ctx context.Context, a gate.Asker) ([]MandateBody, error)
	// Mandate returns one with its words, also one that is over.
	Mandate(ctx context.Context, a gate.Asker, id purser.MandateID) (MandateBody, error)
}

// Conditions of an ask about mandates.
var (
	// ErrRecipient says that a recipient is not a public key of age.
	ErrRecipient = errors.New("not an age recipient")
	// ErrNoDialler says that there is nothing to call a customer with.
	ErrNoDialler = errors.New("no dialler is configured")
)

// MandateWords are what a mandate says in words. The ledger holds commitments to
// them.
type MandateWords struct {
	Recipient string `json:"recipient,omitempty" maxLength:"2000" doc:"the age public key that what leaves is encrypted to"`
	Authority string `json:"authority,omitempty" maxLength:"400" doc:"of a legal order: who ordered it"`
	Reference string `json:"reference,omitempty" maxLength:"400" doc:"and under which reference"`
	Order     string `json:"order,omitempty" maxLength:"16000" doc:"and its words"`
}

// MandateBody is a mandate as it can be read.
type MandateBody struct {
	Mandate   purser.MandateID    `json:"mandate"`
	Kind      string              `json:"kind"`
	State     string              `json:"state" enum:"asked,in_force,ended,expired"`
	By        *purser.PersonID    `json:"by,omitempty"`
	As        string              `json:"as,omitempty"`
	Approver  *purser.PersonID    `json:"approver,omitempty"`
	Approved  *time.Time          `json:"approved,omitempty"`
	To        *purser.PersonID    `json:"to,omitempty" doc:"of case-work and call-back: who has it"`
	Case      *purser.CaseID      `json:"case,omitempty"`
	Everybody bool                `json:"everybody,omitempty" doc:"names every customer there was when it was asked for"`
	Count     int                 `json:"count" doc:"how many customers it names one by one"`
	Customers []purser.CustomerID `json:"customers,omitempty"`
	Opens     []string            `json:"opens" doc:"names of fields"`
	Asked     time.Time           `json:"asked"`
	Expires   time.Time           `json:"expires"`
	Gag       *time.Time          `json:"gag,omitempty" doc:"until when the customers may not be told"`
	Released  uint64              `json:"released" doc:"customers released so far, one who was released twice counted twice"`
	MandateWords
}

type askMandateInput struct {
	Body struct {
		As        string              `json:"as" enum:"privacy,security,admin,investigator"`
		Kind      string              `json:"kind" enum:"notice,subject-access,export,investigation,legal-order"`
		Customers []purser.CustomerID `json:"customers,omitempty" maxItems:"1800"`
		Everybody bool                `json:"everybody,omitempty"`
		Fields    []string            `json:"fields" minItems:"1" maxItems:"32"`
		Purpose   string              `json:"purpose,omitempty" maxLength:"40"`
		Expires   time.Time           `json:"expires"`
		Gag       *time.Time          `json:"gag,omitempty"`
		MandateWords
	}
}

type mandateOutput struct{ Body MandateBody }

type askedMandateOutput struct {
	Body struct {
		Mandate purser.MandateID `json:"mandate" doc:"opens nothing before another person in another role has approved it"`
	}
}

// MandateKind returns the kind of a name, as the API spells it.
func MandateKind(name string) purser.MandateKind {
	return purser.MandateKind(slices.Index(mandateKinds(), name) + 1)
}

// MandateName spells a kind.
func MandateName(k purser.MandateKind) string {
	if names := mandateKinds(); k > 0 && int(k) <= len(names) {
		return names[k-1]
	}
	return ""
}

func mandateKinds() []string {
	return []string{"case-work", "call-back", "notice", "subject-access", "export", "investigation", "legal-order"}
}

func (a *API) askMandate(ctx context.Context, in *askMandateInput) (*askedMandateOutput, error) {
	b := &in.Body
	_, fields, err := a.fields(b.Fields)
	if err != nil {
		return nil, err
	}
	ask := gate.MandateAsk{
		Asker: a.asker(ctx), As: purser.RoleOf(b.As), For: MandateKind(b.Kind), Customers: b.Customers, Everybody: b.Everybody,
		Fields: fields, Expires: purser.StampOf(b.Expires),
	}
	if ask.Purpose, err = a.purpose(b.Purpose); err != nil {
		return nil, err
	}
	if b.Gag != nil {
		ask.Gag = purser.StampOf(*b.Gag)
	}
	id, err := a.c.Mandates.Ask(ctx, ask, b.MandateWords)
	if errors.Is(err, ErrRecipient) {
		return nil, web.BadRequest("recipient", "is not an age public key: want age1…")
	}
	if err != nil {
		return nil, err
	}
	out := new(askedMandateOutput)
	out.Body.Mandate = id
	return out, nil
}

// MandatePath names a mandate in a path. It is exported since the library reads
// embedded structs only then.
type MandatePath struct {
	Mandate purser.MandateID `path:"mandate"`
}

type mandatesOutput struct {
	Body struct {
		Mandates []MandateBody `json:"mandates"`
	}
}

func (a *API) mandates(ctx context.Context, _ *struct{}) (*mandatesOutput, error) {
	list, err := a.c.Mandates.Mandates(ctx, a.asker(ctx))
	if err != nil {
		return nil, err
	}
	out := new(mandatesOutput)
	out.Body.Mandates = append([]MandateBody{}, list...)
	return out, nil
}

func (a *API) mandate(ctx context.Context, in *MandatePath) (*mandateOutput, error) {
	one, err := a.c.Mandates.Mandate(ctx, a.asker(ctx), in.Mandate)
	if err != nil {
		return nil, err
	}
	return &mandateOutput{Body: one}, nil
}

type approveMandateInput struct {
	MandatePath
	Body struct {
		As string `json:"as" enum:"privacy,security,admin"`
	}
}

func (a *API) approveMandate(ctx context.Context, in *approveMandateInput) (*doneOutput, error) {
	_, err := a.c.Gate.ApproveMandate(ctx, a.asker(ctx), in.Mandate, purser.RoleOf(in.Body.As))
	return done(err)
}

func (a *API) endMandate(ctx context.Context, in *MandatePath) (*doneOutput, error) {
	return done(a.c.Gate.EndMandate(ctx, a.asker(ctx), in.Mandate))
}

type discloseMandateInput struct {
	MandatePath
	Body struct {
		Fields  []string `json:"fields" minItems:"1" maxItems:"32" doc:"field names; a masked form is NAME:masked"`
		Purpose string   `json:"purpose,omitempty" maxLength:"40"`
	}
}

func (a *API) discloseMandate(ctx context.Context, in *discloseMandateInput) (*discloseOutput, error) {
	ask := gate.Ask{Asker: a.asker(ctx), Mandate: in.Mandate, Path: purser.PathDesk}
	return a.shows(ctx, ask, in.Body.Fields, in.Body.Purpose)
}

// dial has the customer of a call-back called. Without a dialler nothing is
// recorded and nothing opens.
func (a *API) dial(ctx context.Context, in *MandatePath) (*doneOutput, error) {
	if a.c.Dial == nil {
		return nil, web.Invalid(http.StatusConflict, web.Detail{Where: "dialler", What: ErrNoDialler.Error()})
	}
	return done(a.c.Gate.Dial(ctx, a.asker(ctx), in.Mandate, a.c.Dial))
}
