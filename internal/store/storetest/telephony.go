package storetest

import (
	"slices"
	"testing"

	"purser"
	"purser/internal/ledger"
	"purser/internal/telephony"
)

// TelephonyStore is a store of sources beside the ledger whose entries speak of
// them.
type TelephonyStore interface {
	ledger.Store
	telephony.Sources
}

// Telephony checks an implementation of telephony.Sources. open returns an
// empty one that the test closes by itself.
func Telephony(t *testing.T, open func(testing.TB) TelephonyStore) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, TelephonyStore)
	}{
		{"a new store has no source", noSources},
		{"the newest secret comes first", secrets},
		{"a secret twice undoes the entry", secretTwice},
		{"a foreign transaction is refused for a source", foreignTxForSource},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

func sourceRow(id, secret byte) telephony.SourceRow {
	return telephony.SourceRow{
		Source: purser.SourceID{id}, Vendor: purser.VendorID{1}, Name: "switch",
		Secret: purser.Commitment{secret}, Sealed: []byte{id, secret},
	}
}

func putSource(t *testing.T, s TelephonyStore, row telephony.SourceRow) error {
	t.Helper()
	b := next(mustHead(t, s), 1)
	b.Rows = []ledger.Row{{Write: func(tx ledger.Tx) error { return s.PutSource(tx, row) }}}
	return s.Append(t.Context(), b)
}

func wantSources(t *testing.T, s TelephonyStore, want ...telephony.SourceRow) {
	t.Helper()
	got, err := s.SourceRows(t.Context())
	if err != nil {
		t.Fatalf("read sources: %v", err)
	}
	if !slices.EqualFunc(got, want, sameSource) {
		t.Fatalf("got %v, want %v", got, want)
	}
}

func sameSource(a, b telephony.SourceRow) bool {
	same := a.Source == b.Source && a.Vendor == b.Vendor && a.Secret == b.Secret
	return same && a.Name == b.Name && slices.Equal(a.Sealed, b.Sealed)
}

func noSources(t *testing.T, s TelephonyStore) {
	wantSources(t, s)
	rows, err := s.SecretsOf(t.Context(), purser.SourceID{1})
	if err != nil || len(rows) != 0 {
		t.Fatalf("got %v, %v", rows, err)
	}
}

func secrets(t *testing.T, s TelephonyStore) {
	for _, row := range []telephony.SourceRow{sourceRow(2, 1), sourceRow(1, 1), sourceRow(1, 2)} {
		if err := putSource(t, s, row); err != nil {
			t.Fatalf("put: %v", err)
		}
	}
	wantSources(t, s, sourceRow(1, 2), sourceRow(1, 1), sourceRow(2, 1))
	rows, err := s.SecretsOf(t.Context(), purser.SourceID{1})
	if err != nil || !slices.EqualFunc(rows, []telephony.SourceRow{sourceRow(1, 2), sourceRow(1, 1)}, sameSource) {
		t.Fatalf("got %v, %v", rows, err)
	}
}

func secretTwice(t *testing.T, s TelephonyStore) {
	if err := putSource(t, s, sourceRow(1, 1)); err != nil {
		t.Fatalf("put: %v", err)
	}
	if err := putSource(t, s, sourceRow(1, 1)); err == nil {
		t.Fatal("got no error")
	}
	wantSources(t, s, sourceRow(1, 1))
}

func foreignTxForSource(t *testing.T, s TelephonyStore) {
	if err := s.PutSource(foreign{}, sourceRow(1, 1)); err == nil {
		t.Fatal("got no error")
	}
}
