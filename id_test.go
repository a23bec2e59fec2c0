package purser_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"purser"
)

func TestIDRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := purser.CustomerID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		if id.Zero() {
			return
		}
		text := id.String()
		if len(text) != 30 || !strings.HasPrefix(text, "cus_") || text != strings.ToLower(text) {
			t.Fatalf("text: got %q, want cus_ and 26 lower-case characters", text)
		}
		var again purser.CustomerID
		if err := again.UnmarshalText([]byte(text)); err != nil || again != id {
			t.Fatalf("parse %q: got %x, error %v, want %x", text, again, err, id)
		}
	})
}

func TestOtherSpellingsAreNoIDs(t *testing.T) {
	good := purser.CustomerID{1}.String()
	for _, c := range []struct{ name, text string }{
		{"no prefix", good[4:]},
		{"another kind", "ses" + good[3:]},
		{"upper case", strings.ToUpper(good)},
		{"too short", good[:29]},
		{"too long", good + "a"},
		{"free bits", good[:29] + "b"},
		{"line feed", good[:10] + "\n" + good[10:]},
		{"padding", good[:29] + "="},
		{"another alphabet", good[:29] + "1"},
		{"no underscore", "cus-" + good[4:]},
	} {
		t.Run(c.name, func(t *testing.T) {
			var id purser.CustomerID
			err := id.UnmarshalText([]byte(c.text))
			if !errors.Is(err, purser.ErrBadID) || !id.Zero() {
				t.Fatalf("read %q: got %v, error %v, want ErrBadID", c.text, id, err)
			}
			if body := c.text[max(0, len(c.text)-20):]; strings.Contains(err.Error(), body) {
				t.Fatalf("the error holds the text: %v", err)
			}
		})
	}
}

func TestIDsInJSON(t *testing.T) {
	type both struct {
		Customer purser.CustomerID
		Session  purser.SessionID
	}
	want := both{Customer: purser.CustomerID{7}}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got both
	if err := json.Unmarshal(b, &got); err != nil || got != want {
		t.Fatalf("%s: got %+v, error %v, want %+v", b, got, err, want)
	}
}

func TestNewIDReadsItsSource(t *testing.T) {
	id, err := draw(purser.NewID, bytes.NewReader(bytes.Repeat([]byte{5}, 16)))
	if err != nil || id[0] != 5 || id[15] != 5 {
		t.Fatalf("new: got %x, error %v", id, err)
	}
	if id, err := draw(purser.NewID, iotest.ErrReader(errors.New("dry"))); err == nil || !id.Zero() {
		t.Fatalf("new from a dry source: got %x, error %v", id, err)
	}
}

// draw names the kind of identifier by its result.
func draw(newID func(io.Reader) (purser.CustomerID, error), r io.Reader) (purser.CustomerID, error) {
	return newID(r)
}
