package purser_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// readsClock may ask what time it is. Everybody else gets a stamp or a clock.
var readsClock = []string{"internal/ledger", "internal/server", "internal/demo", "internal/bench", "cmd/..."}

// drawsWithSeed may use math/rand, always with a named seed.
var drawsWithSeed = []string{"internal/synth", "internal/demo", "internal/bench"}

// reveals may take the text out of an opened value: the gate and the sealing
// below it, the ways out, and the edge that answers a disclosure.
var reveals = []string{
	"internal/gate", "internal/seal", "internal/record", "internal/deliver", "internal/edge/httpapi",
}

// redeems may turn a receipt into what it allows to be opened.
var redeems = []string{"internal/seal"}

// releases may open fields under a mandate: the gate itself, and the work that
// writes them to an encrypted file or compares them. No edge, so that nothing
// of a release reaches a session's screen.
var releases = []string{"internal/gate", "internal/server"}

// logs may write log events. The root is here for the value that a logger
// shows in place of an opened field. Domain packages do not log.
var logs = []string{
	".", "internal/edge/...", "internal/server", "internal/operate", "internal/demo", "internal/bench", "cmd/...",
}

// pure is values and functions alone: no clock, no randomness, no input or output.
var pure = []string{".", "internal/rule/...", "internal/fold"}

// exact computes what a replay must repeat byte for byte on any machine (L2).
var exact = []string{"internal/rule/...", "internal/fold"}

// impure is what a pure package may not import.
var impure = []string{
	"context", "crypto/rand", "database/sql", "log", "math/rand", "math/rand/v2", "net", "net/http",
	"os", "os/exec", "os/signal", "os/user", "syscall",
}

// vagueNames say nothing about what a package owns.
var vagueNames = []string{"util", "utils", "common", "helper", "helpers", "types", "models", "core", "manager", "base"}

// Sizes in lines of production code.
const (
	mostInFile = 500
	// A share is asked only of a tree that is large enough for shares to mean something.
	shareCounts = 5000
	mostShare   = 15 // per cent
)

// mostInPackage holds the packages that would otherwise swallow the others.
// The root is counted without comments and blank lines, since it documents
// every kind of entry (decision 0001); gate holds all acts on a customer (0013).
var mostInPackage = map[string]int{".": 1500, "internal/gate": 1900}

func TestOnlyTheWiringReadsTheClock(t *testing.T) {
	mustHold(t, clockReaders)
	body := "package p\nimport \"time\"\nfunc f() time.Time { return time.Now() }\n"
	renamed := "package p\nimport clock \"time\"\nvar f = clock.Since\n"
	mustSee(t, clockReaders, []breach{
		{"in a rule", oneFile("internal/rule/budget/budget.go", body), "budget.go:3 reads the clock with time.Now"},
		{"by another name, as a value", oneFile("internal/gate/gate.go", renamed), "gate.go:3 reads the clock with time.Since"},
		{"in the ledger", oneFile("internal/ledger/writer.go", body), ""},
		{"in a command", oneFile("cmd/purser/serve.go", body), ""},
		{"in a test", oneFile("internal/gate/gate_test.go", body), ""},
		{"another package's Now", oneFile("internal/gate/gate.go", "package p\nvar f = clock.Now\n"), ""},
	})
}

func TestOnlyMadeUpDataDrawsWithASeed(t *testing.T) {
	mustHold(t, seededDraws)
	mustSee(t, seededDraws, []breach{
		{"in the gate", goFile("internal/gate/gate.go", "gate", "math/rand/v2"), "gate.go imports math/rand/v2"},
		{"in synth", goFile("internal/synth/synth.go", "synth", "math/rand/v2"), ""},
		{"in a test", goFile("internal/gate/gate_test.go", "gate", "math/rand"), ""},
	})
}

func TestLaw06OnlyListedPackagesReveal(t *testing.T) {
	revealers := func(t *tree) []string { return t.selected(reveals, "Reveal", "reveals an opened value") }
	mustHold(t, revealers)
	body := "package p\nfunc f(v interface{ Reveal() string }) string { return v.Reveal() }\n"
	mustSee(t, revealers, []breach{
		{"in the wiring", oneFile("internal/server/server.go", body), "server.go:2 reveals an opened value"},
		{"as a method value", oneFile("internal/synth/synth.go", "package p\nvar f = v.Reveal\n"), "synth.go:2 reveals"},
		{"in the gate", oneFile("internal/gate/gate.go", body), ""},
		{"its declaration", oneFile("plain.go", "package purser\nfunc (p Plain) Reveal() string { return p.text }\n"), ""},
		{"in a test", oneFile("internal/server/server_test.go", body), ""},
	})
}

