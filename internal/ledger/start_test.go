package ledger_test

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"purser"
	"purser/internal/ledger"
	store "purser/internal/store/sqlite"
)

func TestClock(t *testing.T) {
	type step struct {
		wall, mono time.Duration
		accept     bool
		restart    bool
		idle       bool          // no entry is proposed
		want       time.Duration // of the next entry's stamp, since the beginning
		entries    string        // kinds of the entries that come before it
	}
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"time passes", []step{{wall: time.Hour, mono: time.Hour, want: time.Hour}}},
		{"a small correction is followed", []step{
			{wall: 50 * time.Second, want: 50 * time.Second},
			{wall: -40 * time.Second, want: 50 * time.Second},
		}},
		{"a step forward is not followed until accepted", []step{
			{wall: time.Hour, mono: time.Second, want: time.Second, entries: "[2 34]"},
			{wall: time.Minute, mono: time.Minute, want: time.Minute + time.Second},
			{accept: true, want: time.Hour + time.Minute},
		}},
		{"a step back is not followed until accepted", []step{
			{wall: -time.Hour, mono: time.Second, want: time.Second, entries: "[2 34]"},
			{wall: time.Minute, mono: time.Minute, want: time.Minute + time.Second},
			{accept: true, want: time.Minute + time.Second},
			{wall: time.Minute, mono: time.Minute, want: 2*time.Minute + time.Second},
		}},
		{"starting again accepts nothing", []step{
			{wall: time.Hour, mono: time.Second, want: time.Second, entries: "[2 34]"},
			{wall: time.Minute, restart: true, want: time.Second},
			{wall: time.Minute, mono: time.Minute, want: time.Minute + time.Second},
			{wall: time.Minute, restart: true, want: time.Minute + time.Second},
			{accept: true, want: time.Hour + 3*time.Minute},
			{wall: time.Minute, restart: true, want: time.Hour + 4*time.Minute},
		}},
		{"a step that nobody proposed after is not accepted by starting again", []step{
			{want: 0},
			{wall: time.Hour, mono: time.Second, idle: true},
			{wall: time.Minute, restart: true, want: time.Second},
			{wall: time.Minute, mono: time.Minute, want: time.Minute + time.Second},
		}},
		{"short downtime counts", []step{{wall: 23 * time.Hour, restart: true, want: 23 * time.Hour}}},
		{"long downtime must be accepted", []step{
			{wall: 25 * time.Hour, restart: true, want: 0},
			{wall: time.Minute, mono: time.Minute, want: time.Minute},
			{accept: true, want: 25*time.Hour + time.Minute},
		}},
		{"downtime before the last entry must be accepted", []step{
			{wall: -2 * time.Minute, restart: true, want: 0},
			{wall: time.Minute, mono: time.Minute, want: time.Minute},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			clock, db := newClock(), openStore(t, t.TempDir())
			begin := purser.StampOf(clock.Wall())
			log := openLog(t, configOf(db, clock))
			for i, s := range c.steps {
				if s.restart {
					mustClose(t, log)
				}
				clock.set(s.wall, s.mono)
				if s.restart {
					log = openLog(t, configOf(db, clock))
				}
				if s.idle {
					continue
				}
				if s.accept {
					accept := func(*tally, purser.Stamp) purser.Entry { return &purser.ClockAccepted{} }
					if _, err := log.Propose(t.Context(), purser.VendorID{}, accept); err != nil {
						t.Fatalf("step %d: accept: %v", i, err)
					}
				}
				size, before := log.Size(), log.Now()
				r, err := log.Propose(t.Context(), purser.VendorID{}, disclose(actor(1), 1))
				if err != nil {
					t.Fatalf("step %d: %v", i, err)
				}
				if got := r.Stamp() - begin; got != purser.Stamp(s.want.Microseconds()) {
					t.Fatalf("step %d: stamp: got %v, want %v", i, time.Duration(got)*time.Microsecond, s.want)
				}
				if after := log.Now(); before != r.Stamp() || after != r.Stamp() {
					t.Fatalf("step %d: the time was %v before the entry and is %v, want its stamp %v", i, before, after, r.Stamp())
				}
				var own []purser.Kind
				for _, e := range kinds(t, db, size, r.Pos()) {
					own = append(own, e.Kind())
				}
				if s.entries != "" && fmt.Sprint(own) != s.entries || s.entries == "" && len(own) > 0 {
					t.Fatalf("step %d: entries of the writer: got kinds %v, want %s", i, own, s.entries)
				}
			}
			last := log.Now()
			if mustClose(t, log); log.Now() != last {
				t.Errorf("closing turned the time from %v to %v", last, log.Now())
			}
		})
	}
}

