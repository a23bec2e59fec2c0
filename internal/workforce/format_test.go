package workforce_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"purser"
	"purser/internal/workforce"
)

var update = flag.Bool("update", false, "rewrite the vectors")

// TestRequestVector holds docs/formats/request.md to its stored bytes.
func TestRequestVector(t *testing.T) {
	scalar := func(b byte) *ecdh.PrivateKey {
		return must(ecdh.P256().NewPrivateKey(bytes.Repeat([]byte{b}, 32)))(t)
	}
	page, server := scalar(1), scalar(2)
	pageKey := must(workforce.ParsePageKey(page.PublicKey().Bytes()))(t)
	serverKey := must(workforce.ParsePageKey(server.PublicKey().Bytes()))(t)
	nonce := workforce.Nonce(bytes.Repeat([]byte{3}, 32))
	session := purser.SessionID(bytes.Repeat([]byte{4}, 16))
	challenge := workforce.ChallengeOf(nonce, pageKey)
	key := must(workforce.AgreeRequestKey(page, serverKey, challenge, session))(t)
	if other := must(workforce.AgreeRequestKey(server, pageKey, challenge, session))(t); other != key {
		t.Fatal("the two sides agree on different keys")
	}
	s := workforce.Signed{
		Token: workforce.Token(bytes.Repeat([]byte{5}, 32)), Method: "POST",
		Path: "/v1/contacts/con_x/claim", Query: "a=1&b=%20", BodyHash: sha256.Sum256([]byte(`{"a":1}`)),
		Time: time.UnixMilli(1_772_442_000_123), Counter: 42,
	}.Sign(key)
	h := make(http.Header)
	s.SetHeader(h)

	var got bytes.Buffer
	fmt.Fprintf(&got, "page private %x\npage public %v\nserver private %x\nserver public %v\n",
		page.Bytes(), pageKey, server.Bytes(), serverKey)
	fmt.Fprintf(&got, "nonce %x\nchallenge %x\nsession %v\nrequest key %x\n", nonce, challenge, session, key)
	fmt.Fprintf(&got, "body {\"a\":1}\nsigned %s\n", hex.EncodeToString(s.Canonical()))
	for _, name := range []string{
		workforce.HeaderToken, workforce.HeaderTime, workforce.HeaderCounter, workforce.HeaderSignature,
	} {
		fmt.Fprintf(&got, "%s: %s\n", name, h.Get(name))
	}
	const file = "testdata/request.txt"
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := must(os.ReadFile(file))(t); !bytes.Equal(got.Bytes(), want) {
		t.Fatalf("got\n%s\nwant\n%s", &got, want)
	}
}

func TestPageKeyForms(t *testing.T) {
	pair, key, err := workforce.NewPagePair(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	raw := pair.PublicKey().Bytes()
	spki := append(must(hex.DecodeString("3059301306072a8648ce3d020106082a8648ce3d030107034200"))(t), raw...)
	off := bytes.Clone(raw)
	off[64]++
	for _, c := range []struct {
		name string
		b    []byte
		want error
	}{
		{"raw", raw, nil},
		{"spki", spki, nil},
		{"point off the curve", off, workforce.ErrPageKey},
		{"point at infinity", []byte{0}, workforce.ErrPageKey},
		{"compressed", append([]byte{2}, raw[1:33]...), workforce.ErrPageKey},
		{"one byte more", append(bytes.Clone(raw), 0), workforce.ErrPageKey},
		{"spki with one byte more", append(bytes.Clone(spki), 0), workforce.ErrPageKey},
		{"nothing", nil, workforce.ErrPageKey},
	} {
		got, err := workforce.ParsePageKey(c.b)
		if !errors.Is(err, c.want) || (err == nil && got != key) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}

func FuzzPageKey(f *testing.F) {
	_, key, err := workforce.NewPagePair(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(key.String())
	f.Add("")
	f.Add(key.String()[:86] + "\n")
	f.Add(key.String()[:86] + "=")
	f.Fuzz(func(t *testing.T, text string) {
		var k workforce.PageKey
		if err := k.UnmarshalText([]byte(text)); err != nil {
			if !errors.Is(err, workforce.ErrPageKey) {
				t.Fatalf("got %v, want ErrPageKey", err)
			}
			return
		}
		var again workforce.PageKey
		if err := again.UnmarshalText([]byte(k.String())); err != nil || again != k {
			t.Fatalf("%q does not come back: %v", text, err)
		}
		if len(text) == len(k.String()) && text != k.String() {
			t.Fatalf("%q is a second spelling", text)
		}
	})
}

func FuzzSignedHeader(f *testing.F) {
	h := make(http.Header)
	workforce.Signed{Token: workforce.Token{1}, Time: time.UnixMilli(1_772_442_000_123), Counter: 1<<64 - 1}.SetHeader(h)
	f.Add(h.Get(workforce.HeaderToken), h.Get(workforce.HeaderTime), h.Get(workforce.HeaderCounter), h.Get(workforce.HeaderSignature))
	f.Add("Bearer x", "-1", "01", "")
	f.Add("Purser ", "99999999999999999999", "+1", "\n")
	f.Fuzz(func(t *testing.T, token, at, counter, signature string) {
		h := http.Header{
			workforce.HeaderToken: {token}, workforce.HeaderTime: {at},
			workforce.HeaderCounter: {counter}, workforce.HeaderSignature: {signature},
		}
		s, err := workforce.ParseSigned(h)
		if err != nil {
			if !errors.Is(err, workforce.ErrUnsigned) {
				t.Fatalf("got %v, want ErrUnsigned", err)
			}
			return
		}
		again := make(http.Header)
		s.SetHeader(again)
		for name, want := range h {
			if got := again.Get(name); got != want[0] {
				t.Fatalf("%s: %q is a second spelling of %q", name, want[0], got)
			}
		}
	})
}
