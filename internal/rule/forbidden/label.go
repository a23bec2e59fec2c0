package forbidden

import "strings"

// A label is what a word says about what follows it: one bit, so that sets of
// them can be asked for.
type label uint64

// plain says nothing.
const plain label = 0

const (
	// filler stands between a label and its value and changes nothing: "the",
	// "new".
	filler label = 1 << iota
	// copula is filler that announces the value: "is", "ist", "est".
	copula
	// other introduces some other thing, so that a number behind it is not
	// what an earlier label spoke of: "phone", "flight", "loyalty".
	other

	// Words that mean something only in company.
	partCode
	partFile
	partKey
	partOf
	partNumber // filler too
	partAccess
	partPay

	// Words that introduce something forbidden, alone or in company.
	saysCard
	saysCardCode
	saysPassport
	saysTax
	saysTFN
	saysMedicare
	saysBSB
	saysSort
	saysRouting
	saysBank
	saysAccount
	saysBankAccount
	saysPassword
	saysPIN
	saysOneTime
	saysOne
	saysVerification
	saysSecurity
	saysMot
	saysTAN
	saysKey // a word for a key that needs no company: "apikey"
	saysToken
	saysSecret
	saysAPI
	saysPrivate
	saysBasic

	// Headers of private keys.
	beginsBlock
	beginsAge
	beginsPutty
)

// Sets of labels.
const (
	fillers    = filler | partNumber | partCode | partOf
	begins     = beginsBlock | beginsAge | beginsPutty
	introduces = ^(filler | copula | other | partCode | partFile | partKey | partOf | partNumber | partAccess | partPay)
	ofBanks    = saysBSB | saysSort | saysRouting | saysBank
)

// longestLabel is the longest word that labelOf knows, in bytes.
const longestLabel = 20

// labelOf returns the label of a word in lower case. Accents are gone already:
// "número" comes as "numero". German umlauts come as their vowel and as two.
func labelOf(w []byte) label {
	if l := fillerLabel(w); l != plain {
		return l
	}
	switch string(w) {
	case "phone", "telephone", "tel", "mobile", "mob", "cell", "fax", "call", "called", "whatsapp", "sms", "callback", "ext",
		"extension", "telefon", "handy", "telefono", "movil", "portable", "ph",
		"loyalty", "ff", "ffn", "ffp", "frequent", "flyer", "member", "membership", "miles", "points", "tier", "vielflieger",
		"booking", "pnr", "reservation", "locator", "rloc", "buchung", "reserva", "ref", "reference", "case", "incident", "worldtracer",
		"pir", "ticket", "tickets", "eticket", "etkt", "tkt", "tkts", "tkne", "emd", "flugschein", "billet", "billete",
		"boleto", "flight", "flights", "flt", "flug", "vol", "vuelo", "bag", "bags", "tag", "tags", "baggage", "gepack", "bagage", "seat",
		"gate", "order", "invoice", "voucher", "tracking", "consignment", "parcel", "amount", "total", "paid", "refund",
		"fare", "price", "aud", "usd", "eur", "gbp", "jpy", "postcode", "zip", "plz", "dob", "birth", "born", "expiry", "expires",
		"expired", "exp", "valid", "until", "date", "dated", "arrival", "departure", "std", "eta", "etd", "locker", "room", "abn", "acn":
		return otherLabel(w)
	case "code", "codes", "kode", "codigo":
		return partCode
	case "file":
		return partFile
	case "key", "keys", "schlussel", "schluessel":
		return partKey
	case "access":
		return partAccess
	}
	return introducing(w)
}

// otherLabel keeps apart those words of its list that make "account" a bank's.
func otherLabel(w []byte) label {
	if string(w) == "refund" {
		return partPay
	}
	return other
}

func fillerLabel(w []byte) label {
	switch string(w) {
	case "no", "nr", "number", "numbers", "num", "nummer", "numero", "n", "nbr", "bango":
		return partNumber
	case "the", "his", "her", "my", "your", "their", "our", "its", "new", "old", "current", "a", "an", "der", "die", "das", "dem",
		"mein", "meine", "neue", "neues", "el", "la", "le", "su", "mi", "ma", "mon", "son", "sa", "id", "as", "with", "und", "and",
		"customer", "customers", "s", "wa", "details", "australian", "au", "us", "uk", "value":
		return filler
	case "is", "was", "are", "ist", "lautet", "war", "est", "es", "equals", "desu", "being":
		return copula
	case "of", "de", "du", "del", "temps":
		return partOf
	}
	return plain
}

