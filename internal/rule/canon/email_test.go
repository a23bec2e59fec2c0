package canon_test

import (
	"strings"
	"testing"

	"purser/internal/rule/canon"
)

func TestEmail(t *testing.T) {
	runCases(t, canon.Email, []formCase{
		{name: "plain", in: "mary@example.com", want: "mary@example.com"},
		{name: "case and space", in: " Mary.Brown@Example.COM ", want: "mary.brown@example.com"},
		{name: "plus", in: "mary+qf@example.com", want: "mary+qf@example.com"},
		{name: "own script in the domain", in: "a@Bücher.example", want: "a@xn--bcher-kva.example"},
		{name: "decomposed domain", in: "a@bu\u0308cher.example", want: "a@xn--bcher-kva.example"},
		{name: "domain in ASCII form", in: "a@XN--Bcher-KVA.example", want: "a@xn--bcher-kva.example"},
		{name: "ideographic full stop", in: "a@例え。example", want: "a@xn--r8jz45g.example"},
		{name: "full-width domain", in: "a@ｅｘａｍｐｌｅ．ｃｏｍ", want: "a@example.com"},
		{name: "own script in the local part", in: "ÉMILE@example.com", want: "émile@example.com"},
		{name: "longest", in: strings.Repeat("l", 64) + "@" + longDomain(189), want: strings.Repeat("l", 64) + "@" + longDomain(189)},
		{name: "too long in all", in: strings.Repeat("l", 64) + "@" + longDomain(190), problem: canon.ErrTooLong},
		{name: "local part too long", in: strings.Repeat("l", 65) + "@example.com", problem: canon.ErrTooLong},
		{name: "label too long", in: "a@" + strings.Repeat("l", 64) + ".com", problem: canon.ErrTooLong},
		{name: "no at", in: "mary.example.com", problem: canon.ErrShape},
		{name: "two ats", in: "mary@home@example.com", problem: canon.ErrShape},
		{name: "full-width at in the domain", in: "a@x＠example.com", problem: canon.ErrCharacter},
		{name: "no local part", in: "@example.com", problem: canon.ErrShape},
		{name: "no dot", in: "mary@localhost", problem: canon.ErrShape},
		{name: "empty label", in: "mary@example..com", problem: canon.ErrShape},
		{name: "dot at the end", in: "mary@example.com.", problem: canon.ErrShape},
		{name: "hyphen at the start", in: "mary@-example.com", problem: canon.ErrShape},
		{name: "space inside", in: "mary brown@example.com", problem: canon.ErrCharacter},
		{name: "quoted", in: `"mary"@example.com`, problem: canon.ErrCharacter},
		{name: "with a display name", in: "Mary <mary@example.com>", problem: canon.ErrCharacter},
		{name: "address literal", in: "mary@[127.0.0.1]", problem: canon.ErrCharacter},
		{name: "underscore in the domain", in: "mary@ex_ample.com", problem: canon.ErrCharacter},
	})
}

// longDomain returns a domain of n bytes.
func longDomain(n int) string {
	s := strings.Repeat(strings.Repeat("d", 49)+".", 6)
	return s[:n-4] + ".com"
}

// The samples of RFC 3492, section 7.1, that are one lower-case label.
func TestDomainsTakeTheirStandardASCIIForm(t *testing.T) {
	cases := []struct{ name, label, want string }{
		{"Arabic (Egyptian)", "ليهمابتكلموشعربي؟", ""},
		{"Chinese (simplified)", "他们为什么不说中文", "xn--ihqwcrb4cv8a8dqg056pqjye"},
		{"Chinese (traditional)", "他們爲什麽不說中文", "xn--ihqwctvzc91f659drss3x8bo0yb"},
		{"Czech", "pročprostěnemluvíčesky", "xn--proprostnemluvesky-uyb24dma41a"},
		{"Hebrew", "למההםפשוטלאמדבריםעברית", "xn--4dbcagdahymbxekheh6e0a7fei0b"},
		{"Hindi", "यहलोगहिन्दीक्योंनहींबोलसकतेहैं", "xn--i1baa7eci9glrd9b2ae1bj0hfcgg6iyaf8o0a1dig0cd"},
		{"Russian", "почемужеонинеговорятпорусски", "xn--b1abfaaepdrnnbgefbadotcwatmq2g4l"},
		{"Spanish", "porquénopuedensimplementehablarenespañol", "xn--porqunopuedensimplementehablarenespaol-fmd56a"},
		{"Vietnamese", "tạisaohọkhôngthểchỉnóitiếngviệt", "xn--tisaohkhngthchnitingvit-kjcr8268qyxafd2f1b9g"},
		{"German", "straße", "xn--strae-oqa"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := canon.Email("a@" + c.label + ".example")
			if c.want == "" { // the sample ends in a question mark, which no domain has
				if err == nil {
					t.Fatalf("got %q, want a problem", got)
				}
				return
			}
			if want := "a@" + c.want + ".example"; err != nil || got != want {
				t.Fatalf("got %q, %v, want %q", got, err, want)
			}
		})
	}
}

func BenchmarkEmail(b *testing.B) {
	for b.Loop() {
		_, _ = canon.Email("mary.brown.k3f9@example.com")
	}
}
