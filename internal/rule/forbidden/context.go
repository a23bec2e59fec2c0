package forbidden

// How much may lie between a label and its value.
const (
	mostFillers  = 6  // words
	mostBetween  = 8  // bytes between two tokens
	mostUnknown  = 4  // words that say nothing, before a value of a strong shape
	looseBetween = 40 // bytes, with such words
)

// labelled finds the weak shapes: numbers, passwords and tokens behind a word
// that says what they are.
func (v *view) labelled(found []Finding) []Finding {
	for i := range v.tokens {
		if v.tokens[i].label&introduces != 0 {
			found = v.introduced(i, found)
		}
	}
	return found
}

// introduced looks behind the label at token i.
func (v *view) introduced(i int, found []Finding) []Finding {
	l := v.tokens[i].label
	switch {
	case v.inside(i, l):
		return found
	case l == saysPassport:
		return v.passport(i, found)
	case l&(saysTFN|saysMedicare|saysTax) != 0:
		return v.national(i, found)
	case l&(saysBSB|saysSort|saysRouting|saysAccount|saysBankAccount) != 0:
		return v.bank(i, found)
	case l&(saysPassword|saysMot) != 0:
		return v.password(i, found)
	case l == saysBasic:
		return v.basic(i, found)
	case l&(saysPIN|saysOneTime|saysOne|saysVerification|saysSecurity|saysTAN|saysCardCode) != 0:
		return v.shortCode(i, found)
	case l&(saysKey|saysToken|saysSecret|saysAPI|saysPrivate) != 0:
		return v.introducedSecret(i, found)
	}
	return found // says nothing alone
}

// inside reports whether the label at token i and what is glued to it are a
// reference that is introduced as one ("pnr CVV054"), or a code ("PW2015").
func (v *view) inside(i int, l label) bool {
	if i+1 == len(v.tokens) || v.tokens[i].kind != word {
		return false
	}
	glued := v.tokens[i+1].start == v.tokens[i].end && v.tokens[i+1].size() > 1
	reference := v.labelAt(i-1) == other && l&(saysPIN|saysCardCode|saysOneTime|saysTAN) != 0
	return glued && (reference || l == saysPassword && v.tokens[i+1].kind == number)
}

// follower returns the first token behind i that is not filler, and whether
// the value was announced by "is" or a colon. It returns -1 when the text
// turns to something else first.
func (v *view) follower(i int) (j int, announced bool) {
	for j = i + 1; j < len(v.tokens) && j-i <= mostFillers+1; j++ {
		gap := v.s[v.tokens[j-1].end:v.tokens[j].start]
		turns, says := readGap(gap, v.tokens[j-1].label == partNumber)
		if turns {
			return -1, false
		}
		announced = announced || says
		switch l := v.tokens[j].label; {
		case l&fillers != 0:
			if v.beginsCode(j) {
				return j, announced
			}
		case l == copula:
			announced = true
		default:
			return j, announced || v.tokens[i].kind == foreign
		}
	}
	return -1, false
}

// beginsCode reports whether token j, though spelt like filler, is the letters
// of a code such as LA123456.
func (v *view) beginsCode(j int) bool {
	t := v.tokens[j]
	joined := j+1 < len(v.tokens) && v.tokens[j+1].kind == number && v.tokens[j+1].start == t.end
	return joined && (t.label != partNumber || t.size() == 1)
}

// readGap reports whether a gap ends what a label speaks of, and whether it
// announces a value. A full stop belongs to an abbreviation.
func readGap(gap string, abbreviated bool) (turns, announces bool) {
	if len(gap) > mostBetween {
		return true, false
	}
	line := 0
	for k := range len(gap) {
		switch gap[k] {
		case ',', ';', '?', '!', '@':
			return true, false
		case '.':
			if !abbreviated && k+1 < len(gap) {
				return true, false
			}
		case '\n':
			if line++; line > 1 {
				return true, false
			}
		case ':', '=', '>':
			announces = true
		}
	}
	return false, announces
}

// A sizes is a set of numbers of digits: bit n for n digits.
type sizes uint32

func digits(from, to int) sizes { return 1<<(to+1) - 1<<from }