func introducing(w []byte) label {
	switch string(w) {
	case "card", "cards", "cc", "ccn", "ccnum", "ccnumber", "cardno", "cardnumber", "creditcard", "debitcard", "visa", "mastercard",
		"mc", "amex", "diners", "jcb", "discover", "maestro", "unionpay", "uatp", "airplus", "karte", "kreditkarte", "kartennummer",
		"kreditkartennummer", "carte", "tarjeta", "carta", "kado", "kurejitto":
		return saysCard
	case "cvv", "cvc", "cvn", "sicherheitscode", "kartenprufnummer", "kartenpruefnummer", "cryptogramme":
		return saysCardCode
	case "passport", "passports", "passportno", "passportnumber", "ppt", "reisepass", "reisepassnummer", "passnummer", "passeport",
		"pasaporte", "passaporto", "passaporte", "paspoort", "pasupoto", "pasupooto", "ryoken":
		return saysPassport
	case "tax":
		return saysTax
	case "tfn", "tfns":
		return saysTFN
	case "medicare":
		return saysMedicare
	case "bsb":
		return saysBSB
	case "sort", "sortcode", "blz", "bankleitzahl":
		return saysSort
	case "routing", "aba", "rtn":
		return saysRouting
	case "bank", "banking", "westpac", "anz", "nab", "hsbc", "barclays", "beneficiary", "payee", "deposit", "transfer", "wire":
		return saysBank
	case "account", "acct", "acc", "accountnumber":
		return saysAccount
	case "kontonummer", "kontonr", "bankkonto", "bankaccount", "rib", "clabe", "kouza", "koza":
		return saysBankAccount
	case "password", "passwords", "passwd", "pwd", "pw", "passphrase", "passwort", "kennwort", "mdp", "contrasena", "senha",
		"wachtwoord", "pasuwado", "pasuwaado", "psw", "loginpassword", "userpassword":
		return saysPassword
	case "pin", "pins", "pincode", "pinnummer", "geheimzahl", "ansho":
		return saysPIN
	case "otp", "otps", "passcode", "passcodes", "einmalcode", "einmalpasswort", "bestatigungscode", "bestaetigungscode",
		"totp", "mtan", "smstan", "mfa", "authenticator":
		return saysOneTime
	}
	return introducingSecret(w)
}

func introducingSecret(w []byte) label {
	switch string(w) {
	case "one", "onetime":
		return saysOne
	case "verification", "authentication", "activation", "verificacion", "verificatie", "fa":
		return saysVerification
	case "security", "securite", "seguridad", "sicherheits":
		return saysSecurity
	case "mot":
		return saysMot
	case "tan":
		return saysTAN
	case "apikey", "apikeys", "apitoken", "accesskey", "secretkey", "apisecret", "clientsecret", "accesstoken", "secretaccesskey",
		"refreshtoken", "authtoken":
		return saysKey
	case "token", "bearer", "tokens":
		return saysToken
	case "secret", "secrets", "geheimnis":
		return saysSecret
	case "api":
		return saysAPI
	case "private", "privatekey":
		return saysPrivate
	case "basic":
		return saysBasic
	case "begin":
		return beginsBlock
	case "age":
		return beginsAge
	case "putty":
		return beginsPutty
	}
	return plain
}

// foreignLabel returns the label that a run of characters outside ASCII holds.
// Such runs hold no spaces, so the label is looked for inside. Only runs that
// begin in the blocks of Chinese and Japanese are looked into.
func foreignLabel(run string) label {
	if len(run) < 6 || run[0] < 0xE3 || run[0] > 0xE9 {
		return plain
	}
	for i := 0; i+6 <= len(run); i += 3 {
		if run[i] < 0xE3 || run[i] > 0xE9 {
			return plain
		}
		if l := foreignAt(run[i:]); l != plain {
			return l
		}
	}
	return plain
}

func foreignAt(run string) label {
	words := [...]struct {
		text  string
		label label
	}{
		{"パスワード", saysPassword},
		{"暗証番号", saysPIN},
		{"ワンタイム", saysOneTime},
		{"認証コード", saysOneTime},
		{"確認コード", saysOneTime},
		{"セキュリティコード", saysCardCode},
		{"パスポート", saysPassport},
		{"旅券", saysPassport},
		{"护照", saysPassport},
		{"護照", saysPassport},
		{"口座番号", saysBankAccount},
		{"カード", saysCard},
		{"密码", saysPassword},
		{"密碼", saysPassword},
		{"电话", other},
		{"電話", other},
		{"予約", other},
		{"便名", other},
		{"会員", other},
	}
	for i := range words {
		if strings.HasPrefix(run, words[i].text) {
			return words[i].label
		}
	}
	return plain
}
