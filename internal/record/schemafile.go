package record

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"purser"
	"purser/internal/seal"
)

// file is a schema as YAML holds it.
type file struct {
	Schema   string      `yaml:"schema"`
	Version  int         `yaml:"version"`
	Purposes []string    `yaml:"purposes"`
	Topics   []string    `yaml:"topics"`
	Fields   []fileField `yaml:"fields"`
}

type fileField struct {
	Name      string    `yaml:"name"`
	Columns   []string  `yaml:"columns"`
	Bit       *uint8    `yaml:"bit"`
	Class     string    `yaml:"class"`
	Rule      string    `yaml:"rule"`
	Assurance string    `yaml:"assurance"`
	Mask      *fileMask `yaml:"mask"`
	Form      string    `yaml:"form"`
	Index     string    `yaml:"index"`
	Unique    bool      `yaml:"unique"`
	Links     bool      `yaml:"links"`
	Item      *uint8    `yaml:"item"`
	Printed   bool      `yaml:"printed"`
	Channel   bool      `yaml:"channel"`
	Longest   int       `yaml:"longest"`
	Timeline  string    `yaml:"timeline"`
	Amend     string    `yaml:"amend"`
	Keep      string    `yaml:"keep"`
}

type fileMask struct {
	Bit       *uint8 `yaml:"bit"`
	As        string `yaml:"as"`
	Assurance string `yaml:"assurance"`
}

// The words of a schema file, in the order of their numbers.
var (
	classWords     = []string{"identity", "channel", "place", "loyalty", "preference", "service"}
	ruleWords      = []string{"disclose", "match-only"}
	formWords      = []string{"text", "name", "email", "phone", "birth_date", "postcode", "loyalty_number", "booking_reference"}
	findWords      = []string{"exact", "exact-many"}
	maskWords      = []string{"email", "last_two", "last_three"}
	assuranceWords = []string{"A1", "A2", "A3"}
	timelineWords  = []string{"case", "note"}
)

// String returns the word for the class.
func (c Class) String() string {
	if c < Identity || c > Service {
		return ""
	}
	return classWords[c-1]
}

// checking collects what is wrong with a file.
type checking struct {
	problems []error
	bits     map[purser.Field]string
	items    map[Kind]string
	columns  map[string]string
}

func (c *checking) say(key, found, wayOut string) {
	c.problems = append(c.problems, Problem{key, found, wayOut})
}

// word returns the number of a word, from 1.
func (c *checking) word(key, word string, of []string) uint8 {
	i := slices.Index(of, word)
	if i < 0 {
		c.say(key, "is not one of its words", "use "+strings.Join(of, ", "))
	}
	return uint8(i + 1)
}

func (f *file) schema() (*Schema, error) {
	c := &checking{bits: map[purser.Field]string{}, items: map[Kind]string{}, columns: map[string]string{}}
	if f.Version != 1 {
		c.say("version", "is not 1", "write version: 1")
	}
	if !isWord(f.Schema) {
		c.say("schema", "is not a name", nameWayOut)
	}
	c.numbered("purposes", f.Purposes, 1, maxPurposes)
	c.numbered("topics", f.Topics, 0, maxTopics)
	s := &Schema{
		name: f.Schema, purposes: f.Purposes, topics: f.Topics,
		masked: map[purser.Field]int{}, full: map[purser.Field]int{},
	}
	if len(f.Fields) == 0 || len(f.Fields) > maxFields {
		c.say("fields", fmt.Sprintf("there are %d", len(f.Fields)), fmt.Sprintf("name 1 to %d", maxFields))
	}
	seen := map[string]bool{}
	for i, ff := range f.Fields {
		key := "fields." + ff.Name
		if !isWord(ff.Name) {
			key = fmt.Sprintf("fields[%d]", i)
			c.say(key+".name", "is not a name", nameWayOut)
		} else if seen[ff.Name] {
			c.say(key, "is there twice", "remove one")
		}
		seen[ff.Name] = true
		s.fields = append(s.fields, c.field(key, ff))
	}
	c.whole(s)
	if len(c.problems) > 0 {
		return nil, errors.Join(c.problems...)
	}
	s.build()
	return s, nil
}

const nameWayOut = "use a lower-case letter, then up to 31 of a-z, 0-9 and _"

