package purser_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"purser"
)

var update = flag.Bool("update", false, "write the golden files anew")

// lastOf is the highest value that each narrow enumeration may have in an entry.
var lastOf = map[reflect.Type]uint64{
	reflect.TypeFor[purser.SourceTrust](): uint64(purser.TrustCarrier | purser.TrustTrunk),
	reflect.TypeFor[purser.Status]():      uint64(purser.StatusGone),
	reflect.TypeFor[purser.Event]():       uint64(purser.EventLeft),
	reflect.TypeFor[purser.Attestation](): uint64(purser.AttestTrunk),
	reflect.TypeFor[purser.Way]():         uint64(purser.WayBreakGlass),
	reflect.TypeFor[purser.Assurance]():   uint64(purser.A3),
	reflect.TypeFor[purser.Emergency]():   uint64(purser.EmergencyNoOtherWay),
	reflect.TypeFor[purser.Level]():       uint64(purser.LevelDesk),
	reflect.TypeFor[purser.SessionEnd]():  uint64(purser.EndRevoked),
	reflect.TypeFor[purser.TargetKind]():  uint64(purser.TargetSource),
	reflect.TypeFor[purser.Degree]():      uint64(purser.DegreeLock),
	reflect.TypeFor[purser.LockCause]():   uint64(purser.CauseCleared),
	reflect.TypeFor[purser.Vote]():        uint64(purser.VoteVeto),
	reflect.TypeFor[purser.DoorState]():   uint64(purser.DoorLabelled),
	reflect.TypeFor[purser.ConfigKind]():  uint64(purser.ConfigBudget),
	reflect.TypeFor[purser.BudgetKind]():  uint64(purser.BudgetAfterHangUp),
	reflect.TypeFor[purser.FindingKind](): uint64(purser.FindingResultMissing),
	reflect.TypeFor[purser.Role]():        0xff,
	reflect.TypeFor[purser.EraseCause]():  uint64(purser.EraseOrder),
	reflect.TypeFor[purser.KeyUse]():      uint64(purser.KeyIndex),
	reflect.TypeFor[purser.KeyStep]():     uint64(purser.KeyDestroyed),
	reflect.TypeFor[purser.MandateKind](): uint64(purser.MandateLegalOrder),
	reflect.TypeFor[purser.Delivery]():    uint64(purser.DeliverMatch),
	reflect.TypeFor[purser.CaseState]():   uint64(purser.CaseSolved),
}

// fill sets every part of v from draw, which returns a number below its argument.
func fill(v reflect.Value, draw func(uint64) uint64) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), draw)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), draw)
		}
	case reflect.Slice:
		n := int(draw(4))
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(v.Index(i), draw)
		}
		if ordinals, ok := v.Interface().([]purser.Ordinal); ok {
			ascending(ordinals)
		}
	case reflect.String:
		v.SetString(strings.Repeat("é", int(draw(5))))
	case reflect.Bool:
		v.SetBool(draw(2) == 1)
	case reflect.Int64:
		v.SetInt(int64(draw(1<<63)) - int64(draw(2))<<62)
	default:
		if last, narrow := lastOf[v.Type()]; narrow {
			v.SetUint(draw(last + 1))
			return
		}
		bits := v.Type().Bits()
		v.SetUint(draw(1<<(bits-1)) << draw(2))
	}
}

// ascending makes a list of customers one that an entry can hold.
func ascending(ordinals []purser.Ordinal) {
	for i := range ordinals {
		ordinals[i] = ordinals[i]>>2 | 1 // leaves room for the ones after it
	}
	slices.Sort(ordinals)
	for i := 1; i < len(ordinals); i++ {
		ordinals[i] = max(ordinals[i], ordinals[i-1]+1)
	}
}

func kinds() (all []purser.Kind) {
	for k := range purser.Kind(255) {
		if purser.NewEntry(k) != nil {
			all = append(all, k)
		}
	}
	return all
}

