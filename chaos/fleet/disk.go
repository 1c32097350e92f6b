package fleet

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// diskMiB is the size of a node's own file system; its image is sparse.
const diskMiB = 1024

// ErrNoDisk says that something was to be done to the file system of a node of a
// fleet without Options.Disks.
var ErrNoDisk = errors.New("fleet: only nodes with a file system of their own can lose power or room")

func (n *Node) image() string { return n.Dir + ".ext4" }

// filler takes the room of a full disk.
func (n *Node) filler() string { return filepath.Join(n.Dir, "filler") }

// makeDisk gives the node a fresh file system.
func (n *Node) makeDisk() error {
	return errors.Join(
		run("truncate", "-s", strconv.Itoa(diskMiB)+"M", n.image()),
		run("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=1,lazy_journal_init=1", n.image()),
		n.mount(),
	)
}

func (n *Node) mount() error { return run("mount", "-o", "loop", n.image(), n.Dir) }

// shutdownNoFlush is EXT4_IOC_SHUTDOWN, an _IOR('X', 125, u32), and the flag by
// which not even the journal is written.
const (
	shutdownRequest = 0x8004587d
	shutdownNoFlush = 2
)

// CutPower ends the node as a power cut would: its file system takes nothing
// more, the process is killed, and what was not synced is gone.
func (n *Node) CutPower() error {
	if !n.f.o.Disks {
		return ErrNoDisk
	}
	at, err := os.Open(n.Dir)
	if err != nil {
		return err
	}
	err = unix.IoctlSetPointerInt(int(at.Fd()), shutdownRequest, shutdownNoFlush)
	err = errors.Join(err, at.Close())
	n.Kill()
	if err != nil {
		return fmt.Errorf("fleet: shut the file system of %s down: %w", n.Name, err)
	}
	return errors.Join(run("umount", n.Dir), n.mount())
}

// FillDisk leaves no room on the node's disk until FreeDisk. A node that runs may
// free some again, by what it deletes: then it is to be called once more.
func (n *Node) FillDisk() error {
	if !n.f.o.Disks {
		return ErrNoDisk
	}
	f, err := os.OpenFile(n.filler(), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	for size := int64(64 << 20); size >= 4096; {
		if unix.Fallocate(int(f.Fd()), 0, end, size) == nil {
			end += size
		} else {
			size /= 2
		}
	}
	return f.Close()
}

// FreeDisk undoes FillDisk.
func (n *Node) FreeDisk() error { return os.Remove(n.filler()) }

// removeDisk releases the file system.
func (n *Node) removeDisk() error {
	return errors.Join(run("umount", n.Dir), os.Remove(n.image()))
}
