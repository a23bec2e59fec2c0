package purser_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// stores is the layer of the databases, which the table calls S: they
// implement what layers 2 to 7 declare and are known to the wiring alone.
const stores = -1

// A row says what a package may import of ours. Imports go down the table
// only: the root, what the row names, and what those rows name in turn.
type row struct {
	layer  int
	path   string   // folder, "." is the root
	may    []string // packages by folder
	layers []int    // and every package of these layers
	never  []string // folders taken away again, however they were reached
}

// table is the import table, in order: no row names a later one.
var table = []row{
	{layer: 0, path: "."},
	{layer: 0, path: "proof"},

	{layer: 1, path: "internal/rule/overlay"},
	{layer: 1, path: "internal/rule/canon"},
	{layer: 1, path: "internal/rule/forbidden", may: []string{"internal/rule/canon"}},
	{layer: 1, path: "internal/rule/contact", may: []string{"internal/rule/overlay"}},
	{layer: 1, path: "internal/rule/budget", may: []string{"internal/rule/overlay"}},
	{layer: 1, path: "internal/rule/contain", may: []string{"internal/rule/overlay"}},
	{layer: 1, path: "internal/rule/keep", may: []string{"internal/rule/overlay"}},
	{layer: 1, path: "internal/rule/mandate", may: []string{"internal/rule/overlay"}},
	{layer: 1, path: "internal/rule/casefile", may: []string{"internal/rule/overlay"}},
	{layer: 1, path: "internal/rule/policy"},

	{layer: 2, path: "internal/fold", may: []string{
		"internal/rule/overlay", "internal/rule/contact", "internal/rule/budget", "internal/rule/contain",
		"internal/rule/keep", "internal/rule/mandate", "internal/rule/casefile",
	}},
	{layer: 2, path: "internal/ledger", may: []string{"proof"}},
	{layer: 3, path: "internal/seal", may: []string{"internal/ledger"}},
	{layer: 4, path: "internal/record", may: []string{
		"internal/fold", "internal/seal", "internal/rule/canon", "internal/rule/forbidden",
	}},
	{layer: 4, path: "internal/deliver"},
	{layer: 4, path: "internal/workforce", may: []string{"internal/fold", "internal/seal"}},
	{layer: 5, path: "internal/gate", may: []string{
		"internal/fold", "internal/rule/policy", "internal/record", "internal/seal", "internal/workforce",
	}},
	{layer: 5, path: "internal/change", may: []string{"internal/fold", "internal/ledger", "internal/workforce"}},
	{layer: 5, path: "internal/telephony", may: []string{
		"internal/rule/contact", "internal/rule/canon", "internal/fold", "internal/ledger",
	}},
	{layer: 6, path: "internal/retention", may: []string{"internal/gate"}},
	{layer: 6, path: "internal/verification", may: []string{"internal/gate", "internal/deliver"}},

	{layer: stores, path: "internal/store/sqlite", layers: upTo(7)},
	{layer: stores, path: "internal/store/storetest", layers: upTo(7)},

	{layer: 8, path: "internal/edge/web", may: []string{"internal/workforce"}},
	{
		layer: 9, path: "internal/edge/httpapi", may: []string{"internal/edge/web", "internal/workforce"},
		layers: []int{5, 6, 7},
		never: []string{
			"internal/ledger", "internal/fold", "internal/seal", "internal/record",
			"internal/store/sqlite", "internal/store/storetest",
		},
	},
	{layer: 10, path: "internal/synth", layers: upTo(7)},
	{layer: 11, path: "internal/server", layers: append(upTo(10), stores)},
	{layer: 11, path: "internal/kms", may: []string{"internal/seal"}},
	{layer: 11, path: "internal/operate", may: []string{"internal/kms"}, layers: append(upTo(10), stores)},
	{layer: 12, path: "internal/demo", layers: append(upTo(11), stores)},
	{layer: 12, path: "internal/bench", layers: append(upTo(11), stores)},
	{layer: 13, path: "cmd/purser", may: []string{"proof", "internal/synth"}, layers: []int{11, 12}},
}

// importedOnlyBy narrows what the table would allow: nobody else may import
// the package, however its row was reached.
var importedOnlyBy = map[string][]string{
	// Who can open or keep sealed bytes is a short list; the stores keep the wrapped keys.
	"internal/seal": {
		"internal/record", "internal/workforce", "internal/gate", "internal/operate", "internal/server",
		"internal/store/sqlite", "internal/store/storetest",
	},
	"internal/rule/overlay": {
		"internal/rule/contact", "internal/rule/budget", "internal/rule/contain",
		"internal/rule/keep", "internal/rule/mandate", "internal/rule/casefile", "internal/fold",
	},
	"internal/store/storetest": {}, // test files only
}

