package forbidden

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A kind says what a token is made of.
type kind uint8

const (
	number  kind = 1 + iota // digits 0 to 9
	word                    // letters A to Z
	foreign                 // anything outside ASCII: letters of other scripts
)

// A token is the longest run of one kind. What lies between two tokens is
// separators: everything else.
type token struct {
	label      label
	start, end int
	kind       kind
}

func (t token) size() int { return t.end - t.start }

// marks say which detectors a text is worth.
type marks uint8

const (
	marksLabel  marks = 1 << iota // a word that introduces something
	marksSecret                   // a header of a key, or a run without spaces that is long enough for a token
)

// A view is a text in plain form, cut into tokens. It lives for one Find.
type view struct {
	s      string // plain form
	at     []int  // where in the original each byte of s came from; nil when s is the original
	tokens []token
	digits int // in all number tokens
	marks  marks
}

// worth reports whether any detector could find anything.
func (v *view) worth() bool { return v.marks != 0 || v.digits >= fewestIBANDigits }

// tokenise cuts s, which is in plain form, into tokens.
func (v *view) tokenise() {
	s := v.s
	chunk := 0 // where the run without spaces began
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case isLetter(c):
			i = v.word(i)
		case isDigit(c):
			from := i
			for i++; i < len(s) && isDigit(s[i]); i++ {
			}
			v.digits += i - from
			v.tokens = append(v.tokens, token{start: from, end: i, kind: number})
		case c >= utf8.RuneSelf:
			i = v.foreign(i)
		default:
			if endsChunk(c) {
				if i-chunk >= shortestSecret {
					v.marks |= marksSecret
				}
				chunk = i + 1
			}
			i++
		}
	}
	if len(s)-chunk >= shortestSecret {
		v.marks |= marksSecret
	}
}

// word appends the word at i and returns where it ends.
func (v *view) word(i int) int {
	var lower [longestLabel]byte
	s, from := v.s, i
	for ; i < len(s) && isLetter(s[i]); i++ {
		if at := i - from; at < longestLabel {
			lower[at] = s[i] | 0x20
		}
	}
	t := token{start: from, end: i, kind: word}
	if n := t.size(); n <= longestLabel {
		t.label = labelOf(lower[:n])
		if t.label != plain && v.partOfAddress(t) {
			t.label = plain
		}
		v.mark(t.label)
	}
	v.tokens = append(v.tokens, t)
	return i
}

// gluedDigits is how many digits a label can be glued to that follows them:
// those of an expiry, as in "1228cvv".
const gluedDigits = 4

// partOfAddress reports whether a word is the end of something else, such as
// the name of an e-mail address or a booking reference: "mary.5pw@", "7PIN".
// Words that give a thing another meaning, and codes of cards, may be glued.
func (v *view) partOfAddress(t token) bool {
	if t.end < len(v.s) && v.s[t.end] == '@' {
		return true
	}
	n := len(v.tokens)
	if n == 0 || v.tokens[n-1].kind != number || v.tokens[n-1].end != t.start {
		return false
	}
	if t.label == saysCardCode {
		return v.tokens[n-1].size() < gluedDigits
	}
	return t.label&(saysCard|saysVerification|other) == 0
}

func (v *view) foreign(i int) int {
	s, from := v.s, i
	for ; i < len(s) && s[i] >= utf8.RuneSelf; i++ {
	}
	t := token{start: from, end: i, kind: foreign, label: foreignLabel(s[from:i])}
	v.mark(t.label)
	v.tokens = append(v.tokens, t)
	return i
}

func (v *view) mark(l label) {
	if l&introduces != 0 {
		v.marks |= marksLabel
	}
	if l&begins != 0 {
		v.marks |= marksSecret
	}
}

// fold replaces s by its plain form: digits of every script as 0 to 9, letters
// of Latin scripts without their marks, dashes and spaces as - and space, what
// is invisible dropped, other symbols as ~. Case is kept, since tokens need it.
func (v *view) fold() {
	s := v.s
	var plain strings.Builder
	plain.Grow(len(s))
	v.at = make([]int, 0, len(s))
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			plain.WriteByte(c)
			v.at = append(v.at, i)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		before := plain.Len()
		writePlain(&plain, r)
		for range plain.Len() - before {
			v.at = append(v.at, i)
		}
		i += size
	}
	v.s = plain.String()
}

