package synth

import (
	"math/big"
	"strings"
)

// issuer is the beginning and the length of the numbers of a card network.
type issuer struct {
	prefix string
	size   int
}

func issuers() []issuer {
	return []issuer{
		{"4", 16},
		{"4", 16},
		{"4", 19},
		{"51", 16},
		{"55", 16},
		{"2221", 16},
		{"2720", 16},
		{"34", 15},
		{"37", 15},
		{"6011", 16},
		{"65", 16},
		{"36", 14},
		{"3095", 16},
		{"3528", 16},
		{"3589", 16},
		{"62", 16},
		{"62", 19},
		{"6759", 16},
		{"50", 16},
		{"60", 16},
	}
}

// plantCard draws a number of a card that nobody holds, since it is drawn,
// with the check digit that makes it valid, in one of the ways people write it.
func plantCard(d *dice) string {
	from := issuers()
	i := from[d.below(len(from))]
	s := i.prefix + digitsOf(d, i.size-1-len(i.prefix))
	return writtenCard(d, s+string(luhnDigit(s)))
}

// luhnDigit returns the check digit of ISO/IEC 7812-1. That of package canon
// stops at the length of a loyalty number, and package forbidden is what these
// numbers test.
func luhnDigit(s string) byte {
	sum := 0
	for i := range len(s) {
		x := int(s[len(s)-1-i] - '0')
		if i%2 == 0 {
			if x *= 2; x > 9 {
				x -= 9
			}
		}
		sum += x
	}
	return byte('0' + (10-sum%10)%10)
}

// writtenCard writes a card number whole, in the groups of its network, digit
// by digit or in digits of another script.
func writtenCard(d *dice, s string) string {
	switch d.below(12) {
	case 0, 1, 2:
		return s
	case 3:
		return strings.Map(func(r rune) rune { return r + 0xFEE0 }, s)
	case 4:
		return strings.Map(func(r rune) rune { return r - '0' + 0x0660 }, s)
	case 5:
		return parted(s, 1, "\u200b")
	}
	sep := one(d, " ", "-", ".", "/", "\n", "  ", " - ", "\u00a0", "–", "x", " then ", "_")
	if len(s) < 16 {
		return s[:4] + sep + s[4:10] + sep + s[10:]
	}
	return parted(s, 4, sep)
}

func plantPassport(d *dice) string {
	switch d.below(5) {
	case 0:
		return one(d, "PA", "RA", "LA", "TK", "ZE") + digitsOf(d, 7)
	case 1:
		return one(d, "N", "E", "A", "J") + digitsOf(d, 8-d.below(2))
	case 2:
		return digitsOf(d, 9)
	case 3:
		return digitsOf(d, 2) + one(d, "AB", "CK", "FV") + digitsOf(d, 5)
	}
	return one(d, "pa", "lf") + " " + digitsOf(d, 6)
}

// plantIBAN draws an account in a country whose accounts are digits, and
// reckons its check digits.
func plantIBAN(d *dice) string {
	land := []struct {
		code string
		size int
	}{{"DE", 18}, {"ES", 20}, {"PL", 24}, {"NO", 11}, {"BE", 12}, {"PT", 21}, {"AT", 16}, {"DK", 14}, {"SE", 20}, {"FI", 14}}[d.below(10)]
	account := digitsOf(d, land.size)
	whole := account
	for _, c := range []byte(land.code + "00") {
		if c >= 'A' {
			whole += string([]byte{'0' + (c-'A'+10)/10, '0' + (c-'A'+10)%10})
		} else {
			whole += string(c)
		}
	}
	n, _ := new(big.Int).SetString(whole, 10)
	check := 98 - int(n.Mod(n, big.NewInt(97)).Int64())
	s := land.code + string(number(nil, check, 2)) + account
	return parted(s, 4, one(d, "", "", " ", " ", "-"))
}

func plantBank(d *dice) (lead, value string) {
	switch d.below(5) {
	case 0:
		return one(d, "bsb ", "BSB: "), digitsOf(d, 3) + one(d, "-", " ", "") + digitsOf(d, 3)
	case 1:
		return one(d, "sort code ", "Sort Code: "), parted(digitsOf(d, 6), 2, one(d, "-", "", " "))
	case 2:
		return one(d, "bank account ", "bank acct no ", "Kontonummer "), digitsOf(d, 6+d.below(5))
	case 3:
		return "refund to account ", digitsOf(d, 8)
	}
	return "routing number ", checked(d, 9, func(s string) bool { return weigh(s, 3, 7, 1, 3, 7, 1, 3, 7, 1)%10 == 0 }, 9)
}

func plantToken(d *dice) (lead, value string) {
	switch d.below(7) {
	case 0:
		return "", "AKIA" + strings.ToUpper(random(d, 16))
	case 1:
		return one(d, "", "token "), "ghp_" + random(d, 36)
	case 2:
		return "", one(d, "sk_live_", "rk_live_") + random(d, 24)
	case 3:
		return "", "xoxb-" + digitsOf(d, 11) + "-" + random(d, 24)
	case 4:
		return "", "AIza" + random(d, 35)
	case 5:
		return "jwt ", "eyJhbGciOiJIUzI1NiJ9." + random(d, 40) + "." + random(d, 43)
	}
	return one(d, "api key ", "API-Key: ", "bearer ", "client secret is ", "access token: "), random(d, 32)
}
