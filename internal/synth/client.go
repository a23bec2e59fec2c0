package synth

import (
	"crypto/sha256"
	"net/http"
	"strings"
	"sync"
	"time"

	"purser/internal/workforce"
)

// Client signs the requests of one session, as the script in a page does. It
// keeps out of the transport: it sets headers and looks at headers. It is safe
// for concurrent use.
type Client struct {
	token workforce.Token
	key   workforce.RequestKey
	clock workforce.Clock

	mu      sync.Mutex    // guards what follows
	ahead   time.Duration // of the server's clock over ours
	counter uint64
}

// NewClient returns a client for a session that is open already. Its counter
// starts at the clock's milliseconds, so that a client made later for the same
// session goes on above it.
func NewClient(token workforce.Token, key workforce.RequestKey, clock workforce.Clock) *Client {
	return &Client{token: token, key: key, clock: clock, counter: uint64(clock.Now().UnixMilli())}
}

// Token returns the session's token.
func (c *Client) Token() workforce.Token { return c.token }

// Key returns the session's request key.
func (c *Client) Key() workforce.RequestKey { return c.key }

// Sign sets the headers of a signed request. Body is what the request will
// send, or nil.
func (c *Client) Sign(req *http.Request, body []byte) {
	c.mu.Lock()
	c.counter++
	counter, at := c.counter, c.clock.Now().Add(c.ahead)
	c.mu.Unlock()
	// The request line as it will be sent, not as it was decoded.
	path, query, _ := strings.Cut(req.URL.RequestURI(), "?")
	method := req.Method
	if method == "" {
		method = http.MethodGet
	}
	workforce.Signed{
		Token: c.token, Method: method, Path: path, Query: query,
		BodyHash: sha256.Sum256(body), Time: at, Counter: counter,
	}.Sign(c.key).SetHeader(req.Header)
}

// Correct takes over the server's time, as it stands in an answer that refused
// a request for its time.
func (c *Client) Correct(server time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead = server.Sub(c.clock.Now())
}
