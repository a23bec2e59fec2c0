package deliver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
)

// Security says how the connection to the mail server is protected.
type Security uint8

// The securities.
const (
	// StartTLS asks for encryption and goes no further without it. The default.
	StartTLS Security = iota
	// ImplicitTLS speaks TLS from the first byte.
	ImplicitTLS
	// PlainLoopback sends in clear, to a loopback address alone.
	PlainLoopback
)

// Limits of one message.
const (
	maxSubject = 200
	maxText    = 64 << 10
	maxAddress = 254
)

const defaultTimeout = 20 * time.Second

// MailConfig says where mail goes. Zero values are the documented defaults.
type MailConfig struct {
	Host     string        // name or address of the next hop
	Port     int           // 587; 465 for ImplicitTLS
	Security Security      // StartTLS
	From     string        // address that messages come from
	Hello    string        // name given in EHLO; the machine's own
	Name     string        // with Password: authenticate
	Password string        //
	Timeout  time.Duration // of one whole Send; 20 s
	// TLS is for own certificate authorities. Nil trusts the system's.
	TLS *tls.Config
}

// Check reports every problem of the configuration together.
func (c MailConfig) Check() error {
	var problems []error
	if c.Host == "" {
		problems = append(problems, errors.New("mail.host is empty: name the mail server"))
	}
	if c.Port < 0 || c.Port > 65535 {
		problems = append(problems, fmt.Errorf("mail.port is %d: use 1 to 65535", c.Port))
	}
	if !strings.Contains(c.From, "@") {
		problems = append(problems, errors.New("mail.from is no address: set the address that codes come from"))
	}
	if c.Security > PlainLoopback {
		problems = append(problems, fmt.Errorf("mail.security is %d: use StartTLS, ImplicitTLS or PlainLoopback", c.Security))
	}
	if c.Security == PlainLoopback && !loopback(c.Host) {
		problems = append(problems, errors.New("mail.security is PlainLoopback and mail.host is no loopback address: use TLS"))
	}
	if c.Security == PlainLoopback && c.Password != "" {
		problems = append(problems, errors.New("mail.password would be sent in clear: use TLS"))
	}
	if c.Timeout < 0 {
		problems = append(problems, fmt.Errorf("mail.timeout is %v: use a positive time", c.Timeout))
	}
	return errors.Join(problems...)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// Mail hands messages to one SMTP server. It may be used by any number of
// goroutines; each Send has a connection of its own.
type Mail struct {
	config  MailConfig
	options []mail.Option
}

// NewMail checks the configuration. It connects to nothing.
func NewMail(c MailConfig) (*Mail, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	m := &Mail{config: c, options: slices.Clip(c.options())}
	if _, err := mail.NewClient(c.Host, m.options...); err != nil {
		return nil, fmt.Errorf("mail configuration: %w", err)
	}
	return m, nil
}

func (c MailConfig) options() []mail.Option {
	port, options := c.Port, []mail.Option{mail.WithTimeout(c.Timeout)}
	switch c.Security {
	case StartTLS:
		port = orPort(port, 587)
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	case ImplicitTLS:
		port = orPort(port, 465)
		options = append(options, mail.WithSSL())
	case PlainLoopback:
		port = orPort(port, 25)
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	}
	options = append(options, mail.WithPort(port))
	if c.Hello != "" {
		options = append(options, mail.WithHELO(c.Hello))
	}
	if c.Password != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(c.Name), mail.WithPassword(c.Password))
	}
	if c.TLS != nil {
		options = append(options, mail.WithTLSConfig(c.TLS.Clone()))
	}
	return options
}

func orPort(port, otherwise int) int {
	if port == 0 {
		return otherwise
	}
	return port
}

// Send hands m to the mail server and returns nil when it was accepted. It
// takes no longer than the configured time and ends early with ctx. Errors
// wrap ErrRefused, ErrNotNow, ErrInDoubt or ErrBadMessage.
func (m *Mail) Send(ctx context.Context, message Message) error {
	letter, err := m.letter(message)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, m.config.Timeout)
	defer cancel()
	// The library bounds each command, not the whole exchange, and looks at
	// the context only while dialling: closing the connection ends the rest.
	client, err := mail.NewClient(m.config.Host, append(m.options, mail.WithDialContextFunc(m.dial(ctx)))...)
	if err != nil {
		return fmt.Errorf("prepare mail: %w", ErrNotNow)
	}
	err = client.DialAndSendWithContext(ctx, letter)
	if err == nil || letter.IsDelivered() {
		return nil // what fails after the acceptance changes nothing
	}
	return outcome(err)
}

func (m *Mail) letter(message Message) (*mail.Msg, error) {
	to := message.To.Reveal()
	if to == "" || len(to) > maxAddress || len(message.Subject) > maxSubject || len(message.Text) > maxText {
		return nil, fmt.Errorf("address, subject or text empty or too long: %w", ErrBadMessage)
	}
	letter := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if letter.From(m.config.From) != nil || letter.To(to) != nil {
		return nil, fmt.Errorf("address: %w", ErrBadMessage)
	}
	letter.Subject(message.Subject)
	letter.SetDate()
	letter.SetMessageID()
	letter.SetGenHeader("Auto-Submitted", "auto-generated")
	letter.SetBodyString(mail.TypeTextPlain, message.Text)
	return letter, nil
}

// dial connects and closes the connection when ctx of the whole Send ends.
func (m *Mail) dial(whole context.Context) mail.DialContextFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		var conn net.Conn
		var err error
		if m.config.Security == ImplicitTLS {
			conn, err = (&tls.Dialer{Config: m.tlsConfig()}).DialContext(ctx, network, address)
		} else {
			conn, err = new(net.Dialer).DialContext(ctx, network, address)
		}
		if err != nil {
			return nil, err
		}
		return &bounded{Conn: conn, release: context.AfterFunc(whole, func() { _ = conn.Close() })}, nil
	}
}

func (m *Mail) tlsConfig() *tls.Config {
	if m.config.TLS == nil {
		return &tls.Config{ServerName: m.config.Host, MinVersion: tls.VersionTLS12}
	}
	own := m.config.TLS.Clone()
	if own.ServerName == "" {
		own.ServerName = m.config.Host
	}
	return own
}

// bounded is a connection that a context closes.
type bounded struct {
	net.Conn
	release func() bool
}

// Close closes the connection and forgets the context.
func (b *bounded) Close() error {
	b.release()
	return b.Conn.Close()
}

// outcome says what became of a message, and drops the library's text: it
// holds the address and what the server answered.
func outcome(err error) error {
	var sent *mail.SendError
	if !errors.As(err, &sent) {
		return fmt.Errorf("connect: %w", ErrNotNow)
	}
	code := sent.ErrorCode()
	switch {
	case code >= 500:
		return fmt.Errorf("status %d: %w", code, ErrRefused)
	case code >= 400:
		return fmt.Errorf("status %d: %w", code, ErrNotNow)
	case sent.Reason == mail.ErrSMTPDataClose || sent.Reason == mail.ErrWriteContent:
		return fmt.Errorf("connection lost after the text: %w", ErrInDoubt)
	}
	return fmt.Errorf("connection lost before the text: %w", ErrNotNow)
}
