package purser_test

import (
	"fmt"
	"go/ast"
	"io/fs"
	"maps"
	"os"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"
)

// library is the documents of the tree, with what they speak of.
type library struct {
	tree  *tree
	pages map[string]string // Markdown by path
	there map[string]bool   // every file and folder
}

func readLibrary(fsys fs.FS) (*library, error) {
	code, err := readTree(fsys)
	if err != nil {
		return nil, err
	}
	l := &library{tree: code, pages: map[string]string{}, there: map[string]bool{}}
	err = fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && name == ".git" {
			return fs.SkipDir
		}
		l.there[name] = true
		if path.Ext(name) != ".md" {
			return nil
		}
		text, err := fs.ReadFile(fsys, name)
		l.pages[name] = string(text)
		return err
	})
	return l, err
}

// A docsCheck says what is wrong with the documents, one line each.
type docsCheck func(*library) []string

func docsHold(t *testing.T, c docsCheck) {
	t.Helper()
	whole, err := readLibrary(os.DirFS("."))
	if err != nil {
		t.Fatalf("read the documents: %v", err)
	}
	for _, said := range c(whole) {
		t.Error(said)
	}
}

// docsSee runs a check over made-up documents, so that it is known to fail when
// its rule is broken.
func docsSee(t *testing.T, c docsCheck, breaches []breach) {
	t.Helper()
	for _, b := range breaches {
		t.Run(b.name, func(t *testing.T) {
			files := make(fstest.MapFS)
			for name, text := range b.files {
				files[name] = &fstest.MapFile{Data: []byte(text)}
			}
			small, err := readLibrary(files)
			if err != nil {
				t.Fatalf("read the made-up documents: %v", err)
			}
			said := strings.Join(c(small), "\n")
			if b.want == "" && said != "" || !strings.Contains(said, b.want) {
				t.Fatalf("got %q, want a line with %q", said, b.want)
			}
		})
	}
}

// eachLine calls f for every line of the pages that want picks, in order.
func (l *library) eachLine(want func(page string) bool, f func(place, line string)) {
	for _, page := range slices.Sorted(maps.Keys(l.pages)) {
		if !want(page) {
			continue
		}
		for i, line := range strings.Split(l.pages[page], "\n") {
			f(fmt.Sprintf("%s:%d", page, i+1), line)
		}
	}
}

func everyPage(string) bool { return true }

func inDocs(page string) bool { return strings.HasPrefix(page, "docs/") }

func TestLinksInDocumentsLead(t *testing.T) {
	docsHold(t, deadLinks)
	docsSee(t, deadLinks, []breach{
		{"to a file", map[string]string{"a.md": "[b](b.md)", "b.md": ""}, ""},
		{"to a folder", map[string]string{"a.md": "[b](docs)", "docs/b.md": ""}, ""},
		{"upwards", map[string]string{"docs/a.md": "[b](../b.md)", "b.md": ""}, ""},
		{"to a heading", map[string]string{"a.md": "[b](b.md#what-is-there)", "b.md": "## What is *there*?"}, ""},
		{"elsewhere", map[string]string{"a.md": "[b](https://example.com/b.md)"}, ""},
		{"to nothing", map[string]string{"a.md": "\n[b](b.md)"}, "a.md:2 links to b.md"},
		{"a picture", map[string]string{"a.md": "![b](b.svg)"}, "a.md:1 links to b.svg"},
		{"to no heading", map[string]string{"a.md": "[b](b.md#there)", "b.md": "## Here"}, "a.md:1 links to b.md#there"},
		{"to no heading here", map[string]string{"a.md": "[b](#there)"}, "a.md:1 links to #there"},
	})
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func deadLinks(l *library) (said []string) {
	l.eachLine(everyPage, func(place, line string) {
		for _, m := range link.FindAllStringSubmatch(line, -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			page, _, _ := strings.Cut(place, ":")
			file, heading, _ := strings.Cut(m[1], "#")
			target := page
			if file != "" {
				target = path.Join(path.Dir(page), file)
			}
			if !l.there[target] || heading != "" && !slices.Contains(headings(l.pages[target]), heading) {
				said = append(said, fmt.Sprintf("%s links to %s, which is not there", place, m[1]))
			}
		}
	})
	return said
}

// headings returns the anchors that a page has.
func headings(page string) (anchors []string) {
	for _, line := range strings.Split(page, "\n") {
		text, is := strings.CutPrefix(strings.TrimLeft(line, "#"), " ")
		if !is || !strings.HasPrefix(line, "#") {
			continue
		}
		anchors = append(anchors, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, text))
	}
	return anchors
}

