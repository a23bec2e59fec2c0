package canon_test

import (
	"testing"

	"purser/internal/rule/canon"

	"github.com/nyaruka/phonenumbers"
	"pgregory.net/rapid"
)

func TestPhone(t *testing.T) {
	runCases(t, phoneAU, []formCase{
		{name: "normal form", in: "+61491570156", want: "+61491570156"},
		{name: "national", in: "0491 570 156", want: "+61491570156"},
		{name: "national with brackets", in: "(02) 5550-1234", want: "+61255501234"},
		{name: "international prefix of the region", in: "0011 44 7700 900123", want: "+447700900123"},
		{name: "national prefix after the country code", in: "+44 (0)7700 900 123", want: "+447700900123"},
		{name: "full width", in: "＋６１　４９１　５７０　１５６", want: "+61491570156"},
		{name: "Arabic digits", in: "+٦١٤٩١٥٧٠١٥٦", want: "+61491570156"},
		{name: "fictional American", in: "+1 (212) 555-0123", want: "+12125550123"},
		{name: "link", in: "tel:+61-491-570-156", want: "+61491570156"},
		{name: "leading zero that belongs to the number", in: "+39 06 1234 5678", want: "+390612345678"},
		{name: "no-break hyphen", in: "+61\u2011491\u2011570\u2011156", want: "+61491570156"},
		{name: "national outside the plan", in: "0191 570 156", problem: canon.ErrRange},
		{name: "too short", in: "+61 491", problem: canon.ErrRange},
		{name: "too long", in: "+61 491 570 1567 890", problem: canon.ErrRange},
		{name: "without its area code", in: "5550 1234", problem: canon.ErrRange},
		{name: "no such country", in: "+999 1234567", problem: canon.ErrShape},
		{name: "letters", in: "1800 FLIGHTS", problem: canon.ErrCharacter},
		{name: "extension", in: "+61 2 5550 1234 ext 7", problem: canon.ErrCharacter},
		{name: "extension by number sign", in: "+61 2 5550 1234 #7", problem: canon.ErrCharacter},
		{name: "parameter", in: "tel:91570156;phone-context=+614", problem: canon.ErrCharacter},
		{name: "only signs", in: "+-()", problem: canon.ErrShape},
	})
}

func TestPhoneWithoutRegion(t *testing.T) {
	if got, err := canon.Phone("+61 491 570 156", ""); err != nil || got != "+61491570156" {
		t.Fatalf("international: got %q, %v", got, err)
	}
	if got, err := canon.Phone("0491 570 156", ""); err == nil {
		t.Fatalf("national: got %q, want a problem", got)
	}
}

// What skips the parser must be what the parser would answer, whatever the
// default region: shapes that skip it, and their close neighbours.
func TestPhoneAnswersAsTheParserDoes(t *testing.T) {
	in := rapid.OneOf(
		rapid.StringMatching(`\+1[0-9]{10}`),
		rapid.StringMatching(`\+61[0-9]{9}`),
		rapid.StringMatching(`\+44[0-9]{10}`),
		rapid.StringMatching(`\+(1|61|44|54|52|7|81|380)[0-9]{8,11}`),
	)
	rapid.Check(t, func(t *rapid.T) {
		s := in.Draw(t, "in")
		region := rapid.SampledFrom([]string{"", "AU", "US", "GB", "AR"}).Draw(t, "region")
		got, err := canon.Phone(s, region)
		number, parseErr := phonenumbers.Parse(s, region)
		possible := parseErr == nil &&
			phonenumbers.IsPossibleNumberWithReason(number) == phonenumbers.IS_POSSIBLE
		if err == nil && !possible {
			t.Fatalf("%s in %q: got %q, the parser refuses it", s, region, got)
		}
		if err == nil && len(s) <= 13 && got == s && phonenumbers.Format(number, phonenumbers.E164) != s {
			t.Fatalf("%s in %q: got it unchanged, the parser answers %s", s, region, phonenumbers.Format(number, phonenumbers.E164))
		}
		if err != nil && possible {
			again, _ := canon.Phone(phonenumbers.Format(number, phonenumbers.E164), region)
			if again != "" {
				t.Fatalf("%s in %q: got %v, the parser accepts it", s, region, err)
			}
		}
	})
}

func BenchmarkPhone(b *testing.B) {
	for name, in := range map[string]string{
		"normal form":       "+61491570156",
		"parsed normal":     "+491701234567",
		"national":          "0491 570 156",
		"refused character": "1800 FLIGHTS",
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, _ = canon.Phone(in, "AU")
			}
		})
	}
}
