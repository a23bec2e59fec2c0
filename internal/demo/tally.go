package demo

import (
	"fmt"
	"maps"
	"net/http"
	"sync"
	"time"

	"purser"
)

// mostNotes is how much of what happened is kept for the display.
const mostNotes = 6

// remark is one line of what happens.
type remark struct {
	at   time.Time
	text string
}

// counts are what the demo's people have seen so far, by their own account.
type counts struct {
	live, contacts, verified    int
	disclosures, fields         int
	codes, keyed, glass         int
	holds, consults, transfers  int
	refused                     map[string]int // honest ones, by reason in words
	notes, big                  []remark       // the latest, and all that matter
	victim                      *person
	session                     purser.SessionID // the stolen one
	stolenAt, lockedAt          time.Time
	lock                        purser.Pos
	asks, asksAfter, loot, seen int // of the thief: asks, those after the lock, fields and contacts got
	whys                        map[string]int
	paced                       int // of the thief: asks that came too fast
	othersBefore, othersSince   int // disclosures of others between theft and lock, and after
}

// tally keeps the counts. It is safe for concurrent use.
type tally struct {
	mu sync.Mutex
	counts
	reasons map[string]string // by reference, of the thief's refusals
}

func newTally() *tally {
	return &tally{counts: counts{refused: map[string]int{}, whys: map[string]int{}}, reasons: map[string]string{}}
}

func (t *tally) set(change func(*tally)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(t)
}

// look returns the counts as they stand.
func (t *tally) look() counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.counts
	c.refused, c.whys = maps.Clone(t.refused), maps.Clone(t.whys)
	c.notes, c.big = append([]remark{}, t.notes...), append([]remark{}, t.big...)
	return c
}

func (t *tally) note(at time.Time, format string, args ...any) {
	t.set(func(t *tally) {
		t.notes = append(t.notes, remark{at, fmt.Sprintf(format, args...)})
		if len(t.notes) > mostNotes {
			t.notes = t.notes[1:]
		}
	})
}

// mark is a note that also stands where no screen is.
func (t *tally) mark(at time.Time, format string, args ...any) {
	t.note(at, format, args...)
	t.set(func(t *tally) { t.big = append(t.big, remark{at, fmt.Sprintf(format, args...)}) })
}

func (t *tally) refuse(why string) { t.set(func(t *tally) { t.refused[why]++ }) }

// disclosed counts a disclosure: which fields, never what they hold.
func (t *tally) disclosed(at time.Time, who *person, assurance string, fields int, names string) {
	t.set(func(t *tally) {
		t.disclosures++
		t.fields += fields
		if t.lock != 0 {
			t.othersSince++
		} else if t.victim != nil {
			t.othersBefore++
		}
	})
	t.note(at, "%s, %s: caller verified to %s, shown %s", who.Name, who.Vendor.Short, assurance, names)
}

// stolen is whose session is stolen, once security has locked it.
func (t *tally) stolen() *person {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lock == 0 {
		return nil
	}
	return t.victim
}

func (t *tally) steal(at time.Time, victim *person, session purser.SessionID) {
	t.set(func(t *tally) { t.victim, t.session, t.stolenAt = victim, session, at })
	t.mark(at, "STOLEN: token and key of %s, who is at lunch", victim.Name)
}

func (t *tally) locked(at time.Time, entry purser.Pos, guard *person) {
	t.set(func(t *tally) { t.lock, t.lockedAt = entry, at })
	t.mark(at, "LOCKED: security (%s) stops that one session at entry %d", guard.Name, entry)
}

// known returns the reason behind a reference, asking for it once.
func (t *tally) known(reference string, ask func() string) string {
	t.mu.Lock()
	why, ok := t.reasons[reference]
	t.mu.Unlock()
	if ok {
		return why
	}
	why = ask()
	t.set(func(t *tally) { t.reasons[reference] = why })
	return why
}

// thieve counts one ask of the thief, how it was answered and what it gave him.
func (t *tally) thieve(status, fields, contacts int, why string) {
	t.set(func(t *tally) {
		t.asks++
		if status == http.StatusTooManyRequests {
			t.paced++
		}
		if t.lock != 0 {
			t.asksAfter++
		}
		t.loot += fields
		t.seen += contacts
		if why != "" {
			t.whys[why]++
		}
	})
}
