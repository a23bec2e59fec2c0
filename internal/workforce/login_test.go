package workforce_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"purser"
	"purser/internal/synth"
	"purser/internal/workforce"
)

func (w *world) beginLogin(b *synth.Browser) workforce.Begun {
	w.Helper()
	return must(w.BeginLogin(w.Context(), workforce.Login{Page: b.PageKey(), Level: purser.LevelDesk}))(w)
}

func mustNotProve(t testing.TB, err error) {
	t.Helper()
	if !errors.Is(err, workforce.ErrNotProved) {
		t.Fatalf("got %v, want ErrNotProved", err)
	}
}

func TestLoginIsBoundToThePage(t *testing.T) {
	w := newWorld(t)
	b := w.enrol(w.hire(purser.RoleAgent))
	thief := w.browser()

	t.Run("assertion for the victim's page in the thief's login", func(t *testing.T) {
		victims, thiefs := w.beginLogin(b), w.beginLogin(thief)
		response := must(b.Assert(victims))(t)
		_, err := w.FinishLogin(t.Context(), thiefs.Ceremony, response)
		mustNotProve(t, err)
	})
	t.Run("the page does not let its authenticator sign for another page", func(t *testing.T) {
		if _, err := b.Assert(w.beginLogin(thief)); !errors.Is(err, synth.ErrOtherChallenge) {
			t.Fatalf("got %v, want ErrOtherChallenge", err)
		}
	})
	t.Run("the session's key is for the page that began", func(t *testing.T) {
		begun := w.beginLogin(b)
		opened := must(w.FinishLogin(t.Context(), begun.Ceremony, must(b.Assert(begun))(t)))(t)
		other := must(thief.Open(opened.Token, opened.Session, opened.ServerKey, opened.Now))(t)
		if _, err := w.Authenticate(t.Context(), signed(t, other, "GET", "/", "")); !errors.Is(err, workforce.ErrNoSession) {
			t.Fatalf("thief with the token: got %v, want ErrNoSession", err)
		}
		own := must(b.Open(opened.Token, opened.Session, opened.ServerKey, opened.Now))(t)
		if _, err := w.Authenticate(t.Context(), signed(t, own, "GET", "/", "")); err != nil {
			t.Fatalf("own page: got %v, want none", err)
		}
	})
}

func TestLoginIsRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		try  func(t *testing.T, w *world, b *synth.Browser) error
	}{
		{"a response used twice", func(t *testing.T, w *world, b *synth.Browser) error {
			begun := w.beginLogin(b)
			response := must(b.Assert(begun))(t)
			must(w.FinishLogin(t.Context(), begun.Ceremony, response))(t)
			_, err := w.FinishLogin(t.Context(), begun.Ceremony, response)
			return err
		}},
		{"a login begun too long ago", func(t *testing.T, w *world, b *synth.Browser) error {
			begun := w.beginLogin(b)
			w.clock.Advance(5 * time.Minute)
			_, err := w.FinishLogin(t.Context(), begun.Ceremony, must(b.Assert(begun))(t))
			return err
		}},
		{"a login begun before a restart", func(t *testing.T, w *world, b *synth.Browser) error {
			begun := w.beginLogin(b)
			w.restart()
			_, err := w.FinishLogin(t.Context(), begun.Ceremony, must(b.Assert(begun))(t))
			return err
		}},
		{"an unknown ceremony", func(t *testing.T, w *world, b *synth.Browser) error {
			_, err := w.FinishLogin(t.Context(), workforce.CeremonyID{}, must(b.Assert(w.beginLogin(b)))(t))
			return err
		}},
		{"a passkey nobody knows", func(t *testing.T, w *world, b *synth.Browser) error {
			other := newWorld(t)
			stranger := other.enrol(other.hire(purser.RoleAgent))
			begun := w.beginLogin(stranger)
			_, err := w.FinishLogin(t.Context(), begun.Ceremony, must(stranger.Assert(begun))(t))
			return err
		}},
		{"another person's passkey", func(t *testing.T, w *world, b *synth.Browser) error {
			other := w.hire(purser.RoleAgent)
			begun := must(w.BeginLogin(t.Context(), workforce.Login{Page: b.PageKey(), Level: purser.LevelDesk, Person: other}))(t)
			bare := begun
			bare.Options = withoutOffer(t, begun.Options)
			_, err := w.FinishLogin(t.Context(), begun.Ceremony, must(b.Assert(bare))(t))
			return err
		}},
		{"nobody verified", func(t *testing.T, w *world, b *synth.Browser) error {
			b.WithoutVerification()
			begun := w.beginLogin(b)
			_, err := w.FinishLogin(t.Context(), begun.Ceremony, must(b.Assert(begun))(t))
			return err
		}},
		{"no JSON", func(t *testing.T, w *world, b *synth.Browser) error {
			_, err := w.FinishLogin(t.Context(), w.beginLogin(b).Ceremony, []byte(`{"id":`))
			return err
		}},
		{"the response of an enrolment", func(t *testing.T, w *world, b *synth.Browser) error {
			ticket := must(w.Invite(t.Context(), w.hire(purser.RoleAgent)))(t)
			begun := must(w.BeginEnrol(t.Context(), ticket, b.PageKey()))(t)
			_, err := w.FinishLogin(t.Context(), begun.Ceremony, must(b.Enrol(begun))(t))
			return err
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			mustNotProve(t, c.try(t, w, w.enrol(w.hire(purser.RoleAgent))))
		})
	}
}

