package record

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"purser"
)

// maxMapping bounds a mapping file, and mostRead is how many columns one field
// may be read from.
const (
	maxMapping = 64 << 10
	mostRead   = 16
)

// Mapping says which columns of a file hold what. The zero value takes every
// column for the field, or the part of one, whose name it bears. It is not
// changed after parsing.
type Mapping struct {
	text   []byte
	comma  byte
	region string
	fields map[string]mappedField
	ignore []string
	expiry map[string]string // column by field
	dates  []string          // layouts of columns that are no field
}

// mappedField says where one field comes from.
type mappedField struct {
	columns   []string
	join      string
	romanised []string
	dates     []string // layouts
	region    string
	value     string // where no column gives one
	since     string // column
}

type mappingFile struct {
	Mapping     int                     `yaml:"mapping"`
	Separator   string                  `yaml:"separator"`
	Region      string                  `yaml:"default_region"`
	Dates       oneOrMany               `yaml:"dates"`
	Fields      map[string]mappingField `yaml:"fields"`
	Ignore      oneOrMany               `yaml:"ignore"`
	DeleteAfter map[string]string       `yaml:"delete_after"`
}

type mappingField struct {
	Columns   oneOrMany `yaml:"columns"`
	Join      *string   `yaml:"join"`
	Romanised oneOrMany `yaml:"romanised"`
	Dates     oneOrMany `yaml:"dates"`
	Region    string    `yaml:"region"`
	Value     string    `yaml:"value"`
	Since     string    `yaml:"since"`
}

// oneOrMany is a text or a list of them.
type oneOrMany []string

// UnmarshalYAML reads either.
func (o *oneOrMany) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*o = oneOrMany{n.Value}
		return nil
	}
	return n.Decode((*[]string)(o))
}

// ParseMapping reads a mapping file for a schema. All problems are reported
// together, each one a Problem.
func ParseMapping(text []byte, s *Schema) (*Mapping, error) {
	if len(text) > maxMapping {
		return nil, Problem{"file", "is too large", fmt.Sprintf("keep it under %d bytes", maxMapping)}
	}
	var f mappingFile
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&f); err != nil {
		return nil, Problem{"file", "is no mapping that Purser knows" + places(err), "compare it with docs/formats/mapping.md"}
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, Problem{"file", "holds more than one document", "keep one mapping in a file"}
	}
	return f.mapping(text, s)
}

func (f *mappingFile) mapping(text []byte, s *Schema) (*Mapping, error) {
	c := new(checking)
	if f.Mapping != 1 {
		c.say("mapping", "is not 1", "write mapping: 1")
	}
	m := &Mapping{text: text, region: c.region("default_region", f.Region), ignore: f.Ignore, fields: map[string]mappedField{}}
	switch f.Separator {
	case "", ",":
	case ";", "\t", "|":
		m.comma = f.Separator[0]
	case "tab":
		m.comma = '\t'
	default:
		c.say("separator", "is none that Purser reads", `use ",", ";", "|" or tab`)
	}
	m.dates = c.layouts("dates", f.Dates)
	if len(f.Fields) == 0 {
		c.say("fields", "names none", "name at least one field and its columns")
	}
	for _, name := range slices.Sorted(maps.Keys(f.Fields)) {
		field, ok := s.Field(name)
		if !ok {
			c.say("fields", "holds a field that the schema does not have", "use "+strings.Join(s.fieldNames(), ", "))
			continue
		}
		m.fields[name] = c.mapped("fields."+name, field, f.Fields[name])
	}
	for _, name := range slices.Sorted(maps.Keys(f.DeleteAfter)) {
		if _, ok := s.Field(name); !ok || f.DeleteAfter[name] == "" {
			c.say("delete_after", "holds a field that the schema does not have, or no column", "write field: column")
		}
	}
	m.expiry = f.DeleteAfter
	if len(c.problems) > 0 {
		return nil, errors.Join(c.problems...)
	}
	return m, nil
}

func (s *Schema) fieldNames() []string {
	var names []string
	for _, f := range s.fields {
		names = append(names, f.Name)
	}
	return names
}

