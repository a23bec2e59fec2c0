package demo_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"purser/internal/demo"
)

// The closing screen fits a terminal of 80 columns and claims nothing that did
// not hold. Seen to fail with lines of 83 columns, which wrapped, and with
// everything ticked off whatever the day was like.
func TestClosingScreen(t *testing.T) {
	for _, c := range []struct {
		name     string
		day      demo.Day
		has, not []string
	}{
		{
			"as it must be",
			demo.Day{Disclosures: 9, Opened: 9},
			[]string{"got 0 fields of 0 customers:", "no customers there to list or search 480", "came too fast 460", "verified               ✓", "complete               ✓"},
			[]string{"✗"},
		},
		{"a disclosure has no entry", demo.Day{Disclosures: 10, Opened: 9}, []string{"complete               ✗"}, []string{"complete               ✓"}},
		{"the thief got something", demo.Day{Loot: 3}, []string{"got 3 fields"}, []string{"got 0 fields"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := demo.Closing(c.day)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(got) {
				if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
					t.Errorf("got a line of %d columns, want 80 at most: %s", n, line)
				}
			}
			for _, text := range c.has {
				if !strings.Contains(got, text) {
					t.Errorf("got no %q in\n%s", text, got)
				}
			}
			for _, text := range c.not {
				if strings.Contains(got, text) {
					t.Errorf("got %q in\n%s", text, got)
				}
			}
		})
	}
}

func TestALineIsClippedByWhatIsSeen(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"\x1b[1;31mthe theft\x1b[0m at noon", "\x1b[1;31mthe theft\x1b[0m a\x1b[0m"},
		{"Łukasz Þórs", "Łukasz Þórs"},
		{"Łukasz Þórsd", "Łukasz Þórs\x1b[0m"},
		{"\x1b[2mshort\x1b[0m", "\x1b[2mshort\x1b[0m"},
	} {
		if got := demo.Clip(c.line, 11); got != c.want {
			t.Errorf("%q: got %q, want %q", c.line, got, c.want)
		}
	}
}
