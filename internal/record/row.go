package record

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"purser"
	"purser/internal/rule/canon"
	"purser/internal/rule/forbidden"
	"purser/internal/seal"
)

// Reject is a row that was not taken, or the first thing wrong with it. It
// never holds a value.
type Reject struct {
	Line    int
	Column  string // empty: the whole row
	Problem string
}

// Error names line, column and problem.
func (r *Reject) Error() string {
	if r.Column == "" {
		return fmt.Sprintf("line %d: %s", r.Line, r.Problem)
	}
	return fmt.Sprintf("line %d, column %s: %s", r.Line, r.Column, r.Problem)
}

// fate is what becomes of a row.
type fate uint8

const (
	fateNew      fate = iota // it brought a customer in
	fateKnown                // it is about somebody who is there
	fateRejected             // it was not taken
)

// taken is one row that was taken apart and checked.
type taken struct {
	fate     fate
	line     int
	ordinal  purser.Ordinal // of its customer
	reject   *Reject
	values   []seal.Value // ascending by field
	indexes  []IndexRow
	channels []ChannelRow // of the channels among values, those of unknown age with zero
	expiry   []ExpiryRow
	unique   IndexRow     // its own number; zero if it has none
	numbers  []seal.Index // that number under every key in force, where there are several
	emails   []seal.Index // with person, how an earlier customer is found
	person   seal.Index   // of e-mail address and name; zero if it lacks one
}

// reader takes rows apart. Each goroutine has its own.
type reader struct {
	book   *Book
	plan   *plan
	comma  byte
	cells  []string
	lookup bool // earlier customers may be meant
}

// read turns a row into what it says, or its reject. An error is a fault.
func (r *reader) read(text string, row raw) (taken, error) {
	t, column, problem, err := r.take(text, row)
	if err != nil {
		return t, fmt.Errorf("line %d: %w", row.line, err)
	}
	if problem != "" {
		return taken{fate: fateRejected, reject: &Reject{row.line, column, problem}}, nil
	}
	t.line = row.line
	return t, nil
}

func (r *reader) take(text string, row raw) (t taken, column, problem string, err error) {
	if row.problem != "" {
		return t, "", row.problem, nil
	}
	if r.comma == 0 {
		r.cells, problem = fromJSON(text, r.plan, r.cells[:0])
	} else {
		r.cells = cut(text, r.comma, r.cells[:0])
	}
	if problem != "" {
		return t, "", problem, nil
	}
	if len(r.cells) != r.plan.width {
		return t, "", fmt.Sprintf("has %d cells, the header names %d", len(r.cells), r.plan.width), nil
	}
	t.values = make([]seal.Value, 0, len(r.plan.fields))
	email, name := "", ""
	for i := range r.plan.fields {
		f := &r.plan.fields[i]
		text, problem := r.text(f)
		if problem != "" {
			return t, f.Name, problem, nil
		}
		if text == "" {
			continue
		}
		normal, problem, err := r.value(&t, f, text)
		if problem != "" || err != nil {
			return t, f.Name, problem, err
		}
		switch f.Form {
		case Email:
			email = firstOf(email, normal)
		case Name:
			name = firstOf(name, normal)
		case Text, Phone, BirthDate, Postcode, LoyaltyNumber, BookingReference:
		}
		if column, problem := r.dated(&t, f); problem != "" {
			return t, column, problem, nil
		}
	}
	if len(t.values) == 0 {
		return t, "", "holds no value", nil
	}
	if email != "" && name != "" {
		t.person, err = r.book.keys.Index(personName, person(email, name))
	}
	return t, "", "", err
}

// personName is the name under which e-mail address and name are indexed
// together. It is no field's: those are lower-case words.
const personName = "person: e-mail and name"

func person(email, name string) string { return email + "\x00" + name }

