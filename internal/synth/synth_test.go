package synth_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode"

	"purser/internal/rule/canon"
	"purser/internal/synth"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

const seed = 1

func TestSameSeedGivesTheSameBytes(t *testing.T) {
	cases := []struct {
		name string
		mix  synth.Mix
		want string
	}{
		{"airline", synth.Airline, "86506fe4c081f2bdd5aca0c3067f1a2391cb4006224a61e05604363f57d1e58e"},
		{"case2025", synth.Case2025, "d291cf0f8b70e18d76141d9f64b66273e068fab84881f995ba4cac113684396f"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := digest(t, seed, c.mix); got != c.want {
				t.Fatalf("seed %d: got SHA-256 %s, want %s", seed, got, c.want)
			}
			if digest(t, seed+1, c.mix) == c.want {
				t.Fatalf("seed %d gives the bytes of seed %d", seed+1, seed)
			}
		})
	}
}

func digest(t *testing.T, seed uint64, mix synth.Mix) string {
	t.Helper()
	sum := sha256.New()
	if err := synth.WriteCSV(sum, seed, mix, 5_000); err != nil {
		t.Fatalf("got %v, want a CSV file", err)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// Customer i is made from seed and index alone, in any order, and is the same
// person in every mix.
func TestCustomersStandAlone(t *testing.T) {
	airline, all := synth.NewGenerator(seed, synth.Airline), []synth.Customer{}
	for c := range synth.Customers(seed, synth.Airline, 300) {
		all = append(all, c)
	}
	i := 299
	for c := range airline.Range(299, 300) {
		if !same(c, all[i]) {
			t.Fatalf("customer %d differs when made by Range", i)
		}
	}
	for ; i >= 0; i-- {
		if !same(airline.At(i), all[i]) {
			t.Fatalf("customer %d differs when made alone", i)
		}
	}
	other := synth.CustomerAt(seed, synth.Case2025, 7)
	if other.GivenName != all[7].GivenName || other.FamilyName != all[7].FamilyName {
		t.Fatalf("customer 7 has another name in another mix, seed %d", seed)
	}
}

func same(a, b synth.Customer) bool {
	return a.Row() == b.Row() && a.GivenRomanised == b.GivenRomanised && a.FamilyRomanised == b.FamilyRomanised
}

func TestBreakEndsTheSequence(t *testing.T) {
	n := 0
	for range synth.Customers(seed, synth.Airline, 100) {
		if n++; n == 3 {
			break
		}
	}
	if n != 3 {
		t.Fatalf("got %d customers, want 3", n)
	}
}

func TestIdentifiersAreUnique(t *testing.T) {
	emails, loyalty := map[string]bool{}, map[string]bool{}
	for c := range synth.Customers(seed, synth.Airline, 100_000) {
		if c.Email != "" && emails[c.Email] {
			t.Fatalf("e-mail address %s twice, seed %d", c.Email, seed)
		}
		if c.LoyaltyNumber != "" && loyalty[c.LoyaltyNumber] {
			t.Fatalf("loyalty number %s twice, seed %d", c.LoyaltyNumber, seed)
		}
		emails[c.Email], loyalty[c.LoyaltyNumber] = true, true
	}
}

// Every value has its normal form, and lies where nobody real is.
func TestValuesAreValidAndNobodys(t *testing.T) {
	i := 0
	for c := range synth.Customers(seed, synth.Airline, 50_000) {
		checkNames(t, i, c)
		checkContact(t, i, c)
		checkForm(t, i, "loyalty number", canon.LoyaltyNumber, c.LoyaltyNumber, true)
		checkForm(t, i, "birth date", canon.BirthDate, c.BirthDate, true)
		checkForm(t, i, "postcode", canon.Postcode, c.Postcode, false)
		for _, b := range c.BookingReferences {
			checkForm(t, i, "booking reference", canon.BookingReference, b, true)
		}
		if !strings.HasSuffix(c.Address, c.Postcode) || len(c.BookingReferences) > 2 {
			t.Fatalf("customer %d, seed %d: address %q, postcode %q, %d bookings", i, seed, c.Address, c.Postcode, len(c.BookingReferences))
		}
		i++
	}
}

func checkNames(t *testing.T, i int, c synth.Customer) {
	t.Helper()
	for _, name := range []string{c.GivenName, c.FamilyName} {
		if _, err := canon.Name(name); err != nil || !norm.NFC.IsNormalString(name) {
			t.Fatalf("customer %d, seed %d: name %q is not a name in NFC: %v", i, seed, name, err)
		}
		latin := strings.IndexFunc(name, func(r rune) bool { return unicode.IsLetter(r) && !unicode.Is(unicode.Latin, r) }) < 0
		if latin != (c.GivenRomanised == "") || latin != (c.FamilyRomanised == "") {
			t.Fatalf("customer %d, seed %d: name %q is romanised as %q %q", i, seed, name, c.GivenRomanised, c.FamilyRomanised)
		}
	}
}

func checkContact(t *testing.T, i int, c synth.Customer) {
	t.Helper()
	checkForm(t, i, "e-mail address", canon.Email, c.Email, true)
	checkForm(t, i, "phone", func(s string) (string, error) { return canon.Phone(s, "") }, c.Phone, true)
	_, domain, _ := strings.Cut(c.Email, "@")
	if c.Email != "" && !slices.Contains([]string{"example.com", "example.net", "example.org"}, domain) {
		t.Fatalf("customer %d, seed %d: domain %q is not reserved", i, seed, domain)
	}
	fiction := c.Phone == "" ||
		strings.HasPrefix(c.Phone, "+6149157") || strings.HasPrefix(c.Phone, "+447700900") ||
		strings.HasPrefix(c.Phone, "+1") && c.Phone[5:10] == "55501"
	if !fiction {
		t.Fatalf("customer %d, seed %d: phone %s is outside the ranges for fiction", i, seed, c.Phone)
	}
}

// checkForm holds that value is empty or has a normal form, and is it already
// when asked.
func checkForm(t *testing.T, i int, what string, of func(string) (string, error), value string, already bool) {
	t.Helper()
	if value == "" {
		return
	}
	got, err := of(value)
	if err != nil || already && got != value {
		t.Fatalf("customer %d, seed %d: %s %q: got %q, %v", i, seed, what, value, got, err)
	}
}

func TestAirlineMixIsNearlyComplete(t *testing.T) {
	const n = 100_000
	s := synth.Summarise(synth.Customers(seed, synth.Airline, n))
	cases := []struct {
		name   string
		fields synth.Fields
		want   float64
	}{
		{"name", synth.GivenName | synth.FamilyName, 1},
		{"e-mail", synth.Email, 0.99},
		{"loyalty number", synth.LoyaltyNumber | synth.Tier, 0.97},
		{"birth date", synth.BirthDate, 0.98},
		{"phone", synth.Phone, 0.96},
		{"address", synth.Address | synth.Postcode, 0.80},
		{"meal", synth.MealPreference, 0.08},
		{"the five", synth.FamilyName | synth.Email | synth.LoyaltyNumber | synth.BirthDate | synth.Phone, 0.99 * 0.97 * 0.98 * 0.96},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := float64(s.Holding(c.fields)) / n; math.Abs(got-c.want) > 0.005 {
				t.Fatalf("got %.4f, want %.4f, seed %d", got, c.want, seed)
			}
		})
	}
	if share := float64(s.OtherScripts) / n; math.Abs(share-0.03) > 0.003 {
		t.Fatalf("other scripts: got %.4f, want 0.03, seed %d", share, seed)
	}
}