func TestStartEntry(t *testing.T) {
	clock, db := newClock(), openStore(t, t.TempDir())
	mustClose(t, openLog(t, configOf(db, clock)))
	clock.set(30*time.Hour, 0)
	mustClose(t, openLog(t, configOf(db, clock)))
	all := kinds(t, db, 0, 2)
	first, second := all[0].(*purser.Start), all[1].(*purser.Start)
	if first.Held || first.Downtime != 0 || first.Software != "test" || first.FoldVersion != 1 {
		t.Errorf("first start: got %+v", first)
	}
	if !second.Held || second.Downtime != 30*purser.Hour || second.Wall != purser.StampOf(clock.Wall()) {
		t.Errorf("second start: got %+v", second)
	}
}

func newKey(t *testing.T) (note.Signer, note.Verifier) {
	t.Helper()
	secret, public, err := note.GenerateKey(nil, "test")
	if err != nil {
		t.Fatalf("key: %v", err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatalf("signer: %v", err)
	}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		t.Fatalf("verifier: %v", err)
	}
	return signer, verifier
}

// fill makes a closed ledger with snapshots and returns its directory and how
// to open it.
func fill(t *testing.T, entries int) (dir string, cfg func(ledger.Store) ledger.Config[*tally], want []byte) {
	t.Helper()
	signer, verifier := newKey(t)
	dir = t.TempDir()
	clock := newClock()
	cfg = func(s ledger.Store) ledger.Config[*tally] {
		c := configOf(s, clock)
		c.Signer, c.Verifier, c.Origin, c.SnapshotEvery = signer, verifier, "example.com/ledger", 40
		return c
	}
	db := openStore(t, dir)
	log := openLog(t, cfg(db))
	for i := range entries {
		if _, err := log.Propose(t.Context(), purser.VendorID{}, disclose(actor(byte(i)), purser.Ordinal(i%30))); err != nil {
			t.Fatalf("propose: %v", err)
		}
	}
	waitForSnapshot(t, db, log)
	mustClose(t, log)
	want = stateBytes(t, log)
	if err := db.Close(); err != nil {
		t.Fatalf("close store: %v", err)
	}
	return dir, cfg, want
}

// waitForSnapshot proposes until an entry has bound a snapshot.
func waitForSnapshot(t *testing.T, db ledger.Store, log *ledger.Log[*tally]) {
	t.Helper()
	from := purser.Pos(0)
	for {
		if _, err := log.Propose(t.Context(), purser.VendorID{}, disclose(actor(1), 99)); err != nil {
			t.Fatalf("propose: %v", err)
		}
		size := log.Size()
		for _, e := range kinds(t, db, from, size) {
			if e.Kind() == purser.KindSnapshot {
				return
			}
		}
		from = size
	}
}