// text gives the text of a field that may stand in several cells.
func (r *reader) text(f *source) (text, problem string) {
	if text, problem = r.join(f, f.cells); problem != "" {
		return "", problem
	}
	if len(f.romanised) > 0 && text != "" {
		second, problem := r.join(f, f.romanised)
		if problem != "" {
			return "", problem
		}
		if second != "" && second != text {
			text += spelled + second
		}
	}
	if text == "" {
		text = f.value
	}
	if len(text) > f.Longest {
		return "", fmt.Sprintf("is over %d bytes", f.Longest)
	}
	return text, f.guarded(text)
}

// shortest is the length of the shortest text that the guard finds anything in.
const shortest = 5

// guarded says which forbidden data a text holds. Forms that take nothing but
// addresses, dates and short numbers cannot hold any.
func (f *source) guarded(text string) (problem string) {
	if len(text) < shortest || f.Form != Text && f.Form != Name {
		return ""
	}
	for _, found := range forbidden.Find(text) {
		return fmt.Sprintf("holds %v, which must not be held, at character %d", found.Class, found.At)
	}
	return ""
}

// spelled stands between a name as its bearer writes it and the same name in
// Latin letters.
const spelled = "\n"

func (r *reader) join(f *source, cells []int) (text, problem string) {
	for _, i := range cells {
		cell := r.cells[i]
		if cell == "" {
			continue
		}
		if problem := checkText(cell, f.Longest); problem != "" {
			return "", problem
		}
		if cell = tidy(cell); f.Form == Name && strings.ContainsAny(cell, "\r\n\t") {
			// A name is one line; a lone carriage return is none and stays, to be refused.
			cell = strings.NewReplacer("\r\n", " ", "\n", " ", "\t", " ").Replace(cell)
		}
		switch {
		case text == "":
			text = cell
		case cell != "":
			text += f.join + cell
		}
	}
	return text, ""
}

// value puts one value into the row, with its indexes. normal is its first
// normal form.
func (r *reader) value(t *taken, f *source, text string) (normal, problem string, err error) {
	if len(f.dates) > 0 {
		if text, problem = asDate(text, f.dates); problem != "" {
			return "", problem, nil
		}
	}
	normals, problem := f.normals(text, f.region)
	if problem != "" {
		return "", problem, nil
	}
	t.values = append(t.values, seal.Value{Field: f.Bit, Text: f.kept(text, normals)})
	if f.Find == NotFound {
		return normals[0], "", nil
	}
	for _, n := range normals {
		index, err := r.book.keys.Index(f.Name, n)
		if err != nil {
			return "", "", err
		}
		t.indexes = append(t.indexes, IndexRow{f.Bit, index})
	}
	if f.Unique && t.unique == (IndexRow{}) {
		t.unique = t.indexes[len(t.indexes)-1]
	}
	if r.lookup && f.Unique && t.numbers == nil {
		t.numbers, err = r.book.keys.Indexes(f.Name, normals[0])
	} else if r.lookup && f.Form == Email && t.emails == nil {
		t.emails, err = r.book.keys.Indexes(f.Name, normals[0])
	}
	return normals[0], "", err
}

// dated reads since when a channel holds its value, and when a field is to go.
func (r *reader) dated(t *taken, f *source) (column, problem string) {
	if f.Channel {
		since, ok := r.stamp(f.since)
		if !ok {
			return f.sinceName, "is no date: want YYYY-MM-DD or RFC 3339"
		}
		t.channels = append(t.channels, ChannelRow{f.Bit, since})
	}
	if f.expires >= 0 {
		after, ok := r.stamp(f.expires)
		if !ok {
			return f.expiry, "is no date: want YYYY-MM-DD or RFC 3339"
		}
		if after != 0 {
			t.expiry = append(t.expiry, ExpiryRow{Field: f.Bit, At: after})
		}
	}
	return "", ""
}

