package pebble

import (
	"errors"
	"log/slog"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// patient is a file system that waits when a file cannot be opened because the
// process or the system has run out of descriptors or memory for a moment: that
// says nothing of the disk, and Pebble would try a failed flush again at once,
// without an end, and panic when its log cannot be rotated.
type patient struct {
	vfs.FS
	log   *slog.Logger
	sleep func(time.Duration)
	said  atomic.Int64 // when it was logged last, Unix seconds
}

// Waits of a patient file system.
const (
	patientFor   = 10 * time.Second
	patientEvery = 50 * time.Millisecond
	patientSays  = 5 * time.Second // at most one line in so long
)

// transient are the errors that pass by themselves.
var transient = []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOBUFS, syscall.EAGAIN, syscall.EINTR}

func isTransient(err error) bool {
	for _, t := range transient {
		if errors.Is(err, t) {
			return true
		}
	}
	return false
}

// wait opens a file, again while what it lacks may come back.
func (p *patient) wait(open func() (vfs.File, error)) (vfs.File, error) {
	for waited := time.Duration(0); ; waited += patientEvery {
		f, err := open()
		if err == nil || !isTransient(err) || waited >= patientFor {
			return f, err
		}
		p.warn(err)
		p.sleep(patientEvery)
	}
}

func (p *patient) warn(err error) {
	now, last := time.Now().Unix(), p.said.Load()
	if p.log != nil && now-last >= int64(patientSays.Seconds()) && p.said.CompareAndSwap(last, now) {
		p.log.Warn("a file of the store cannot be opened now; it is tried again", "error", err)
	}
}

// Open implements vfs.FS.
func (p *patient) Open(name string, o ...vfs.OpenOption) (vfs.File, error) {
	return p.wait(func() (vfs.File, error) { return p.FS.Open(name, o...) })
}

// OpenReadWrite implements vfs.FS.
func (p *patient) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	return p.wait(func() (vfs.File, error) { return p.FS.OpenReadWrite(name, c, o...) })
}

// OpenDir implements vfs.FS.
func (p *patient) OpenDir(name string) (vfs.File, error) {
	return p.wait(func() (vfs.File, error) { return p.FS.OpenDir(name) })
}

// Create implements vfs.FS.
func (p *patient) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return p.wait(func() (vfs.File, error) { return p.FS.Create(name, c) })
}

// ReuseForWrite implements vfs.FS. It renames before it opens: once it has, the
// file is created.
func (p *patient) ReuseForWrite(old, name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := p.FS.ReuseForWrite(old, name, c)
	if err != nil && isTransient(err) {
		return p.Create(name, c)
	}
	return f, err
}

// Unwrap implements vfs.FS.
func (p *patient) Unwrap() vfs.FS { return p.FS }
