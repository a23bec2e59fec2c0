package synth

import (
	"context"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// Bounds of what a catcher keeps: the oldest letters go first.
const (
	mostLetters   = 1024
	longestLetter = 128 << 10
)

// Letter is one mail that a catcher took.
type Letter struct {
	To      string
	Subject string
	Text    string
}

// MailCatcher is a real SMTP server on a loopback port that keeps what it is
// sent instead of passing it on. It is safe for concurrent use.
type MailCatcher struct {
	server   *smtp.Server
	listener net.Listener
	served   chan error

	mu      sync.Mutex
	letters []Letter      // guarded by mu, oldest first
	came    chan struct{} // guarded by mu: closed when a letter arrives
}

// NewMailCatcher starts a server on a free loopback port. Close ends it.
func NewMailCatcher() (*MailCatcher, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for mail: %w", err)
	}
	c := &MailCatcher{listener: listener, served: make(chan error, 1), came: make(chan struct{})}
	c.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &catching{catcher: c}, nil
	}))
	c.server.Domain = "catcher.example"
	c.server.ReadTimeout = 10 * time.Second
	c.server.WriteTimeout = 10 * time.Second
	c.server.MaxMessageBytes = longestLetter
	c.server.MaxRecipients = 1
	c.server.ErrorLog = silent{}
	go func() { c.served <- c.server.Serve(listener) }()
	return c, nil
}

// Host returns the loopback address that the catcher listens on.
func (c *MailCatcher) Host() string { return "127.0.0.1" }

// Port returns the port that the catcher listens on.
func (c *MailCatcher) Port() int {
	if address, ok := c.listener.Addr().(*net.TCPAddr); ok {
		return address.Port
	}
	return 0
}

// Close stops the server and waits for its end.
func (c *MailCatcher) Close() error {
	err := c.server.Close()
	<-c.served
	return err
}

// Letters returns what is kept, oldest first.
func (c *MailCatcher) Letters() []Letter {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.letters)
}

// WaitFor returns the newest letter to an address as soon as there is one, or
// the error of ctx.
func (c *MailCatcher) WaitFor(ctx context.Context, to string) (Letter, error) {
	return c.WaitForNth(ctx, to, 1)
}

// WaitForNth waits until n letters to an address are kept and returns the
// n-th of them.
func (c *MailCatcher) WaitForNth(ctx context.Context, to string, n int) (Letter, error) {
	for {
		letter, came, ok := c.find(to, n)
		if ok {
			return letter, nil
		}
		select {
		case <-came:
		case <-ctx.Done():
			return Letter{}, fmt.Errorf("wait for a letter: %w", ctx.Err())
		}
	}
}

func (c *MailCatcher) find(to string, n int) (Letter, <-chan struct{}, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found Letter
	count := 0
	for _, letter := range c.letters {
		if strings.EqualFold(letter.To, to) && count < n {
			found = letter
			count++
		}
	}
	return found, c.came, count == n
}

func (c *MailCatcher) keep(letter Letter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.letters) == mostLetters {
		c.letters = slices.Delete(c.letters, 0, 1)
	}
	c.letters = append(c.letters, letter)
	close(c.came)
	c.came = make(chan struct{})
}

// catching is one connection to the catcher.
type catching struct {
	catcher *MailCatcher
	to      string
}

func (s *catching) Reset()                               { s.to = "" }
func (s *catching) Logout() error                        { return nil }
func (s *catching) Mail(string, *smtp.MailOptions) error { return nil }

func (s *catching) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	return nil
}

func (s *catching) Data(r io.Reader) error {
	letter, err := readLetter(r)
	if err != nil {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "not a mail"}
	}
	letter.To = s.to
	s.catcher.keep(letter)
	return nil
}

func readLetter(r io.Reader) (Letter, error) {
	m, err := mail.ReadMessage(io.LimitReader(r, longestLetter))
	if err != nil {
		return Letter{}, fmt.Errorf("read mail: %w", err)
	}
	body := m.Body
	if strings.EqualFold(m.Header.Get("Content-Transfer-Encoding"), "quoted-printable") {
		body = quotedprintable.NewReader(body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return Letter{}, fmt.Errorf("read mail text: %w", err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		return Letter{}, fmt.Errorf("read mail subject: %w", err)
	}
	return Letter{Subject: subject, Text: strings.ReplaceAll(string(text), "\r\n", "\n")}, nil
}

// silent takes a server's own log lines, which may hold addresses.
type silent struct{}

func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}
