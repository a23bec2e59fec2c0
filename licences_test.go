package purser_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// A licence is recognised by words that stand in it and in no other.
type licence struct {
	name string
	says []string // each of them, with white space collapsed and in lower case
}

var shippable = []licence{
	{"MIT", []string{"permission is hereby granted, free of charge, to any person obtaining a copy"}},
	{"BSD", []string{"redistribution and use in source and binary forms, with or without modification, are permitted"}},
	{"ISC or 0BSD", []string{"permission to use, copy, modify, and", "distribute this software for any purpose with or without fee is hereby granted"}},
	{"Apache-2.0", []string{"apache license", "version 2.0", "licensor"}},
	{"Apache-2.0 by notice", []string{"licensed under the apache license, version 2.0"}},
}

// testsOnly may be linked into test binaries and never into the product.
var testsOnly = []licence{
	{"MPL-2.0", []string{"mozilla public license version 2.0"}},
}

// refused are licences that the product may not carry, whatever else stands beside them.
var refused = []licence{
	{"GPL", []string{"gnu general public license version"}},
	{"LGPL", []string{"gnu lesser general public license version"}},
	{"AGPL", []string{"gnu affero general public license version"}},
	{"BUSL", []string{"business source license"}},
	{"SSPL", []string{"server side public license"}},
	{"Elastic", []string{"elastic license"}},
	{"Commons Clause", []string{"commons clause"}},
}

// raised are requirements that no file of ours imports: they lift what
// another module asks for. Their rows in docs/dependencies.md say why.
var raised = []string{"modernc.org/sqlite"}

const dependencies = "docs/dependencies.md"

func TestLicencesOfWhatWeLink(t *testing.T) {
	noteEveryFile(t)
	shipped := linked(t, program(t))
	for _, dir := range slices.Sorted(maps.Keys(shipped)) {
		if err := licensed(dir, shippable); err != nil {
			t.Errorf("%s is linked into the product: %v", shipped[dir], err)
		}
	}
	forTests := linked(t, "-test", "./...")
	for _, dir := range slices.Sorted(maps.Keys(forTests)) {
		if err := licensed(dir, slices.Concat(shippable, testsOnly)); err != nil {
			t.Errorf("%s is linked into tests: %v", forTests[dir], err)
		}
	}
}

// The build with key-management services has a module file of its own.
func TestSuiteLicencesOfTheKMSBuild(t *testing.T) {
	noteEveryFile(t)
	shipped := linked(t, "-modfile=kms.mod", "-tags=kms", program(t))
	for _, dir := range slices.Sorted(maps.Keys(shipped)) {
		if err := licensed(dir, shippable); err != nil {
			t.Errorf("%s is linked into the build with key-management services: %v", shipped[dir], err)
		}
	}
}

// kms.mod adds to go.mod: what go.mod names it names at the same version, and
// kms.sum holds all of go.sum. A suite test, so that a new dependency does not
// have to enter both files in one commit.
func TestSuiteKMSBuildRaisesNothing(t *testing.T) {
	usual, kms := required(t, "go.mod"), required(t, "kms.mod")
	for _, mod := range slices.Sorted(maps.Keys(usual)) {
		if kms[mod] != usual[mod] {
			t.Errorf("kms.mod has %s at %q, want %q as in go.mod", mod, kms[mod], usual[mod])
		}
	}
}

