package purser_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// module is the path in front of every own import.
const module = "purser"

// A source is one parsed Go file of the tree.
type source struct {
	path  string // slash-separated, from the root of the module
	dir   string // its folder; "." is the root package
	test  bool
	lines int // all of them
	code  int // those with more on them than a comment
	file  *ast.File
}

// A tree is every Go file of the module. It is read with go/parser and not
// asked from the go command: the test cache notices files that a test opens,
// not what a child process read, so a test around `go list` passes falsely
// after a change.
type tree struct {
	set     *token.FileSet
	sources []source
}

// readTree parses every Go file below fsys, without testdata, vendored
// packages and folders that the go command ignores.
func readTree(fsys fs.FS) (*tree, error) {
	t := &tree{set: token.NewFileSet()}
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name != "." && ignoredFolder(entry.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		return t.add(fsys, name)
	})
	return t, err
}

func ignoredFolder(base string) bool {
	return strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") ||
		base == "testdata" || base == "vendor" || base == "node_modules"
}

func (t *tree) add(fsys fs.FS, name string) error {
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	file, err := parser.ParseFile(t.set, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return fmt.Errorf("parse %s: %w", name, err)
	}
	t.sources = append(t.sources, source{
		path:  name,
		dir:   path.Dir(name),
		test:  strings.HasSuffix(name, "_test.go"),
		lines: strings.Count(string(text), "\n"),
		code:  codeLines(text),
		file:  file,
	})
	return nil
}

// codeLines counts the lines that hold a token or a part of one.
func codeLines(text []byte) int {
	var tokens scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(text))
	tokens.Init(file, text, nil, 0)
	lines := make(map[int]bool)
	for {
		at, tok, literal := tokens.Scan()
		if tok == token.EOF {
			return len(lines)
		}
		if literal == "\n" {
			continue // a semicolon that the line's end stands for
		}
		for l := file.Line(at); l <= file.Line(at+token.Pos(len(literal))); l++ {
			lines[l] = true
		}
	}
}

// production yields the files that are built into the product.
func (t *tree) production(yield func(source) bool) {
	for _, s := range t.sources {
		if !s.test && !yield(s) {
			return
		}
	}
}

// packages are the folders that hold production files, in order.
func (t *tree) packages() []string {
	var dirs []string
	for s := range t.production {
		dirs = append(dirs, s.dir)
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// at gives file and line of a node.
func (t *tree) at(node ast.Node) string {
	p := t.set.Position(node.Pos())
	return fmt.Sprintf("%s:%d", p.Filename, p.Line)
}

// imports are the paths that a file imports, with the name each goes by.
func (s source) imports() map[string]string {
	names := make(map[string]string)
	for _, spec := range s.file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue // the parser accepted it, so it is a string
		}
		names[imported] = importedAs(spec, imported)
	}
	return names
}

func importedAs(spec *ast.ImportSpec, imported string) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	base := path.Base(imported)
	if len(base) > 1 && base[0] == 'v' && strings.Trim(base[1:], "0123456789") == "" {
		return path.Base(path.Dir(imported)) // math/rand/v2 goes by rand
	}
	return base
}

// own gives the folder of an import of ours, and whether it is one.
func own(imported string) (string, bool) {
	if imported == module {
		return ".", true
	}
	return strings.CutPrefix(imported, module+"/")
}

// within reports whether dir is one of the folders or below one that ends in "/...".
func within(dir string, folders []string) bool {
	return slices.ContainsFunc(folders, func(f string) bool {
		if parent, deep := strings.CutSuffix(f, "/..."); deep {
			return dir == parent || strings.HasPrefix(dir, parent+"/")
		}
		return dir == f
	})
}

// A check looks at a tree and says what is wrong with it, one line each.
type check func(*tree) []string

// A breach is a small tree that breaks one rule, and part of what the check must say.
type breach struct {
	name  string
	files map[string]string
	want  string // "" means the tree is right and nothing may be said
}

// mustHold runs a check over this module.
func mustHold(t *testing.T, c check) {
	t.Helper()
	whole, err := readTree(os.DirFS("."))
	if err != nil {
		t.Fatalf("read the tree: %v", err)
	}
	for _, said := range c(whole) {
		t.Error(said)
	}
}

// mustSee runs a check over made-up trees, so that it is known to fail when its rule is broken.
func mustSee(t *testing.T, c check, breaches []breach) {
	t.Helper()
	for _, b := range breaches {
		t.Run(b.name, func(t *testing.T) {
			files := make(fstest.MapFS)
			for name, text := range b.files {
				files[name] = &fstest.MapFile{Data: []byte(text)}
			}
			small, err := readTree(files)
			if err != nil {
				t.Fatalf("read the made-up tree: %v", err)
			}
			said := c(small)
			if b.want == "" && len(said) > 0 {
				t.Fatalf("got %q, want nothing said", said)
			}
			if b.want != "" && !slices.ContainsFunc(said, func(s string) bool { return strings.Contains(s, b.want) }) {
				t.Fatalf("got %q, want a line with %q", said, b.want)
			}
		})
	}
}
