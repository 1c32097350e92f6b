package pebble_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/storage/storagetest"
)

// slowSync is a disk whose log files hold every fsync, once armed, until they
// are let go.
type slowSync struct {
	vfs.FS
	armed   atomic.Bool
	begun   chan struct{}
	release chan struct{}
}

func (s *slowSync) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := s.FS.Create(name, c)
	return s.wrap(name, f), err
}

func (s *slowSync) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := s.FS.ReuseForWrite(from, to, c)
	return s.wrap(to, f), err
}

func (s *slowSync) wrap(name string, f vfs.File) vfs.File {
	if f == nil || !strings.HasSuffix(name, ".log") {
		return f
	}
	return slowFile{f, s}
}

type slowFile struct {
	vfs.File
	disk *slowSync
}

func (f slowFile) Sync() error     { f.disk.hold(); return f.File.Sync() }
func (f slowFile) SyncData() error { f.disk.hold(); return f.File.SyncData() }

func (f slowFile) SyncTo(n int64) (bool, error) { f.disk.hold(); return f.File.SyncTo(n) }

func (s *slowSync) hold() {
	if s.armed.CompareAndSwap(true, false) {
		close(s.begun)
		<-s.release
	}
}

// TestAViewShowsNothingBeforeItIsDurable: a reader who sees a message that a
// power cut then takes back has counted a seq that another message will get.
func TestAViewShowsNothingBeforeItIsDurable(t *testing.T) {
	disk := &slowSync{FS: vfs.NewMem(), begun: make(chan struct{}), release: make(chan struct{})}
	s := openOn(t, disk)
	ann := chat.UserKey{App: 1, ID: "ann"}
	shard := storage.UserShard(storagetest.Shards, ann)
	name := func() string {
		v, err := s.View(shard)
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		u, _, err := v.User(ann)
		if err != nil {
			t.Fatal(err)
		}
		return u.Name
	}
	write := func(name string) error {
		b := s.Batch()
		b.State(shard).PutUser(ann, chat.User{Name: name})
		return b.Commit()
	}
	if err := write("first"); err != nil || name() != "first" {
		t.Fatalf("committed: %v, read %q", err, name())
	}
	disk.armed.Store(true)
	committed := make(chan error)
	go func() { committed <- write("second") }()
	<-disk.begun
	if got := name(); got != "first" {
		t.Errorf("while the disk still works a view shows %q", got)
	}
	old, err := s.View(shard)
	if err != nil {
		t.Fatal(err)
	}
	close(disk.release)
	if err := <-committed; err != nil {
		t.Fatal(err)
	}
	if got := name(); got != "second" {
		t.Errorf("after the commit a view shows %q", got)
	}
	if u, _, err := old.User(ann); err != nil || u.Name != "first" {
		t.Errorf("a view from before the commit shows %q, %v", u.Name, err)
	}
	if err := old.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
