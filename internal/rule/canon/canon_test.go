package canon_test

import (
	"errors"
	"strings"
	"testing"

	"purser/internal/rule/canon"

	"pgregory.net/rapid"
)

// A form is one function of the package, for the tests that hold for all.
type form struct {
	name canon.Form
	of   func(string) (string, error)
	near *rapid.Generator[string] // strings that often have the form
}

func forms() []form {
	return []form{
		{canon.FormName, canon.Name, rapid.StringMatching(`[A-Za-zÀ-ÿĀ-ſ'’ .\-が한şαйéأ]{0,30}`)},
		{canon.FormEmail, canon.Email, rapid.StringMatching(`[A-Za-zéß.+]{1,12}@([A-Za-zü0-9]{1,8}[.。]){1,3}(com|Net|рф)`)},
		{canon.FormPhone, phoneAU, rapid.StringMatching(`(\+|00|0011 )?[0-9 ()\-.]{5,18}`)},
		{canon.FormBirthDate, canon.BirthDate, rapid.StringMatching(`([0-3]?[0-9])[ ./\-](Jan|feb|12|[0-9]{1,2})[ ./\-](19|20)[0-9]{2}`)},
		{canon.FormLoyaltyNumber, canon.LoyaltyNumber, rapid.StringMatching(`[a-zA-Z]{0,3}[0-9 \-]{5,12}`)},
		{canon.FormBookingReference, canon.BookingReference, rapid.StringMatching(`[a-z0-9A-Z \-]{5,8}`)},
		{canon.FormPostcode, canon.Postcode, rapid.StringMatching(`[a-z0-9A-Z \-]{1,11}`)},
	}
}

func phoneAU(s string) (string, error) { return canon.Phone(s, "AU") }

func allProblems() []canon.Problem {
	return []canon.Problem{
		canon.ErrEmpty, canon.ErrTooLong, canon.ErrEncoding, canon.ErrControl, canon.ErrBidi,
		canon.ErrCharacter, canon.ErrShape, canon.ErrRange, canon.ErrCheckDigit, canon.ErrAmbiguous,
	}
}

// checkForm holds what every form promises for every input.
func checkForm(t interface{ Fatalf(string, ...any) }, f form, in string) {
	once, err := f.of(in)
	if err != nil {
		checkError(t, f, once, err)
		return
	}
	if once == "" || len(once) > canon.MaxInput {
		t.Fatalf("%s of %q: got %q (%d bytes), want 1 to %d bytes", f.name, in, once, len(once), canon.MaxInput)
	}
	twice, err := f.of(once)
	if err != nil || twice != once {
		t.Fatalf("%s of %q: got %q, then %q (%v), want the same", f.name, in, once, twice, err)
	}
}

// checkError holds that an error says one of a fixed set of sentences, which
// is stronger than that it does not contain the value.
func checkError(t interface{ Fatalf(string, ...any) }, f form, got string, err error) {
	var e *canon.Error
	if !errors.As(err, &e) || e.Form != f.name || got != "" {
		t.Fatalf("got value %q and error %T %v, want no value and a *canon.Error of %s", got, err, err, f.name)
	}
	for _, p := range allProblems() {
		if err.Error() == string(f.name)+" "+p.Error() && errors.Is(err, p) {
			return
		}
	}
	t.Fatalf("got error %q, want one of the fixed sentences", err)
}

func TestFormsAreIdempotentAndErrorsHoldNoValue(t *testing.T) {
	for _, f := range forms() {
		t.Run(string(f.name), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				checkForm(t, f, rapid.OneOf(f.near, rapid.String()).Draw(t, "in"))
			})
		})
	}
}

// Every single character, alone and between letters, keeps the promise: this
// is where case folding and composition disagree if they do.
func TestEveryCharacterIsIdempotent(t *testing.T) {
	domain := func(s string) string { return "a@x" + s + "y.com" }
	local := func(s string) string { return "x" + s + "y@a.com" }
	plain := func(s string) string { return s }
	inside := func(s string) string { return "h" + s + "\u0331\u0301s" }
	name, email := forms()[0], forms()[1]
	for r := rune(0); r <= 0x1FFFF; r++ {
		if 0xD800 <= r && r <= 0xDFFF || 0x3400 <= r && r <= 0x9FFF || 0x17000 <= r && r <= 0x18FFF {
			continue // surrogates, and ideographs that have no case and no parts
		}
		for _, wrap := range []func(string) string{plain, inside} {
			checkForm(t, name, wrap(string(r)))
		}
		for _, wrap := range []func(string) string{domain, local} {
			checkForm(t, email, wrap(string(r)))
		}
	}
}

func TestBadTextIsRefusedByEveryForm(t *testing.T) {
	cases := []struct {
		name, in string
		want     canon.Problem
	}{
		{"nothing", "", canon.ErrEmpty},
		{"only a space", " ", canon.ErrEmpty},
		{"cut UTF-8", "ab\xc3", canon.ErrEncoding},
		{"overlong UTF-8", "ab\xc0\x80", canon.ErrEncoding},
		{"half a surrogate pair", "ab\xed\xa0\x80", canon.ErrEncoding},
		{"replacement character", "ab\ufffd", canon.ErrEncoding},
		{"NUL", "ab\x00c", canon.ErrControl},
		{"line break", "ab\nc", canon.ErrControl},
		{"next line", "ab\u0085c", canon.ErrControl},
		{"right-to-left override", "ab\u202ec", canon.ErrBidi},
		{"isolate", "ab\u2066c", canon.ErrBidi},
		{"one byte over the limit", strings.Repeat("a", canon.MaxInput+1), canon.ErrTooLong},
		{"a megabyte", strings.Repeat("a", 1<<20), canon.ErrTooLong},
		{"a megabyte of rubbish", strings.Repeat("\xff", 1<<20), canon.ErrTooLong},
	}
	for _, f := range forms() {
		for _, c := range cases {
			t.Run(string(f.name)+"/"+c.name, func(t *testing.T) {
				got, err := f.of(c.in)
				if !errors.Is(err, c.want) || got != "" {
					t.Fatalf("got %q, %v, want the problem %q", got, err, c.want)
				}
				checkError(t, f, got, err)
			})
		}
	}
}

// A formCase is one input and either its normal form or its problem.
type formCase struct {
	name, in, want string
	problem        canon.Problem
}

func runCases(t *testing.T, of func(string) (string, error), cases []formCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := of(c.in)
			if c.problem != "" {
				if !errors.Is(err, c.problem) {
					t.Fatalf("got %q, %v, want the problem %q", got, err, c.problem)
				}
				return
			}
			if err != nil || got != c.want {
				t.Fatalf("got %q, %v, want %q", got, err, c.want)
			}
		})
	}
}