// number reads digits from token j, over groups that one space, dash or dot
// separates, and returns the end of the last place at which they have an
// accepted size and pass the check; 0 when there is none. With first set it
// stops at the first such place.
func (v *view) number(j int, accept sizes, first bool, check func([]byte) bool) int {
	var d [longestCard]byte
	n, end := 0, 0
	for ; j < len(v.tokens) && v.tokens[j].kind == number; j++ {
		t := v.tokens[j]
		if n+t.size() > len(d) {
			return end
		}
		for k := range t.size() {
			d[n+k] = v.s[t.start+k] - '0'
		}
		n += t.size()
		if accept>>n&1 == 1 && (check == nil || check(d[:n])) {
			end = t.end
			if first {
				return end
			}
		}
		if j+1 == len(v.tokens) || !joins(v.s[t.end:v.tokens[j+1].start]) {
			return end
		}
	}
	return end
}

func joins(gap string) bool {
	return len(gap) == 1 && (gap[0] == ' ' || gap[0] == '-' || gap[0] == '.')
}

// national finds tax file and Medicare numbers: straight behind their word by
// shape, further away by their check digit too.
func (v *view) national(i int, found []Finding) []Finding {
	class, accept, check, bare := TaxFileNumber, digits(8, 9), taxFileNumber, digits(9, 9)
	switch l := v.tokens[i].label; {
	case l == saysTax: // "tax file number"
		if i+1 == len(v.tokens) || v.tokens[i+1].label != partFile {
			return found
		}
		i++
	case l == saysMedicare:
		class, accept, check, bare = Medicare, digits(10, 11), medicare, digits(10, 11)
		if v.labelAt(i+1) == saysCard { // "Medicare card"
			i++
		}
	}
	j, _ := v.follower(i)
	if j < 0 {
		return found
	}
	if v.tokens[j].kind == number {
		end := max(v.number(j, accept, false, check), v.number(j, bare, false, nil))
		return add(found, class, v.tokens[j].start, end)
	}
	for k, end := j, v.reach(j); k < end; k++ {
		if v.tokens[k].kind == number {
			if end := v.number(k, accept, false, check); end > 0 {
				return add(found, class, v.tokens[k].start, end)
			}
		}
	}
	return found
}

func add(found []Finding, class Class, start, end int) []Finding {
	if end <= start {
		return found
	}
	return append(found, Finding{Class: class, Start: start, End: end})
}

// reach returns the token behind the last one, from j on, that a label may
// still speak of although the words before it say nothing.
func (v *view) reach(j int) int {
	words, from := 0, v.tokens[j].start
	for k := j; k < len(v.tokens); k++ {
		t := v.tokens[k]
		if t.start-from > looseBetween || t.label&(other|introduces) != 0 {
			return k
		}
		if k > j {
			if turns, _ := readGap(v.s[v.tokens[k-1].end:t.start], false); turns {
				return k
			}
		}
		if t.kind != number && t.label == plain {
			if words++; words > mostUnknown {
				return k + 1
			}
		}
	}
	return len(v.tokens)
}

// taxFileNumber is the check of Australian tax file numbers.
func taxFileNumber(d []byte) bool {
	weights := "\x01\x04\x03\x07\x05\x08\x06\x09\x0a"
	if len(d) == 8 {
		weights = "\x0a\x07\x08\x04\x06\x03\x05\x01"
	}
	return weighted(d, weights)%11 == 0
}

// medicare is the check of Australian Medicare card numbers: the ninth digit
// checks the first eight, the tenth counts the cards.
func medicare(d []byte) bool {
	return 2 <= d[0] && d[0] <= 6 && weighted(d[:8], "\x01\x03\x07\x09\x01\x03\x07\x09")%10 == int(d[8])
}

// routing is the check of routing numbers in the United States.
func routing(d []byte) bool {
	return weighted(d, "\x03\x07\x01\x03\x07\x01\x03\x07\x01")%10 == 0
}

func weighted(d []byte, weights string) int {
	sum := 0
	for i := range d {
		sum += int(d[i]) * int(weights[i])
	}
	return sum
}

