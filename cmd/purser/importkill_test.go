package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The small form of what is run by hand with six million rows: an import that
// is killed three times ends with the people who were generated, each once.
func TestSuiteAKilledImportLosesNobody(t *testing.T) {
	program := filepath.Join(t.TempDir(), "purser")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), program, "bench", "import", "--quick", "--kill", "--dir", t.TempDir())
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil || !strings.Contains(string(out), "as generated") {
		t.Fatalf("killed on the way: %v", err)
	}
}
