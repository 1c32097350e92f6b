package archtest

import (
	"go/ast"
	"slices"
	"strings"
)

// fence keeps a third party inside some folders, so that it can be replaced
// there and its traps are known there.
type fence struct {
	party  string // import path prefix
	inside []string
}

var fences = []fence{
	{"github.com/cockroachdb/pebble", []string{"storage/pebble"}},
	{"github.com/hashicorp/memberlist", []string{"cluster/members"}},
	{"go.etcd.io/raft", []string{"cluster/replication", "storage/pebble", "storage/memory"}},
	{"github.com/lxzan/gws", []string{"transport/ws", "client/lean"}},
	{"github.com/coder/websocket", []string{"transport/ws", "client"}},
	{"github.com/asynkron/protoactor-go", []string{"actors", "cluster", "proto", "node"}},
}

// Fences keeps the fenced third parties inside. Tests may reach over a fence,
// for a test client's sake.
func Fences(t *Tree) []Violation {
	var found []Violation
	for _, f := range t.Files {
		if f.Test {
			continue
		}
		f.imports(func(spec *ast.ImportSpec, p string) {
			for _, fence := range fences {
				if fence.holds(p) && !slices.ContainsFunc(fence.inside, func(dir string) bool { return in(f.Dir, dir) }) {
					found = append(found, f.at(spec, "%s is fenced in %s; use what that package offers, or add it there",
						fence.party, strings.Join(fence.inside, ", ")))
				}
			}
		})
	}
	return found
}

func (f fence) holds(importPath string) bool {
	return importPath == f.party || strings.HasPrefix(importPath, f.party+"/")
}