func (c *checking) mapped(key string, f Field, in mappingField) mappedField {
	out := mappedField{
		columns: in.Columns, romanised: in.Romanised, value: in.Value, since: in.Since, join: " ",
		region: c.region(key+".region", in.Region), dates: c.layouts(key+".dates", in.Dates),
	}
	if in.Join != nil {
		out.join = *in.Join
	}
	switch {
	case len(in.Columns) == 0 && in.Value == "":
		c.say(key, "comes from nowhere", "name its columns, or a value for every row")
	case len(in.Columns)+len(in.Romanised) > mostRead:
		c.say(key+".columns", "are too many", fmt.Sprintf("name at most %d", mostRead))
	case len(in.Romanised) > 0 && f.Form != Name:
		c.say(key+".romanised", "is set on a field that is no name", "remove it")
	case len(in.Dates) > 0 && f.Form != BirthDate:
		c.say(key+".dates", "is set on a field that is no date", "remove it")
	case in.Region != "" && f.Form != Phone:
		c.say(key+".region", "is set on a field that is no phone number", "remove it")
	case in.Since != "" && !f.Channel:
		c.say(key+".since", "is set on a field that is no channel", "remove it")
	}
	if strings.ContainsAny(out.join, "\x00\r") || len(out.join) > 8 {
		c.say(key+".join", "is no separator", `use something like " " or ", "`)
	}
	return out
}

func (c *checking) region(key, region string) string {
	if region != "" && (len(region) != 2 || strings.Trim(region, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "") {
		c.say(key, "is no region", "use two capital letters, such as AU")
	}
	return region
}

func (c *checking) layouts(key string, formats []string) []string {
	var out []string
	for _, f := range formats {
		layout, ok := layout(f)
		if !ok {
			c.say(key, "holds something that is no date format", "write days, months and years as D or DD, M, MM, MMM or MMMM, and YYYY: DD/MM/YYYY")
		}
		out = append(out, layout)
	}
	return out
}

// layout is the form in which package time reads a date that is written as
// format says.
func layout(format string) (string, bool) {
	rest, out := format, ""
	seen := map[byte]int{}
	for rest != "" {
		n := 1
		for n < len(rest) && rest[n] == rest[0] {
			n++
		}
		part, ok := map[string]string{
			"D": "2", "DD": "02", "M": "1", "MM": "01", "MMM": "Jan", "MMMM": "January", "YYYY": "2006",
			"T": "T", "hh": "15", "mm": "04", "ss": "05",
		}[rest[:n]]
		switch {
		case ok:
			seen[rest[0]]++
		case strings.IndexByte("-/. ,:", rest[0]) >= 0:
			part = rest[:n]
		default:
			return "", false
		}
		out, rest = out+part, rest[n:]
	}
	return out, seen['D'] == 1 && seen['M'] == 1 && seen['Y'] == 1
}

// digest is that of everything that shapes rows beside the file itself.
func (m *Mapping) digest(s *Schema, region string) purser.Hash {
	h := sha256.New()
	hash := s.Hash()
	h.Write(hash[:])
	fmt.Fprintf(h, "%d %s\n", len(region), region)
	if m != nil {
		h.Write(m.text)
	}
	return purser.Hash(h.Sum(nil))
}

// plain is the mapping of a file whose columns bear the schema's names.
func (s *Schema) plain(header []string) *Mapping {
	m := &Mapping{fields: map[string]mappedField{}}
	for _, f := range s.fields {
		var in mappedField
		for _, name := range f.Columns {
			if slices.Contains(header, name) {
				in.columns = append(in.columns, name)
			}
			if f.Form == Name && slices.Contains(header, name+romanisedSuffix) {
				in.romanised = append(in.romanised, name+romanisedSuffix)
			}
		}
		if f.Channel && slices.Contains(header, f.Name+sinceSuffix) {
			in.since = f.Name + sinceSuffix
		}
		if in.join = " "; len(in.columns) > 0 || in.since != "" {
			m.fields[f.Name] = in
		}
	}
	return m
}

// The ends of columns that belong to another one.
const (
	sinceSuffix     = "_since"
	romanisedSuffix = "_romanised"
)

// columnNames are the columns that a file may have without a mapping.
func (s *Schema) columnNames() []string {
	var names []string
	for _, f := range s.fields {
		names = append(names, f.Columns...)
		if f.Form == Name {
			for _, c := range f.Columns {
				names = append(names, c+romanisedSuffix)
			}
		}
		if f.Channel {
			names = append(names, f.Name+sinceSuffix)
		}
	}
	return names
}

// named are the columns that rows may have which name their cells.
func (s *Schema) named(m *Mapping) []string {
	if m == nil {
		return s.columnNames()
	}
	names := slices.Clone(m.ignore)
	for _, f := range s.fields {
		in := m.fields[f.Name]
		names = append(append(append(names, in.columns...), in.romanised...), in.since, m.expiry[f.Name])
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return slices.DeleteFunc(names, func(n string) bool { return n == "" })
}
