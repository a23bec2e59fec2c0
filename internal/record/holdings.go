package record

import (
	"purser"
	"purser/internal/rule/forbidden"
)

// Search counts what must not be held in what is looked at, by class. It keeps
// nothing of the values.
type Search struct {
	Customers uint64
	Fields    uint64
	Texts     uint64
	Found     map[forbidden.Class]uint64
}

// NewSearch returns an empty search.
func NewSearch() *Search { return &Search{Found: make(map[forbidden.Class]uint64)} }

// Look searches the opened fields and texts of one customer.
func (s *Search) Look(values purser.Values, texts []purser.Plain) {
	s.Customers++
	for _, v := range values {
		s.Fields++
		s.search(v)
	}
	for _, v := range texts {
		s.Texts++
		s.search(v)
	}
}

func (s *Search) search(v purser.Plain) {
	for _, f := range forbidden.Find(v.Reveal()) {
		s.Found[f.Class]++
	}
}

// Sum returns how much was found of all classes.
func (s *Search) Sum() (n uint64) {
	for _, c := range s.Found {
		n += c
	}
	return n
}
