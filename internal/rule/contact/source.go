package contact

import (
	"bytes"
	"slices"

	"purser"
)

// Source is a registered source as it stands.
type Source struct {
	ID     purser.SourceID
	Vendor purser.VendorID
	Trust  purser.SourceTrust
	Secret purser.Commitment // of the shared secret
	Status purser.Status
	// Locked is set once a sequence number came again with other bytes:
	// somebody else knows the secret. Only a SourceSet ends it.
	Locked bool
	Heard  purser.Stamp // of the last event; zero: never
	Next   uint64       // the sequence number whose turn it is
}

// Source returns a source, whatever its status.
func (b *Book) Source(id purser.SourceID) (Source, bool) {
	r, ok := b.sources.Get(id)
	if !ok {
		return Source{}, false
	}
	return r.public(id), true
}

// Sources returns every source, in ascending order of identifiers.
func (b *Book) Sources() []Source {
	out := make([]Source, 0, b.sources.Len())
	for id, r := range b.sources.All() {
		out = append(out, r.public(id))
	}
	slices.SortFunc(out, func(a, z Source) int { return bytes.Compare(a.ID[:], z.ID[:]) })
	return out
}

func (s *sourceRow) public(id purser.SourceID) Source {
	return Source{
		ID: id, Vendor: s.Vendor, Trust: s.Trust, Secret: s.Secret, Status: s.Status,
		Locked: s.Locked, Heard: s.Heard, Next: s.Next,
	}
}

// Stale reports whether nothing new may open in the source's contacts:
// it is unknown, suspended or locked; it was silent for over 15 s, a gap in
// its numbers stayed open for over 5 s, or either happened and no snapshot
// was completed since. A new source is stale until its first snapshot.
func (b *Book) Stale(id purser.SourceID, at purser.Stamp) bool {
	s, ok := b.sources.Get(id)
	return !ok || s.stale(at)
}

func (s *sourceRow) stale(at purser.Stamp) bool {
	return s.Status != purser.StatusActive || s.Locked || s.Due || s.late(at)
}

// late reports whether a gap or silence has lasted too long by at.
func (s *sourceRow) late(at purser.Stamp) bool {
	return over(s.Heard, Silence, at) || s.GapSince != 0 && over(s.GapSince, Reorder, at)
}

// PersonOf returns the person who works under the agent at the source.
func (b *Book) PersonOf(source purser.SourceID, agent purser.AgentKey) (purser.PersonID, bool) {
	if agent.Zero() {
		return purser.PersonID{}, false
	}
	return b.agents.Get(agentKey{source, agent})
}

func (b *Book) mapAgent(e *purser.AgentMapped) {
	k := agentKey{e.Source, e.Agent}
	if e.Person.Zero() {
		b.agents.Delete(k)
		return
	}
	b.agents.Put(k, e.Person)
}

// setSource registers or changes a source. A healthy source whose secret
// stays the same keeps its place in the sequence; a new secret, and a return
// from a lock or a suspension, make it start again from a snapshot.
func (b *Book) setSource(e *purser.SourceSet) {
	s, known := b.sources.Get(e.Source)
	fresh := !known || s.Secret != e.Secret
	again := fresh || s.Locked || s.Status != purser.StatusActive
	s.Vendor, s.Trust, s.Secret, s.Status, s.Locked = e.Vendor, e.Trust, e.Secret, e.Status, false
	if again {
		b.dropWaiting(e.Source)
		s.Synced, s.Due, s.GapSince, s.Part = false, true, 0, 0
	}
	if fresh {
		s.Next = 0
		for slot := range uint16(maxRepeats) {
			b.repeats.Delete(slotKey{e.Source, slot})
		}
	}
	b.sources.Put(e.Source, s)
}

