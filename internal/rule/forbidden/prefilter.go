package forbidden

import (
	"strings"
	"unicode/utf8"
)

// A look is what one pass over a text tells, without cutting it into tokens.
// Most fields of most records end there.
type look struct {
	ascii  bool
	label  bool // some word may introduce something
	chunk  bool // some run without spaces is long enough for a token
	code   bool // letters are joined to two digits, as an IBAN begins
	digits int
}

// lookAt reads text once.
func lookAt(text string) look {
	l := look{ascii: true}
	chunk := 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case isLetter(c):
			if !l.label && i+1 < len(text) && (i == 0 || !isLetter(text[i-1])) {
				l.label = strings.IndexByte(secondLetters(c|0x20), text[i+1]|0x20) >= 0
			}
		case isDigit(c):
			l.digits++
			l.code = l.code || i > 1 && isDigit(text[i-1]) && isLetter(text[i-2])
		case c >= utf8.RuneSelf:
			l.ascii = false
			return l
		case endsChunk(c):
			l.chunk = l.chunk || i-chunk >= shortestSecret
			chunk = i + 1
		}
	}
	l.chunk = l.chunk || len(text)-chunk >= shortestSecret
	return l
}

// clean reports that nothing can be found.
func (l look) clean() bool {
	return l.ascii && !l.label && !l.chunk && !l.cut()
}

// cut reports that digits alone make the text worth cutting into tokens.
func (l look) cut() bool {
	return l.digits >= shortestCard || l.code && l.digits >= fewestIBANDigits
}

// secondLetters returns the second letters of those words beginning with c
// that introduce something. A test holds it against the words themselves.
func secondLetters(c byte) string {
	switch c {
	case 'a':
		return "bcgimnpu"
	case 'b':
		return "aels"
	case 'c':
		return "aclorv"
	case 'd':
		return "ei"
	case 'e':
		return "i"
	case 'f':
		return "a"
	case 'g':
		return "e"
	case 'h':
		return "s"
	case 'j':
		return "c"
	case 'k':
		return "aeoru"
	case 'l':
		return "o"
	case 'm':
		return "acdefot"
	case 'n':
		return "a"
	case 'o':
		return "nt"
	case 'p':
		return "aiprsuw"
	case 'r':
		return "eioty"
	case 's':
		return "eimo"
	case 't':
		return "afor"
	case 'u':
		return "ans"
	case 'v':
		return "ei"
	case 'w':
		return "aei"
	}
	return ""
}
