package synth

import (
	"math/bits"
	"strconv"
	"strings"
)

// Fields is a set of the columns of a record.
type Fields uint16

// The columns, in the order of the CSV file.
const (
	GivenName Fields = 1 << iota
	FamilyName
	Salutation
	Gender
	Email
	Phone
	BirthDate
	Postcode
	Address
	LoyaltyNumber
	BookingReference
	Tier
	Points
	StatusCredits
	MealPreference

	allFields = 1<<columnCount - 1
)

const columnCount = 15

// Columns returns the names of the columns, which are the schema's names of
// the fields, in the order of the CSV file.
func Columns() [columnCount]string {
	return [...]string{
		"given_name", "family_name", "salutation", "gender", "email", "phone", "birth_date",
		"postcode", "address", "loyalty_number", "booking_reference", "tier", "points",
		"status_credits", "meal_preference",
	}
}

// Has reports whether all fields of g are in f.
func (f Fields) Has(g Fields) bool { return f&g == g }

// String lists the columns' names, separated by spaces.
func (f Fields) String() string {
	columns := Columns()
	var out []string
	for rest := f & allFields; rest != 0; rest &= rest - 1 {
		out = append(out, columns[bits.TrailingZeros16(uint16(rest))])
	}
	return strings.Join(out, " ")
}

// Row returns the customer's values in the order of Columns: empty where the
// record has none, booking references separated by semicolons.
func (c *Customer) Row() [columnCount]string {
	row := [...]string{
		c.GivenName, c.FamilyName, c.Salutation, c.Gender, c.Email, c.Phone, c.BirthDate,
		c.Postcode, c.Address, c.LoyaltyNumber, strings.Join(c.BookingReferences, ";"), c.Tier,
		"", "", c.MealPreference,
	}
	if c.Tier != "" {
		row[columnCount-3] = strconv.Itoa(c.Points)
		row[columnCount-2] = strconv.Itoa(c.StatusCredits)
	}
	return row
}

// Holds returns the fields that the record has.
func (c *Customer) Holds() Fields {
	var fields Fields
	for i, value := range [...]bool{
		c.GivenName != "", c.FamilyName != "", c.Salutation != "", c.Gender != "", c.Email != "",
		c.Phone != "", c.BirthDate != "", c.Postcode != "", c.Address != "", c.LoyaltyNumber != "",
		len(c.BookingReferences) > 0, c.Tier != "", c.Tier != "", c.Tier != "", c.MealPreference != "",
	} {
		if value {
			fields |= 1 << i
		}
	}
	return fields
}

// keep empties every field that is not in fields.
func (c *Customer) keep(fields Fields) {
	for _, f := range [...]struct {
		field Fields
		value *string
	}{
		{Salutation, &c.Salutation},
		{Gender, &c.Gender},
		{Email, &c.Email},
		{Phone, &c.Phone},
		{BirthDate, &c.BirthDate},
		{Postcode, &c.Postcode},
		{Address, &c.Address},
		{LoyaltyNumber, &c.LoyaltyNumber},
		{Tier, &c.Tier},
		{MealPreference, &c.MealPreference},
	} {
		if !fields.Has(f.field) {
			*f.value = ""
		}
	}
	if !fields.Has(BookingReference) {
		c.BookingReferences = nil
	}
	if !fields.Has(Tier) {
		c.Points, c.StatusCredits = 0, 0
	}
}
