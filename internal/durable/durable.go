// Package durable replaces small files so that a crash leaves the old text or
// the new one, whole, and what was written before a crash is there after it.
package durable

import (
	"errors"
	"os"
	"path/filepath"
)

// WriteFile makes text the contents of a file. It writes NAME.new first, which a
// crash may leave.
func WriteFile(name string, text []byte) error {
	next := name + ".new"
	if err := writeSynced(next, text); err != nil {
		return err
	}
	if err := os.Rename(next, name); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func writeSynced(name string, text []byte) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}
