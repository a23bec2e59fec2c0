package telephony_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"strconv"
	"sync"
	"testing"
	"time"

	"purser"
	"purser/internal/fold"
	"purser/internal/ledger"
	"purser/internal/store/sqlite"
	"purser/internal/telephony"
)

// clock moves when told.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) Wall() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }

func (c *clock) Mono() time.Duration { return c.Wall().Sub(morning) }

func (c *clock) Now() purser.Stamp { return purser.StampOf(c.Wall()) }

func (c *clock) step(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.at = c.at.Add(d) }

var morning = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// keys stands in for package seal, which telephony does not import: HMAC
// under a fixed key, and a secret that is masked in its row.
type keys struct{}

func (keys) Tag(class, normal string, _ purser.Stamp) (now, last purser.Tag, err error) {
	c := keys{}.Commit(class, []byte(normal))
	return purser.Tag(binary.BigEndian.Uint64(c[:])), 0, nil
}

func (keys) Commit(class string, parts ...[]byte) purser.Commitment {
	mac := hmac.New(sha256.New, []byte("test"))
	for _, p := range append([][]byte{[]byte(class)}, parts...) {
		mac.Write(binary.BigEndian.AppendUint32(nil, uint32(len(p))))
		mac.Write(p)
	}
	return purser.Commitment(mac.Sum(nil)[:16])
}

func (keys) Seal(id purser.SourceID, secret []byte) ([]byte, error) {
	sealed := bytes.Clone(secret)
	for i := range sealed {
		sealed[i] ^= 0x5a ^ id[0]
	}
	return sealed, nil
}

func (k keys) Open(id purser.SourceID, sealed []byte) ([]byte, error) { return k.Seal(id, sealed) }

// counting is the random source of the tests: bytes that count up.
type counting struct{ n byte }

func (c *counting) Read(p []byte) (int, error) {
	for i := range p {
		c.n++
		p[i] = c.n
	}
	return len(p), nil
}

// world is an intake over a real ledger in a real database, with one source.
type world struct {
	*testing.T
	clock  *clock
	db     *sqlite.DB
	log    *telephony.Log
	intake *telephony.Intake
	random io.Reader

	source purser.SourceID
	vendor purser.VendorID
	secret []byte
	salt   telephony.Salt
	client *telephony.Client
	sent   []telephony.Request // by client, delivered or not
	keyed  []purser.ContactID

	contact purser.ContactID // of the event that was received last
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, clock: &clock{at: morning}, random: &counting{}, vendor: purser.VendorID{7}}
	w.db = must(sqlite.Open(t.Context(), sqlite.Config{Dir: t.TempDir(), Create: true}))(t)
	w.log = must(ledger.Open(t.Context(), ledger.Config[*fold.State]{
		Store: w.db, New: fold.New, Clock: w.clock, Software: "test", FoldVersion: fold.Version,
	}))(t)
	t.Cleanup(func() {
		if err := w.log.Close(); err != nil {
			t.Errorf("close log: %v", err)
		}
		if err := w.db.Close(); err != nil {
			t.Errorf("close database: %v", err)
		}
	})
	w.intake = must(telephony.NewIntake(telephony.Config{
		Log: w.log, Sources: w.db, Vault: keys{}, Tagger: keys{}, Now: w.clock.Now, Region: "AU",
		Keyed: func(_ context.Context, c purser.ContactID) { w.keyed = append(w.keyed, c) },
	}))(t)
	w.register()
	return w
}

// register adds the source as an enacted change does.
func (w *world) register() {
	w.Helper()
	w.propose(&purser.VendorSet{Vendor: w.vendor, Status: purser.StatusActive})
	entry, row, secret, err := telephony.NewSource(w.random, keys{}, keys{}, purser.SourceSet{Vendor: w.vendor, Trust: purser.TrustCarrier}, "switch")
	if err != nil {
		w.Fatal(err)
	}
	w.put(entry, row)
	w.source, w.secret = entry.Source, secret
	w.salt = must(telephony.SaltOf(w.Context(), w.db, keys{}, w.source))(w.T)
	w.client = telephony.NewClient(w.source, secret, 1, w.clock.Wall, w.send)
}

func (w *world) put(e purser.Entry, row telephony.SourceRow) {
	w.Helper()
	_, err := w.log.ProposeRows(w.Context(), w.vendor,
		func(*fold.State, purser.Stamp) purser.Entry { return e },
		func(tx ledger.Tx, _ purser.Pos, _ purser.Entry) error { return w.db.PutSource(tx, row) })
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) propose(e purser.Entry) {
	w.Helper()
	must(w.log.Propose(w.Context(), w.vendor, func(*fold.State, purser.Stamp) purser.Entry { return e }))(w.T)
}

// send is the way from client to intake.
func (w *world) send(ctx context.Context, r telephony.Request) error {
	w.sent = append(w.sent, r)
	return w.receive(ctx, r)
}

func (w *world) receive(ctx context.Context, r telephony.Request) error {
	var err error
	w.contact, err = w.intake.Receive(ctx, r)
	return err
}

func (w *world) emit(e purser.Event, d telephony.Data) {
	w.Helper()
	if err := w.client.Emit(w.Context(), e, d); err != nil {
		w.Fatalf("emit event %d: %v", e, err)
	}
}

// look runs f with the state.
func (w *world) look(f func(*fold.State, purser.Stamp)) {
	w.Helper()
	err := w.log.Look(w.Context(), func(s *fold.State, at purser.Stamp) error { f(s, at); return nil })
	if err != nil {
		w.Fatal(err)
	}
}

// contacts returns the encoded state of sources and contacts.
func (w *world) contacts() []byte {
	w.Helper()
	c := purser.NewEncoder(nil)
	w.look(func(s *fold.State, _ purser.Stamp) { s.Contacts().Code(c) })
	return c.Bytes()
}

// findings returns the counts of the findings of a kind.
func (w *world) findings(what purser.FindingKind) []uint32 {
	w.Helper()
	var counts []uint32
	for stored, err := range w.db.Entries(w.Context(), 0, w.log.Size()) {
		if err != nil {
			w.Fatal(err)
		}
		_, e, err := purser.ParseEntry(stored.Bytes)
		if err != nil {
			w.Fatal(err)
		}
		if f, ok := e.(*purser.Finding); ok && f.What == what {
			counts = append(counts, f.Count)
		}
	}
	return counts
}

// signed signs any body as the source would.
func (w *world) signed(id string, body []byte) telephony.Request {
	timestamp := strconv.FormatInt(w.clock.Wall().Unix(), 10)
	return telephony.Request{
		Source: w.source, ID: id, Timestamp: timestamp, Body: body,
		Signature: telephony.Sign(w.secret, id, timestamp, body),
	}
}

func must[V any](v V, err error) func(*testing.T) V {
	return func(t *testing.T) V {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
