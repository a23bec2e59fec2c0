package storetest

import (
	"errors"
	"reflect"
	"testing"

	"purser"
	"purser/internal/ledger"
	"purser/internal/record"
	"purser/internal/seal"
)

// Texts checks an implementation of record.Texts. open returns an empty store
// that the test closes by itself.
func Texts(t *testing.T, open func(testing.TB) Records) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, Records)
	}{
		{"a case comes back as it was put, and moves on", cases},
		{"a position or an identifier that is taken undoes the batch", takenText},
		{"texts come newest first, of one customer and kind", textsInOrder},
		{"texts about nobody are found by case, or by contact", blindTexts},
		{"an erasure takes texts, salts and cases of one customer", erasesTexts},
		{"what nobody claimed goes with its time", dropsBlind},
		{"a foreign transaction is refused", foreignTextTx},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

func text(pos purser.Pos, o purser.Ordinal, kind seal.TextKind) record.TextRow {
	return record.TextRow{
		Text:     seal.Text{Kind: kind, Pos: pos, Sealed: []byte{1, byte(pos)}},
		Customer: o, Contact: purser.ContactID{5, byte(pos / 10)}, Topic: 2, Written: purser.Stamp(1000 + pos),
		Salt: append(make([]byte, 15), byte(pos)),
	}
}

func caseRow(n byte, o purser.Ordinal) record.CaseRow {
	return record.CaseRow{
		Case: purser.CaseID{n}, Pos: purser.Pos(n), Contact: purser.ContactID{5}, Vendor: purser.VendorID{6}, Customer: o,
		Topic: 3, State: purser.CaseOpen, Opened: purser.Stamp(1000 + int64(n)), Changed: purser.Stamp(1000 + int64(n)),
	}
}

func mustWrite(t *testing.T, s Records, write func(ledger.Tx) error) {
	t.Helper()
	if err := put(t, s, write); err != nil {
		t.Fatalf("write: %v", err)
	}
}

func putTexts(t *testing.T, s Records, rows ...record.TextRow) {
	t.Helper()
	mustWrite(t, s, func(tx ledger.Tx) error {
		for _, row := range rows {
			if err := s.PutText(tx, row); err != nil {
				return err
			}
		}
		return nil
	})
}

func cases(t *testing.T, s Records) {
	ctx := t.Context()
	mustPut(t, s, customersFrom(1, 2))
	if _, err := s.CaseAt(ctx, 7); !errors.Is(err, record.ErrNoCase) {
		t.Errorf("no case: got %v, want ErrNoCase", err)
	}
	want := caseRow(7, 0)
	mustWrite(t, s, func(tx ledger.Tx) error { return s.PutCase(tx, want) })
	if got, err := s.CaseAt(ctx, 7); got != want || err != nil {
		t.Errorf("case: got %+v %v, want %+v", got, err, want)
	}
	want.Customer, want.Topic, want.State, want.Changed = 2, 4, purser.CaseWaiting, 2000
	mustWrite(t, s, func(tx ledger.Tx) error { return s.MoveCase(tx, want) })
	if got, err := s.CaseAt(ctx, 7); got != want || err != nil {
		t.Errorf("moved: got %+v %v, want %+v", got, err, want)
	}
	err := put(t, s, func(tx ledger.Tx) error { return s.MoveCase(tx, caseRow(8, 0)) })
	if !errors.Is(err, ledger.ErrNothingWritten) {
		t.Errorf("moving none: got %v, want ErrNothingWritten", err)
	}
}

func takenText(t *testing.T, s Records) {
	mustPut(t, s, customersFrom(1, 2))
	mustWrite(t, s, func(tx ledger.Tx) error { return s.PutCase(tx, caseRow(7, 1)) })
	putTexts(t, s, text(7, 1, seal.CaseText))
	again, at := caseRow(7, 2), caseRow(9, 2)
	again.Pos, at.Pos = 9, 7
	for name, write := range map[string]func(ledger.Tx) error{
		"text":                func(tx ledger.Tx) error { return s.PutText(tx, text(7, 2, seal.NoteText)) },
		"case":                func(tx ledger.Tx) error { return s.PutCase(tx, again) },
		"position of a case":  func(tx ledger.Tx) error { return s.PutCase(tx, at) },
		"text of no customer": func(tx ledger.Tx) error { return s.PutText(tx, text(8, 99, seal.NoteText)) },
	} {
		if err := put(t, s, write); !errors.Is(err, ledger.ErrNothingWritten) {
			t.Errorf("%s: got %v, want ErrNothingWritten", name, err)
		}
	}
}

func textsInOrder(t *testing.T, s Records) {
	mustPut(t, s, customersFrom(1, 3))
	mustWrite(t, s, func(tx ledger.Tx) error { return s.PutCase(tx, caseRow(9, 2)) })
	of := text(30, 2, seal.NoteText)
	of.Case = purser.CaseID{9}
	rows := []record.TextRow{
		text(10, 2, seal.NoteText), of, text(20, 2, seal.NoteText), text(25, 2, seal.CaseText),
		text(26, 3, seal.NoteText), text(27, 0, seal.NoteText),
	}
	putTexts(t, s, rows...)
	all := []record.TimelineRow{{TextRow: rows[1], State: purser.CaseOpen}, {TextRow: rows[2]}, {TextRow: rows[0]}}
	for _, c := range []struct {
		name   string
		o      purser.Ordinal
		kind   seal.TextKind
		before purser.Pos
		limit  int
		want   []record.TimelineRow
	}{
		{"all", 2, seal.NoteText, 1000, 9, all},
		{"as many as asked for", 2, seal.NoteText, 1000, 2, all[:2]},
		{"before one", 2, seal.NoteText, 30, 9, all[1:]},
		{"another kind", 2, seal.CaseText, 1000, 9, []record.TimelineRow{{TextRow: rows[3]}}},
		{"nothing", 1, seal.NoteText, 1000, 9, nil},
		{"nobody's are nobody's", 0, seal.NoteText, 1000, 9, nil},
	} {
		got, err := s.TextsOf(t.Context(), c.o, c.kind, c.before, c.limit)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %+v %v, want %+v", c.name, got, err, c.want)
		}
	}
}

