package purser_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"purser"
)

func TestCoderRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		bytes []byte
		read  func(*purser.Coder)
	}{
		{"flag of 2", []byte{2}, func(c *purser.Coder) { var v bool; c.Flag(&v) }},
		{"number cut short", []byte{1, 2, 3}, func(c *purser.Coder) { var v uint32; c.U32(&v) }},
		{"array cut short", make([]byte, 31), func(c *purser.Coder) { var v purser.Hash; v.Code(c) }},
		{"bytes left over", []byte{0, 1}, func(c *purser.Coder) { var v uint8; c.U8(&v) }},
		{"blob longer than the rest", []byte{0, 3, 1, 2}, func(c *purser.Coder) { var v []byte; c.Blob(&v) }},
		{"text longer than the rest", []byte{255, 255}, func(c *purser.Coder) { var v string; c.Text(&v) }},
		{"count that cannot be", []byte{0, 2, 1, 1, 1}, func(c *purser.Coder) { c.Count(0, 2) }},
		{"long count that cannot be", []byte{255, 255, 255, 255}, func(c *purser.Coder) { c.CountLong(0, 1) }},
		{"assurance 4", []byte{4}, func(c *purser.Coder) { var v purser.Assurance; v.Code(c) }},
		{"role without a name", []byte{0x80, 0}, func(c *purser.Coder) { var v purser.Role; v.Code(c) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := purser.NewDecoder(c.bytes)
			c.read(d)
			if err := d.End(); !errors.Is(err, purser.ErrBadBytes) {
				t.Fatalf("decode %x: got %v, want ErrBadBytes", c.bytes, err)
			}
		})
	}
}

func TestCoderStopsAtTheFirstError(t *testing.T) {
	d := purser.NewDecoder([]byte{2, 7, 7, 7, 7})
	flag, number, text := true, uint32(0), "kept?"
	d.Flag(&flag)
	d.U32(&number)
	d.Text(&text)
	if flag || number != 0 || text != "" || d.Err() == nil {
		t.Fatalf("after an error: got %v %d %q, want zero values and an error", flag, number, text)
	}
}

func TestDecodedBytesAreCopies(t *testing.T) {
	b := []byte{0, 2, 'a', 'b'}
	var blob []byte
	purser.NewDecoder(b).Blob(&blob)
	b[2] = 'x'
	if string(blob) != "ab" {
		t.Fatalf("blob: got %q, want ab", blob)
	}
	empty := []byte{}
	purser.NewDecoder([]byte{0, 0}).Blob(&empty)
	if empty != nil {
		t.Fatalf("empty blob: got %#v, want nil", empty)
	}
}

func TestEncodingTooMuch(t *testing.T) {
	c := purser.NewEncoder(nil)
	long := strings.Repeat("x", 1<<16)
	c.Text(&long)
	if c.Err() == nil {
		t.Fatal("text of 65,536 bytes: got no error")
	}
	c = purser.NewEncoder(nil)
	c.Count(1<<16, 1)
	if c.Err() == nil {
		t.Fatal("65,536 elements: got no error")
	}
}

func TestCoderBytes(t *testing.T) {
	c := purser.NewEncoder([]byte{9})
	u8, u16, u32, u64, i64 := uint8(1), uint16(0x0203), uint32(0x04050607), uint64(1)<<56, int64(-2)
	flag, text := true, "é"
	c.U8(&u8)
	c.U16(&u16)
	c.U32(&u32)
	c.U64(&u64)
	c.I64(&i64)
	c.Flag(&flag)
	c.Text(&text)
	want := []byte{
		9, 1, 2, 3, 4, 5, 6, 7, 1, 0, 0, 0, 0, 0, 0, 0,
		255, 255, 255, 255, 255, 255, 255, 254, 1, 0, 2, 0xc3, 0xa9,
	}
	if !bytes.Equal(c.Bytes(), want) {
		t.Fatalf("encoded: got %x, want %x", c.Bytes(), want)
	}
}

func TestOrdinalsInOtherForms(t *testing.T) {
	for _, c := range []struct {
		name string
		hex  string
	}{
		{"ordinal zero", "000100"},
		{"the same twice", "00020500"},
		{"longer than needed", "00018500"},
		{"over 32 bits", "0001ffffffff1f"},
		{"beyond the last ordinal", "0002ffffffff0f01"},
		{"more than an entry may name", "1001" + strings.Repeat("01", 4097)},
		{"cut", "000285"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := hex.DecodeString(c.hex)
			if err != nil {
				t.Fatal(err)
			}
			var got []purser.Ordinal
			d := purser.NewDecoder(b)
			if d.Ordinals(&got); d.End() == nil || got != nil {
				t.Fatalf("read %s: got %d ordinals, error %v, want none and an error", c.name, len(got), d.End())
			}
		})
	}
	for _, list := range [][]purser.Ordinal{{3, 3}, {4, 2}, {0}, make([]purser.Ordinal, purser.MaxOrdinals+1)} {
		e := purser.NewEncoder(nil)
		if e.Ordinals(&list); e.Err() == nil {
			t.Errorf("wrote a list of %d that is not ascending", len(list))
		}
	}
}
