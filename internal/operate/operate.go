// Package operate owns what an operator writes and asks: the configuration
// file, and the checks that name every problem of it together with the way
// out.
//
// It does not own the wiring (internal/server) or anything of the running
// process. Secrets are never in the file, only paths to them.
//
// Start reading at [Config].
package operate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ConfigName is the file inside the data directory.
const ConfigName = "purser.yaml"

// Config is purser.yaml. Zero values mean the documented defaults; unknown
// keys are refused.
type Config struct {
	// Listen is host:port for the API. Default 127.0.0.1:8700: Purser speaks
	// plain HTTP and expects a TLS proxy in front of it.
	Listen string `yaml:"listen"`
	// Origin is what browsers see, scheme and host, and names the relying
	// party of passkeys. Default http://localhost and the port of Listen.
	Origin string `yaml:"origin"`
	// PassphraseFile holds the passphrase of the keyset on its first line.
	// Default: the environment variable PURSER_PASSPHRASE_FILE.
	PassphraseFile string `yaml:"passphrase_file"`
	// KeysetKMS names a key of a key-management service that encrypts the keyset
	// in place of a passphrase.
	KeysetKMS string `yaml:"keyset_kms"`
	// Mail is where codes are handed over.
	Mail Mail `yaml:"mail"`
	// Company is the name that code mails give. Default Purser.
	Company string `yaml:"company"`
	// Region completes phone numbers without a country code, as an ISO 3166
	// letter pair. Default AU.
	Region string `yaml:"region"`
}

// Mail is the SMTP server that takes code mails.
type Mail struct {
	Host string `yaml:"host"`
	// Port is 587 by default, and 465 with ImplicitTLS.
	Port int    `yaml:"port"`
	From string `yaml:"from"`
	// ImplicitTLS speaks TLS from the first byte, instead of STARTTLS.
	ImplicitTLS bool `yaml:"implicit_tls"`
	// Plain allows a connection without TLS, to a loopback address only.
	Plain        bool   `yaml:"plain"`
	Username     string `yaml:"username"`
	PasswordFile string `yaml:"password_file"`
}

// The ports of mail servers: with STARTTLS, and with TLS from the first byte.
const (
	submission  = 587
	submissions = 465
)

// Problem is one thing wrong with a configuration.
type Problem struct{ Key, Found, WayOut string }

// Error names key, value and way out.
func (p Problem) Error() string {
	return fmt.Sprintf("%s: %s; %s", p.Key, p.Found, p.WayOut)
}

// Load reads the configuration of a data directory; a missing file is the
// default configuration. All problems are reported together.
func Load(dir string) (Config, error) {
	path := filepath.Join(dir, ConfigName)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Parse(nil)
	}
	if err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", err)
	}
	c, err := Parse(b)
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// Parse reads configuration text and fills in the defaults.
func Parse(text []byte) (Config, error) {
	var c Config
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return Config{}, Problem{"file", "is not a configuration Purser knows", "compare with docs/operate/configuration.md: " + yamlPlace(err)}
	}
	c.defaults()
	return c, c.Check()
}

// yamlPlace keeps the line numbers of a YAML error; the text it quotes could
// be a secret put into the wrong place.
func yamlPlace(err error) string {
	var typed *yaml.TypeError
	if !errors.As(err, &typed) {
		return "it is not valid YAML"
	}
	places := make([]string, 0, len(typed.Errors))
	for _, e := range typed.Errors {
		place, _, _ := strings.Cut(e, ":")
		places = append(places, place)
	}
	return strings.Join(places, ", ")
}

