package pebble

import (
	"errors"
	"io/fs"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/parley-im/parley/storage"
)

// short is a file system that has no descriptors left for a while.
type short struct {
	vfs.FS
	left int // opens that fail
	with error
}

func (s *short) fails(name string) error {
	if s.left == 0 {
		return nil
	}
	s.left--
	return &fs.PathError{Op: "open", Path: name, Err: s.with}
}

func (s *short) Open(name string, o ...vfs.OpenOption) (vfs.File, error) {
	if err := s.fails(name); err != nil {
		return nil, err
	}
	return s.FS.Open(name, o...)
}

func (s *short) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if err := s.fails(name); err != nil {
		return nil, err
	}
	return s.FS.Create(name, c)
}

func (s *short) ReuseForWrite(old, name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if err := s.FS.Rename(old, name); err != nil {
		return nil, err
	}
	if err := s.fails(name); err != nil {
		return nil, err
	}
	return s.FS.OpenReadWrite(name, c)
}

func TestAFileThatCannotBeOpenedForAMomentIsWaitedFor(t *testing.T) {
	for _, lacks := range transient {
		disk, slept := &short{FS: vfs.NewMem(), with: lacks}, time.Duration(0)
		p := &patient{FS: disk, sleep: func(d time.Duration) { slept += d }}
		for name, open := range map[string]func() (vfs.File, error){
			"create": func() (vfs.File, error) { return p.Create("a", "test") },
			"reuse": func() (vfs.File, error) {
				if f, err := disk.FS.Create("old", "test"); err != nil || f.Close() != nil {
					t.Fatal(err)
				}
				return p.ReuseForWrite("old", "b", "test")
			},
			"open": func() (vfs.File, error) {
				if f, err := disk.FS.Create("c", "test"); err != nil || f.Close() != nil {
					t.Fatal(err)
				}
				return p.Open("c")
			},
		} {
			disk.left, slept = 100, 0
			f, err := open()
			if err != nil {
				t.Fatalf("%s, %v: %v", name, lacks, err)
			}
			if err := f.Close(); err != nil || slept < 90*patientEvery {
				t.Errorf("%s, %v: %v after %v", name, lacks, err, slept)
			}
			disk.left, slept = 1<<30, 0
			if _, err := p.Open("c"); !errors.Is(err, lacks) || slept > 2*patientFor || errors.Is(damaged(err), storage.ErrDamaged) {
				t.Errorf("for ever: %v after %v", err, slept)
			}
			disk.left = 0
		}
	}
}

func TestADiskThatFailsIsNotWaitedFor(t *testing.T) {
	disk := &short{FS: vfs.NewMem(), left: 1, with: syscall.EIO}
	p := &patient{FS: disk, sleep: func(time.Duration) { t.Error("it waits") }}
	if _, err := p.Open("a"); !errors.Is(damaged(err), storage.ErrDamaged) {
		t.Errorf("it is %v", err)
	}
}
