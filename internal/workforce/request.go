package workforce

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of a signed request; docs/formats/request.md describes them.
const (
	HeaderToken     = "Authorization" // "Purser " and the token
	HeaderTime      = "Purser-Time"
	HeaderCounter   = "Purser-Counter"
	HeaderSignature = "Purser-Signature"

	scheme = "Purser "
)

// ErrUnsigned says that the headers of a request are not those of a signed
// one. What they hold is never part of the error.
var ErrUnsigned = errors.New("not a signed request")

// Token names a session towards the server. Alone it is worth nothing: every
// request is signed as well. The server stores only its hash.
type Token [32]byte

// String returns the text form: unpadded base64url.
func (t Token) String() string { return base64.RawURLEncoding.EncodeToString(t[:]) }

// hash is what a session row holds of the token.
func (t Token) hash() [32]byte { return sha256.Sum256(t[:]) }

// ParseToken reads the text form and refuses every other spelling of it.
func ParseToken(text string) (Token, error) {
	var t Token
	if !decodeExact(t[:], text) {
		return Token{}, ErrUnsigned
	}
	return t, nil
}

// Signed is what a signed request says. Path and Query are as they stand in
// the request line, undecoded: Query is without its question mark.
type Signed struct {
	Token    Token
	Method   string
	Path     string
	Query    string
	BodyHash [32]byte // SHA-256 of the body; of nothing where there is none
	Time     time.Time
	Counter  uint64
	MAC      [32]byte
}

// canonicalLabel starts the signed text and names its version.
const canonicalLabel = "purser request v1\n"

// Canonical returns the bytes that are signed. Each part stands on a line of
// its own; method, path and query hold no line feed, so two different
// requests never have the same bytes.
func (s Signed) Canonical() []byte {
	b := make([]byte, 0, 256)
	b = append(b, canonicalLabel...)
	b = append(append(b, s.Method...), '\n')
	b = append(append(b, s.Path...), '\n')
	b = append(append(b, s.Query...), '\n')
	b = append(hex.AppendEncode(b, s.BodyHash[:]), '\n')
	b = append(append(b, s.Token.String()...), '\n')
	b = append(strconv.AppendInt(b, s.Time.UnixMilli(), 10), '\n')
	return append(strconv.AppendUint(b, s.Counter, 10), '\n')
}

// Sign sets the MAC of s under key and returns s.
func (s Signed) Sign(key RequestKey) Signed {
	s.MAC = s.mac(key)
	return s
}

func (s Signed) mac(key RequestKey) [32]byte {
	h := hmac.New(sha256.New, key[:])
	h.Write(s.Canonical())
	return [32]byte(h.Sum(nil))
}

// signedBy reports, in constant time, whether key made the MAC.
func (s Signed) signedBy(key RequestKey) bool {
	want := s.mac(key)
	return hmac.Equal(want[:], s.MAC[:])
}

// SetHeader writes s to the headers of a request.
func (s Signed) SetHeader(h http.Header) {
	h.Set(HeaderToken, scheme+s.Token.String())
	h.Set(HeaderTime, strconv.FormatInt(s.Time.UnixMilli(), 10))
	h.Set(HeaderCounter, strconv.FormatUint(s.Counter, 10))
	h.Set(HeaderSignature, base64.RawURLEncoding.EncodeToString(s.MAC[:]))
}

// ParseSigned reads what the headers say of a request. The caller adds
// method, path, query and body hash. A header that is missing, that is there
// twice or that has another spelling than [Signed.SetHeader] gives it is
// [ErrUnsigned].
func ParseSigned(h http.Header) (Signed, error) {
	token, ok := strings.CutPrefix(only(h, HeaderToken), scheme)
	if !ok {
		return Signed{}, ErrUnsigned
	}
	var s Signed
	var err error
	if s.Token, err = ParseToken(token); err != nil {
		return Signed{}, err
	}
	at, timed := parseDecimal(only(h, HeaderTime))
	counter, counted := parseDecimal(only(h, HeaderCounter))
	if !timed || !counted || at > latestTime || !decodeExact(s.MAC[:], only(h, HeaderSignature)) {
		return Signed{}, ErrUnsigned
	}
	s.Time, s.Counter = time.UnixMilli(int64(at)).UTC(), counter
	return s, nil
}

// latestTime keeps arithmetic with a request's time from overflowing.
const latestTime = 1 << 48

func only(h http.Header, name string) string {
	values := h.Values(name)
	if len(values) != 1 {
		return ""
	}
	return values[0]
}

// parseDecimal reads a number in its one spelling: no sign, no leading zero.
func parseDecimal(text string) (uint64, bool) {
	n, err := strconv.ParseUint(text, 10, 64)
	return n, err == nil && strconv.FormatUint(n, 10) == text
}

// decodeExact fills b from unpadded base64url and refuses every other
// spelling, free bits included.
func decodeExact(b []byte, text string) bool {
	if len(text) != base64.RawURLEncoding.EncodedLen(len(b)) {
		return false
	}
	got, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return err == nil && copy(b, got) == len(b)
}

// window accepts each counter once: it remembers the highest and which of the
// 63 below it came. Counters start at 1. The zero window is ready to use.
type window struct {
	highest uint64
	seen    uint64 // bit i: highest-i came
}

// windowSize is how far behind the highest a counter may be.
const windowSize = 64

// take reports whether n is new and inside the window, and remembers it.
func (w *window) take(n uint64) bool {
	switch {
	case n == 0:
		return false
	case n > w.highest:
		w.seen = w.seen<<min(n-w.highest, windowSize) | 1
		w.highest = n
		return true
	case w.highest-n >= windowSize:
		return false
	}
	bit := uint64(1) << (w.highest - n)
	if w.seen&bit != 0 {
		return false
	}
	w.seen |= bit
	return true
}
