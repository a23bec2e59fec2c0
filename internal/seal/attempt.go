package seal

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"purser"
)

// attemptKeyLife is how long after the start of its month an attempt key is
// kept: every month and its successor have at most 62 days together.
const attemptKeyLife = 62 * purser.Day

// maxAttemptKeys bounds the ring, also when a clock went wild.
const maxAttemptKeys = 12

const ringNote NoteKind = "attempt keys"

// ErrRing says that the stored attempt keys do not open.
var ErrRing = errors.New("attempt keys are damaged or of another keyset: put the file back, or remove it to start the counts of failures anew")

// month numbers the months of the UTC calendar since year 0.
type month uint32

func monthOf(at purser.Stamp) month {
	t := at.Time()
	return month(t.Year()*12 + int(t.Month()) - 1)
}

func (m month) start() purser.Stamp {
	return purser.StampOf(time.Date(int(m/12), time.Month(m%12+1), 1, 0, 0, 0, 0, time.UTC))
}

// Ring keeps the attempt keys, sealed. It is called by one goroutine at a time.
type Ring interface {
	// Load returns what was stored last, nil when nothing was.
	Load() ([]byte, error)
	// Store replaces it durably, all or nothing, and destroys what was there
	// before as far as the medium allows.
	Store(sealed []byte) error
}

// Tag returns the attempt tags of a normal form for the month of at and for
// the month before it. The latter is zero when that month had no attempts, or
// its key is gone. The first tag of a month draws the month's key and stores it
// before it is used; if that fails no tag is given. Tag destroys no key for its
// age: at is a clock's, and a clock that was set must not void counts.
func (k *Keys) Tag(class, normal string, at purser.Stamp) (now, last purser.Tag, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	m := monthOf(at)
	if err := k.turn(m, math.MinInt64); err != nil {
		return 0, 0, fmt.Errorf("prepare attempt key: %w", err)
	}
	now = tag(k.attempts[m], class, normal)
	if before, ok := k.attempts[m-1]; ok {
		last = tag(before, class, normal)
	}
	return now, last, nil
}

// Retire destroys attempt keys that are over 62 days old at a stamp of the
// ledger: what was destroyed on the word of a clock does not come back when
// that turns out to be wrong.
func (k *Keys) Retire(at purser.Stamp) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.turn(0, at); err != nil {
		return fmt.Errorf("destroy old attempt keys: %w", err)
	}
	return nil
}

// turn makes sure that the key of month m is there (0: of no month) and that
// those past their life are not.
func (k *Keys) turn(m month, at purser.Stamp) error {
	_, have := k.attempts[m]
	next := make(map[month]*[32]byte, len(k.attempts)+1)
	for n, key := range k.attempts {
		if n.start()+attemptKeyLife > at {
			next[n] = key
		}
	}
	if (have || m == 0) && len(next) == len(k.attempts) {
		return nil
	}
	if !have && m != 0 {
		next[m] = new([32]byte)
		if _, err := rand.Read(next[m][:]); err != nil {
			return fmt.Errorf("draw attempt key: %w", err)
		}
	}
	shrink(next, m)
	if err := k.storeRing(next); err != nil {
		return err
	}
	for n, key := range k.attempts {
		if next[n] == nil {
			clear(key[:])
		}
	}
	k.attempts = next
	return nil
}

// shrink drops the months furthest from m.
func shrink(keys map[month]*[32]byte, m month) {
	for len(keys) > maxAttemptKeys {
		furthest := m
		for n := range keys {
			if distance(n, m) > distance(furthest, m) || distance(n, m) == distance(furthest, m) && n < furthest {
				furthest = n
			}
		}
		delete(keys, furthest)
	}
}

func distance(a, b month) month { return max(a, b) - min(a, b) }

func tag(key *[32]byte, class, normal string) purser.Tag {
	mac := hmac.New(sha256.New, key[:])
	mac.Write(lengthPrefixed([]byte(class), []byte(normal)))
	var sum [sha256.Size]byte
	v := binary.BigEndian.Uint64(mac.Sum(sum[:0]))
	return purser.Tag(max(v, 1)) // zero means none
}

func (k *Keys) loadRing() error {
	k.attempts = make(map[month]*[32]byte)
	sealed, err := k.ring.Load()
	if err != nil {
		return fmt.Errorf("read attempt keys: %w", err)
	}
	if sealed == nil {
		return nil
	}
	b, err := k.OpenNote(ringNote, []byte(k.deployment), sealed)
	if err != nil {
		return ErrRing
	}
	defer clear(b)
	c := purser.NewDecoder(b)
	n := c.Count(0, 36)
	for range n {
		var m uint32
		key := new([32]byte)
		c.U32(&m)
		c.Fixed(key[:])
		k.attempts[month(m)] = key
	}
	if c.End() != nil || len(k.attempts) != n {
		return ErrRing
	}
	return nil
}

func (k *Keys) storeRing(keys map[month]*[32]byte) error {
	c := purser.NewEncoder(nil)
	c.Count(len(keys), 36)
	months := make([]month, 0, len(keys))
	for m := range keys {
		months = append(months, m)
	}
	slices.Sort(months)
	for _, m := range months {
		u := uint32(m)
		c.U32(&u)
		c.Fixed(keys[m][:])
	}
	defer clear(c.Bytes())
	sealed, err := k.SealNote(ringNote, []byte(k.deployment), c.Bytes())
	if err != nil {
		return err
	}
	if err := k.ring.Store(sealed); err != nil {
		return fmt.Errorf("store attempt keys: %w", err)
	}
	return nil
}