// original returns the place in text of the place [start, end) in s.
func (v *view) original(text string, start, end int) (int, int) {
	if v.at == nil {
		return start, end
	}
	last := v.at[end-1]
	_, size := utf8.DecodeRuneInString(text[last:])
	return v.at[start], last + size
}

// The letters without marks of U+00C0 to U+017F, one a character.
const unmarked = "AAAAAAACEEEEIIIIDNOOOOOxOUUUUYTsaaaaaaaceeeeiiiidnooooo/ouuuuyty" +
	"AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIiIiJjKkkLlLlLlL" +
	"lLlNnNnNnnNnOoOoOoOoRrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs"

// writePlain appends the plain form of a character outside ASCII.
func writePlain(b *strings.Builder, r rune) {
	if isPlainLetter(r) {
		b.WriteRune(r)
		return
	}
	if c, ok := plainLetter(r); ok {
		b.WriteByte(c)
		return
	}
	if d, ok := digitOf(r); ok {
		b.WriteByte('0' + d)
		return
	}
	switch {
	case r == utf8.RuneError, unicode.IsSpace(r):
		b.WriteByte(' ')
	case r == 0x2212, unicode.Is(unicode.Pd, r):
		b.WriteByte('-')
	case unicode.In(r, unicode.Cf, unicode.Mn, unicode.Me):
	case unicode.In(r, unicode.Pi, unicode.Pf), r == '「', r == '」', r == '『', r == '』':
		b.WriteByte('"')
	case r == '。':
		b.WriteByte('.')
	case r == '、':
		b.WriteByte(',')
	case unicode.IsLetter(r):
		b.WriteRune(r)
	default:
		b.WriteByte('~')
	}
}

// isPlainLetter knows the commonest letters that have no plainer form, so that
// the tables need not be asked: Greek, Cyrillic, kana, Chinese characters.
func isPlainLetter(r rune) bool {
	return 0x4E00 <= r && r <= 0x9FFF || 0x3041 <= r && r <= 0x3096 || 0x30A1 <= r && r <= 0x30FA ||
		0x0400 <= r && r <= 0x0481 || 0x03A3 <= r && r <= 0x03CE
}

// plainLetter returns the ASCII character that r is a form of: full-width, or
// a Latin letter with marks.
func plainLetter(r rune) (byte, bool) {
	switch {
	case 0xC0 <= r && r < 0xC0+rune(len(unmarked)):
		return unmarked[r-0xC0], true
	case 0xFF01 <= r && r <= 0xFF5E:
		return byte(r - 0xFEE0), true
	}
	return 0, false
}

// digitOf returns the value of a decimal digit of any script, and of the
// circled, raised and lowered ones.
func digitOf(r rune) (byte, bool) {
	switch {
	case unicode.Is(unicode.Nd, r):
		return decimalValue(r), true
	case 0x2460 <= r && r <= 0x2468: // circled one to nine
		return byte(r - 0x2460 + 1), true
	case r == 0x24EA, r == 0x2070:
		return 0, true
	case r == 0xB9:
		return 1, true
	case r == 0xB2, r == 0xB3:
		return byte(r - 0xB0), true
	case 0x2074 <= r && r <= 0x2079:
		return byte(r - 0x2070), true
	case 0x2080 <= r && r <= 0x2089:
		return byte(r - 0x2080), true
	}
	return 0, false
}

// decimalValue returns the value of a character of Nd. Each range of that
// table is whole tens that begin with a zero; a test checks it.
func decimalValue(r rune) byte {
	for _, in := range unicode.Nd.R16 {
		if r <= rune(in.Hi) {
			return byte((r - rune(in.Lo)) % 10)
		}
	}
	for _, in := range unicode.Nd.R32 {
		if r <= rune(in.Hi) {
			return byte((r - rune(in.Lo)) % 10)
		}
	}
	return 0
}

func isLetter(c byte) bool { return c|0x20-'a' < 26 }

func isDigit(c byte) bool { return c-'0' < 10 }

// endsChunk reports whether c separates values that hold no spaces.
func endsChunk(c byte) bool {
	switch c {
	case ' ', '\t', '\n', '\r', '"', '\'', '`', ',', ';', '(', ')', '[', ']', '{', '}', '|':
		return true
	}
	return false
}
