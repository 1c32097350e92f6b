package archtest

import (
	"go/ast"
	"strings"
)

// layerOf gives a folder its layer; the longest entry that holds the folder
// counts. Nothing imports from a higher layer than its own.
var layerOf = map[string]int{
	"chat":                        0,
	"internal":                    0,
	"proto":                       1,
	"transport/wire":              2,
	"transport/source":            2,
	"storage":                     2,
	"auth":                        2,
	"config":                      2,
	"cluster/members":             3,
	"cluster/directory":           3,
	"cluster/placement":           3,
	"cluster/lineage":             3,
	"cluster/ask":                 3,
	"cluster/clock":               3,
	"cluster/link":                3,
	"storage/memory":              3,
	"storage/pebble":              3,
	"storage/blob":                3,
	"storage/storagetest":         3,
	"client":                      3,
	"transport":                   4,
	"actors":                      4,
	"cluster/replication":         4,
	"cluster/replication/round":   3,
	"cluster/replication/sim/run": 6,
	"node":                        5,
	"cmd":                         6,
	"chaos":                       6,
	"load":                        6,
}

// siblingLayer is the layer whose packages never import each other: node joins
// them through interfaces.
const siblingLayer = 4

// Layers keeps the import graph pointing down, and chat on the standard library
// alone. Test files are free: a test may stand a whole node up.
func Layers(t *Tree) []Violation {
	var found []Violation
	for _, f := range t.Files {
		if f.Test {
			continue
		}
		own, known := layer(f.Dir)
		if !known {
			found = append(found, Violation{File: f.Path, Message: "the folder " + f.Dir + " has no layer; put the package into a folder of the tree, or give it a layer in internal/archtest/layers.go"})
			continue
		}
		f.imports(func(spec *ast.ImportSpec, p string) {
			if v, bad := judgeImport(f, spec, own, p); bad {
				found = append(found, v)
			}
		})
	}
	return found
}

func judgeImport(f *File, spec *ast.ImportSpec, own int, importPath string) (Violation, bool) {
	dir, inside := strings.CutPrefix(importPath, Module+"/")
	if in(f.Dir, "chat") && (inside || !standard(importPath)) {
		return f.at(spec, "chat imports %s; the domain imports the standard library only: move what needs it up, behind an interface", importPath), true
	}
	if !inside {
		return Violation{}, false
	}
	theirs, known := layer(dir)
	switch {
	case !known:
		return f.at(spec, "%s has no layer in internal/archtest/layers.go", importPath), true
	case theirs > own:
		return f.at(spec, "layer %d imports %s of layer %d; nothing points up: declare an interface here and let node fill it", own, dir, theirs), true
	case theirs == siblingLayer && own == siblingLayer && dir != f.Dir:
		return f.at(spec, "%s imports its sibling %s; siblings meet in node through interfaces: declare one here", f.Dir, dir), true
	}
	return Violation{}, false
}

// layer looks a folder up, then its parents.
func layer(dir string) (int, bool) {
	for dir != "" && dir != "." {
		if n, ok := layerOf[dir]; ok {
			return n, true
		}
		cut := strings.LastIndexByte(dir, '/')
		if cut < 0 {
			return 0, false
		}
		dir = dir[:cut]
	}
	return 0, false
}

// in says whether dir is folder or lies below it.
func in(dir, folder string) bool {
	return dir == folder || strings.HasPrefix(dir, folder+"/")
}

// standard says whether an import path is of the standard library: only those
// have no dot in the first element.
func standard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}
