// Package forbidden owns the search for data that Purser must not keep at all:
// payment cards and their security codes, passports, tax file and Medicare
// numbers, bank details, passwords, PINs, one-time codes, private keys and API
// tokens, in any text that somebody wants to store.
//
// It does not own what happens then (import rejects the row, gate and record
// refuse the text) nor which texts are searched. A text in which nothing is
// found may still hold such data: docs/guard.md lists what is not looked for.
//
// It carries two laws. L2: Find is a function of the text alone, with no
// clock, locale or configuration, so the same text is accepted everywhere. L6:
// a Finding names a class and a place and never holds any part of the value,
// so it can be written into a rejects file, an answer or a log.
//
// Three things make a finding. A shape that proves itself (a card number with
// its issuer's range and check digit, an IBAN, a key's header) needs no words
// around it. A weak shape (four digits, nine letters and digits) counts only
// behind a word that says what it is, with nothing but filler between. And a
// value of no shape at all, a password, must follow such a word directly.
//
// Work and memory are linear in the text: each of its tokens is looked at from
// at most a fixed number of others.
//
// Start reading at Find, then view.cards.
package forbidden

import (
	"cmp"
	"slices"
	"unicode/utf8"
)

// ContextWindow is how far, in bytes of the text's plain form, a word can lie
// from what it says the meaning of. Text further away changes nothing.
const ContextWindow = 64

// A Finding is one place in a text that holds, or seems to hold, something
// forbidden. It never carries what stands there.
type Finding struct {
	Class Class
	// Start and End are byte offsets into the text that was searched, both at
	// the boundary of a character; Start < End.
	Start, End int
	// At is the place for people: the first character's number, from 1.
	At int
}

// Find returns what text holds that must not be kept, in order and without
// overlaps; nil when there is nothing. It accepts any bytes.
func Find(text string) []Finding {
	if len(text) < shortest {
		return nil
	}
	l := lookAt(text)
	if l.clean() {
		return nil
	}
	v := view{s: text}
	if l.ascii && !l.label && !l.cut() {
		return v.place(text, v.chunks(nil))
	}
	if !l.ascii {
		v.fold()
	}
	v.tokens = make([]token, 0, len(v.s)/bytesAToken+4)
	v.tokenise()
	if !v.worth() {
		return nil
	}
	return v.place(text, v.search())
}

// Holds reports whether Find finds anything in text.
func Holds(text string) bool { return len(Find(text)) > 0 }

// bytesAToken is how many bytes a token and the space behind it have at least,
// in most texts.
const bytesAToken = 5

// shortest is the length in bytes of the shortest text that can hold anything:
// a label of two letters and four characters.
const shortest = 6

// search runs every detector. The order is that of precedence: of two findings
// in the same place the first one stands.
func (v *view) search() []Finding {
	var found []Finding
	if v.marks&marksSecret != 0 {
		found = v.keys(found)
		found = v.chunks(found)
	}
	if v.digits >= fewestIBANDigits {
		found = v.ibans(found)
	}
	if v.digits >= shortestCard {
		found = v.cards(found)
	}
	if v.marks&marksLabel != 0 {
		found = v.labelled(found)
	}
	return found
}

// place turns offsets of the plain form into offsets of text, drops what lies
// in an earlier finding of the same place, and counts characters.
func (v *view) place(text string, found []Finding) []Finding {
	slices.SortStableFunc(found, func(a, b Finding) int { return cmp.Compare(a.Start, b.Start) })
	kept := found[:0]
	for _, f := range found {
		if n := len(kept); n > 0 && f.Start < kept[n-1].End {
			kept[n-1].End = max(kept[n-1].End, f.End)
			continue
		}
		kept = append(kept, f)
	}
	counted, characters := 0, 0
	for i := range kept {
		f := &kept[i]
		f.Start, f.End = v.original(text, f.Start, f.End)
		characters += utf8.RuneCountInString(text[counted:f.Start])
		counted, f.At = f.Start, characters+1
	}
	return kept
}
