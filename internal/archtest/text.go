package archtest

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

// machinePath finds absolute paths of a particular machine: a checkout or the
// home of root, at the start of a path.
var machinePath = regexp.MustCompile(`(?:^|[^\w./*~)}-])(/(?:work|root)/)`)

// registry finds lines by which a lock or settings file binds a build to one
// registry. A workspace's own folder may be "resolved".
var registry = regexp.MustCompile(`"resolved":\s*"\w+://|^\s*(?:@[\w-]+:)?registry\s*=|^\s*npmRegistryServer:`)

// lockFiles are the files that the registry rule reads.
var lockFiles = map[string]bool{
	"package-lock.json": true, "npm-shrinkwrap.json": true, "yarn.lock": true, "pnpm-lock.yaml": true,
	".npmrc": true, ".yarnrc.yml": true, "buf.lock": true,
}

// Portable wants every committed file to hold on any machine: no absolute path
// of a checkout or home, and in lock files no registry's address. Files with a
// zero byte are taken for binary and skipped.
func Portable(fsys fs.FS, names []string) ([]Violation, error) {
	var found []Violation
	for _, name := range names {
		content, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		if bytes.IndexByte(content, 0) >= 0 {
			continue
		}
		found = append(found, unportable(name, string(content))...)
	}
	return found, nil
}

func unportable(name, content string) []Violation {
	var found []Violation
	line := 0
	for text := range strings.Lines(content) {
		line++
		if m := machinePath.FindStringSubmatch(text); m != nil {
			found = append(found, Violation{File: name, Line: line, Message: fmt.Sprintf(
				"%s is a path of one machine; make it relative to the module, or a flag", m[1])})
		}
		if lockFiles[path.Base(name)] && registry.MatchString(text) {
			found = append(found, Violation{File: name, Line: line, Message: "a registry's address binds every build to it; " +
				"write the lock file with omit-lockfile-registry-resolved=true and leave the registry to the user's own settings"})
		}
	}
	return found
}
