package chat

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strings"
	"testing"
)

// TestEveryCommandIsDeclaredOnce wants each type that is a command in the list of
// rules, under its own rule, and with a line in the docs that says since when.
func TestEveryCommandIsDeclaredOnce(t *testing.T) {
	page, err := os.ReadFile("../docs/commands.md")
	if err != nil {
		t.Fatal(err)
	}
	missing := commands(t)
	for _, r := range rules {
		name := reflect.TypeOf(r.of).String()
		name = strings.TrimPrefix(strings.TrimPrefix(name, "*"), "chat.")
		if !missing[name] {
			t.Errorf("%s is listed twice, or is no command", name)
		}
		delete(missing, name)
		if r.of.rule() != r || r.since < 1 || r.since > Version {
			t.Errorf("%s has another rule than the one that is listed, since %d", name, r.since)
		}
		if line := fmt.Sprintf("\n| `%s` | %d |", name, r.since); !strings.Contains(string(page), line) {
			t.Errorf("docs/commands.md has no line %q", strings.TrimSpace(line))
		}
	}
	if len(missing) > 0 {
		t.Errorf("the list of rules lacks %v", missing)
	}
}

// commands are the types of this package with a method rule.
func commands(t *testing.T) map[string]bool {
	found := make(map[string]bool)
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range tree.Decls {
			if m, ok := d.(*ast.FuncDecl); ok && m.Recv != nil && m.Name.Name == "rule" {
				of := m.Recv.List[0].Type
				if p, ok := of.(*ast.StarExpr); ok {
					of = p.X
				}
				found[of.(*ast.Ident).Name] = true
			}
		}
	}
	return found
}

func TestACommandIsRefusedBeforeItsVersion(t *testing.T) {
	kept := loginRule
	defer func() { loginRule = kept }()
	loginRule.since = Version + 1
	defer func() {
		if recover() == nil {
			t.Error("a command was applied in a version that does not have it")
		}
	}()
	Apply(&State{}, Command{Version: Version, Body: Login{}})
}
