package forbidden_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"purser/internal/rule/forbidden"
)

// The first look knows only pairs of letters; a label it does not let through
// would never be seen.
func TestTheFirstLookLetsEveryLabelThrough(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "label.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	words := 0
	for n := range ast.Preorder(file) {
		text, ok := n.(*ast.BasicLit)
		if !ok || text.Kind != token.STRING {
			continue
		}
		w, err := strconv.Unquote(text.Value)
		if err != nil {
			t.Fatal(err)
		}
		if !forbidden.Introduces(w) {
			continue
		}
		if words++; !forbidden.MayIntroduce(w) {
			t.Errorf("%q is not let through", w)
		}
	}
	if words < 100 {
		t.Errorf("%d words, want over 100: the test looks in the wrong place", words)
	}
}
