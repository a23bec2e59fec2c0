package forbidden

// fewestIBANDigits is how many digits the text around an IBAN has at least:
// half of the shortest that is looked for.
const fewestIBANDigits = 8

// longestIBAN is the longest in the registry, in characters.
const longestIBAN = 33

// ibans finds international bank account numbers: country, length of that
// country, and check digits modulo 97.
func (v *view) ibans(found []Finding) []Finding {
	for j := 1; j < len(v.tokens); j++ {
		a, b := v.tokens[j-1], v.tokens[j]
		if b.kind != number || a.kind != word || a.end != b.start || a.size() < 2 || b.size() < 2 {
			continue
		}
		if a.start > 0 && partOfCode(v.s[:a.start]) || v.inUUID(a.start) {
			continue
		}
		start := a.end - 2
		if end := v.iban(start, ibanLength(v.s[start]&^0x20, v.s[start+1]&^0x20)); end > 0 {
			found = append(found, Finding{Class: IBAN, Start: start, End: end})
		}
	}
	return found
}

// partOfCode reports whether what follows s continues a code of letters and
// digits, with or without a dash.
func partOfCode(s string) bool {
	last := s[len(s)-1]
	if last == '-' && len(s) > 1 {
		last = s[len(s)-2]
	}
	return isDigit(last) || isLetter(last)
}

// iban returns the end of the IBAN of that length which begins at start, or 0.
func (v *view) iban(start, length int) int {
	if length == 0 {
		return 0
	}
	var b [longestIBAN]byte
	n, numbers, p, apart := 0, 0, start, false
	for ; p < len(v.s) && n < length; p++ {
		switch c := v.s[p]; {
		case isDigit(c):
			b[n] = c - '0'
			n, numbers = n+1, numbers+1
		case isLetter(c):
			b[n] = c&^0x20 - 'A' + 10
			n++
		case c == ' ', c == '-', c == '.', c == '\n', c == '\r', c == '_':
			apart = true
			if last := v.s[p-1]; !isDigit(last) && !isLetter(last) && last != '\r' {
				return 0
			}
		default:
			return 0
		}
	}
	if n < length || 2*numbers < length || !mod97(b[:length]) {
		return 0
	}
	if p < len(v.s) && (isDigit(v.s[p]) || apart && isLetter(v.s[p])) {
		return 0
	}
	return p
}

// mod97 is the check of ISO 7064 over the values of the characters, the first
// four moved to the end.
func mod97(b []byte) bool {
	rest := 0
	for i := range b {
		x := int(b[(i+4)%len(b)])
		if x < 10 {
			rest = (rest*10 + x) % 97
		} else {
			rest = (rest*100 + x) % 97
		}
	}
	return rest == 1
}

// ibanLength returns how long the IBANs of a country are, 0 when it has none.
func ibanLength(a, b byte) int {
	switch string([]byte{a, b}) {
	case "NO":
		return 15
	case "BE":
		return 16
	case "DK", "FI", "FO", "GL", "NL", "FK", "SD":
		return 18
	case "MK", "SI":
		return 19
	case "AT", "BA", "EE", "KZ", "LT", "LU", "XK", "MN":
		return 20
	case "CH", "HR", "LI", "LV":
		return 21
	case "BG", "BH", "CR", "DE", "GB", "GE", "IE", "ME", "RS", "VA":
		return 22
	case "AE", "GI", "IL", "IQ", "TL", "OM", "SO":
		return 23
	case "AD", "CZ", "ES", "MD", "PK", "RO", "SA", "SE", "SK", "TN", "VG":
		return 24
	case "LY", "PT", "ST":
		return 25
	case "IS", "TR":
		return 26
	case "BI", "DJ", "FR", "GR", "IT", "MC", "MR", "SM":
		return 27
	case "AL", "AZ", "BY", "CY", "DO", "GT", "HN", "HU", "LB", "NI", "PL", "SV":
		return 28
	case "BR", "EG", "PS", "QA", "UA":
		return 29
	case "JO", "KW", "MU", "YE":
		return 30
	case "MT", "SC":
		return 31
	case "LC":
		return 32
	case "RU":
		return 33
	}
	return 0
}
