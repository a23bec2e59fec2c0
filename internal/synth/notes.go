package synth

import (
	_ "embed"
	"strconv"
	"strings"
)

//go:embed notes.txt
var noteLines string

// streamNote and streamPlant keep notes apart from customers and from what is
// planted into them.
const (
	streamNote uint64 = 1<<16 + iota
	streamPlant
)

// Notes writes the notes of a contact centre: shorthand and prose, in several
// languages, full of numbers that people write every day and that may be kept.
// None holds anything forbidden. Note i depends on the seed and i alone.
type Notes struct {
	seed   uint64
	lines  []string
	people people
}

// NewNotes returns the notes of that seed.
func NewNotes(seed uint64) *Notes {
	return &Notes{seed: seed, lines: strings.Split(strings.TrimSpace(noteLines), "\n"), people: loadPeople()}
}

// Note returns note i of the seed. For more than a few, use NewNotes.
func Note(seed uint64, i int) string { return NewNotes(seed).At(i) }

// At returns note i: one line as a rule, up to eight, and one in fifty of up
// to sixty.
func (n *Notes) At(i int) string {
	d := newDice(n.seed, streamNote, uint64(i))
	return n.write(&d)
}

func (n *Notes) write(d *dice) string {
	lines := 1 + d.below(3)
	switch {
	case d.chance(2):
		lines = 20 + d.below(41)
	case d.chance(20):
		lines += d.below(6)
	}
	between := pick(d, [...]string{". ", "\n", "; ", ". "})
	b := make([]byte, 0, 128*lines)
	for k := range lines {
		if k > 0 {
			b = append(b, between...)
		}
		b = n.line(d, b, n.lines[d.below(len(n.lines))])
	}
	text := string(b)
	if d.chance(5) {
		text = strings.ToUpper(text)
	}
	return text
}

// line appends a line with its slots filled.
func (n *Notes) line(d *dice, b []byte, line string) []byte {
	for {
		open := strings.IndexByte(line, '{')
		if open < 0 {
			return append(b, line...)
		}
		shut := open + strings.IndexByte(line[open:], '}')
		b = append(b, line[:open]...)
		b = n.slot(d, b, line[open+1:shut])
		line = line[shut+1:]
	}
}

// slot appends a value of that kind.
func (n *Notes) slot(d *dice, b []byte, kind string) []byte {
	switch kind {
	case "name":
		var c Customer
		n.people.name(d, &c)
		return append(append(append(b, c.GivenName...), ' '), c.FamilyName...)
	case "mail":
		return append(b, emailAddress(d, pick(d, [...]string{"mary.smith", "j.tan", "zoe", "r2d2"}), d.below(MaxCustomers))...)
	case "phone":
		return notePhone(d, b)
	case "pnr":
		return base36(b, uint64(d.below(bookingCount)), bookingPlaces, upperDigits)
	case "ff":
		return spaced(d, b, loyaltyNumber(firstLoyalty+d.below(loyaltyCount)))
	case "ticket":
		return noteTicket(d, b)
	case "bag":
		if d.chance(50) {
			return number(append(b, "QX"...), d.below(1_000_000), 6)
		}
		return number(b, d.below(10)*1_000_000_000+d.below(1_000_000_000), 10)
	case "file":
		return number(append(b, pick(d, [...]string{"SYDQX", "MELQX", "LHRQX", "NRTQX"})...), 10_000+d.below(90_000), 5)
	case "case":
		b = append(b, pick(d, [...]string{"", "#", "CAS-", "CS"})...)
		return number(b, d.below(100_000_000), 8)
	case "order":
		return noteOrder(d, b)
	case "tracking":
		return noteTracking(d, b)
	case "flt":
		b = append(b, pick(d, [...]string{"QX", "QX ", "ZZ", "qx"})...)
		return number(b, 1+d.below(2999), 1)
	}
	return noteMoment(d, b, kind)
}

// noteMoment appends times, amounts and small numbers.
func noteMoment(d *dice, b []byte, kind string) []byte {
	switch kind {
	case "date":
		return noteDate(d, b)
	case "time":
		b = number(b, d.below(24), 2)
		b = append(b, pick(d, [...]string{":", "", "h", ":"})...)
		return number(b, d.below(60), 2)
	case "stamp":
		b = append(noteDay(d, b, ""), pick(d, [...]string{"T", "", " ", "-"})...)
		return number(b, d.below(240_000), 6)
	case "amount":
		return noteAmount(d, b)
	case "points":
		return number(b, d.below(400_000), 1)
	case "seat":
		return append(number(b, 1+d.below(60), 1), "ABCDEFGHJK"[d.below(10)])
	case "four":
		return number(b, d.below(10_000), 4)
	case "short":
		return number(b, d.below(1_000_000), 3+d.below(4))
	case "small":
		return number(b, 1+d.below(60), 1)
	case "postcode":
		return number(append(b, pick(d, [...]string{"NSW ", "VIC ", "QLD ", ""})...), 2000+d.below(5000), 4)
	case "uuid":
		return noteUUID(d, b)
	case "gps":
		b = number(append(number(append(b, '-'), 10+d.below(30), 2), '.'), d.below(10_000_000), 7)
		return number(append(number(append(b, ", "...), 115+d.below(35), 3), '.'), d.below(10_000_000), 7)
	}
	return append(b, kind...)
}

