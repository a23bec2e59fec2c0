// Package synth owns the made-up airline: customers that look like an
// airline's, but are nobody. Everything follows from one seed, so that a
// demonstration, a test and a benchmark on two machines speak of the same
// people.
//
// It does not own how customers are stored (they enter by the same import as
// real ones), nor any rule. It stands at the edge of two laws. L2: customer i
// depends on the seed, the mix and i alone, so ranges can be made in parallel
// or resumed. L6: nothing it makes belongs to a person: e-mail addresses lie
// in the domains reserved for examples, phone numbers in the ranges reserved
// for fiction, towns and streets are invented, loyalty numbers and booking
// references are counted up, not drawn from anywhere.
//
// The fiction ranges for phones are small: an airline of millions has numbers
// that hundreds of customers share. That is wanted, since lookups must cope
// with it; a test that needs a customer found by phone alone must look for a
// number that is held once.
//
// Start reading at Generator.At.
package synth

import "iter"

// A Customer is one made-up customer in plain text. An empty string means that
// the record does not have the field; Points and StatusCredits count only when
// Tier is set.
type Customer struct {
	GivenName  string // NFC, as the customer writes it
	FamilyName string
	// Romanised names are set only when the name is in another script. They
	// are not a column of the CSV file, which has the schema's fields alone.
	GivenRomanised  string
	FamilyRomanised string

	Salutation        string
	Gender            string // "F", "M" or "X"
	Email             string // unique for each index
	Phone             string // E.164, often shared
	BirthDate         string // YYYY-MM-DD
	Postcode          string
	Address           string // one line, ends with the postcode
	LoyaltyNumber     string // unique for each index, valid check digit
	BookingReferences []string
	Tier              string
	Points            int
	StatusCredits     int
	MealPreference    string
}

// A Generator makes the customers of one airline. It is read-only after
// NewGenerator and may be used by many goroutines at once.
type Generator struct {
	seed   uint64
	mix    Mix
	people people
	places places
}

// NewGenerator returns the airline that seed and mix describe. It loads the
// word lists, half a millisecond of work: make one and keep it.
func NewGenerator(seed uint64, mix Mix) *Generator {
	return &Generator{seed: seed, mix: mix, people: loadPeople(), places: loadPlaces()}
}

// Customers returns the first n customers of the airline, in order.
func Customers(seed uint64, mix Mix, n int) iter.Seq[Customer] {
	return NewGenerator(seed, mix).Range(0, n)
}

// CustomerAt returns customer i alone. For more than a few, use a Generator.
func CustomerAt(seed uint64, mix Mix, i int) Customer {
	return NewGenerator(seed, mix).At(i)
}

// Range returns the customers from index from up to, but not including, to.
func (g *Generator) Range(from, to int) iter.Seq[Customer] {
	return func(yield func(Customer) bool) {
		for i := from; i < to; i++ {
			if !yield(g.At(i)) {
				return
			}
		}
	}
}

// At returns customer i, counted from 0. Identifiers are unique up to
// MaxCustomers; i must not be negative.
//
// The person is drawn whole before the mix decides what the record holds, so
// customer i is the same person in every mix.
func (g *Generator) At(i int) Customer {
	d := newDice(g.seed, streamPerson, uint64(i))
	member := memberNumber(g.seed, i)
	c := Customer{LoyaltyNumber: loyaltyNumber(member)}
	c.Email = emailAddress(&d, g.people.name(&d, &c), member)
	gender(&d, &c)
	c.BirthDate = birthDate(&d)
	land := drawCountry(&d)
	c.Phone = phone(&d, land)
	g.places.address(&d, land, &c)
	loyaltyStanding(&d, &c)
	c.MealPreference = pick(&d, mealPreferences())
	c.BookingReferences = bookingReferences(&d, g.seed, i)
	c.keep(g.mix.held(&d, g.seed, i))
	return c
}

// emailAddress ends the local part in the customer's member number in base 36,
// which makes it unique.
func emailAddress(d *dice, local string, member int) string {
	domains := [...]string{"@example.com", "@example.net", "@example.org", "@example.com"}
	b := make([]byte, 0, 64)
	b = append(append(b, local...), '.')
	b = base36(b, uint64(member), 0, lowerDigits)
	return string(append(b, pick(d, domains)...))
}

// gender draws gender and salutation together.
func gender(d *dice, c *Customer) {
	switch r := d.below(100); {
	case r < 49:
		c.Gender, c.Salutation = "F", pick(d, [...]string{"Ms", "Ms", "Mrs", "Miss"})
	case r < 98:
		c.Gender, c.Salutation = "M", "Mr"
	default:
		c.Gender, c.Salutation = "X", "Mx"
	}
	if d.chance(4) {
		c.Salutation = "Dr"
	}
}

// firstBirthYear and birthYearSpread give birth years from 1932 to 2006, most
// in the middle.
const (
	firstBirthYear  = 1932
	birthYearSpread = 38
)

func birthDate(d *dice) string {
	year := firstBirthYear + d.below(birthYearSpread) + d.below(birthYearSpread)
	month := 1 + d.below(12)
	day := 1 + d.below(28) // every month has them; the ends of months are left out
	var buf [10]byte
	b := number(buf[:0], year, 4)
	b = number(append(b, '-'), month, 2)
	b = number(append(b, '-'), day, 2)
	return string(b)
}

// loyaltyStanding draws tier, points and status credits.
func loyaltyStanding(d *dice, c *Customer) {
	switch r := d.below(100); {
	case r < 70:
		c.Tier, c.StatusCredits = "Blue", d.below(300)
	case r < 88:
		c.Tier, c.StatusCredits = "Silver", 300+d.below(400)
	case r < 97:
		c.Tier, c.StatusCredits = "Gold", 700+d.below(700)
	default:
		c.Tier, c.StatusCredits = "Platinum", 1400+d.below(2000)
	}
	c.Points = d.below(400) * d.below(1000) // most have few
}

func mealPreferences() [8]string {
	return [...]string{
		"vegetarian", "vegan", "halal", "kosher", "gluten-free", "low lactose", "diabetic", "child",
	}
}