// alter changes the closed database behind the ledger's back.
func alter(t *testing.T, dir string, statements ...string) {
	t.Helper()
	conn, err := sqlite.OpenConn(filepath.Join(dir, store.FileName), sqlite.OpenReadWrite)
	if err != nil {
		t.Fatalf("open database: %v", err)
	}
	defer conn.Close()
	for _, text := range append([]string{
		"DROP TRIGGER IF EXISTS entry_never_updated", "DROP TRIGGER IF EXISTS entry_never_deleted",
	}, statements...) {
		if err := sqlitex.ExecuteTransient(conn, text, nil); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

func TestLaw10TheServerSeesAtStart(t *testing.T) {
	const flip = "UPDATE entry SET bytes = CAST(substr(bytes, 1, 40) || x'ff' || substr(bytes, 42) AS BLOB) WHERE pos = "
	for _, c := range []struct {
		name string
		sql  []string
	}{
		{"a changed entry", []string{flip + "(SELECT max(pos) - 1 FROM entry)"}},
		{"a dropped entry", []string{"DELETE FROM entry WHERE pos = (SELECT max(pos) - 1 FROM entry)"}},
		{"a truncated ledger", []string{"DELETE FROM entry WHERE pos = (SELECT max(pos) FROM entry)"}},
		{"two entries swapped", []string{
			"UPDATE entry SET pos = -1 - pos WHERE pos >= (SELECT max(pos) - 1 FROM entry)",
			"UPDATE entry SET pos = CASE pos WHEN (SELECT min(pos) FROM entry) THEN -2 - pos ELSE -pos END WHERE pos < 0",
		}},
		{"another root", []string{"UPDATE head SET root = zeroblob(32)"}},
		{"a shorter ledger with its own head", nil}, // see below
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, cfg, _ := fill(t, 120)
			if c.sql == nil {
				old := t.TempDir()
				db := openStore(t, dir)
				if err := copyDatabase(old, dir); err != nil {
					t.Fatalf("copy: %v", err)
				}
				log := openLog(t, cfg(db))
				if _, err := log.Propose(t.Context(), purser.VendorID{}, disclose(actor(1), 1)); err != nil {
					t.Fatalf("propose: %v", err)
				}
				mustClose(t, log)
				_, signed, err := db.LatestCheckpoint(t.Context())
				if err != nil || db.Close() != nil {
					t.Fatalf("checkpoint: %v", err)
				}
				dir = old
				alter(t, dir, fmt.Sprintf("INSERT INTO checkpoint (size, note) VALUES (%d, x'%x')", log.Size(), signed))
			} else {
				alter(t, dir, dropCheck(c.sql)...)
			}
			if _, err := ledger.Open(t.Context(), cfg(openStore(t, dir))); !errors.Is(err, ledger.ErrCorrupt) {
				t.Fatalf("open: got %v, want ErrCorrupt", err)
			}
		})
	}
}

// dropCheck lets statements use negative positions on the way.
func dropCheck(statements []string) []string {
	return append([]string{"PRAGMA ignore_check_constraints = ON"}, statements...)
}

func TestASnapshotThatDoesNotHoldIsNotUsed(t *testing.T) {
	for _, c := range []struct {
		name string
		sql  string
	}{
		{"none is there", "DELETE FROM snapshot"},
		{"changed bytes", "UPDATE snapshot_part SET bytes = CAST(x'01' || substr(bytes, 2) AS BLOB)"},
		{"another digest", "UPDATE snapshot SET digest = zeroblob(32)"},
		{"a lost part", "DELETE FROM snapshot_part"},
		{"another frontier", "UPDATE snapshot SET frontier = zeroblob(length(frontier))"},
		{"of other rules", "UPDATE snapshot SET fold_version = 9"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, cfg, want := fill(t, 120)
			alter(t, dir, c.sql)
			done := purser.Pos(0)
			with := cfg(openStore(t, dir))
			with.Progress = func(_, total purser.Pos) { done = total }
			var told []error
			with.Trouble = func(err error) { told = append(told, err) }
			log := openLog(t, with)
			if done < 120 {
				t.Fatalf("replayed entries: got %d, want all", done)
			}
			if len(told) == 0 {
				t.Error("nobody was told")
			}
			mustBeOneStartAfter(t, log, want)
			mustClose(t, log)
		})
	}
}

