package synth

import (
	"fmt"
	"strings"
)

// Outcome is what is to become of a row.
type Outcome uint8

// The outcomes.
const (
	Taken Outcome = 1 + iota // brings somebody in
	Joins                    // is about the one whom the row before brought in
	Refused
)

// A Nasty is one row that is hard to get right, as it stands in the file.
type Nasty struct {
	Kind   string
	Row    string // with its line's end
	Want   Outcome
	Column string // of a refusal; empty: the whole row
	Secret string // what must show nowhere in the clear
}

// NastyHeader names the columns of nasty rows.
const NastyHeader = "given_name,family_name,email,phone,birth_date,loyalty_number,address,tier\r\n"

// NastyAt returns row i: every kind comes in turn, each time with other values.
func NastyAt(i int) Nasty {
	kinds := nastyKinds(i)
	return kinds[i%len(kinds)]
}

// nastyKinds are all kinds, with the values of row i. A row that joins follows
// the one that it joins, which has the values of row i-1.
func nastyKinds(i int) []Nasty {
	s := func(of int) string { return fmt.Sprintf("Secret%07d", of) }
	secret, before := s(i), s(i-1)
	mail := func(secret string) string { return strings.ToLower(secret) + "@example.com" }
	row := func(cells ...string) string { return strings.Join(cells, ",") + "\n" }
	name := func(text string) string { return row(text, secret, mail(secret), "", "", "", "", "") }
	member := func(of int) string { return loyaltyNumber(firstLoyalty + of) }
	bad := func(kind, column, row string) Nasty { return Nasty{kind, row, Refused, column, secret} }
	good := func(kind, row string) Nasty { return Nasty{kind, row, Taken, "", secret} }
	all := []Nasty{
		good("plain", row("Kim", secret, mail(secret), "+61491570156", "1980-04-03", "", "", "Blue")),
		bad("bad UTF-8", "name", name("K\xc0\xafm")),
		bad("replacement character", "name", name("K\ufffdm")),
		bad("direction override", "name", name("K\u202em")),
		bad("isolate", "name", name("K\u2066m")),
		bad("NUL", "name", name("K\x00m")),
		bad("escape character", "name", name("K\x1b[2Jm")),
		bad("lone carriage return", "name", name("K\rm")),
		bad("over-long", "name", name(strings.Repeat("x", 300))),
		bad("huge", "name", name(strings.Repeat("x", 1<<11))),
		bad("bad e-mail address", "email", row("Kim", secret, secret+" at example", "", "", "", "", "")),
		bad("two at signs", "email", row("Kim", secret, secret+"@a@example.com", "", "", "", "", "")),
		bad("bad phone", "phone", row("Kim", secret, mail(secret), "call "+secret, "", "", "", "")),
		bad("short phone", "phone", row("Kim", secret, mail(secret), "+611", "", "", "", "")),
		bad("bad date", "birth_date", row("Kim", secret, mail(secret), "", "1980-02-30", "", "", "")),
		bad("ambiguous date", "birth_date", row("Kim", secret, mail(secret), "", "03/04/1980", "", "", "")),
		bad("two-digit year", "birth_date", row("Kim", secret, mail(secret), "", "3 April 80", "", "", "")),
		bad("wrong check digit", "loyalty_number", row("Kim", secret, mail(secret), "", "", "1234567890", "", "")),
		bad("too few cells", "", row("Kim", secret)),
		bad("too many cells", "", row("Kim", secret, mail(secret), "", "", "", "", "", "")),
		bad("no value", "", row(" ", "", "", "", "", "", "", "")),
		bad("quotation mark inside", "", row(`K"im`, secret, mail(secret), "", "", "", "", "")),
		bad("quotation mark behind a cell", "", row(`"Kim"x`, secret, mail(secret), "", "", "", "", "")),
		bad("card number", "address", row("Kim", secret, mail(secret), "", "", "", "pays 4111 1111 1111 1111", "")),
		bad("password", "address", row("Kim", secret, mail(secret), "", "", "", "password: hunter2-"+secret, "")),
		bad("IBAN", "address", row("Kim", secret, mail(secret), "", "", "", "DE89 3704 0044 0532 0130 00", "")),
		bad("passport", "address", row("Kim", secret, mail(secret), "", "", "", "passport no. PA0940443", "")),
		good("quoted with a comma", row("Kim", secret, mail(secret), "", "", "", `"1 Street, Town"`, "")),
		good("quoted over lines", row("Kim", secret, mail(secret), "", "", "", "\"1 Street\r\nTown\"", "")),
		good("doubled quotation mark", row("Kim", secret, mail(secret), "", "", "", `"The ""House"""`, "")),
		good("line ends with CR LF", strings.TrimSuffix(row("Kim", secret, mail(secret), "", "", "", "", ""), "\n")+"\r\n"),
		good("byte order mark in a cell", row("\ufeffKim", secret, mail(secret), "", "", "", "", "")),
		good("formula", row("Kim", secret, mail(secret), "", "", "", "=1+1", "@SUM(A1)")),
		good("homoglyphs", row("\u041aim", secret, mail(secret), "", "", "", "", "")),
		good("other script", row("\u738b", "\u5c0f\u660e"+secret, mail(secret), "", "", "", "", "")),
		good("right to left", row("\u05d3\u05d5\u05d3", secret, mail(secret), "", "", "", "", "")),
		good("decomposed accents", row("Jose\u0301", secret, mail(secret), "", "", "", "", "")),
		good("date in words", row("Kim", secret, mail(secret), "", "3 April 1980", "", "", "")),
		good("phone of the region", row("Kim", secret, mail(secret), "0491 570 156", "", "", "", "")),
		good("with a number", row("Kim", secret, mail(secret), "", "", member(i), "", "")),
		{"the same number", row("Sam", "", "", "", "", " "+member(i-1)+" ", "", "Gold"), Joins, "", secret},
		good("original of copies", row("Kim", secret, mail(secret), "", "", "", "", "")),
		{"in capitals", row("KIM", strings.ToUpper(before), strings.ToUpper(mail(before)), "", "", "", "", ""), Joins, "", secret},
	}
	return all
}
