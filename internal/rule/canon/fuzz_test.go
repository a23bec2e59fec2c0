package canon_test

import (
	"slices"
	"testing"

	"purser/internal/rule/canon"
)

// fuzzForm holds the promise of every form for the form at index, starting
// from seeds and from text that is bad for all.
func fuzzForm(f *testing.F, index int, seeds ...string) {
	for _, s := range append(seeds, "", " ", "\x00", "\xff", "\u202e", "\ufffd", "\ufdfa", "a\u0301\u0331", "İ") {
		f.Add(s)
	}
	of := forms()[index]
	f.Fuzz(func(t *testing.T, in string) { checkForm(t, of, in) })
}

func FuzzName(f *testing.F) {
	fuzzForm(f, 0, "Mary O'Brien-Smith", "Zoë", "Nguyễn", "ΓΙΏΡΓΟΣ", "أَحْمَد", "अनिता", "ｶﾞ", "한", "ᄒ'ᅡ", "Strauß ŉ")
}

func FuzzEmail(f *testing.F) {
	fuzzForm(f, 1, "mary@example.com", "a@bücher.example", "a@例え。example", "É@xn--a.com", "a@b@c", "a@-b.c")
}

func FuzzPhone(f *testing.F) {
	fuzzForm(f, 2, "+61491570156", "0491 570 156", "+44 (0)7700 900123", "0011 1 212 555 0123", "+390612345678", "tel:+1-212-555-0123", "+٦١٤", "+541115123456")
}

func FuzzBirthDate(f *testing.F) {
	for _, s := range []string{"1980-04-03", "03/04/1980", "3rd of April 1980", "19800403", "29 Feb 1900", "1980 Sept 3"} {
		f.Add(s)
	}
	of := forms()[3]
	f.Fuzz(func(t *testing.T, in string) {
		checkForm(t, of, in)
		readings := canon.BirthDates(in)
		if len(readings) > 2 || !slices.IsSorted(readings) {
			t.Fatalf("%q: got %q, want at most two, sorted", in, readings)
		}
		for _, r := range readings {
			if again, err := canon.BirthDate(r); err != nil || again != r {
				t.Fatalf("%q: reading %q gives %q, %v", in, r, again, err)
			}
		}
	})
}

func FuzzLoyalty(f *testing.F) {
	fuzzForm(f, 4, "79927398713", "PA 7992 7398-713", "٧٩٩٢", "4111111111111111")
}

func FuzzBookingReference(f *testing.F) {
	fuzzForm(f, 5, "K7QX0O", "k7q x0o", "К7QX0O")
}

func FuzzPostcode(f *testing.F) {
	fuzzForm(f, 6, "2000", "SW1A 1AA", "00-950", "１００−０００１")
}
