package archtest

import (
	"fmt"
	"go/ast"
)

// The most lines that a hand-written file and function may have.
const (
	MaxFileLines     = 500
	MaxFunctionLines = 70
)

// Length keeps files and functions short enough to be read at once.
func Length(t *Tree) []Violation {
	var found []Violation
	for _, f := range t.Files {
		if f.Generated {
			continue
		}
		if f.Lines > MaxFileLines {
			found = append(found, Violation{File: f.Path, Message: fmt.Sprintf(
				"%d lines; at most %d are allowed: split it so that each file tells one story", f.Lines, MaxFileLines)})
		}
		for _, d := range f.AST.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			start := f.fset.Position(fn.Type.Func).Line
			if n := f.fset.Position(fn.End()).Line - start + 1; n > MaxFunctionLines {
				found = append(found, Violation{File: f.Path, Line: start, Message: fmt.Sprintf(
					"%s has %d lines; at most %d are allowed: give its steps names and move them out", fn.Name.Name, n, MaxFunctionLines)})
			}
		}
	}
	return found
}