// bank finds numbers of accounts and branches. A bare "account" counts only
// near a word for a bank, since loyalty accounts have numbers too.
func (v *view) bank(i int, found []Finding) []Finding {
	accept, check := digits(5, 18), func([]byte) bool { return true }
	switch l := v.tokens[i].label; {
	case l == saysBSB:
		accept = digits(6, 6)
	case l == saysSort:
		accept = digits(6, 6) | digits(8, 8)
		if j, _ := v.follower(i); v.is(i, "sort") && (j < 0 || v.tokens[i+1].label != partCode) {
			return found
		}
	case l == saysRouting:
		accept, check = digits(9, 9), routing
	case l == saysAccount && !v.nearBank(i):
		return found
	}
	j, _ := v.follower(i)
	if j < 0 || v.tokens[j].kind != number {
		return found
	}
	return add(found, BankNumber, v.tokens[j].start, v.number(j, accept, false, check))
}

// is reports whether token i is that word, in lower case.
func (v *view) is(i int, w string) bool {
	t := v.tokens[i]
	if t.size() != len(w) {
		return false
	}
	for k := range len(w) {
		if v.s[t.start+k]|0x20 != w[k] {
			return false
		}
	}
	return true
}

// nearBank reports whether a word for a bank or a payment stands within the
// window around token i, and none for something else between.
func (v *view) nearBank(i int) bool {
	at := v.tokens[i]
	for k := i - 1; k >= 0 && at.start-v.tokens[k].start <= ContextWindow; k-- {
		if v.tokens[k].label&(ofBanks|partPay) != 0 {
			return true
		}
		if v.tokens[k].label == other {
			return false
		}
	}
	for k := i + 1; k < len(v.tokens) && v.tokens[k].end-at.end <= ContextWindow; k++ {
		if v.tokens[k].label&ofBanks != 0 {
			return true
		}
	}
	return false
}

// shortCode finds PINs, one-time codes and the codes of cards: few digits
// straight behind the words that name them.
func (v *view) shortCode(i int, found []Finding) []Finding {
	class, accept, last := v.codeClass(i)
	if class == 0 {
		return found
	}
	j, announced := v.follower(last)
	if j < 0 || v.tokens[j].kind != number || v.tokens[i].label == saysTAN && !announced {
		return found
	}
	// "CVV2 123": the digit belongs to the name.
	if class == CardCode && v.tokens[j].size() == 1 && v.tokens[j].start == v.tokens[last].end {
		if j, _ = v.follower(j); j < 0 || v.tokens[j].kind != number {
			return found
		}
	}
	end := v.number(j, accept, true, nil)
	if end == 0 {
		return found
	}
	size := end - v.tokens[j].start
	switch {
	case class == PIN && v.tokens[j].size() == 6 && v.postalPIN(last):
		return found // India's postcodes are called PIN codes
	case v.tokens[i].label != saysCardCode && class == CardCode && size > 4:
		class = OneTime
	}
	return add(found, class, v.tokens[j].start, end)
}

func (v *view) postalPIN(i int) bool {
	return v.is(i, "pincode") || i+1 < len(v.tokens) && v.tokens[i+1].label == partCode
}

// codeClass returns what the words that begin at token i name, how many digits
// it has, and the last of those words; class 0 when they name nothing.
func (v *view) codeClass(i int) (class Class, accept sizes, last int) {
	before, behind := v.labelAt(i-1), v.labelAt(i+1)
	if before == partOf {
		before = v.labelAt(i - 2) // "code de sécurité"
	}
	coded := before == partCode || behind == partCode
	switch l := v.tokens[i].label; {
	case l == saysPIN:
		return PIN, digits(4, 8), i
	case l == saysCardCode:
		return CardCode, digits(3, 4), i
	case l&(saysOneTime|saysTAN) != 0:
		return OneTime, digits(4, 8), i
	case l == saysVerification:
		if v.labelAt(i-1) == saysCard { // "card verification value"
			return CardCode, digits(3, 8), i
		}
		if coded {
			return OneTime, digits(4, 8), i
		}
	case l == saysSecurity:
		if coded {
			return CardCode, digits(3, 8), i
		}
	case l == saysOne: // "one-time code", "one-time password"
		at := i + 1
		if v.is(i, "one") {
			if at >= len(v.tokens) || !v.is(at, "time") {
				return 0, 0, 0
			}
			at++
		}
		if v.labelAt(at)&(partCode|saysPassword|saysPIN|saysOneTime) != 0 {
			return OneTime, digits(4, 8), at
		}
	}
	return 0, 0, 0
}

func (v *view) labelAt(i int) label {
	if i < 0 || i >= len(v.tokens) {
		return plain
	}
	return v.tokens[i].label
}