func TestLaw01OnlySealRedeemsReceipts(t *testing.T) {
	redeemers := func(t *tree) []string {
		return append(t.selected(redeems, "Redeem", "redeems a receipt"), t.selected(redeems, "RedeemAll", "redeems a receipt")...)
	}
	mustHold(t, redeemers)
	body := "package p\nfunc f(r ledger.Receipt) { r.Redeem() }\n"
	mustSee(t, redeemers, []breach{
		{"in the gate", oneFile("internal/gate/gate.go", body), "gate.go:2 redeems a receipt"},
		{"of a release", oneFile("internal/gate/gate.go", strings.Replace(body, "Redeem", "RedeemAll", 1)), "gate.go:2 redeems a receipt"},
		{"in seal", oneFile("internal/seal/seal.go", body), ""},
	})
}

func TestLaw01OnlyDeliveriesRelease(t *testing.T) {
	releasers := func(t *tree) []string { return t.selected(releases, "ReleaseTo", "releases fields") }
	mustHold(t, releasers)
	body := "package p\nfunc f(g *gate.Gate) { g.ReleaseTo() }\n"
	mustSee(t, releasers, []breach{
		{"at an edge", oneFile("internal/edge/httpapi/mandates.go", body), "mandates.go:2 releases fields"},
		{"in the wiring", oneFile("internal/server/export.go", body), ""},
	})
}

func TestDomainPackagesDoNotLog(t *testing.T) {
	mustHold(t, loggers)
	mustSee(t, loggers, []breach{
		{"in the gate", goFile("internal/gate/gate.go", "gate", "log/slog"), "gate.go imports log/slog"},
		{"at an edge", goFile("internal/edge/web/web.go", "web", "log/slog"), ""},
		{"the old logger anywhere", goFile("internal/edge/web/web.go", "web", "log"), "web.go imports log"},
	})
}

func TestRulesArePure(t *testing.T) {
	mustHold(t, impurities)
	mustSee(t, impurities, []breach{
		{"file access in a rule", goFile("internal/rule/policy/policy.go", "policy", "os"), "policy.go imports os"},
		{"context in the root", goFile("entry.go", "purser", "context"), "entry.go imports context"},
		{"goroutine in the fold", oneFile("internal/fold/fold.go", "package fold\nfunc f() { go f() }\n"), "fold.go:2 starts a goroutine"},
		{"context in the gate", goFile("internal/gate/gate.go", "gate", "context"), ""},
	})
}

func TestLaw02NoFloatingPointInTheFold(t *testing.T) {
	mustHold(t, floats)
	mustSee(t, floats, []breach{
		{"type", oneFile("internal/fold/fold.go", "package fold\nvar f float64\n"), "fold.go:2 uses float64"},
		{"conversion", oneFile("internal/rule/budget/budget.go", "package budget\nvar f = int(float32(1))\n"), "budget.go:2 uses float32"},
		{"constant", oneFile("internal/fold/fold.go", "package fold\nvar f = 0.5\n"), "fold.go:2 uses 0.5"},
		{"parsed", oneFile("internal/fold/fold.go", "package fold\nimport \"strconv\"\nvar f = strconv.ParseFloat\n"), "fold.go:3 uses ParseFloat"},
		{"package math", goFile("internal/fold/fold.go", "fold", "math"), "fold.go imports math"},
		{"package math/bits", goFile("internal/fold/fold.go", "fold", "math/bits"), ""},
		{"outside", oneFile("internal/bench/bench.go", "package bench\nvar f = 0.5\n"), ""},
	})
}

func TestNoInitFunctions(t *testing.T) {
	mustHold(t, inits)
	mustSee(t, inits, []breach{
		{"function", oneFile("internal/gate/gate.go", "package gate\nfunc init() {}\n"), "gate.go:2 has an init function"},
		{"method of that name", oneFile("internal/gate/gate.go", "package gate\ntype t struct{}\nfunc (t) init() {}\n"), ""},
	})
}

func TestPackagesSayWhatTheyOwn(t *testing.T) {
	mustHold(t, packageComments)
	mustSee(t, packageComments, []breach{
		{"no such file", oneFile("internal/gate/open.go", "// Package gate opens.\npackage gate\n"), "internal/gate has no gate.go"},
		{"no comment", oneFile("internal/gate/gate.go", "package gate\n"), "gate.go has no package comment"},
		{"another name", oneFile("internal/gate/gate.go", "// Package door opens.\npackage gate\n"), "gate.go has no package comment"},
		{"comment", oneFile("internal/gate/gate.go", "// Package gate opens.\npackage gate\n"), ""},
		{"root", oneFile("purser.go", "// Package purser holds the words.\npackage purser\n"), ""},
		{"command", oneFile("cmd/purser/main.go", "// Command purser runs it all.\npackage main\n"), ""},
		{"command without comment", oneFile("cmd/purser/main.go", "package main\n"), "main.go has no package comment"},
	})
}

