package record

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// plan says which cell of a row holds what: a mapping, held against a file's
// header.
type plan struct {
	width  int
	names  map[string]int // cell by column; for rows that name their cells
	fields []source       // ascending by bit
	dates  []string
}

// source is where one field of a row comes from.
type source struct {
	Field
	cells     []int
	join      string
	romanised []int
	dates     []string
	region    string
	value     string
	since     int // cell, or -1
	sinceName string
	expires   int // cell, or -1
	expiry    string
}

// plan holds the mapping against a header. All problems are reported together.
// Without a mapping a name that is no column is not repeated, since it could be
// the first row of a file without header.
func (s *Schema) plan(header []string, m *Mapping, region string) (*plan, error) {
	used := make([]bool, len(header))
	var problems []error
	for i, name := range header {
		if slices.Index(header, name) != i {
			problems = append(problems, &FileError{1, fmt.Sprintf("column %d is there twice", i+1), "remove one"})
		}
	}
	said := m != nil
	if !said {
		m = s.plain(header)
	}
	find := func(key, name string) int {
		i := slices.Index(header, name)
		if i < 0 {
			problems = append(problems, &FileError{1, "has no column for " + key, "correct the mapping, or remove it there"})
			return -1
		}
		used[i] = true
		return i
	}
	all := func(key string, names []string) (cells []int) {
		for _, name := range names {
			cells = append(cells, find(key, name))
		}
		return cells
	}
	p := &plan{width: len(header), names: map[string]int{}, dates: m.dates}
	for i, name := range header {
		p.names[name] = i
	}
	for _, f := range s.fields {
		in, ok := m.fields[f.Name]
		column, expires := m.expiry[f.Name]
		if !ok {
			if expires {
				problems = append(problems, &FileError{1, f.Name + " is to be deleted and is not read", "name its columns in the mapping"})
			}
			continue
		}
		from := source{
			Field: f, cells: all(f.Name, in.columns), join: in.join, romanised: all(f.Name, in.romanised),
			dates: in.dates, region: firstOf(in.region, m.region, region), value: in.value, since: -1, expires: -1,
		}
		if in.since != "" {
			from.since, from.sinceName = find(f.Name, in.since), in.since
		}
		if expires {
			from.expires, from.expiry = find(f.Name, column), column
		}
		p.fields = append(p.fields, from)
	}
	for i, name := range header {
		if used[i] || slices.Index(header, name) != i || said && slices.Contains(m.ignore, name) {
			continue
		}
		if said {
			problems = append(problems, &FileError{1, fmt.Sprintf("column %d is neither mapped nor ignored", i+1), "name it in the mapping, under ignore if it is not wanted"})
		} else {
			problems = append(problems, &FileError{1, fmt.Sprintf("column %d is none of the schema", i+1), "known are " + strings.Join(s.columnNames(), ", ") + "; for others give a mapping"})
		}
	}
	return p, errors.Join(problems...)
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
