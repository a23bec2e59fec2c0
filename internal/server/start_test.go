package server_test

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"purser/internal/ledger"
	"purser/internal/server"
	store "purser/internal/store/sqlite"
	"purser/internal/synth"
	"purser/proof"
)

// Whoever can write to the database can rewrite the ledger, its checkpoint and
// the key that checks it. The signing key he does not have, and the start says
// so. Seen to fail with the stored checkpoint read without its signature, and
// with the stored key not held against the signing key.
func TestLaw10AForgedSignatureStopsTheStart(t *testing.T) {
	clock := synth.NewClock(time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC))
	for _, c := range []struct {
		name   string
		forge  func(t *testing.T, dir string, signer note.Signer, verifier string)
		want   error // nil: a fault
		saying string
	}{
		{"another key's checkpoint", func(t *testing.T, dir string, signer note.Signer, _ string) {
			forgeCheckpoint(t, dir, signer)
		}, ledger.ErrCorrupt, "not signed by the given key"},
		{"and another key to check it", func(t *testing.T, dir string, signer note.Signer, verifier string) {
			forgeCheckpoint(t, dir, signer)
			change(t, dir, "UPDATE setting SET value = CAST(? AS BLOB) WHERE name = 'verifier'", verifier)
		}, nil, "is not that of the signing key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			made, err := server.Init(t.Context(), server.InitConfig{
				Data: dir, Host: "localhost", Clock: clock, Random: rand.Reader, Software: "test", Labelled: true,
			})
			must(t, err)
			name, _, _ := strings.Cut(made.Verifier, "+")
			secret, public, err := note.GenerateKey(rand.Reader, name)
			must(t, err)
			signer, err := note.NewSigner(secret)
			must(t, err)
			c.forge(t, dir, signer, public)
			d, err := server.Open(t.Context(), server.Config{
				Data: dir, Clock: clock, Random: rand.Reader, Software: "test", Labelled: true, Region: "AU", RP: rp,
				Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
			})
			if err == nil {
				must(t, d.Close())
				t.Fatal("it started")
			}
			if c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.saying) {
				t.Errorf("got %v, want %q", err, c.saying)
			}
		})
	}
}

// forgeCheckpoint signs the ledger that stands there with another key.
func forgeCheckpoint(t *testing.T, dir string, signer note.Signer) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{Dir: dir})
	must(t, err)
	head, err := db.Head(t.Context())
	must(t, err)
	signed, err := proof.Checkpoint{Origin: signer.Name(), Size: head.Size, Root: head.Root}.Sign(signer)
	must(t, err)
	must(t, db.Close())
	change(t, dir, "DELETE FROM checkpoint")
	change(t, dir, "INSERT INTO checkpoint (size, note) VALUES (?, CAST(? AS BLOB))", int64(head.Size), string(signed))
}

// change runs one statement behind the server's back.
func change(t *testing.T, dir, statement string, args ...any) {
	t.Helper()
	conn, err := sqlite.OpenConn(filepath.Join(dir, store.FileName), sqlite.OpenReadWrite)
	must(t, err)
	must(t, errors.Join(sqlitex.ExecuteTransient(conn, statement, &sqlitex.ExecOptions{Args: args}), conn.Close()))
}

// A snapshot that is gone costs time and nothing else, and is told.
func TestALostSnapshotIsToldAtStart(t *testing.T) {
	clock := synth.NewClock(time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC))
	dir := filepath.Join(t.TempDir(), "data")
	_, err := server.Init(t.Context(), server.InitConfig{
		Data: dir, Host: "localhost", Clock: clock, Random: rand.Reader, Software: "test", Labelled: true,
	})
	must(t, err)
	logs := new(syncBuffer)
	open := func() *server.Deployment {
		d, err := server.Open(t.Context(), server.Config{
			Data: dir, Clock: clock, Random: rand.Reader, Software: "test", Labelled: true, Region: "AU", RP: rp,
			Logger: slog.New(slog.NewTextHandler(logs, nil)), SnapshotEvery: 1,
		})
		must(t, err)
		return d
	}
	d := open()
	for from := d.Status().Size; d.Status().Size < from+3; { // each snapshot is an entry more
		<-time.After(time.Millisecond)
	}
	must(t, d.Close())
	if got := string(logs.Bytes()); got != "" {
		t.Fatalf("got log %s, want none yet", got)
	}
	change(t, dir, "DELETE FROM snapshot")
	d = open()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	s, err := server.Serve(t.Context(), d, l)
	must(t, err)
	if got := metricsOf(t, dir); !strings.Contains(got, "\npurser_ledger_trouble_total 1\n") {
		t.Errorf("got metrics %s", got)
	}
	if got := string(logs.Bytes()); !strings.Contains(got, "is bound by an entry and is not there") {
		t.Errorf("got log %s", got)
	}
	must(t, errors.Join(s.Shutdown(t.Context()), d.Close()))
}

// metricsOf asks the operator's door of a served directory.
func metricsOf(t *testing.T, dir string) string {
	t.Helper()
	local := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(dir, server.DoorName))
	}}}
	resp, err := local.Get("http://local/local/metrics")
	must(t, err)
	text, err := io.ReadAll(resp.Body)
	must(t, errors.Join(err, resp.Body.Close()))
	return string(text)
}