func withoutOffer(t testing.TB, options json.RawMessage) json.RawMessage {
	t.Helper()
	var o map[string]map[string]json.RawMessage
	if err := json.Unmarshal(options, &o); err != nil {
		t.Fatal(err)
	}
	delete(o["publicKey"], "allowCredentials")
	return must(json.Marshal(o))(t)
}

func TestLoginByPerson(t *testing.T) {
	w := newWorld(t)
	person := w.hire(purser.RoleAgent)
	b := w.enrol(person)
	begun := must(w.BeginLogin(t.Context(), workforce.Login{Page: b.PageKey(), Level: purser.LevelDesk, Person: person}))(t)
	opened := must(w.FinishLogin(t.Context(), begun.Ceremony, must(b.Assert(begun))(t)))(t)
	if opened.Who.Person != person {
		t.Fatalf("session is of %v, want %v", opened.Who.Person, person)
	}
}

// offers returns the shape of what a login by person offers.
func offers(t testing.TB, w *world, person purser.PersonID) (count int, ids string) {
	t.Helper()
	begun := must(w.BeginLogin(t.Context(), workforce.Login{
		Page: w.browser().PageKey(), Level: purser.LevelDesk, Person: person,
	}))(t)
	var o struct {
		PublicKey struct {
			AllowCredentials []struct{ ID, Type string }
		}
	}
	if err := json.Unmarshal(begun.Options, &o); err != nil {
		t.Fatal(err)
	}
	for _, c := range o.PublicKey.AllowCredentials {
		if c.Type != "public-key" || c.ID == "" {
			t.Fatalf("offered %+v, want a passkey", c)
		}
		ids += c.ID + " "
	}
	return len(o.PublicKey.AllowCredentials), ids
}

func TestUnknownPersonsLookLikeAnyOther(t *testing.T) {
	w := newWorld(t)
	enrolled, bare := w.hire(purser.RoleAgent), w.hire(purser.RoleAgent)
	w.enrol(enrolled)
	for name, person := range map[string]purser.PersonID{
		"with a passkey": enrolled, "without one": bare, "unknown": {1, 2, 3},
	} {
		count, ids := offers(t, w, person)
		if count != workforce.MostAuthenticators {
			t.Errorf("%s: got %d passkeys offered, want %d", name, count, workforce.MostAuthenticators)
		}
		if _, again := offers(t, w, person); again != ids {
			t.Errorf("%s: another offer the second time", name)
		}
	}
}

func TestSignCountThatWentBack(t *testing.T) {
	w := newWorld(t)
	person := w.hire(purser.RoleAgent)
	b := w.enrol(person)
	_, opened := w.login(b, purser.LevelDesk)
	w.login(b, purser.LevelDesk)
	b.Rewind(1) // as a copy of the authenticator would stand
	begun := w.beginLogin(b)
	_, err := w.FinishLogin(t.Context(), begun.Ceremony, must(b.Assert(begun))(t))
	mustNotProve(t, err)
	_, opened = w.loginAt(b, 9)
	b.Rewind(8)
	stepUp := must(w.BeginStepUp(t.Context(), opened.Session))(t)
	mustNotProve(t, w.FinishStepUp(t.Context(), opened.Session, stepUp.Ceremony, must(b.Assert(stepUp))(t)))
	found := entries[*purser.Finding](w)
	if len(found) != 2 || found[0].What != purser.FindingSignCount || found[0].Who.Person != person {
		t.Fatalf("findings: got %+v, want two about the sign count of %v", found, person)
	}
}