// outsideOnlyBy says who alone may import a module of others.
var outsideOnlyBy = map[string][]string{
	"github.com/cedar-policy/cedar-go": {"internal/rule/policy"},
	"zombiezen.com/go/sqlite":          {"internal/store/sqlite", "internal/bench"},
	"modernc.org/sqlite":               {"internal/store/sqlite"},
	"pgregory.net/rapid":               {"internal/store/storetest"}, // MPL-2.0: never in the product
	"database/sql":                     {},
	"gocloud.dev":                      {"internal/kms"}, // larger than all the rest: behind a build tag
}

// inTests is what any test file may import besides its package's row: made-up
// data and the real database.
var inTests = []string{"internal/synth", "internal/store/storetest", "internal/store/sqlite"}

// manyImports are the layers whose work is to bring packages together; others
// that import more than mostImports of ours have become a hub.
var manyImports = []int{stores, 9, 11, 12}

const mostImports = 10

func upTo(last int) []int {
	var layers []int
	for l := range last + 1 {
		layers = append(layers, l)
	}
	return layers
}

func TestImportsGoDownTheTable(t *testing.T) {
	mustHold(t, forbiddenArrows)
	mustSee(t, forbiddenArrows, []breach{
		{
			"down is allowed, and what a named row names",
			goFile("internal/gate/gate.go", "gate", "purser", "purser/internal/fold", "purser/internal/ledger"), "",
		},
		{
			"up",
			goFile("internal/fold/fold.go", "fold", "purser/internal/gate"),
			"internal/fold/fold.go imports internal/gate",
		},
		{
			"sideways",
			goFile("internal/rule/budget/budget.go", "budget", "purser/internal/rule/contact"),
			"imports internal/rule/contact",
		},
		{
			"root imports nothing of ours",
			goFile("purser.go", "purser", "purser/proof"), "purser.go imports proof",
		},
		{
			"seal from a package that may reach it by its row",
			goFile("internal/verification/verification.go", "verification", "purser/internal/seal"),
			"internal/seal may be imported only by",
		},
		{
			"seal from the made-up airline",
			goFile("internal/synth/synth.go", "synth", "purser/internal/seal"),
			"internal/seal may be imported only by",
		},
		{
			"edge to the ledger",
			goFile("internal/edge/httpapi/httpapi.go", "httpapi", "purser/internal/ledger"),
			"imports internal/ledger",
		},
		{
			"store to an edge",
			goFile("internal/store/sqlite/sqlite.go", "sqlite", "purser/internal/edge/web"),
			"imports internal/edge/web",
		},
		{
			"database in a domain package",
			goFile("internal/record/record.go", "record", "purser/internal/store/sqlite"),
			"imports internal/store/sqlite",
		},
		{
			"database in a domain test",
			goFile("internal/record/record_test.go", "record_test", "purser/internal/record", "purser/internal/store/sqlite"), "",
		},
		{
			"edge in a domain test",
			goFile("internal/record/record_test.go", "record_test", "purser/internal/edge/web"),
			"imports internal/edge/web",
		},
		{
			"conformance suite in the product",
			goFile("internal/demo/demo.go", "demo", "purser/internal/store/storetest"),
			"internal/store/storetest may be imported only by",
		},
		{
			"policy library outside its package",
			goFile("internal/gate/gate.go", "gate", "github.com/cedar-policy/cedar-go/types"),
			"github.com/cedar-policy/cedar-go may be imported only by",
		},
		{
			"database/sql anywhere",
			goFile("internal/store/sqlite/sqlite.go", "sqlite", "database/sql"),
			"database/sql may be imported only by",
		},
		{
			"package that nobody knows",
			goFile("internal/fold/fold.go", "fold", "purser/internal/helper"), "imports internal/helper",
		},
	})
}

func TestImportTableNamesEveryPackage(t *testing.T) {
	mustHold(t, unknownPackages)
	mustHold(t, rowsWithoutPackage)
	mustSee(t, unknownPackages, []breach{
		{"known", goFile("internal/fold/fold.go", "fold"), ""},
		{"package without a row", goFile("internal/extra/extra.go", "extra"), "internal/extra has no row"},
		{"tests without a row", goFile("internal/extra/extra_test.go", "extra"), "internal/extra has no row"},
	})
	mustSee(t, rowsWithoutPackage, []breach{
		{"row without a package", goFile("internal/fold/fold.go", "fold"), "internal/gate has a row and no Go file"},
		{"row with tests alone", goFile("internal/gate/gate_test.go", "gate"), "internal/gate has a row and no Go file"},
	})
}

func TestImportTableGoesDown(t *testing.T) {
	seen := make(map[string]int)
	for i, r := range table {
		if _, twice := seen[r.path]; twice {
			t.Errorf("%s has two rows", r.path)
		}
		seen[r.path] = i
		for _, named := range r.may {
			if at, known := seen[named]; !known || at == i {
				t.Errorf("row %s names %s, which is not above it", r.path, named)
			}
		}
	}
	for _, lists := range []map[string][]string{importedOnlyBy, outsideOnlyBy} {
		for imported, importers := range lists {
			for _, importer := range importers {
				if _, known := seen[importer]; !known {
					t.Errorf("%s may be imported by %s, which has no row", imported, importer)
				}
			}
		}
	}
}

