package overlay_test

import (
	"maps"
	"testing"

	"pgregory.net/rapid"

	"purser"
	"purser/internal/rule/overlay"
)

func codeU32(c *purser.Coder, v *uint32) { c.U32(v) }

func encode(t *overlay.Table[uint32, uint32]) []byte {
	c := purser.NewEncoder(nil)
	t.Code(c, 8, codeU32, codeU32)
	return c.Bytes()
}

func TestTableAgainstTwoMaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var table overlay.Table[uint32, uint32]
		base, top := map[uint32]uint32{}, map[uint32]uint32{}
		key := rapid.Uint32Range(0, 8)
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				k, v := key.Draw(t, "k"), rapid.Uint32().Draw(t, "v")
				table.Put(k, v)
				top[k] = v
			},
			"delete": func(t *rapid.T) {
				k := key.Draw(t, "k")
				table.Delete(k)
				delete(top, k)
			},
			"commit":  func(*rapid.T) { table.Commit(); base = maps.Clone(top) },
			"discard": func(*rapid.T) { table.Discard(); top = maps.Clone(base) },
			"": func(t *rapid.T) {
				got := maps.Collect(table.All())
				if !maps.Equal(got, top) || table.Len() != len(top) {
					t.Fatalf("got %v (len %d), want %v", got, table.Len(), top)
				}
			},
		})
	})
}

func TestTableHasOneEncoding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.MapOf(rapid.Uint32(), rapid.Uint32()).Draw(t, "rows")
		var table, again overlay.Table[uint32, uint32]
		for k, v := range want {
			table.Put(k, v)
		}
		b := encode(&table)
		c := purser.NewDecoder(b)
		again.Code(c, 8, codeU32, codeU32)
		if err := c.End(); err != nil {
			t.Fatalf("decode: %v", err)
		}
		if got := maps.Collect(again.All()); !maps.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		if string(encode(&again)) != string(b) {
			t.Fatal("a second encoding differs")
		}
	})
}

func TestTableRefusesOtherOrders(t *testing.T) {
	for name, b := range map[string][]byte{
		"descending":       {0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0},
		"twice":            {0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0},
		"count over input": {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 2, 0, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var table overlay.Table[uint32, uint32]
			c := purser.NewDecoder(b)
			table.Code(c, 8, codeU32, codeU32)
			if c.End() == nil {
				t.Fatal("got no error")
			}
		})
	}
}

// A window may count an event for one bucket too long, never too short.
func TestWindowAgainstList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		span := overlay.Span{Buckets: rapid.IntRange(1, 24).Draw(t, "buckets"), Width: 7}
		var w overlay.Window
		var at purser.Stamp
		var events []purser.Stamp
		for _, step := range rapid.SliceOf(rapid.Int64Range(0, 60)).Draw(t, "steps") {
			at += purser.Stamp(step)
			w = w.Add(span, at, 1)
			events = append(events, at)
			var least, most uint32
			length := span.Width * purser.Stamp(span.Buckets)
			for _, e := range events {
				if e > at-length {
					least++
				}
				if e > at-length-span.Width {
					most++
				}
			}
			if got := w.Sum(span, at); got < least || got > most {
				t.Fatalf("at %d: got %d, want %d to %d", at, got, least, most)
			}
		}
	})
}
