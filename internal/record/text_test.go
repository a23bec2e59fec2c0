package record_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"purser/internal/record"
	"purser/internal/rule/forbidden"
	"purser/internal/seal"
)

func TestReadWords(t *testing.T) {
	for name, c := range map[string]struct{ text, problem string }{
		"plain":            {"rang about the bag", ""},
		"lines":            {" a\r\nb\rc\n", ""},
		"as long as may":   {strings.Repeat("é", seal.MaxText/2), ""},
		"space around":     {"  x  ", ""},
		"empty":            {"", "is empty"},
		"only space":       {" \n\t ", "is empty"},
		"too long":         {strings.Repeat("a", seal.MaxText+1), "is over 4096 bytes"},
		"longer in NFC":    {strings.Repeat("\u0958", seal.MaxText/3), "is over 4096 bytes"},
		"not text":         {"a\xff", "is not UTF-8"},
		"control":          {"a\x00b", "holds a control character"},
		"turned around":    {"a\u202eb", "holds a character that changes the direction of text"},
		"damaged on a way": {"a\ufffdb", "holds a replacement character: it was damaged on the way"},
	} {
		t.Run(name, func(t *testing.T) {
			w, err := record.ReadWords(c.text)
			var told *record.TextError
			switch {
			case c.problem == "":
				if err != nil || w.None() || len(w.Forbidden()) > 0 {
					t.Errorf("got %v, none %v", err, w.None())
				}
			case !errors.As(err, &told) || told.Problem != c.problem || !w.None():
				t.Errorf("got %v, want %q", err, c.problem)
			}
		})
	}
}

// What must not be kept is found in the normal form, and neither the words nor
// what was found shows in any format.
func TestLaw06WordsHideThemselves(t *testing.T) {
	const card = "4242 4242 4242 4242"
	w, err := record.ReadWords("paid with " + card)
	if err != nil || len(w.Forbidden()) != 1 || w.Forbidden()[0].Class != forbidden.Card || w.Forbidden()[0].At != 11 {
		t.Fatalf("got %v and %+v, want a card at 11", err, w.Forbidden())
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if out := fmt.Sprintf(format, w); strings.Contains(out, "4242") || strings.Contains(out, "paid") {
			t.Errorf("%s shows the words", format)
		}
	}
}
