package httpapi

import (
	"context"
	"fmt"
	"io"
	"time"

	"purser"
	"purser/internal/edge/web"
	"purser/internal/gate"
)

type topicsOutput struct {
	Body struct {
		Topics []string `json:"topics" doc:"in the order of their numbers"`
	}
}

func (a *API) topics(context.Context, *struct{}) (*topicsOutput, error) {
	out := new(topicsOutput)
	out.Body.Topics = append([]string{}, a.c.Words.Topics()...)
	return out, nil
}

// topic reads the name of a topic; none is 0.
func (a *API) topic(name string) (purser.Topic, error) {
	if name == "" {
		return 0, nil
	}
	topic, ok := a.c.Words.Topic(name)
	if !ok {
		return 0, web.BadRequest("topic", "is not one of the schema's topics")
	}
	return topic, nil
}

// topicName is the other way round.
func (a *API) topicName(t purser.Topic) string {
	names := a.c.Words.Topics()
	if t == 0 || int(t) > len(names) {
		return ""
	}
	return names[t-1]
}

type noteInput struct {
	ContactPath
	Body struct {
		Case purser.CaseID `json:"case,omitempty" doc:"the case it belongs to, if it does"`
		Text string        `json:"text" minLength:"1" maxLength:"4096"`
	}
}

func (a *API) note(ctx context.Context, in *noteInput) (*answerOutput, error) {
	ask := gate.NoteAsk{Asker: a.asker(ctx), Contact: in.Contact, Case: in.Body.Case, Text: in.Body.Text}
	if _, err := a.c.Gate.Note(ctx, ask); err != nil {
		return nil, err
	}
	return answer(answerBody{Answer: "noted"})
}

type wrapUpInput struct {
	ContactPath
	Body struct {
		Topic string `json:"topic" minLength:"1" maxLength:"40" doc:"what the contact came to"`
		Text  string `json:"text,omitempty" maxLength:"4096"`
	}
}

func (a *API) wrapUp(ctx context.Context, in *wrapUpInput) (*answerOutput, error) {
	topic, err := a.topic(in.Body.Topic)
	if err != nil {
		return nil, err
	}
	ask := gate.NoteAsk{Asker: a.asker(ctx), Contact: in.Contact, Topic: topic, Text: in.Body.Text}
	if _, err := a.c.Gate.WrapUp(ctx, ask); err != nil {
		return nil, err
	}
	return answer(answerBody{Answer: "wrapped_up"})
}

type openCaseInput struct {
	ContactPath
	Body struct {
		Topic string `json:"topic" minLength:"1" maxLength:"40"`
		Text  string `json:"text" minLength:"1" maxLength:"4096"`
	}
}

func (a *API) openCase(ctx context.Context, in *openCaseInput) (*answerOutput, error) {
	topic, err := a.topic(in.Body.Topic)
	if err != nil {
		return nil, err
	}
	ask := gate.CaseAsk{Asker: a.asker(ctx), Contact: in.Contact, Topic: topic, Text: in.Body.Text}
	if _, err := io.ReadFull(a.c.Random, ask.Case[:]); err != nil {
		return nil, fmt.Errorf("draw a case's id: %w", err)
	}
	pos, err := a.c.Gate.OpenCase(ctx, ask)
	if err != nil {
		return nil, err
	}
	return answer(answerBody{Answer: "opened", Case: ask.Case, Number: a.c.Gate.Reference(pos)})
}

type bindCaseInput struct {
	ContactPath
	Body struct {
		Number string `json:"number" minLength:"8" maxLength:"16" doc:"of the case, as the caller was given it"`
	}
}

func (a *API) bindCase(ctx context.Context, in *bindCaseInput) (*answerOutput, error) {
	id, err := a.c.Gate.BindCase(ctx, a.asker(ctx), in.Contact, in.Body.Number)
	if err != nil {
		return nil, err
	}
	return answer(answerBody{Answer: "bound", Case: id})
}

type moveCaseInput struct {
	ContactPath
	Case purser.CaseID `path:"case" doc:"cas_ and 26 characters"`
	Body struct {
		State string `json:"state" enum:"open,waiting,solved"`
		Topic string `json:"topic,omitempty" maxLength:"40" doc:"none: as it is"`
	}
}

