package workforce_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"purser"
	"purser/internal/fold"
	"purser/internal/workforce"
)

func TestWholeWay(t *testing.T) {
	w := newWorld(t)
	person := w.hire(purser.RoleAgent)
	b := w.enrol(person)
	client, opened := w.login(b, purser.LevelDesk)
	if opened.Who.Person != person || opened.Who.Team != w.team || opened.Who.Vendor != w.vendor {
		t.Fatalf("session is of %v, want %v", opened.Who, person)
	}
	for range 3 {
		got, err := w.Authenticate(t.Context(), signed(t, client, "POST", "/v1/contacts?live=1", `{"a":1}`))
		if err != nil || got.Who != opened.Who || got.Level != purser.LevelDesk {
			t.Fatalf("signed request: got %v %v, want %v", got, err, opened.Who)
		}
	}
	w.clock.Advance(6 * time.Minute)
	if why := fresh(w, opened.Session); why != purser.NeedStepUp {
		t.Fatalf("after six minutes: got reason %d, want NeedStepUp", why)
	}
	begun := must(w.BeginStepUp(t.Context(), opened.Session))(t)
	if err := w.FinishStepUp(t.Context(), opened.Session, begun.Ceremony, must(b.Assert(begun))(t)); err != nil {
		t.Fatalf("step up: %v", err)
	}
	if why := fresh(w, opened.Session); why != purser.Allowed {
		t.Fatalf("after step-up: got reason %d, want none", why)
	}
	if err := w.Logout(t.Context(), opened.Session); err != nil {
		t.Fatalf("log out: %v", err)
	}
	if _, err := w.Authenticate(t.Context(), signed(t, client, "GET", "/v1/me", "")); !errors.Is(err, workforce.ErrNoSession) {
		t.Fatalf("after logout: got %v, want ErrNoSession", err)
	}
}

