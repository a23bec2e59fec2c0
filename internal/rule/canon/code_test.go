package canon_test

import (
	"errors"
	"testing"

	"purser/internal/rule/canon"

	"pgregory.net/rapid"
)

func TestLoyaltyNumber(t *testing.T) {
	runCases(t, canon.LoyaltyNumber, []formCase{
		{name: "plain", in: "79927398713", want: "79927398713"},
		{name: "spaces and dashes", in: " 7992 7398-713", want: "79927398713"},
		{name: "other dashes and spaces", in: "7992\u20117398\u00a0713", want: "79927398713"},
		{name: "letters", in: "pa 79927398713", want: "PA79927398713"},
		{name: "full width", in: "ＰＡ７９９２７３９８７１３", want: "PA79927398713"},
		{name: "wrong check digit", in: "79927398710", problem: canon.ErrCheckDigit},
		{name: "neighbours exchanged", in: "79972398713", problem: canon.ErrCheckDigit},
		{name: "too few digits", in: "PA18", problem: canon.ErrShape},
		{name: "too many digits", in: "4111111111111111", problem: canon.ErrShape},
		{name: "too many letters", in: "ABCD79927398713", problem: canon.ErrShape},
		{name: "letter among the digits", in: "79927A39871", problem: canon.ErrCharacter},
		{name: "other script", in: "٧٩٩٢٧٣٩٨٧١٣", problem: canon.ErrCharacter},
		{name: "sign", in: "+79927398713", problem: canon.ErrCharacter},
	})
}

func TestLoyaltyCheckDigit(t *testing.T) {
	cases := []struct {
		name, digits string
		want         byte
		problem      canon.Problem
	}{
		{"known", "7992739871", '3', ""},
		{"zero", "00000", '0', ""},
		{"empty", "", 0, canon.ErrEmpty},
		{"letter", "12a45", 0, canon.ErrCharacter},
		{"too long", "123456789012", 0, canon.ErrTooLong},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := canon.LoyaltyCheckDigit(c.digits)
			if got != c.want || c.problem == "" && err != nil || c.problem != "" && !errors.Is(err, c.problem) {
				t.Fatalf("got %q, %v, want %q, %q", got, err, c.want, c.problem)
			}
		})
	}
}

func TestLoyaltyNumberFindsEverySingleWrongDigit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`[0-9]{5,11}`).Draw(t, "digits")
		check, err := canon.LoyaltyCheckDigit(digits)
		if err != nil {
			t.Fatalf("got %v, want a check digit", err)
		}
		number := []byte(digits + string(check))
		if _, err := canon.LoyaltyNumber(string(number)); err != nil {
			t.Fatalf("%s: got %v, want it accepted", number, err)
		}
		at := rapid.IntRange(0, len(number)-1).Draw(t, "at")
		by := rapid.IntRange(1, 9).Draw(t, "by")
		number[at] = '0' + (number[at]-'0'+byte(by))%10
		if got, err := canon.LoyaltyNumber(string(number)); !errors.Is(err, canon.ErrCheckDigit) {
			t.Fatalf("%s, wrong at %d: got %q, %v, want a wrong check digit", number, at, got, err)
		}
	})
}

func TestBookingReference(t *testing.T) {
	runCases(t, canon.BookingReference, []formCase{
		{name: "plain", in: "K7QX0O", want: "K7QX0O"},
		{name: "lower case and space", in: " k7q x0o ", want: "K7QX0O"},
		{name: "only digits", in: "012345", want: "012345"},
		{name: "too short", in: "K7QX0", problem: canon.ErrShape},
		{name: "too long", in: "K7QX0OO", problem: canon.ErrShape},
		{name: "sign", in: "K7QX0?", problem: canon.ErrCharacter},
		{name: "look-alike in another script", in: "К7QX0O", problem: canon.ErrCharacter},
	})
}

func TestPostcode(t *testing.T) {
	runCases(t, canon.Postcode, []formCase{
		{name: "Australian", in: "2000", want: "2000"},
		{name: "British", in: "sw1a 1aa", want: "SW1A1AA"},
		{name: "Polish", in: "00-950", want: "00950"},
		{name: "American", in: "12345-6789", want: "123456789"},
		{name: "full width", in: "１００−０００１", want: "1000001"},
		{name: "too short", in: "2", problem: canon.ErrShape},
		{name: "too long", in: "12345678901", problem: canon.ErrShape},
		{name: "comma", in: "2000,", problem: canon.ErrCharacter},
	})
}