func TestPackageNamesSayWhatTheyOwn(t *testing.T) {
	mustHold(t, vaguePackages)
	mustSee(t, vaguePackages, []breach{
		{"folder", oneFile("internal/util/text.go", "package text\n"), "internal/util/text.go is in a folder called util"},
		{"package", oneFile("internal/text/text.go", "package helpers\n"), "internal/text/text.go is in package helpers"},
		{"noun", oneFile("internal/gate/gate.go", "package gate\n"), ""},
	})
}

func TestNothingGrowsTooLarge(t *testing.T) {
	mustHold(t, oversized)
	long := func(pkg string, lines int) string {
		return "package " + pkg + strings.Repeat("\n", lines)
	}
	vars := func(lines int) string { return "package purser\n" + strings.Repeat("var _ = 1\n", lines) }
	words := func(lines int) string { return "package purser\n" + strings.Repeat("// A word.\n\n", lines/2) }
	spread := map[string]string{}
	for _, dir := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"} {
		spread[dir+"/"+dir+".go"] = long(dir, 490)
	}
	heavy := maps.Clone(spread)
	for _, name := range []string{"x1.go", "x2.go", "x3.go"} {
		heavy["a/"+name] = long("a", 490)
	}
	statements := func(lines int) string { return "package gate\n" + strings.Repeat("var _ = 1\n", lines) }
	gate := map[string]string{"internal/gate/a.go": statements(467), "internal/gate/b.go": statements(467), "internal/gate/c.go": statements(467), "internal/gate/d.go": statements(467), "internal/gate/e.go": statements(29)}
	mustSee(t, oversized, []breach{
		{"file", oneFile("internal/fold/fold.go", long("fold", 501)), "fold.go has 501 lines, want at most 500"},
		{"test file", oneFile("internal/fold/fold_test.go", long("fold", 900)), ""},
		{"package with a limit", gate, "internal/gate has 1902 lines, want at most 1900"},
		{"root, code", map[string]string{"a.go": vars(490), "b.go": vars(490), "c.go": vars(490), "d.go": vars(490)}, ". has 1964 lines"},
		{"root, comments", map[string]string{"a.go": words(490), "b.go": words(490), "c.go": words(490), "d.go": words(490)}, ""},
		{"shares even", spread, ""},
		{"share of one", heavy, "a has 1960 of 6860 lines, want at most 15 per cent"},
	})
}

func clockReaders(t *tree) []string {
	return t.uses(readsClock, "time", []string{"Now", "Since", "Until"}, "reads the clock with")
}

// uses says where production files outside the allowed folders name something of an imported package.
func (t *tree) uses(allowed []string, imported string, names []string, what string) []string {
	var said []string
	for s := range t.production {
		as, ok := s.imports()[imported]
		if !ok || within(s.dir, allowed) {
			continue
		}
		for n := range selectors(s.file) {
			if id, ok := n.X.(*ast.Ident); ok && id.Name == as && slices.Contains(names, n.Sel.Name) {
				said = append(said, fmt.Sprintf("%s %s %s.%s", t.at(n), what, imported, n.Sel.Name))
			}
		}
	}
	return said
}

func selectors(file *ast.File) func(func(*ast.SelectorExpr) bool) {
	return func(yield func(*ast.SelectorExpr) bool) {
		for n := range ast.Preorder(file) {
			if s, ok := n.(*ast.SelectorExpr); ok && !yield(s) {
				return
			}
		}
	}
}

// importers says which production files outside the allowed folders import one of the paths.
func (t *tree) importers(allowed []string, paths ...string) []string {
	var said []string
	for s := range t.production {
		if within(s.dir, allowed) {
			continue
		}
		for imported := range s.imports() {
			if slices.Contains(paths, imported) {
				said = append(said, fmt.Sprintf("%s imports %s", s.path, imported))
			}
		}
	}
	slices.Sort(said)
	return said
}

func seededDraws(t *tree) []string {
	return t.importers(drawsWithSeed, "math/rand", "math/rand/v2")
}

func loggers(t *tree) []string {
	return append(t.importers(logs, "log/slog"), t.importers(nil, "log")...)
}

