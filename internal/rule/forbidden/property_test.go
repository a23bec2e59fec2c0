package forbidden_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"purser/internal/rule/canon"
	"purser/internal/rule/forbidden"
	"purser/internal/synth"
)

// digitsDrawn draws n digits.
func digitsDrawn(n int) *rapid.Generator[string] {
	return rapid.StringMatching(fmt.Sprintf("[0-9]{%d}", n))
}

// card draws a valid card number of 14 to 19 digits.
func card(t *rapid.T) string {
	issuers := []struct {
		prefix string
		size   int
	}{
		{"4", 16},
		{"4", 19},
		{"51", 16},
		{"2221", 16},
		{"2720", 16},
		{"34", 15},
		{"37", 15},
		{"6011", 16},
		{"36", 14},
		{"3589", 16},
		{"62", 17},
		{"6759", 18},
		{"50", 16},
	}
	i := rapid.SampledFrom(issuers).Draw(t, "issuer")
	body := i.prefix + digitsDrawn(i.size-1-len(i.prefix)).Draw(t, "digits")
	sum := 0
	for k := range len(body) {
		x := int(body[len(body)-1-k] - '0')
		if k%2 == 0 {
			x = 2*x/10 + 2*x%10
		}
		sum += x
	}
	return body + string(rune('0'+(10-sum%10)%10))
}

// separated writes a card number in one of the forms that are promised.
func separated(t *rapid.T, number string) string {
	form := rapid.SampledFrom([]string{
		"", " ", "-", ".", "/", "_", "\n", "\r\n", "  ", " - ", "\u00a0", "–", "x", " then ", "wide", "hidden",
	}).Draw(t, "form")
	switch {
	case form == "wide":
		return strings.Map(func(r rune) rune { return r + 0xFEE0 }, number)
	case form == "hidden":
		return strings.Join(strings.Split(number, ""), "\u200b")
	case len(number) < 16:
		return number[:4] + form + number[4:10] + form + number[10:]
	}
	var b strings.Builder
	for i := range len(number) {
		if i > 0 && i%4 == 0 && i < 20 {
			b.WriteString(form)
		}
		b.WriteByte(number[i])
	}
	return b.String()
}

func TestAValidCardNumberIsFoundAnywhereInANote(t *testing.T) {
	notes := synth.NewNotes(11)
	rapid.Check(t, func(t *rapid.T) {
		note := notes.At(rapid.IntRange(0, 1_000_000).Draw(t, "note"))
		spaces := []int{0, len(note)}
		for i := range len(note) {
			if note[i] == ' ' {
				spaces = append(spaces, i)
			}
		}
		at := rapid.SampledFrom(spaces).Draw(t, "at")
		before, value := note[:at]+" ", separated(t, card(t))
		found := forbidden.Find(before + value + " " + note[at:])
		for _, f := range found {
			if f.Start < len(before)+len(value) && f.End > len(before) {
				return
			}
		}
		t.Fatalf("%q in %q: got %v", value, before+"…"+note[at:], found)
	})
}