func (a *API) moveCase(ctx context.Context, in *moveCaseInput) (*answerOutput, error) {
	topic, err := a.topic(in.Body.Topic)
	if err != nil {
		return nil, err
	}
	ask := gate.MoveAsk{Asker: a.asker(ctx), Contact: in.Contact, Case: in.Case, State: purser.CaseOpen, Topic: topic}
	switch in.Body.State {
	case "waiting":
		ask.State = purser.CaseWaiting
	case "solved":
		ask.State = purser.CaseSolved
	}
	if _, err := a.c.Gate.MoveCase(ctx, ask); err != nil {
		return nil, err
	}
	return answer(answerBody{Answer: "moved"})
}

func stateText(s purser.CaseState) string {
	switch s {
	case purser.CaseOpen:
		return "open"
	case purser.CaseWaiting:
		return "waiting"
	case purser.CaseSolved:
		return "solved"
	}
	return ""
}

// timelineBody is the same under a contact and under a mandate.
type timelineBody struct {
	Before  string `json:"before,omitempty" maxLength:"16" doc:"an item's reference: what was written before it; none: the newest"`
	Purpose string `json:"purpose,omitempty" maxLength:"40"`
}

type timelineInput struct {
	ContactPath
	Body timelineBody
}

type mandateTimelineInput struct {
	MandatePath
	Body timelineBody
}

type itemOfTimeline struct {
	Reference string        `json:"reference" doc:"names the entry that it was written with"`
	Kind      string        `json:"kind" enum:"case,note"`
	Written   time.Time     `json:"written"`
	Case      purser.CaseID `json:"case,omitempty"`
	State     string        `json:"state,omitempty" enum:"open,waiting,solved" doc:"of the case, now"`
	Topic     string        `json:"topic,omitempty"`
	Text      string        `json:"text"`
}

type timelineOutput struct {
	Body struct {
		Items       []itemOfTimeline `json:"items" doc:"the newest first; nothing there and nothing allowed are alike"`
		More        bool             `json:"more" doc:"older ones are left"`
		Reference   string           `json:"reference" doc:"names the ledger entry to a lead or security"`
		AfterHangUp uint32           `json:"after_hang_up_seconds" doc:"how long the texts may stay on the screen once the customer is gone"`
	}
}

func (a *API) timeline(ctx context.Context, in *timelineInput) (*timelineOutput, error) {
	return a.page(ctx, gate.TimelineAsk{Asker: a.asker(ctx), Contact: in.Contact}, in.Body)
}

func (a *API) mandateTimeline(ctx context.Context, in *mandateTimelineInput) (*timelineOutput, error) {
	return a.page(ctx, gate.TimelineAsk{Asker: a.asker(ctx), Mandate: in.Mandate}, in.Body)
}

func (a *API) page(ctx context.Context, ask gate.TimelineAsk, in timelineBody) (*timelineOutput, error) {
	var err error
	if ask.Purpose, err = a.purpose(in.Purpose); err != nil {
		return nil, err
	}
	if in.Before != "" {
		if ask.Before, err = a.c.Gate.Position(in.Before); err != nil {
			return nil, web.BadRequest("before", "is not the reference of an item")
		}
	}
	got, err := a.c.Gate.Timeline(ctx, ask)
	if err != nil {
		return nil, err
	}
	out := new(timelineOutput)
	out.Body.Items = make([]itemOfTimeline, 0, len(got.Items))
	out.Body.More, out.Body.Reference, out.Body.AfterHangUp = got.More, a.c.Gate.Reference(got.Pos), got.AfterHangUp
	for _, item := range got.Items {
		kind := "note"
		if item.Opened() {
			kind = "case"
		}
		out.Body.Items = append(out.Body.Items, itemOfTimeline{
			Reference: a.c.Gate.Reference(item.Pos), Kind: kind, Written: item.Written.Time(), Case: item.Case,
			State: stateText(item.State), Topic: a.topicName(item.Topic), Text: item.Plain.Reveal(),
		})
	}
	return out, nil
}

// mostFindings is how many places of a text are told at once: more would not
// fit the length that every refusal has.
const mostFindings = 2

// forbidden is the refusal of a text, with class and place of what must not be
// kept, and never the value.
func (a *API) forbidden(ctx context.Context, e *gate.ForbiddenText) error {
	p := a.c.Web.ProblemOf(ctx, e.Refusal)
	for _, f := range e.Found[:min(len(e.Found), mostFindings)] {
		p.Errors = append(p.Errors, web.Detail{Where: "body.text", What: f.Message()})
	}
	var err error
	if p.Pad, err = web.PadTo(p, len(p.Pad)); err != nil {
		return a.c.Web.ProblemOf(ctx, err)
	}
	return p
}
