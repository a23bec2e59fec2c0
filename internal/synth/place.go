package synth

// A country decides the shape of a customer's phone, address and postcode.
type country uint8

// The countries of the made-up airline.
const (
	australia country = iota
	america
	britain
)

func drawCountry(d *dice) country {
	switch r := d.below(100); {
	case r < 65:
		return australia
	case r < 90:
		return america
	}
	return britain
}

// phone draws a number from the range that the country reserves for fiction:
// 10,000 Australian mobiles (0491 57x xxx), 100 in each American area code
// (555-0100 to 555-0199), 1,000 British mobiles (07700 900xxx).
func phone(d *dice, land country) string {
	var buf [13]byte
	switch land {
	case australia:
		return string(number(append(buf[:0], "+6149157"...), d.below(10_000), 4))
	case america:
		b := number(append(buf[:0], "+1"...), areaCode(d), 3)
		return string(number(append(b, "55501"...), d.below(100), 2))
	case britain:
		return string(number(append(buf[:0], "+447700900"...), d.below(1_000), 3))
	}
	return ""
}

// areaCode draws an American area code: none begins with 0 or 1, has 9 in the
// middle or ends in 11.
func areaCode(d *dice) int {
	code := 100*(2+d.below(8)) + 10*d.below(9) + d.below(10)
	if code%100 == 11 {
		code++
	}
	return code
}

// A state is an Australian state and its range of postcodes.
type state struct {
	name        string
	first, size int
}

// places holds the words that addresses are made of. The towns they make do
// not exist.
type places struct {
	streets, kinds, beginnings, endings []string
	states                              []state
	american                            []string
}

func loadPlaces() places {
	return places{
		streets: []string{
			"Wattle", "Banksia", "Lantern", "Kestrel", "Harbour", "Quarry", "Juniper", "Saltbush",
			"Orchard", "Mill", "Rosella", "Cobbler", "Tamarind", "Windmill", "Foundry", "Magpie",
			"Cedar", "Jetty", "Bellbird", "Anchor", "Clover", "Ironbark", "Station", "Chapel",
		},
		kinds: []string{"Street", "Road", "Lane", "Avenue", "Close", "Terrace", "Court", "Parade"},
		beginnings: []string{
			"Brindle", "Marrow", "Tallis", "Wexley", "Corran", "Dunmere", "Yarrick", "Ostler",
			"Pellan", "Quillon", "Rimmer", "Sandrel", "Thornby", "Ullamar", "Verrin", "Wirrat",
			"Abberly", "Caldrin", "Elvan", "Farrow", "Gillan", "Hexter", "Invarra", "Jessam",
		},
		endings: []string{" Bay", " Creek", "ton", "field", " Hill", "worth", " Flat", " Heads", "mouth", " Park"},
		states: []state{
			{"NSW", 2000, 1000},
			{"VIC", 3000, 1000},
			{"QLD", 4000, 900},
			{"SA", 5000, 750},
			{"WA", 6000, 780},
			{"TAS", 7000, 470},
		},
		american: []string{"CA", "NY", "TX", "WA", "IL", "FL", "OR", "CO"},
	}
}

// address draws one line that ends with the postcode, and the postcode.
func (p *places) address(d *dice, land country, c *Customer) {
	b := make([]byte, 0, 96)
	if d.chance(20) { // a flat
		b = append(number(b, 1+d.below(40), 1), '/')
	}
	b = number(b, 1+d.below(299), 1)
	b = append(append(b, ' '), p.streets[d.below(len(p.streets))]...)
	b = append(append(b, ' '), p.kinds[d.below(len(p.kinds))]...)
	b = append(append(b, ", "...), p.beginnings[d.below(len(p.beginnings))]...)
	b = append(append(b, p.endings[d.below(len(p.endings))]...), ' ')
	b, code := p.region(d, land, b)
	line := string(b)
	c.Address, c.Postcode = line, line[code:]
}

// region appends state and postcode, and returns where the postcode begins.
func (p *places) region(d *dice, land country, b []byte) (line []byte, code int) {
	switch land {
	case australia:
		s := p.states[d.below(len(p.states))]
		b = append(append(b, s.name...), ' ')
		return number(b, s.first+d.below(s.size), 4), len(b)
	case america:
		b = append(append(b, p.american[d.below(len(p.american))]...), ' ')
		return number(b, d.below(100_000), 5), len(b)
	case britain: // QX is no postcode area
		code = len(b)
		b = number(append(b, "QX"...), 1+d.below(99), 1)
		b = number(append(b, ' '), d.below(10), 1)
		return append(b, letter(d), letter(d)), code
	}
	return b, len(b)
}

func letter(d *dice) byte { return "ABDEFGHJLNPQRSTUWXYZ"[d.below(20)] }
