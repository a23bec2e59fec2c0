package record_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"purser"
	"purser/internal/record"
	"purser/internal/seal"
)

// The table of the design: every field with its rule and what it takes.
func TestDefaultSchemaIsTheTable(t *testing.T) {
	s := mustDefault(t)
	want := []string{
		"0 name disclose A1 find 0 item 6 printed",
		"1 salutation disclose A2 find 0",
		"2 gender disclose A2 find 0",
		"3 email disclose A2 mask 4 A1 find 1 item 2 channel",
		"5 phone disclose A2 mask 6 A1 find 1 item 3 channel",
		"7 birth_date match-only find 0 item 4",
		"8 postcode match-only find 0 item 5",
		"9 address disclose A3 find 0",
		"10 loyalty_number disclose A1 mask 11 A1 find 1 item 0 printed",
		"12 booking_reference match-only find 2 item 1 printed links",
		"13 tier disclose A1 find 0",
		"14 points disclose A1 find 0",
		"15 status_credits disclose A1 find 0",
		"16 meal_preference disclose A2 find 0",
		"17 case disclose A2 find 0",
		"18 note disclose A2 find 0",
	}
	var got []string
	for _, f := range s.Fields() {
		got = append(got, describe(f))
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if p, ok := s.Purpose("change_booking"); p != 1 || !ok {
		t.Errorf("first purpose: got %d %v, want 1", p, ok)
	}
	if p, ok := s.Purpose("fun"); p != 0 || ok {
		t.Errorf("unknown purpose: got %d %v, want 0", p, ok)
	}
	if topic, ok := s.Topic("answered"); topic != 1 || !ok {
		t.Errorf("first topic: got %d %v, want 1", topic, ok)
	}
	if topic, ok := s.Topic("fun"); topic != 0 || ok {
		t.Errorf("unknown topic: got %d %v, want 0", topic, ok)
	}
	if got, want := s.Texts(), (seal.TextBits{Case: purser.Mask(17), Note: purser.Mask(18)}); got != want {
		t.Errorf("bits of texts: got %+v, want %+v", got, want)
	}
}

func describe(f record.Field) string {
	out := fmt.Sprintf("%d %s", f.Bit, f.Name)
	if f.Rule == record.MatchOnly {
		out += " match-only"
	} else {
		out += fmt.Sprintf(" disclose A%d", f.Needs)
	}
	if f.Mask.How != 0 {
		out += fmt.Sprintf(" mask %d A%d", f.Mask.Bit, f.Mask.Needs)
	}
	out += fmt.Sprintf(" find %d", f.Find)
	if f.IsItem {
		out += fmt.Sprintf(" item %d", f.Item)
	}
	for _, flag := range []struct {
		word string
		set  bool
	}{{" printed", f.Printed}, {" channel", f.Channel}, {" links", f.Links}} {
		if flag.set {
			out += flag.word
		}
	}
	return out
}

func TestMatchOnlyFieldsAreNeverDisclosable(t *testing.T) {
	s := mustDefault(t)
	for bit := range purser.MaxField + 1 {
		b, ok := s.Bit(bit)
		if shown := s.Disclosable().Has(bit); shown != (ok && b.Disclosable()) {
			t.Errorf("bit %d: disclosable %v, want %v", bit, shown, ok && b.Disclosable())
		}
	}
	for _, name := range []string{"birth_date", "postcode", "booking_reference"} {
		if f, ok := s.Field(name); !ok || s.Disclosable().Has(f.Bit) {
			t.Errorf("%s: disclosable", name)
		}
	}
	email, _ := s.Bit(4)
	if email.Field.Name != "email" || !email.Masked || email.Needs != purser.A1 {
		t.Errorf("bit 4: got %+v, want the masked e-mail at A1", email)
	}
	if got, want := s.Channels(), purser.Mask(3, 5); got != want {
		t.Errorf("channels: got %b, want %b", got, want)
	}
}

// Policies number the classes by themselves; the order of both is that of the
// policies' schema.
func TestClassesAreThoseOfPolicies(t *testing.T) {
	words, err := os.ReadFile("../rule/policy/schema.cedarschema")
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	var names []string
	s := mustDefault(t)
	for class := record.Identity; class <= record.Service; class++ {
		names = append(names, fmt.Sprintf("%q", class))
	}
	if want := "entity Class enum [" + strings.Join(names, ", ") + "];"; !strings.Contains(string(words), want) {
		t.Fatalf("the policies' schema does not hold %s", want)
	}
	if f, _ := s.Field("address"); f.Class != record.Place {
		t.Fatalf("class of address: got %v, want %v", f.Class, record.Place)
	}
}

func TestHashIsThatOfTheFile(t *testing.T) {
	text := record.DefaultText()
	a, errA := record.Parse(text)
	b, errB := record.Parse(append(text, '\n'))
	if errA != nil || errB != nil || a.Hash() == b.Hash() || a.Hash() != mustDefault(t).Hash() {
		t.Fatalf("hashes: got %x %x %v %v, want two", a.Hash(), b.Hash(), errA, errB)
	}
}

func TestParseReportsAllProblemsTogether(t *testing.T) {
	_, err := record.Parse([]byte(`
schema: Not A Name
version: 2
purposes: [a, a]
fields:
  - {name: x, bit: 40, class: odd, rule: show, form: poem}
  - {name: x, bit: 1, class: identity, rule: disclose, form: text, assurance: A4, item: 20, longest: -1}
`))
	for _, key := range []string{
		"schema:", "version:", "purposes[1]:", "fields.x.bit:", "fields.x.class:", "fields.x.rule:", "fields.x.form:",
		"fields.x:", "fields.x.assurance:", "fields.x.item:", "fields.x.longest:", "fields:",
	} {
		if err == nil || !strings.Contains("\n"+err.Error(), "\n"+key) {
			t.Errorf("no problem for %s in\n%v", key, err)
		}
	}
	var p record.Problem
	if !errors.As(err, &p) || p.WayOut == "" {
		t.Errorf("got %v, want Problems with ways out", err)
	}
}

func TestParseRefusesWhatWouldLoosenOrConfuse(t *testing.T) {
	whole := string(record.DefaultText())
	for _, c := range []struct{ name, old, new, want string }{
		{"match-only with an assurance", "rule: match-only\n    form: birth_date", "rule: match-only\n    assurance: A1\n    form: birth_date", "is match-only and also says how it is shown"},
		{"match-only with a mask", "rule: match-only\n    form: postcode", "rule: match-only\n    mask: {bit: 30, as: email, assurance: A1}\n    form: postcode", "is match-only and also says how it is shown"},
		{"match-only that nothing uses", "form: birth_date\n    item: 4", "form: birth_date", "is missing on a match-only field"},
		{"shown at A0", "rule: disclose\n    assurance: A3", "rule: disclose\n    assurance: A0", "is not one of its words"},
		{"mask above the field", "as: email, assurance: A1", "as: email, assurance: A3", "is above that of the full field"},
		{"bit taken by a mask", "bit: 13", "bit: 11", "is that of fields.loyalty_number.mask.bit"},
		{"no bit", "    bit: 13\n", "", "is missing or out of range"},
		{"item taken", "item: 5", "item: 4", "is that of fields.birth_date"},
		{"index on a name", "form: name", "form: name\n    index: exact", "is set on a form that names nobody"},
		{"bookings found as one", "index: exact-many", "index: exact", "does not fit the form"},
		{"links without many", "    links: true\n", "", ""},
		{"unique without index", "form: name", "form: name\n    unique: true", "is not indexed exactly"},
		{"channel without address", "form: name", "form: name\n    channel: true", "holds no address"},
		{"printed but no item", "bit: 13", "bit: 13\n    printed: true", "is set on a field that is no item"},
		{"column of two fields", "bit: 13", "bit: 13\n    columns: [email]", "is a column of"},
		{"unknown key", "bit: 13", "bit: 13\n    index_by: prefix", "is no schema that Purser knows"},
		{"key twice", "bit: 13", "bit: 13\n    bit: 14", "is no schema that Purser knows"},
		{"second document", "    timeline: case\n\n", "---\n", "holds more than one document"},
		{"topic twice", "  - answered", "  - refund\n  - answered", "is there twice"},
		{"two fields of notes", "timeline: case", "timeline: note", "more than one field has the texts of notes"},
		{"texts of another kind", "timeline: case", "timeline: mail", "is not one of its words"},
		{"texts of a field in normal form", "form: name", "form: name\n    timeline: case", "is set on a field that is not shown as it came"},
		{"texts shown to nobody", "form: birth_date", "form: birth_date\n    timeline: case", "is set on a field that is not shown as it came"},
		{"too large", "schema: airline", "schema: airline #" + strings.Repeat("x", 1<<17), "is too large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(whole, c.old, c.new, 1)
			if text == whole {
				t.Fatalf("%q is not in the default schema", c.old)
			}
			_, err := record.Parse([]byte(text))
			if c.want == "" && err == nil {
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestEnoughItems(t *testing.T) {
	s := mustDefault(t)
	for _, c := range []struct {
		items string
		want  purser.Reason
	}{
		{"", purser.TooFewItems},
		{"email", purser.TooFewItems},
		{"email email", purser.TooFewItems},
		{"loyalty_number booking_reference name", purser.OnlyPrinted},
		{"booking_reference name", purser.OnlyPrinted},
		{"booking_reference birth_date", purser.Allowed},
		{"email phone", purser.Allowed},
	} {
		var kinds []record.Kind
		for _, name := range strings.Fields(c.items) {
			f, _ := s.Field(name)
			kinds = append(kinds, f.Item)
		}
		if got := s.Enough(kinds); got != c.want {
			t.Errorf("%q: got %d, want %d", c.items, got, c.want)
		}
	}
	if got := s.Enough([]record.Kind{90, 91}); got != purser.TooFewItems {
		t.Errorf("kinds nobody knows: got %d, want TooFewItems", got)
	}
	if got, want := s.Compared([]record.Kind{2, 6, 90}), purser.Mask(3, 0); got != want {
		t.Errorf("compared: got %b, want %b", got, want)
	}
	if got, want := record.ItemBits([]record.Kind{0, 6, 90}), uint16(1|1<<6); got != want {
		t.Errorf("item bits: got %b, want %b", got, want)
	}
}

func TestCompare(t *testing.T) {
	s := mustDefault(t)
	for _, c := range []struct {
		item, have, said string
		want             bool
	}{
		{"name", "Žofia Example", "zofia example", true},
		{"name", "Kim Example", "Kim Exampel", true},
		{"name", "Kim Li", "Kim Lo", true},
		{"name", "Kim Example", "Kim Sample", false},
		{"name", "Kim Example", "", false},
		{"email", "Kim@example.com", "kim@EXAMPLE.com", true},
		{"email", "kim@example.com", "kin@example.com", false},
		{"phone", "+61491570156", "0491 570 156", true},
		{"phone", "+61491570156", "0491 570 157", false},
		{"birth_date", "1980-04-03", "03/04/1980", true},
		{"birth_date", "1980-04-03", "04/03/1980", true},
		{"birth_date", "1980-04-03", "3 April 1980", true},
		{"birth_date", "1980-04-03", "3 May 1980", false},
		{"birth_date", "1980-04-03", "soon", false},
		{"postcode", "2000", "20 00", true},
		{"postcode", "2000", "2001", false},
		{"booking_reference", "ABC123 DEF456", "def456", true},
		{"booking_reference", "ABC123 DEF456", "ABC124", false},
		{"booking_reference", "ABC123", "", false},
		{"email", "", "kim@example.com", false},
		{"email", "", "", false},
	} {
		f, _ := s.Field(c.item)
		if got := s.Compare(f.Item, purser.NewPlain(c.have), s.Canonical(f.Item, c.said, "AU")); got != c.want {
			t.Errorf("%s %q, said %q: got %v, want %v", c.item, c.have, c.said, got, c.want)
		}
	}
	if s.Compare(90, purser.NewPlain("x"), "x") || s.Canonical(90, "x", "AU") != "" {
		t.Error("a kind nobody knows compares")
	}
}

// What a record holds is what its customer says, however it was written.
func TestCompareTakesItsOwnNormalForm(t *testing.T) {
	s := mustDefault(t)
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.SampledFrom(s.Fields()).Filter(func(f record.Field) bool { return f.IsItem }).Draw(t, "field")
		said := rapid.StringMatching(`[A-Za-z0-9+@.\- ]{0,20}`).Draw(t, "said")
		normal, err := f.Normal(said, "AU")
		if err != nil {
			return
		}
		if !s.Compare(f.Item, purser.NewPlain(normal), s.Canonical(f.Item, said, "AU")) {
			t.Fatalf("%s: %q is not %q", f.Name, said, normal)
		}
	})
}

func FuzzSchema(f *testing.F) {
	f.Add(record.DefaultText())
	f.Add([]byte("schema: a\nversion: 1\nfields: []\n"))
	f.Add([]byte("a: &a [*a, *a]\n"))
	files, err := filepath.Glob("schema/*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatalf("schemas: got %v %v, want one", files, err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatalf("read: %v", err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := record.Parse(text)
		if err != nil {
			return
		}
		for _, field := range s.Fields() {
			if field.Rule == record.MatchOnly && s.Disclosable().Has(field.Bit) {
				t.Fatalf("%s is match-only and disclosable", field.Name)
			}
			if b, ok := s.Bit(field.Bit); !ok || b.Field.Name != field.Name {
				t.Fatalf("bit %d: got %s, want %s", field.Bit, b.Field.Name, field.Name)
			}
		}
	})
}
