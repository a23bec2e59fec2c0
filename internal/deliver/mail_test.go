package deliver_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"purser"
	"purser/internal/deliver"
	"purser/internal/synth"
)

const recipient = "kim.example@post.example"

func message() deliver.Message {
	return deliver.Message{
		To: purser.NewPlain(recipient), Subject: "Your code – only if you called us",
		Text: "123456\n\nZoë, if you did not call, do nothing.\n.\n",
	}
}

func newMail(t *testing.T, config deliver.MailConfig) *deliver.Mail {
	t.Helper()
	config.From = "codes@airline.example"
	config.Hello = "purser.example"
	m, err := deliver.NewMail(config)
	if err != nil {
		t.Fatalf("mail: %v", err)
	}
	return m
}

func TestSendReachesServer(t *testing.T) {
	catcher, err := synth.NewMailCatcher()
	if err != nil {
		t.Fatal(err)
	}
	defer catcher.Close()
	m := newMail(t, deliver.MailConfig{Host: catcher.Host(), Port: catcher.Port(), Security: deliver.PlainLoopback})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := m.Send(ctx, message()); err != nil {
		t.Fatalf("send: %v", err)
	}
	got, err := catcher.WaitFor(ctx, recipient)
	if err != nil {
		t.Fatalf("wait: %v", err)
	}
	want := synth.Letter{To: recipient, Subject: message().Subject, Text: message().Text}
	if got != want {
		t.Errorf("got letter %q, want %q", got, want)
	}
}

func TestManySendAtOnce(t *testing.T) {
	catcher, err := synth.NewMailCatcher()
	if err != nil {
		t.Fatal(err)
	}
	defer catcher.Close()
	m := newMail(t, deliver.MailConfig{Host: catcher.Host(), Port: catcher.Port(), Security: deliver.PlainLoopback})
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			letter := message()
			letter.To = purser.NewPlain(fmt.Sprintf("kim%d@post.example", i))
			if err := m.Send(t.Context(), letter); err != nil {
				t.Errorf("send %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if got := len(catcher.Letters()); got != 16 {
		t.Errorf("got %d letters, want 16", got)
	}
}

// server is a mail server that fails on demand.
type server struct {
	mail, rcpt, data error
	drop             bool          // close the connection in the middle of the text
	hang             chan struct{} // block until closed, before the text is accepted
	conn             *smtp.Conn
}

func (s *server) Reset()                               {}
func (s *server) Logout() error                        { return nil }
func (s *server) Mail(string, *smtp.MailOptions) error { return s.mail }
func (s *server) Rcpt(string, *smtp.RcptOptions) error { return s.rcpt }

func (s *server) Data(r io.Reader) error {
	if s.drop {
		_ = s.conn.Conn().Close()
		return errors.New("dropped")
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		return err
	}
	if s.hang != nil {
		<-s.hang
	}
	return s.data
}

func start(t *testing.T, s *server, config *tls.Config) *net.TCPAddr {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		own := *s
		own.conn = c
		return &own, nil
	}))
	srv.Domain = "mx.example"
	srv.TLSConfig = config
	srv.ErrorLog = quiet{}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(listener) }()
	t.Cleanup(func() {
		_ = srv.Close()
		<-done
	})
	address, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatalf("listening on %T", listener.Addr())
	}
	return address
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// Every error is one of four, and none says who was written to or what the
// server answered.
func TestSendErrors(t *testing.T) {
	quoting := func(code int) error {
		return &smtp.SMTPError{Code: code, Message: "mailbox " + recipient + " says no"}
	}
	for _, c := range []struct {
		name   string
		server server
		want   error
	}{
		{"sender refused for good", server{mail: quoting(550)}, deliver.ErrRefused},
		{"sender refused for now", server{mail: quoting(451)}, deliver.ErrNotNow},
		{"recipient refused for good", server{rcpt: quoting(550)}, deliver.ErrRefused},
		{"recipient refused for now", server{rcpt: quoting(450)}, deliver.ErrNotNow},
		{"text refused for good", server{data: quoting(554)}, deliver.ErrRefused},
		{"text refused for now", server{data: quoting(452)}, deliver.ErrNotNow},
		{"connection dropped in the text", server{drop: true}, deliver.ErrInDoubt},
	} {
		t.Run(c.name, func(t *testing.T) {
			address := start(t, &c.server, nil)
			m := newMail(t, deliver.MailConfig{Host: "127.0.0.1", Port: address.Port, Security: deliver.PlainLoopback})
			mustFail(t, m.Send(t.Context(), message()), c.want)
		})
	}
}

