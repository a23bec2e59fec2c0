package server_test

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"purser/internal/server"
	"purser/internal/synth"
	"purser/internal/workforce"
)

func TestInitServeHealth(t *testing.T) {
	clock := synth.NewClock(time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC))
	dir := filepath.Join(t.TempDir(), "data")
	made, err := server.Init(t.Context(), server.InitConfig{Data: dir, Host: "localhost", Clock: clock, Random: rand.Reader, Software: "test", Labelled: true})
	if err != nil {
		t.Fatal(err)
	}
	if made.Verifier == "" || made.Warning == "" {
		t.Fatalf("got %+v", made)
	}
	d, err := server.Open(t.Context(), server.Config{
		Data: dir, Clock: clock, Random: rand.Reader, Software: "test", Labelled: true, Region: "AU", Company: "Example Air",
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		RP:     workforce.RP{ID: "localhost", Name: "Purser", Origins: []string{"http://localhost"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.Serve(t.Context(), d, l)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/healthz", "/openapi.json", "/v1/contacts", "/nowhere"} {
		resp, err := http.Get("http://" + s.Address() + path)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		t.Log(path, resp.StatusCode, string(b[:min(len(b), 300)]))
	}
	if err := s.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}
