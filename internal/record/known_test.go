package record_test

import (
	"strings"
	"testing"

	"purser"
)

const oneKim = "given_name,family_name,email,email_since,loyalty_number\nKim,Berg,%,2019-05-01,1000000008\n"

// A file that gives somebody another address makes that one new, however old it
// says that it is: else one row would have codes sent there at once.
//
// Seen to fail when the file's own date was believed.
func TestLaw04AnImportedChannelIsNewToWhoeverHadAnother(t *testing.T) {
	h := openHouse(t, t.TempDir(), nil)
	h.mustImport(t, strings.Replace(oneKim, "%", "kim@example.com", 1))
	f, _ := h.book.Schema().Field("email")
	before, held, err := h.book.ChannelSince(t.Context(), 1, f.Bit)
	if err != nil || !held || before.Time().Year() != 2019 {
		t.Fatalf("first: got %v, %v, %v, want what the file says", before.Time(), held, err)
	}
	if sum := h.mustImport(t, strings.Replace(oneKim, "%", "kim@example.net", 1)); sum.Changed != 1 {
		t.Fatalf("got %+v, want one changed", sum.Tally)
	}
	after, held, err := h.book.ChannelSince(t.Context(), 1, f.Bit)
	if err != nil || !held || after.Time().Year() != 2026 {
		t.Fatalf("changed: got %v, %v, %v, want the time of the entry", after.Time(), held, err)
	}
}

// A legal hold keeps a customer as he is, whatever a file says of him.
//
// Seen to fail when imports did not ask for holds.
func TestAHoldKeepsImportsFromChangingACustomer(t *testing.T) {
	h := openHouse(t, t.TempDir(), nil)
	h.mustImport(t, strings.Replace(oneKim, "%", "kim@example.com", 1))
	want := h.values(t, 1)
	h.mustRecord(t, &purser.HoldPlaced{Hold: purser.HoldID{1}, Customers: []purser.Ordinal{1}, As: purser.RolePrivacy})
	sum := h.mustImport(t, strings.Replace(oneKim, "%", "kim@example.net", 1))
	if sum.Rejected != 1 || sum.Changed != 0 || sum.Rejects[0].Line != 2 {
		t.Fatalf("under a hold: got %+v, %v", sum.Tally, sum.Rejects)
	}
	if got := h.values(t, 1)["email"]; got != want["email"] {
		t.Fatal("a held record was written anew")
	}
	h.mustRecord(t, &purser.HoldLift{Hold: purser.HoldID{1}, By: purser.Actor{Person: purser.PersonID{1}}, As: purser.RolePrivacy})
	h.mustRecord(t, &purser.HoldLift{Hold: purser.HoldID{1}, By: purser.Actor{Person: purser.PersonID{2}}, As: purser.RoleSecurity, Lifted: true})
	if sum := h.mustImport(t, strings.Replace(oneKim, "%", "kim@example.org", 1)); sum.Changed != 1 {
		t.Fatalf("lifted: got %+v, want one changed", sum.Tally)
	}
}
