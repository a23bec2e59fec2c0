package server_test

import (
	"context"
	crand "crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"purser"
	"purser/internal/gate"
	"purser/internal/server"
	"purser/internal/synth"
	"purser/internal/telephony"
	"purser/internal/verification"
)

// doomedFile names the environment variable that turns this test binary into a
// process that works in a deployment until it is killed.
const doomedFile = "PURSER_TEST_DOOMED"

// lines returns how many calls an agent has at the same time: a few agents
// have so many that they come up against every ceiling.
func lines(agent int) int {
	if agent%6 == 0 {
		return 16
	}
	return 2
}

// TestMain lets tests start this binary again as a process that is killed.
func TestMain(m *testing.M) {
	if file := os.Getenv(doomedFile); file != "" {
		if err := doomed(file, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// orders is what a doomed process is told: a deployment and who works in it.
type orders struct {
	Dir     string
	Life    int
	Seed    uint64
	From    time.Time
	Sources [2]struct {
		ID     purser.SourceID
		Secret []byte
	}
	Agents    []order
	Security  gate.Asker
	Customers int
}

// order is one agent with a session.
type order struct {
	Asker  gate.Asker
	Person purser.PersonID
	Centre int
	Agent  string
}

// What a doomed process was told by the deployment, one line each. A line is
// written with one call, and is short enough that the kernel keeps it whole.
const (
	toldOpening = "opening"
	toldReady   = "ready"
	toldEvent   = "event"   // source, sequence number
	toldClaim   = "claim"   // contact, session
	toldBound   = "bound"   // contact, session
	toldShown   = "shown"   // position, contact, session, asked, shown
	toldEmpty   = "empty"   // position, session: nothing was shown, whether or not it was refused
	toldRefused = "refused" // position, session
	toldLocked  = "locked"  // position, lock, person
)

// doomed works until it is killed, and says on out what it was told.
func doomed(file string, out io.Writer) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	w := &worker{out: out}
	if err := json.Unmarshal(text, &w.orders); err != nil {
		return err
	}
	w.clock = synth.NewClock(w.From)
	w.tell(toldOpening)
	w.d, err = server.Open(context.Background(), server.Config{
		Data: w.Dir, Passphrase: []byte("test passphrase"), Clock: w.clock, Random: crand.Reader, Software: "test", Labelled: true,
		Region: "AU", Company: "Example Air", RP: rp, Logger: slog.New(slog.DiscardHandler), SnapshotEvery: 5000,
	})
	if err != nil {
		return err
	}
	return w.work()
}

// worker is a doomed process at work.
type worker struct {
	orders
	d         *server.Deployment
	clock     *synth.Clock
	customers []synth.Customer
	phones    [2]*line
	count     atomic.Int64
	beat      chan struct{}

	mu  sync.Mutex
	out io.Writer
}

// line is a source's client, which is used by one goroutine at a time.
type line struct {
	mu sync.Mutex
	*telephony.Client
	contact purser.ContactID // that its last event was about; guarded by mu
}

func (w *worker) tell(what string, more ...any) {
	text := fmt.Sprintln(append([]any{what}, more...)...)
	w.mu.Lock()
	_, err := io.WriteString(w.out, text)
	w.mu.Unlock()
	if err != nil {
		os.Exit(1) // the parent is gone
	}
	if w.count.Add(1)%50 == 0 {
		select {
		case w.beat <- struct{}{}:
		default:
		}
	}
}

// emit has a source send an event, and returns the contact that it is about.
func (w *worker) emit(centre int, e purser.Event, d telephony.Data) (purser.ContactID, error) {
	l := w.phones[centre]
	l.mu.Lock()
	seq := l.Next()
	err := l.Emit(context.Background(), e, d)
	contact := l.contact
	l.mu.Unlock()
	if err == nil {
		w.tell(toldEvent, w.Sources[centre].ID, seq)
	}
	return contact, err
}

func (w *worker) work() error {
	for c := range synth.Customers(1, synth.Airline, w.Customers) {
		w.customers = append(w.customers, c)
	}
	w.beat = make(chan struct{}, 1)
	for i, s := range w.Sources {
		first := uint64(w.From.UnixMicro())
		l := new(line)
		l.Client = telephony.NewClient(s.ID, s.Secret, first, w.clock.Now, func(ctx context.Context, r telephony.Request) (err error) {
			l.contact, err = w.d.Intake.Receive(ctx, r)
			return err
		})
		w.phones[i] = l
		if err := w.phones[i].Snapshot(context.Background(), nil); err != nil {
			return fmt.Errorf("first snapshot: %w", err)
		}
	}
	w.tell(toldReady)
	ended := make(chan error)
	go func() { ended <- w.conduct() }()
	for i := range w.Agents {
		for n := range lines(i) {
			draw := drawing(w.Seed, w.Life, i+1, n)
			go func() { ended <- w.desk(i, n, draw) }()
		}
	}
	return <-ended // nobody ends but by a fault
}

// conduct lets time pass with the work done, keeps the sources alive, and has
// security stop somebody for a while now and then.
func (w *worker) conduct() error {
	draw := drawing(w.Seed, w.Life, 0, 0)
	for turn := 0; ; turn++ {
		<-w.beat
		w.clock.Advance(time.Second + time.Duration(draw.IntN(2000))*time.Millisecond)
		if turn%2 == 0 {
			if err := w.lock(draw); err != nil {
				return fmt.Errorf("lock: %w", err)
			}
		}
		use := purser.KeyUse(1 + turn%2)
		if err := w.exchange(use, draw.IntN(4) == 0); err != nil {
			return fmt.Errorf("exchange keys: %w", err)
		}
		for i := range w.phones {
			if _, err := w.emit(i, purser.EventHeartbeat, telephony.Data{}); err != nil {
				return fmt.Errorf("heartbeat: %w", err)
			}
		}
	}
}

func (w *worker) lock(draw *rand.Rand) error {
	person := w.Agents[draw.IntN(len(w.Agents))].Person
	ask := gate.LockAsk{
		Asker: w.Security, Target: purser.Target{Kind: purser.TargetPerson, ID: person},
		Degree: purser.DegreeLock, Paths: purser.PathAll,
		Expires: purser.StampOf(w.clock.Now().Add(10 * time.Second)),
	}
	for i := range ask.Lock {
		ask.Lock[i] = byte(draw.Uint32())
	}
	pos, err := w.d.Gate.PlaceLock(context.Background(), ask)
	if err != nil {
		return w.refused(w.Security.Session, err)
	}
	w.tell(toldLocked, uint64(pos), ask.Lock, person)
	return nil
}

// refused tells of a refusal and returns what is none.
func (w *worker) refused(session purser.SessionID, err error) error {
	var refusal *purser.Refusal
	if !errors.As(err, &refusal) {
		return err
	}
	w.tell(toldRefused, uint64(refusal.At), session)
	return nil
}

// desk answers one call after the other.
func (w *worker) desk(i, n int, draw *rand.Rand) error {
	for call := 0; ; call++ {
		if err := w.answer(w.Agents[i], fmt.Sprintf("call %d.%d.%d.%d", w.Life, i, n, call), draw); err != nil {
			return fmt.Errorf("agent %d, line %d, call %d: %w", i, n, call, err)
		}
	}
}

func (w *worker) answer(who order, call string, draw *rand.Rand) error {
	customer := w.customers[draw.IntN(len(w.customers))]
	begins := telephony.Data{Call: call, Agent: who.Agent}
	if draw.IntN(3) > 0 {
		begins.Caller, begins.Attestation = customer.Phone, "carrier"
	}
	contact, err := w.emit(who.Centre, purser.EventOffered, begins)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if _, err := w.emit(who.Centre, purser.EventConnected, begins); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if err := w.serve(who, contact, customer, draw); err != nil {
		return err
	}
	over := telephony.Data{Call: call}
	if _, err := w.emit(who.Centre, purser.EventHungUp, over); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	_, err = w.emit(who.Centre, purser.EventClosed, over)
	return err
}

// serve claims a contact, identifies its caller and shows fields, as far as
// that is allowed.
func (w *worker) serve(who order, contact purser.ContactID, customer synth.Customer, draw *rand.Rand) error {
	ctx := context.Background()
	err := w.d.Verification.Claim(ctx, who.Asker, contact)
	if err != nil {
		return w.refused(who.Asker.Session, err)
	}
	w.tell(toldClaim, contact, who.Asker.Session)
	said := []verification.Said{
		{Item: "loyalty_number", Text: customer.LoyaltyNumber}, {Item: "birth_date", Text: customer.BirthDate},
	}
	if draw.IntN(20) == 0 {
		said[1].Text = "1901-02-03"
	}
	if _, err := w.d.Verification.Identify(ctx, who.Asker, contact, said); err != nil {
		var refusal *purser.Refusal
		if errors.As(err, &refusal) && refusal.Reason == purser.Unknown && customer.LoyaltyNumber != "" {
			return errors.New("a customer is not found by his loyalty number")
		}
		return w.refused(who.Asker.Session, err)
	}
	w.tell(toldBound, contact, who.Asker.Session)
	for range 1 + draw.IntN(40) {
		ask := gate.Ask{Asker: who.Asker, Contact: contact, Path: purser.PathDesk, Fields: purser.FieldMask(1 + draw.Uint32N(0xffff))}
		if draw.IntN(30) == 0 {
			ask.Asker = w.Agents[draw.IntN(len(w.Agents))].Asker // somebody else's session, mostly
		}
		got, err := w.d.Gate.Disclose(ctx, ask)
		if err != nil {
			return w.refused(ask.Session, err)
		}
		if got.Shown == 0 {
			w.tell(toldEmpty, uint64(got.Pos), ask.Session)
			continue
		}
		w.tell(toldShown, uint64(got.Pos), contact, ask.Session, uint32(ask.Fields), uint32(got.Shown))
	}
	return nil
}

// drawing returns the chance of one goroutine of one life.
func drawing(seed uint64, life, who, line int) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(life)<<32|uint64(who)<<8|uint64(line)))
}
