package httpapi

import (
	"context"
	"time"

	"purser"
	"purser/internal/verification"
)

// writtenBody is one field as the caller wants it.
type writtenBody struct {
	Field       string     `json:"field" maxLength:"40" doc:"a field of the schema that may be written"`
	Value       string     `json:"value" maxLength:"16384" doc:"as the agent heard it; empty drops the field"`
	DeleteAfter *time.Time `json:"delete_after,omitempty" doc:"when the value is to be dropped again, such as an address once the bag is there"`
}

type amendInput struct {
	ContactPath
	Body struct {
		Fields []writtenBody `json:"fields" minItems:"1" maxItems:"10"`
	}
}

// amend answers the same whatever the record held, and whether or not there is
// one by now.
func (a *API) amend(ctx context.Context, in *amendInput) (*answerOutput, error) {
	written := make([]verification.Written, len(in.Body.Fields))
	for i, b := range in.Body.Fields {
		written[i] = verification.Written{Field: b.Field, Text: b.Value}
		if b.DeleteAfter != nil {
			written[i].Until = max(1, purser.StampOf(*b.DeleteAfter)) // the epoch would be no end at all
		}
	}
	if err := a.c.Verification.Amend(ctx, a.asker(ctx), in.Contact, written); err != nil {
		return nil, err
	}
	return answer(answerBody{Answer: "accepted"})
}
