package canon

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// The limits of RFC 5321, in bytes of the normal form.
const (
	maxEmail  = 254
	maxLocal  = 64
	maxDomain = 253
	maxLabel  = 63
)

// Email returns the form of an e-mail address that is looked up: space around
// it dropped, NFC, both parts in lower case, the domain in its ASCII form, so
// that a domain written in its own script and the same domain written in
// "xn--" form are one. Lower case in the local part goes beyond RFC 5321, which lets
// a host tell A from a; no caller spells that out.
//
// Quoted local parts, address literals and domains without a dot are refused.
//
// Problems: ErrEmpty, ErrTooLong, ErrEncoding, ErrControl, ErrBidi,
// ErrCharacter, ErrShape.
func Email(s string) (string, error) {
	s, err := clean(FormEmail, s, MaxInput)
	if err != nil {
		return "", err
	}
	s = strings.TrimSpace(s)
	if s == "" {
		return "", fail(FormEmail, ErrEmpty)
	}
	local, domain, found := strings.Cut(s, "@")
	if !found || strings.Contains(domain, "@") {
		return "", fail(FormEmail, ErrShape)
	}
	if local, err = emailLocal(local); err != nil {
		return "", err
	}
	if domain, err = emailDomain(domain); err != nil {
		return "", err
	}
	if len(local)+1+len(domain) > maxEmail {
		return "", fail(FormEmail, ErrTooLong)
	}
	return local + "@" + domain, nil
}

func emailLocal(local string) (string, error) {
	local = norm.NFC.String(strings.ToLower(norm.NFC.String(local)))
	switch {
	case local == "":
		return "", fail(FormEmail, ErrShape)
	case len(local) > maxLocal:
		return "", fail(FormEmail, ErrTooLong)
	case strings.IndexFunc(local, notLocal) >= 0:
		return "", fail(FormEmail, ErrCharacter)
	}
	return local, nil
}

func notLocal(r rune) bool {
	return unicode.IsSpace(r) || strings.ContainsRune(`"(),:;<>[\]`, r)
}

// emailDomain lower-cases, composes and splits the domain, then writes every
// label in ASCII. Compatibility forms are folded twice because lower case can
// bring a new one to light.
func emailDomain(domain string) (string, error) {
	domain = norm.NFKC.String(strings.ToLower(norm.NFKC.String(domain)))
	domain = strings.ReplaceAll(domain, "\u3002", ".") // the ideographic full stop
	labels := strings.Split(domain, ".")
	if len(labels) < 2 {
		return "", fail(FormEmail, ErrShape)
	}
	for i, label := range labels {
		ascii, err := emailLabel(label)
		if err != nil {
			return "", err
		}
		labels[i] = ascii
	}
	domain = strings.Join(labels, ".")
	if len(domain) > maxDomain {
		return "", fail(FormEmail, ErrTooLong)
	}
	return domain, nil
}

func emailLabel(label string) (string, error) {
	if label == "" || label[0] == '-' || label[len(label)-1] == '-' {
		return "", fail(FormEmail, ErrShape)
	}
	if strings.IndexFunc(label, notLabel) >= 0 {
		return "", fail(FormEmail, ErrCharacter)
	}
	if !isASCII(label) {
		label = acePrefix + punycode(label)
	}
	if len(label) > maxLabel {
		return "", fail(FormEmail, ErrTooLong)
	}
	return label, nil
}

func notLabel(r rune) bool {
	if r <= unicode.MaxASCII {
		return r != '-' && !('a' <= r && r <= 'z') && !('0' <= r && r <= '9')
	}
	return !unicode.In(r, unicode.L, unicode.M, unicode.Nd)
}
