package canon

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// The years a birth date may lie in. They are fixed, not relative to today:
// this package has no clock.
const (
	firstYear = 1900
	lastYear  = 2100
)

// A date is a reading of a birth date before it is known to exist.
type date struct{ year, month, day int }

// BirthDate returns s as YYYY-MM-DD. It accepts any order that leaves one
// reading: year first (with or without separators), day first, month first,
// and English month names, short or long, in any place: "1980-04-03",
// "19800403", "3 April 1980", "Apr 3rd, 1980", "25/4/1980". The year needs
// four digits.
//
// Problems: ErrEmpty, ErrTooLong, ErrEncoding, ErrControl, ErrBidi,
// ErrCharacter, ErrShape, ErrRange (no such day, or not from 1900 to 2100),
// ErrAmbiguous ("03/04/1980": see BirthDates).
func BirthDate(s string) (string, error) {
	readings, err := birthDates(s)
	if err != nil {
		return "", err
	}
	if len(readings) > 1 {
		return "", fail(FormBirthDate, ErrAmbiguous)
	}
	return readings[0], nil
}

// BirthDates returns every reading of s as YYYY-MM-DD, sorted: none when s is
// not a birth date, two when day and month cannot be told apart. A comparison
// may accept any of them: the caller said one of the two, and does not know
// which order the agent types. The slice is the caller's.
func BirthDates(s string) []string {
	readings, err := birthDates(s)
	if err != nil {
		return nil
	}
	return readings
}

func birthDates(s string) ([]string, error) {
	s, err := clean(FormBirthDate, s, maxBirthDateInput)
	if err != nil {
		return nil, err
	}
	parts, err := splitDate(strings.ToLower(norm.NFKC.String(s)))
	if err != nil {
		return nil, err
	}
	dates, err := parts.readings()
	if err != nil {
		return nil, err
	}
	var out []string
	for _, d := range dates {
		if d.exists() {
			out = append(out, d.text())
		}
	}
	if len(out) == 0 {
		return nil, fail(FormBirthDate, ErrRange)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// dateParts are the numbers of a written date in their order, as digits, and
// its named month, 0 when there is none.
type dateParts struct {
	numbers []string
	month   int
}

// splitDate takes a date in lower case apart.
func splitDate(s string) (dateParts, error) {
	var parts dateParts
	for s != "" {
		digits := leading(s, func(r rune) bool { return '0' <= r && r <= '9' })
		letters := leading(s, func(r rune) bool { return 'a' <= r && r <= 'z' })
		gap := leading(s, isDateGap)
		switch {
		case digits > 0:
			parts.numbers = append(parts.numbers, s[:digits])
			suffix := s[digits:]
			if n := leading(suffix, func(r rune) bool { return 'a' <= r && r <= 'z' }); isOrdinal(suffix[:n]) {
				digits += n
			}
			s = s[digits:]
		case letters > 0:
			if err := parts.word(s[:letters]); err != nil {
				return dateParts{}, err
			}
			s = s[letters:]
		case gap > 0:
			s = s[gap:]
		default:
			return dateParts{}, fail(FormBirthDate, ErrCharacter)
		}
	}
	if len(parts.numbers) == 0 && parts.month == 0 {
		return dateParts{}, fail(FormBirthDate, ErrEmpty)
	}
	return parts, nil
}

// leading returns the length in bytes of the prefix of s whose characters are
// all in the set.
func leading(s string, in func(rune) bool) int {
	for i, r := range s {
		if !in(r) {
			return i
		}
	}
	return len(s)
}

func isDateGap(r rune) bool {
	return unicode.IsSpace(r) || isDash(r) || strings.ContainsRune(",./'", r)
}

func isOrdinal(s string) bool {
	return s == "st" || s == "nd" || s == "rd" || s == "th"
}

// word takes one word of a date: a month, or a word that says nothing.
func (p *dateParts) word(w string) error {
	if w == "of" || w == "the" {
		return nil
	}
	month := monthNumber(w)
	if month == 0 || p.month != 0 {
		return fail(FormBirthDate, ErrShape)
	}
	p.month = month
	return nil
}

// monthNumber returns 1 to 12 for an English month name, whole or its first
// three letters, and 0 for anything else.
func monthNumber(w string) int {
	names := [12]string{
		"january", "february", "march", "april", "may", "june", "july",
		"august", "september", "october", "november", "december",
	}
	for i, name := range names {
		if w == name || w == name[:3] || w == "sept" && i == 8 {
			return i + 1
		}
	}
	return 0
}

// readings returns the dates that the parts can mean, existing or not.
func (p dateParts) readings() ([]date, error) {
	n := p.numbers
	switch {
	case p.month == 0 && len(n) == 1 && len(n[0]) == 8:
		return eightDigits(n[0]), nil
	case p.month == 0 && len(n) == 3 && len(n[0]) == 4 && isShort(n[1]) && isShort(n[2]):
		return []date{{number(n[0]), number(n[1]), number(n[2])}}, nil
	case p.month == 0 && len(n) == 3 && isShort(n[0]) && isShort(n[1]) && len(n[2]) == 4:
		return eitherOrder(n[0], n[1], n[2]), nil
	case p.month != 0 && len(n) == 2 && isShort(n[0]) && len(n[1]) == 4:
		return []date{{number(n[1]), p.month, number(n[0])}}, nil
	case p.month != 0 && len(n) == 2 && len(n[0]) == 4 && isShort(n[1]):
		return []date{{number(n[0]), p.month, number(n[1])}}, nil
	}
	return nil, fail(FormBirthDate, ErrShape)
}

// eightDigits reads a date without separators. Year first never competes with
// the others: no month begins with the years we accept.
func eightDigits(n string) []date {
	yearFirst := date{number(n[:4]), number(n[4:6]), number(n[6:])}
	return append(eitherOrder(n[:2], n[2:4], n[4:]), yearFirst)
}

// eitherOrder reads a date whose year is last.
func eitherOrder(first, second, year string) []date {
	return []date{
		{number(year), number(second), number(first)},
		{number(year), number(first), number(second)},
	}
}

func isShort(digits string) bool { return len(digits) <= 2 }

// number returns the value of at most four digits.
func number(digits string) int {
	n := 0
	for _, c := range []byte(digits) {
		n = 10*n + int(c-'0')
	}
	return n
}

// exists reports whether the calendar has the day, in the accepted years.
func (d date) exists() bool {
	return firstYear <= d.year && d.year <= lastYear &&
		1 <= d.month && d.month <= 12 &&
		1 <= d.day && d.day <= daysIn(d.year, d.month)
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// text returns YYYY-MM-DD.
func (d date) text() string {
	return string([]byte{
		digit(d.year / 1000), digit(d.year / 100), digit(d.year / 10), digit(d.year), '-',
		digit(d.month / 10), digit(d.month), '-',
		digit(d.day / 10), digit(d.day),
	})
}

func digit(n int) byte { return byte('0' + n%10) }