// caseShares are the numbers of the case of 2025, in units of 10,000 of its
// 5.7 million.
func caseShares() []struct {
	name  string
	count func(synth.Summary) int
	want  int
} {
	least := synth.GivenName | synth.FamilyName | synth.Email
	holding := func(f synth.Fields) func(synth.Summary) int {
		return func(s synth.Summary) int { return s.Holding(f) }
	}
	return []struct {
		name  string
		count func(synth.Summary) int
		want  int
	}{
		{"all with name and e-mail", holding(least), 570},
		{"name and e-mail only", func(s synth.Summary) int { return s.Exactly(least) }, 120},
		{"loyalty number too", func(s synth.Summary) int { return s.Exactly(least | synth.LoyaltyNumber) }, 280},
		{"more", func(s synth.Summary) int {
			return s.Holding(synth.LoyaltyNumber) - s.Exactly(least|synth.LoyaltyNumber)
		}, 170},
		{"address", holding(synth.Address | synth.Postcode), 130},
		{"birth date", holding(synth.BirthDate), 110},
		{"phone", holding(synth.Phone), 90},
		{"gender", holding(synth.Gender), 40},
		{"meal", holding(synth.MealPreference), 1},
		{"bookings", holding(synth.BookingReference), 0},
	}
}

func TestCase2025HasExactlyItsProportions(t *testing.T) {
	whole := synth.Summarise(synth.Customers(seed, synth.Case2025, 57_000))
	odd := synth.Summarise(synth.Customers(seed, synth.Case2025, 12_345))
	for _, c := range caseShares() {
		t.Run(c.name, func(t *testing.T) {
			if got, want := c.count(whole), c.want*100; got != want {
				t.Fatalf("of 57,000: got %d, want %d, seed %d", got, want, seed)
			}
			want := float64(c.want) * 12_345 / 570
			if got := float64(c.count(odd)); math.Abs(got-want) > 20 {
				t.Fatalf("of 12,345: got %.0f, want about %.0f, seed %d", got, want, seed)
			}
		})
	}
}

