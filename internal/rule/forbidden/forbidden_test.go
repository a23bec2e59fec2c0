package forbidden_test

import (
	"fmt"
	"strings"
	"testing"

	"purser/internal/rule/forbidden"
)

func TestWhatIsFoundAndWhatIsNot(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"card 4111 1111 1111 1111 12/28 123", "card_number"},
		{"visa4111111111111111exp1228cvv123", "card_number card_code"},
		{"4111 then 1111 then 1111 then 1111", "card_number"},
		{"first 4111 mid 1111 mid 1111 last 1111 of his card", ""}, // words that nobody says, no card before them
		{"card: first 4111 more 1111 more 1111 end 1111", "card_number"},
		{"4111 1111 1111 1112", ""},
		{"card ending 1111", ""},
		{"4222222222222", ""},
		{"visa 4222222222222", "card_number"},
		{"card on file. tkt 4222222222222", ""},
		{"4222222222222 visa", "card_number"},
		{"+4915112345678 or 4915112345678", ""},
		{"ticket 081-2345678901", ""},
		{"points 4500, 1200, 3000 then 2100 kept", ""},
		{"cc 41111111111111111228123", "card_number"},
		{"passport checked, phone 0491570156", ""},
		{"passport 0491 570 156", ""},
		{"passport 20/08/2031", ""},
		{"passport no. K7QX0O", ""},
		{"passport details updated to PA1234567 ok", "passport"},
		{"PA1234567 is his passport", "passport"},
		{"passport with loyalty PA1234567", ""},
		{"passport and " + silence() + " PA1234567", ""},
		{"visa" + silence() + "4222222222222", ""},
		{"passport expired, loyalty PA1234567", ""},
		{"tfn not given, call 123456782", ""},
		{"tax file was given as 123 456 782", "tax_file_number"},
		{"medicare seen. pax 2123456701", ""},
		{"loyalty account 1234567897", ""},
		{"account number 1234567897", ""},
		{"bank account number 1234567", "bank_account"},
		{"refund to account 12345678", "bank_account"},
		{"IBAN de89 3704 0044 0532 0130 00.", "iban"},
		{"DE89370400440532013001", ""},
		{"password is wrong", ""},
		{"password is hunter2 he says", "password"},
		{"password for the portal is Winter25!", "password"},
		{"password for the portal is wrong", ""},
		{"Password: sunshine.", "password"},
		{"password: reset link sent to mary.smith2@example.com", ""},
		{"password is a problem for him", ""},
		{"forgot his password. K7QX0O", ""},
		{"password \"hunter2\"", "password"},
		{`{"password":"hunter2"}`, "password"},
		{"password: ********", ""},
		{"pin is 1234", "pin"},
		{"pin code 110001", ""},
		{"asked for pin, 1234 Main St", ""},
		{"verification code: G-123456", ""},
		{"one-time code 123 456", "one_time_code"},
		{"Mr Tan 123456", ""},
		{"cvv 3 digits missing", ""},
		{"-----BEGIN CERTIFICATE-----", ""},
		{"-----BEGIN PUBLIC KEY-----", ""},
		{"token: 550e8400-e29b-41d4-a716-446655440000", "api_token"},
		{"see https://joe:secret1@example.com/x", "password"},
		{"see https://example.com/a:b@c", ""},
	} {
		t.Run(c.text, func(t *testing.T) {
			if got := classes(forbidden.Find(c.text)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			checkPlaces(t, c.text)
		})
	}
}

func classes(found []forbidden.Finding) string {
	var words []string
	for _, f := range found {
		words = append(words, f.Class.String())
	}
	return strings.Join(words, " ")
}

func TestMessagesAndNamesHoldNoValue(t *testing.T) {
	const value = "4111 1111 1111 1111"
	found := forbidden.Find("Zoë's card: " + value)
	if len(found) != 1 || found[0].Start != 13 || found[0].End != 32 || found[0].At != 13 {
		t.Fatalf("got %+v, want bytes 13 to 32, character 13", found)
	}
	f := found[0]
	want := "holds what looks like a payment card number at character 13; remove it; the last four digits may stay"
	if f.Message() != want {
		t.Errorf("got %q, want %q", f.Message(), want)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if said := fmt.Sprintf(verb, f); strings.Contains(said, "1111") {
			t.Errorf("%s says %q", verb, said)
		}
	}
}

func TestClassesHaveWordsAndMessages(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range forbidden.Classes() {
		parsed, err := forbidden.ParseClass(c.String())
		if err != nil || parsed != c {
			t.Errorf("%v: parsed %v, %v", c, parsed, err)
		}
		message := forbidden.Finding{Class: c, At: 1}.Message()
		if seen[message] || !strings.HasPrefix(message, "holds what looks like ") || strings.Contains(message, "something") {
			t.Errorf("%v: %q", c, message)
		}
		seen[message] = true
	}
	if _, err := forbidden.ParseClass("card"); err == nil {
		t.Error("a word that is none was parsed")
	}
}
