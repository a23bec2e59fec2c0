package server_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"purser"
	"purser/internal/deliver"
	"purser/internal/record"
	"purser/internal/server"
	"purser/internal/synth"
	"purser/internal/telephony"
	"purser/internal/workforce"
)

// airline is a served, labelled deployment with everything done through its
// doors: people by the local socket, passkeys and sessions by the API, contacts
// by signed events. Its clock stands still but for the ticks somebody waits
// for, and for heartbeats when it is moved.
type airline struct {
	t         testing.TB
	dir       string
	clock     *synth.Clock
	d         *server.Deployment
	s         *server.Server
	base      string
	mail      *synth.MailCatcher
	port      int // of the mail server in use
	logs      *syncBuffer
	errors    *syncBuffer // every answer that was no success
	local     http.Client
	customers []synth.Customer
	verifier  string
	began     time.Time
	still     func() // ends the goroutine that ticks

	vendors [2]purser.VendorID
	teams   [2]purser.TeamID
	phones  [2]*switchboard
	heard   sync.Map // source to the contact of its last event
}

// syncBuffer takes log lines of many goroutines.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) Bytes() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.b.Bytes())
}

var rp = workforce.RP{ID: "localhost", Name: "Purser", Origins: []string{"http://localhost"}}

// newAirline serves a scratch deployment with n customers and two vendors.
func newAirline(t testing.TB, n int) *airline {
	t.Helper()
	mail, err := synth.NewMailCatcher()
	must(t, err)
	t.Cleanup(func() { must(t, mail.Close()) })
	a := &airline{
		t: t, dir: filepath.Join(t.TempDir(), "d"), logs: new(syncBuffer), errors: new(syncBuffer), mail: mail, port: mail.Port(),
		clock: synth.NewClock(time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)),
	}
	made, err := server.Init(t.Context(), server.InitConfig{
		Data: a.dir, Host: "localhost", Clock: a.clock, Random: rand.Reader, Software: "test", Labelled: true,
		Passphrase: []byte("test passphrase"), WorkFactor: 10,
	})
	must(t, err)
	a.verifier, a.began = made.Verifier, a.clock.Now()
	a.serve()
	t.Cleanup(func() {
		if t.Failed() {
			all := a.logs.Bytes()
			t.Logf("end of the log:\n%s", all[max(0, len(all)-8<<10):])
		}
	})
	t.Cleanup(a.stop)
	a.still = a.tick()
	t.Cleanup(func() { a.still() })
	a.found(n)
	return a
}

// serve opens and serves the directory.
func (a *airline) serve() {
	a.t.Helper()
	var err error
	a.d, err = server.Open(a.t.Context(), server.Config{
		Data: a.dir, Passphrase: []byte("test passphrase"), Clock: machine{a.clock}, Random: rand.Reader, Software: "test",
		Labelled: true, Region: "AU", Company: "Example Air", RP: rp,
		Mail:   &deliver.MailConfig{Host: a.mail.Host(), Port: a.port, From: "codes@example.com", Security: deliver.PlainLoopback},
		Logger: slog.New(slog.NewJSONHandler(a.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	must(a.t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(a.t, err)
	a.s, err = server.Serve(a.t.Context(), a.d, l)
	must(a.t, err)
	a.base = "http://" + a.s.Address()
	socket := filepath.Join(a.dir, server.DoorName)
	a.local = http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}
}

func (a *airline) stop() {
	must(a.t, errors.Join(a.s.Shutdown(context.WithoutCancel(a.t.Context())), a.d.Close()))
}

// tick moves the clock to the next tick of whoever waits for one, and no
// further: everything else takes no time.
func (a *airline) tick() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			if n, first := a.clock.Sleeping(); n > 0 {
				if wait := first.Sub(a.clock.Now()); wait > 0 && wait <= 20*time.Millisecond {
					a.clock.Advance(wait)
					continue
				}
			}
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Microsecond): // real time: nothing else tells of a new sleeper
			}
		}
	}()
	return func() { cancel(); <-ended }
}

