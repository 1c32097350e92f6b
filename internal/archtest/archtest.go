// Package archtest holds the rules of the house as code: who may import whom,
// which third parties stay behind which fence, how long a file and a function
// may grow, what must be documented, what actors must not do. Each rule says in
// its message how to mend a violation.
//
// It is no linter: what gofmt, vet and staticcheck find is left to them. Only
// its own tests call it; they run every rule over the module, and over planted
// violations.
package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"sort"
	"strconv"
	"strings"
)

// Module is the import path that in-module imports begin with.
const Module = "github.com/parley-im/parley"

// Violation is one broken rule at one place.
type Violation struct {
	File    string
	Line    int // 0 when the whole file is meant
	Message string
}

// String is "file:line: message".
func (v Violation) String() string {
	if v.Line == 0 {
		return v.File + ": " + v.Message
	}
	return fmt.Sprintf("%s:%d: %s", v.File, v.Line, v.Message)
}

// File is a parsed Go file.
type File struct {
	Path      string // slash-separated, from the module's root
	Dir       string
	Lines     int
	Test      bool
	Generated bool
	AST       *ast.File
	fset      *token.FileSet
}

// Tree is all Go files of the module, sorted by path.
type Tree struct {
	Files []*File
}

// Load parses the .go files that names lists. A file that does not parse is an
// error: the compiler has the better message.
func Load(fsys fs.FS, names []string) (*Tree, error) {
	t := &Tree{}
	for _, name := range names {
		if path.Ext(name) != ".go" || underTestdata(name) {
			continue
		}
		src, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		fset := token.NewFileSet()
		parsed, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		t.Files = append(t.Files, &File{
			Path: name, Dir: path.Dir(name), AST: parsed, fset: fset,
			Lines:     fset.File(parsed.FileStart).LineCount(),
			Test:      strings.HasSuffix(name, "_test.go"),
			Generated: ast.IsGenerated(parsed),
		})
	}
	sort.Slice(t.Files, func(i, j int) bool { return t.Files[i].Path < t.Files[j].Path })
	return t, nil
}

func underTestdata(name string) bool {
	return strings.HasPrefix(name, "testdata/") || strings.Contains(name, "/testdata/")
}

// Rules are all rules over Go files, by name.
func Rules() map[string]func(*Tree) []Violation {
	return map[string]func(*Tree) []Violation{
		"layers":         Layers,
		"fences":         Fences,
		"length":         Length,
		"documentation":  Documentation,
		"package names":  PackageNames,
		"actors":         Actors,
		"sleep in tests": SleepInTests,
	}
}

// line is where a node stands.
func (f *File) line(n ast.Node) int { return f.fset.Position(n.Pos()).Line }

// at makes a violation at a node.
func (f *File) at(n ast.Node, format string, args ...any) Violation {
	return Violation{File: f.Path, Line: f.line(n), Message: fmt.Sprintf(format, args...)}
}

// imports calls visit with each import path.
func (f *File) imports(visit func(spec *ast.ImportSpec, importPath string)) {
	for _, spec := range f.AST.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			visit(spec, p)
		}
	}
}

// uses finds the selector expressions that name something of an imported
// package, whatever the file calls that package.
func (f *File) uses(importPath string, visit func(sel *ast.SelectorExpr)) {
	local := ""
	f.imports(func(spec *ast.ImportSpec, p string) {
		switch {
		case p != importPath:
		case spec.Name != nil:
			local = spec.Name.Name
		default:
			local = path.Base(p)
		}
	})
	if local == "" || local == "_" {
		return
	}
	ast.Inspect(f.AST, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == local {
				visit(sel)
			}
		}
		return true
	})
}