// stamp reads a date; zero for none.
func (r *reader) stamp(cell int) (purser.Stamp, bool) {
	if cell < 0 {
		return 0, true
	}
	text := strings.TrimSpace(r.cells[cell])
	if text == "" {
		return 0, true
	}
	for _, layout := range append([]string{time.DateOnly, time.RFC3339}, r.plan.dates...) {
		if at, err := time.Parse(layout, text); err == nil && at.Year() >= 1970 && at.Year() < 3000 {
			return purser.StampOf(at), true
		}
	}
	return 0, false
}

// asDate reads a date that is written in one of the stated ways.
func asDate(text string, layouts []string) (iso, problem string) {
	for _, layout := range layouts {
		if at, err := time.Parse(layout, text); err == nil {
			return at.Format(time.DateOnly), ""
		}
	}
	return "", "is not written in a stated format"
}

// normals are the normal forms of a field's text, each once, at least one.
func (f Field) normals(text, region string) (normals []string, problem string) {
	if f.Find != ExactMany {
		normal, problem := f.normal(text, region)
		return []string{normal}, problem
	}
	texts := strings.FieldsFunc(text, func(r rune) bool { return r == ';' || r == ',' || unicode.IsSpace(r) })
	if len(texts) > maxMany {
		return nil, fmt.Sprintf("holds over %d values", maxMany)
	}
	for _, t := range texts {
		normal, problem := f.normal(t, region)
		if problem != "" {
			return nil, problem
		}
		if !contains(normals, normal) {
			normals = append(normals, normal)
		}
	}
	if len(normals) == 0 {
		return nil, "holds no value"
	}
	return normals, ""
}

func (f Field) normal(text, region string) (normal, problem string) {
	if f.Form == Name {
		text, _, _ = strings.Cut(text, spelled)
	}
	normal, err := f.Normal(text, region)
	var wrong *canon.Error
	if errors.As(err, &wrong) {
		return "", wrong.Problem.Error()
	}
	if err != nil {
		return "", "has no normal form"
	}
	return normal, ""
}

func contains(list []string, s string) bool {
	for _, have := range list {
		if have == s {
			return true
		}
	}
	return false
}

// kept is what the record holds: names, mail addresses and plain text as they
// came, everything else in normal form.
func (f Field) kept(text string, normals []string) string {
	switch f.Form {
	case Text, Name, Email:
		return text
	case Phone, BirthDate, Postcode, LoyaltyNumber, BookingReference:
		return strings.Join(normals, " ")
	}
	return text
}

// checkText refuses text that shows otherwise than it is, and cells longer than
// the field allows. It says what is wrong, or nothing.
func checkText(text string, longest int) string {
	if len(text) > longest {
		return fmt.Sprintf("is over %d bytes", longest)
	}
	plain := true
	for i := range len(text) {
		plain = plain && text[i] >= ' ' && text[i] < 0x7f
	}
	if plain {
		return ""
	}
	if !utf8.ValidString(text) {
		return "is not UTF-8"
	}
	for _, r := range text {
		switch {
		case r == utf8.RuneError:
			return "holds a replacement character: it was damaged on the way"
		case unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t':
			return "holds a control character"
		case 0x202A <= r && r <= 0x202E, 0x2066 <= r && r <= 0x2069:
			return "holds a character that changes the direction of text"
		}
	}
	return ""
}

// tidy is how text is kept: NFC, without space around it.
func tidy(text string) string { return norm.NFC.String(strings.TrimSpace(text)) }

// leaf appends what the Merkle tree of a batch holds of one customer.
func leaf(b []byte, r seal.Record) []byte {
	b = append(b, r.Customer[:]...)
	b = append(b, byte(r.Ordinal>>24), byte(r.Ordinal>>16), byte(r.Ordinal>>8), byte(r.Ordinal))
	b = append(b, byte(r.Version>>24), byte(r.Version>>16), byte(r.Version>>8), byte(r.Version))
	return append(b, r.Sealed...)
}