// selected says where production files outside the allowed folders name a method.
func (t *tree) selected(allowed []string, method, what string) []string {
	var said []string
	for s := range t.production {
		if within(s.dir, allowed) {
			continue
		}
		for n := range selectors(s.file) {
			if n.Sel.Name == method {
				said = append(said, fmt.Sprintf("%s %s", t.at(n), what))
			}
		}
	}
	return said
}

func impurities(t *tree) []string {
	var said []string
	for s := range t.production {
		if !within(s.dir, pure) {
			continue
		}
		for imported := range s.imports() {
			if slices.Contains(impure, imported) {
				said = append(said, fmt.Sprintf("%s imports %s", s.path, imported))
			}
		}
		for n := range ast.Preorder(s.file) {
			if _, ok := n.(*ast.GoStmt); ok {
				said = append(said, fmt.Sprintf("%s starts a goroutine", t.at(n)))
			}
		}
	}
	slices.Sort(said)
	return said
}

func floats(t *tree) []string {
	names := []string{"float32", "float64", "complex64", "complex128", "ParseFloat", "FormatFloat", "AppendFloat"}
	var said []string
	for s := range t.production {
		if !within(s.dir, exact) {
			continue
		}
		if _, ok := s.imports()["math"]; ok {
			said = append(said, fmt.Sprintf("%s imports math", s.path))
		}
		for n := range ast.Preorder(s.file) {
			if id, ok := n.(*ast.Ident); ok && slices.Contains(names, id.Name) {
				said = append(said, fmt.Sprintf("%s uses %s", t.at(n), id.Name))
			}
			if lit, ok := n.(*ast.BasicLit); ok && (lit.Kind == token.FLOAT || lit.Kind == token.IMAG) {
				said = append(said, fmt.Sprintf("%s uses %s", t.at(n), lit.Value))
			}
		}
	}
	return said
}

func inits(t *tree) []string {
	var said []string
	for _, s := range t.sources {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				said = append(said, fmt.Sprintf("%s has an init function", t.at(f)))
			}
		}
	}
	return said
}

// packageComments says which packages do not open with their comment, in the file named like them.
func packageComments(t *tree) []string {
	var said []string
	for _, dir := range t.packages() {
		file, opening := path.Base(dir)+".go", "Package "+path.Base(dir)+" "
		switch {
		case dir == ".":
			file, opening = module+".go", "Package "+module+" "
		case strings.HasPrefix(dir, "cmd/"):
			file, opening = "main.go", "Command "+path.Base(dir)+" "
		}
		name := path.Join(dir, file)
		i := slices.IndexFunc(t.sources, func(s source) bool { return s.path == name })
		if i < 0 {
			said = append(said, fmt.Sprintf("%s has no %s", dir, file))
		} else if !strings.HasPrefix(t.sources[i].file.Doc.Text(), opening) {
			said = append(said, fmt.Sprintf("%s has no package comment that begins %q", name, opening))
		}
	}
	return said
}

func vaguePackages(t *tree) []string {
	var said []string
	for _, s := range t.sources {
		for _, folder := range strings.Split(s.dir, "/") {
			if slices.Contains(vagueNames, folder) {
				said = append(said, fmt.Sprintf("%s is in a folder called %s", s.path, folder))
			}
		}
		if pkg := s.file.Name.Name; slices.Contains(vagueNames, pkg) {
			said = append(said, fmt.Sprintf("%s is in package %s", s.path, pkg))
		}
	}
	return said
}

// oversized says which files and packages have outgrown one reader.
func oversized(t *tree) []string {
	var said []string
	total, lines, code := 0, make(map[string]int), make(map[string]int)
	for s := range t.production {
		total += s.lines
		lines[s.dir] += s.lines
		if !(s.dir == "." && strings.HasPrefix(s.path, "entry_")) { // one definition a kind, and nothing else
			code[s.dir] += s.code
		}
		if s.lines > mostInFile {
			said = append(said, fmt.Sprintf("%s has %d lines, want at most %d", s.path, s.lines, mostInFile))
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(lines)) {
		counted := code[dir] // comments are free where the limit is tight
		if most, limited := mostInPackage[dir]; limited && counted > most {
			said = append(said, fmt.Sprintf("%s has %d lines, want at most %d", dir, counted, most))
		}
		if total > shareCounts && lines[dir]*100 > total*mostShare {
			said = append(said, fmt.Sprintf("%s has %d of %d lines, want at most %d per cent", dir, lines[dir], total, mostShare))
		}
	}
	return said
}

func oneFile(name, text string) map[string]string {
	return map[string]string{name: text}
}
