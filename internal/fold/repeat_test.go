package fold_test

import (
	"reflect"
	"testing"

	"purser"
	"purser/internal/fold"
)

// Every kind of decision that names who asked, in a field Who or By, is counted
// for his session: a kind that is forgotten would let one session fill the
// ledger with refusals.
//
// Seen to fail when 20 kinds, Amend and MandateAsked among them, were left out.
func TestEveryRefusalIsCountedForItsAsker(t *testing.T) {
	want := purser.Actor{Session: purser.SessionID{7}, Person: purser.PersonID{8}}
	kinds := 0
	for k := purser.Kind(1); purser.NewEntry(k) != nil; k++ {
		e := purser.NewEntry(k)
		if _, ok := e.(purser.Decision); !ok {
			continue
		}
		row := reflect.ValueOf(e).Elem()
		field := row.FieldByName("Who")
		if !field.IsValid() {
			field = row.FieldByName("By")
		}
		if !field.IsValid() || field.Type() != reflect.TypeFor[purser.Actor]() {
			continue
		}
		field.Set(reflect.ValueOf(want))
		row.FieldByName("Reason").Set(reflect.ValueOf(purser.NoRole))
		kinds++
		if who, _ := fold.New().Repeats(e, start); who != want {
			t.Errorf("a refused %T is counted for %v, want its asker", e, who)
		}
	}
	if kinds < 30 {
		t.Errorf("only %d kinds name an asker", kinds)
	}
}
