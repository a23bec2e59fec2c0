package contact_test

import (
	"encoding/binary"

	"purser"
	"purser/internal/rule/contact"
)

// tester is what *testing.T and *rapid.T have in common.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// world drives a Book as the ledger's writer does: one entry, one position,
// stamps that never go back, events decided before they are recorded.
type world struct {
	tb   tester
	book contact.Book
	at   purser.Stamp
	pos  purser.Pos
	seq  uint64
}

var (
	source = purser.SourceID{1}
	vendor = purser.VendorID{1}
	call   = purser.ContactID{1}
)

const customer = purser.Ordinal(7)

func agent(n byte) purser.AgentKey { return purser.AgentKey{0xa, n} }

func person(n byte) purser.PersonID { return purser.PersonID{0xb, n} }

// actor is agent n's person in his session.
func actor(n, session byte) purser.Actor {
	return purser.Actor{Session: purser.SessionID{0xc, n, session}, Person: person(n), Vendor: vendor}
}

// newWorld has a source with agents 1 to 4 and a first, empty snapshot.
func newWorld(tb tester) *world {
	w := &world{tb: tb, at: 1000 * purser.Hour}
	w.apply(&purser.SourceSet{Source: source, Vendor: vendor, Trust: purser.TrustCarrier, Status: purser.StatusActive})
	for n := byte(1); n <= 4; n++ {
		w.apply(&purser.AgentMapped{Source: source, Agent: agent(n), Person: person(n)})
	}
	w.event(purser.ContactEvent{Event: purser.EventSnapshot})
	return w
}

func (w *world) apply(e purser.Entry) purser.Pos {
	w.tb.Helper()
	w.at++
	if err := w.book.Apply(purser.Header{Kind: e.Kind(), Pos: w.pos, Stamp: w.at}, e); err != nil {
		w.tb.Fatalf("apply %+v: %v", e, err)
	}
	w.pos++
	return w.pos - 1
}

// next numbers an event as its source would.
func (w *world) next(e purser.ContactEvent) purser.ContactEvent {
	e.Source, e.Seq = source, w.seq
	binary.BigEndian.PutUint64(e.Body[:], w.seq+1)
	w.seq++
	return e
}

// event sends the source's next event.
func (w *world) event(e purser.ContactEvent) {
	w.tb.Helper()
	w.deliver(w.next(e))
}

// deliver is what intake does with an authenticated event.
func (w *world) deliver(e purser.ContactEvent) (repeat bool, why purser.Reason) {
	w.tb.Helper()
	repeat, why = w.book.Event(&e, w.at)
	if !repeat && (why == purser.Allowed || why == purser.EventMismatch) {
		e.Reason = why
		w.apply(&e)
	}
	return repeat, why
}

// pass lets time pass with a heartbeat every four seconds.
func (w *world) pass(d purser.Stamp) {
	for end := w.at + d; w.at < end; {
		w.at = min(w.at+4*purser.Second, end)
		w.event(purser.ContactEvent{Event: purser.EventHeartbeat})
	}
}

// connect opens call with agent 1 and has his session claim it.
func (w *world) connect(tune ...func(*purser.ContactEvent)) purser.Actor {
	w.tb.Helper()
	e := purser.ContactEvent{
		Event: purser.EventOffered, Contact: call, Agent: agent(1),
		Caller: 99, Attested: purser.AttestCarrier,
	}
	for _, f := range tune {
		f(&e)
	}
	w.event(e)
	w.event(purser.ContactEvent{Event: purser.EventConnected, Contact: e.Contact, Agent: agent(1)})
	who := actor(1, 1)
	w.claim(e.Contact, who, purser.Allowed)
	return who
}

func (w *world) claim(c purser.ContactID, who purser.Actor, want purser.Reason) {
	w.tb.Helper()
	got := w.book.Claim(c, who, w.at)
	if got != want {
		w.tb.Fatalf("claim by %v: got reason %d, want %d", who.Session, got, want)
	}
	w.apply(&purser.Claim{Who: who, Contact: c, Reason: got})
}

// identify types what the caller says; found is whom the compare finds.
func (w *world) identify(c purser.ContactID, who purser.Actor, found purser.Ordinal) purser.Reason {
	w.tb.Helper()
	_, why := w.book.Verify(c, who.Session, w.at)
	pos := w.apply(&purser.Attempt{Who: who, Contact: c, Way: purser.WayMatch, Customer: found, Reason: why})
	if why != purser.Allowed {
		return why
	}
	assurance, why := w.book.Bind(contact.Binding{
		Contact: c, Session: who.Session, Attempt: pos, Way: purser.WayMatch, Customer: found,
	}, w.at)
	w.apply(&purser.AttemptResult{
		Who: who, Contact: c, Attempt: pos, Way: purser.WayMatch, Customer: found, Assurance: assurance, Reason: why,
	})
	return why
}

// send sends customer a code and returns what it commits to.
func (w *world) send(c purser.ContactID, who purser.Actor, to purser.Ordinal) (purser.Commitment, purser.Reason) {
	w.tb.Helper()
	_, why := w.book.Send(c, who.Session, w.at)
	digits := purser.Commitment{0xd, byte(w.pos)}
	w.apply(&purser.CodeSent{
		Who: who, Contact: c, Customer: to, Digits: digits, Expires: w.at + contact.CodeLife, Reason: why,
	})
	return digits, why
}

func (w *world) try(c purser.ContactID, way purser.Way, digits purser.Commitment) purser.Reason {
	w.tb.Helper()
	to, assurance, why := w.book.Try(c, way, digits, w.at)
	w.apply(&purser.CodeTried{Contact: c, Way: way, Customer: to, Assurance: assurance, Reason: why})
	return why
}

// held asks for a hold and compares the reason.
func (w *world) held(c purser.ContactID, who purser.Actor, want purser.Reason) contact.Hold {
	w.tb.Helper()
	h, got := w.book.Held(c, who.Session, w.at)
	if got != want {
		w.tb.Fatalf("held: got reason %d, want %d", got, want)
	}
	return h
}

func (w *world) encode() []byte {
	c := purser.NewEncoder(nil)
	w.book.Code(c)
	return c.Bytes()
}

func wantReason(tb tester, what string, got, want purser.Reason) {
	tb.Helper()
	if got != want {
		tb.Fatalf("%s: got reason %d, want %d", what, got, want)
	}
}

func wantBound(tb tester, h contact.Hold, who purser.Ordinal, a purser.Assurance) {
	tb.Helper()
	if h.Customer != who || h.Assurance != a {
		tb.Fatalf("got customer %d at A%d, want %d at A%d", h.Customer, h.Assurance, who, a)
	}
}
