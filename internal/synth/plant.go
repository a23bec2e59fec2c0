package synth

import "strings"

// PlantClasses returns the classes of values that are planted: all that package
// forbidden looks for, by the words it uses, without leaning on it.
func PlantClasses() []string {
	return []string{
		plantedCard, plantedCardCode, plantedPassport, plantedTaxFile, plantedMedicare, plantedIBAN, plantedBank,
		plantedPassword, plantedPIN, plantedOneTime, plantedKey, plantedToken,
	}
}

const (
	plantedCard     = "card_number"
	plantedCardCode = "card_code"
	plantedPassport = "passport"
	plantedTaxFile  = "tax_file_number"
	plantedMedicare = "medicare_number"
	plantedIBAN     = "iban"
	plantedBank     = "bank_account"
	plantedPassword = "password"
	plantedPIN      = "pin"
	plantedOneTime  = "one_time_code"
	plantedKey      = "private_key"
	plantedToken    = "api_token"
)

// A Planting is a note with one forbidden value in it, made up like the rest,
// and the truth about it.
type Planting struct {
	Text       string
	Class      string
	Start, End int // of the value in Text, with the separators inside it
}

// Plant returns note i with a value of one class in it; the classes take turns.
// The value stands between any two words, in any of the ways people write it,
// behind the words that its class needs.
func (n *Notes) Plant(i int) Planting {
	classes := PlantClasses()
	return n.PlantClass(i, classes[i%len(classes)])
}

// PlantClass is Plant with the class chosen.
func (n *Notes) PlantClass(i int, class string) Planting {
	d := newDice(n.seed, streamPlant, uint64(i))
	note := n.write(&d)
	at := 0
	if d.chance(90) {
		at = d.below(len(note) + 1)
		if space := strings.IndexByte(note[at:], ' '); space >= 0 {
			at += space + 1
		} else {
			at = len(note)
		}
	}
	before, after := note[:at], note[at:]
	if at > 0 && note[at-1] != ' ' {
		before += pick(&d, [...]string{" ", "\n", ". ", "; "})
	}
	lead, value := plantValue(&d, class)
	return Planting{
		Text:  before + lead + value + " " + after,
		Class: class, Start: len(before) + len(lead), End: len(before) + len(lead) + len(value),
	}
}

// plantValue draws a value of the class and the words before it.
func plantValue(d *dice, class string) (lead, value string) {
	switch class {
	case plantedCard:
		return one(d, "", "", "card ", "cc: ", "pls charge ", "Kreditkarte ", "カード ", "visa ", "(", "old ", "no "), plantCard(d)
	case plantedCardCode:
		return one(d, "cvv ", "CVC: ", "cvv2 ", "security code ", "code de sécurité ", "cvn is "), digitsOf(d, 3)
	case plantedPassport:
		return one(d, "passport ", "Passport no. ", "passport number is ", "ppt ", "Reisepass: ", "passeport n° ", "パスポート番号は"),
			plantPassport(d)
	case plantedTaxFile:
		return one(d, "tfn ", "TFN: ", "tax file number ", "tax file no. "), checked(d, 9, func(s string) bool {
			return weigh(s, 1, 4, 3, 7, 5, 8, 6, 9, 10)%11 == 0
		}, 3)
	case plantedMedicare:
		return one(d, "medicare ", "Medicare card ", "medicare no: "), checked(d, 10, func(s string) bool {
			return s[0] >= '2' && s[0] <= '6' && weigh(s, 1, 3, 7, 9, 1, 3, 7, 9)%10 == int(s[8]-'0')
		}, 4)
	case plantedIBAN:
		return one(d, "", "IBAN ", "refund to ", "iban: "), plantIBAN(d)
	case plantedBank:
		return plantBank(d)
	case plantedPassword:
		return one(d, "password is ", "password: ", "pw ", "pwd=", "Passwort ist ", "mot de passe : ", "contraseña: ", "パスワードは"),
			one(d, "Winter", "qantas", "Tr0ub", "kookaburra") + digitsOf(d, 2+d.below(3)) + one(d, "", "!", "$", "x")
	case plantedPIN:
		return one(d, "pin ", "PIN: ", "pin is ", "his pin ", "Geheimzahl ", "暗証番号は"), digitsOf(d, 4)
	case plantedOneTime:
		return one(d, "otp ", "one-time code ", "verification code: ", "passcode is ", "2FA code ", "認証コード "), digitsOf(d, 6)
	case plantedKey:
		return one(d, "", "key: "), one(d, "-----BEGIN PRIVATE KEY-----\n", "-----BEGIN OPENSSH PRIVATE KEY-----\n", "-----BEGIN RSA PRIVATE KEY-----\n") +
			random(d, 64)
	case plantedToken:
		return plantToken(d)
	}
	return "", ""
}

func one(d *dice, of ...string) string { return of[d.below(len(of))] }

func digitsOf(d *dice, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + d.below(10))
	}
	return string(b)
}

func random(d *dice, n int) string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	b := make([]byte, n)
	for i := range b {
		b[i] = digits[d.below(len(digits))]
	}
	return string(b)
}

// checked draws digits until they pass, and writes them whole or in groups.
func checked(d *dice, n int, passes func(string) bool, size int) string {
	for {
		if s := digitsOf(d, n); passes(s) {
			return parted(s, size, one(d, "", "", " ", "-"))
		}
	}
}

func weigh(s string, weights ...int) int {
	sum := 0
	for i, w := range weights {
		sum += w * int(s[i]-'0')
	}
	return sum
}

func parted(s string, size int, sep string) string {
	var b strings.Builder
	for i := range len(s) {
		if i > 0 && i%size == 0 {
			b.WriteString(sep)
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
