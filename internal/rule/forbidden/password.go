package forbidden

import (
	"encoding/base64"
	"strings"
)

// The shortest password that is found and the longest that is looked at, in
// bytes, and how many words may lie between the label and "is".
const (
	shortestPassword = 4
	longestValue     = 256
	mostSubject      = 4
)

// password finds what stands behind a word for a password. A value that looks
// like one (letters with digits or signs, or digits) is found straight behind
// the word and behind "is"; a plain word only where it is announced and ends
// the clause, unless it says something about the password.
func (v *view) password(i int, found []Finding) []Finding {
	if v.tokens[i].label == saysMot { // "mot de passe"
		if i+2 >= len(v.tokens) || v.tokens[i+1].label != partOf || !v.is(i+2, "passe") {
			return found
		}
		i += 2
	}
	if start, end := v.passwordValue(i); end > 0 {
		return add(found, Password, start, end)
	}
	// "password for the portal is …": a few words first, then a strong value.
	for k := i + 1; k < len(v.tokens) && k <= i+mostSubject+1; k++ {
		turns, says := readGap(v.s[v.tokens[k-1].end:v.tokens[k].start], false)
		if turns || v.tokens[k].label&introduces != 0 {
			return found
		}
		at := v.tokens[k-1].end
		if v.tokens[k].label == copula {
			says, at = true, v.tokens[k].end
		}
		if start, end := v.value(at); says && v.strong(start, end) {
			return add(found, Password, start, end)
		}
	}
	return found
}

// passwordValue looks behind token i and filler.
func (v *view) passwordValue(i int) (start, end int) {
	announced := v.tokens[i].kind == foreign
	for k := i; k < len(v.tokens) && k <= i+mostFillers; k++ {
		at := v.tokens[k].end
		if k > i {
			l := v.tokens[k].label
			if l&(filler|partNumber|partCode|copula) == 0 {
				return 0, 0
			}
			announced = announced || l == copula
		}
		start, end = v.value(at)
		turns, says := readGap(v.s[at:start], false)
		if turns {
			return 0, 0
		}
		announced = announced || says
		if v.strong(start, end) || announced && v.plainPassword(start, end) {
			return start, end
		}
	}
	return 0, 0
}

// value returns the run without spaces that begins at or behind offset at, its
// first longestValue bytes if it is longer (so that labels in one long run do
// not each walk to its end), without the quotes, brackets and full stops around it.
func (v *view) value(at int) (start, end int) {
	s := v.s
	for start = at; start < len(s) && start-at <= mostBetween && strings.IndexByte(" \t\r\n:=>\"'`(-,;?", s[start]) >= 0; start++ {
	}
	for end = start; end < len(s) && end-start < longestValue && strings.IndexByte(" \t\r\n\"`", s[end]) < 0; end++ {
	}
	for end > start && strings.IndexByte(".,;:)'", s[end-1]) >= 0 {
		end--
	}
	return start, end
}

// strong reports whether a value looks like a password by itself.
func (v *view) strong(start, end int) bool {
	s := v.s[start:end]
	if len(s) < shortestPassword || isAddress(s) {
		return false
	}
	letters, numbers, signs, capitals := 0, 0, 0, 0
	for k := range len(s) {
		switch c := s[k]; {
		case isDigit(c):
			numbers++
		case isLetter(c):
			letters++
			if k > 0 && c <= 'Z' && s[k-1] > 'Z' {
				capitals++
			}
		case c == '/' || c == ',':
			return false // alternatives, dates, links
		case strings.IndexByte("!@#$%^&*+=_~?", c) >= 0 && k < len(s)-1:
			signs++
		}
	}
	switch {
	case letters == 0:
		return numbers == len(s)
	case numbers > 0:
		return len(s) > shortestPassword && !isMeasure(s)
	}
	return len(s) > shortestPassword && (signs > 0 || capitals > 0 && letters == len(s))
}

// isAddress reports whether a value is an e-mail address or a link, to which
// people send passwords.
func isAddress(s string) bool {
	if strings.Contains(s, "://") || strings.HasPrefix(s, "www.") {
		return true
	}
	at := strings.IndexByte(s, '@')
	dot := strings.LastIndexByte(s, '.')
	if at < 1 || dot < at || len(s)-dot < 3 {
		return false
	}
	for k := dot + 1; k < len(s); k++ {
		if !isLetter(s[k]) {
			return false
		}
	}
	return true
}