func (w *world) loginAt(b *synth.Browser, count uint32) (*synth.Client, workforce.Opened) {
	w.Helper()
	b.Rewind(count)
	return w.login(b, purser.LevelDesk)
}

// TestTwoUsesOfOneCount: an authenticator and its copy finish at once with the
// same sign count. One of them is let in.
func TestTwoUsesOfOneCount(t *testing.T) {
	w := newWorld(t)
	b := w.enrol(w.hire(purser.RoleAgent))
	const copies = 4
	var ids [copies]workforce.CeremonyID
	var responses [copies][]byte
	for i := range copies {
		b.Rewind(7)
		begun := w.beginLogin(b)
		ids[i], responses[i] = begun.Ceremony, must(b.Assert(begun))(t)
	}
	var group sync.WaitGroup
	var errs [copies]error
	for i := range copies {
		group.Go(func() { _, errs[i] = w.FinishLogin(t.Context(), ids[i], responses[i]) })
	}
	group.Wait()
	in := 0
	for _, err := range errs {
		if err == nil {
			in++
			continue
		}
		mustNotProve(t, err)
	}
	if found := entries[*purser.Finding](w); in != 1 || len(found) != copies-1 {
		t.Fatalf("got %d let in and %d findings, want 1 and %d", in, len(found), copies-1)
	}
}

func TestStepUpIsForItsOwnSession(t *testing.T) {
	w := newWorld(t)
	b, _, opened := w.agent()
	_, _, other := w.agent()
	begun := must(w.BeginStepUp(t.Context(), opened.Session))(t)
	mustNotProve(t, w.FinishStepUp(t.Context(), other.Session, begun.Ceremony, must(b.Assert(begun))(t)))

	stranger := w.enrol(w.hire(purser.RoleAgent))
	begun = must(w.BeginStepUp(t.Context(), opened.Session))(t)
	begun.Options = withoutOffer(t, begun.Options)
	if _, err := stranger.Assert(begun); !errors.Is(err, synth.ErrOtherChallenge) {
		t.Fatalf("another page: got %v, want ErrOtherChallenge", err)
	}

	begun = must(w.BeginStepUp(t.Context(), opened.Session))(t)
	response := must(b.Assert(begun))(t)
	if err := w.Logout(t.Context(), opened.Session); err != nil {
		t.Fatal(err)
	}
	mustBeRefused(t, w.FinishStepUp(t.Context(), opened.Session, begun.Ceremony, response), purser.NoSession)
	if _, err := w.BeginStepUp(t.Context(), opened.Session); !errors.Is(err, workforce.ErrNoSession) {
		t.Fatalf("step-up of an ended session: got %v, want ErrNoSession", err)
	}
}

func TestSessionsExpire(t *testing.T) {
	w := newWorld(t)
	_, client, opened := w.agent()
	w.clock.Advance(12*time.Hour - time.Second)
	if _, err := w.Authenticate(t.Context(), signed(t, client, "GET", "/", "")); err != nil {
		t.Fatalf("before its end: %v", err)
	}
	w.clock.Advance(time.Second)
	if _, err := w.Authenticate(t.Context(), signed(t, client, "GET", "/", "")); !errors.Is(err, workforce.ErrNoSession) {
		t.Fatalf("at its end: got %v, want ErrNoSession", err)
	}
	if err := w.Logout(t.Context(), opened.Session); err != nil {
		t.Fatalf("log out of what is over: %v", err)
	}
}

func TestDeskIsForWhoTakesContacts(t *testing.T) {
	w := newWorld(t)
	b := w.enrol(w.hire(purser.RoleSecurity))
	begun := w.beginLogin(b)
	_, err := w.FinishLogin(t.Context(), begun.Ceremony, must(b.Assert(begun))(t))
	mustBeRefused(t, err, purser.NoRole)
	if opened := entries[*purser.SessionOpened](w); len(opened) != 1 || opened[0].Reason != purser.NoRole {
		t.Fatalf("entries: got %d, want the refusal", len(opened))
	}
}

