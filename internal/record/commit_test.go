package record_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"testing"

	"purser"
	"purser/internal/record"
	"purser/internal/seal"
)

// What an amendment's entry commits to cannot be guessed by whoever has the
// entry and the salt: both lie in the database, the keys do not.
//
// Seen to fail when the commitment was keyed with the salt alone.
func TestLaw06ACommitmentNeedsTheKeys(t *testing.T) {
	schema, err := record.Default()
	if err != nil {
		t.Fatal(err)
	}
	book := func() *record.Book {
		keys, err := seal.Create(seal.Options{Path: t.TempDir() + "/keyset", Deployment: "made-up"})
		if err != nil {
			t.Fatal(err)
		}
		return record.New(nil, keys, schema)
	}
	ours, theirs, salt := book(), book(), bytes.Repeat([]byte{7}, 16)
	set := map[purser.Field]string{7: "1970-01-31"}
	got := ours.CommitTo(salt, set)
	if got == theirs.CommitTo(salt, set) {
		t.Fatal("another deployment's keys make the same commitment")
	}
	if got != ours.CommitTo(salt, set) {
		t.Fatal("the same keys make another commitment")
	}
	if other := bytes.Repeat([]byte{8}, 16); got == ours.CommitTo(other, set) {
		t.Fatal("another salt makes the same commitment")
	}
	mac := hmac.New(sha256.New, salt)
	mac.Write(append([]byte{7, 0, 0, 0, 10}, set[7]...))
	if bytes.Equal(mac.Sum(nil)[:16], got[:]) {
		t.Fatal("the salt alone makes the commitment")
	}
}