func isWord(s string) bool {
	if s == "" || len(s) > 32 || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

// numbered checks a list whose order gives the numbers that entries hold.
func (c *checking) numbered(key string, names []string, least, most int) {
	if len(names) < least || len(names) > most {
		c.say(key, fmt.Sprintf("there are %d", len(names)), fmt.Sprintf("name %d to %d", least, most))
	}
	for i, n := range names {
		key := fmt.Sprintf("%s[%d]", key, i)
		if !isWord(n) {
			c.say(key, "is not a name", nameWayOut)
		} else if slices.Index(names, n) != i {
			c.say(key, "is there twice", "remove one at the end of the list; the order gives the numbers")
		}
	}
}

func (c *checking) field(key string, ff fileField) Field {
	f := Field{
		Name: ff.Name, Columns: ff.Columns, Unique: ff.Unique, Links: ff.Links,
		Printed: ff.Printed, Channel: ff.Channel, Longest: ff.Longest,
		Bit:   c.bit(key+".bit", ff.Bit),
		Class: Class(c.word(key+".class", ff.Class, classWords)),
		Rule:  Rule(c.word(key+".rule", ff.Rule, ruleWords)),
		Form:  Form(c.word(key+".form", ff.Form, formWords)),
	}
	if ff.Index != "" {
		f.Find = Find(c.word(key+".index", ff.Index, findWords))
	}
	c.item(key, ff, &f)
	c.rule(key, ff, &f)
	c.finding(key, f)
	c.life(key, ff, &f)
	c.column(key, &f)
	c.timeline(key, ff, &f)
	if f.Longest == 0 {
		f.Longest = defaultLongest
	}
	if f.Longest < 1 || f.Longest > seal.MaxField {
		c.say(key+".longest", "is out of range", fmt.Sprintf("use 1 to %d bytes", seal.MaxField))
	}
	return f
}

func (c *checking) bit(key string, bit *uint8) purser.Field {
	if bit == nil || purser.Field(*bit) > purser.MaxField {
		c.say(key, "is missing or out of range", fmt.Sprintf("use a free number from 0 to %d", purser.MaxField))
		return 0
	}
	b := purser.Field(*bit)
	if other, taken := c.bits[b]; taken {
		c.say(key, "is that of "+other, "use a number that was never used")
	}
	c.bits[b] = key
	return b
}

func (c *checking) item(key string, ff fileField, f *Field) {
	if ff.Item == nil {
		if ff.Printed {
			c.say(key+".printed", "is set on a field that is no item", "remove it")
		}
		return
	}
	k := Kind(*ff.Item)
	f.IsItem, f.Item = true, k
	if int(k) >= maxItems {
		c.say(key+".item", "is out of range", fmt.Sprintf("use a free number from 0 to %d", maxItems-1))
	} else if other, taken := c.items[k]; taken {
		c.say(key+".item", "is that of "+other, "use a number that was never used")
	}
	c.items[k] = key
	if f.Form == Text {
		c.say(key+".item", "is set on a field without a normal form", "give it a form other than text, or remove item")
	}
}

func (c *checking) rule(key string, ff fileField, f *Field) {
	if f.Rule == MatchOnly {
		if ff.Assurance != "" || ff.Mask != nil || ff.Channel {
			c.say(key, "is match-only and also says how it is shown", "remove assurance, mask and channel, or change the rule")
		}
		if !f.IsItem {
			c.say(key+".item", "is missing on a match-only field", "give it one; nothing else can be done with it")
		}
		return
	}
	f.Needs = purser.Assurance(c.word(key+".assurance", ff.Assurance, assuranceWords))
	if ff.Channel && f.Form != Email && f.Form != Phone {
		c.say(key+".channel", "is set on a field that holds no address", "use form email or phone, or remove it")
	}
	if m := ff.Mask; m != nil {
		f.Mask = Mask{
			Bit:   c.bit(key+".mask.bit", m.Bit),
			How:   seal.MaskKind(c.word(key+".mask.as", m.As, maskWords)),
			Needs: purser.Assurance(c.word(key+".mask.assurance", m.Assurance, assuranceWords)),
		}
		if f.Mask.Needs > f.Needs {
			c.say(key+".mask.assurance", "is above that of the full field", "use the same or less")
		}
	}
}

func (c *checking) finding(key string, f Field) {
	if f.Find != NotFound && (f.Form == Text || f.Form == Name || f.Form == BirthDate) {
		c.say(key+".index", "is set on a form that names nobody", "use it with email, phone, loyalty_number, booking_reference or postcode")
	}
	if (f.Find == ExactMany) != (f.Form == BookingReference) {
		c.say(key+".index", "does not fit the form", "booking_reference is exact-many, no other form is")
	}
	if f.Unique && f.Find != Exact {
		c.say(key+".unique", "is set on a field that is not indexed exactly", "write index: exact, or remove it")
	}
	if f.Links && f.Find != ExactMany {
		c.say(key+".links", "is set on a field of which a customer has one value", "write index: exact-many, or remove it")
	}
}

// life checks who may write a field, and how long it is kept. What brings codes
// to the customer, and his birth date, take the best that he can show; what
// finds one customer alone, or several of a booking, comes from the systems
// that hand it out.
func (c *checking) life(key string, ff fileField, f *Field) {
	if ff.Amend != "" {
		f.Amend = purser.Assurance(c.word(key+".amend", ff.Amend, assuranceWords))
		least := purser.A2
		if f.Channel || f.Form == BirthDate {
			least = purser.A3
		}
		if f.Amend < least {
			c.say(key+".amend", "is too little for this field", fmt.Sprintf("use A%d or more, or remove it", least))
		}
		if f.Unique || f.Links {
			c.say(key+".amend", "is set on a field that tells customers apart", "remove it; imports bring this field")
		}
	}
	if ff.Keep == "" {
		return
	}
	days, err := strconv.ParseUint(strings.TrimSuffix(ff.Keep, "d"), 10, 16)
	if err != nil || days == 0 || !strings.HasSuffix(ff.Keep, "d") {
		c.say(key+".keep", "is no number of days", "write a number from 1 to 65535 and d, as 400d")
	}
	f.Keep = purser.Stamp(days) * purser.Day
}

func (c *checking) column(key string, f *Field) {
	if len(f.Columns) == 0 {
		f.Columns = []string{f.Name}
	}
	for _, column := range f.Columns {
		if !isWord(column) {
			c.say(key+".columns", "holds something that is not a name", nameWayOut)
		} else if other, taken := c.columns[column]; taken {
			c.say(key+".columns", column+" is a column of "+other, "give each field columns of its own")
		}
		c.columns[column] = key
	}
}

func (c *checking) timeline(key string, ff fileField, f *Field) {
	if ff.Timeline == "" {
		return
	}
	f.Texts = seal.TextKind(c.word(key+".timeline", ff.Timeline, timelineWords))
	if f.Rule != Disclose || f.Form != Text || ff.Mask != nil {
		c.say(key+".timeline", "is set on a field that is not shown as it came", "use rule disclose and form text without a mask, or remove it")
	}
}

// whole checks what no single field can be blamed for.
func (c *checking) whole(s *Schema) {
	items, found, unprinted, links := 0, false, false, 0
	for _, f := range s.fields {
		if f.IsItem {
			items++
			found = found || f.Find != NotFound
			unprinted = unprinted || !f.Printed
		}
		if f.Links {
			links++
		}
	}
	if items < 2 || !found || !unprinted {
		c.say("fields", "cannot identify anybody",
			"give at least two fields an item, one of them an index, and one that is not printed on a boarding pass")
	}
	for i, word := range timelineWords {
		if n := s.having(func(f Field) bool { return f.Texts == seal.TextKind(i+1) }).Len(); n > 1 {
			c.say("fields", "more than one field has the texts of "+word+"s", "keep timeline: "+word+" on one")
		}
	}
	if links > 1 {
		c.say("fields", "more than one field links customers", "keep links: true on one")
	}
}

// build fills the tables that answer by bit.
func (s *Schema) build() {
	slices.SortFunc(s.fields, func(a, b Field) int { return int(a.Bit) - int(b.Bit) })
	for i, f := range s.fields {
		s.full[f.Bit] = i
		if f.Mask.How != 0 {
			s.masked[f.Mask.Bit] = i
			s.masks[f.Mask.Bit] = seal.Mask{Of: f.Bit, How: f.Mask.How}
		}
	}
}