func nameOf(e purser.Entry) string { return reflect.TypeOf(e).Elem().Name() }

func TestKindsAreNumberedWithoutGaps(t *testing.T) {
	for i, k := range kinds() {
		if int(k) != i+1 {
			t.Fatalf("kind %d: got number %d", i+1, k)
		}
		if e := purser.NewEntry(k); e.Kind() != k {
			t.Errorf("%s: got kind %d, want %d", nameOf(e), e.Kind(), k)
		}
	}
}

func TestEveryKindRoundTrips(t *testing.T) {
	for _, k := range kinds() {
		t.Run(nameOf(purser.NewEntry(k)), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				want := purser.NewEntry(k)
				fill(reflect.ValueOf(want).Elem(), func(n uint64) uint64 {
					return rapid.Uint64Range(0, n-1).Draw(t, "part")
				})
				pos := purser.Pos(rapid.Uint64().Draw(t, "pos"))
				stamp := purser.Stamp(rapid.Int64().Draw(t, "stamp"))
				before := fmt.Sprintf("%+v", want)
				b, err := purser.AppendEntry([]byte("kept"), pos, stamp, want)
				if err != nil {
					t.Fatalf("encode %+v: %v", want, err)
				}
				if after := fmt.Sprintf("%+v", want); after != before {
					t.Fatalf("encoding changed the entry: got %s, want %s", after, before)
				}
				b = bytes.TrimPrefix(b, []byte("kept"))
				h, got, err := purser.ParseEntry(b)
				if err != nil {
					t.Fatalf("parse %x: %v", b, err)
				}
				if h != (purser.Header{Kind: k, Pos: pos, Stamp: stamp}) {
					t.Fatalf("header: got %+v", h)
				}
				if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
					t.Fatalf("entry: %s", diff)
				}
				if again, err := purser.AppendEntry(nil, pos, stamp, got); err != nil || !bytes.Equal(again, b) {
					t.Fatalf("encoded again: got %x, error %v, want %x", again, err, b)
				}
			})
		})
	}
}

// example is one filled entry of kind k, always the same.
func example(k purser.Kind) purser.Entry {
	e := purser.NewEntry(k)
	r := rand.New(rand.NewPCG(7, uint64(k)))
	fill(reflect.ValueOf(e).Elem(), r.Uint64N)
	return e
}

func encoded(t testing.TB, k purser.Kind) []byte {
	t.Helper()
	b, err := purser.AppendEntry(nil, 1000+purser.Pos(k), 1_795_000_000_000_000, example(k))
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	return b
}

// Bytes that any program wrote before must keep their meaning: a change here
// is a new EntryVersion.
func TestGoldenEntries(t *testing.T) {
	var text strings.Builder
	for _, k := range kinds() {
		fmt.Fprintf(&text, "%s %s\n", nameOf(example(k)), hex.EncodeToString(encoded(t, k)))
	}
	const file = "testdata/entries.golden"
	if *update {
		if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text.String()); diff != "" {
		t.Fatalf("entries differ from %s (-update writes it anew): %s", file, diff)
	}
}

func TestOtherBytesAreRefused(t *testing.T) {
	for _, k := range kinds() {
		t.Run(nameOf(purser.NewEntry(k)), func(t *testing.T) {
			b := encoded(t, k)
			for n := range b {
				if _, _, err := purser.ParseEntry(b[:n]); !errors.Is(err, purser.ErrBadBytes) {
					t.Fatalf("cut to %d bytes: got %v, want ErrBadBytes", n, err)
				}
			}
			long := append(bytes.Clone(b), 0)
			if _, _, err := purser.ParseEntry(long); !errors.Is(err, purser.ErrBadBytes) {
				t.Fatalf("a byte more: got %v", err)
			}
			long[3]++ // the length says so too
			if _, _, err := purser.ParseEntry(long); !errors.Is(err, purser.ErrBadBytes) {
				t.Fatalf("a byte more, counted: got %v", err)
			}
			for bit := range 8 * len(b) {
				changed := bytes.Clone(b)
				changed[bit/8] ^= 1 << (bit % 8)
				h, e, err := purser.ParseEntry(changed)
				if err != nil {
					continue
				}
				if again, err := purser.AppendEntry(nil, h.Pos, h.Stamp, e); err != nil || !bytes.Equal(again, changed) {
					t.Fatalf("bit %d: parsed bytes that are written as %x, error %v", bit, again, err)
				}
			}
		})
	}
}

