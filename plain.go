package purser

import (
	"fmt"
	"io"
	"log/slog"
)

// sealedText is what an opened value answers to every formatter.
const sealedText = "[sealed]"

// Plain is the opened value of one field. The text sits in a closure, so no
// formatter, encoder, template or reflection-based printer reaches it (L6);
// only [Plain.Reveal] gives it, and a test lists who may call that. The zero
// value reveals the empty string.
type Plain struct{ text func() string }

// NewPlain hides text.
func NewPlain(text string) Plain { return Plain{text: func() string { return text }} }

// Reveal returns the text. Callers are listed by a test.
func (p Plain) Reveal() string {
	if p.text == nil {
		return ""
	}
	return p.text()
}

// Format answers [sealed] for every verb.
func (p Plain) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, sealedText) }

// String answers [sealed].
func (p Plain) String() string { return sealedText }

// LogValue answers [sealed].
func (p Plain) LogValue() slog.Value { return slog.StringValue(sealedText) }

// MarshalText answers [sealed].
func (p Plain) MarshalText() ([]byte, error) { return []byte(sealedText), nil }

// Values are the opened fields of one disclosure, by field bit.
type Values map[Field]Plain