// A booking reference that several customers hold is held by two to four
// neighbours: a linked party.
func TestSharedBookingsAreLinkedParties(t *testing.T) {
	const n = 100_000
	holders := map[string][]int{}
	i := 0
	for c := range synth.Customers(seed, synth.Airline, n) {
		for _, b := range c.BookingReferences {
			holders[b] = append(holders[b], i)
		}
		i++
	}
	linked := 0
	for b, who := range holders {
		if len(who) > 4 || who[len(who)-1]-who[0] != len(who)-1 {
			t.Fatalf("booking %s is held by %v, seed %d", b, who, seed)
		}
		if len(who) > 1 {
			linked += len(who)
		}
	}
	if share := float64(linked) / n; share < 0.06 || share > 0.12 {
		t.Fatalf("got %.3f of customers in linked parties, want about 0.09, seed %d", share, seed)
	}
}

func TestParseMix(t *testing.T) {
	for _, want := range []synth.Mix{synth.Airline, synth.Case2025} {
		got, err := synth.ParseMix(want.String())
		if err != nil || got != want {
			t.Fatalf("%s: got %v, %v", want, got, err)
		}
		var unmarshalled synth.Mix
		if err := unmarshalled.UnmarshalText([]byte(want.String())); err != nil || unmarshalled != want {
			t.Fatalf("%s: unmarshalled %v, %v", want, unmarshalled, err)
		}
	}
	_, err := synth.ParseMix("railway")
	if err == nil || !strings.Contains(err.Error(), "airline") || !strings.Contains(err.Error(), "case2025") {
		t.Fatalf("got %v, want an error that names the known mixes", err)
	}
}

func TestCSVIsWhatWasGenerated(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		mix := rapid.SampledFrom([]synth.Mix{synth.Airline, synth.Case2025}).Draw(t, "mix")
		n := rapid.IntRange(0, 60).Draw(t, "n")
		var out bytes.Buffer
		if err := synth.WriteCSV(&out, seed, mix, n); err != nil {
			t.Fatalf("got %v, want a CSV file", err)
		}
		rows, err := csv.NewReader(&out).ReadAll()
		if err != nil || len(rows) != n+1 {
			t.Fatalf("got %d rows, %v, want %d", len(rows), err, n+1)
		}
		header := synth.Columns()
		if !slices.Equal(rows[0], header[:]) {
			t.Fatalf("got header %q, want %q", rows[0], header)
		}
		for i, row := range rows[1:] {
			c := synth.CustomerAt(seed, mix, i)
			if want := c.Row(); !slices.Equal(row, want[:]) {
				t.Fatalf("customer %d: got %q, want %q", i, row, want)
			}
		}
	})
}

func TestWriteCSVReportsTheWriter(t *testing.T) {
	full := errors.New("no space left")
	err := synth.WriteCSV(failing{full}, seed, synth.Airline, 1_000)
	if !errors.Is(err, full) {
		t.Fatalf("got %v, want the error of the writer", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestFieldsNameTheirColumns(t *testing.T) {
	got := (synth.Email | synth.BirthDate).String()
	if want := "email birth_date"; got != want {
		t.Fatalf("got %q, want %q", got, want)
	}
}

func BenchmarkCustomers(b *testing.B) {
	g, i := synth.NewGenerator(seed, synth.Airline), 0
	b.ReportAllocs()
	for b.Loop() {
		c := g.At(i)
		if c.GivenName == "" {
			b.Fatal("a customer without a name")
		}
		i++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "customers/s")
}

func BenchmarkCSV(b *testing.B) {
	var out bytes.Buffer
	b.ReportAllocs()
	for b.Loop() {
		out.Reset()
		if err := synth.WriteCSV(&out, seed, synth.Airline, 10_000); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(10_000*float64(b.N)/b.Elapsed().Seconds(), "customers/s")
}

func BenchmarkNewGenerator(b *testing.B) {
	for b.Loop() {
		synth.NewGenerator(seed, synth.Airline)
	}
}
