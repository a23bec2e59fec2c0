package purser

import "time"

// Stamp is an entry's time in microseconds since the Unix epoch, UTC. The
// ledger writer assigns it as max(previous stamp, clock), so it never goes
// back. The fold knows no other time.
type Stamp int64

// Spans of stamps, in microseconds.
const (
	Microsecond Stamp = 1
	Millisecond       = 1000 * Microsecond
	Second            = 1000 * Millisecond
	Minute            = 60 * Second
	Hour              = 60 * Minute
	Day               = 24 * Hour
)

// StampOf converts a clock reading, cut to microseconds.
func StampOf(t time.Time) Stamp { return Stamp(t.UnixMicro()) }

// Time converts to a time in UTC.
func (s Stamp) Time() time.Time { return time.UnixMicro(int64(s)).UTC() }

// Add returns s moved by d, cut to microseconds.
func (s Stamp) Add(d time.Duration) Stamp { return s + Stamp(d.Microseconds()) }
