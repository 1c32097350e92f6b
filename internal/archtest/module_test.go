package archtest

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// skipped are folders that hold nothing of ours where git cannot say so.
var skipped = []string{".git", "node_modules", "bin", "data", "test-results"}

// moduleFiles are the module's files, committed or about to be; without git
// (sources from an archive), all files but the skipped folders.
func moduleFiles(t *testing.T) (fs.FS, []string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	fsys := os.DirFS(root)
	cmd := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root
	var names []string
	if out, err := cmd.Output(); err == nil {
		names = strings.Split(strings.TrimRight(string(out), "\x00"), "\x00")
	} else {
		names = walk(t, fsys)
	}
	present := func(name string) bool {
		info, err := fs.Stat(fsys, name)
		return err == nil && info.Mode().IsRegular()
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !present(name) })
	slices.Sort(names)
	return fsys, slices.Compact(names)
}

func walk(t *testing.T, fsys fs.FS) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && slices.Contains(skipped, d.Name()) {
			return fs.SkipDir
		}
		if !d.IsDir() {
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestTheModuleKeepsItsRules(t *testing.T) {
	fsys, names := moduleFiles(t)
	tree, err := Load(fsys, names)
	if err != nil {
		t.Fatal(err)
	}
	if len(tree.Files) < 20 {
		t.Fatalf("only %d Go files were found", len(tree.Files))
	}
	for name, rule := range Rules() {
		t.Run(name, func(t *testing.T) {
			for _, v := range rule(tree) {
				t.Error(v)
			}
		})
	}
	t.Run("portable", func(t *testing.T) {
		found, err := Portable(fsys, names)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range found {
			t.Error(v)
		}
	})
}
