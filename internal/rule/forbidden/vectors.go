package forbidden

import (
	_ "embed"
	"fmt"
	"strings"
)

//go:embed vectors.tsv
var published string

// A Vector is one published example of forbidden data: a test number of a card
// network, an example of a standard.
type Vector struct {
	Class  Class
	Text   string // as published
	Source string
	// Context is set where Text alone is not found, because it has the shape
	// of something harmless, and counts only behind a word that names it.
	Context bool
}

// Vectors returns the published examples that the search is held against.
func Vectors() ([]Vector, error) {
	var all []Vector
	for line := range strings.Lines(published) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		cells := strings.Split(line, "\t")
		if len(cells) < 3 {
			return nil, fmt.Errorf("vector %d has %d cells, want 3", len(all)+1, len(cells))
		}
		class, err := ParseClass(cells[0])
		if err != nil {
			return nil, err
		}
		v := Vector{Class: class, Text: strings.ReplaceAll(cells[1], `\n`, "\n"), Source: cells[2]}
		switch class {
		case Card, IBAN, PrivateKey, APIToken, BankNumber:
			v.Context = len(cells) > 3
		case Passport:
			v.Context = !strings.Contains(v.Text, "<")
		case Password:
			v.Context = !strings.Contains(v.Text, ":")
		case CardCode, TaxFileNumber, Medicare, PIN, OneTime:
			v.Context = true
		}
		all = append(all, v)
	}
	return all, nil
}

// Texts returns the vector in the ways people write it, each among the words
// of a note: every form in every context of its class.
func (v Vector) Texts() []string {
	var texts []string
	for _, form := range v.forms() {
		for _, c := range v.contexts() {
			texts = append(texts, strings.Replace(c, "%", form, 1))
		}
	}
	return texts
}

// forms returns the ways to write the value.
func (v Vector) forms() []string {
	t := v.Text
	switch v.Class {
	case Card:
		return cardForms(t)
	case IBAN:
		return []string{t, grouped(t, 4, " "), grouped(t, 4, "-"), strings.ToLower(t), fullWidth(t)}
	case TaxFileNumber:
		return []string{t, grouped(t, 3, " "), grouped(t, 3, "-"), fullWidth(t)}
	case Medicare:
		return []string{t, t[:4] + " " + t[4:9] + " " + t[9:], t[:4] + "-" + t[4:9] + "-" + t[9:], fullWidth(t)}
	case OneTime:
		return []string{t, t[:len(t)/2] + " " + t[len(t)/2:], t[:len(t)/2] + "-" + t[len(t)/2:], fullWidth(t)}
	case Passport:
		if v.Context && isLetter(t[0]) && isDigit(t[2]) && !isDigit(t[1]) {
			return []string{t, strings.ToLower(t), t[:2] + " " + t[2:], fullWidth(t)}
		}
		return []string{t}
	case CardCode, PIN:
		return []string{t, fullWidth(t)}
	case BankNumber, Password, PrivateKey, APIToken:
		return []string{t}
	}
	return nil
}

// cardForms writes a card number as networks print it and as people type it.
func cardForms(t string) []string {
	forms := []string{t, grouped(t, 1, " "), fullWidth(t), arabic(t), grouped(t, 1, "\u200b")}
	for _, sep := range []string{" ", "-", ".", "/", "_", "\n", "\r\n", "  ", " - ", "·", "\u00a0", "–", "x", " then "} {
		forms = append(forms, printedForm(t, sep))
	}
	return append(forms, grouped(t, 2, " "), t[:6]+"-"+t[6:], t[:8]+" "+t[8:])
}

// printedForm groups the digits as on the card.
func printedForm(t, sep string) string {
	switch len(t) {
	case 14, 15:
		return t[:4] + sep + t[4:10] + sep + t[10:]
	}
	return grouped(t, 4, sep)
}

func grouped(t string, size int, sep string) string {
	var b strings.Builder
	for i := range len(t) {
		if i > 0 && i%size == 0 {
			b.WriteString(sep)
		}
		b.WriteByte(t[i])
	}
	return b.String()
}

func fullWidth(t string) string {
	return strings.Map(func(r rune) rune { return r + 0xFEE0 }, t)
}

func arabic(t string) string {
	return strings.Map(func(r rune) rune { return r - '0' + 0x0660 }, t)
}

// contexts returns notes with a % where the value goes.
func (v Vector) contexts() []string {
	named := v.named()
	if v.Context {
		return named
	}
	return append(named, "%", "pax rang re refund %, ok to proceed", "see below\n%\nthanks", "(%)", "notes;%;end", "お客様 % です")
}

func (v Vector) named() []string {
	switch v.Class {
	case Card:
		return []string{
			"card %", "cc: %", "visa% exp 12/28", "Card no. % cvv on file", "paid by amex % yesterday", "Kreditkarte: %",
			"carte de crédit %", "tarjeta %", "カード番号 %",
		}
	case CardCode:
		return []string{"cvv %", "CVC: %", "cvv2 %", "cvc is %", "security code %", "code de sécurité : %", "código de seguridad %", "セキュリティコード %"}
	case Passport:
		return []string{
			"passport %", "Passport no. %", "passport number is % ok", "ppt: %", "Reisepass Nr. %", "numéro de passeport : %",
			"pasaporte % de", "パスポート番号は%です", "旅券番号 %", "pasupoto bango %", "护照 %",
		}
	case TaxFileNumber:
		return []string{"TFN %", "tfn: %", "tax file number %", "his tax file no. is %", "Tax File Number (TFN): %"}
	case Medicare:
		return []string{"Medicare %", "medicare card no %", "Medicare number is %", "medicare: %"}
	case IBAN:
		return []string{"IBAN %", "refund to % please", "IBAN: %, BIC on file"}
	case BankNumber:
		return []string{"refund to %", "bank: %", "pls pay %, thanks"}
	case Password:
		return []string{"password is %", "Password: %", "pw = %", "pwd: %", "passwort ist %.", "Kennwort: %", "mot de passe : %", "la contraseña es %", "パスワードは %", "密码: %"}
	case PIN:
		return []string{"PIN %", "pin: %", "his pin is %", "PIN no. %", "Geheimzahl: %", "code pin %", "暗証番号は%", "ansho bango %"}
	case OneTime:
		return []string{"otp %", "OTP is %", "one-time code: %", "one time password %", "verification code %", "passcode %", "Einmalcode: %", "code de vérification : %", "認証コードは%", "2FA code %"}
	case PrivateKey, APIToken:
		return []string{"key: %", "use % for it"}
	}
	return nil
}
