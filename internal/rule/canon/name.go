package canon

import (
	"crypto/subtle"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

const (
	// maxCompared is the longest name, in characters of its normal form, that
	// may match with one slip. Longer names must be equal.
	maxCompared = 64
	// minSlipLetters is the fewest letters a recorded name must have for one
	// slip to be forgiven: in a short name one letter makes another name.
	minSlipLetters = 5
)

// Name returns the form of a name that is compared: case folded, compatibility
// characters made plain, diacritics of Latin, Greek, Cyrillic, Arabic and
// Hebrew dropped, letters that are variants of others written out (ø as o, æ
// as ae, ß as ss, ı as i), apostrophes dropped, other punctuation and space
// made one space. Scripts are not romanised, and the vowel and voicing signs
// of Indic scripts, Thai and kana stay, since they make another name. The
// result is in NFC.
//
// It is for comparing, never for showing: show what the record holds.
//
// Problems: ErrEmpty (also when nothing but punctuation is left), ErrTooLong,
// ErrEncoding, ErrControl, ErrBidi.
func Name(s string) (string, error) {
	s, err := clean(FormName, s, MaxInput)
	if err != nil {
		return "", err
	}
	if isASCII(s) {
		s = foldASCIIName(s)
	} else {
		s = foldName(s)
	}
	switch {
	case s == "":
		return "", fail(FormName, ErrEmpty)
	case len(s) > MaxInput: // some characters stand for eighteen others
		return "", fail(FormName, ErrTooLong)
	}
	return s, nil
}

// foldASCIIName is foldName for text without anything to decompose; a test
// holds the two equal.
func foldASCIIName(s string) string {
	out := make([]byte, 0, len(s))
	for _, c := range []byte(s) {
		switch {
		case 'A' <= c && c <= 'Z':
			out = append(out, c-'A'+'a')
		case 'a' <= c && c <= 'z', isDigit(c):
			out = append(out, c)
		case c == '\'' || c == '`':
		case len(out) > 0 && out[len(out)-1] != ' ':
			out = append(out, ' ')
		}
	}
	return strings.TrimSuffix(string(out), " ")
}

// foldName works on the decomposed text, so that a letter and its marks are
// seen one by one. Apostrophes go first, because the compatibility form of
// some of them is a space with an accent.
func foldName(s string) string {
	s = strings.Map(dropApostrophe, s)
	s = cases.Fold().String(norm.NFKD.String(s))
	s = norm.NFKD.String(s)
	var b strings.Builder
	b.Grow(len(s))
	gap := false
	for _, r := range s {
		switch {
		case dropApostrophe(r) < 0 || isDroppedMark(r):
		case !unicode.In(r, unicode.L, unicode.M, unicode.N):
			gap = b.Len() > 0
		default:
			if gap {
				b.WriteByte(' ')
				gap = false
			}
			writeFolded(&b, r)
		}
	}
	return norm.NFC.String(b.String())
}

func dropApostrophe(r rune) rune {
	switch r {
	case '\'', '`', 0xB4, // acute accent, as typed for an apostrophe
		0x2BB, 0x2BC, 0x2BD, 0x2BE, 0x2BF, 0x2B9, 0x2C8, // modifier letters
		0x2018, 0x2019, 0x201B, 0x2032, 0x2035, 0xFF07, 0xFF40, 0x1FBD, 0x1FBF, 0x1FFE:
		return -1
	}
	return r
}

// isDroppedMark reports whether r is a diacritic or point that a name is
// recognised without, the Arabic tatweel, which only stretches a word, or an
// invisible filler or variation selector.
func isDroppedMark(r rune) bool {
	switch {
	case r == 0x0640:
		return true
	case 0x0300 <= r && r <= 0x036F, // combining diacritical marks
		0x0483 <= r && r <= 0x0487, // Cyrillic
		0x1AB0 <= r && r <= 0x1AFF, 0x1DC0 <= r && r <= 0x1DFF,
		0x20D0 <= r && r <= 0x20FF, 0xFE20 <= r && r <= 0xFE2F:
		return unicode.Is(unicode.M, r)
	case 0x0591 <= r && r <= 0x05C7, // Hebrew points
		0x064B <= r && r <= 0x065F, r == 0x0670: // Arabic vowel signs, hamza above
		return unicode.Is(unicode.Mn, r)
	}
	return r > unicode.MaxASCII &&
		unicode.In(r, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

// writeFolded writes r, or the letters it is a variant of when Unicode has no
// decomposition for it.
func writeFolded(b *strings.Builder, r rune) {
	switch { // Cherokee folds to its capitals; x/text goes to and fro
	case 0xAB70 <= r && r <= 0xABBF:
		r -= 0xAB70 - 0x13A0
	case 0x13F8 <= r && r <= 0x13FD:
		r -= 8
	}
	switch r {
	case 'ø':
		b.WriteByte('o')
	case 'đ', 'ð', 'ɖ':
		b.WriteByte('d')
	case 'ł', 'ƚ':
		b.WriteByte('l')
	case 'ħ':
		b.WriteByte('h')
	case 'ŧ':
		b.WriteByte('t')
	case 'ı':
		b.WriteByte('i')
	case 'ŋ':
		b.WriteByte('n')
	case 'ĸ':
		b.WriteByte('k')
	case 'ə':
		b.WriteByte('e')
	case 'æ':
		b.WriteString("ae")
	case 'œ':
		b.WriteString("oe")
	case 'þ':
		b.WriteString("th")
	default:
		b.WriteRune(r)
	}
}

// NameMatches reports whether said is the name have, or, when have has at
// least five letters, differs from it by one slip: a letter too many, too few,
// wrong, or exchanged with its neighbour. Both may be given as written or in
// normal form. A name that has no normal form matches nothing.
//
// The work of the comparison depends neither on where the names differ nor on
// how long they are; only the two normal forms take time that varies with
// their own text.
func NameMatches(have, said string) bool {
	a, errHave := Name(have)
	b, errSaid := Name(said)
	if errHave != nil || errSaid != nil {
		return false
	}
	equal := subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
	slip := oneSlip(a, b)
	return equal || slip && countLetters(a) >= minSlipLetters
}

func countLetters(s string) int {
	n := 0
	for _, r := range s {
		if unicode.IsLetter(r) {
			n++
		}
	}
	return n
}

// oneSlip reports whether a and b are at most one edit apart (Damerau's four
// edits). It always fills the whole table of maxCompared by maxCompared cells
// and picks its answer from it at the end. Names longer than the table are
// never one slip apart.
func oneSlip(a, b string) bool {
	x, lengthX := fixed(a, -1)
	y, lengthY := fixed(b, -2)                        // other padding, so that padding never agrees
	var table [maxCompared + 1][maxCompared + 1]uint8 // no cell exceeds maxCompared + 3
	for i := range table {
		table[i][0], table[0][i] = uint8(i), uint8(i)
	}
	for i := 1; i <= maxCompared; i++ {
		for j := 1; j <= maxCompared; j++ {
			best := min(table[i-1][j]+1, table[i][j-1]+1, table[i-1][j-1]+differ(x[i-1], y[j-1]))
			if i > 1 && j > 1 {
				crossed := differ(x[i-1], y[j-2]) | differ(x[i-2], y[j-1])
				best = min(best, table[i-2][j-2]+1+2*crossed)
			}
			table[i][j] = best
		}
	}
	if lengthX > maxCompared || lengthY > maxCompared {
		return false
	}
	return table[lengthX][lengthY] <= 1
}

// differ returns 0 when two characters are equal and 1 when not, without a
// branch.
func differ(a, b rune) uint8 {
	return uint8(1 - subtle.ConstantTimeEq(a, b))
}

// fixed returns the first maxCompared characters of s, padded, and how many
// characters s has.
func fixed(s string, padding rune) (out [maxCompared]rune, length int) {
	for i := range out {
		out[i] = padding
	}
	i := 0
	for _, r := range s {
		if i < maxCompared {
			out[i] = r
		}
		i++
	}
	return out, utf8.RuneCountInString(s)
}
