package record

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
)

// SuggestMapping reads the first rows of a file and writes a mapping for it, to
// be edited. It names columns and tells by their names, and by the shapes of
// what stands below them, what they may hold. No value is in it.
func SuggestMapping(r io.Reader, s *Schema) ([]byte, error) {
	p, err := (&input{start: func() (io.Reader, error) { return r, nil }}).open(context.Background())
	if err != nil {
		return nil, err
	}
	defer p.close()
	in := newSplitter(p, true, ',')
	if err := in.peek(); err != nil {
		return nil, err
	}
	in.comma = commaOf(in.buf)
	names, lines, err := headerOf(in)
	if err != nil {
		return nil, err
	}
	if lines {
		return nil, &FileError{0, "is JSON Lines, whose rows name their cells", "write a mapping by hand: docs/formats/mapping.md"}
	}
	g := &guess{schema: s, names: names, samples: make([][]string, len(names)), comma: in.comma, given: map[string][]int{}}
	if err := g.sample(in); err != nil {
		return nil, err
	}
	for i := range names {
		g.column(i)
	}
	return g.text(), nil
}

// commaOf is what separates the cells of a header.
func commaOf(text []byte) byte {
	line, _, _ := bytes.Cut(text, []byte{'\n'})
	best := byte(',')
	for _, c := range []byte{';', '\t', '|'} {
		if bytes.Count(line, []byte{c}) > bytes.Count(line, []byte{best}) {
			best = c
		}
	}
	return best
}

// guess is a mapping in the making.
type guess struct {
	schema  *Schema
	names   []string
	samples [][]string // the first values of each column
	comma   byte
	given   map[string][]int // columns by field
	ignored []int
}

const sampleRows = 200

func (g *guess) sample(in *splitter) error {
	c, err := in.next(sampleRows)
	if err != nil {
		return err
	}
	for _, row := range c.rows {
		cells := cut(c.text[row.from:row.to], g.comma, nil)
		if row.problem != "" || len(cells) != len(g.names) {
			continue
		}
		for i, cell := range cells {
			if cell = strings.TrimSpace(cell); cell != "" {
				g.samples[i] = append(g.samples[i], cell)
			}
		}
	}
	return nil
}

// other names under which a field is known elsewhere; underscores, spaces and
// case do not count.
func aliases() map[string][]string {
	return map[string][]string{
		"name": {
			"givenname", "firstname", "forename", "first", "given", "middlename", "familyname", "lastname", "surname", "last", "family",
			"fullname", "customername", "passengername", "displayname",
		},
		"salutation": {"title", "prefix", "honorific"}, "gender": {"sex"},
		"email":      {"mail", "emailaddress", "mailaddress", "primaryemail", "contactemail", "personemail"},
		"phone":      {"mobile", "mobilephone", "telephone", "phonenumber", "cell", "cellphone", "msisdn", "tel", "homephone", "mobilenumber"},
		"birth_date": {"dob", "dateofbirth", "birthdate", "birthday", "born", "personbirthdate"},
		"postcode":   {"zip", "zipcode", "postalcode", "plz", "mailingpostalcode"},
		"address": {
			"street", "streetaddress", "addressline1", "address1", "line1", "addressline2", "address2", "line2", "addressline3", "address3",
			"suburb", "city", "town", "state", "province", "country", "mailingstreet", "mailingcity", "mailingstate", "mailingcountry",
		},
		"loyalty_number": {"loyaltynumber", "membernumber", "membership", "membershipnumber", "frequentflyer", "frequentflyernumber", "ffn", "memberid"},
		"booking_reference": {
			"pnr", "recordlocator", "bookingref", "booking", "reservation", "bookingreference", "bookingreferences", "locator",
		},
		"tier": {"status", "loyaltytier", "tierlevel"}, "points": {"pointsbalance", "miles"},
		"status_credits": {"statuscredits", "credits"}, "meal_preference": {"meal", "mealpreference", "specialmeal"},
	}
}

func bare(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return r
		case 'A' <= r && r <= 'Z':
			return r - 'A' + 'a'
		}
		return -1
	}, name)
}

// column finds a place for a column.
func (g *guess) column(i int) {
	name := bare(g.names[i])
	for _, f := range g.schema.fields {
		if name == bare(f.Name) || slices.ContainsFunc(f.Columns, func(c string) bool { return bare(c) == name }) ||
			slices.Contains(aliases()[f.Name], name) {
			g.given[f.Name] = append(g.given[f.Name], i)
			return
		}
	}
	for _, f := range g.schema.fields {
		if len(g.given[f.Name]) == 0 && f.Find != NotFound && g.looks(i, f) {
			g.given[f.Name] = append(g.given[f.Name], i)
			return
		}
	}
	g.ignored = append(g.ignored, i)
}

// looks reports whether nearly all values of a column have a field's form, and
// there are enough of them to tell.
func (g *guess) looks(i int, f Field) bool {
	right := 0
	for _, cell := range g.samples[i] {
		if _, problem := f.normals(cell, ""); problem == "" {
			right++
		}
	}
	return f.Form != Postcode && right >= 5 && right*10 >= len(g.samples[i])*9
}

func (g *guess) text() []byte {
	var out bytes.Buffer
	out.WriteString("# Guessed from the names of columns and the shapes of values. Look at every line.\n")
	out.WriteString("mapping: 1\n")
	if g.comma != ',' {
		fmt.Fprintf(&out, "separator: %q\n", string(g.comma))
	}
	out.WriteString("# default_region: AU  # where phone numbers without country code belong\nfields:\n")
	for _, f := range g.schema.fields {
		columns := g.given[f.Name]
		if len(columns) == 0 {
			continue
		}
		fmt.Fprintf(&out, "  %s:\n    columns: %s\n", f.Name, g.list(columns))
		if f.Name == "address" && len(columns) > 1 {
			out.WriteString("    join: \", \"\n")
		}
		if f.Form == BirthDate {
			if format := g.dateFormat(columns[0]); format != "" {
				fmt.Fprintf(&out, "    dates: %s\n", format)
			}
		}
	}
	if len(g.ignored) > 0 {
		fmt.Fprintf(&out, "ignore: %s\n", g.list(g.ignored))
	}
	return out.Bytes()
}

func (g *guess) list(columns []int) string {
	var names []string
	for _, i := range columns {
		names = append(names, fmt.Sprintf("%q", g.names[i]))
	}
	return "[" + strings.Join(names, ", ") + "]"
}

// dateFormat is the first format that all values of a column have.
func (g *guess) dateFormat(column int) string {
	for _, format := range []string{"YYYY-MM-DD", "DD/MM/YYYY", "MM/DD/YYYY", "DD.MM.YYYY", "DD-MM-YYYY", "YYYY/MM/DD", "YYYYMMDD", "DD MMM YYYY"} {
		read, _ := layout(format)
		wrong := slices.ContainsFunc(g.samples[column], func(cell string) bool {
			_, problem := asDate(cell, []string{read})
			return problem != ""
		})
		if !wrong && len(g.samples[column]) > 0 {
			return format
		}
	}
	return ""
}
