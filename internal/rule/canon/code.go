package canon

// The shape of a loyalty number: at most maxLoyaltyLetters letters, then
// minLoyaltyDigits to maxLoyaltyDigits digits. Twelve digits at most, so that
// no loyalty number can be taken for a card number, which has the same kind of
// check digit.
const (
	maxLoyaltyLetters = 3
	minLoyaltyDigits  = 6
	maxLoyaltyDigits  = 12
)

const bookingReferenceLength = 6

// The shortest and longest postcode, in characters after spaces are dropped.
const (
	minPostcode = 2
	maxPostcode = 10
)

// LoyaltyNumber returns s without spaces and dashes, in upper case: up to
// three letters, then 6 to 12 digits of which the last is the check digit of
// the others (the Luhn sum of ISO/IEC 7812-1; letters do not count). That
// finds every single wrong digit and every exchange of neighbours but 0 and 9.
//
// Problems: ErrEmpty, ErrTooLong, ErrEncoding, ErrControl, ErrBidi,
// ErrCharacter, ErrShape, ErrCheckDigit.
func LoyaltyNumber(s string) (string, error) {
	s, err := compact(FormLoyaltyNumber, s)
	if err != nil {
		return "", err
	}
	letters := 0
	for letters < len(s) && isUpper(s[letters]) {
		letters++
	}
	digits := s[letters:]
	if letters > maxLoyaltyLetters || len(digits) < minLoyaltyDigits || len(digits) > maxLoyaltyDigits {
		return "", fail(FormLoyaltyNumber, ErrShape)
	}
	last := len(digits) - 1
	check, err := LoyaltyCheckDigit(digits[:last])
	if err != nil {
		return "", err
	}
	if digits[last] != check {
		return "", fail(FormLoyaltyNumber, ErrCheckDigit)
	}
	return s, nil
}

// LoyaltyCheckDigit returns the character '0' to '9' that completes digits to
// a number LoyaltyNumber accepts. Problems: ErrEmpty, ErrTooLong, and
// ErrCharacter when digits holds anything but 0 to 9.
func LoyaltyCheckDigit(digits string) (byte, error) {
	switch {
	case digits == "":
		return 0, fail(FormLoyaltyNumber, ErrEmpty)
	case len(digits) >= maxLoyaltyDigits:
		return 0, fail(FormLoyaltyNumber, ErrTooLong)
	}
	sum := 0
	for i := range len(digits) {
		c := digits[len(digits)-1-i]
		if !isDigit(c) {
			return 0, fail(FormLoyaltyNumber, ErrCharacter)
		}
		d := int(c - '0')
		if i%2 == 0 { // the check digit comes after, so every second from here doubles
			d = 2*d/10 + 2*d%10
		}
		sum += d
	}
	return byte('0' + (10-sum%10)%10), nil
}

// BookingReference returns s without spaces and dashes, in upper case: six
// characters of A-Z and 0-9, none excluded.
//
// Problems: ErrEmpty, ErrTooLong, ErrEncoding, ErrControl, ErrBidi,
// ErrCharacter, ErrShape.
func BookingReference(s string) (string, error) {
	s, err := compact(FormBookingReference, s)
	if err != nil {
		return "", err
	}
	if len(s) != bookingReferenceLength {
		return "", fail(FormBookingReference, ErrShape)
	}
	return s, nil
}

// Postcode returns s without spaces and dashes, in upper case: 2 to 10
// characters of A-Z and 0-9. Dashes go because callers do not say them. No
// country's own rule is applied: the country is not known where it is typed.
//
// Problems: ErrEmpty, ErrTooLong, ErrEncoding, ErrControl, ErrBidi,
// ErrCharacter, ErrShape.
func Postcode(s string) (string, error) {
	s, err := compact(FormPostcode, s)
	if err != nil {
		return "", err
	}
	if len(s) < minPostcode || len(s) > maxPostcode {
		return "", fail(FormPostcode, ErrShape)
	}
	return s, nil
}
