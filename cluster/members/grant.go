package members

import (
	"errors"
	"io/fs"
	"os"

	"github.com/parley-im/parley/internal/durable"
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

// writeGrant makes a grant durable before anybody hears of it.
func writeGrant(file string, to storage.NodeID) error {
	if file == "" {
		return nil
	}
	return durable.WriteFile(file, []byte(to))
}
