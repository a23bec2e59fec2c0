package verification

import (
	"context"
	"errors"

	"purser"
	"purser/internal/gate"
	"purser/internal/record"
)

// Written is one value that a caller wants on his record, as the agent typed
// it. Field is the schema's name; an empty text drops the field.
type Written struct {
	Field string
	Text  string
	// Until is when the value is to be dropped again; zero: when its field says.
	Until purser.Stamp
}

// Amend writes fields of the customer whom the contact binds. Nothing of the
// answer depends on what the record holds. Input that cannot be a value is an
// *ItemError without an entry; one that holds what Purser must not keep is
// refused by an entry, and the *ItemError says what was found where.
func (v *Verification) Amend(ctx context.Context, a gate.Asker, c purser.ContactID, written []Written) error {
	ask := gate.AmendAsk{Asker: a, Contact: c}
	var found *ItemError
	for _, w := range written {
		value, err := v.c.Schema.Value(w.Field, w.Text, v.c.Region)
		if wrong, ok := errors.AsType[*record.ValueError](err); ok {
			return &ItemError{Item: wrong.Field, Problem: wrong.Problem}
		}
		if err != nil {
			return err
		}
		if value.Until = w.Until; w.Until != 0 && w.Until <= v.c.Log.Now() {
			return &ItemError{Item: w.Field, Problem: "is to be dropped in the past"}
		}
		if value.Found != nil && found == nil {
			found = &ItemError{Item: w.Field, Problem: value.Found.Message()}
		}
		ask.Values = append(ask.Values, value)
	}
	_, err := v.c.Gate.Amend(ctx, ask)
	if refusal, ok := errors.AsType[*purser.Refusal](err); ok && refusal.Reason == purser.Forbidden {
		return found
	}
	return err
}
