package synth_test

import (
	"testing"
	"unicode/utf8"

	"purser/internal/rule/forbidden"
	"purser/internal/synth"
)

func TestNotesFollowFromTheSeed(t *testing.T) {
	a, b := synth.NewNotes(7), synth.NewNotes(7)
	texts := map[string]bool{}
	for i := range 2000 {
		text := a.At(i)
		if text != b.At(i) || i == 3 && text != synth.Note(7, 3) {
			t.Fatalf("note %d differs between two generators of one seed", i)
		}
		if !utf8.ValidString(text) || text == "" {
			t.Fatalf("note %d is %q", i, text)
		}
		texts[text] = true
	}
	if len(texts) < 1990 {
		t.Errorf("%d different notes of 2000", len(texts))
	}
	if synth.Note(8, 3) == synth.Note(7, 3) {
		t.Error("two seeds give the same note")
	}
}

func TestPlantingsKnowWhereTheyAre(t *testing.T) {
	n := synth.NewNotes(3)
	seen := map[string]bool{}
	for i := range 1200 {
		p := n.Plant(i)
		if p.Start < 0 || p.End <= p.Start || p.End > len(p.Text) || !utf8.ValidString(p.Text[p.Start:p.End]) {
			t.Fatalf("planting %d: %d to %d of %d bytes", i, p.Start, p.End, len(p.Text))
		}
		seen[p.Class] = true
	}
	for _, c := range forbidden.Classes() {
		if !seen[c.String()] {
			t.Errorf("nothing of class %v was planted", c)
		}
	}
}
