package replication_test

import (
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// disk is a file system in memory that loses power before a given operation:
// what then survives is a copy with everything synced and a random part of
// the rest. Who runs on the disk notices nothing and goes on, in vain.
//
// Operations hold gate, so that none is under way while the copy is made:
// MemFS's own lock is taken twice by Link, which with a waiting copy between
// the two never ends.
type disk struct {
	vfs.FS
	mem     *vfs.MemFS
	gate    sync.RWMutex
	left    atomic.Int64 // operations until the cut
	once    sync.Once
	rng     *rand.Rand // of the cut only
	onCut   func()     // called before the copy is made
	cut     chan struct{}
	survive *vfs.MemFS // set when cut is closed
}

func newDisk(mem *vfs.MemFS, rng *rand.Rand, operations int64, onCut func()) *disk {
	d := &disk{FS: mem, mem: mem, rng: rng, onCut: onCut, cut: make(chan struct{})}
	d.left.Store(operations)
	return d
}

// power cuts the power now, unless that has happened.
func (d *disk) power() {
	d.once.Do(func() {
		d.onCut()
		d.gate.Lock()
		defer d.gate.Unlock()
		d.survive = d.mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: d.rng.IntN(101), RNG: d.rng})
		close(d.cut)
	})
}

func (d *disk) dark() bool {
	select {
	case <-d.cut:
		return true
	default:
		return false
	}
}

// begin counts an operation; its result ends it.
func (d *disk) begin() (end func()) {
	if d.left.Add(-1) == 0 {
		d.power()
	}
	d.gate.RLock()
	return d.gate.RUnlock
}

func (d *disk) wrap(f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return file{f, d}, nil
}

func (d *disk) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	defer d.begin()()
	return d.wrap(d.FS.Create(name, c))
}

func (d *disk) Link(from, to string) error {
	defer d.begin()()
	return d.FS.Link(from, to)
}

func (d *disk) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	defer d.begin()()
	return d.wrap(d.FS.OpenReadWrite(name, c, o...))
}

func (d *disk) OpenDir(name string) (vfs.File, error) {
	defer d.begin()()
	return d.wrap(d.FS.OpenDir(name))
}

func (d *disk) Remove(name string) error {
	defer d.begin()()
	return d.FS.Remove(name)
}

func (d *disk) RemoveAll(name string) error {
	defer d.begin()()
	return d.FS.RemoveAll(name)
}

func (d *disk) Rename(from, to string) error {
	defer d.begin()()
	return d.FS.Rename(from, to)
}

func (d *disk) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	defer d.begin()()
	return d.wrap(d.FS.ReuseForWrite(from, to, c))
}

func (d *disk) MkdirAll(dir string, mode os.FileMode) error {
	defer d.begin()()
	return d.FS.MkdirAll(dir, mode)
}

// file counts what is written and synced.
type file struct {
	vfs.File
	disk *disk
}

func (f file) Write(b []byte) (int, error) {
	defer f.disk.begin()()
	return f.File.Write(b)
}

func (f file) WriteAt(b []byte, at int64) (int, error) {
	defer f.disk.begin()()
	return f.File.WriteAt(b, at)
}

func (f file) Sync() error {
	defer f.disk.begin()()
	return f.File.Sync()
}

func (f file) SyncData() error {
	defer f.disk.begin()()
	return f.File.SyncData()
}

func (f file) SyncTo(n int64) (bool, error) {
	defer f.disk.begin()()
	return f.File.SyncTo(n)
}