// Event says what an authenticated event is, before it is recorded.
//
// A repeat (its number was recorded with the same bytes) is answered as
// before and not recorded again. EventMismatch means that the number was
// recorded with other bytes: record the event with that reason, and a
// finding; it locks the source. NoStanding (unknown or suspended source) and
// Locked are not recorded and change nothing. Numbers are remembered 1,024
// back; an older one, or one that a snapshot has passed over, cannot be
// compared: it is a repeat with SourceStale, refused without effect and no
// finding, since a late packet and a replay look the same. So is a number over
// MaxSequence.
func (b *Book) Event(e *purser.ContactEvent, _ purser.Stamp) (repeat bool, why purser.Reason) {
	s, ok := b.sources.Get(e.Source)
	switch {
	case !ok || s.Status != purser.StatusActive:
		return false, purser.NoStanding
	case s.Locked:
		return false, purser.Locked
	case e.Seq > MaxSequence:
		return true, purser.SourceStale
	}
	if was, ok := b.repeats.Get(slotKey{e.Source, uint16(e.Seq % maxRepeats)}); ok && was.Seq == e.Seq {
		if was.Body == e.Body {
			return true, purser.Allowed
		}
		return false, purser.EventMismatch
	}
	if e.Seq < s.Next {
		return true, purser.SourceStale
	}
	return false, purser.Allowed
}

// applyEvent puts an event in its place and applies all whose turn has come.
func (b *Book) applyEvent(e *purser.ContactEvent, at purser.Stamp) error {
	s, ok := b.sources.Get(e.Source)
	switch {
	case e.Reason == purser.EventMismatch && ok:
		s.Locked = true
		b.dropWaiting(e.Source)
		s.Synced, s.Due, s.GapSince, s.Part = false, true, 0, 0
		b.sources.Put(e.Source, s)
		return nil
	case e.Reason != purser.Allowed:
		return nil
	case !ok:
		return ErrImpossible
	}
	if repeat, why := b.Event(e, at); repeat || why != purser.Allowed {
		return nil // not what Event allowed; the entry stands, and that is all
	}
	b.repeats.Put(slotKey{e.Source, uint16(e.Seq % maxRepeats)}, repeatRow{e.Seq, e.Body})
	if s.Heard != 0 && over(s.Heard, StaleEnd, at) {
		b.lapse(e.Source, s.Heard+StaleEnd)
	}
	s.Due = s.Due || s.late(at)
	s.Heard = at
	if s.Synced && e.Seq == s.Next {
		b.turn(&s, e, at)
	} else {
		b.wait(&s, e, at)
	}
	b.drain(e.Source, &s, at)
	b.sources.Put(e.Source, s)
	return nil
}

// turn applies the event whose turn it is.
func (b *Book) turn(s *sourceRow, e *purser.ContactEvent, at purser.Stamp) {
	s.Next = e.Seq + 1
	switch e.Event {
	case purser.EventSnapshot:
		b.listed(s, e, at)
	case purser.EventHeartbeat:
		s.Part = 0
	case purser.EventOffered, purser.EventConnected, purser.EventHeld, purser.EventConsult,
		purser.EventConference, purser.EventTransferred, purser.EventHungUp, purser.EventClosed,
		purser.EventKeypad, purser.EventLeft:
		s.Part = 0
		b.move(s, e, at)
	}
}

// wait keeps an event that came before its turn. The newest of two that share
// a place wins; the source then needs a snapshot.
func (b *Book) wait(s *sourceRow, e *purser.ContactEvent, at purser.Stamp) {
	k := slotKey{e.Source, uint16(e.Seq % maxPending)}
	if _, taken := b.waiting.Get(k); taken {
		s.Due = true
	}
	b.waiting.Put(k, waitingRow{At: at, Event: *e})
	if s.GapSince == 0 {
		s.GapSince = at
	}
}

// drain applies what waits and whose turn has come, passes over a gap when the
// source is stale and a whole snapshot waits behind it, and works out since
// when the remaining gap is open.
func (b *Book) drain(id purser.SourceID, s *sourceRow, at purser.Stamp) {
	if s.GapSince == 0 {
		return
	}
	for {
		for {
			k := slotKey{id, uint16(s.Next % maxPending)}
			w, ok := b.waiting.Get(k)
			if !s.Synced || !ok || w.Event.Seq != s.Next {
				break
			}
			b.waiting.Delete(k)
			b.turn(s, &w.Event, at)
		}
		b.settle(id, s, at)
		if !s.stale(at) {
			return
		}
		first, ok := b.wholeSnapshot(id, s)
		if !ok {
			return
		}
		s.Next, s.Synced, s.Part = first, true, 0
	}
}

