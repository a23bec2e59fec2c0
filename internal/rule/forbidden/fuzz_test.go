package forbidden_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"purser/internal/rule/forbidden"
)

// silence is longer than the window in which words count, and says nothing.
func silence() string { return strings.Repeat(" \n.\n ", forbidden.ContextWindow/4) }

// checkPlaces holds the promises of Find for any text.
func checkPlaces(t rapid.TB, text string) {
	t.Helper()
	found := forbidden.Find(text)
	end := 0
	for _, f := range found {
		if f.Start < end || f.End <= f.Start || f.End > len(text) {
			t.Fatalf("%v of a text of %d bytes, after one that ended at %d", f, len(text), end)
		}
		if f.At != utf8.RuneCountInString(text[:f.Start])+1 {
			t.Fatalf("%v: character %d, want %d", f, f.At, utf8.RuneCountInString(text[:f.Start])+1)
		}
		if _, err := forbidden.ParseClass(f.Class.String()); err != nil {
			t.Fatal(err)
		}
		end = f.End
	}
	// What lies beyond the window changes nothing.
	before := silence()
	around := forbidden.Find(before + text + silence())
	if len(around) != len(found) {
		t.Fatalf("alone %v, with silence around %v", found, around)
	}
	for i, f := range around {
		f.Start, f.End, f.At = f.Start-len(before), f.End-len(before), f.At-len(before)
		if f != found[i] {
			t.Fatalf("alone %v, with silence around %v", found[i], f)
		}
	}
}

func FuzzFind(f *testing.F) {
	vectors, err := forbidden.Vectors()
	if err != nil {
		f.Fatal(err)
	}
	for i, v := range vectors {
		texts := v.Texts()
		f.Add(texts[i%len(texts)])
	}
	for _, s := range []string{"", "\xff", "eyJ.", "-----BEGIN", "pin", "password is", "TFN 1", "DE89", "４", "4\u20e3", "://:@", "x://a:b@c", "P<AAA<<<<"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) { checkPlaces(t, text) })
}
