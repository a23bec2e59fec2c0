package purser_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// unsaid maps words that Purser does not use to the word it uses.
var unsaid = map[string]string{
	"user": "customer or person", "passenger": "customer", "consumer": "customer",
	"account": "person", "employee": "person", "supervisor": "lead",
	"tenant": "vendor", "supplier": "vendor", "outsourcer": "vendor",
	"interaction": "contact", "conversation": "contact",
	"audit": "entry or ledger", "quota": "budget", "alert": "finding",
	"otp": "code", "passcode": "code",
	"ban": "lock", "quarantine": "lock", "blocklist": "lock", "blacklist": "lock",
	"decoy": "canary", "honeypot": "canary", "honeytoken": "canary",
	"impersonate": "mandate", "impersonation": "mandate",
}

// A disclosure is never one of these acts on one of these things. Alone, the
// words are harmless: a page has a view, a file is read.
var (
	unsaidActs   = []string{"view", "viewed", "viewer", "read", "reads", "access", "accessed"}
	unsaidThings = []string{"customer", "record", "field", "value", "disclosure"}
)

// allowances are exact names that may say an unsaid word, each with its
// reason. One that no name uses any more is an error.
var allowances = map[string]string{}

const glossary = "docs/glossary.md"

func TestGlossaryWordsInNames(t *testing.T) {
	names := func(t *tree) []string { return synonyms(t, allowances) }
	mustHold(t, names)
	mustHold(t, func(t *tree) []string { return unusedAllowances(t, allowances) })
	mustSee(t, names, []breach{
		{"type", oneFile("id.go", "package p\ntype UserID string\n"), `id.go:2: UserID says "user", the glossary says customer or person`},
		{"plural", oneFile("id.go", "package p\nvar Accounts int\n"), `Accounts says "account"`},
		{"after capitals", oneFile("id.go", "package p\nfunc APIUser() {}\n"), `APIUser says "user"`},
		{"struct field", oneFile("id.go", "package p\ntype s struct{ OwnerAccount int }\n"), `OwnerAccount says "account"`},
		{"method of an interface", oneFile("id.go", "package p\ntype s interface{ Quota() int }\n"), `Quota says "quota"`},
		{"constant", oneFile("id.go", "package p\nconst AuditOn = true\n"), `AuditOn says "audit"`},
		{"JSON name", oneFile("id.go", "package p\ntype s struct{ A int `json:\"user_id\"` }\n"), `user_id says "user"`},
		{"view of a record", oneFile("id.go", "package p\nfunc ViewRecord() {}\n"), `ViewRecord says "view" of "record"`},
		{"access to fields", oneFile("id.go", "package p\ntype FieldAccess int\n"), `FieldAccess says "access" of "field"`},
		{"not exported", oneFile("id.go", "package p\nfunc user() {}\n"), ""},
		{"inside another word", oneFile("id.go", "package p\ntype Urban struct{}\n"), ""},
		{"view of a page", oneFile("id.go", "package p\ntype ContactView struct{}\n"), ""},
		{"in a test", oneFile("id_test.go", "package p\nfunc TestUser() {}\n"), ""},
	})
	excused := map[string]string{"UserAgent": "HTTP's name for what asks"}
	mustSee(t, func(t *tree) []string { return synonyms(t, excused) }, []breach{
		{"with an allowance", oneFile("id.go", "package p\nvar UserAgent string\n"), ""},
	})
	mustSee(t, func(t *tree) []string { return unusedAllowances(t, excused) }, []breach{
		{"allowance without a name", oneFile("id.go", "package p\n"), "UserAgent is allowed and no name uses it"},
	})
}

func TestGlossaryWordsInRoutes(t *testing.T) {
	routes := func(t *tree) []string { return routeSynonyms(t, allowances) }
	mustHold(t, routes)
	route := func(pattern string) map[string]string {
		return oneFile("internal/edge/httpapi/routes.go", fmt.Sprintf("package p\nvar r = %q\n", pattern))
	}
	mustSee(t, routes, []breach{
		{"segment", route("/v1/users/{id}"), `/v1/users/{id} says "user"`},
		{"with a method", route("GET /v1/account"), `GET /v1/account says "account"`},
		{"act on a thing", route("/v1/customers/{customer}/view"), `says "view" of "customer"`},
		{"the glossary's words", route("POST /v1/contacts/{contact}/disclosures"), ""},
		{"prose", route("the user agent is not a route"), ""},
		{"outside the edges", oneFile("internal/gate/gate.go", "package p\nvar r = \"/users\"\n"), ""},
	})
}

