package purser_test

import (
	"bytes"
	"slices"
	"testing"

	"purser"
)

func TestParseTarget(t *testing.T) {
	person := purser.PersonID{1, 2, 3}
	for name, c := range map[string]struct {
		text string
		want purser.Target
		ok   bool
	}{
		"all":            {"all", purser.Target{Kind: purser.TargetAll}, true},
		"person":         {person.String(), purser.Target{Kind: purser.TargetPerson, ID: person}, true},
		"customer":       {purser.CustomerID{1}.String(), purser.Target{}, false},
		"empty":          {"", purser.Target{}, false},
		"upper case":     {"ALL", purser.Target{}, false},
		"cut":            {person.String()[:20], purser.Target{}, false},
		"other spelling": {person.String()[:29] + "b", purser.Target{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := purser.ParseTarget(c.text)
			if (err == nil) != c.ok || (c.ok && got != c.want) {
				t.Fatalf("got %v, %v", got, err)
			}
			if c.ok && got.String() != c.text {
				t.Fatalf("got %q back, want %q", got.String(), c.text)
			}
		})
	}
}

// A target that is read has one spelling.
func FuzzParseTarget(f *testing.F) {
	f.Add("all")
	f.Add(purser.SessionID{7}.String())
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := purser.ParseTarget(text); err == nil && got.String() != text {
			t.Fatalf("read %q as %q", text, got.String())
		}
	})
}

// What a change may enact is never an authenticator, a door or a change, has
// one encoding, and never crashes the reader.
func FuzzInner(f *testing.F) {
	f.Add(purser.Enacts(&purser.AgentMapped{Source: purser.SourceID{1}}))
	f.Add(purser.Enacts(&purser.AuthenticatorSet{Status: purser.StatusActive}))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := purser.Inner(b)
		if err != nil {
			return
		}
		barred := []purser.Kind{purser.KindAuthenticator, purser.KindDoor, purser.KindChangeEnacted, purser.KindChangeProposed}
		if slices.Contains(barred, e.Kind()) {
			t.Fatalf("kind %d may be enacted", e.Kind())
		}
		if again := purser.Enacts(e); !bytes.Equal(again, b) {
			t.Fatalf("read %x, wrote %x", b, again)
		}
	})
}