func fresh(w *world, session purser.SessionID) (why purser.Reason) {
	w.Helper()
	err := w.log.Look(w.Context(), func(s *fold.State, at purser.Stamp) error {
		_, why = s.Standing().Fresh(session, at)
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	return why
}

func TestStolenTokenWithoutKey(t *testing.T) {
	w := newWorld(t)
	_, client, _ := w.agent()
	thief := signed(t, client, "GET", "/v1/me", "").Sign(workforce.RequestKey{})
	for range 5 {
		thief.Counter++
		if _, err := w.Authenticate(t.Context(), thief.Sign(workforce.RequestKey{1})); !errors.Is(err, workforce.ErrNoSession) {
			t.Fatalf("token without key: got %v, want ErrNoSession", err)
		}
	}
	found := entries[*purser.Finding](w)
	if len(found) != 1 || found[0].What != purser.FindingSessionKey {
		t.Fatalf("findings within a minute: got %d, want 1", len(found))
	}
	w.clock.Advance(time.Minute)
	_, _ = w.Authenticate(t.Context(), thief.Sign(workforce.RequestKey{1}))
	if found := entries[*purser.Finding](w); len(found) != 2 || found[1].Count != 5 {
		t.Fatalf("findings after a minute: got %d, want a second that counts 5", len(found))
	}
	if _, err := w.Authenticate(t.Context(), signed(t, client, "GET", "/v1/me", "")); err != nil {
		t.Fatalf("the owner's request: got %v, want none", err)
	}
}

func TestRequestIsSignedForOnePlaceAndTime(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*workforce.Signed)
		after  time.Duration
		want   error
	}{
		{"as it was", func(*workforce.Signed) {}, 0, nil},
		{"a minute later", func(*workforce.Signed) {}, workforce.Behind, nil},
		{"more than a minute later", func(*workforce.Signed) {}, workforce.Behind + time.Millisecond, workforce.ErrNotNow},
		{"other method", func(s *workforce.Signed) { s.Method = "PUT" }, 0, workforce.ErrNoSession},
		{"other path", func(s *workforce.Signed) { s.Path = "/v1/other" }, 0, workforce.ErrNoSession},
		{"other query", func(s *workforce.Signed) { s.Query = "a=2" }, 0, workforce.ErrNoSession},
		{"other body", func(s *workforce.Signed) { s.BodyHash[0]++ }, 0, workforce.ErrNoSession},
		{"other time", func(s *workforce.Signed) { s.Time = s.Time.Add(time.Second) }, 0, workforce.ErrNoSession},
		{"other counter", func(s *workforce.Signed) { s.Counter++ }, 0, workforce.ErrNoSession},
		{"other token", func(s *workforce.Signed) { s.Token[0]++ }, 0, workforce.ErrNoSession},
		{"path moved into the query", func(s *workforce.Signed) { s.Path, s.Query = s.Path+"?"+s.Query, "" }, 0, workforce.ErrNoSession},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			_, client, _ := w.agent()
			s := signed(t, client, "POST", "/v1/contacts?a=1", "body")
			c.change(&s)
			w.clock.Advance(c.after)
			if _, err := w.Authenticate(t.Context(), s); !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestRequestAheadOfTheServer(t *testing.T) {
	w := newWorld(t)
	_, client, _ := w.agent()
	client.Correct(w.clock.Now().Add(workforce.Ahead))
	if _, err := w.Authenticate(t.Context(), signed(t, client, "GET", "/", "")); err != nil {
		t.Fatalf("a little ahead: got %v, want none", err)
	}
	client.Correct(w.clock.Now().Add(workforce.Ahead + time.Millisecond))
	if _, err := w.Authenticate(t.Context(), signed(t, client, "GET", "/", "")); !errors.Is(err, workforce.ErrNotNow) {
		t.Fatalf("further ahead: got %v, want ErrNotNow", err)
	}
}

func TestCounterIsAcceptedOnce(t *testing.T) {
	w := newWorld(t)
	_, client, _ := w.agent()
	var sent []workforce.Signed
	for range 70 {
		sent = append(sent, signed(t, client, "POST", "/v1/contacts", ""))
	}
	for _, step := range []struct {
		i    int
		want error
	}{
		{0, nil},
		{0, workforce.ErrNotNow},
		{64, nil},
		{1, nil}, // the oldest inside the window
		{0, workforce.ErrNotNow},
		{1, workforce.ErrNotNow},
		{63, nil},
		{65, nil},
		{2, nil},
		{69, nil},
		{4, workforce.ErrNotNow}, // 65 behind
		{6, nil},
		{69, workforce.ErrNotNow},
	} {
		if _, err := w.Authenticate(t.Context(), sent[step.i]); !errors.Is(err, step.want) {
			t.Fatalf("counter %d: got %v, want %v", step.i, err, step.want)
		}
	}
}

func TestRestartReplaysNothing(t *testing.T) {
	w := newWorld(t)
	_, client, _ := w.agent()
	answered := signed(t, client, "POST", "/v1/contacts", "")
	client.Correct(w.clock.Now().Add(workforce.Ahead))
	early := signed(t, client, "POST", "/v1/contacts", "") // from a page whose clock is ahead
	client.Correct(w.clock.Now())
	for _, s := range []workforce.Signed{answered, early} {
		if _, err := w.Authenticate(t.Context(), s); err != nil {
			t.Fatalf("before the restart: %v", err)
		}
	}
	w.clock.Advance(time.Second)
	w.restart()
	w.clock.Advance(workforce.Ahead)
	for name, s := range map[string]workforce.Signed{"answered": answered, "ahead": early} {
		if _, err := w.Authenticate(t.Context(), s); !errors.Is(err, workforce.ErrNotNow) {
			t.Errorf("%s request after the restart: got %v, want ErrNotNow", name, err)
		}
	}
	if _, err := w.Authenticate(t.Context(), signed(t, client, "POST", "/v1/contacts", "")); err != nil {
		t.Fatalf("new request of the old session: got %v, want none", err)
	}
}

func TestOneDeskSession(t *testing.T) {
	w := newWorld(t)
	b := w.enrol(w.hire(purser.RoleAgent | purser.RoleLead))
	office, _ := w.login(b, purser.LevelOffice)
	w.clock.Advance(time.Second)
	first, _ := w.login(b, purser.LevelDesk)
	second, opened := w.login(b, purser.LevelDesk)
	for _, c := range []struct {
		name   string
		client interface{ Token() workforce.Token }
		try    workforce.Signed
		want   error
	}{
		{"the earlier desk session", first, signed(t, first, "GET", "/", ""), workforce.ErrNoSession},
		{"the later one", second, signed(t, second, "GET", "/", ""), nil},
		{"the one in the office", office, signed(t, office, "GET", "/", ""), nil},
	} {
		if _, err := w.Authenticate(t.Context(), c.try); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
	own := must(w.Sessions(t.Context(), opened.Session))(t)
	if len(own) != 2 || !own[0].Asking || own[0].Level != purser.LevelDesk || own[1].Level != purser.LevelOffice {
		t.Fatalf("own sessions: got %+v, want desk and office", own)
	}
	if err := w.LogoutEverywhere(t.Context(), opened.Session); err != nil {
		t.Fatalf("log out everywhere: %v", err)
	}
	for _, c := range []workforce.Signed{signed(t, second, "GET", "/", ""), signed(t, office, "GET", "/", "")} {
		if _, err := w.Authenticate(t.Context(), c); !errors.Is(err, workforce.ErrNoSession) {
			t.Errorf("after logging out everywhere: got %v, want ErrNoSession", err)
		}
	}
}

func mustBeRefused(t testing.TB, err error, want purser.Reason) {
	t.Helper()
	var refusal *purser.Refusal
	switch {
	case want == purser.Allowed && err != nil:
		t.Fatalf("got %v, want none", err)
	case want != purser.Allowed && (!errors.As(err, &refusal) || refusal.Reason != want):
		t.Fatalf("got %v %+v, want a refusal for reason %d", err, refusal, want)
	}
}

func TestLocksKeepOut(t *testing.T) {
	for _, c := range []struct {
		name   string
		target func(w *world, p purser.PersonID) purser.Target
		degree purser.Degree
		level  purser.Level
		want   purser.Reason
	}{
		{"a lock on the person, desk", personTarget, purser.DegreeLock, purser.LevelDesk, purser.Locked},
		{"a lock on the person, office", personTarget, purser.DegreeLock, purser.LevelOffice, purser.Locked},
		{"a lock on all, desk", allTarget, purser.DegreeLock, purser.LevelDesk, purser.Locked},
		{"a lock on all, office", allTarget, purser.DegreeLock, purser.LevelOffice, purser.Allowed},
		{"a lock on somebody else", otherTarget, purser.DegreeLock, purser.LevelDesk, purser.Allowed},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			person := w.hire(purser.RoleLead)
			b := w.enrol(person)
			w.propose(&purser.LockPlaced{
				Lock: purser.LockID{1}, Target: c.target(w, person), Degree: c.degree, Paths: purser.PathAll,
			})
			begun := must(w.BeginLogin(t.Context(), workforce.Login{Page: b.PageKey(), Level: c.level}))(t)
			_, err := w.FinishLogin(t.Context(), begun.Ceremony, must(b.Assert(begun))(t))
			mustBeRefused(t, err, c.want)
		})
	}
}

func personTarget(_ *world, p purser.PersonID) purser.Target {
	return purser.Target{Kind: purser.TargetPerson, ID: p}
}

func allTarget(*world, purser.PersonID) purser.Target { return purser.Target{Kind: purser.TargetAll} }

func otherTarget(*world, purser.PersonID) purser.Target {
	return purser.Target{Kind: purser.TargetPerson, ID: purser.PersonID{7}}
}

func TestLaw06RowsHoldNoNameAndNoKey(t *testing.T) {
	w := newWorld(t)
	_, client, _ := w.agent()
	ticket := must(w.Invite(t.Context(), w.hire(purser.RoleLead)))(t)
	key, token := client.Key(), client.Token()
	secrets := map[string][]byte{
		"person's name": []byte("Robin"), "vendor's name": []byte("Skyline"), "team's name": []byte("Mornings"),
		"request key": key[:], "token": token[:], "ticket": ticket[:],
	}
	shown := 0
	for row, err := range w.Persons(t.Context()) {
		if err != nil || row.Name.Reveal() != "Robin Example" {
			t.Fatalf("person: got %v, want the name", err)
		}
		shown++
	}
	if shown != 2 {
		t.Fatalf("persons: got %d, want 2", shown)
	}
	files := must(filepath.Glob(filepath.Join(w.dir, "*")))(t)
	if len(files) < 3 {
		t.Fatalf("files: got %v, want the database and its log", files)
	}
	for _, file := range files {
		content := must(os.ReadFile(file))(t)
		for what, secret := range secrets {
			if bytes.Contains(content, secret) {
				t.Errorf("%s holds a %s in plain", filepath.Base(file), what)
			}
		}
	}
}

func TestNamesAreText(t *testing.T) {
	w := newWorld(t)
	for what, name := range map[string]string{
		"empty": "", "too long": string(bytes.Repeat([]byte("x"), 201)), "a control": "a\x00b",
		"right to left": "a\u202eb", "a line": "a\nb", "no UTF-8": "a\xffb",
	} {
		if _, err := w.AddVendor(t.Context(), name); !errors.Is(err, workforce.ErrName) || bytes.Contains([]byte(err.Error()), []byte(name+"!")) {
			t.Errorf("%s name: got %v, want ErrName", what, err)
		}
	}
}

func TestPeopleComeThroughTheDoor(t *testing.T) {
	w := newWorld(t)
	if _, err := w.AddTeam(t.Context(), purser.VendorID{1}, "Nobody's"); !errors.Is(err, workforce.ErrUnknown) {
		t.Errorf("team of no vendor: got %v, want ErrUnknown", err)
	}
	other := must(w.AddVendor(t.Context(), "Other"))(t)
	hire := workforce.Hire{Name: "Robin", Vendor: other, Team: w.team, Roles: purser.RoleAgent}
	if _, err := w.AddPerson(t.Context(), hire); !errors.Is(err, workforce.ErrUnknown) {
		t.Errorf("person in another vendor's team: got %v, want ErrUnknown", err)
	}
	w.door(purser.Door{State: purser.DoorSealed})
	_, err := w.AddVendor(t.Context(), "Late")
	mustBeRefused(t, err, purser.LoosensDirectly)
	_, err = w.AddPerson(t.Context(), workforce.Hire{Name: "Robin", Vendor: w.vendor})
	mustBeRefused(t, err, purser.LoosensDirectly)
}
