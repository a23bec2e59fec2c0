package forbidden

import "fmt"

// A Class says what kind of forbidden data a finding is.
type Class uint8

// The classes.
const (
	Card          Class = 1 + iota // payment card number
	CardCode                       // the three or four digits printed on a card
	Passport                       // passport number, or its machine-readable lines
	TaxFileNumber                  // Australian
	Medicare                       // Australian
	IBAN
	BankNumber // bank account, BSB, sort code, routing number
	Password
	PIN
	OneTime // code sent or shown for one login
	PrivateKey
	APIToken
)

// Classes returns all classes, in order.
func Classes() []Class {
	return []Class{
		Card, CardCode, Passport, TaxFileNumber, Medicare, IBAN, BankNumber, Password, PIN, OneTime, PrivateKey, APIToken,
	}
}

// ParseClass returns the class of that word.
func ParseClass(word string) (Class, error) {
	for _, c := range Classes() {
		if c.String() == word {
			return c, nil
		}
	}
	return 0, fmt.Errorf("unknown class of forbidden data %.20q", word)
}

// String returns the word for the API and for JSON, such as "card_number".
func (c Class) String() string {
	word, _, _ := c.words()
	return word
}

// MarshalText returns the word.
func (c Class) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (c *Class) UnmarshalText(text []byte) error {
	parsed, err := ParseClass(string(text))
	if err != nil {
		return err
	}
	*c = parsed
	return nil
}

// words returns the word of the class, what people call it, and what to do.
func (c Class) words() (word, thing, instead string) {
	switch c {
	case Card:
		return "card_number", "a payment card number", "remove it; the last four digits may stay"
	case CardCode:
		return "card_code", "the security code of a payment card", "remove it; it may never be kept"
	case Passport:
		return "passport", "a passport number", "remove it; write only that the passport was seen"
	case TaxFileNumber:
		return "tax_file_number", "a tax file number", "remove it"
	case Medicare:
		return "medicare_number", "a Medicare number", "remove it"
	case IBAN:
		return "iban", "an international bank account number", "remove it; the last four digits may stay"
	case BankNumber:
		return "bank_account", "the number of a bank account or of its branch", "remove it; the last four digits may stay"
	case Password:
		return "password", "a password", "remove it and have it changed"
	case PIN:
		return "pin", "a PIN", "remove it and have it changed"
	case OneTime:
		return "one_time_code", "a one-time code", "remove it"
	case PrivateKey:
		return "private_key", "a private key", "remove it and have the key replaced"
	case APIToken:
		return "api_token", "a token of an interface", "remove it and have it revoked"
	}
	return fmt.Sprintf("class_%d", uint8(c)), "something that must not be kept", "remove it"
}

// Message says to people what was found, where, and what to do, as in "holds
// what looks like a payment card number at character 12; remove it; the last
// four digits may stay". It is a predicate: the caller says what holds it.
func (f Finding) Message() string {
	_, thing, instead := f.Class.words()
	return fmt.Sprintf("holds what looks like %s at character %d; %s", thing, f.At, instead)
}

// String returns class and place, for tests and logs.
func (f Finding) String() string {
	return fmt.Sprintf("%s at bytes %d to %d", f.Class, f.Start, f.End)
}
