package pebble_test

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/storage/pebble"
	"github.com/parley-im/parley/storage/storagetest"
)

func TestThePebbleStoreKeepsTheContract(t *testing.T) {
	disks := map[*testing.T]vfs.FS{}
	storagetest.Run(t, func(t *testing.T) storage.Store {
		if disks[t] == nil {
			disks[t] = vfs.NewMem()
		}
		return openOn(t, disks[t])
	})
}

func openOn(t testing.TB, fs vfs.FS) *pebble.Store {
	t.Helper()
	s, err := pebble.Open(pebble.Options{Dir: "data", FS: fs, Shards: storagetest.Shards})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
