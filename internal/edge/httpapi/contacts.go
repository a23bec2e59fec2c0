package httpapi

import (
	"context"

	"purser"
	"purser/internal/edge/web"
	"purser/internal/gate"
	"purser/internal/rule/contact"
	"purser/internal/verification"
)

// ContactPath is the path parameter of everything done in a contact.
type ContactPath struct {
	Contact purser.ContactID `path:"contact" doc:"con_ and 26 characters"`
}

type workBody struct {
	Contact   purser.ContactID    `json:"contact"`
	Phase     string              `json:"phase" enum:"offered,connected,held,wrap_up,closed"`
	Claimed   bool                `json:"claimed" doc:"by this session"`
	Stale     bool                `json:"stale" doc:"nothing new opens until its source is heard again"`
	Outbound  bool                `json:"outbound" doc:"nothing opens until the customer keys a code"`
	Bound     bool                `json:"bound"`
	Customer  purser.CustomerID   `json:"customer,omitempty"`
	Assurance string              `json:"assurance" enum:"A0,A1,A2,A3"`
	Emergency bool                `json:"emergency"`
	TriesLeft int                 `json:"tries_left"`
	SendsLeft int                 `json:"sends_left"`
	Linked    []purser.CustomerID `json:"linked"`
}

type workOutput struct {
	Body struct {
		Contacts []workBody `json:"contacts"`
	}
}

func (a *API) listContacts(ctx context.Context, _ *struct{}) (*workOutput, error) {
	work, err := a.c.Verification.Work(ctx, web.Session(ctx).Who.Session)
	if err != nil {
		return nil, err
	}
	out := new(workOutput)
	out.Body.Contacts = make([]workBody, 0, len(work))
	for _, w := range work {
		out.Body.Contacts = append(out.Body.Contacts, workBody{
			Contact: w.Contact, Phase: phaseText(w.Phase), Claimed: w.Claimed, Stale: w.Stale, Outbound: w.Outbound,
			Bound: w.Bound, Customer: w.Customer, Assurance: assuranceText(w.Assurance), Emergency: w.Emergency,
			TriesLeft: w.Tries, SendsLeft: w.Sends, Linked: append([]purser.CustomerID{}, w.Linked...),
		})
	}
	return out, nil
}

func phaseText(p contact.Phase) string {
	switch p {
	case contact.PhaseOffered:
		return "offered"
	case contact.PhaseConnected:
		return "connected"
	case contact.PhaseHeld:
		return "held"
	case contact.PhaseWrapUp:
		return "wrap_up"
	case contact.PhaseClosed:
		return "closed"
	}
	return "closed"
}

func assuranceText(a purser.Assurance) string {
	return [...]string{"A0", "A1", "A2", "A3"}[a&3]
}

// answerBody is what an act on a contact answers. Its length is the same for
// every answer (L5); pad makes it so.
type answerBody struct {
	Answer    string            `json:"answer" doc:"what came of it"`
	Assurance string            `json:"assurance,omitempty"`
	Customer  purser.CustomerID `json:"customer,omitempty"`
	Case      purser.CaseID     `json:"case,omitempty"`
	Number    string            `json:"number,omitempty" doc:"of the case, for the caller"`
	Pad       string            `json:"pad"`
}

type answerOutput struct{ Body answerBody }

func answer(b answerBody) (*answerOutput, error) {
	pad, err := web.PadTo(b, len(b.Pad))
	if err != nil {
		return nil, err
	}
	b.Pad = pad
	return &answerOutput{Body: b}, nil
}

func (a *API) claim(ctx context.Context, in *ContactPath) (*answerOutput, error) {
	if err := a.c.Verification.Claim(ctx, a.asker(ctx), in.Contact); err != nil {
		return nil, err
	}
	return answer(answerBody{Answer: "claimed"})
}

// itemBody is one thing the caller said.
type itemBody struct {
	Kind string `json:"kind" maxLength:"40" doc:"a field of the schema that may be said, such as loyalty_number"`
	Said string `json:"said" maxLength:"1024" doc:"as the agent heard it"`
}

func said(list []itemBody) []verification.Said {
	out := make([]verification.Said, len(list))
	for i, b := range list {
		out[i] = verification.Said{Item: b.Kind, Text: b.Said}
	}
	return out
}

type identifyInput struct {
	ContactPath
	Body struct {
		Items []itemBody `json:"items" minItems:"1" maxItems:"7"`
	}
}

func (a *API) identify(ctx context.Context, in *identifyInput) (*answerOutput, error) {
	return enough(a.c.Verification.Identify(ctx, a.asker(ctx), in.Contact, said(in.Body.Items)))
}

func (a *API) link(ctx context.Context, in *identifyInput) (*answerOutput, error) {
	return enough(a.c.Verification.Link(ctx, a.asker(ctx), in.Contact, said(in.Body.Items)))
}

func enough(found gate.Identified, err error) (*answerOutput, error) {
	if err != nil {
		return nil, err
	}
	return answer(answerBody{Answer: "enough", Assurance: assuranceText(found.Assurance), Customer: found.Customer})
}

type codeInput struct {
	ContactPath
	Body struct {
		Items []itemBody `json:"items,omitempty" maxItems:"7" doc:"finds the customer; none: the one who is bound"`
	}
}