func TestDocumentsNameWhatIsThere(t *testing.T) {
	docsHold(t, madeUpNames)
	body := "package p\nfunc TestLaw01Holds() {}\n"
	docsSee(t, madeUpNames, []breach{
		{"folder and test", map[string]string{"docs/a.md": "`internal/p`, TestLaw01Holds.", "internal/p/p_test.go": body}, ""},
		{"file", map[string]string{"docs/a.md": "see internal/p/p_test.go.", "internal/p/p_test.go": body}, ""},
		{"family", map[string]string{"docs/a.md": "`internal/rule/…` and `TestLaw01…`"}, ""},
		{"outside docs", map[string]string{"a.md": "internal/q and TestNothing"}, ""},
		{"no such package", map[string]string{"docs/a.md": "`internal/q`"}, "docs/a.md:1 names internal/q"},
		{"no such test", map[string]string{"docs/a.md": "TestLaw02Holds", "internal/p/p_test.go": body}, "docs/a.md:1 names TestLaw02Holds"},
	})
}

var (
	ownPath  = regexp.MustCompile(`internal/[\w./-]*…?`)
	testName = regexp.MustCompile(`\b(?:Test|Fuzz|Benchmark)[A-Z0-9]\w*…?`)
)

func madeUpNames(l *library) (said []string) {
	tests := map[string]bool{}
	for _, s := range l.tree.sources {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && s.test {
				tests[f.Name.Name] = true
			}
		}
	}
	l.eachLine(inDocs, func(place, line string) {
		for _, name := range ownPath.FindAllString(line, -1) {
			if name = strings.TrimRight(name, "./-"); !strings.HasSuffix(name, "…") && !l.there[name] {
				said = append(said, fmt.Sprintf("%s names %s, which is not there", place, name))
			}
		}
		for _, name := range testName.FindAllString(line, -1) {
			if !strings.HasSuffix(name, "…") && !tests[name] {
				said = append(said, fmt.Sprintf("%s names %s, which no test is called", place, name))
			}
		}
	})
	return said
}

// command is a subcommand as its struct declares it.
type command struct {
	flags    map[string]bool
	inner    map[string]*command
	standard *command // the inner one that may be left out
}

const commandFolder = "cmd/purser"

// commands reads the structs of the command line.
func (l *library) commands() *command {
	structs := map[string]*ast.StructType{}
	for _, s := range l.tree.sources {
		if s.dir != commandFolder || s.test {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if st, ok := spec.Type.(*ast.StructType); ok {
					structs[spec.Name.Name] = st
				}
			}
			return true
		})
	}
	root := newCommand()
	root.read(structs, "cli")
	return root
}

func newCommand() *command {
	return &command{flags: map[string]bool{"--help": true, "-h": true}, inner: map[string]*command{}}
}

func (c *command) read(structs map[string]*ast.StructType, name string) {
	st := structs[name]
	if st == nil {
		return
	}
	for _, f := range st.Fields.List {
		var tag reflect.StructTag
		if f.Tag != nil {
			text, _ := strconv.Unquote(f.Tag.Value)
			tag = reflect.StructTag(text)
		}
		kind, _ := f.Type.(*ast.Ident)
		if len(f.Names) == 0 && kind != nil {
			c.read(structs, kind.Name)
			continue
		}
		for _, n := range f.Names {
			c.field(structs, n.Name, tag, kind)
		}
	}
}

func (c *command) field(structs map[string]*ast.StructType, name string, tag reflect.StructTag, kind *ast.Ident) {
	spelt := dashed(name)
	if own := tag.Get("name"); own != "" {
		spelt = own
	}
	if _, is := tag.Lookup("cmd"); is {
		inner := newCommand()
		if kind != nil {
			inner.read(structs, kind.Name)
		}
		c.inner[spelt] = inner
		if _, is := tag.Lookup("default"); is {
			c.standard = inner
		}
		return
	}
	if _, is := tag.Lookup("arg"); is {
		return
	}
	c.flags["--"+spelt] = true
	if short := tag.Get("short"); short != "" {
		c.flags["-"+short] = true
	}
}