func (c *Config) defaults() {
	if c.Listen == "" {
		c.Listen = "127.0.0.1:8700"
	}
	if c.Origin == "" {
		if _, port, err := net.SplitHostPort(c.Listen); err == nil {
			c.Origin = "http://localhost:" + port
		}
	}
	if c.PassphraseFile == "" && c.KeysetKMS == "" {
		c.PassphraseFile = os.Getenv("PURSER_PASSPHRASE_FILE")
	}
	if c.Mail.Port == 0 {
		c.Mail.Port = submission
		if c.Mail.ImplicitTLS {
			c.Mail.Port = submissions
		}
	}
	if c.Company == "" {
		c.Company = "Purser"
	}
	if c.Region == "" {
		c.Region = "AU"
	}
}

// Check returns all problems of the configuration joined, or nil.
func (c Config) Check() error {
	var problems []error
	wrong := func(key, found, wayOut string) { problems = append(problems, Problem{key, found, wayOut}) }
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		wrong("listen", "is not host:port", "write for example 127.0.0.1:8700")
	}
	if u, err := url.Parse(c.Origin); err != nil || u.Host == "" || u.Path != "" || (u.Scheme != "https" && u.Hostname() != "localhost") {
		wrong("origin", "is not https://host", "write the address agents type, without a path; http is only for localhost")
	}
	if c.KeysetKMS != "" && (c.PassphraseFile != "" || !strings.Contains(c.KeysetKMS, "://")) {
		wrong("keyset_kms", "is no URL, or stands beside passphrase_file", "write for example awskms://alias/purser?region=ap-southeast-2, and remove passphrase_file")
	}
	if len(c.Region) != 2 || strings.ToUpper(c.Region) != c.Region {
		wrong("region", "is not two capital letters", "write an ISO 3166 code such as AU")
	}
	if c.Mail.Host != "" {
		c.checkMail(wrong)
	}
	return errors.Join(problems...)
}

func (c Config) checkMail(wrong func(key, found, wayOut string)) {
	m := c.Mail
	if !strings.Contains(m.From, "@") {
		wrong("mail.from", "is not an address", "write the sender of code mails")
	}
	if m.Port < 1 || m.Port > 65535 {
		wrong("mail.port", "is not a port", "write 587 or the port of your server")
	}
	if m.Port == submissions && !m.ImplicitTLS {
		wrong("mail.port", "is that of TLS from the first byte", "add implicit_tls: true, or use 587")
	}
	if (m.Username == "") != (m.PasswordFile == "") {
		wrong("mail.username", "and mail.password_file need each other", "write both, or neither to send without a login")
	}
	if m.Plain {
		m.checkPlain(wrong)
	}
}

// checkPlain looks at a connection without TLS.
func (m Mail) checkPlain(wrong func(key, found, wayOut string)) {
	if ip := net.ParseIP(m.Host); ip == nil || !ip.IsLoopback() {
		wrong("mail.plain", "is set and mail.host is no loopback address", "write 127.0.0.1 as mail.host, or remove mail.plain, so that the connection uses TLS")
	}
	if m.ImplicitTLS {
		wrong("mail.plain", "and mail.implicit_tls exclude each other", "remove one of them")
	}
	if m.PasswordFile != "" {
		wrong("mail.plain", "would send the password in clear", "remove mail.plain, or the login")
	}
}

// Host returns the relying party id: the host name of the origin.
func (c Config) Host() string {
	u, err := url.Parse(c.Origin)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// Passphrase reads the passphrase file.
func (c Config) Passphrase() ([]byte, error) {
	if c.PassphraseFile == "" {
		return nil, Problem{"passphrase_file", "is not set", "write it into purser.yaml or set PURSER_PASSPHRASE_FILE"}
	}
	return ReadSecret(c.PassphraseFile)
}

// ReadSecret reads the first line of a secret's file and refuses a file that
// others may read.
func ReadSecret(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read secret: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("read secret %s: others may read it; run chmod 600 on it", path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read secret: %w", err)
	}
	line, _, _ := bytes.Cut(b, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	if len(line) < 8 {
		return nil, fmt.Errorf("read secret %s: its first line has under 8 characters; write a longer one", path)
	}
	return line, nil
}
