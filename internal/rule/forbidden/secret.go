package forbidden

import (
	"encoding/base64"
	"strings"
)

const (
	// shortestSecret is the shortest run without spaces that can be a token.
	shortestSecret = 15
	// longestJWTHeader bounds what is decoded of one.
	longestJWTHeader = 2048
	fewestDistinct   = 10 // characters in a random token
	fewestTurns      = 5  // between classes of characters in it
)

// keys finds private keys by the header of their format.
func (v *view) keys(found []Finding) []Finding {
	for i := range v.tokens {
		t := v.tokens[i]
		rest := v.s[t.start:]
		switch {
		case t.label == beginsBlock:
			if end := v.keyBlock(t.start); end > 0 {
				found = append(found, Finding{Class: PrivateKey, Start: t.start, End: end})
			}
		case t.label == beginsAge:
			if head := "age-secret-key-"; len(rest) > len(head) && strings.EqualFold(rest[:len(head)], head) {
				found = append(found, Finding{Class: PrivateKey, Start: t.start, End: v.chunkEnd(t.start)})
			}
		case t.label == beginsPutty:
			if strings.HasPrefix(rest, "PuTTY-User-Key-File-") {
				found = append(found, Finding{Class: PrivateKey, Start: t.start, End: v.chunkEnd(t.start)})
			}
		}
	}
	return found
}

// longestBegin bounds the words of a header, in bytes.
const longestBegin = 64

// keyBlock returns the end of the header "BEGIN … PRIVATE KEY" at offset at, or
// 0. The body is not looked at: a header alone says enough, and a truncated
// key is a key.
func (v *view) keyBlock(at int) int {
	if !strings.Contains(v.s[max(0, at-2):at], "-") {
		return 0
	}
	head := v.s[at:min(len(v.s), at+longestBegin)]
	dashes := strings.Index(head, "---")
	if dashes < 0 {
		return 0
	}
	head = strings.ToUpper(head[:dashes])
	if strings.Contains(head, "PRIVATE KEY") || strings.Contains(head, "ENCRYPTED PRIVATE") {
		return at + dashes + 3
	}
	return 0
}

// chunkEnd returns the end of the run without spaces at offset at.
func (v *view) chunkEnd(at int) int {
	for at < len(v.s) && !endsChunk(v.s[at]) {
		at++
	}
	return at
}

// chunks looks at every run without spaces that is long enough: tokens that
// their issuer's prefix gives away, JSON web tokens, passwords in addresses,
// and the machine-readable lines of passports.
func (v *view) chunks(found []Finding) []Finding {
	for from := 0; from < len(v.s); {
		to := v.chunkEnd(from)
		if to-from >= shortestSecret {
			found = v.chunk(from, to, found)
		}
		from = to + 1
	}
	return found
}

func (v *view) chunk(from, to int, found []Finding) []Finding {
	s := v.s[from:to]
	if start, end := v.mrz(from, to); end > start {
		return append(found, Finding{Class: Passport, Start: start, End: end})
	}
	for k := 0; k < len(s); k++ {
		joined := k > 0 && isTokenByte(s[k-1])
		if joined && s[k-1] != '-' && s[k-1] != '_' {
			continue // not the beginning of a word
		}
		n := prefixed(s[k:])
		if !joined && strings.HasPrefix(s[k:], "eyJ") { // not in the middle of a run, which would be walked again and again
			n = jwt(s[k:])
		}
		if n > 0 {
			found = append(found, Finding{Class: APIToken, Start: from + k, End: from + k + n})
			k += n
		}
	}
	if start, end := inAddress(s); end > start {
		found = append(found, Finding{Class: Password, Start: from + start, End: from + end})
	}
	return found
}

func isTokenByte(c byte) bool { return isLetter(c) || isDigit(c) || c == '_' || c == '-' }

// tokenRun returns how many of the first bytes of s can be part of a token.
func tokenRun(s string) int {
	n := 0
	for n < len(s) && isTokenByte(s[n]) {
		n++
	}
	return n
}

// prefixed returns the length of the token with a known prefix that s begins
// with, or 0.
func prefixed(s string) int {
	prefix, least := tokenPrefix(s)
	if prefix == "" {
		return 0
	}
	rest := s[len(prefix):]
	if prefix == "AKIA" || prefix == "ASIA" {
		rest = rest[:capitalRun(rest)]
	}
	n := tokenRun(rest)
	if n < least {
		return 0
	}
	return len(prefix) + n
}

// capitalRun returns how many of the first bytes of s are capitals or digits.
func capitalRun(s string) int {
	n := 0
	for n < len(s) && (isDigit(s[n]) || 'A' <= s[n] && s[n] <= 'Z') {
		n++
	}
	return n
}

