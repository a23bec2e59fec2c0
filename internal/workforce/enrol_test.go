package workforce_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"purser"
	"purser/internal/synth"
	"purser/internal/workforce"
)

func TestEnrolmentIsRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		try  func(t *testing.T, w *world, ticket workforce.Ticket, b *synth.Browser) error
	}{
		{"a ticket used twice", func(t *testing.T, w *world, ticket workforce.Ticket, b *synth.Browser) error {
			first := must(w.BeginEnrol(t.Context(), ticket, b.PageKey()))(t)
			second := must(w.BeginEnrol(t.Context(), ticket, b.PageKey()))(t)
			must(w.FinishEnrol(t.Context(), first.Ceremony, must(b.Enrol(first))(t)))(t)
			_, err := w.FinishEnrol(t.Context(), second.Ceremony, must(b.Enrol(second))(t))
			return err
		}},
		{"a ticket that was used", func(t *testing.T, w *world, ticket workforce.Ticket, b *synth.Browser) error {
			begun := must(w.BeginEnrol(t.Context(), ticket, b.PageKey()))(t)
			must(w.FinishEnrol(t.Context(), begun.Ceremony, must(b.Enrol(begun))(t)))(t)
			_, err := w.BeginEnrol(t.Context(), ticket, b.PageKey())
			return err
		}},
		{"a ticket too old", func(t *testing.T, w *world, ticket workforce.Ticket, b *synth.Browser) error {
			w.clock.Advance(10 * time.Minute)
			_, err := w.BeginEnrol(t.Context(), ticket, b.PageKey())
			return err
		}},
		{"a ticket nobody made", func(t *testing.T, w *world, ticket workforce.Ticket, b *synth.Browser) error {
			ticket[0]++
			_, err := w.BeginEnrol(t.Context(), ticket, b.PageKey())
			return err
		}},
		{"another page's passkey", func(t *testing.T, w *world, ticket workforce.Ticket, b *synth.Browser) error {
			thief := w.browser()
			own := must(w.BeginEnrol(t.Context(), ticket, b.PageKey()))(t)
			thiefs := must(w.BeginEnrol(t.Context(), ticket, thief.PageKey()))(t)
			_, err := w.FinishEnrol(t.Context(), thiefs.Ceremony, must(b.Enrol(own))(t))
			return err
		}},
		{"nobody verified", func(t *testing.T, w *world, ticket workforce.Ticket, b *synth.Browser) error {
			b.WithoutVerification()
			begun := must(w.BeginEnrol(t.Context(), ticket, b.PageKey()))(t)
			_, err := w.FinishEnrol(t.Context(), begun.Ceremony, must(b.Enrol(begun))(t))
			return err
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			mustNotProve(t, c.try(t, w, must(w.Invite(t.Context(), w.hire(purser.RoleAgent)))(t), w.browser()))
		})
	}
}

