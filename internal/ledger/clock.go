package ledger

import (
	"time"

	"purser"
)

const (
	// mostStep is how far the wall clock may leave the monotonic one, either
	// way, before stamps stop following it.
	mostStep = purser.Minute
	// mostDowntime is how long a ledger may have stood still before security
	// has to accept the time.
	mostDowntime = purser.Day
)

// stamper turns clock readings into stamps. The writer changes it, while it
// holds Log.looking.
type stamper struct {
	last purser.Stamp // of the last committed entry
	// base is what the time was when the monotonic clock read mono.
	base purser.Stamp
	mono time.Duration
	// following is set while stamps follow the monotonic clock: after a step
	// of the wall clock, or a downtime that nobody accepted yet.
	following bool
}

// start sets the stamper on the last stamp of the ledger and returns the
// start entry's part about time. A clock that nobody has accepted yet is not
// accepted by starting again: whoever set it would only have to wait for that.
func (s *stamper) start(c Clock, last purser.Stamp, empty, accepted bool) *purser.Start {
	wall := purser.StampOf(c.Wall())
	e := &purser.Start{Wall: wall}
	*s = stamper{last: last, base: wall, mono: c.Mono()}
	if empty {
		return e
	}
	e.Downtime = wall - last
	if !accepted || e.Downtime > mostDowntime || e.Downtime < -mostStep {
		e.Held = true
		s.base, s.following = last, true
	}
	return e
}

// expected is what the wall clock would read had nobody set it.
func (s *stamper) expected(c Clock) purser.Stamp { return s.base.Add(c.Mono() - s.mono) }

// now returns the stamp of an entry that is decided now.
func (s *stamper) now(c Clock) purser.Stamp {
	expected := s.expected(c)
	if s.following {
		return max(s.last, expected)
	}
	wall := purser.StampOf(c.Wall())
	if stepped(wall, expected) {
		return max(s.last, expected)
	}
	return max(s.last, wall)
}

// step returns the entry that records a step of the wall clock, or nil.
func (s *stamper) step(c Clock) *purser.ClockStep {
	if s.following {
		return nil
	}
	wall, expected := purser.StampOf(c.Wall()), s.expected(c)
	if !stepped(wall, expected) {
		return nil
	}
	return &purser.ClockStep{Wall: wall, Mono: expected}
}

func stepped(wall, expected purser.Stamp) bool {
	return wall-expected > mostStep || expected-wall > mostStep
}

// accept follows the wall clock again. Where that is behind the last stamp,
// time goes on from that stamp instead: stamps never go back, and standing
// still would let no session or contact run out.
func (s *stamper) accept(c Clock) {
	wall := purser.StampOf(c.Wall())
	s.mono, s.base, s.following = c.Mono(), wall, false
	if s.last-wall > mostStep {
		s.base, s.following = s.last, true
	}
}