// dashed spells a Go name as a flag.
func dashed(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// wrong says what a command line names that is not there, or nothing.
func (c *command) wrong(words []string) string {
	for len(words) > 0 && len(c.inner) > 0 {
		inner := c.inner[words[0]]
		switch {
		case inner != nil:
			words = words[1:]
		case strings.HasPrefix(words[0], "-") && c.flags[words[0]]:
			return ""
		case c.standard == nil:
			return "subcommand " + words[0]
		default:
			inner = c.standard
		}
		c = inner
	}
	if len(words) == 0 && c.standard != nil {
		return ""
	}
	for _, w := range words {
		flag, _, _ := strings.Cut(w, "=")
		if strings.HasPrefix(flag, "-") && flag != "-" && !c.flags[flag] {
			return "flag " + flag
		}
	}
	return ""
}

func TestCommandLinesInDocumentsAreThere(t *testing.T) {
	docsHold(t, madeUpCommands)
	code := "package main\ntype cli struct {\n" +
		"Serve serveCmd `cmd:\"\"`\nExport struct{} `cmd:\"\"`\nDemo demoCmd `cmd:\"\"`\n}\n" +
		"type serveCmd struct {\ndataFlag\nJSON bool `name:\"json\"`\nOut string `short:\"o\"`\nFile string `arg:\"\"`\n}\n" +
		"type dataFlag struct { DataDir string }\n" +
		"type demoCmd struct {\nRun runCmd `cmd:\"\" default:\"withargs\"`\nCall runCmd `cmd:\"\"`\n}\n" +
		"type runCmd struct { Seed int }\n"
	doc := func(text string) map[string]string {
		return map[string]string{"README.md": text, commandFolder + "/main.go": code}
	}
	docsSee(t, madeUpCommands, []breach{
		{"right", doc("    purser serve --data-dir X --json -o - file   # serves"), ""},
		{"through go run", doc("```\ngo run ./cmd/purser demo --seed=1\n```"), ""},
		{"second of two", doc("    purser serve && purser serve --port 1"), "README.md:1 names flag --port"},
		{"in prose", doc("purser nothing --at all"), ""},
		{"no such subcommand", doc("    purser fly"), "README.md:1 names subcommand fly"},
		{"no such flag", doc("    purser demo call --fast"), "README.md:1 names flag --fast"},
		{"flag of an argument", doc("    purser serve --file x"), "README.md:1 names flag --file"},
	})
}

// aboutCommands are the pages that people copy from.
func aboutCommands(page string) bool {
	return page == "README.md" || strings.HasPrefix(page, "docs/operate/") || strings.HasPrefix(page, "docs/runbooks/")
}

func madeUpCommands(l *library) (said []string) {
	all, fenced := l.commands(), false
	l.eachLine(aboutCommands, func(place, line string) {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
			return
		}
		if !fenced && !strings.HasPrefix(line, "    ") {
			return
		}
		line, _, _ = strings.Cut(line, " #")
		for part := range strings.SplitSeq(line, "&&") {
			part = strings.Replace(strings.TrimSpace(part), "go run ./cmd/purser ", "purser ", 1)
			words, is := strings.CutPrefix(part, "purser ")
			if !is {
				continue
			}
			if wrong := all.wrong(strings.Fields(words)); wrong != "" {
				said = append(said, fmt.Sprintf("%s names %s, which is not there", place, wrong))
			}
		}
	})
	return said
}

func TestLawsPageNamesEveryTest(t *testing.T) {
	docsHold(t, unsaidLaws)
	body := "package p\nfunc TestLaw01Holds() {}\n"
	docsSee(t, unsaidLaws, []breach{
		{"left out", map[string]string{lawsPage: "", "internal/p/p_test.go": body}, "leaves out TestLaw01Holds of internal/p"},
		{"said", map[string]string{lawsPage: "`TestLaw01Holds`", "internal/p/p_test.go": body}, ""},
	})
}

