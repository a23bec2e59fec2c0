package canon_test

import (
	"strings"
	"testing"
	"unicode"

	"purser/internal/rule/canon"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func TestName(t *testing.T) {
	runCases(t, canon.Name, []formCase{
		{name: "plain", in: "Mary Brown", want: "mary brown"},
		{name: "spaces", in: "  Mary \u00a0 Brown ", want: "mary brown"},
		{name: "apostrophe", in: "O'Brien", want: "obrien"},
		{name: "typographic apostrophe", in: "O’Brien", want: "obrien"},
		{name: "acute typed for an apostrophe", in: "O´Brien", want: "obrien"},
		{name: "hyphen", in: "Smith-Jones", want: "smith jones"},
		{name: "initials", in: "J.R. Ewing", want: "j r ewing"},
		{name: "composed", in: "Zoë", want: "zoe"},
		{name: "decomposed", in: "Zoe\u0308", want: "zoe"},
		{name: "sharp s", in: "Strauß", want: "strauss"},
		{name: "capital sharp s", in: "STRAUẞ", want: "strauss"},
		{name: "letters without decomposition", in: "Søren Đorđe Łukasz Þóra Æbbe Œuvre", want: "soren dorde lukasz thora aebbe oeuvre"},
		{name: "Turkish i", in: "İsmail ISIK ışık", want: "ismail isik isik"},
		{name: "Vietnamese", in: "Nguyễn Thị Hường", want: "nguyen thi huong"},
		{name: "full width", in: "Ｍａｒｙ", want: "mary"},
		{name: "ligature", in: "Griﬃth", want: "griffith"},
		{name: "Greek with final sigma", in: "ΓΙΏΡΓΟΣ", want: "γιωργοσ"},
		{name: "Cyrillic", in: "Фёдор Андрей", want: "федор андреи"},
		{name: "Arabic vowel signs and hamza", in: "أَحْمَد", want: "احمد"},
		{name: "Hebrew points", in: "דָּוִד", want: "דוד"},
		{name: "Devanagari keeps its signs", in: "अनिता", want: "अनिता"},
		{name: "kana keeps its voicing", in: "ガ", want: "ガ"},
		{name: "half-width kana", in: "ｶﾞ", want: "ガ"},
		{name: "Hangul", in: "김민준", want: "김민준"},
		{name: "Han", in: "佐藤 美咲", want: "佐藤 美咲"},
		{name: "zero-width space", in: "Ma\u200bry", want: "mary"},
		{name: "digits stay", in: "John 3rd", want: "john 3rd"},
		{name: "only punctuation", in: "-.-'", problem: canon.ErrEmpty},
		{name: "grows over the limit", in: strings.Repeat("\ufdfa", 80), problem: canon.ErrTooLong},
	})
}

func TestNameMatches(t *testing.T) {
	cases := []struct {
		name, have, said string
		want             bool
	}{
		{"equal", "Mary Brown", "mary brown", true},
		{"diacritics", "Zoë Núñez", "zoe nunez", true},
		{"letter missing", "Brown", "Bron", true},
		{"letter too many", "Brown", "Browne", true},
		{"wrong letter", "Brown", "Braun", false},
		{"one wrong letter", "Brown", "Bromn", true},
		{"neighbours exchanged", "Brown", "Borwn", true},
		{"neighbours exchanged at the end", "Brown", "Bronw", true},
		{"first letter missing", "Brown", "rown", true},
		{"two slips", "Brown", "Bronwn e", false},
		{"exchange and a slip", "Brown", "Borwne", false},
		{"exchange over a distance", "Brown", "nrowB", false},
		{"four letters, one slip", "Lynn", "Lyn", false},
		{"the recorded name decides", "Lyn", "Lynne", false},
		{"four letters said for five", "Lynne", "Lynn", true},
		{"space does not count as a letter", "Al Li", "Al Le", false},
		{"short Han", "佐藤", "佐野", false},
		{"Mueller for Müller", "Müller", "Mueller", true},
		{"nothing said", "Brown", "", false},
		{"nothing recorded", "", "", false},
		{"longest compared, one slip", strings.Repeat("a", 64), strings.Repeat("a", 63) + "b", true},
		{"longer, equal", strings.Repeat("a", 65), strings.Repeat("a", 65), true},
		{"longer, one slip", strings.Repeat("a", 65), strings.Repeat("a", 64), false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := canon.NameMatches(c.have, c.said); got != c.want {
				t.Fatalf("have %q, said %q: got %v, want %v", c.have, c.said, got, c.want)
			}
		})
	}
}

