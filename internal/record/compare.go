package record

import (
	"crypto/subtle"
	"strings"

	"purser"
	"purser/internal/rule/canon"
)

// Normal returns the normal form of one value of field f, or an error that says
// what is wrong and holds no part of it. Region completes phone numbers that
// have no country code.
func (f Field) Normal(value, region string) (string, error) {
	switch f.Form {
	case Name:
		return canon.Name(value)
	case Email:
		return canon.Email(value)
	case Phone:
		return canon.Phone(value, region)
	case BirthDate:
		return canon.BirthDate(value)
	case Postcode:
		return canon.Postcode(value)
	case LoyaltyNumber:
		return canon.LoyaltyNumber(value)
	case BookingReference:
		return canon.BookingReference(value)
	case Text:
		return value, nil
	}
	return value, nil
}

// Canonical returns what a caller said in the form that Candidates and Compare
// take. A birth date that can be read in two ways gives both. What has no
// normal form gives the empty string, which finds and equals nothing, and costs
// as much.
func (s *Schema) Canonical(k Kind, said, region string) string {
	f, ok := s.Item(k)
	if !ok {
		return ""
	}
	if f.Form == BirthDate {
		return strings.Join(canon.BirthDates(said), " ")
	}
	normal, err := f.Normal(said, region)
	if err != nil {
		return ""
	}
	return normal
}

// Compare reports whether an opened value is what the caller said, in
// canonical form. Names may differ by one slip, of several readings of a date
// or several bookings one must be right. Neither the place of a difference nor
// the number of right letters changes the work.
func (s *Schema) Compare(k Kind, opened purser.Plain, canonical string) bool {
	f, ok := s.Item(k)
	if !ok || canonical == "" {
		return false
	}
	have := opened.Reveal()
	if f.Form == Name {
		first, second, both := strings.Cut(have, spelled)
		if !both {
			second = first // the same work for a name in one writing
		}
		one, other := canon.NameMatches(first, canonical), canon.NameMatches(second, canonical)
		return one || other
	}
	right := 0
	for stored := range strings.FieldsSeq(have) {
		normal, err := f.Normal(stored, "")
		if err != nil {
			continue
		}
		for said := range strings.FieldsSeq(canonical) {
			right |= subtle.ConstantTimeCompare([]byte(normal), []byte(said))
		}
	}
	return right == 1
}