func TestNoPackageIsAHub(t *testing.T) {
	hub := map[string]string{}
	for _, r := range table[:mostImports+1] {
		maps.Copy(hub, goFile("internal/gate/"+strings.ReplaceAll(r.path, "/", "_")+".go", "gate", module+"/"+r.path))
	}
	mustHold(t, hubs)
	mustSee(t, hubs, []breach{
		{"eleven own imports in a domain package", hub, "internal/gate imports 11 packages of ours"},
		{"two own imports", goFile("internal/gate/gate.go", "gate", "purser", "purser/internal/fold"), ""},
	})
}

// forbiddenArrows says which imports the table does not allow.
func forbiddenArrows(t *tree) []string {
	var said []string
	for _, s := range t.sources {
		for imported := range s.imports() {
			if to, ours := own(imported); ours {
				said = append(said, ownArrow(s, to)...)
			} else if !s.test {
				said = append(said, outsideArrow(s, imported)...)
			}
		}
	}
	slices.Sort(said)
	return said
}

func ownArrow(s source, to string) []string {
	if to == "." || s.test && (to == s.dir || slices.Contains(inTests, to)) {
		return nil
	}
	if importers, narrow := importedOnlyBy[to]; narrow && !s.test && !slices.Contains(importers, s.dir) {
		return []string{fmt.Sprintf("%s imports %s: %s may be imported only by %s", s.path, to, to, listed(importers))}
	}
	if r, known := rowOf(s.dir); known && !slices.Contains(r.allowed(), to) {
		return []string{fmt.Sprintf("%s imports %s: the row of %s does not lead there", s.path, to, s.dir)}
	}
	return nil
}

func outsideArrow(s source, imported string) []string {
	for outside, importers := range outsideOnlyBy {
		below := imported == outside || strings.HasPrefix(imported, outside+"/")
		if below && !slices.Contains(importers, s.dir) {
			return []string{fmt.Sprintf("%s imports %s: %s may be imported only by %s", s.path, imported, outside, listed(importers))}
		}
	}
	return nil
}

func listed(importers []string) string {
	if len(importers) == 0 {
		return "nobody"
	}
	return strings.Join(importers, ", ")
}

func rowOf(dir string) (row, bool) {
	i := slices.IndexFunc(table, func(r row) bool { return r.path == dir })
	if i < 0 {
		return row{}, false
	}
	return table[i], true
}

// allowed resolves a row: what it names, and what those rows name in turn.
func (r row) allowed() []string {
	reached := map[string]bool{}
	r.reach(reached)
	delete(reached, r.path)
	for _, n := range r.never {
		delete(reached, n)
	}
	return slices.Sorted(maps.Keys(reached))
}

func (r row) reach(reached map[string]bool) {
	for _, next := range table {
		named := slices.Contains(r.may, next.path) || slices.Contains(r.layers, next.layer)
		if named && !reached[next.path] {
			reached[next.path] = true
			next.reach(reached)
		}
	}
}

// unknownPackages says which folders hold Go files and have no row.
func unknownPackages(t *tree) []string {
	var said []string
	for _, s := range t.sources {
		if _, known := rowOf(s.dir); !known {
			said = append(said, fmt.Sprintf("%s has no row in the import table", s.dir))
		}
	}
	slices.Sort(said)
	return slices.Compact(said)
}

// rowsWithoutPackage says which rows stand for nothing.
func rowsWithoutPackage(t *tree) []string {
	var said []string
	packages := t.packages()
	for _, r := range table {
		if !slices.Contains(packages, r.path) {
			said = append(said, fmt.Sprintf("%s has a row and no Go file", r.path))
		}
	}
	return said
}

// hubs says which packages import more of ours than their layer should.
func hubs(t *tree) []string {
	imports := make(map[string]map[string]bool)
	for s := range t.production {
		for imported := range s.imports() {
			if to, ours := own(imported); ours {
				if imports[s.dir] == nil {
					imports[s.dir] = make(map[string]bool)
				}
				imports[s.dir][to] = true
			}
		}
	}
	var said []string
	for _, dir := range slices.Sorted(maps.Keys(imports)) {
		r, _ := rowOf(dir)
		if len(imports[dir]) > mostImports && !slices.Contains(manyImports, r.layer) {
			said = append(said, fmt.Sprintf("%s imports %d packages of ours, want at most %d", dir, len(imports[dir]), mostImports))
		}
	}
	return said
}

// goFile is a made-up tree of one file that imports the given paths.
func goFile(name, pkg string, imports ...string) map[string]string {
	var text strings.Builder
	fmt.Fprintf(&text, "package %s\n", pkg)
	for _, imported := range imports {
		fmt.Fprintf(&text, "import _ %q\n", imported)
	}
	return map[string]string{name: text.String()}
}
