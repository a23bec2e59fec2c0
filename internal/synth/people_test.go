package synth_test

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

// The table of names is read leniently at run time, so it is checked here.
func TestNamesTableIsWellFormed(t *testing.T) {
	table, err := os.ReadFile("names.tsv")
	if err != nil {
		t.Fatal(err)
	}
	seen, last := map[string]bool{}, ""
	for i, line := range strings.Split(strings.TrimSuffix(string(table), "\n"), "\n") {
		column := strings.Split(line, "\t")
		if len(column) != 4 || column[1] != "given" && column[1] != "family" {
			t.Fatalf("line %d: got %q, want script, given or family, name, name in A-Z", i+1, line)
		}
		if column[0] != last && seen[column[0]] {
			t.Fatalf("line %d: script %s stands in two places", i+1, column[0])
		}
		last = column[0]
		seen[last] = true
		if !norm.NFC.IsNormalString(column[2]) || strings.Trim(column[3], "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") != "" {
			t.Fatalf("line %d: got %q, want the name in NFC and its form in A-Z", i+1, line)
		}
	}
	if len(seen) != 10 {
		t.Fatalf("got %d scripts, want 10", len(seen))
	}
}
