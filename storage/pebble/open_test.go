package pebble_test

import (
	"encoding/binary"
	"errors"
	"testing"

	driver "github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/parley-im/parley/storage/pebble"
	"github.com/parley-im/parley/storage/storagetest"
)

// raw opens the data directory past the store.
func raw(t *testing.T, fs vfs.FS, work func(*driver.DB)) {
	t.Helper()
	db, err := driver.Open("data", &driver.Options{FS: fs, FormatMajorVersion: driver.FormatNewest, Logger: quiet{}})
	if err != nil {
		t.Fatal(err)
	}
	work(db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(string, ...any) {}

func TestAStoreOfANewerFormatIsRefused(t *testing.T) {
	fs := vfs.NewMem()
	if err := openOn(t, fs).Close(); err != nil {
		t.Fatal(err)
	}
	raw(t, fs, func(db *driver.DB) {
		format, closer, err := db.Get([]byte("\x00f"))
		if err != nil || binary.BigEndian.Uint64(format) != 2 {
			t.Fatalf("a new store has format %x, %v, want 2", format, err)
		}
		_ = closer.Close()
		if err := db.Set([]byte("\x00f"), binary.BigEndian.AppendUint64(nil, 3), driver.Sync); err != nil {
			t.Fatal(err)
		}
	})
	for range 2 {
		if _, err := pebble.Open(pebble.Options{Dir: "data", FS: fs, Shards: storagetest.Shards}); !errors.Is(err, pebble.ErrNewerFormat) {
			t.Errorf("opened with %v, want ErrNewerFormat", err)
		}
	}
}

func TestAStoreWithAnotherNumberOfShardsIsRefused(t *testing.T) {
	fs := vfs.NewMem()
	if err := openOn(t, fs).Close(); err != nil {
		t.Fatal(err)
	}
	for _, shards := range []int{1, storagetest.Shards - 1, storagetest.Shards + 1} {
		if _, err := pebble.Open(pebble.Options{Dir: "data", FS: fs, Shards: shards}); !errors.Is(err, pebble.ErrShards) {
			t.Errorf("opened with %d shards: %v, want ErrShards", shards, err)
		}
	}
	if err := openOn(t, fs).Close(); err != nil {
		t.Errorf("the right number after the wrong ones: %v", err)
	}
}

func TestADirectoryInUseIsRefused(t *testing.T) {
	o := pebble.Options{Dir: t.TempDir(), Shards: storagetest.Shards}
	s, err := pebble.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := pebble.Open(o); err == nil {
		t.Error("opened twice")
		_ = second.Close()
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = pebble.Open(o); err != nil {
		t.Fatalf("after the first has closed: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
