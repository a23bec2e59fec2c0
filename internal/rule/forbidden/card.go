package forbidden

import "strings"

// The shortest and longest card number, in digits.
const (
	shortestCard = 12
	longestCard  = 19
	// shortestBare is the shortest card number that is found without a word
	// for a card near it. Below it lie only the 13 digits of old Visa cards
	// and short Maestro numbers, none of them issued any more, and exactly there
	// lie telephone numbers without their plus sign and ticket numbers.
	shortestBare = 14
)

// How far, in bytes, two groups of digits of one card number may lie apart.
const (
	tightGap = 4  // separators, a line break among them
	gluedGap = 3  // with letters
	looseGap = 16 // with words, between groups of the shape that is printed on cards
)

// cards finds card numbers. A number begins at a group of digits and takes in
// at most the 18 groups behind it, so the work is linear.
func (v *view) cards(found []Finding) []Finding {
	for i := 0; i < len(v.tokens); i++ {
		if v.tokens[i].kind != number {
			continue
		}
		c := candidate{v: v, first: i}
		if last := c.longest(); last >= 0 {
			found = append(found, Finding{Class: Card, Start: v.tokens[i].start, End: c.end})
			i = last
		}
	}
	return found
}

// A candidate is a card number that may begin at the token first.
type candidate struct {
	v      *view
	first  int
	end    int // of the longest that was found
	digits [longestCard]byte
	n      int
	groups [longestCard]uint8
	count  int
	gap    string // the first one
	gaps   gaps
	near   int8 // whether a word for a card is near: 0 not asked, 1 yes, -1 no
}

// gaps say what lies between the groups so far.
type gaps struct {
	mixed   bool // not all the same
	glued   bool // letters, at most gluedGap bytes
	loose   bool // more than tightGap
	strange bool // loose and not made of words that people say between groups
}

// longest takes group after group and returns the token that ends the longest
// card number, or -1.
func (c *candidate) longest() int {
	last := -1
	tokens := c.v.tokens
	for j := c.first; j >= 0 && j < len(tokens) && c.count < longestCard; j = c.next(j) {
		t := tokens[j]
		if c.n+t.size() > longestCard {
			if c.count == 0 && c.overlong(t) {
				return j
			}
			break
		}
		for k := range t.size() {
			c.digits[c.n+k] = c.v.s[t.start+k] - '0'
		}
		c.n += t.size()
		c.groups[c.count] = uint8(t.size())
		c.count++
		if c.n >= shortestCard && c.valid(j) {
			last, c.end = j, t.end
		}
	}
	return last
}

// next returns the token of the next group, having noted the gap, or -1.
func (c *candidate) next(j int) int {
	tokens, s := c.v.tokens, c.v.s
	from, k, letters := tokens[j].end, j+1, false
	for ; k < len(tokens) && tokens[k].kind != number; k++ {
		if tokens[k].end-from > looseGap {
			return -1
		}
		letters = true
	}
	if k == len(tokens) || tokens[k].start-from > looseGap {
		return -1
	}
	gap := s[from:tokens[k].start]
	switch {
	case letters && len(gap) <= gluedGap:
		c.gaps.glued = true
	case letters || len(gap) > tightGap:
		c.gaps.loose = true
		c.gaps.strange = c.gaps.strange || !c.v.spoken(j+1, k)
	}
	if c.count == 1 {
		c.gap = gap
	} else if gap != c.gap {
		c.gaps.mixed = true
	}
	return k
}

// spoken reports whether the tokens from..to are words that people say between
// groups of digits.
func (v *view) spoken(from, to int) bool {
	for _, t := range v.tokens[from:to] {
		switch strings.ToLower(v.s[t.start:t.end]) {
		case "then", "and", "next", "dash", "space", "hyphen", "x", "und", "dann", "strich", "et", "puis", "tiret", "y", "luego",
			"guion", "followed", "by", "の", "ハイフン", "と", "から":
		default:
			return false
		}
	}
	return true
}

// valid reports whether the groups so far, up to token j, are a card number.
// The cheap questions come first.
func (c *candidate) valid(j int) bool {
	d := c.digits[:c.n]
	return lengthFits(d) && c.grouped(j) && luhn(d) && c.allowed()
}

// grouped reports whether the digits stand in groups as card numbers do.
func (c *candidate) grouped(j int) bool {
	g := c.groups[:c.count]
	switch {
	case len(g) == 1:
		return true
	case c.gaps.loose:
		return printed(g) && (!c.gaps.mixed || !c.gaps.strange || c.nearCard())
	case printed(g):
		return true
	case c.gaps.mixed || c.gaps.glued && g[0] < 4:
		return false
	}
	if c.nearCard() {
		return true
	}
	return (even(g) || halves(g) && joins(c.gap)) && c.whole(j)
}

// printed reports whether the groups are those that cards carry.
func printed(g []uint8) bool {
	switch {
	case len(g) >= 4 && g[0] == 4 && g[1] == 4 && g[2] == 4:
		return len(g) == 4 && g[3] <= 4 || len(g) == 5 && g[3] == 4 && g[4] <= 4
	case len(g) == 3:
		return g[0] == 4 && g[1] == 6 && (g[2] == 5 || g[2] == 4)
	}
	return false
}

// halves reports whether the digits stand in two or three groups that are not
// small: 8 and 8, or the issuer's 6 and the rest.
func halves(g []uint8) bool {
	for _, n := range g {
		if n < 4 {
			return false
		}
	}
	return len(g) <= 3
}

