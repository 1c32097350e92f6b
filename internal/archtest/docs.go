package archtest

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// Documentation wants a package comment for every package and a doc comment for
// every exported name: functions, types, methods of exported types, constants
// and variables. One comment above a group of constants or variables does for
// all of them.
func Documentation(t *Tree) []Violation {
	var found []Violation
	first := map[string]*File{}
	commented := map[string]bool{}
	for _, f := range t.Files {
		if f.Test || f.Generated {
			continue
		}
		if first[f.Dir] == nil {
			first[f.Dir] = f
		}
		commented[f.Dir] = commented[f.Dir] || f.AST.Doc != nil
		found = append(found, undocumented(f)...)
	}
	for dir, f := range first {
		if !commented[dir] {
			found = append(found, f.at(f.AST.Name, "package %s has no package comment; say what it is, what it is not, who calls it and what may block", f.AST.Name.Name))
		}
	}
	slices.SortFunc(found, func(a, b Violation) int { return strings.Compare(a.String(), b.String()) })
	return found
}

func undocumented(f *File) []Violation {
	var found []Violation
	miss := func(id *ast.Ident, docs ...*ast.CommentGroup) {
		written := slices.ContainsFunc(docs, func(g *ast.CommentGroup) bool { return g != nil })
		if id.IsExported() && !written {
			found = append(found, f.at(id, "%s has no doc comment; give its contract: units, ownership, errors, what blocks", id.Name))
		}
	}
	for _, d := range f.AST.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if receiver(d) == "" || token.IsExported(receiver(d)) {
				miss(d.Name, d.Doc)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					alone := d.Doc
					if d.Lparen.IsValid() {
						alone = nil
					}
					miss(s.Name, s.Doc, alone)
				case *ast.ValueSpec:
					for _, id := range s.Names {
						miss(id, s.Doc, s.Comment, d.Doc)
					}
				}
			}
		}
	}
	return found
}

// receiver is the name of a method's type; empty for a function.
func receiver(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return ""
	}
	e := fn.Recv.List[0].Type
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

// drawers are package names that say nothing about what is inside.
var drawers = []string{
	"util", "utils", "common", "helper", "helpers", "misc", "base", "shared", "types", "model", "models", "manager",
}

// PackageNames refuses drawers, as package name and as any folder of the path.
func PackageNames(t *Tree) []Violation {
	var found []Violation
	for _, f := range t.Files {
		name := strings.TrimSuffix(f.AST.Name.Name, "_test")
		for _, word := range append(strings.Split(f.Dir, "/"), name) {
			if slices.Contains(drawers, word) {
				found = append(found, f.at(f.AST.Name, "a package called %s is a drawer; name it after what it holds", word))
				break
			}
		}
	}
	return found
}
