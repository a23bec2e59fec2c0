package synth

import "fmt"

// A Mix says which fields the records of an airline hold. The zero value is
// Airline.
type Mix uint8

// The mixes.
const (
	// Airline is an airline in good order: nearly every record has name,
	// e-mail address, loyalty number, birth date and phone number.
	Airline Mix = iota
	// Case2025 is what was taken in the theft of 2025, in its proportions: of
	// 57 records 12 hold name and e-mail address only, 28 the loyalty number
	// too, 17 that and one or more of address, birth date, phone, gender and
	// meal preference.
	Case2025
)

// ParseMix returns the mix of that name: "airline" or "case2025". The error
// names both.
func ParseMix(text string) (Mix, error) {
	switch text {
	case "airline":
		return Airline, nil
	case "case2025":
		return Case2025, nil
	}
	return 0, fmt.Errorf("unknown mix %.20q: known are airline and case2025", text)
}

// String returns the name that ParseMix reads.
func (m Mix) String() string {
	switch m {
	case Airline:
		return "airline"
	case Case2025:
		return "case2025"
	}
	return fmt.Sprintf("mix %d", uint8(m))
}

// UnmarshalText is ParseMix, for flags and configuration.
func (m *Mix) UnmarshalText(text []byte) error {
	parsed, err := ParseMix(string(text))
	if err != nil {
		return err
	}
	*m = parsed
	return nil
}

// MarshalText returns the name of the mix.
func (m Mix) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// The fields of an airline's record that go together.
const (
	held      = GivenName | FamilyName
	byLoyalty = LoyaltyNumber | Tier | Points | StatusCredits
	byAddress = Address | Postcode
)

// held draws the fields that record i has.
func (m Mix) held(d *dice, seed uint64, i int) Fields {
	switch m {
	case Airline:
		return airlineFields(d)
	case Case2025:
		return caseFields(seed, i)
	}
	return held
}

// airlineFields draws each group of fields by its share in percent.
func airlineFields(d *dice) Fields {
	shares := [...]struct {
		fields  Fields
		percent int
	}{
		{Email, 99},
		{byLoyalty, 97},
		{BirthDate, 98},
		{Phone, 96},
		{Salutation, 90},
		{Gender, 85},
		{byAddress, 80},
		{MealPreference, 8},
	}
	fields := held | BookingReference
	for _, s := range shares {
		if d.chance(s.percent) {
			fields |= s.fields
		}
	}
	return fields
}

// The case of 2025 in units of 10,000 customers: 120 + 280 + 170 records; of
// the last, 130 have an address, 110 a birth date, 90 a phone, 40 a gender and
// 1 a meal preference. Whole multiples of 570 customers have exactly these
// proportions; the stride keeps other numbers close to them.
const (
	caseRecords  = 570
	caseStride   = 353
	caseEmail    = 120
	caseLoyalty  = 120 + 280
	caseAddress  = 130
	caseNoBirth  = 170 - 110
	casePhonePer = 17 // 9 of each 17 have a phone, 4 a gender
	casePhone    = 9
	caseMeal     = 85
)

func caseFields(seed uint64, i int) Fields {
	slot := int(shuffled(seed, streamMix, uint64(i), caseStride, caseRecords))
	fields := held | Email
	if slot < caseEmail {
		return fields
	}
	fields |= LoyaltyNumber
	if slot < caseLoyalty {
		return fields
	}
	return fields | caseMore(slot-caseLoyalty)
}

// caseMore returns what record k of the 170 with more has. Address and birth
// date overlap in the middle, so that each has at least one.
func caseMore(k int) Fields {
	var fields Fields
	if k < caseAddress {
		fields |= byAddress
	}
	if k >= caseNoBirth {
		fields |= BirthDate
	}
	if k%casePhonePer < casePhone {
		fields |= Phone
	}
	switch k % casePhonePer {
	case 1, 5, 10, 14:
		fields |= Gender
	}
	if k == caseMeal {
		fields |= MealPreference
	}
	return fields
}
