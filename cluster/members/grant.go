package members

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/parley-im/parley/storage"
)

func readGrant(file string) (storage.NodeID, error) {
	if file == "" {
		return "", nil
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return storage.NodeID(text), err
}

// writeGrant makes a grant durable, whole or not at all, before anybody hears of
// it.
func writeGrant(file string, to storage.NodeID) error {
	if file == "" {
		return nil
	}
	f, err := os.OpenFile(file+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(string(to))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(file+".new", file); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(file))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