func TestDeviceBoundRefusesNamelessMakes(t *testing.T) {
	strict := party
	strict.DeviceBound = true
	for _, c := range []struct {
		name string
		rp   workforce.RP
		want error
	}{
		{"where a device-bound one is asked for", strict, workforce.ErrNotProved},
		{"elsewhere", party, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorldWith(t, c.rp)
			b := w.browser()
			b.WithoutMake()
			begun := must(w.BeginEnrol(t.Context(), must(w.Invite(t.Context(), w.hire(purser.RoleAgent)))(t), b.PageKey()))(t)
			if _, err := w.FinishEnrol(t.Context(), begun.Ceremony, must(b.Enrol(begun))(t)); !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestPasskeysAreFew(t *testing.T) {
	w := newWorld(t)
	person := w.hire(purser.RoleAgent)
	tickets := make([]workforce.Ticket, 0, workforce.MostAuthenticators+1)
	for range cap(tickets) {
		tickets = append(tickets, must(w.Invite(t.Context(), person))(t))
	}
	last := w.browser() // begun while there was room
	begun := must(w.BeginEnrol(t.Context(), tickets[0], last.PageKey()))(t)
	for _, ticket := range tickets[1:] {
		b := w.browser()
		begun := must(w.BeginEnrol(t.Context(), ticket, b.PageKey()))(t)
		must(w.FinishEnrol(t.Context(), begun.Ceremony, must(b.Enrol(begun))(t)))(t)
	}
	_, err := w.FinishEnrol(t.Context(), begun.Ceremony, must(last.Enrol(begun))(t))
	mustBeRefused(t, err, purser.CeilingExceeded)
	if _, err := w.BeginEnrol(t.Context(), must(w.Invite(t.Context(), person))(t), last.PageKey()); !errors.Is(err, workforce.ErrTooMany) {
		t.Fatalf("begin another: got %v, want ErrTooMany", err)
	}
}

func TestAPasskeyIsBoundOnce(t *testing.T) {
	w := newWorld(t)
	b := w.enrol(w.hire(purser.RoleAgent))
	thief := w.hire(purser.RoleAgent)
	begun := must(w.BeginEnrol(t.Context(), must(w.Invite(t.Context(), thief))(t), b.PageKey()))(t)
	_, err := w.FinishEnrol(t.Context(), begun.Ceremony, must(b.EnrolAgain(begun))(t))
	mustBeRefused(t, err, purser.NoStanding)
	if _, opened := w.login(b, purser.LevelDesk); opened.Who.Person == thief {
		t.Fatal("the passkey changed hands")
	}
}

// TestLaw07NoAuthenticatorAfterSeal: whatever is tried in whatever order, an
// authenticator comes into being only while the door is open or labelled at
// the position of its own entry.
//
// Seen to fail: with the check of the door taken out of enrolment and left in
// Invite alone, rapid shrank its first run to a ticket that was made before the
// door shut and used after: invite, expire, begin, finish.
func TestLaw07NoAuthenticatorAfterSeal(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := newWorld(t)
		door := purser.DoorLabelled
		var until time.Time
		open := func() bool {
			return door == purser.DoorLabelled || door == purser.DoorOpen && w.clock.Now().Before(until)
		}
		person := w.hire(purser.RoleAgent)
		bound := 0
		type begun struct {
			workforce.Begun
			page *synth.Browser
		}
		var tickets []workforce.Ticket
		var ceremonies []begun
		set := func(d purser.Door) {
			door, until = d.State, d.Until.Time()
			w.door(d)
		}
		r.Repeat(map[string]func(*rapid.T){
			"open": func(*rapid.T) {
				if door != purser.DoorSealed { // nothing opens a sealed door
					set(purser.Door{State: purser.DoorOpen, Until: purser.StampOf(w.clock.Now().Add(30 * time.Minute))})
				}
			},
			"seal":   func(*rapid.T) { set(purser.Door{State: purser.DoorSealed}) },
			"expire": func(*rapid.T) { set(purser.Door{State: purser.DoorExpired}) },
			"wait": func(r *rapid.T) {
				w.clock.Advance(time.Duration(rapid.IntRange(0, 20).Draw(r, "minutes")) * time.Minute)
			},
			"restart": func(*rapid.T) { w.restart(); ceremonies = nil },
			"invite": func(r *rapid.T) {
				ticket, err := w.Invite(t.Context(), person)
				if !open() {
					mustBeRefused(t, err, purser.DoorShut)
					return
				}
				tickets = append(tickets, must(ticket, err)(t))
			},
			"begin": func(r *rapid.T) {
				if len(tickets) == 0 {
					r.Skip("no ticket")
				}
				page := w.browser()
				b, err := w.BeginEnrol(t.Context(), tickets[rapid.IntRange(0, len(tickets)-1).Draw(r, "ticket")], page.PageKey())
				if err == nil {
					ceremonies = append(ceremonies, begun{b, page})
				}
			},
			"finish": func(r *rapid.T) {
				if len(ceremonies) == 0 {
					r.Skip("nothing begun")
				}
				c := ceremonies[rapid.IntRange(0, len(ceremonies)-1).Draw(r, "ceremony")]
				_, err := w.FinishEnrol(t.Context(), c.Ceremony, must(c.page.Enrol(c.Begun))(t))
				if err == nil {
					bound++
				}
				if err == nil && !open() {
					r.Fatalf("an authenticator was bound behind a shut door (state %d)", door)
				}
			},
			"": func(r *rapid.T) {
				allowed := 0
				for _, e := range entries[*purser.AuthenticatorSet](w) {
					if e.Reason == purser.Allowed {
						allowed++
					}
				}
				rows := must(w.db.Authenticators(t.Context(), person))(t)
				if allowed != bound || len(rows) != bound {
					r.Fatalf("authenticators: got %d entries and %d rows, want %d of each", allowed, len(rows), bound)
				}
			},
		})
	})
}
