package workforce_test

import (
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"purser"
	"purser/internal/fold"
	"purser/internal/ledger"
	"purser/internal/seal"
	"purser/internal/store/sqlite"
	"purser/internal/synth"
	"purser/internal/workforce"
)

var (
	morning = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	party   = workforce.RP{ID: "purser.example", Name: "Purser", Origins: []string{"https://purser.example"}}
)

// world is a workforce over a real database, on a clock that moves when told.
type world struct {
	testing.TB
	clock *synth.Clock
	dir   string
	db    *sqlite.DB
	keys  *seal.Keys
	log   *ledger.Log[*fold.State]
	*workforce.Workforce

	vendor purser.VendorID
	team   purser.TeamID
}

// newWorld starts with the door labelled, one vendor and one team.
func newWorld(t testing.TB) *world {
	t.Helper()
	return newWorldWith(t, party)
}

func newWorldWith(t testing.TB, rp workforce.RP) *world {
	t.Helper()
	w := &world{TB: t, clock: synth.NewClock(morning), dir: t.TempDir()}
	w.keys = must(seal.Create(seal.Options{
		Path: filepath.Join(w.dir, seal.KeysetName), Deployment: "test",
	}))(t)
	w.open(rp)
	t.Cleanup(w.close)
	w.door(purser.Door{State: purser.DoorLabelled})
	w.vendor = must(w.AddVendor(t.Context(), "Skyline Care"))(t)
	w.team = must(w.AddTeam(t.Context(), w.vendor, "Mornings"))(t)
	return w
}

func (w *world) open(rp workforce.RP) {
	w.Helper()
	w.db = must(sqlite.Open(w.Context(), sqlite.Config{Dir: w.dir, Create: true}))(w)
	w.log = must(ledger.Open(w.Context(), ledger.Config[*fold.State]{
		Store: w.db, New: fold.New, Clock: w.clock, Software: "test", FoldVersion: fold.Version,
	}))(w)
	w.Workforce = must(workforce.New(workforce.Config{
		Log: w.log, Keys: w.keys, Store: w.db, RP: rp, Clock: w.clock, Random: rand.Reader,
	}))(w)
}

func (w *world) close() {
	if err := w.log.Close(); err != nil {
		w.Errorf("close log: %v", err)
	}
	if err := w.db.Close(); err != nil {
		w.Errorf("close database: %v", err)
	}
}

// restart closes the process and opens it again on the same directory.
func (w *world) restart() {
	w.Helper()
	w.close()
	w.open(party)
}

func must[V any](v V, err error) func(testing.TB) V {
	return func(t testing.TB) V {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (w *world) propose(e purser.Entry) {
	w.Helper()
	must(w.log.Propose(w.Context(), w.vendor, func(*fold.State, purser.Stamp) purser.Entry { return e }))(w)
}

func (w *world) door(d purser.Door) {
	w.Helper()
	w.propose(&d)
}

// hire adds a person with these roles to the team.
func (w *world) hire(roles purser.Role) purser.PersonID {
	w.Helper()
	return must(w.AddPerson(w.Context(), workforce.Hire{
		Name: "Robin Example", Vendor: w.vendor, Team: w.team, Roles: roles,
	}))(w)
}

// enrol gives a person a browser with a passkey.
func (w *world) enrol(p purser.PersonID) *synth.Browser {
	w.Helper()
	b := w.browser()
	begun := must(w.BeginEnrol(w.Context(), must(w.Invite(w.Context(), p))(w), b.PageKey()))(w)
	must(w.FinishEnrol(w.Context(), begun.Ceremony, must(b.Enrol(begun))(w)))(w)
	return b
}

func (w *world) browser() *synth.Browser {
	w.Helper()
	return must(synth.NewBrowser(party, w.clock))(w)
}

// login opens a session from the browser's page.
func (w *world) login(b *synth.Browser, level purser.Level) (*synth.Client, workforce.Opened) {
	w.Helper()
	begun := must(w.BeginLogin(w.Context(), workforce.Login{Page: b.PageKey(), Level: level}))(w)
	opened := must(w.FinishLogin(w.Context(), begun.Ceremony, must(b.Assert(begun))(w)))(w)
	return must(b.Open(opened.Token, opened.Session, opened.ServerKey, opened.Now))(w), opened
}

// agent hires, enrols and logs in an agent at the desk.
func (w *world) agent() (*synth.Browser, *synth.Client, workforce.Opened) {
	w.Helper()
	b := w.enrol(w.hire(purser.RoleAgent))
	c, opened := w.login(b, purser.LevelDesk)
	return b, c, opened
}

// signed is a request as the middleware would parse it.
func signed(t testing.TB, c *synth.Client, method, target, body string) workforce.Signed {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	c.Sign(r, []byte(body))
	return parsed(t, r, body)
}

func parsed(t testing.TB, r *http.Request, body string) workforce.Signed {
	t.Helper()
	s := must(workforce.ParseSigned(r.Header))(t)
	s.Method, s.BodyHash = r.Method, sha256.Sum256([]byte(body))
	s.Path, s.Query, _ = strings.Cut(r.RequestURI, "?")
	return s
}

// entries returns the recorded entries of a kind.
func entries[E purser.Entry](w *world) []E {
	w.Helper()
	var found []E
	for stored, err := range w.db.Entries(w.Context(), 0, w.log.Size()) {
		if err != nil {
			w.Fatalf("entries: %v", err)
		}
		_, e, err := purser.ParseEntry(stored.Bytes)
		if err != nil {
			w.Fatalf("entry %d: %v", stored.Pos, err)
		}
		if e, ok := e.(E); ok {
			found = append(found, e)
		}
	}
	return found
}