// settle drops waiting events that were passed over and dates the gap. A
// snapshot that was completed just now ends a gap that was open too long also
// where it came before it: what waited behind the gap is dropped, or one
// number far ahead would keep the source stale for ever.
func (b *Book) settle(id purser.SourceID, s *sourceRow, at purser.Stamp) {
	s.GapSince = 0
	for slot := range uint16(maxPending) {
		k := slotKey{id, slot}
		w, ok := b.waiting.Get(k)
		switch {
		case !ok:
		case s.Synced && w.Event.Seq < s.Next, !s.Due && over(w.At, Reorder, at):
			b.waiting.Delete(k)
		case s.GapSince == 0 || w.At < s.GapSince:
			s.GapSince = w.At
		}
	}
}

// wholeSnapshot returns the number of the first part of the latest snapshot
// that waits with all its parts: consecutive numbers, the first part without a
// contact, the others with one, and More on all but the last.
func (b *Book) wholeSnapshot(id purser.SourceID, s *sourceRow) (first uint64, ok bool) {
	for slot := range uint16(maxPending) {
		w, found := b.waiting.Get(slotKey{id, slot})
		if !found || !startsSnapshot(&w.Event) || w.Event.Seq < s.Next || ok && w.Event.Seq < first {
			continue
		}
		if b.endsWaiting(id, w.Event) {
			first, ok = w.Event.Seq, true
		}
	}
	return first, ok
}

// endsWaiting reports whether every further part of the snapshot waits too.
func (b *Book) endsWaiting(id purser.SourceID, e purser.ContactEvent) bool {
	for range maxPending {
		if !e.More {
			return true
		}
		seq := e.Seq + 1
		w, ok := b.waiting.Get(slotKey{id, uint16(seq % maxPending)})
		if !ok || w.Event.Seq != seq || w.Event.Event != purser.EventSnapshot || startsSnapshot(&w.Event) {
			return false
		}
		e = w.Event
	}
	return false
}

// startsSnapshot reports whether e is a first part: further parts name a
// contact, which no snapshot is about.
func startsSnapshot(e *purser.ContactEvent) bool {
	return e.Event == purser.EventSnapshot && e.Contact.Zero()
}

func (b *Book) dropWaiting(id purser.SourceID) {
	for slot := range uint16(maxPending) {
		b.waiting.Delete(slotKey{id, slot})
	}
}

// lapse ends the live contacts of a source that fell silent.
func (b *Book) lapse(source purser.SourceID, at purser.Stamp) {
	for _, id := range b.liveOf(source) {
		r, _ := b.contacts.Get(id)
		r.close(at)
		r.Lapsed = true
		b.contacts.Put(id, r)
		b.keyed.Delete(id)
	}
}

// lapseSilent is lapse for every source that has been silent too long.
func (b *Book) lapseSilent(at purser.Stamp) {
	var silent []purser.SourceID
	for id, s := range b.sources.All() {
		if s.Heard != 0 && over(s.Heard, StaleEnd, at) {
			silent = append(silent, id)
		}
	}
	for _, id := range silent {
		s, _ := b.sources.Get(id)
		b.lapse(id, s.Heard+StaleEnd)
	}
}

// lapsed reports whether the contact's source has been silent too long.
func (b *Book) lapsed(r *row, at purser.Stamp) bool {
	s, ok := b.sources.Get(r.Source)
	return !ok || over(s.Heard, StaleEnd, at)
}

func (b *Book) liveOf(source purser.SourceID) []purser.ContactID {
	var out []purser.ContactID
	for id, r := range b.contacts.All() {
		if r.Source == source && r.live() {
			out = append(out, id)
		}
	}
	return out
}
