package workforce

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"purser"
	"purser/internal/fold"
	"purser/internal/ledger"
)

// Session is who signed a request. It says what was true when the session
// opened; every act is decided against the fold again.
type Session struct {
	Who     purser.Actor
	Level   purser.Level
	Expires purser.Stamp
}

// live is a session whose requests this process can check.
type live struct {
	Session
	token [32]byte // hash
	key   RequestKey
	page  PageKey
	// earlier is set for a session that another process opened: which of its
	// counters came before the start is not known.
	earlier bool

	mu       sync.Mutex // guards what follows
	counters window
	forged   uint32    // wrong signatures since the last finding
	found    time.Time // when that was
	stepUp   [32]byte  // challenge of the step-up that is open; zero: none
}

// Authenticate checks a signed request and returns whose session it is.
//
// A token that names no live session or a signature that its key did not make
// is [ErrNoSession]; a request for another time or with a counter that was
// used is [ErrNotNow]. Wrong signatures on a live token are a finding, at most
// one a minute. Whether the session may still do anything is for the fold: the
// cache here only says that it was not ended in this process.
func (w *Workforce) Authenticate(ctx context.Context, s Signed) (Session, error) {
	l, err := w.lookUp(ctx, s.Token.hash())
	if err != nil {
		return Session{}, err
	}
	now := w.clock.Now()
	if purser.StampOf(now) >= l.Expires {
		w.forget(l.Who.Session)
		return Session{}, ErrNoSession
	}
	if !s.signedBy(l.key) {
		if err := w.forgery(ctx, l, now); err != nil {
			return Session{}, err
		}
		return Session{}, ErrNoSession
	}
	if !w.timely(s.Time, now, l.earlier) {
		return Session{}, ErrNotNow
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.counters.take(s.Counter) {
		return Session{}, ErrNotNow
	}
	return l.Session, nil
}

// timely reports whether a request signed for t may come now. What was signed
// before this process started, or could have been sent then by a page whose
// clock is ahead, may have been answered already.
func (w *Workforce) timely(t, now time.Time, earlier bool) bool {
	floor := w.start
	if earlier {
		floor = floor.Add(Ahead)
	}
	return !t.Before(now.Add(-Behind)) && !t.After(now.Add(Ahead)) && !t.Before(floor)
}

// forgery counts a wrong signature and records a finding once a minute.
func (w *Workforce) forgery(ctx context.Context, l *live, now time.Time) error {
	l.mu.Lock()
	l.forged++
	count, due := l.forged, l.found.IsZero() || now.Sub(l.found) >= time.Minute
	if due {
		l.forged, l.found = 0, now
	}
	l.mu.Unlock()
	if !due {
		return nil
	}
	_, err := w.log.Propose(ctx, l.Who.Vendor, func(*fold.State, purser.Stamp) purser.Entry {
		return &purser.Finding{What: purser.FindingSessionKey, Who: l.Who, Count: count}
	})
	if err != nil {
		return fmt.Errorf("record wrong signatures of %v: %w", l.Who.Session, err)
	}
	return nil
}

// lookUp finds a session by its token's hash, in the cache or, after a
// restart, in the store. Only one that is live in the fold enters the cache.
func (w *Workforce) lookUp(ctx context.Context, token [32]byte) (*live, error) {
	w.mu.Lock()
	l := w.sessions[w.tokens[token]]
	w.mu.Unlock()
	if l != nil {
		return l, nil
	}
	row, err := w.store.Session(ctx, token)
	if err != nil {
		if errors.Is(err, ErrNoSession) {
			return nil, ErrNoSession
		}
		return nil, fmt.Errorf("look up session: %w", err)
	}
	return w.revive(ctx, row)
}

// revive takes a stored session into the cache.
func (w *Workforce) revive(ctx context.Context, row SessionRow) (*live, error) {
	note, err := w.keys.OpenNote(noteSession, sessionData(row.Session, row.Person), row.Sealed)
	if err != nil {
		return nil, fmt.Errorf("session %v: %w", row.Session, err)
	}
	l := &live{token: row.Token, earlier: true}
	if len(note) != len(l.key)+len(l.page) {
		return nil, fmt.Errorf("session %v: %w", row.Session, errSealedForm)
	}
	copy(l.key[:], note)
	copy(l.page[:], note[len(l.key):])
	clear(note)
	why := purser.NoSession
	err = w.log.Look(ctx, func(s *fold.State, at purser.Stamp) error {
		var st fold.Session
		st, why = s.Standing().Live(row.Session, at)
		l.Session = Session{Who: st.Who, Level: st.Level, Expires: st.Expires}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("session %v: %w", row.Session, err)
	}
	if why != purser.Allowed {
		return nil, ErrNoSession
	}
	return w.keep(l), nil
}

// keep puts a session into the cache, ends the earlier desk session of the
// same person there, and returns what the cache holds.
func (w *Workforce) keep(l *live) *live {
	w.mu.Lock()
	defer w.mu.Unlock()
	if there := w.sessions[l.Who.Session]; there != nil {
		return there
	}
	if len(w.sessions) >= sweepSessions {
		w.sweep()
	}
	if l.Level == purser.LevelDesk {
		for id, other := range w.sessions {
			if other.Who.Person == l.Who.Person && other.Level == purser.LevelDesk {
				w.drop(id)
			}
		}
	}
	w.sessions[l.Who.Session] = l
	w.tokens[l.token] = l.Who.Session
	return l
}

// sweep drops sessions that have expired. Called with mu held.
func (w *Workforce) sweep() {
	now := w.now()
	for id, l := range w.sessions {
		if now >= l.Expires {
			w.drop(id)
		}
	}
}

// drop removes a session from the cache. Called with mu held.
func (w *Workforce) drop(id purser.SessionID) {
	if l := w.sessions[id]; l != nil {
		delete(w.tokens, l.token)
		delete(w.sessions, id)
	}
}

func (w *Workforce) forget(id purser.SessionID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drop(id)
}

// Forget drops what this process remembers of a person's sessions, once the
// ledger has ended them.
func (w *Workforce) Forget(person purser.PersonID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, l := range w.sessions {
		if l.Who.Person == person {
			w.drop(id)
		}
	}
}

// BeginStepUp asks for a fresh assertion inside a session, by any passkey of
// its person. A session has one step-up open: the newest.
func (w *Workforce) BeginStepUp(ctx context.Context, session purser.SessionID) (Begun, error) {
	l := w.cached(session)
	if l == nil {
		return Begun{}, ErrNoSession
	}
	c, nonce, err := w.begin(actStepUp, l.page)
	if err != nil {
		return Begun{}, err
	}
	c.session, c.person = session, l.Who.Person
	offered, err := w.offer(ctx, c.person)
	if err != nil {
		return Begun{}, err
	}
	l.mu.Lock()
	l.stepUp = c.challenge
	l.mu.Unlock()
	return w.assert(c, nonce, offered)
}

// closeStepUp reports whether c is the step-up that the session has open, which
// it then has no more. A session that is over has none, and what is said of
// that is for its entry.
func (w *Workforce) closeStepUp(c *ceremony) bool {
	l := w.cached(c.session)
	if l == nil {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stepUp != c.challenge {
		return false
	}
	l.stepUp = [32]byte{}
	return true
}

// FinishStepUp checks the assertion and records the step-up. The session must
// be the one that began it. A session that is over, or a passkey that is not
// the person's any more, is refused with an entry.
func (w *Workforce) FinishStepUp(ctx context.Context, session purser.SessionID, id CeremonyID, response []byte) error {
	c, err := w.ceremonies.open(id, actStepUp, w.since())
	if err != nil {
		return err
	}
	if c.session != session || !w.closeStepUp(c) {
		return ErrNotProved
	}
	proved, err := w.proved(ctx, c, response)
	if err != nil {
		return err
	}
	if proved.row.Person != c.person {
		return ErrNotProved
	}
	receipt, err := w.log.ProposeRows(ctx, w.vendorOf(ctx, c.person),
		func(s *fold.State, at purser.Stamp) purser.Entry {
			e := &purser.SessionSteppedUp{
				Who: purser.Actor{Session: session, Person: c.person}, Authenticator: proved.row.Authenticator,
			}
			e.Reason = stepUp(s.Standing(), e, proved.row, at)
			return e
		},
		func(tx ledger.Tx, _ purser.Pos, _ purser.Entry) error { return w.count(tx, proved) })
	if errors.Is(err, errCounted) {
		return w.wentBack(ctx, proved.row)
	}
	if err != nil {
		return fmt.Errorf("step up session %v: %w", session, err)
	}
	if refusal := receipt.Refusal(); refusal != nil {
		return refusal
	}
	return nil
}

// Logout ends the session at once.
func (w *Workforce) Logout(ctx context.Context, session purser.SessionID) error {
	return w.end(ctx, session, session, purser.EndLogout)
}

// LogoutEverywhere ends every session of the person whose session asks, its
// own the last.
func (w *Workforce) LogoutEverywhere(ctx context.Context, session purser.SessionID) error {
	open, err := w.Sessions(ctx, session)
	if err != nil {
		return err
	}
	for _, o := range open {
		if o.Session != session {
			if err := w.end(ctx, session, o.Session, purser.EndRevoked); err != nil {
				return err
			}
		}
	}
	return w.Logout(ctx, session)
}

// end records the end of a session of the same person. One that is over
// already needs no entry.
func (w *Workforce) end(ctx context.Context, by, session purser.SessionID, how purser.SessionEnd) error {
	_, err := w.log.ProposeRows(ctx, w.laneOf(by), func(s *fold.State, at purser.Stamp) purser.Entry {
		asker, why := s.Standing().Live(by, at)
		ended, over := s.Standing().Live(session, at)
		if why != purser.Allowed || over != purser.Allowed || ended.Who.Person != asker.Who.Person {
			return nil
		}
		return &purser.SessionEnded{Session: session, Why: how, By: asker.Who}
	}, func(tx ledger.Tx, _ purser.Pos, _ purser.Entry) error { return w.store.DropSession(tx, session) })
	if err != nil {
		return fmt.Errorf("end session %v: %w", session, err)
	}
	w.forget(session)
	return nil
}

// OwnSession is a live session as its own person sees it.
type OwnSession struct {
	Session purser.SessionID
	Level   purser.Level
	Opened  purser.Stamp
	Expires purser.Stamp
	Asking  bool // it is the one that asked
}

// Sessions lists the live sessions of the person whose session asks, the
// newest first.
func (w *Workforce) Sessions(ctx context.Context, session purser.SessionID) ([]OwnSession, error) {
	l := w.cached(session)
	if l == nil {
		return nil, ErrNoSession
	}
	rows, err := w.store.Sessions(ctx, l.Who.Person)
	if err != nil {
		return nil, fmt.Errorf("sessions of %v: %w", l.Who.Person, err)
	}
	var open []OwnSession
	err = w.log.Look(ctx, func(s *fold.State, at purser.Stamp) error {
		for _, r := range rows {
			if st, why := s.Standing().Live(r.Session, at); why == purser.Allowed {
				open = append(open, OwnSession{
					Session: r.Session, Level: st.Level, Opened: r.Opened, Expires: st.Expires,
					Asking: r.Session == session,
				})
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("sessions of %v: %w", l.Who.Person, err)
	}
	return open, nil
}

// cached returns a session whose requests this process checked.
func (w *Workforce) cached(session purser.SessionID) *live {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sessions[session]
}

// laneOf is the queue of the session's vendor.
func (w *Workforce) laneOf(session purser.SessionID) purser.VendorID {
	if l := w.cached(session); l != nil {
		return l.Who.Vendor
	}
	return purser.VendorID{}
}

// vendorOf is the queue of a person's vendor; none where that is not known.
func (w *Workforce) vendorOf(ctx context.Context, person purser.PersonID) purser.VendorID {
	row, err := w.store.Person(ctx, person)
	if err != nil {
		return purser.VendorID{}
	}
	return row.Vendor
}