// TestNobodyCanBlockLogins: whatever is begun by whoever takes nothing away
// from anybody else.
func TestNobodyCanBlockLogins(t *testing.T) {
	w := newWorld(t)
	b, _, opened := w.agent()
	mine := w.beginLogin(b)
	ask := workforce.Login{Page: w.browser().PageKey(), Level: purser.LevelDesk}
	for i := range 10_001 {
		if _, err := w.BeginLogin(t.Context(), ask); err != nil {
			t.Fatalf("login %d of a stranger: got %v, want none", i, err)
		}
	}
	w.stepUp(b, opened.Session)
	must(w.FinishLogin(t.Context(), mine.Ceremony, must(b.Assert(mine))(t)))(t)
	w.login(b, purser.LevelDesk)
}

func (w *world) stepUp(b *synth.Browser, session purser.SessionID) {
	w.Helper()
	begun := must(w.BeginStepUp(w.Context(), session))(w)
	if err := w.FinishStepUp(w.Context(), session, begun.Ceremony, must(b.Assert(begun))(w)); err != nil {
		w.Fatalf("step up: got %v, want none", err)
	}
}

func TestASessionHasOneStepUpOpen(t *testing.T) {
	w := newWorld(t)
	b, _, opened := w.agent()
	first := must(w.BeginStepUp(t.Context(), opened.Session))(t)
	second := must(w.BeginStepUp(t.Context(), opened.Session))(t)
	finish := func(begun workforce.Begun) error {
		return w.FinishStepUp(t.Context(), opened.Session, begun.Ceremony, must(b.Assert(begun))(t))
	}
	mustNotProve(t, finish(first))
	if err := finish(second); err != nil {
		t.Fatalf("the newest: got %v, want none", err)
	}
	mustNotProve(t, finish(second))
}

// TestRepeatedResponsesAreNoFinding: a page that sends its response twice is no
// sign of a copied passkey.
func TestRepeatedResponsesAreNoFinding(t *testing.T) {
	w := newWorld(t)
	b := w.enrol(w.hire(purser.RoleAgent))
	for _, age := range []time.Duration{0, 4*time.Minute + 59*time.Second} {
		begun := w.beginLogin(b)
		w.clock.Advance(age)
		response := must(b.Assert(begun))(t)
		must(w.FinishLogin(t.Context(), begun.Ceremony, response))(t)
		for range 3 {
			_, err := w.FinishLogin(t.Context(), begun.Ceremony, response)
			mustNotProve(t, err)
		}
	}
	if found := entries[*purser.Finding](w); len(found) != 0 {
		t.Fatalf("findings: got %d, want none", len(found))
	}
}

// TestCeremoniesCannotBeMade: of an id that was begun no bit can be changed,
// and so neither its person, its level, its page nor its end.
func TestCeremoniesCannotBeMade(t *testing.T) {
	w := newWorld(t)
	b := w.enrol(w.hire(purser.RoleAgent))
	begun := w.beginLogin(b)
	response := must(b.Assert(begun))(t)
	raw := must(base64.RawURLEncoding.DecodeString(begun.Ceremony.String()))(t)
	for i := range raw {
		raw[i] ^= 1
		var id workforce.CeremonyID
		if err := id.UnmarshalText([]byte(base64.RawURLEncoding.EncodeToString(raw))); err != nil {
			t.Fatal(err)
		}
		_, err := w.FinishLogin(t.Context(), id, response)
		mustNotProve(t, err)
		raw[i] ^= 1
	}
	must(w.FinishLogin(t.Context(), begun.Ceremony, response))(t)
}

// TestCeremoniesTellNothing: an id has one length, whoever was asked for.
func TestCeremoniesTellNothing(t *testing.T) {
	w := newWorld(t)
	enrolled := w.hire(purser.RoleAgent)
	w.enrol(enrolled)
	var sizes []int
	for _, person := range []purser.PersonID{enrolled, {1, 2, 3}, {}} {
		begun := must(w.BeginLogin(t.Context(), workforce.Login{
			Page: w.browser().PageKey(), Level: purser.LevelOffice, Person: person,
		}))(t)
		sizes = append(sizes, len(begun.Ceremony.String()))
	}
	if sizes[0] != sizes[1] || sizes[0] != sizes[2] {
		t.Fatalf("lengths: got %v, want one", sizes)
	}
}
