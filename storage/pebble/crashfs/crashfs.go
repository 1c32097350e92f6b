// Package crashfs is a file system for tests of what stands on a disk: over one
// in memory it loses power at a given operation, over any it fails and stalls.
// It is no model of a torn write: what is synced stays, of the rest a random
// part does.
package crashfs

import (
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options says what happens to a disk. The zero value is a disk that works.
type Options struct {
	// Operations is how many are done before the power goes; 0: it stays.
	Operations int64
	// Random chooses what survives of what was not synced; needed for a cut.
	Random *rand.Rand
	// OnCut is called before the surviving copy is made; may be nil.
	OnCut func()
	// Fault is called before each operation with its kind and the file's name;
	// it may take its time, and what it returns is the operation's error.
	Fault func(op Op, name string) error
}

// Op is a kind of operation.
type Op int

// The operations that change a disk.
const (
	Create Op = iota
	Write
	Sync
	Other // links, renames, removals, directories
)

// Disk is a file system that loses power before a given operation: what then
// survives is a copy with everything synced and a random part of the rest. Who
// runs on the disk notices nothing and goes on, in vain.
//
// Operations hold gate, so that none is under way while the copy is made:
// MemFS's own lock is taken twice by Link, which with a waiting copy between
// the two never ends.
type Disk struct {
	vfs.FS
	o       Options
	gate    sync.RWMutex
	left    atomic.Int64 // operations until the cut
	once    sync.Once
	cut     chan struct{}
	survive *vfs.MemFS // set when cut is closed
}

// New puts a disk over fs, which vfs.NewCrashableMem made if it is to be cut.
func New(fs vfs.FS, o Options) *Disk {
	d := &Disk{FS: fs, o: o, cut: make(chan struct{})}
	d.left.Store(o.Operations)
	return d
}

// Cut cuts the power, unless that has happened, and gives what survived.
func (d *Disk) Cut() *vfs.MemFS {
	d.once.Do(func() {
		if d.o.OnCut != nil {
			d.o.OnCut()
		}
		d.gate.Lock()
		defer d.gate.Unlock()
		d.survive = d.FS.(*vfs.MemFS).CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: d.o.Random.IntN(101), RNG: d.o.Random})
		close(d.cut)
	})
	return d.survive
}

// Dark says whether the power is gone.
func (d *Disk) Dark() bool {
	select {
	case <-d.cut:
		return true
	default:
		return false
	}
}

// begin counts an operation and holds the gate for it; end lets go.
func (d *Disk) begin(op Op, name string) (end func(), err error) {
	if d.left.Add(-1) == 0 {
		d.Cut()
	}
	if d.o.Fault != nil {
		if err := d.o.Fault(op, name); err != nil {
			return nil, err
		}
	}
	d.gate.RLock()
	return d.gate.RUnlock, nil
}

// do runs one operation.
func (d *Disk) do(op Op, name string, f func() error) error {
	end, err := d.begin(op, name)
	if err != nil {
		return err
	}
	defer end()
	return f()
}

func (d *Disk) open(op Op, name string, f func() (vfs.File, error)) (vfs.File, error) {
	end, err := d.begin(op, name)
	if err != nil {
		return nil, err
	}
	defer end()
	opened, err := f()
	if err != nil {
		return nil, err
	}
	return file{opened, d, name}, nil
}

// Create implements vfs.FS.
func (d *Disk) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return d.open(Create, name, func() (vfs.File, error) { return d.FS.Create(name, c) })
}

// OpenReadWrite implements vfs.FS.
func (d *Disk) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	return d.open(Other, name, func() (vfs.File, error) { return d.FS.OpenReadWrite(name, c, o...) })
}

// OpenDir implements vfs.FS.
func (d *Disk) OpenDir(name string) (vfs.File, error) {
	return d.open(Other, name, func() (vfs.File, error) { return d.FS.OpenDir(name) })
}

// ReuseForWrite implements vfs.FS.
func (d *Disk) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return d.open(Create, to, func() (vfs.File, error) { return d.FS.ReuseForWrite(from, to, c) })
}

// Link implements vfs.FS.
func (d *Disk) Link(from, to string) error {
	return d.do(Other, to, func() error { return d.FS.Link(from, to) })
}

// Remove implements vfs.FS.
func (d *Disk) Remove(name string) error {
	return d.do(Other, name, func() error { return d.FS.Remove(name) })
}

// RemoveAll implements vfs.FS.
func (d *Disk) RemoveAll(name string) error {
	return d.do(Other, name, func() error { return d.FS.RemoveAll(name) })
}

// Rename implements vfs.FS.
func (d *Disk) Rename(from, to string) error {
	return d.do(Other, to, func() error { return d.FS.Rename(from, to) })
}

// MkdirAll implements vfs.FS.
func (d *Disk) MkdirAll(dir string, mode os.FileMode) error {
	return d.do(Other, dir, func() error { return d.FS.MkdirAll(dir, mode) })
}

// file counts what is written and synced.
type file struct {
	vfs.File
	disk *Disk
	name string
}

// Write implements vfs.File.
func (f file) Write(b []byte) (n int, err error) {
	err = f.disk.do(Write, f.name, func() error { n, err = f.File.Write(b); return err })
	return n, err
}

// WriteAt implements vfs.File.
func (f file) WriteAt(b []byte, at int64) (n int, err error) {
	err = f.disk.do(Write, f.name, func() error { n, err = f.File.WriteAt(b, at); return err })
	return n, err
}

// Sync implements vfs.File.
func (f file) Sync() error { return f.disk.do(Sync, f.name, f.File.Sync) }

// SyncData implements vfs.File.
func (f file) SyncData() error { return f.disk.do(Sync, f.name, f.File.SyncData) }

// SyncTo implements vfs.File.
func (f file) SyncTo(n int64) (full bool, err error) {
	err = f.disk.do(Sync, f.name, func() error { full, err = f.File.SyncTo(n); return err })
	return full, err
}