func mustFail(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("got error %v, want %v", got, want)
	}
	for _, secret := range []string{"kim", "post.example", "says no", "123456"} {
		if strings.Contains(got.Error(), secret) {
			t.Errorf("error %q says %q", got, secret)
		}
	}
}

func TestSendEndsWithItsTime(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	address := start(t, &server{hang: hang}, nil)
	m := newMail(t, deliver.MailConfig{
		Host: "127.0.0.1", Port: address.Port, Security: deliver.PlainLoopback, Timeout: 200 * time.Millisecond,
	})
	mustFail(t, m.Send(t.Context(), message()), deliver.ErrInDoubt)
}

func TestSendEndsWithItsContext(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and never greets
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	address, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatalf("listening on %T", listener.Addr())
	}
	m := newMail(t, deliver.MailConfig{Host: "127.0.0.1", Port: address.Port, Security: deliver.PlainLoopback})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		if conn, err := listener.Accept(); err == nil {
			cancel()
			_, _ = io.Copy(io.Discard, conn)
			_ = conn.Close()
		}
	}()
	mustFail(t, m.Send(ctx, message()), deliver.ErrNotNow)
	_ = listener.Close()
	mustFail(t, m.Send(t.Context(), message()), deliver.ErrNotNow)
}

func TestBadMessages(t *testing.T) {
	m := newMail(t, deliver.MailConfig{Host: "127.0.0.1", Port: 1, Security: deliver.PlainLoopback})
	for name, to := range map[string]string{
		"empty": "", "no address": "kim", "two": "a@post.example, b@post.example",
		"line break": "kim@post.example\r\nRCPT TO:<eve@post.example>", "long": strings.Repeat("k", 300) + "@post.example",
	} {
		t.Run(name, func(t *testing.T) {
			letter := message()
			letter.To = purser.NewPlain(to)
			mustFail(t, m.Send(t.Context(), letter), deliver.ErrBadMessage)
		})
	}
}

func TestEncryptionIsNotOptional(t *testing.T) {
	certificate, roots := certificate(t)
	offered := start(t, &server{}, &tls.Config{Certificates: []tls.Certificate{certificate}})
	missing := start(t, &server{}, nil)
	for _, c := range []struct {
		name string
		port int
		tls  *tls.Config
		want error
	}{
		{"offered and trusted", offered.Port, &tls.Config{RootCAs: roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}, nil},
		{"offered and not trusted", offered.Port, nil, deliver.ErrNotNow},
		{"not offered", missing.Port, &tls.Config{RootCAs: roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}, deliver.ErrNotNow},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMail(t, deliver.MailConfig{Host: "127.0.0.1", Port: c.port, TLS: c.tls})
			err := m.Send(t.Context(), message())
			if c.want == nil && err != nil {
				t.Fatalf("got error %v, want none", err)
			}
			if c.want != nil {
				mustFail(t, err, c.want)
			}
		})
	}
}

func TestImplicitTLS(t *testing.T) {
	certificate, roots := certificate(t)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	srv := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &server{}, nil }))
	srv.ErrorLog = quiet{}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(listener) }()
	defer func() {
		_ = srv.Close()
		<-done
	}()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	number, err := net.LookupPort("tcp", port)
	if err != nil {
		t.Fatal(err)
	}
	m := newMail(t, deliver.MailConfig{
		Host: "127.0.0.1", Port: number, Security: deliver.ImplicitTLS,
		TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
	})
	if err := m.Send(t.Context(), message()); err != nil {
		t.Fatalf("got error %v, want none", err)
	}
}

func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}, roots
}

func TestConfigurationProblems(t *testing.T) {
	for _, c := range []struct {
		name   string
		config deliver.MailConfig
		want   []string
	}{
		{"nothing set", deliver.MailConfig{}, []string{"mail.host", "mail.from"}},
		{"plain to the world", deliver.MailConfig{Host: "192.0.2.1", From: "a@b.example", Security: deliver.PlainLoopback}, []string{"loopback"}},
		{"plain by name", deliver.MailConfig{Host: "localhost", From: "a@b.example", Security: deliver.PlainLoopback}, []string{"loopback"}},
		{
			"password in clear",
			deliver.MailConfig{Host: "127.0.0.1", From: "a@b.example", Security: deliver.PlainLoopback, Password: "hush"},
			[]string{"mail.password"},
		},
		{"port and time", deliver.MailConfig{Host: "mx.example", From: "a@b.example", Port: 70000, Timeout: -1}, []string{"mail.port", "mail.timeout"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := deliver.NewMail(c.config)
			if err == nil {
				t.Fatal("got no error")
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not say %q", err, part)
				}
			}
			if strings.Contains(err.Error(), "hush") {
				t.Errorf("error %q holds the password", err)
			}
		})
	}
}