func TestLicencesAreRecognised(t *testing.T) {
	mit := "Permission is hereby granted, free of\ncharge, to any person obtaining a copy of this software"
	mpl := "Mozilla Public License Version 2.0\n1.12 the GNU General Public License, Version 2.0"
	gpl := "GNU GENERAL PUBLIC LICENSE\n   Version 3, 29 June 2007"
	for _, c := range []struct {
		name    string
		files   map[string]string
		allowed []licence
		want    string // "" means accepted
	}{
		{"permissive", map[string]string{"LICENSE": mit}, shippable, ""},
		{"spelled otherwise", map[string]string{"copying.txt": mit}, shippable, ""},
		{"none", map[string]string{"README": mit}, shippable, "no licence file"},
		{"unknown", map[string]string{"LICENSE": "Be kind."}, shippable, "LICENSE is none of"},
		{"file licence in the product", map[string]string{"LICENSE": mpl}, shippable, "LICENSE is none of"},
		{"file licence in tests", map[string]string{"LICENSE": mpl}, testsOnly, ""},
		{"copyleft", map[string]string{"LICENSE": gpl}, shippable, "LICENSE holds GPL"},
		{"copyleft beside permissive", map[string]string{"LICENSE": mit, "LICENSE-PARTS": gpl}, shippable, "LICENSE-PARTS holds GPL"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range c.files {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			err := licensed(dir, c.allowed)
			if c.want == "" && err != nil {
				t.Fatalf("got %v, want no error", err)
			}
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Fatalf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestDependenciesHaveTheirReason(t *testing.T) {
	versions := required(t, "kms.mod") // what the build with key-management services adds
	maps.Copy(versions, required(t, "go.mod"))
	rows := dependencyRows(t)
	used := importedModules(t, versions)
	for _, mod := range used {
		if rows[mod] == "" {
			t.Errorf("%s is imported and has no row in %s", mod, dependencies)
		}
	}
	for _, mod := range slices.Sorted(maps.Keys(rows)) {
		if got, want := rows[mod], versions[mod]; got != want {
			t.Errorf("%s gives %s as %s, want %q as in go.mod", dependencies, mod, got, want)
		}
		if !slices.Contains(used, mod) && !slices.Contains(raised, mod) {
			t.Errorf("%s has a row in %s and no file imports it", mod, dependencies)
		}
	}
}

// licensed reports why the licence files of a module's folder are not acceptable.
func licensed(dir string, allowed []licence) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	found := false
	for _, e := range entries {
		base, suffix, _ := strings.Cut(strings.ToLower(e.Name()), "-")
		base, _, _ = strings.Cut(base, ".")
		if e.IsDir() || !slices.Contains([]string{"license", "licence", "copying", "unlicense"}, base) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		if name := recognise(text, refused); name != "" {
			return fmt.Errorf("%s holds %s", e.Name(), name)
		}
		// LICENSE-PARTS names what is inside; the module's own licence has no such suffix.
		if suffix != "" {
			continue
		}
		if recognise(text, allowed) == "" {
			return fmt.Errorf("%s is none of the allowed licences", e.Name())
		}
		found = true
	}
	if !found {
		return fmt.Errorf("no licence file in %s", filepath.Base(dir))
	}
	return nil
}

func recognise(text []byte, among []licence) string {
	flat := strings.ToLower(string(bytes.Join(bytes.Fields(text), []byte(" "))))
	for _, l := range among {
		if !slices.ContainsFunc(l.says, func(s string) bool { return !strings.Contains(flat, s) }) {
			return l.name
		}
	}
	return ""
}

// noteEveryFile opens each Go file, go.mod and go.sum, so that the test cache
// runs this test again when one changes: it does not see what the go command reads.
func noteEveryFile(t *testing.T) {
	t.Helper()
	if _, err := readTree(os.DirFS(".")); err != nil {
		t.Fatalf("read the tree: %v", err)
	}
	for _, name := range []string{"go.mod", "go.sum", "kms.mod", "kms.sum"} {
		if _, err := os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
}

// program is what is shipped.
func program(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat("cmd/purser"); err != nil {
		return "./..."
	}
	return "./cmd/purser"
}

// linked asks the go command which modules of others a build takes in: folder to path and version.
func linked(t *testing.T, args ...string) map[string]string {
	t.Helper()
	format := `{{with .Module}}{{if not .Main}}{{.Dir}}` + "\t" + `{{.Path}} {{.Version}}{{end}}{{end}}`
	cmd := exec.Command("go", append([]string{"list", "-deps", "-f", format}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	modules := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		if dir, mod, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			modules[dir] = mod
		}
	}
	return modules
}

// required gives the version of each module in a module file.
func required(t *testing.T, name string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	mod, err := modfile.Parse(name, text, nil)
	if err != nil {
		t.Fatal(err)
	}
	versions := make(map[string]string)
	for _, r := range mod.Require {
		versions[r.Mod.Path] = r.Mod.Version
	}
	return versions
}

// dependencyRows gives the version that each row of the page names.
func dependencyRows(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(dependencies)
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[string]string)
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` (\\S+) \\|").FindAllStringSubmatch(string(text), -1) {
		rows[m[1]] = m[2]
	}
	return rows
}

// importedModules are the modules that files of ours name, tests included.
func importedModules(t *testing.T, versions map[string]string) []string {
	t.Helper()
	whole, err := readTree(os.DirFS("."))
	if err != nil {
		t.Fatalf("read the tree: %v", err)
	}
	var used []string
	for _, s := range whole.sources {
		for imported := range s.imports() {
			if mod := moduleOf(imported, versions); mod != "" {
				used = append(used, mod)
			}
		}
	}
	slices.Sort(used)
	return slices.Compact(used)
}

// moduleOf is the longest required path that holds the import; "" for ours and the standard library.
func moduleOf(imported string, versions map[string]string) string {
	longest := ""
	for mod := range versions {
		if (imported == mod || strings.HasPrefix(imported, mod+"/")) && len(mod) > len(longest) {
			longest = mod
		}
	}
	return longest
}
