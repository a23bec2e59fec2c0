package canon

import (
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/unicode/norm"
)

// maxPhonePasses bounds the search for a form that parses to itself. The
// number plans reach it at the second pass; a number that never does is
// refused, because its blind index would depend on how often it was read.
const maxPhonePasses = 4

// Phone returns s in E.164 form, "+" and 7 to 15 digits. A number without a
// country code is read as one of defaultRegion (an ISO 3166 code such as
// "AU"); with an empty region only international numbers are accepted.
//
// An international number must have a length its country uses; whether its
// range is assigned is not asked, since number plans change more often than
// this program. A number without a country code must be a valid one of the
// region, because a missing area code shows in nothing else.
// Letters are refused, with them vanity numbers and extensions, which E.164
// cannot express and which would make one number of many people.
//
// Problems: ErrEmpty, ErrTooLong, ErrEncoding, ErrControl, ErrBidi,
// ErrCharacter, ErrShape, ErrRange (no such number there).
func Phone(s, defaultRegion string) (string, error) {
	if isPlainE164(s) {
		return s, nil
	}
	s, err := clean(FormPhone, s, maxPhoneInput)
	if err != nil {
		return "", err
	}
	s = strings.TrimSpace(norm.NFKC.String(s))
	s = strings.TrimPrefix(strings.TrimPrefix(s, "tel:"), "TEL:")
	switch {
	case s == "":
		return "", fail(FormPhone, ErrEmpty)
	case len(s) > maxPhoneInput:
		return "", fail(FormPhone, ErrTooLong)
	case strings.IndexFunc(s, notPhone) >= 0:
		return "", fail(FormPhone, ErrCharacter)
	}
	return stableE164(s, defaultRegion)
}

func notPhone(r rune) bool {
	return !unicode.IsDigit(r) && !unicode.IsSpace(r) && !isDash(r) && !strings.ContainsRune("+.()/", r)
}

// stableE164 parses until the answer parses to itself.
func stableE164(s, defaultRegion string) (string, error) {
	for range maxPhonePasses {
		parsed, err := parseE164(s, defaultRegion)
		if err != nil {
			return "", err
		}
		if parsed == s || isPlainE164(parsed) {
			return parsed, nil
		}
		s = parsed
	}
	return "", fail(FormPhone, ErrShape)
}

func parseE164(s, defaultRegion string) (string, error) {
	number, err := phonenumbers.ParseAndKeepRawInput(s, defaultRegion) // keeps where the country code came from
	if err != nil {
		return "", fail(FormPhone, ErrShape) // the library's own error may quote the number
	}
	if phonenumbers.IsPossibleNumberWithReason(number) != phonenumbers.IS_POSSIBLE {
		return "", fail(FormPhone, ErrRange)
	}
	national := number.GetCountryCodeSource() == phonenumbers.PhoneNumber_FROM_DEFAULT_COUNTRY
	if national && !phonenumbers.IsValidNumber(number) {
		return "", fail(FormPhone, ErrRange)
	}
	return phonenumbers.Format(number, phonenumbers.E164), nil
}

// isPlainE164 reports whether s is already the normal form, without parsing.
// It knows only shapes for which the parser provably changes nothing: after
// the country code the first digit cannot begin the country's national prefix
// (1 in North America, 0 or 183x in Australia, 0 in the United Kingdom), and
// the length is one the country uses. A test compares it with the full parse.
// In every other country the parser decides, since national prefixes may be
// written after the country code there.
func isPlainE164(s string) bool {
	if len(s) != len("+15550100000") && len(s) != len("+447700900000") || s[0] != '+' {
		return false
	}
	for i := 1; i < len(s); i++ {
		if !isDigit(s[i]) {
			return false
		}
	}
	switch {
	case len(s) == 12 && s[1] == '1':
		return s[2] >= '2' && s[5] >= '2'
	case len(s) == 12 && s[1:3] == "61":
		return strings.IndexByte("23478", s[3]) >= 0
	case len(s) == 13 && s[1:3] == "44":
		return s[3] == '7'
	}
	return false
}
