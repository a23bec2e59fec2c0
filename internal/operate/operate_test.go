package operate_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"purser/internal/operate"
)

func TestParse(t *testing.T) {
	for name, c := range map[string]struct{ text, wantError string }{
		"empty":             {"", ""},
		"whole":             {"listen: 127.0.0.1:9000\norigin: https://desk.example.com\nregion: NZ\nmail: {host: mail.example.com, from: codes@example.com}\n", ""},
		"unknown key":       {"lisen: 1\n", "line 1"},
		"not yaml":          {"\t{", "not valid YAML"},
		"bad listen":        {"listen: here\n", "listen: is not host:port"},
		"http origin":       {"origin: http://desk.example.com\n", "origin: is not https"},
		"origin with path":  {"origin: https://desk.example.com/x\n", "origin: is not https"},
		"plain mail abroad": {"mail: {host: mail.example.com, from: a@example.com, plain: true}\n", "mail.plain"},
		"tls at once":       {"mail: {host: mail.example.com, from: a@example.com, implicit_tls: true}\n", ""},
		"465 with starttls": {"mail: {host: mail.example.com, from: a@example.com, port: 465}\n", "mail.port: is that of TLS"},
		"both":              {"mail: {host: 127.0.0.1, from: a@example.com, plain: true, implicit_tls: true}\n", "exclude each other"},
		"plain password":    {"mail: {host: 127.0.0.1, from: a@example.com, plain: true, username: a, password_file: b}\n", "in clear"},
		"plain by name":     {"mail: {host: localhost, from: a@example.com, plain: true}\n", "write 127.0.0.1"},
		"half a login":      {"mail: {host: mail.example.com, from: a@example.com, username: a}\n", "need each other"},
		"mail from nobody":  {"mail: {host: mail.example.com}\n", "mail.from: is not an address"},
		"region":            {"region: Australia\n", "region: is not two"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := operate.Parse([]byte(c.text))
			switch {
			case c.wantError == "" && err != nil:
				t.Fatalf("got %v, want no error", err)
			case c.wantError != "" && (err == nil || !strings.Contains(err.Error(), c.wantError)):
				t.Fatalf("got %v, want an error with %q", err, c.wantError)
			}
		})
	}
}

func TestMailPort(t *testing.T) {
	for text, want := range map[string]int{
		"mail: {host: h, from: a@b}\n":                                 587,
		"mail: {host: h, from: a@b, implicit_tls: true}\n":             465,
		"mail: {host: h, from: a@b, implicit_tls: true, port: 2465}\n": 2465,
	} {
		if c, err := operate.Parse([]byte(text)); err != nil || c.Mail.Port != want {
			t.Errorf("%s: got port %d and %v, want %d", text, c.Mail.Port, err, want)
		}
	}
}

func TestParseReportsEveryProblem(t *testing.T) {
	_, err := operate.Parse([]byte("listen: here\norigin: http://desk.example.com\nregion: x\n"))
	for _, want := range []string{"listen:", "origin:", "region:"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to name %s", err, want)
		}
	}
}

func TestParseNeverQuotesTheFile(t *testing.T) {
	_, err := operate.Parse([]byte("mail: hunter2secret\nhunter3secret: x\n"))
	if err == nil || strings.Contains(err.Error(), "hunter") {
		t.Fatalf("got %v, want an error without the file's text", err)
	}
}

func TestReadSecret(t *testing.T) {
	path := filepath.Join(t.TempDir(), "passphrase")
	write := func(text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	write("correct horse\nsecond line\n", 0o600)
	if got, err := operate.ReadSecret(path); err != nil || string(got) != "correct horse" {
		t.Fatalf("got %q, %v", got, err)
	}
	write("correct horse\n", 0o644)
	if _, err := operate.ReadSecret(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Fatalf("readable by others: got %v", err)
	}
	write("short\n", 0o600)
	if _, err := operate.ReadSecret(path); err == nil {
		t.Fatal("short secret: got no error")
	}
}

// A configuration is refused or sound, never a crash, and no error quotes it.
func FuzzParse(f *testing.F) {
	f.Add([]byte("listen: 127.0.0.1:9000\norigin: https://desk.example.com\n"))
	f.Add([]byte("mail: {host: mail.example.com, from: a@example.com}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := operate.Parse(text)
		if err == nil && c.Check() != nil {
			t.Fatalf("accepted what it calls unsound: %v", c.Check())
		}
	})
}