// isMeasure reports whether a value is a number with its unit, or an ordinal.
func isMeasure(s string) bool {
	k := 0
	for k < len(s) && isDigit(s[k]) {
		k++
	}
	switch strings.ToLower(s[k:]) {
	case "hours", "hour", "hrs", "hr", "days", "day", "mins", "min", "minutes", "months", "times", "chars", "characters", "digits", "digit", "x":
		return k > 0
	}
	return false
}

// plainPassword reports whether a plain word that was announced as a password
// is one: it ends the clause and is not said about the password.
func (v *view) plainPassword(start, end int) bool {
	s := v.s[start:end]
	if len(s) < shortestPassword || !v.endsClause(end) {
		return false
	}
	same := true
	for k := range len(s) {
		if !isLetter(s[k]) {
			return false
		}
		same = same && s[k] == s[0]
	}
	w := strings.ToLower(s)
	for _, ending := range [...]string{"ed", "ing", "ly", "able", "ible", "iert", "ado", "ada", "ido", "ida"} {
		if strings.HasSuffix(w, ending) {
			return false
		}
	}
	return !same && !aboutPassword(w)
}

// endsClause reports whether nothing of the same clause follows offset end.
func (v *view) endsClause(end int) bool {
	for ; end < len(v.s); end++ {
		switch v.s[end] {
		case '"', '\'', '`', ')', '*':
		case ' ', '\t', '\r':
			rest := v.s[end+1:]
			return rest == "" || rest[0] == '\n' || rest[0] == '.' || rest[0] == '(' || strings.HasPrefix(rest, "and ")
		default:
			return strings.IndexByte(".,;\n!/", v.s[end]) >= 0
		}
	}
	return true
}

// aboutPassword lists what people say about a password rather than in its place.
func aboutPassword(w string) bool {
	switch w {
	case "wrong", "correct", "incorrect", "invalid", "valid", "forgotten", "unknown", "known", "none", "reset", "okay", "same",
		"sensitive", "weak", "strong", "lost", "todo", "done", "email", "letter", "link", "there", "here", "good", "fine",
		"broken", "blank", "empty", "hidden", "secret", "private", "safe", "unique", "short", "long", "temporary", "default",
		"gone", "sent", "kept", "shown", "given", "taken", "stolen", "found", "written", "stars", "false", "true", "null", "needs",
		"change", "problem", "issue", "help", "again", "twice", "today", "yesterday", "tomorrow", "soon", "later", "ready", "enough",
		"different", "easy", "hard", "complex", "simple", "fails", "case", "over", "online", "portal", "website", "account", "login",
		"falsch", "richtig", "vergessen", "gesperrt", "unbekannt", "korrekt", "ungultig", "abgelaufen", "verloren", "zuruckgesetzt",
		"gestohlen", "sicher", "neu", "erneuert", "oublie", "expire", "invalide", "perdu", "faux", "bloque", "inconnu",
		"incorrecto", "incorrecta", "correcta", "correcto", "nueva", "nuevo", "invalidate", "desu", "confidential", "public",
		"missing", "sufficient", "insufficient", "identical", "obsolete", "unclear", "unsafe", "insecure", "secure":
		return true
	}
	return false
}

// longestBasic bounds what is decoded of a header, in bytes.
const longestBasic = 512

// basic finds the credentials of HTTP's Basic scheme: base64 of printable text
// with a colon.
func (v *view) basic(i int, found []Finding) []Finding {
	start, end := v.value(v.tokens[i].end)
	end = start + randomRun(v.s[start:end])
	if end-start < 8 || end-start > longestBasic {
		return found
	}
	plain, err := base64.StdEncoding.DecodeString(v.s[start:end])
	if err != nil || strings.IndexByte(string(plain), ':') < 1 {
		return found
	}
	for _, c := range plain {
		if c < ' ' || c > '~' {
			return found
		}
	}
	return add(found, Password, start, end)
}
