package gate_test

import (
	"testing"

	"purser"
	"purser/internal/gate"
)

func TestDiscloseToVerifiedCaller(t *testing.T) {
	w := newWorld(t, 60)
	m := w.Vendors[0].Agents[0]
	c := w.connect(t, m)
	i := w.whole(t, 0, "loyalty_number", "birth_date")
	w.verify(t, m, c, i)
	ask := gate.Ask{
		Asker: m.Asker(), Contact: c, Path: purser.PathDesk,
		Fields: mask(t, w, "name", "email", "birth_date", "loyalty_number"),
	}
	before := w.Log.Size()
	got, err := w.gate.Disclose(t.Context(), ask)
	if err != nil {
		t.Fatalf("disclose: %v (reason %d)", err, reason(err))
	}
	want := mask(t, w, "name", "loyalty_number")
	if got.Shown != want {
		t.Errorf("got shown %b, want %b: e-mail needs A2, a birth date is never shown", got.Shown, want)
	}
	name, _ := w.Records.Schema().Field("name")
	if text := got.Values[name.Bit].Reveal(); text != w.Customers[i].GivenName+" "+w.Customers[i].FamilyName {
		t.Errorf("got another name than that of customer %d", i)
	}
	if got.AfterHangUp != 45 {
		t.Errorf("got %d s after hang-up, want 45", got.AfterHangUp)
	}
	if made := w.Log.Size() - before; made != 1 {
		t.Errorf("got %d entries, want 1", made)
	}
}
