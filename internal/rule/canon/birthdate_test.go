package canon_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"purser/internal/rule/canon"

	"pgregory.net/rapid"
)

func TestBirthDate(t *testing.T) {
	runCases(t, canon.BirthDate, []formCase{
		{name: "normal form", in: "1980-04-03", want: "1980-04-03"},
		{name: "year first, short", in: "1980/4/3", want: "1980-04-03"},
		{name: "without separators", in: "19800403", want: "1980-04-03"},
		{name: "without separators, day first", in: "25041980", want: "1980-04-25"},
		{name: "day first", in: "25/04/1980", want: "1980-04-25"},
		{name: "month first", in: "04/25/1980", want: "1980-04-25"},
		{name: "dots", in: "25.4.1980", want: "1980-04-25"},
		{name: "same either way", in: "4/4/1980", want: "1980-04-04"},
		{name: "month name", in: "3 April 1980", want: "1980-04-03"},
		{name: "American", in: "April 3, 1980", want: "1980-04-03"},
		{name: "short month, no spaces", in: "3apr1980", want: "1980-04-03"},
		{name: "ordinal and fillers", in: "the 3rd of April, 1980", want: "1980-04-03"},
		{name: "year first with a name", in: "1980 Sept 3", want: "1980-09-03"},
		{name: "leap day", in: "29 Feb 2000", want: "2000-02-29"},
		{name: "full width", in: "１９８０－０４－０３", want: "1980-04-03"},
		{name: "en dash", in: "1980–04–03", want: "1980-04-03"},
		{name: "first day", in: "1900-01-01", want: "1900-01-01"},
		{name: "last day", in: "2100-12-31", want: "2100-12-31"},
		{name: "ambiguous", in: "03/04/1980", problem: canon.ErrAmbiguous},
		{name: "ambiguous without separators", in: "03041980", problem: canon.ErrAmbiguous},
		{name: "two-digit year", in: "25/04/80", problem: canon.ErrShape},
		{name: "year in the middle", in: "25/1980/04", problem: canon.ErrShape},
		{name: "no year", in: "3 April", problem: canon.ErrShape},
		{name: "two months", in: "April May 1980", problem: canon.ErrShape},
		{name: "no month of that name", in: "3 Avril 1980", problem: canon.ErrShape},
		{name: "no such day", in: "31 April 1980", problem: canon.ErrRange},
		{name: "not a leap year", in: "1900-02-29", problem: canon.ErrRange},
		{name: "month 13 either way", in: "13/13/1980", problem: canon.ErrRange},
		{name: "too early", in: "1899-12-31", problem: canon.ErrRange},
		{name: "too late", in: "2101-01-01", problem: canon.ErrRange},
		{name: "plus sign", in: "+1980-04-03", problem: canon.ErrCharacter},
		{name: "five-digit year", in: "11980-04-03", problem: canon.ErrShape},
	})
}

func TestBirthDatesReturnsEveryReading(t *testing.T) {
	cases := []struct {
		name, in string
		want     []string
	}{
		{"one", "25/04/1980", []string{"1980-04-25"}},
		{"two", "03/04/1980", []string{"1980-03-04", "1980-04-03"}},
		{"none", "nonsense", nil},
		{"NUL", "1980\x0004-03", nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := canon.BirthDates(c.in); !slices.Equal(got, c.want) {
				t.Fatalf("got %q, want %q", got, c.want)
			}
		})
	}
}

// Whatever way a real day is written, it is among the readings, and it is the
// only one unless the two numbers can be exchanged.
func TestBirthDateReadsEveryDayInEveryOrder(t *testing.T) {
	layouts := []string{
		"2006-01-02", "2006/1/2", "20060102", "02/01/2006", "1/2/2006", "2.1.2006",
		"2 January 2006", "January 2, 2006", "2-Jan-2006", "02012006",
	}
	rapid.Check(t, func(t *rapid.T) {
		days := rapid.IntRange(0, 73413).Draw(t, "day")
		day := time.Date(1900, 1, 1+days, 0, 0, 0, 0, time.UTC)
		in := day.Format(rapid.SampledFrom(layouts).Draw(t, "layout"))
		want := day.Format(time.DateOnly)
		readings := canon.BirthDates(in)
		if !slices.Contains(readings, want) || len(readings) > 2 {
			t.Fatalf("%q: got %q, want %s among one or two", in, readings, want)
		}
		got, err := canon.BirthDate(in)
		if len(readings) == 1 && got != want || len(readings) == 2 && !errors.Is(err, canon.ErrAmbiguous) {
			t.Fatalf("%q: got %q, %v, with readings %q", in, got, err, readings)
		}
		if len(readings) == 2 && (day.Day() > 12 || day.Day() == int(day.Month())) {
			t.Fatalf("%q: got %q, want one reading", in, readings)
		}
	})
}

func ExampleBirthDates() {
	fmt.Println(canon.BirthDates("3/4/1980"))
	fmt.Println(canon.BirthDates("3 April 1980"))
	// Output:
	// [1980-03-04 1980-04-03]
	// [1980-04-03]
}
