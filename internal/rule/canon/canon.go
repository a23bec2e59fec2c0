// Package canon owns the normal forms: one spelling for each name, e-mail
// address, phone number, date of birth, loyalty number, booking reference and
// postcode, so that what a caller says and what a record holds can be compared
// and looked up exactly.
//
// It does not own what a field may hold (the schema does), which items suffice
// to identify a customer (the gate does), or the search for data that must not
// be kept at all (package forbidden).
//
// It carries two laws. L2: every function is pure; the same string gives the
// same normal form on every machine, without clock, locale or configuration.
// L6: an error names the form and the problem and never holds any part of the
// value, so it can be logged and sent.
//
// Every form is idempotent: the normal form of a normal form is itself, so a
// blind index does not depend on how often a value passed through here.
//
// Start reading at clean, the door that every value passes, then Name and
// NameMatches. All functions may be called from any number of goroutines.
package canon

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxInput is the longest input, and the longest normal form, in bytes that
// any function here accepts. Some forms are shorter.
const MaxInput = 256

// The longest inputs of single forms, in bytes. They leave room for the
// separators people write.
const (
	maxPhoneInput     = 64
	maxBirthDateInput = 64
	maxCodeInput      = 48
)

// A Form names the normal form that was asked for.
type Form string

// The forms.
const (
	FormName             Form = "name"
	FormEmail            Form = "e-mail address"
	FormPhone            Form = "phone number"
	FormBirthDate        Form = "birth date"
	FormLoyaltyNumber    Form = "loyalty number"
	FormBookingReference Form = "booking reference"
	FormPostcode         Form = "postcode"
)

// A Problem is what is wrong with a value. Each is an error that errors.Is
// finds in an *Error.
type Problem string

// The problems. Their text tells what would be accepted, never what was given.
const (
	ErrEmpty      Problem = "is empty"
	ErrTooLong    Problem = "is too long"
	ErrEncoding   Problem = "is not valid UTF-8 text"
	ErrControl    Problem = "contains a control character"
	ErrBidi       Problem = "contains a character that changes the direction of text"
	ErrCharacter  Problem = "contains a character that has no place in it"
	ErrShape      Problem = "does not have the expected shape"
	ErrRange      Problem = "is outside the possible range"
	ErrCheckDigit Problem = "has a wrong check digit"
	ErrAmbiguous  Problem = "can be read in two ways; write the month as a word"
)

// Error tells what is wrong, and is the problem alone: it can never carry the
// form, far less the value.
func (p Problem) Error() string { return string(p) }

// An Error tells which form a value failed and why. It never holds the value,
// and its text is one of a fixed, small set.
type Error struct {
	Form    Form
	Problem Problem
}

// Error returns the form and the problem.
func (e *Error) Error() string { return string(e.Form) + " " + string(e.Problem) }

// Unwrap returns the problem, for errors.Is.
func (e *Error) Unwrap() error { return e.Problem }

// fail makes the error of this package.
func fail(form Form, problem Problem) error {
	return &Error{Form: form, Problem: problem}
}

// clean is the door that every value passes first. It refuses what is too
// long before it looks at a single character (so that a value of a megabyte
// costs nothing), what is not UTF-8 or was damaged on the way (U+FFFD), and
// control and direction-changing characters. Invisible format characters
// (zero-width spaces and joiners, soft hyphens, byte order marks), which
// pasted text carries and nobody sees, are dropped.
func clean(form Form, s string, limit int) (string, error) {
	if len(s) > limit {
		return "", fail(form, ErrTooLong)
	}
	if !utf8.ValidString(s) {
		return "", fail(form, ErrEncoding)
	}
	invisible := false
	for _, r := range s {
		switch {
		case r == utf8.RuneError:
			return "", fail(form, ErrEncoding)
		case unicode.IsControl(r):
			return "", fail(form, ErrControl)
		case overridesDirection(r):
			return "", fail(form, ErrBidi)
		case r > unicode.MaxASCII && unicode.Is(unicode.Cf, r):
			invisible = true
		}
	}
	if invisible {
		s = strings.Map(dropFormat, s)
	}
	return s, nil
}

// overridesDirection reports whether r embeds, overrides or isolates a
// direction of text: such a value would be shown differently from what is
// compared.
func overridesDirection(r rune) bool {
	return 0x202A <= r && r <= 0x202E || 0x2066 <= r && r <= 0x2069
}

func dropFormat(r rune) rune {
	if unicode.Is(unicode.Cf, r) {
		return -1
	}
	return r
}

// compact is the common first step of the printed codes: clean, full-width
// characters made plain, spaces and dashes dropped, upper case, and nothing
// but A-Z and 0-9 left.
func compact(form Form, s string) (string, error) {
	s, err := clean(form, s, maxCodeInput)
	if err != nil {
		return "", err
	}
	s = strings.Map(upperCode, norm.NFKC.String(s))
	if s == "" {
		return "", fail(form, ErrEmpty)
	}
	for _, c := range []byte(s) {
		if !isUpper(c) && !isDigit(c) {
			return "", fail(form, ErrCharacter)
		}
	}
	return s, nil
}

func upperCode(r rune) rune {
	switch {
	case unicode.IsSpace(r), isDash(r):
		return -1
	case 'a' <= r && r <= 'z':
		return r - 'a' + 'A'
	}
	return r
}

// isDash reports whether r is one of the dashes and minus signs that people
// and word processors put between digits.
func isDash(r rune) bool {
	return r == '-' || r == 0x2212 || r > unicode.MaxASCII && unicode.Is(unicode.Pd, r)
}

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