const lawsPage = "docs/laws.md"

// unsaidLaws names tests of laws that the page of laws leaves out.
func unsaidLaws(l *library) (said []string) {
	for _, s := range l.tree.sources {
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if ok && s.test && strings.HasPrefix(f.Name.Name, "TestLaw") && f.Recv == nil &&
				len(f.Name.Name) > 9 && unicode.IsDigit(rune(f.Name.Name[7])) &&
				!strings.Contains(l.pages[lawsPage], "`"+f.Name.Name+"`") {
				said = append(said, fmt.Sprintf("%s leaves out %s of %s", lawsPage, f.Name.Name, s.dir))
			}
		}
	}
	return said
}

func TestOperatorsPagesLeaveNothingOut(t *testing.T) {
	docsHold(t, unsaidFlags)
	docsHold(t, unsaidKeys)
	code := "package main\ntype cli struct { Serve serveCmd `cmd:\"\"` }\ntype serveCmd struct { Data string }\n"
	docsSee(t, unsaidFlags, []breach{
		{"a flag", map[string]string{commandFolder + "/main.go": code, commandsPage: "## serve\n"}, "--data of serve"},
		{"said", map[string]string{commandFolder + "/main.go": code, commandsPage: "## serve\n`--data`\n"}, ""},
		{"under another", map[string]string{commandFolder + "/main.go": code, commandsPage: "## serve\n## init\n`--data`\n"}, "--data of serve"},
	})
	keys := "package operate\ntype Config struct { Mail Mail `yaml:\"mail\"` }\ntype Mail struct { Host string `yaml:\"host\"` }\n"
	docsSee(t, unsaidKeys, []breach{
		{"a key", map[string]string{"internal/operate/operate.go": keys, configurationPage: "`host`"}, "mail.host"},
		{"said", map[string]string{"internal/operate/operate.go": keys, configurationPage: "| `mail.host` |"}, ""},
	})
}

const (
	commandsPage      = "docs/operate/commands.md"
	configurationPage = "docs/operate/configuration.md"
)

// unsaidFlags names subcommands without a section, and flags that theirs leaves out.
func unsaidFlags(l *library) (said []string) {
	sections := map[string]string{}
	for section := range strings.SplitSeq("\n"+l.pages[commandsPage], "\n## ") {
		name, text, _ := strings.Cut(section, "\n")
		sections[name] = text
	}
	var walk func(name string, c *command)
	walk = func(name string, c *command) {
		for _, inner := range slices.Sorted(maps.Keys(c.inner)) {
			walk(strings.TrimSpace(name+" "+inner), c.inner[inner])
		}
		if len(c.inner) > 0 {
			return
		}
		for _, flag := range slices.Sorted(maps.Keys(c.flags)) {
			first, _, _ := strings.Cut(name, " ")
			if strings.HasPrefix(flag, "--") && flag != "--help" && !strings.Contains(sections[name]+sections[first], flag) {
				said = append(said, fmt.Sprintf("%s leaves out %s of %s", commandsPage, flag, name))
			}
		}
	}
	walk("", l.commands())
	return said
}

// unsaidKeys names keys of the configuration that its page leaves out.
func unsaidKeys(l *library) (said []string) {
	for _, s := range l.tree.sources {
		if s.dir != "internal/operate" || s.test {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			st, ok := spec.Type.(*ast.StructType)
			if !ok {
				return true
			}
			prefix := ""
			if spec.Name.Name != "Config" {
				prefix = strings.ToLower(spec.Name.Name) + "."
			}
			for _, f := range st.Fields.List {
				if f.Tag == nil {
					continue
				}
				text, _ := strconv.Unquote(f.Tag.Value)
				key := prefix + reflect.StructTag(text).Get("yaml")
				if !strings.Contains(l.pages[configurationPage], "`"+key) {
					if kind, ok := f.Type.(*ast.Ident); ok && kind.Name == "Mail" {
						continue // its keys are looked for one by one
					}
					said = append(said, fmt.Sprintf("%s leaves out %s", configurationPage, key))
				}
			}
			return true
		})
	}
	return said
}
