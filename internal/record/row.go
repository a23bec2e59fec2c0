package record

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"purser"
	"purser/internal/rule/canon"
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

// plain is one row before it is sealed.
type plain struct {
	values   map[purser.Field]string
	indexes  []IndexRow
	channels []ChannelRow
	unique   []IndexRow // which of the indexes no other customer may have
	older    []IndexRow // what those would be under keys that are being left
}

// read turns the cells of a row into a customer. A row that breaks a rule gives
// the *Reject; any other error is a fault.
func (b *Book) read(cells []string, c *columns, line int, region string) (*plain, error) {
	if len(cells) != c.width {
		return nil, &Reject{line, "", fmt.Sprintf("has %d cells, the header names %d", len(cells), c.width)}
	}
	p := &plain{values: make(map[purser.Field]string, len(b.schema.fields))}
	for i, f := range b.schema.fields {
		text, problem := join(cells, c.parts[i], f.Longest)
		if problem == "" && text != "" {
			var err error
			if problem, err = b.take(p, f, text, region); err != nil {
				return nil, err
			}
		}
		if problem != "" {
			return nil, &Reject{line, f.Name, problem}
		}
		if f.Channel && text != "" {
			since, ok := sinceOf(cells, c.since[i])
			if !ok {
				return nil, &Reject{line, f.Name + sinceSuffix, "is no date: want YYYY-MM-DD or RFC 3339"}
			}
			p.channels = append(p.channels, ChannelRow{f.Bit, since})
		}
	}
	if len(p.values) == 0 {
		return nil, &Reject{line, "", "holds no value"}
	}
	return p, nil
}

// join gives the text of a field that may stand in several cells.
func join(cells []string, parts []int, longest int) (text, problem string) {
	for _, i := range parts {
		if problem := checkText(cells[i], longest); problem != "" {
			return "", problem
		}
		text = strings.TrimSpace(text + " " + tidy(cells[i]))
	}
	if len(text) > longest {
		return "", fmt.Sprintf("is over %d bytes", longest)
	}
	return text, ""
}

// take puts one value into the row, with its indexes.
func (b *Book) take(p *plain, f Field, text, region string) (problem string, err error) {
	normals, problem := f.normals(text, region)
	if problem != "" {
		return problem, nil
	}
	p.values[f.Bit] = f.kept(text, normals)
	if f.Find == NotFound {
		return "", nil
	}
	for _, normal := range normals {
		indexes, err := b.keys.Indexes(f.Name, normal)
		if err != nil {
			return "", err
		}
		last := len(indexes) - 1
		row := IndexRow{f.Bit, indexes[last]}
		p.indexes = append(p.indexes, row)
		if !f.Unique {
			continue
		}
		p.unique = append(p.unique, row)
		for _, index := range indexes[:last] {
			p.older = append(p.older, IndexRow{f.Bit, index})
		}
	}
	return "", nil
}

// normals are the normal forms of a field's text, each once.
func (f Field) normals(text, region string) (normals []string, problem string) {
	texts := []string{text}
	if f.Find == ExactMany {
		texts = strings.FieldsFunc(text, func(r rune) bool { return r == ';' || r == ',' || r == ' ' })
	}
	if len(texts) > maxMany {
		return nil, fmt.Sprintf("holds over %d values", maxMany)
	}
	for _, t := range texts {
		normal, err := f.Normal(t, region)
		var wrong *canon.Error
		if errors.As(err, &wrong) {
			return nil, wrong.Problem.Error()
		}
		if err != nil {
			return nil, "has no normal form"
		}
		if !contains(normals, normal) {
			normals = append(normals, normal)
		}
	}
	return normals, ""
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

func sinceOf(cells []string, i int) (purser.Stamp, bool) {
	if i < 0 || strings.TrimSpace(cells[i]) == "" {
		return 0, true
	}
	text := strings.TrimSpace(cells[i])
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil && t.Year() >= 1970 {
			return purser.StampOf(t), true
		}
	}
	return 0, false
}

// leaf is what the Merkle tree of an import batch holds of one customer.
func leaf(r seal.Record) []byte {
	b := make([]byte, 0, 24+len(r.Sealed))
	b = append(b, r.Customer[:]...)
	b = append(b, byte(r.Ordinal>>24), byte(r.Ordinal>>16), byte(r.Ordinal>>8), byte(r.Ordinal))
	b = append(b, byte(r.Version>>24), byte(r.Version>>16), byte(r.Version>>8), byte(r.Version))
	return append(b, r.Sealed...)
}
