//go:build kms

package kms_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"purser"
	"purser/internal/kms"
	"purser/internal/seal"
)

// localKey is a service that the machine itself plays.
func localKey(fill byte) string {
	return "base64key://" + base64.URLEncoding.EncodeToString(bytes.Repeat([]byte{fill}, 32))
}

func options(t *testing.T, url string) seal.Options {
	t.Helper()
	return seal.Options{Path: filepath.Join(t.TempDir(), seal.KeysetName), Deployment: "airline-1", Master: kms.Open(url)}
}

func TestAKeysetUnderAService(t *testing.T) {
	o := options(t, localKey(1))
	k, err := seal.Create(o)
	if err != nil {
		t.Fatal(err)
	}
	again, err := seal.Open(o)
	if err != nil || again.Commit("x") != k.Commit("x") || again.Warning() != "" {
		t.Fatalf("open: %v, warning %q", err, again.Warning())
	}
	now, _ := again.InForce(purser.KeyWrap)
	if _, err := again.Add(o, purser.KeyWrap, []uint32{now}); err != nil {
		t.Fatalf("add a key: %v", err)
	}
	if third, err := seal.Open(o); err != nil || len(third.Numbers(purser.KeyWrap)) != 2 {
		t.Fatalf("open with two keys: %v", err)
	}
	whole, err := os.ReadFile(o.Path)
	if err != nil || !bytes.Contains(whole, []byte("protection kms\n")) {
		t.Fatalf("the file does not say so, %v", err)
	}
}

func TestAnotherKeyOfTheServiceOpensNothing(t *testing.T) {
	o := options(t, localKey(1))
	if _, err := seal.Create(o); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{localKey(2), "base64key://short", "nothing://here", ""} {
		o.Master = kms.Open(url)
		_, err := seal.Open(o)
		if !errors.Is(err, seal.ErrMaster) {
			t.Errorf("%q: got %v, want ErrMaster", url, err)
		}
		if key := strings.TrimPrefix(url, "base64key://"); err != nil && key != url && strings.Contains(err.Error(), key) {
			t.Errorf("%q: the error holds the key", url)
		}
	}
}