// The comparison agrees with the definition: said is reachable from have by
// one edit.
func TestNameMatchesIsOneEdit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		have := rapid.StringMatching(`[abc]{1,9}`).Draw(t, "have")
		said := rapid.StringMatching(`[abc]{1,10}`).Draw(t, "said")
		if rapid.Bool().Draw(t, "near") {
			said = rapid.SampledFrom(edits(have)).Draw(t, "edit")
		}
		want := have == said
		for _, e := range edits(have) {
			want = want || len(have) >= 5 && e == said
		}
		if got := canon.NameMatches(have, said); got != want && said != "" {
			t.Fatalf("have %q, said %q: got %v, want %v", have, said, got, want)
		}
	})
}

// edits returns all strings one edit away from s over the letters abc.
func edits(s string) []string {
	var out []string
	for i := 0; i <= len(s); i++ {
		for _, c := range []string{"a", "b", "c"} {
			out = append(out, s[:i]+c+s[i:])
			if i < len(s) {
				out = append(out, s[:i]+c+s[i+1:])
			}
		}
		if i < len(s) {
			out = append(out, s[:i]+s[i+1:])
		}
		if i+1 < len(s) {
			out = append(out, s[:i]+s[i+1:i+2]+s[i:i+1]+s[i+2:])
		}
	}
	return out
}

// Plain ASCII takes a shorter path; adding a letter that folds to nothing
// special sends the same text along the long one.
func TestASCIINamesFoldLikeTheOthers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.StringOfN(rapid.RuneFrom(nil, printableASCII()), 0, 40, -1).Draw(t, "in")
		short, _ := canon.Name(in + " z")
		long, err := canon.Name(in + " \u0437") // Cyrillic ze
		if err != nil {
			t.Fatalf("got %v, want a name", err)
		}
		if got, want := strings.TrimSuffix(long, "\u0437"), strings.TrimSuffix(short, "z"); got != want {
			t.Fatalf("of %q: long path %q, short path %q", in, got, want)
		}
	})
}

func printableASCII() *unicode.RangeTable {
	return &unicode.RangeTable{R16: []unicode.Range16{{Lo: ' ', Hi: '~', Stride: 1}}}
}

func TestNameIsComposed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.String().Draw(t, "in")
		got, err := canon.Name(in)
		if err == nil && !norm.NFC.IsNormalString(got) {
			t.Fatalf("of %q: got %q, which is not in NFC", in, got)
		}
	})
}

func BenchmarkNameMatches(b *testing.B) {
	cases := []struct{ name, have, said string }{
		{"equal", "Maria Magdalena Brown", "Maria Magdalena Brown"},
		{"differs at the start", "Maria Magdalena Brown", "xaria Magdalena Brown"},
		{"differs everywhere", "Maria Magdalena Brown", "xxxxxxxxxxxxxxxxxxxxx"},
	}
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				canon.NameMatches(c.have, c.said)
			}
		})
	}
}

func BenchmarkName(b *testing.B) {
	for name, in := range map[string]string{"ascii": "Mary O'Brien-Smith", "latin": "Zoë Nguyễn", "han": "佐藤 美咲"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, _ = canon.Name(in)
			}
		})
	}
}
