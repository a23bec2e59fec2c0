package record

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"purser"
	"purser/internal/seal"
)

// Bounds of a schema.
const (
	maxSchema   = 64 << 10
	maxFields   = int(purser.MaxField) + 1
	maxItems    = 16
	maxPurposes = 63
	maxTopics   = 63
	// defaultLongest is the longest value of a field in bytes, unless the
	// schema says otherwise.
	defaultLongest = 256
)

//go:embed schema/airline.yaml
var airline []byte

// Class groups fields for policies. The numbers are those of package policy.
type Class uint8

// The classes.
const (
	Identity Class = 1 + iota
	Channel
	Place
	Loyalty
	Preference
	Service
)

// Rule says what may become of a field.
type Rule uint8

// The rules.
const (
	// Disclose lets it be shown, and masked if the field has a mask.
	Disclose Rule = 1 + iota
	// MatchOnly lets it be compared with what a caller says, and never shown.
	MatchOnly
)

// Form is the normal form of a field.
type Form uint8

// The forms.
const (
	Text Form = 1 + iota // none: shown as it came
	Name
	Email
	Phone
	BirthDate
	Postcode
	LoyaltyNumber
	BookingReference
)

// Find says how records are found by a field.
type Find uint8

// The ways of finding.
const (
	NotFound  Find = iota // not by this field
	Exact                 // by its one normal form
	ExactMany             // by any of its normal forms
)

// Kind numbers the kinds of items that a caller may say; it is the item's bit
// in an attempt entry.
type Kind uint8

// Mask is the cut-down form of a field.
type Mask struct {
	Bit   purser.Field
	How   seal.MaskKind
	Needs purser.Assurance
}

// Field is one attribute of the service record.
type Field struct {
	Name    string
	Columns []string // of an import; several are joined by a space
	Bit     purser.Field
	Class   Class
	Rule    Rule
	Needs   purser.Assurance // to show it in full; A0 for match-only
	Mask    Mask             // How is zero if it has none
	Form    Form
	Find    Find
	Unique  bool // no two customers share a value
	Links   bool // customers that share a value belong to one booking
	IsItem  bool // a caller may be asked for it
	Item    Kind
	Printed bool // on a boarding pass
	Channel bool // codes and notices may be sent to it
	Longest int  // bytes of a value
	// Texts is the kind of texts of the timeline that are disclosed under the
	// field's bit, beside the value that an import brought; zero for none.
	Texts seal.TextKind
	// Amend is what a contact must be worth for the field to be written in it;
	// A0: nobody writes it but imports.
	Amend purser.Assurance
	// Keep is how long a value is kept after it was written last; zero: as long
	// as the customer.
	Keep purser.Stamp
}

// Schema says which fields a record has and what may become of each. It is not
// changed after parsing and may be used by any number of goroutines.
type Schema struct {
	name     string
	hash     purser.Hash
	fields   []Field // ascending by bit
	purposes []string
	topics   []string
	masks    seal.Masks
	masked   map[purser.Field]int // index into fields by masked bit
	full     map[purser.Field]int // and by full bit
}

// Problem is one thing wrong with a schema.
type Problem struct{ Key, Found, WayOut string }

// Error names key, problem and way out.
func (p Problem) Error() string { return p.Key + ": " + p.Found + "; " + p.WayOut }

// DefaultText returns the schema that Purser brings along, as a file.
func DefaultText() []byte { return bytes.Clone(airline) }

// Default returns the schema that Purser brings along.
func Default() (*Schema, error) { return Parse(airline) }

// Parse reads a schema file. All problems are reported together, each one a
// Problem.
func Parse(text []byte) (*Schema, error) {
	if len(text) > maxSchema {
		return nil, Problem{"file", "is too large", fmt.Sprintf("keep it under %d bytes", maxSchema)}
	}
	var f file
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&f); err != nil {
		return nil, Problem{"file", "is no schema that Purser knows" + places(err), "compare it with docs/formats/schema.md"}
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, Problem{"file", "holds more than one document", "keep one schema in a file"}
	}
	s, err := f.schema()
	if err != nil {
		return nil, err
	}
	s.hash = sha256.Sum256(text)
	return s, nil
}

// places keeps the lines of a YAML error, which may quote what should not be
// repeated.
func places(err error) string {
	var typed *yaml.TypeError
	if !errors.As(err, &typed) {
		return ""
	}
	var lines []string
	for _, e := range typed.Errors {
		line, _, _ := strings.Cut(e, ":")
		lines = append(lines, line)
	}
	return " (" + strings.Join(lines, ", ") + ")"
}

// Name returns the schema's name.
func (s *Schema) Name() string { return s.name }

// Hash is that of the file's bytes, as configuration entries hold it.
func (s *Schema) Hash() purser.Hash { return s.hash }

