package pebble_test

import (
	"encoding/binary"
	"errors"
	"sync/atomic"
	"syscall"
	"testing"

	driver "github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/storage/pebble"
	"github.com/parley-im/parley/storage/pebble/crashfs"
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
		if err != nil || binary.BigEndian.Uint64(format) != storage.Format {
			t.Fatalf("a new store has format %x, %v, want %d", format, err, storage.Format)
		}
		_ = closer.Close()
		if err := db.Set([]byte("\x00f"), binary.BigEndian.AppendUint64(nil, storage.Format+1), driver.Sync); err != nil {
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

// TestPebblesFormatIsOurs: a newer Pebble must not change the files by itself.
func TestPebblesFormatIsOurs(t *testing.T) {
	dir := t.TempDir()
	s, err := pebble.Open(pebble.Options{Dir: dir, Shards: storagetest.Shards})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	about, err := driver.Peek(dir, vfs.Default)
	if err != nil || about.FormatMajorVersion != 24 {
		t.Errorf("the files have Pebble's format %d, %v", about.FormatMajorVersion, err)
	}
}

func TestOnlyANewStoreTakesAName(t *testing.T) {
	fs := vfs.NewMem()
	for _, name := range []storage.NodeID{"first", "second", ""} {
		s, err := pebble.Open(pebble.Options{Dir: "data", FS: fs, Shards: storagetest.Shards, Node: name})
		if err != nil {
			t.Fatal(err)
		}
		if s.Node() != "first" {
			t.Errorf("opened as %q it is called %q, want first", name, s.Node())
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestATombstonesContentsAreDeleted: a crash may leave the log of a replica that
// had applied nothing.
func TestATombstonesContentsAreDeleted(t *testing.T) {
	fs := vfs.NewMem()
	s := openOn(t, fs)
	b := s.Batch()
	b.Create(1, 3, storage.Applied{})
	b.Append(1, []storage.LogEntry{{Position: storage.Position{Index: 1, Term: 1}}})
	if err := errors.Join(b.Commit(true), s.Close()); err != nil {
		t.Fatal(err)
	}
	raw(t, fs, func(db *driver.DB) {
		tombstone, err := (&logpb.Replica{Id: 3, Removed: true}).MarshalVT()
		if err := errors.Join(err, db.Set([]byte("\x01\x00\x01"), tombstone, driver.Sync)); err != nil {
			t.Fatal(err)
		}
	})
	s = openOn(t, fs)
	if r, err := s.Replica(1); err != nil || r.ID != 3 || !r.Removed || r.Last != 0 {
		t.Errorf("the tombstone is %+v, %v", r, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	raw(t, fs, func(db *driver.DB) {
		it, err := db.NewIter(&driver.IterOptions{LowerBound: []byte("\x02\x00\x01"), UpperBound: []byte("\x02\x00\x02")})
		if err != nil {
			t.Fatal(err)
		}
		if it.First() {
			t.Errorf("there is a row %x", it.Key())
		}
		if err := it.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestAFullDiskIsTold: Pebble would wait for room.
func TestAFullDiskIsTold(t *testing.T) {
	var full atomic.Bool
	disk := crashfs.New(vfs.NewMem(), crashfs.Options{Fault: func(op crashfs.Op, _ string) error {
		if op == crashfs.Write && full.Load() {
			return syscall.ENOSPC
		}
		return nil
	}})
	told := make(chan error, 1)
	s, err := pebble.Open(pebble.Options{Dir: "data", FS: disk, Shards: storagetest.Shards, Failed: func(err error) {
		full.Store(false) // there is room again: the write that failed is tried once more
		select {
		case told <- err:
		default:
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	full.Store(true)
	b := s.Batch()
	b.State(1).Users.Put(chat.UserKey{App: 1, ID: "ann"}, chat.User{Name: "Ann"})
	if err := b.Commit(true); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-told:
		if !errors.Is(err, pebble.ErrDiskFull) {
			t.Errorf("told %v, want ErrDiskFull", err)
		}
	default:
		t.Error("nothing is logged")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