// harmless draws a value that people write in notes every day, and a text
// with it.
func harmless(t *rapid.T) string {
	d := func(n int) string { return digitsDrawn(n).Draw(t, "digits") }
	switch rapid.IntRange(0, 8).Draw(t, "kind") {
	case 0:
		body := d(9)
		check, err := canon.LoyaltyCheckDigit(body)
		if err != nil {
			t.Fatal(err)
		}
		return rapid.SampledFrom([]string{"ff %", "loyalty account %", "member no. %", "%", "card and ff %", "passport seen, ff %"}).Draw(t, "text") + "|" + body + string(check)
	case 1:
		return rapid.SampledFrom([]string{"%", "call %", "passport checked, phone %", "pin reset, tel %", "visa declined, mobile %"}).Draw(t, "text") + "|" +
			rapid.SampledFrom([]string{"+", "", "00"}).Draw(t, "plus") + rapid.SampledFrom([]string{"61", "44", "49", "1", "55", "62", "34"}).Draw(t, "country") + d(rapid.IntRange(8, 10).Draw(t, "size"))
	case 2:
		return "cb % ext 4567|" + "0" + d(3) + " " + d(3) + " " + d(3)
	case 3:
		return rapid.SampledFrom([]string{"pnr %", "passport ok, pnr %", "%", "booking % paid by card"}).Draw(t, "text") + "|" + rapid.StringMatching("[A-Z0-9]{6}").Draw(t, "reference")
	case 4:
		return rapid.SampledFrom([]string{"tkt %", "eticket % paid", "%", "refund %, card ok"}).Draw(t, "text") + "|" + d(3) + rapid.SampledFrom([]string{"-", "", " "}).Draw(t, "sep") + d(10)
	case 5:
		return rapid.SampledFrom([]string{"passport expires %", "passport %", "pin changed on %", "%"}).Draw(t, "text") + "|" +
			fmt.Sprintf("%02d/%02d/20%02d", rapid.IntRange(1, 28).Draw(t, "d"), rapid.IntRange(1, 12).Draw(t, "m"), rapid.IntRange(20, 40).Draw(t, "y"))
	case 6:
		return "bag %, refund to the card|" + d(10)
	case 7:
		return "case % opened for the password|" + d(8)
	}
	return "paid % by visa ending 4242|AUD " + d(3) + "." + d(2)
}

func TestHarmlessNumbersAreNotFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, value, _ := strings.Cut(harmless(t), "|")
		note := strings.Replace(text, "%", value, 1)
		if found := forbidden.Find(note); len(found) > 0 {
			t.Fatalf("%q: got %v, want nothing", note, found)
		}
	})
}

func TestOneWrongDigitMakesNoCard(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := []byte(card(t))
		at := rapid.IntRange(0, len(number)-1).Draw(t, "at")
		number[at] = '0' + (number[at]-'0'+byte(rapid.IntRange(1, 9).Draw(t, "by")))%10
		if found := forbidden.Find("paid " + string(number)); len(found) > 0 {
			t.Fatalf("%s: got %v", number, found)
		}
	})
}

func TestPlacesHoldInAnyText(t *testing.T) {
	notes := synth.NewNotes(12)
	rapid.Check(t, func(t *rapid.T) {
		checkPlaces(t, notes.Plant(rapid.IntRange(0, 1_000_000).Draw(t, "note")).Text)
		checkPlaces(t, rapid.String().Draw(t, "text"))
	})
}

func TestDigitsOfEveryScriptHaveTheirValue(t *testing.T) {
	for _, in := range unicode.Nd.R16 {
		checkTens(t, rune(in.Lo), rune(in.Hi), int(in.Stride))
	}
	for _, in := range unicode.Nd.R32 {
		checkTens(t, rune(in.Lo), rune(in.Hi), int(in.Stride))
	}
	for text, want := range map[string]string{
		"①⑨⓪": "190", "²³¹⁰⁴⁹": "231049", "₀₉": "09", "ÀÉÑÖßåéñöÿ": "AENOsaenoy", "ĀāŁłŠšŽžſ": "AaLlSsZzs",
		"ＡＢｃ：": "ABc:", "a\u0301": "a", "“x”": "\"x\"", "–—−": "---", "日本。": "日本.", "★": "~",
	} {
		if got := forbidden.Plain(text); got != want {
			t.Errorf("plain form of %q: got %q, want %q", text, got, want)
		}
	}
}

func checkTens(t *testing.T, low, high rune, stride int) {
	t.Helper()
	if stride != 1 || (high-low+1)%10 != 0 {
		t.Fatalf("%U to %U are not whole tens", low, high)
	}
	for r := low; r <= high; r++ {
		if got, want := forbidden.Plain(string(r)), string('0'+(r-low)%10); got != want {
			t.Fatalf("%U: got %q, want %q", r, got, want)
		}
	}
}
