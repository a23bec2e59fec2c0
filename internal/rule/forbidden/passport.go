package forbidden

import "unicode/utf8"

// The size of a passport number in letters and digits, and its fewest digits.
const (
	shortestPassport     = 7
	longestPassport      = 9
	fewestPassportDigits = 5
)

// passport finds a passport number behind its word: of any known shape if only
// filler lies between, of letters followed by digits if other words do, and of
// the latter shape also in front of the word.
func (v *view) passport(i int, found []Finding) []Finding {
	if j, _ := v.follower(i); j >= 0 {
		if end := v.passportValue(j); end > 0 {
			return add(found, Passport, v.tokens[j].start, end)
		}
		// The letters of "LA 123456" are a word of their own.
		if k := j - 1; k > i && v.tokens[j].kind == number && v.tokens[k].label == filler && v.tokens[k].size() == 2 {
			if end := v.passportValue(k); end > 0 {
				return add(found, Passport, v.tokens[k].start, end)
			}
		}
		for k, end := j, v.reach(j); k < end; k++ {
			if end := v.strongPassport(k); end > 0 {
				return add(found, Passport, v.tokens[k].start, end)
			}
		}
	}
	for k := i - 1; k >= 1 && k >= i-3; k-- {
		if turns, _ := readGap(v.s[v.tokens[k].end:v.tokens[k+1].start], false); turns {
			break
		}
		if v.tokens[k].kind == number {
			if end := v.strongPassport(k - 1); end > 0 {
				return add(found, Passport, v.tokens[k-1].start, end)
			}
			break
		}
		if v.tokens[k].label&(filler|copula|partNumber) == 0 {
			break
		}
	}
	return found
}

// passportValue returns where the passport number that begins at token j ends,
// or 0. Its groups may be separated by one space or dash.
func (v *view) passportValue(j int) int {
	n, numbers, from := 0, 0, j
	for ; j < len(v.tokens); j++ {
		t := v.tokens[j]
		if t.kind == foreign || t.kind == word && (t.size() > 3 || t.label&(other|introduces) != 0) || n+t.size() > longestPassport {
			return 0
		}
		n += t.size()
		if t.kind == number {
			numbers += t.size()
		}
		gap, more := "", j+1 < len(v.tokens) && v.tokens[j+1].kind != foreign
		if more {
			gap = v.s[t.end:v.tokens[j+1].start]
		} else if t.end < len(v.s) {
			gap = v.s[t.end : t.end+1]
		}
		goesOn := more && (gap == "" || (gap == " " || gap == "-") && v.tokens[j+1].kind == number)
		// Digits behind a space belong to something else if the number is whole:
		// without spaces inside, or with letters and long enough.
		if gap == " " && (t.end-v.tokens[from].start == n || numbers < n && n > shortestPassport) {
			goesOn = false
		}
		if n >= shortestPassport && numbers >= fewestPassportDigits && !goesOn {
			if isDatePart(gap) || v.separatedDate(from, j) {
				return 0
			}
			return t.end
		}
		if !more || gap != "" && gap != " " && gap != "-" {
			return 0
		}
	}
	return 0
}

// isDatePart reports whether a gap with a slash or colon joins digits to more.
func isDatePart(gap string) bool { return gap == "/" || gap == ":" }

// separatedDate reports whether the tokens from..to are digits in the groups
// of a date.
func (v *view) separatedDate(from, to int) bool {
	if to-from != 2 {
		return false
	}
	a, b, c := v.tokens[from], v.tokens[from+1], v.tokens[to]
	if a.kind != number || b.kind != number || c.kind != number {
		return false
	}
	return b.size() == 2 && (a.size() == 4 && c.size() == 2 || a.size() == 2 && c.size() == 4)
}

// strongPassport returns the end of one or two capital letters and the 6 to 8
// digits joined to them that begin at token k, or 0.
func (v *view) strongPassport(k int) int {
	if k < 0 || k+1 >= len(v.tokens) {
		return 0
	}
	a, b := v.tokens[k], v.tokens[k+1]
	n := a.size() + b.size()
	if a.kind != word || b.kind != number || a.size() > 2 || a.end != b.start || n < 8 || n > longestPassport {
		return 0
	}
	for i := a.start; i < a.end; i++ {
		if v.s[i] > 'Z' {
			return 0
		}
	}
	if b.end < len(v.s) && isLetter(v.s[b.end]) || a.start > 0 && v.s[a.start-1] >= 0x80 {
		return 0
	}
	return b.end
}

// mrz returns the place of the machine-readable line of a passport that the
// chunk [from, to) is, letters of other scripts around it apart: the first line by its opening, the second by the check
// digits of number and birth date (ICAO Doc 9303, part 4).
func (v *view) mrz(from, to int) (start, end int) {
	for from < to && v.s[from] >= utf8.RuneSelf {
		from++
	}
	for from < to && v.s[to-1] >= utf8.RuneSelf {
		to--
	}
	s := v.s[from:to]
	if len(s) < 28 || len(s) > 44 {
		return 0, 0
	}
	filling := 0
	for k := range len(s) {
		switch c := s[k]; {
		case c == '<':
			filling++
		case !isDigit(c) && !isLetter(c):
			return 0, 0
		}
	}
	if s[0]|0x20 == 'p' && filling >= 4 && (s[1] == '<' || isLetter(s[1])) && isLetter(s[2]) && isLetter(s[4]) {
		return from, to
	}
	if mrzCheck(s[:9]) == s[9] && mrzCheck(s[13:19]) == s[19] && mrzCheck(s[21:27]) == s[27] {
		return from, to
	}
	return 0, 0
}

// mrzCheck returns the check digit of a field of a machine-readable line.
func mrzCheck(field string) byte {
	sum := 0
	for k := range len(field) {
		x := 0
		switch c := field[k]; {
		case isDigit(c):
			x = int(c - '0')
		case isLetter(c):
			x = int(c|0x20-'a') + 10
		}
		sum += x * int("\x07\x03\x01"[k%3])
	}
	return byte('0' + sum%10)
}
