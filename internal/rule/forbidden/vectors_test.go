package forbidden_test

import (
	"testing"

	"purser/internal/rule/forbidden"
)

func TestEveryPublishedVectorIsFound(t *testing.T) {
	vectors, err := forbidden.Vectors()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[forbidden.Class]int{}
	for _, v := range vectors {
		for _, text := range v.Texts() {
			seen[v.Class]++
			if !finds(text, v.Class) {
				t.Errorf("%v in %q: got %v (%s)", v.Class, text, forbidden.Find(text), v.Source)
			}
		}
	}
	for _, c := range forbidden.Classes() {
		if seen[c] == 0 {
			t.Errorf("no vector of class %v", c)
		}
	}
}

func finds(text string, class forbidden.Class) bool {
	for _, f := range forbidden.Find(text) {
		if f.Class == class {
			return true
		}
	}
	return false
}
