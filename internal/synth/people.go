package synth

import (
	_ "embed"
	"strings"

	"github.com/brianvoe/gofakeit/v7/data"
)

// namesTable holds names that the plain word lists lack: other scripts, each
// with its romanised form, and Latin letters with diacritics. One name a line:
// script, given or family, the name in NFC, the name in A-Z.
//
//go:embed names.tsv
var namesTable string

// accented is the script of names.tsv that needs no romanised form.
const accented = "latin"

// Of a thousand customers, how many have a name in another script, and in
// Latin letters with diacritics; of a hundred others, how many have a double
// family name.
const (
	otherScript  = 30
	withAccents  = 80
	doubleFamily = 2
)

// A word is a name, its form in A-Z when it is in another script, and the
// letters it gives to an e-mail address.
type word struct{ text, romanised, mail string }

// names are the given and family names of one script.
type names struct{ given, family []word }

// people holds the names, loaded once.
type people struct {
	plain, accented names
	other           []names
}

func loadPeople() people {
	p := people{plain: names{plainWords("first"), plainWords("last")}}
	script := ""
	for line := range strings.Lines(namesTable) {
		column := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(column) != 4 {
			continue // a test reads the table strictly
		}
		if column[0] != script && column[0] != accented {
			script = column[0]
			p.other = append(p.other, names{})
		}
		p.add(column)
	}
	return p
}

// add puts one line of the table into its list.
func (p *people) add(column []string) {
	into, w := &p.accented, word{text: column[2], mail: mailLetters(column[3])}
	if column[0] != accented {
		into, w.romanised = &p.other[len(p.other)-1], column[3]
	}
	if column[1] == "given" {
		into.given = append(into.given, w)
	} else {
		into.family = append(into.family, w)
	}
}

func plainWords(list string) []word {
	var out []word
	for _, s := range data.Person[list] {
		if mail := mailLetters(s); mail != "" {
			out = append(out, word{text: s, mail: mail})
		}
	}
	return out
}

// mailLetters returns the letters of an A-Z name in lower case.
func mailLetters(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r
		case 'A' <= r && r <= 'Z':
			return r - 'A' + 'a'
		}
		return -1
	}, s)
}

// name draws the customer's names and returns the beginning of the e-mail
// address that goes with them.
func (p *people) name(d *dice, c *Customer) string {
	from, r := &p.plain, d.below(1000)
	switch {
	case r < otherScript:
		from = &p.other[d.below(len(p.other))]
	case r < otherScript+withAccents:
		from = &p.accented
	}
	given := &from.given[d.below(len(from.given))]
	family := &from.family[d.below(len(from.family))]
	c.GivenName, c.GivenRomanised = given.text, given.romanised
	c.FamilyName, c.FamilyRomanised = family.text, family.romanised
	if r >= otherScript+withAccents && d.chance(doubleFamily) {
		c.FamilyName += "-" + from.family[d.below(len(from.family))].text
	}
	return given.mail + "." + family.mail
}