func TestASnapshotSavesTheReplay(t *testing.T) {
	dir, cfg, want := fill(t, 120)
	done := purser.Pos(0)
	with := cfg(openStore(t, dir))
	with.Progress = func(_, total purser.Pos) { done = total }
	log := openLog(t, with)
	if done == 0 || done >= 100 {
		t.Fatalf("replayed entries: got %d, want only those since the snapshot", done)
	}
	mustBeOneStartAfter(t, log, want)
	mustClose(t, log)
}

// mustBeOneStartAfter compares all of the state but its order chain, which
// the start entry has moved.
func mustBeOneStartAfter(t *testing.T, log *ledger.Log[*tally], want []byte) {
	t.Helper()
	got := stateBytes(t, log)
	if !bytes.Equal(got[8+32:], want[8+32:]) || got[7] != want[7]+1 {
		t.Fatalf("state: got %x, want %x and one entry more", got, want)
	}
}

// Seen to fail: with Discard left out of writer.commit after a proposal was
// dropped, and with the tally's minute left out of Code, so that a restart
// from a snapshot counted refusals of an earlier minute.
func TestLaw02ReplayGivesTheSameState(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		clock, db := newClock(), openStore(t, t.TempDir())
		cfg := configOf(db, clock)
		cfg.SnapshotEvery = purser.Pos(rapid.IntRange(1, 30).Draw(rt, "snapshot every"))
		log := openLog(t, cfg)
		acts := rapid.SliceOfN(rapid.IntRange(0, 99), 1, 60).Draw(rt, "acts")
		for i, act := range acts {
			who := actor(byte(act % 4))
			var err error
			switch {
			case act < 60:
				_, err = log.Propose(t.Context(), who.Vendor, disclose(who, purser.Ordinal(act%5)))
			case act < 75:
				for range 25 {
					_, err = log.Propose(t.Context(), who.Vendor, func(*tally, purser.Stamp) purser.Entry {
						return &purser.Disclosure{Who: who, Reason: purser.NotClaimed}
					})
				}
			case act < 82:
				_, _ = log.ProposeRows(t.Context(), who.Vendor, disclose(who, 3), func(ledger.Tx, purser.Pos, purser.Entry) error {
					return errDevice
				})
			case act < 88:
				clock.pass(time.Duration(act) * time.Second)
			case act < 92:
				clock.set(time.Hour*time.Duration(act-90), 0)
			case act < 96:
				size := log.Size()
				release := hold(t, log)
				for range 3 {
					queue(t, log, who.Vendor, &purser.Finding{What: purser.FindingSecondClaim, Count: 1})
					_, _ = log.Propose(queuedOnly{t.Context()}, who.Vendor, func(s *tally, _ purser.Stamp) purser.Entry {
						s.top.counted += 1000
						panic("half done")
					})
				}
				release()
				_, err = log.Propose(t.Context(), who.Vendor, func(*tally, purser.Stamp) purser.Entry { return nil })
				if got := log.Size() - size; got < 3 {
					rt.Fatalf("act %d: %d entries were recorded beside panics, want 3 or more", i, got)
				}
			default:
				if err = log.Close(); err == nil {
					log = openLog(t, cfg)
				}
			}
			if err != nil {
				rt.Fatalf("act %d (%d): %v", i, act, err)
			}
		}
		mustClose(t, log)
		whole := newTally()
		for s, err := range db.Entries(t.Context(), 0, log.Size()) {
			if err != nil {
				rt.Fatalf("entries: %v", err)
			}
			h, e, err := purser.ParseEntry(s.Bytes)
			if err == nil {
				err = whole.Apply(h, e)
			}
			if err != nil {
				rt.Fatalf("entry %d: %v", s.Pos, err)
			}
		}
		whole.Commit()
		if got, want := stateBytes(t, log), whole.bytes(); !bytes.Equal(got, want) {
			rt.Fatalf("state after %v: got %x, replayed %x", acts, got, want)
		}
		if err := db.Close(); err != nil {
			rt.Fatalf("close store: %v", err)
		}
	})
}