func (a *API) sendCode(ctx context.Context, in *codeInput) (*answerOutput, error) {
	if err := a.c.Verification.SendCode(ctx, a.asker(ctx), in.Contact, said(in.Body.Items)); err != nil {
		return nil, err
	}
	// The same whether or not there was anybody to send it to.
	return answer(answerBody{Answer: "sent_if_possible"})
}

type tryInput struct {
	ContactPath
	Body struct {
		Digits string `json:"digits" minLength:"6" maxLength:"6" doc:"what the caller read out"`
	}
}

func (a *API) tryCode(ctx context.Context, in *tryInput) (*answerOutput, error) {
	assurance, err := a.c.Verification.TryCode(ctx, a.asker(ctx), in.Contact, in.Body.Digits)
	if err != nil {
		return nil, err
	}
	return answer(answerBody{Answer: "enough", Assurance: assuranceText(assurance)})
}

type breakGlassInput struct {
	ContactPath
	Body struct {
		Items     []itemBody `json:"items" minItems:"1" maxItems:"7"`
		Emergency string     `json:"emergency" enum:"safety,travel_now,no_other_way"`
	}
}

func (a *API) breakGlass(ctx context.Context, in *breakGlassInput) (*answerOutput, error) {
	why := purser.EmergencyNoOtherWay
	switch in.Body.Emergency {
	case "safety":
		why = purser.EmergencySafety
	case "travel_now":
		why = purser.EmergencyTravelNow
	}
	if err := a.c.Verification.BreakGlass(ctx, a.asker(ctx), in.Contact, said(in.Body.Items), why); err != nil {
		return nil, err
	}
	return answer(answerBody{Answer: "asked"}) // also when there is nobody to open
}

func (a *API) approveBreakGlass(ctx context.Context, in *ContactPath) (*answerOutput, error) {
	if err := a.c.Verification.ApproveBreakGlass(ctx, a.asker(ctx), in.Contact); err != nil {
		return nil, err
	}
	return answer(answerBody{Answer: "approved"})
}

func (a *API) undo(ctx context.Context, in *ContactPath) (*answerOutput, error) {
	if err := a.c.Verification.Undo(ctx, a.asker(ctx), in.Contact); err != nil {
		return nil, err
	}
	return answer(answerBody{Answer: "undone"})
}

type discloseInput struct {
	ContactPath
	Body struct {
		Customer purser.CustomerID `json:"customer,omitempty" doc:"a linked customer; none: the bound one"`
		Fields   []string          `json:"fields" minItems:"1" maxItems:"32" doc:"field names; a masked form is NAME:masked"`
		Purpose  string            `json:"purpose,omitempty" maxLength:"40"`
	}
}

type discloseOutput struct {
	Body struct {
		Fields       map[string]string `json:"fields" doc:"what may be shown"`
		NotAvailable []string          `json:"not_available" doc:"not allowed or not there: nobody tells which"`
		Reference    string            `json:"reference" doc:"names the ledger entry to a lead or security"`
		AfterHangUp  uint32            `json:"after_hang_up_seconds" doc:"how long the fields may stay on the screen once the customer is gone"`
	}
}

func (a *API) disclose(ctx context.Context, in *discloseInput) (*discloseOutput, error) {
	ask := gate.Ask{Asker: a.asker(ctx), Contact: in.Contact, Customer: in.Body.Customer, Path: purser.PathDesk}
	return a.shows(ctx, ask, in.Body.Fields, in.Body.Purpose)
}

// fields reads names of fields.
func (a *API) fields(names []string) (map[purser.Field]string, purser.FieldMask, error) {
	named, mask := make(map[purser.Field]string, len(names)), purser.FieldMask(0)
	for _, name := range names {
		bit, ok := a.c.Words.Bit(name)
		if !ok {
			return nil, 0, web.BadRequest("fields", "names a field that the schema does not have")
		}
		named[bit] = name
		mask |= purser.Mask(bit)
	}
	return named, mask, nil
}

// purpose reads the name of a purpose; none is the contact itself.
func (a *API) purpose(name string) (purser.Purpose, error) {
	if name == "" {
		return 0, nil
	}
	purpose, ok := a.c.Words.Purpose(name)
	if !ok {
		return 0, web.BadRequest("purpose", "is not one of the schema's purposes")
	}
	return purpose, nil
}

// shows asks the gate and says of each named field its value, or that it is
// not available.
func (a *API) shows(ctx context.Context, ask gate.Ask, names []string, purpose string) (*discloseOutput, error) {
	named, mask, err := a.fields(names)
	if err != nil {
		return nil, err
	}
	if ask.Purpose, err = a.purpose(purpose); err != nil {
		return nil, err
	}
	ask.Fields = mask
	got, err := a.c.Gate.Disclose(ctx, ask)
	if err != nil {
		return nil, err
	}
	out := new(discloseOutput)
	out.Body.Fields = make(map[string]string, len(got.Values))
	out.Body.NotAvailable = []string{}
	out.Body.Reference, out.Body.AfterHangUp = a.c.Gate.Reference(got.Pos), got.AfterHangUp
	for bit, name := range named {
		if value, ok := got.Values[bit]; ok {
			out.Body.Fields[name] = value.Reveal()
		} else {
			out.Body.NotAvailable = append(out.Body.NotAvailable, name)
		}
	}
	return out, nil
}