// tokenPrefix returns the prefix of a known kind of token that s begins with,
// and how many characters follow at least; or nothing.
func tokenPrefix(s string) (prefix string, least int) {
	if len(s) < shortestSecret {
		return "", 0
	}
	// The first two bytes decide, so that most words end here.
	switch s[:2] {
	case "AK":
		return oneOf(s, 16, "AKIA")
	case "AS":
		return oneOf(s, 16, "ASIA")
	case "AI":
		return oneOf(s, 30, "AIza")
	case "AT":
		return oneOf(s, 20, "ATATT3", "ATCTT3")
	case "gh":
		return oneOf(s, 36, "ghp_", "gho_", "ghu_", "ghs_", "ghr_")
	case "gi":
		return oneOf(s, 22, "github_pat_")
	case "gl":
		return oneOf(s, 20, "glpat-", "glsa_", "gldt-", "glrt-")
	case "sk":
		if p, n := oneOf(s, 16, "sk_live_", "sk_test_"); p != "" {
			return p, n
		}
		return oneOf(s, 32, "sk-")
	case "rk":
		return oneOf(s, 16, "rk_live_", "rk_test_")
	case "wh":
		return oneOf(s, 24, "whsec_")
	case "xo":
		return oneOf(s, 10, "xoxb-", "xoxa-", "xoxp-", "xoxr-", "xoxs-", "xoxe-", "xoxc-", "xoxd-")
	case "xa":
		return oneOf(s, 20, "xapp-")
	case "np":
		return oneOf(s, 36, "npm_")
	case "py":
		return oneOf(s, 40, "pypi-AgE")
	case "do":
		return oneOf(s, 64, "dop_v1_", "doo_v1_", "dor_v1_")
	case "dc":
		return oneOf(s, 20, "dckr_pat_")
	case "sh":
		return oneOf(s, 32, "shpat_", "shpss_", "shpca_", "shppa_")
	case "sq":
		return oneOf(s, 22, "sq0atp-", "sq0csp-")
	case "SG":
		return oneOf(s, 16, "SG.")
	case "hv":
		return oneOf(s, 24, "hvs.", "hvb.")
	case "hf":
		return oneOf(s, 30, "hf_")
	case "ya":
		return oneOf(s, 20, "ya29.")
	}
	return "", 0
}

func oneOf(s string, least int, prefixes ...string) (string, int) {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return p, least
		}
	}
	return "", 0
}

// jwt returns the length of the JSON web token (signed, unsigned or encrypted)
// that s begins with, or 0: the first part must be a JSON object that names an
// algorithm.
func jwt(s string) int {
	head := tokenRun(s)
	if head > longestJWTHeader || head == len(s) || s[head] != '.' {
		return 0
	}
	header, err := base64.RawURLEncoding.DecodeString(s[:head])
	if err != nil || header[0] != '{' || !strings.Contains(string(header), `"alg"`) {
		return 0
	}
	n, dots := head, 0
	for n < len(s) && (s[n] == '.' || isTokenByte(s[n])) {
		if s[n] == '.' {
			dots++
		}
		n++
	}
	if dots < 2 {
		return 0
	}
	return n
}

// inAddress returns where the password of an address such as
// https://name:password@host stands in s.
func inAddress(s string) (start, end int) {
	scheme := strings.Index(s, "://")
	if scheme < 0 {
		return 0, 0
	}
	host := s[scheme+3:]
	if slash := strings.IndexAny(host, "/?#"); slash >= 0 {
		host = host[:slash]
	}
	at := strings.LastIndexByte(host, '@')
	if at < 0 {
		return 0, 0
	}
	colon := strings.IndexByte(host[:at], ':')
	if colon < 0 || at-colon < 2 {
		return 0, 0
	}
	return scheme + 3 + colon + 1, scheme + 3 + at
}

// introducedSecret finds a random token behind "API key", "token", "secret",
// "bearer" and their like.
func (v *view) introducedSecret(i int, found []Finding) []Finding {
	class, l := APIToken, v.tokens[i].label
	if l == saysPrivate {
		class = PrivateKey
	}
	if l&(saysAPI|saysPrivate) != 0 && !v.is(i, "privatekey") {
		if i++; v.labelAt(i)&(partKey|saysToken|saysSecret) == 0 {
			return found
		}
	}
	if end := v.tokenDigits(i); l == saysToken && end > 0 {
		j, _ := v.follower(i)
		return add(found, OneTime, v.tokens[j].start, end)
	}
	for k := i; k < len(v.tokens) && k <= i+mostFillers; k++ {
		if k > i && v.tokens[k].label&passes == 0 {
			return found
		}
		start, end := v.value(v.tokens[k].end)
		if turns, _ := readGap(v.s[v.tokens[k].end:start], false); turns {
			return found
		}
		end = start + randomRun(v.s[start:end])
		if random(v.s[start:end]) {
			return add(found, class, start, end)
		}
	}
	return found
}

// passes may stand between "secret" and the token.
const passes = filler | copula | partNumber | partKey | partAccess | partCode | saysToken | saysSecret

// tokenDigits returns the end of the six to eight digits that a hardware token
// shows, behind token i, or 0.
func (v *view) tokenDigits(i int) int {
	j, _ := v.follower(i)
	if j < 0 || v.tokens[j].kind != number {
		return 0
	}
	end := v.number(j, digits(6, 8), false, nil)
	if end != v.tokens[j].end || v.chunkEnd(end) != end {
		return 0
	}
	return end
}

// randomRun returns how many of the first bytes of s can be part of a random
// token in any of the usual encodings.
func randomRun(s string) int {
	for n := range len(s) {
		if !isLetter(s[n]) && !isDigit(s[n]) && strings.IndexByte("+/=_-.~:", s[n]) < 0 {
			return n
		}
	}
	return len(s)
}

// random reports whether s looks drawn rather than written: long, of many
// different characters, and changing between their classes often.
func random(s string) bool {
	if len(s) < shortestSecret || isAddress(s) {
		return false
	}
	var seen [4]uint64
	distinct, turns, last, numbers := 0, 0, 0, 0
	for k := range len(s) {
		c := s[k]
		class := 0
		switch {
		case isDigit(c):
			class = 1
			numbers++
		case 'a' <= c && c <= 'z':
			class = 2
		case 'A' <= c && c <= 'Z':
			class = 3
		case strings.IndexByte("+/=_-.~:", c) >= 0:
			class = 4
		default:
			return false
		}
		if k > 0 && class != last {
			turns++
		}
		last = class
		if bit := uint64(1) << (c % 64); seen[c/64]&bit == 0 {
			seen[c/64] |= bit
			distinct++
		}
	}
	return distinct >= fewestDistinct && turns >= fewestTurns && (numbers > 0 || 3*turns >= len(s))
}