func blindTexts(t *testing.T, s Records) {
	mustPut(t, s, customersFrom(1, 2))
	of := text(12, 0, seal.CaseText)
	of.Case = purser.CaseID{9}
	rows := []record.TextRow{text(14, 0, seal.NoteText), of, text(11, 0, seal.NoteText), text(21, 0, seal.NoteText), text(13, 1, seal.NoteText)}
	putTexts(t, s, rows...)
	mustWrite(t, s, func(tx ledger.Tx) error {
		byCase, err := s.BlindTexts(tx, purser.CaseID{9}, purser.ContactID{})
		byContact, err2 := s.BlindTexts(tx, purser.CaseID{}, purser.ContactID{5, 1})
		if !reflect.DeepEqual(byCase, rows[1:2]) || !reflect.DeepEqual(byContact, []record.TextRow{rows[2], rows[0]}) {
			t.Errorf("got %+v and %+v", byCase, byContact)
		}
		given := rows[1]
		given.Customer, given.Sealed = 2, []byte("his")
		return errors.Join(err, err2, s.DropText(tx, 12), s.PutText(tx, given))
	})
	got, err := s.TextsOf(t.Context(), 2, seal.CaseText, 1000, 9)
	if err != nil || len(got) != 1 || string(got[0].Sealed) != "his" {
		t.Errorf("given to a customer: got %+v %v", got, err)
	}
}

func erasesTexts(t *testing.T, s Records) {
	mustPut(t, s, customersFrom(1, 2))
	mustWrite(t, s, func(tx ledger.Tx) error {
		return errors.Join(s.PutCase(tx, caseRow(7, 1)), s.PutCase(tx, caseRow(8, 2)))
	})
	putTexts(t, s, text(7, 1, seal.CaseText), text(8, 2, seal.CaseText), text(9, 1, seal.NoteText))
	mustWrite(t, s, func(tx ledger.Tx) error {
		gone, err := s.Erase(tx, 1, nil)
		if gone.Texts != 2 {
			t.Errorf("erased %d texts, want 2", gone.Texts)
		}
		return err
	})
	for o, want := range map[purser.Ordinal]int{1: 0, 2: 1} {
		if got, err := s.TextsOf(t.Context(), o, seal.CaseText, 1000, 9); len(got) != want || err != nil {
			t.Errorf("texts of %d: got %d %v, want %d", o, len(got), err, want)
		}
	}
	if _, err := s.CaseAt(t.Context(), 7); !errors.Is(err, record.ErrNoCase) {
		t.Errorf("his case: got %v, want ErrNoCase", err)
	}
	if _, err := s.CaseAt(t.Context(), 8); err != nil {
		t.Errorf("another's case: got %v", err)
	}
}

func dropsBlind(t *testing.T, s Records) {
	ctx := t.Context()
	mustPut(t, s, customersFrom(1, 1))
	mustWrite(t, s, func(tx ledger.Tx) error {
		return errors.Join(s.PutCase(tx, caseRow(1, 0)), s.PutCase(tx, caseRow(2, 1)), s.PutCase(tx, caseRow(30, 0)))
	})
	putTexts(t, s, text(1, 0, seal.CaseText), text(2, 1, seal.CaseText), text(30, 0, seal.NoteText))
	if err := s.DropBlind(ctx, 1010); err != nil {
		t.Fatalf("drop: %v", err)
	}
	for pos, want := range map[purser.Pos]error{1: record.ErrNoCase, 2: nil, 30: nil} {
		if _, err := s.CaseAt(ctx, pos); !errors.Is(err, want) {
			t.Errorf("case of %d: got %v, want %v", pos, err, want)
		}
	}
	mustWrite(t, s, func(tx ledger.Tx) error {
		for contact, want := range map[purser.ContactID]int{{5, 0}: 0, {5, 3}: 1} {
			if got, err := s.BlindTexts(tx, purser.CaseID{}, contact); len(got) != want || err != nil {
				t.Errorf("texts about nobody in %v: got %d %v, want %d", contact, len(got), err, want)
			}
		}
		return nil
	})
}

func foreignTextTx(t *testing.T, s Records) {
	_, blind := s.BlindTexts(foreign{}, purser.CaseID{}, purser.ContactID{})
	for name, err := range map[string]error{
		"put case": s.PutCase(foreign{}, caseRow(1, 0)), "move case": s.MoveCase(foreign{}, caseRow(1, 0)),
		"put text": s.PutText(foreign{}, text(1, 0, seal.NoteText)), "drop text": s.DropText(foreign{}, 1),
		"blind texts": blind,
	} {
		if err == nil {
			t.Errorf("%s in a foreign transaction: got no error", name)
		}
	}
}
