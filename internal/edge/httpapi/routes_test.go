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

// described returns the API's own description.
func described(t *testing.T, into any) {
	t.Helper()
	clock := synth.NewClock(time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC))
	_, handler := httpapi.New(httpapi.Config{Version: "test", Clock: clock, Web: web.New(web.Config{
		Clock: clock, Log: slog.New(slog.DiscardHandler), Reference: func(purser.Pos) string { return "" },
	})})
	got := httptest.NewRecorder()
	handler.ServeHTTP(got, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	if err := json.Unmarshal(got.Body.Bytes(), into); err != nil {
		t.Fatal(err)
	}
}

// An answer that can hold a value or a secret is marked so in the table, and is
// never kept. Seen to fail without the mark of POST /v1/changes.
func TestNoRouteKeepsSecrets(t *testing.T) {
	var doc struct {
		Paths map[string]map[string]struct {
			Responses map[string]struct {
				Content map[string]struct {
					Schema struct {
						Ref string `json:"$ref"`
					}
				}
			}
		}
		Components struct {
			Schemas map[string]struct{ Properties map[string]json.RawMessage }
		}
	}
	described(t, &doc)
	found := 0
	for _, r := range httpapi.Routes() {
		answers := doc.Paths[r[1]][strings.ToLower(r[0])].Responses["200"].Content["application/json"]
		schema, ok := doc.Components.Schemas[strings.TrimPrefix(answers.Schema.Ref, "#/components/schemas/")]
		if !ok {
			t.Errorf("%s %s: no schema of its answers", r[0], r[1])
		}
		for _, name := range []string{"secret", "fields"} {
			if _, has := schema.Properties[name]; !has {
				continue
			}
			found++
			if plain, secret := httpapi.Keeps(r[0], r[1]); secret || (plain && name == "fields") {
				t.Errorf("%s %s: an answer with %s may be kept", r[0], r[1], name)
			}
		}
	}
	if found != 3 {
		t.Errorf("got %d routes whose answers hold values or secrets, want 3", found)
	}
}

// Everything in the route table is described, and nothing else is.
func TestEveryRouteIsDescribed(t *testing.T) {
	var doc struct {
		Paths map[string]map[string]json.RawMessage
	}
	described(t, &doc)
	paths := 0
	for _, methods := range doc.Paths {
		paths += len(methods)
	}
	for _, r := range httpapi.Routes() {
		if doc.Paths[r[1]][strings.ToLower(r[0])] == nil {
			t.Errorf("%s %s is not described", r[0], r[1])
		}
	}
	if want := len(httpapi.Routes()); paths != want {
		t.Errorf("got %d routes described, want the %d of the table", paths, want)
	}
}