func TestHeadersAreRefused(t *testing.T) {
	good := encoded(t, purser.KindClaim)
	for _, c := range []struct {
		name   string
		change func([]byte)
	}{
		{"version 0", func(b []byte) { b[0] = 0 }},
		{"version 2", func(b []byte) { b[0] = 2 }},
		{"kind 0", func(b []byte) { b[1] = 0 }},
		{"kind after the last", func(b []byte) { b[1] = byte(len(kinds()) + 1) }},
		{"length", func(b []byte) { b[3]-- }},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := bytes.Clone(good)
			c.change(b)
			if _, _, err := purser.ParseEntry(b); !errors.Is(err, purser.ErrBadBytes) {
				t.Fatalf("parse: got %v, want ErrBadBytes", err)
			}
		})
	}
}

func TestEntriesThatDoNotFit(t *testing.T) {
	for _, c := range []struct {
		name  string
		entry purser.Entry
	}{
		{"text too long", &purser.Start{Software: strings.Repeat("x", 1<<16)}},
		{"payload too long", &purser.Start{Software: strings.Repeat("x", 1<<16-30)}},
		{"value without a name", &purser.SessionOpened{Level: 9}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if b, err := purser.AppendEntry([]byte("kept"), 0, 0, c.entry); err == nil || string(b) != "kept" {
				t.Fatalf("encode: got %d bytes, error %v, want the buffer as it was and an error", len(b), err)
			}
		})
	}
}

func TestWhatOpens(t *testing.T) {
	var opens []string
	for _, k := range kinds() {
		e := purser.NewEntry(k)
		_, one := e.(purser.Opener)
		if _, many := e.(purser.BulkOpener); one || many {
			opens = append(opens, nameOf(e))
		}
	}
	if got, want := fmt.Sprint(opens), "[Attempt CodeSent Disclosure Released]"; got != want {
		t.Fatalf("entries that open fields: got %s, want %s", got, want)
	}
}

// The page of the format names every kind with its number and every field.
func TestFormatPageNamesEveryField(t *testing.T) {
	page, err := os.ReadFile("docs/formats/entry.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range kinds() {
		e := purser.NewEntry(k)
		_, section, ok := strings.Cut(string(page), fmt.Sprintf("\n### %d %s\n", k, nameOf(e)))
		if !ok {
			t.Errorf("docs/formats/entry.md has no section %d %s", k, nameOf(e))
			continue
		}
		section, _, _ = strings.Cut(section, "\n### ")
		for f := range reflect.TypeOf(e).Elem().Fields() {
			if !strings.Contains(section, "\n| "+f.Name+" |") {
				t.Errorf("docs/formats/entry.md: %s lacks %s", nameOf(e), f.Name)
			}
		}
	}
}

func FuzzParseEntry(f *testing.F) {
	for _, k := range kinds() {
		f.Add(encoded(f, k))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, e, err := purser.ParseEntry(b)
		if err != nil {
			return
		}
		again, err := purser.AppendEntry(nil, h.Pos, h.Stamp, e)
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("parsed %x, which is written as %x, error %v", b, again, err)
		}
	})
}

func BenchmarkAppendEntry(b *testing.B) {
	e := example(purser.KindDisclosure)
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = purser.AppendEntry(buf[:0], 1, 2, e)
	}
}

func BenchmarkParseEntry(b *testing.B) {
	bytes := encoded(b, purser.KindDisclosure)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := purser.ParseEntry(bytes); err != nil {
			b.Fatal(err)
		}
	}
}