// Fields returns the fields in the order of their bits. The caller does not
// change them.
func (s *Schema) Fields() []Field { return s.fields }

// Field returns the field of that name.
func (s *Schema) Field(name string) (Field, bool) {
	i := slices.IndexFunc(s.fields, func(f Field) bool { return f.Name == name })
	if i < 0 {
		return Field{}, false
	}
	return s.fields[i], true
}

// Bit is what one bit of a field mask stands for.
type Bit struct {
	Field  Field
	Masked bool
	Needs  purser.Assurance
}

// Disclosable reports whether the bit may be shown to anybody at all.
func (b Bit) Disclosable() bool { return b.Field.Rule == Disclose }

// Bit returns what a bit stands for.
func (s *Schema) Bit(b purser.Field) (Bit, bool) {
	if i, ok := s.full[b]; ok {
		return Bit{Field: s.fields[i], Needs: s.fields[i].Needs}, true
	}
	if i, ok := s.masked[b]; ok {
		return Bit{Field: s.fields[i], Masked: true, Needs: s.fields[i].Mask.Needs}, true
	}
	return Bit{}, false
}

// Disclosable returns every bit that may be shown to anybody at all.
func (s *Schema) Disclosable() purser.FieldMask {
	var m purser.FieldMask
	for _, f := range s.fields {
		if f.Rule == Disclose {
			m |= purser.Mask(f.Bit)
			if f.Mask.How != 0 {
				m |= purser.Mask(f.Mask.Bit)
			}
		}
	}
	return m
}

// Channels returns the bits of the addresses that codes may be sent to.
func (s *Schema) Channels() purser.FieldMask {
	return s.having(func(f Field) bool { return f.Channel })
}

// Amendable returns the bits of the fields that somebody may write.
func (s *Schema) Amendable() purser.FieldMask {
	return s.having(func(f Field) bool { return f.Amend > purser.A0 })
}

func (s *Schema) having(is func(Field) bool) purser.FieldMask {
	var m purser.FieldMask
	for _, f := range s.fields {
		if is(f) {
			m |= purser.Mask(f.Bit)
		}
	}
	return m
}

// Purpose returns the number of a purpose.
func (s *Schema) Purpose(name string) (purser.Purpose, bool) {
	i := slices.Index(s.purposes, name)
	return purser.Purpose(i + 1), i >= 0
}

// Purposes returns the names of the purposes; the first has number 1.
func (s *Schema) Purposes() []string { return s.purposes }

// Topic returns the number of a topic.
func (s *Schema) Topic(name string) (purser.Topic, bool) {
	i := slices.Index(s.topics, name)
	return purser.Topic(i + 1), i >= 0
}

// Topics returns the names of the topics; the first has number 1.
func (s *Schema) Topics() []string { return s.topics }

// Texts returns the bits under which texts of cases and notes are disclosed.
func (s *Schema) Texts() seal.TextBits {
	return seal.TextBits{
		Case: s.having(func(f Field) bool { return f.Texts == seal.CaseText }),
		Note: s.having(func(f Field) bool { return f.Texts == seal.NoteText }),
	}
}

// Masks returns how masked bits are made, for the opening of records.
func (s *Schema) Masks() *seal.Masks { return &s.masks }

// Item returns the field that a kind of item stands for.
func (s *Schema) Item(k Kind) (Field, bool) {
	i := slices.IndexFunc(s.fields, func(f Field) bool { return f.IsItem && f.Item == k })
	if i < 0 {
		return Field{}, false
	}
	return s.fields[i], true
}

// Enough reports whether items of these kinds may identify a customer if all
// are right: at least two, and not only what a boarding pass shows. It answers
// Allowed, TooFewItems or OnlyPrinted.
func (s *Schema) Enough(kinds []Kind) purser.Reason {
	said, unprinted := uint16(0), false
	count := 0
	for _, k := range kinds {
		f, ok := s.Item(k)
		if !ok || said&(1<<k) != 0 {
			continue
		}
		said |= 1 << k
		count++
		unprinted = unprinted || !f.Printed
	}
	switch {
	case count < 2:
		return purser.TooFewItems
	case !unprinted:
		return purser.OnlyPrinted
	}
	return purser.Allowed
}

// Compared returns the bits that a compare of items of these kinds opens.
func (s *Schema) Compared(kinds []Kind) purser.FieldMask {
	var m purser.FieldMask
	for _, k := range kinds {
		if f, ok := s.Item(k); ok {
			m |= purser.Mask(f.Bit)
		}
	}
	return m
}

// ItemBits returns the kinds as an attempt entry holds them.
func ItemBits(kinds []Kind) uint16 {
	var m uint16
	for _, k := range kinds {
		if int(k) < maxItems {
			m |= 1 << k
		}
	}
	return m
}