func TestGlossaryListsWhatIsUnsaid(t *testing.T) {
	text, err := os.ReadFile(glossary)
	if err != nil {
		t.Fatal(err)
	}
	page := strings.ToLower(string(text))
	for _, word := range slices.Sorted(maps.Keys(unsaid)) {
		if !regexp.MustCompile(`\b` + word + `\b`).MatchString(page) {
			t.Errorf("%s does not say that %q is not used", glossary, word)
		}
		for _, say := range strings.Split(unsaid[word], " or ") {
			if !strings.Contains(page, "| "+say) && !strings.Contains(page, ", "+say) {
				t.Errorf("%s has no row for %q", glossary, say)
			}
		}
	}
}

// A name is something exported and where it stands.
type name struct {
	text string
	node ast.Node
}

// exported are the names that a production file shows to others: what it
// declares, fields and interface methods among it, and its JSON names.
func exported(file *ast.File) []name {
	var names []name
	add := func(ids ...*ast.Ident) {
		for _, id := range ids {
			if id.IsExported() {
				names = append(names, name{id.Name, id})
			}
		}
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			add(d.Name)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					add(spec.Name)
				case *ast.ValueSpec:
					add(spec.Names...)
				}
			}
		}
	}
	for n := range ast.Preorder(file) {
		switch n := n.(type) {
		case *ast.StructType:
			for _, f := range n.Fields.List {
				add(f.Names...)
				names = append(names, jsonName(f)...)
			}
		case *ast.InterfaceType:
			for _, m := range n.Methods.List {
				add(m.Names...)
			}
		}
	}
	return names
}

func jsonName(f *ast.Field) []name {
	if f.Tag == nil {
		return nil
	}
	tag, err := strconv.Unquote(f.Tag.Value)
	if err != nil {
		return nil // the parser accepted it, so it is a string
	}
	text, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
	return []name{{text, f}}
}

func synonyms(t *tree, allowed map[string]string) []string {
	var said []string
	for s := range t.production {
		for _, n := range exported(s.file) {
			if wrong := misspoken(n.text); wrong != "" && allowed[n.text] == "" {
				said = append(said, fmt.Sprintf("%s: %s %s", t.at(n.node), n.text, wrong))
			}
		}
	}
	return said
}

func unusedAllowances(t *tree, allowed map[string]string) []string {
	used := make(map[string]bool)
	for s := range t.production {
		for _, n := range exported(s.file) {
			used[n.text] = true
		}
		for _, r := range routes(s.file) {
			used[r.text] = true
		}
	}
	var said []string
	for _, text := range slices.Sorted(maps.Keys(allowed)) {
		if !used[text] {
			said = append(said, fmt.Sprintf("%s is allowed and no name uses it", text))
		}
	}
	return said
}

func routeSynonyms(t *tree, allowed map[string]string) []string {
	var said []string
	for s := range t.production {
		if !within(s.dir, []string{"internal/edge/..."}) {
			continue
		}
		for _, r := range routes(s.file) {
			if wrong := misspoken(r.text); wrong != "" && allowed[r.text] == "" {
				said = append(said, fmt.Sprintf("%s: %s %s", t.at(r.node), r.text, wrong))
			}
		}
	}
	return said
}

// routes are the strings that look like a path, with or without a method before it.
func routes(file *ast.File) []name {
	pattern := regexp.MustCompile(`^([A-Z]+ )?/[^ ]*$`)
	var found []name
	for n := range ast.Preorder(file) {
		lit, ok := n.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			continue
		}
		if text, err := strconv.Unquote(lit.Value); err == nil && pattern.MatchString(text) {
			found = append(found, name{text, lit})
		}
	}
	return found
}

// misspoken says which unsaid word a name contains, or nothing.
func misspoken(text string) string {
	words := wordsOf(text)
	for _, w := range words {
		if say := unsaid[w]; say != "" {
			return fmt.Sprintf("says %q, the glossary says %s", w, say)
		}
	}
	act := slices.IndexFunc(words, func(w string) bool { return slices.Contains(unsaidActs, w) })
	thing := slices.IndexFunc(words, func(w string) bool { return slices.Contains(unsaidThings, w) })
	if act >= 0 && thing >= 0 {
		return fmt.Sprintf("says %q of %q, the glossary says disclosure", words[act], words[thing])
	}
	return ""
}

// wordsOf takes a name apart at capitals and at what is no letter, in lower
// case and in the singular.
func wordsOf(text string) []string {
	var words []string
	var word []rune
	end := func() {
		if len(word) > 0 {
			words = append(words, singular(strings.ToLower(string(word))))
		}
		word = nil
	}
	letters := []rune(text)
	for i, l := range letters {
		if !unicode.IsLetter(l) {
			end()
			continue
		}
		// A capital begins a word after a small letter, and before one: APIUser is API, User.
		if unicode.IsUpper(l) && i > 0 && (unicode.IsLower(letters[i-1]) || i+1 < len(letters) && unicode.IsLower(letters[i+1])) {
			end()
		}
		word = append(word, l)
	}
	end()
	return words
}

func singular(word string) string {
	if strings.HasSuffix(word, "ss") {
		return word
	}
	return strings.TrimSuffix(word, "s")
}
