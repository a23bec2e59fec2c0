package httpapi_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"purser"
	"purser/internal/edge/httpapi"
	"purser/internal/edge/web"
	"purser/internal/synth"
)

// Everything in the route table is described, and nothing else is.
func TestEveryRouteIsDescribed(t *testing.T) {
	clock := synth.NewClock(time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC))
	_, handler := httpapi.New(httpapi.Config{Version: "test", Clock: clock, Web: web.New(web.Config{
		Clock: clock, Log: slog.New(slog.DiscardHandler), Reference: func(purser.Pos) string { return "" },
	})})
	got := httptest.NewRecorder()
	handler.ServeHTTP(got, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	var doc struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(got.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	described := 0
	for _, methods := range doc.Paths {
		described += len(methods)
	}
	for _, r := range httpapi.Routes() {
		if doc.Paths[r[1]][strings.ToLower(r[0])] == nil {
			t.Errorf("%s %s is not described", r[0], r[1])
		}
	}
	if want := len(httpapi.Routes()); described != want {
		t.Errorf("got %d routes described, want the %d of the table", described, want)
	}
}
