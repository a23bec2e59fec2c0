package seal_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"purser"
	"purser/internal/seal"
)

// memory is a ring whose writes can be made to fail.
type memory struct {
	sealed []byte
	broken error
	writes int
}

func (m *memory) Load() ([]byte, error) { return m.sealed, m.broken }

func (m *memory) Store(sealed []byte) error {
	if m.broken != nil {
		return m.broken
	}
	m.sealed, m.writes = sealed, m.writes+1
	return nil
}

func day(year int, month time.Month, day int) purser.Stamp {
	return purser.StampOf(time.Date(year, month, day, 12, 0, 0, 0, time.UTC))
}

func mustTag(t *testing.T, k *seal.Keys, at purser.Stamp) (now, last purser.Tag) {
	t.Helper()
	now, last, err := k.Tag("customer", "cus", at)
	if err != nil || now == 0 {
		t.Fatalf("tag at %v: got %d %v, want one", at.Time(), now, err)
	}
	return now, last
}

func TestTagsTurnWithTheMonth(t *testing.T) {
	k := newKeys(t)
	november, none := mustTag(t, k, day(2026, 11, 23))
	if none != 0 {
		t.Fatalf("last month's tag at the start: got %d, want 0", none)
	}
	if again, _ := mustTag(t, k, day(2026, 11, 30)); again != november {
		t.Fatalf("tag a week later: got %d, want %d", again, november)
	}
	december, last := mustTag(t, k, day(2026, 12, 1))
	if december == november || last != november {
		t.Fatalf("tags in December: got %d and %d, want another and %d", december, last, november)
	}
	if _, last := mustTag(t, k, day(2026, 12, 31)); last != november {
		t.Fatalf("last month's tag on 31 December: got %d, want %d", last, november)
	}
	if _, last := mustTag(t, k, day(2027, 1, 1)); last != december {
		t.Fatalf("last month's tag in January: got %d, want %d", last, december)
	}
	other, _, err := k.Tag("phone", "cus", day(2026, 12, 5))
	if err != nil || other == december {
		t.Fatalf("tag of another class: got %d %v, want another than %d", other, err, december)
	}
}

// Whatever the month, its key outlives the next month and not 62 days.
func TestAttemptKeysAreDestroyedAfter62Days(t *testing.T) {
	for m := time.January; m <= time.December; m++ {
		ring := new(memory)
		o := seal.Options{Path: filepath.Join(t.TempDir(), "keyset"), Deployment: "test", Ring: ring}
		k, err := seal.Create(o)
		if err != nil {
			t.Fatalf("create: %v", err)
		}
		first, _ := mustTag(t, k, day(2026, m, 1))
		endOfNext := day(2026, m+2, 0)
		if _, last := mustTag(t, k, endOfNext); last != first {
			t.Fatalf("month %v: at the end of the next one got %d, want %d", m, last, first)
		}
		if err := k.Retire(day(2026, m, 1+62)); err != nil {
			t.Fatalf("retire: %v", err)
		}
		if k, err = seal.Open(o); err != nil {
			t.Fatalf("open: %v", err)
		}
		// The ring is asked for the month again, as by a clock that was set back.
		if again, _ := mustTag(t, k, day(2026, m, 2)); again == first {
			t.Fatalf("month %v: its key was still there after 62 days", m)
		}
	}
}

// A clock that is set forward, and back, voids no count: only the ledger's time
// destroys keys. Seen to fail with Tag destroying old keys too.
func TestTagsOfASetClockDestroyNothing(t *testing.T) {
	k, err := seal.Create(seal.Options{Path: filepath.Join(t.TempDir(), "keyset"), Deployment: "test"})
	if err != nil {
		t.Fatalf("create: %v", err)
	}
	before, _ := mustTag(t, k, day(2026, 11, 1))
	mustTag(t, k, day(2031, 1, 1))
	if after, _ := mustTag(t, k, day(2026, 11, 2)); after != before {
		t.Fatalf("tag after the clock came back: got %d, want %d", after, before)
	}
}

func TestAttemptKeysSurviveARestart(t *testing.T) {
	o := seal.Options{Path: filepath.Join(t.TempDir(), "keyset"), Deployment: "test"}
	k, err := seal.Create(o)
	if err != nil {
		t.Fatalf("create: %v", err)
	}
	before, _ := mustTag(t, k, day(2026, 11, 1))
	if _, last := mustTag(t, k, day(2026, 12, 1)); last != before {
		t.Fatalf("last month's tag: got %d, want %d", last, before)
	}
	if k, err = seal.Open(o); err != nil {
		t.Fatalf("open: %v", err)
	}
	if after, _ := mustTag(t, k, day(2026, 11, 2)); after != before {
		t.Fatalf("tag after a restart: got %d, want %d", after, before)
	}
	info, err := os.Stat(filepath.Join(filepath.Dir(o.Path), seal.RingName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("ring file: got %v %v, want mode 0600", info.Mode(), err)
	}
}

func TestATagIsGivenOnlyOnceItsKeyIsKept(t *testing.T) {
	ring := new(memory)
	k, err := seal.Create(seal.Options{Path: filepath.Join(t.TempDir(), "keyset"), Deployment: "test", Ring: ring})
	if err != nil {
		t.Fatalf("create: %v", err)
	}
	ring.broken = errors.New("disk full")
	if now, last, err := k.Tag("customer", "cus", day(2026, 11, 1)); !errors.Is(err, ring.broken) || now != 0 || last != 0 {
		t.Fatalf("tag without a disk: got %d %d %v, want none", now, last, err)
	}
	ring.broken = nil
	mustTag(t, k, day(2026, 11, 1))
	mustTag(t, k, day(2026, 11, 2))
	if ring.writes != 1 {
		t.Fatalf("ring: written %d times for one month, want 1", ring.writes)
	}
	for year := range 40 {
		mustTag(t, k, day(2027+year, 1, 1)) // a clock gone wild fills no memory
	}
	if len(ring.sealed) > 1000 {
		t.Fatalf("ring: got %d bytes, want few", len(ring.sealed))
	}
}

func TestADamagedRingIsRefused(t *testing.T) {
	o := seal.Options{Path: filepath.Join(t.TempDir(), "keyset"), Deployment: "test"}
	k, err := seal.Create(o)
	if err != nil {
		t.Fatalf("create: %v", err)
	}
	mustTag(t, k, day(2026, 11, 1))
	ring := filepath.Join(filepath.Dir(o.Path), seal.RingName)
	b, err := os.ReadFile(ring)
	if err != nil {
		t.Fatalf("read ring: %v", err)
	}
	for name, bad := range map[string][]byte{
		"changed": append([]byte{b[0] ^ 1}, b[1:]...), "cut off": b[:len(b)-1], "empty": {}, "huge": make([]byte, 1<<20),
	} {
		if err := os.WriteFile(ring, bad, 0o600); err != nil {
			t.Fatalf("write ring: %v", err)
		}
		if _, err := seal.Open(o); !errors.Is(err, seal.ErrRing) {
			t.Errorf("%s: got %v, want ErrRing", name, err)
		}
	}
}
