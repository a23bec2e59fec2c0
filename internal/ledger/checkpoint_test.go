package ledger_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"purser"
	"purser/internal/ledger"
	store "purser/internal/store/sqlite"
	"purser/proof"
)

// Whoever can write to the database can make a ledger that holds in itself. He
// has no key to sign it with.
func TestLaw10ACheckpointOfAnotherKeyIsRefused(t *testing.T) {
	dir, ours, _ := fill(t, 60)
	forged, theirs, _ := fill(t, 60)
	for _, c := range []struct {
		name string
		cfg  func() ledger.Config[*tally]
		want bool // ErrCorrupt
	}{
		{"a ledger made and signed by somebody else", func() ledger.Config[*tally] { return ours(openStore(t, forged)) }, true},
		{"our key, another origin", func() ledger.Config[*tally] {
			cfg := ours(openStore(t, dir))
			cfg.Origin = "example.com/other"
			return cfg
		}, true},
		{"no key to check it", func() ledger.Config[*tally] {
			cfg := theirs(openStore(t, forged))
			cfg.Signer, cfg.Verifier = nil, nil
			return cfg
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := c.cfg()
			_, err := ledger.Open(t.Context(), cfg)
			if err == nil || errors.Is(err, ledger.ErrCorrupt) != c.want {
				t.Errorf("open: got %v, want a refusal (ErrCorrupt: %v)", err, c.want)
			}
			if err := cfg.Store.(*store.DB).Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// With a snapshot newer than the last signature no entry would be held against
// it: such a one is left alone, and that is no trouble.
func TestLaw10TheSignedEndIsAlwaysPassed(t *testing.T) {
	dir, cfg, _ := fill(t, 120)
	db := openStore(t, dir)
	early := signEarlier(t, cfg(db), 10)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	alter(t, dir, "DELETE FROM checkpoint", fmt.Sprintf("INSERT INTO checkpoint (size, note) VALUES (10, x'%x')", early))
	with := cfg(openStore(t, dir))
	with.Trouble = func(err error) { t.Errorf("trouble: %v", err) }
	var done purser.Pos
	with.Progress = func(_, total purser.Pos) { done = total }
	mustClose(t, openLog(t, with))
	if done < 120 {
		t.Errorf("replayed entries: got %d, want all", done)
	}
	if err := with.Store.(*store.DB).Close(); err != nil {
		t.Fatal(err)
	}
	other := bytes.Clone(early)
	other = bytes.Replace(other, []byte("\n10\n"), []byte("\n11\n"), 1)
	alter(t, dir, "DELETE FROM checkpoint", fmt.Sprintf("INSERT INTO checkpoint (size, note) VALUES (11, x'%x')", other))
	if _, err := ledger.Open(t.Context(), cfg(openStore(t, dir))); !errors.Is(err, ledger.ErrCorrupt) {
		t.Errorf("open with a checkpoint whose size was changed: got %v, want ErrCorrupt", err)
	}
}

// signEarlier signs the ledger as it was after size entries.
func signEarlier(t *testing.T, cfg ledger.Config[*tally], size purser.Pos) []byte {
	t.Helper()
	var frontier proof.Frontier
	for s, err := range cfg.Store.Entries(t.Context(), 0, size) {
		if err != nil {
			t.Fatal(err)
		}
		frontier.Append(proof.LeafHash(s.Bytes))
	}
	signed, err := proof.Checkpoint{Origin: cfg.Origin, Size: size, Root: frontier.Root()}.Sign(cfg.Signer)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// A checkpoint is held against the snapshot that it is as long as, too: no entry
// after it would show that it is of another ledger. Seen to fail with entries
// compared alone.
func TestLaw10ACheckpointIsHeldAgainstItsSnapshot(t *testing.T) {
	dir, cfg, _ := fill(t, 120)
	db := openStore(t, dir)
	var size purser.Pos
	for s, err := range db.Snapshots(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		size = max(size, s.Size)
	}
	c := cfg(db)
	signed, err := proof.Checkpoint{Origin: c.Origin, Size: size, Root: purser.Hash{1}}.Sign(c.Signer)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	alter(t, dir, "DELETE FROM checkpoint", fmt.Sprintf("INSERT INTO checkpoint (size, note) VALUES (%d, x'%x')", size, signed))
	if _, err := ledger.Open(t.Context(), cfg(openStore(t, dir))); !errors.Is(err, ledger.ErrCorrupt) {
		t.Fatalf("got %v, want ErrCorrupt", err)
	}
}
