package record

import (
	"fmt"

	"purser"
	"purser/internal/rule/forbidden"
)

// Value is what somebody wants written into one field, ready to be sealed.
type Value struct {
	Field purser.Field
	// Text is empty to drop the field.
	Text string
	// Until is when it is to be dropped again; zero: when its field says.
	Until purser.Stamp
	// Found is what of it must not be kept, if anything.
	Found *forbidden.Finding
}

// ValueError says that a text cannot be a value of a field, whoever it is of.
// It never holds a part of the text.
type ValueError struct {
	Field   string // of the schema, or empty where the name is none
	Problem string
}

// Error names the field and what is wrong.
func (e *ValueError) Error() string {
	if e.Field == "" {
		return "field: " + e.Problem
	}
	return e.Field + ": " + e.Problem
}

// Value reads a text as what somebody wants written into the field of that
// name: like a cell of an import, searched for what must not be kept. What
// cannot be a value fails with *ValueError. Whether the field may be written at
// all is not looked at.
func (s *Schema) Value(name, text, region string) (Value, error) {
	f, ok := s.Field(name)
	if !ok {
		return Value{}, &ValueError{Problem: "is none of the schema"}
	}
	if problem := checkText(text, f.Longest); problem != "" {
		return Value{}, &ValueError{f.Name, problem}
	}
	v := Value{Field: f.Bit}
	kept := tidy(text)
	if kept == "" {
		return v, nil
	}
	normals, problem := f.normals(kept, region)
	if problem != "" {
		return Value{}, &ValueError{f.Name, problem}
	}
	if v.Text = f.kept(kept, normals); len(v.Text) > f.Longest {
		return Value{}, &ValueError{f.Name, fmt.Sprintf("is over %d bytes", f.Longest)}
	}
	if f.Form == Text || f.Form == Name || f.Form == Email { // the other forms admit nothing but what they say
		if found := forbidden.Find(text); len(found) > 0 {
			v.Found = &found[0]
		}
	}
	return v, nil
}

// CommitTo is the commitment of an entry to the values that it writes: keyed,
// over the salt and then bit and text of each, in the order of the bits. Neither
// the salt, which lies in a row, nor the keys alone tell what was written;
// erasing destroys the salt.
func (b *Book) CommitTo(salt []byte, set map[purser.Field]string) purser.Commitment {
	parts := [][]byte{salt}
	for f := range purser.MaxField + 1 {
		if text, ok := set[f]; ok {
			parts = append(parts, []byte{byte(f)}, []byte(text))
		}
	}
	return b.keys.Commit("amend", parts...)
}
