package synth

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
)

// repeatEvery is which row of a file with duplicates is about somebody whom an
// earlier row brought in: 6,000,000 rows hold 5,700,000 people.
const repeatEvery = 20

// People returns how many people are in a file of that many rows.
func People(rows int) int { return rows - rows/repeatEvery }

// WriteRows writes a header and rows of which every twentieth is about an
// earlier customer: copied, written in another way, by his number alone, or
// with a field that he lacked. It returns the truth about the people in them
// when rows about one are merged.
func WriteRows(w io.Writer, seed uint64, mix Mix, rows int) (Summary, error) {
	out := csv.NewWriter(w)
	header := Columns()
	if err := out.Write(header[:]); err != nil {
		return Summary{}, fmt.Errorf("write header of made-up customers: %w", err)
	}
	g, truth := NewGenerator(seed, mix), Summary{Combinations: map[Fields]int{}}
	greeted := map[int]bool{}
	for r := range rows {
		person, again := r-r/repeatEvery, r%repeatEvery == repeatEvery-1
		if again {
			person = int(scramble(seed^uint64(r)) % uint64(r-r/repeatEvery))
		}
		c := g.At(person)
		switch {
		case !again:
			truth.Customers++
			truth.Combinations[c.Holds()]++
			if c.FamilyRomanised != "" {
				truth.OtherScripts++
			}
		case c.repeat(int(scramble(uint64(r))%4)) && !greeted[person]:
			greeted[person] = true
			before := g.At(person)
			if truth.Combinations[before.Holds()]--; truth.Combinations[before.Holds()] == 0 {
				delete(truth.Combinations, before.Holds())
			}
			truth.Combinations[before.Holds()|Salutation]++
		}
		row := c.Row()
		if err := out.Write(row[:]); err != nil {
			return truth, fmt.Errorf("write made-up row %d: %w", r, err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return truth, fmt.Errorf("write made-up rows: %w", err)
	}
	return truth, nil
}

// repeat makes of the customer what another row says of him, and reports
// whether that row gives him a salutation that he lacked.
func (c *Customer) repeat(form int) (greets bool) {
	all := *c
	switch form {
	case 1: // by e-mail address and name, in other letters
		*c = Customer{GivenName: strings.ToUpper(all.GivenName), FamilyName: strings.ToUpper(all.FamilyName), Email: strings.ToUpper(all.Email)}
	case 2: // by number
		if all.LoyaltyNumber != "" {
			*c = Customer{GivenName: all.GivenName, LoyaltyNumber: all.LoyaltyNumber}
		}
	case 3:
		if greets = all.Salutation == ""; greets {
			c.Salutation = "Dr"
		}
	}
	return greets
}
