package archtest

import (
	"go/ast"
	"go/token"
	"slices"
)

// diskCalls are the functions of package os that reach the disk.
var diskCalls = []string{
	"Chmod", "Chown", "Chtimes", "CopyFS", "Create", "CreateTemp", "DirFS", "Link", "Lstat", "Mkdir", "MkdirAll", "MkdirTemp",
	"NewFile", "Open", "OpenFile", "OpenRoot", "ReadDir", "ReadFile", "Readlink", "Remove", "RemoveAll", "Rename", "Stat",
	"Symlink", "Truncate", "WriteFile",
}

// Actors keeps what an actor runs on to its mailbox: no goroutine, lock, sleep
// or disk call under actors/. actors/connection and actors/relay are plain
// objects between two threads of control and excepted; tests are free.
func Actors(t *Tree) []Violation {
	var found []Violation
	for _, f := range t.Files {
		if f.Test || !in(f.Dir, "actors") || in(f.Dir, "actors/connection") || in(f.Dir, "actors/relay") {
			continue
		}
		ast.Inspect(f.AST, func(n ast.Node) bool {
			if g, ok := n.(*ast.GoStmt); ok {
				found = append(found, f.at(g, "an actor starts no goroutine; let the work be done where it blocks (storage, node) and have the outcome sent to the mailbox"))
			}
			return true
		})
		f.uses("sync", func(sel *ast.SelectorExpr) {
			if slices.Contains([]string{"Mutex", "RWMutex", "Cond"}, sel.Sel.Name) {
				found = append(found, f.at(sel, "an actor holds no sync.%s; its state is touched by its own Receive only: send a message instead", sel.Sel.Name))
			}
		})
		f.uses("time", func(sel *ast.SelectorExpr) {
			if sel.Sel.Name == "Sleep" {
				found = append(found, f.at(sel, "an actor never sleeps; ask for a tick and go on at its message"))
			}
		})
		f.uses("os", func(sel *ast.SelectorExpr) {
			if slices.Contains(diskCalls, sel.Sel.Name) {
				found = append(found, f.at(sel, "an actor makes no disk call (os.%s); go through storage, which answers by message", sel.Sel.Name))
			}
		})
	}
	return found
}

// SleepInTests refuses time.Sleep, and a bare receive from time.After, in test
// files: both make a test slow on a fast machine and wrong on a slow one.
func SleepInTests(t *Tree) []Violation {
	const advice = "a test does not sleep; wait for the event (a channel, a callback), or use fake time with testing/synctest and synctest.Wait"
	var found []Violation
	for _, f := range t.Files {
		if !f.Test {
			continue
		}
		after := map[ast.Node]bool{}
		f.uses("time", func(sel *ast.SelectorExpr) {
			switch sel.Sel.Name {
			case "Sleep":
				found = append(found, f.at(sel, advice))
			case "After":
				after[sel] = true
			}
		})
		ast.Inspect(f.AST, func(n ast.Node) bool {
			for _, stmt := range statements(n) {
				if bareReceive(stmt, after) {
					found = append(found, f.at(stmt, advice))
				}
			}
			return true
		})
	}
	return found
}

// statements are those that stand directly in n. The condition of a select's
// case is none of them: a deadline is no sleep.
func statements(n ast.Node) []ast.Stmt {
	switch n := n.(type) {
	case *ast.BlockStmt:
		return n.List
	case *ast.CaseClause:
		return n.Body
	case *ast.CommClause:
		return n.Body
	}
	return nil
}

// bareReceive says whether stmt is "<-time.After(...)" and nothing else.
func bareReceive(stmt ast.Stmt, after map[ast.Node]bool) bool {
	expr, ok := stmt.(*ast.ExprStmt)
	if !ok {
		return false
	}
	receive, ok := expr.X.(*ast.UnaryExpr)
	if !ok || receive.Op != token.ARROW {
		return false
	}
	call, ok := receive.X.(*ast.CallExpr)
	return ok && after[call.Fun]
}