// even reports whether all groups but the last are of one small size, and the
// last no larger: digit by digit, in pairs, threes, fives.
func even(g []uint8) bool {
	for _, n := range g[:len(g)-1] {
		if n != g[0] {
			return false
		}
	}
	return len(g) > 2 && g[0] <= 5 && g[len(g)-1] <= g[0]
}

// whole reports whether no further group is joined to the candidate on either
// side by the same separator: then it would be part of a longer number or list.
func (c *candidate) whole(j int) bool {
	tokens, s := c.v.tokens, c.v.s
	if b := c.first - 1; b >= 0 && tokens[b].kind == number && s[tokens[b].end:tokens[c.first].start] == c.gap {
		return false
	}
	return j+1 >= len(tokens) || tokens[j+1].kind != number || s[tokens[j].end:tokens[j+1].start] != c.gap
}

// allowed reports whether what stands around a valid number leaves it one:
// short numbers and the airlines' own cards need a word for a card, and a plus
// sign makes up to 15 digits a telephone number.
func (c *candidate) allowed() bool {
	start := c.v.tokens[c.first].start
	if c.v.inUUID(start) {
		return false
	}
	plus := c.n <= 15 && start > 0 && c.v.s[start-1] == '+'
	if c.n < shortestBare || c.digits[0] == 1 || plus {
		return c.nearCard()
	}
	return true
}

// uuid is the size of a UUID in its usual form: 8-4-4-4-12 hexadecimal digits.
const uuid = 36

// inUUID reports whether offset at lies in a UUID.
func (v *view) inUUID(at int) bool {
	from, to := at, at
	for from > 0 && at-from < uuid && isHexOrDash(v.s[from-1]) {
		from--
	}
	for to < len(v.s) && to-from <= uuid && isHexOrDash(v.s[to]) {
		to++
	}
	if to-from != uuid {
		return false
	}
	for i, c := range []byte(v.s[from:to]) {
		if (c == '-') != (i == 8 || i == 13 || i == 18 || i == 23) {
			return false
		}
	}
	return true
}

func isHexOrDash(c byte) bool { return isDigit(c) || c == '-' || c|0x20-'a' < 6 }

// nearCard reports whether a word for a card stands within the window before
// the number with nothing between that introduces something else, or right
// behind it.
func (c *candidate) nearCard() bool {
	if c.near == 0 {
		c.near = -1
		if c.v.cardBefore(c.first) || c.v.cardBehind(c.first) {
			c.near = 1
		}
	}
	return c.near == 1
}

func (v *view) cardBefore(i int) bool {
	from := v.tokens[i].start - ContextWindow
	for k := i - 1; k >= 0 && v.tokens[k].start >= from; k-- {
		if v.tokens[k].label == saysCard {
			return true
		}
		if v.tokens[k].label&(other|saysPassport|saysMedicare|saysTFN) != 0 {
			return false
		}
	}
	return false
}

// cardBehind looks at the first word behind the group i and those joined to it.
func (v *view) cardBehind(i int) bool {
	end := v.tokens[i].end
	for k := i + 1; k < len(v.tokens) && v.tokens[k].start-end <= ContextWindow/2; k++ {
		if v.tokens[k].kind != number {
			gap := v.s[v.tokens[k-1].end:v.tokens[k].start]
			if turns, _ := readGap(gap, false); turns || strings.IndexByte(gap, '\n') >= 0 {
				return false
			}
			return v.tokens[k].label == saysCard
		}
	}
	return false
}

// overlong reports whether a group of more than longestCard digits begins with
// a card number, with expiry and code glued to it, where a card is spoken of.
func (c *candidate) overlong(t token) bool {
	if !c.nearCard() {
		return false
	}
	for k := range longestCard {
		c.digits[k] = c.v.s[t.start+k] - '0'
	}
	for _, n := range [...]int{16, 15, 14} {
		if d := c.digits[:n]; lengthFits(d) && luhn(d) {
			c.end = t.end
			return true
		}
	}
	return false
}

// luhn reports whether the last digit is the check digit of ISO/IEC 7812-1.
func luhn(d []byte) bool {
	sum := 0
	for i := range d {
		x := int(d[len(d)-1-i])
		if i%2 == 1 {
			if x *= 2; x > 9 {
				x -= 9
			}
		}
		sum += x
	}
	return sum%10 == 0
}

// lengthFits reports whether some issuer's range begins with the first six
// digits and has numbers of this length.
func lengthFits(d []byte) bool {
	n := len(d)
	four := 1000*int(d[0]) + 100*int(d[1]) + 10*int(d[2]) + int(d[3])
	two := four / 100
	switch {
	case d[0] == 1: // the airlines' own cards
		return n == 15
	case d[0] == 4: // Visa
		return n == 13 || n == 16 || n == 19
	case 2200 <= four && four <= 2204, 2221 <= four && four <= 2720, 51 <= two && two <= 55: // Mir, Mastercard
		return n == 16
	case two == 34, two == 37: // American Express
		return n == 15
	case 3528 <= four && four <= 3589: // JCB
		return n >= 16
	case two == 36, two == 38, two == 39, 3000 <= four && four <= 3059, four == 3095: // Diners Club
		return n == 14 || n >= 16
	case four == 5018, four == 5020, four == 5038, four == 5893, four == 6304, four == 6759, 6761 <= four && four <= 6763: // Maestro
		return true
	case two == 50, 56 <= two && two <= 58: // Maestro, RuPay, Elo, Verve
		return n >= 16
	case two == 60, two == 62, two == 63, two == 64, two == 65, two == 67, two == 81, two == 82: // Discover, UnionPay, RuPay, Maestro
		return n >= 16
	case four == 9792: // Troy
		return n == 16
	}
	return false
}