// pass moves the clock by d with the heartbeats of both switches.
func (a *airline) pass(d time.Duration) {
	a.t.Helper()
	for d > 0 {
		step := min(d, 4*time.Second)
		a.clock.Advance(step)
		for _, p := range a.phones {
			must(a.t, p.Emit(a.t.Context(), purser.EventHeartbeat, telephony.Data{}))
		}
		d -= step
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// door asks the local socket.
func (a *airline) door(path string, body, out any) error {
	text, err := json.Marshal(body)
	must(a.t, err)
	resp, err := a.local.Post("http://local"+path, "application/json", bytes.NewReader(text))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= 400 {
		_, _ = fmt.Fprintln(a.errors, path, resp.Status, string(answer))
		return fmt.Errorf("%s: %d %s", path, resp.StatusCode, answer)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}

type dict = map[string]any

func (a *airline) found(n int) {
	a.t.Helper()
	for i, name := range []string{"In-house", "Outsourced"} {
		var v struct{ Vendor purser.VendorID }
		must(a.t, a.door("/door/vendors", dict{"name": name}, &v))
		var team struct{ Team purser.TeamID }
		must(a.t, a.door("/door/teams", dict{"vendor": v.Vendor, "name": name + " floor"}, &team))
		a.vendors[i], a.teams[i] = v.Vendor, team.Team
		a.phones[i] = a.newSwitch(v.Vendor, "carrier")
		must(a.t, a.phones[i].Snapshot(a.t.Context(), nil))
	}
	if n == 0 {
		return
	}
	var file bytes.Buffer
	must(a.t, synth.WriteCSV(&file, 1, synth.Airline, n))
	_, err := a.d.Import(a.t.Context(), bytes.NewReader(file.Bytes()), record.ImportOptions{})
	must(a.t, err)
	for c := range synth.Customers(1, synth.Airline, n) {
		a.customers = append(a.customers, c)
	}
}

// switchboard is one source's client, which numbers calls too.
type switchboard struct {
	*telephony.Client
	id     purser.SourceID
	secret []byte
	calls  int
}

func (a *airline) newSwitch(v purser.VendorID, trust ...string) *switchboard {
	a.t.Helper()
	var made struct {
		Source purser.SourceID
		Secret string
	}
	must(a.t, a.door("/door/sources", dict{"name": "switch", "vendor": v, "trust": append([]string{}, trust...)}, &made))
	secret, err := base64.StdEncoding.DecodeString(made.Secret)
	must(a.t, err)
	return &switchboard{id: made.Source, secret: secret, Client: telephony.NewClient(made.Source, secret, 1, a.clock.Now, a.event)}
}

// errAnswer is an answer of the API that is no success.
type errAnswer struct {
	status int
	body   string
}

func (e *errAnswer) Error() string { return fmt.Sprintf("%d %s", e.status, e.body) }

// event sends one signed event over HTTP.
func (a *airline) event(ctx context.Context, r telephony.Request) error {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, a.base+"/v1/telephony/events", bytes.NewReader(r.Body))
	if err != nil {
		return err
	}
	q.Header.Set("Content-Type", "application/cloudevents+json")
	q.Header.Set(telephony.HeaderSource, r.Source.String())
	q.Header.Set(telephony.HeaderID, r.ID)
	q.Header.Set(telephony.HeaderTimestamp, r.Timestamp)
	q.Header.Set(telephony.HeaderSignature, r.Signature)
	got, err := a.send(q)
	if err != nil {
		return err
	}
	if got.status >= 300 {
		return errors.Join(telephony.ErrMalformed, &errAnswer{got.status, string(got.body)}) // final
	}
	var told struct{ Contact purser.ContactID }
	if err := json.Unmarshal(got.body, &told); err != nil {
		return err
	}
	a.heard.Store(r.Source, told.Contact)
	return nil
}

// contact is the contact that the source's last event was about.
func (a *airline) contact(p *switchboard) purser.ContactID {
	a.t.Helper()
	told, _ := a.heard.Load(p.id)
	c, _ := told.(purser.ContactID)
	if c.Zero() {
		a.t.Fatal("the answer to an event about a contact does not name it")
	}
	return c
}

// answer is everything that an asker can see.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a *airline) send(q *http.Request) (answer, error) {
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if resp.StatusCode >= 400 {
		_, _ = fmt.Fprintln(a.errors, q.Method, resp.Status, resp.Header, string(body))
	}
	return answer{resp.StatusCode, resp.Header, body}, err
}

// open posts to a route that needs no session.
func (a *airline) open(path string, body, out any) error {
	text, err := json.Marshal(body)
	must(a.t, err)
	q, err := http.NewRequestWithContext(a.t.Context(), http.MethodPost, a.base+path, bytes.NewReader(text))
	must(a.t, err)
	q.Header.Set("Content-Type", "application/json")
	got, err := a.send(q)
	if err != nil {
		return err
	}
	if got.status >= 300 {
		return &errAnswer{got.status, string(got.body)}
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(got.body, out)
}

// items are two things that customer i may say, one of them not printed on a
// boarding pass.
func (a *airline) items(i int) dict {
	c := a.customers[i]
	return dict{"items": []dict{
		{"kind": "loyalty_number", "said": c.LoyaltyNumber}, {"kind": "birth_date", "said": c.BirthDate},
	}}
}

// verify checks an exported folder as purser verify does.
func verify(t testing.TB, dir, key string) {
	t.Helper()
	if _, err := server.VerifyDir(t.Context(), dir, key, nil); err != nil {
		t.Fatalf("verify: %v", err)
	}
}