// spaced appends digits as one run or in groups.
func spaced(d *dice, b []byte, digits string) []byte {
	sep := pick(d, [...]string{"", "", " ", "-"})
	for i := range len(digits) {
		if i == 4 || i == 7 {
			b = append(b, sep...)
		}
		b = append(b, digits[i])
	}
	return b
}

// notePhone appends a number of the ranges reserved for fiction, as people
// write them.
func notePhone(d *dice, b []byte) []byte {
	last := d.below(1000)
	forms := [...]string{
		"+61491570%", "+61 491 570 %", "0491 570 %", "0491570%", "61491570%", "04 9157 0%", "(02) 5550 1%",
		"+447700900%", "+44 7700 900%", "07700 900%", "447700900%", "0044 7700 900 %", "+1 212 555 0%", "(212) 555-0%",
		"212.555.0%", "+1-212-555-0%", "12125550%", "+49 30 23125%", "+493023125%", "0049 30 23125 %", "03023125%",
	}
	form := forms[d.below(len(forms))]
	if strings.Contains(form, "555") && !strings.HasPrefix(form, "(02)") {
		last = 100 + last%100
	}
	before, after, _ := strings.Cut(form, "%")
	return append(number(append(b, before...), last, 3), after...)
}

// noteTicket appends an airline prefix and ten digits.
func noteTicket(d *dice, b []byte) []byte {
	prefixes := [...]int{81, 81, 81, 16, 125, 160, 401, 459, 479, 607, 618, 301, 369, 381}
	b = number(b, prefixes[d.below(len(prefixes))], 3)
	b = append(b, pick(d, [...]string{"-", "", " ", "-"})...)
	b = number(b, d.below(10_000_000_000), 10)
	if d.chance(10) { // conjunction tickets
		b = number(append(b, '/'), d.below(100), 2)
	}
	return b
}

func noteOrder(d *dice, b []byte) []byte {
	switch d.below(3) {
	case 0:
		b = number(append(number(b, 100+d.below(800), 3), '-'), d.below(10_000_000), 7)
		return number(append(b, '-'), d.below(10_000_000), 7)
	case 1:
		return number(noteDay(d, b, ""), d.below(1_000_000), 6)
	}
	return number(append(b, "PO-"...), d.below(10_000_000), 7)
}

// noteTracking appends numbers in the forms that carriers use.
func noteTracking(d *dice, b []byte) []byte {
	switch d.below(5) {
	case 0:
		return number(append(b, "1Z999AA1"...), d.below(10_000_000_000), 10)
	case 1:
		return number(b, 700_000_000_000+d.below(100_000_000_000), 12)
	case 2:
		return number(b, d.below(10_000_000_000), 10)
	case 3:
		return number(number(b, 9400, 4), d.below(1_000_000_000_000_000_000), 18)
	}
	return number(append(b, "JD01460000"...), d.below(10_000_000_000), 10)
}

func noteDate(d *dice, b []byte) []byte {
	if d.chance(30) {
		b = number(b, 1+d.below(28), 2)
		b = append(b, pick(d, [...]string{"AUG", " Sept ", "mar", " Dec "})...)
		return number(b, 24+d.below(8), 2)
	}
	return noteDay(d, b, pick(d, [...]string{"/", ".", "-", " "}))
}

// noteDay appends a day in digits, the year first or last.
func noteDay(d *dice, b []byte, sep string) []byte {
	year, month, day := 2024+d.below(10), 1+d.below(12), 1+d.below(28)
	if sep == "" || d.chance(40) {
		b = append(number(b, year, 4), sep...)
		return number(append(number(b, month, 2), sep...), day, 2)
	}
	b = append(number(append(number(b, day, 2), sep...), month, 2), sep...)
	return number(b, year, 4)
}

func noteAmount(d *dice, b []byte) []byte {
	b = append(b, pick(d, [...]string{"AUD ", "$", "EUR", ""})...)
	whole := d.below(5000)
	if whole >= 1000 && d.chance(50) {
		b = number(append(number(b, whole/1000, 1), ','), whole%1000, 3)
	} else {
		b = number(b, whole, 1)
	}
	return number(append(b, '.'), d.below(100), 2)
}

func noteUUID(d *dice, b []byte) []byte {
	for i, size := range [...]int{8, 4, 4, 4, 12} {
		if i > 0 {
			b = append(b, '-')
		}
		part := strconv.FormatUint(d.pcg.Uint64()|1<<63, 16)
		b = append(b, part[len(part)-size:]...)
	}
	return b
}
