package pebble

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/wal"
)

// ErrDamagedLog says that the write-ahead log does not hold all that was synced
// into it. What is missing may have been acknowledged or voted for, so the
// store must not be used.
var ErrDamagedLog = errors.New("the write-ahead log is damaged: what was synced is missing")

// syncedLogs is a file system that remembers how far each write-ahead log has
// been synced, and does not open one that is readable only up to less.
//
// Pebble ends its last log at the first chunk that does not read: after a power
// cut the end of a log may be torn. Damage looks the same, unless a chunk in a
// later block claims a synced offset after it. That finds little: nothing
// claims the last block, and the claims of Pebble 2.1.7 fall short by most of
// each block that fills between two flushes. A log number that turns into the
// next one even passes for a proper end.
//
// So after each sync a note of it is written beside the logs. The note is not
// synced: it comes after what it tells of, so it is true whatever becomes of
// it. It is exact after the end of a process, and after a power cut as old as
// the system's last write of it; damage after that looks torn.
type syncedLogs struct {
	vfs.FS
	mu    sync.Mutex
	notes []byte // nil until the directory is known; notesSize afterwards
	next  int    // the note that the next log gets
	out   vfs.File
}

// The notes are one file, small enough to be written as a whole: for each of
// the last logs its number, offset and the checksum of both. There are more
// than logs can be alive, which is one for each memtable.
const (
	notesFile = "synced"
	noteSize  = 3 * 8
	notesSize = 2 * (stopWrites + 1) * noteSize
)

// Open implements vfs.FS.
func (l *syncedLogs) Open(name string, o ...vfs.OpenOption) (vfs.File, error) {
	if num, ok := l.log(name); ok {
		if err := l.check(name, num); err != nil {
			return nil, err
		}
	}
	return l.FS.Open(name, o...)
}

// Create implements vfs.FS.
func (l *syncedLogs) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := l.FS.Create(name, c)
	return l.note(name, f, err)
}

// ReuseForWrite implements vfs.FS.
func (l *syncedLogs) ReuseForWrite(old, name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := l.FS.ReuseForWrite(old, name, c)
	return l.note(name, f, err)
}

// Unwrap implements vfs.FS.
func (l *syncedLogs) Unwrap() vfs.FS { return l.FS }

// Close drops the notes.
func (l *syncedLogs) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.out == nil {
		return nil
	}
	return l.out.Close()
}

func (l *syncedLogs) log(name string) (uint64, bool) {
	num, _, ok := wal.ParseLogFilename(l.PathBase(name))
	return uint64(num), ok
}

// check compares a log with its note, if it has one.
func (l *syncedLogs) check(name string, num uint64) error {
	synced, err := l.synced(name, num)
	if err != nil || synced == 0 {
		return err
	}
	f, err := l.FS.Open(name)
	if err != nil {
		return err
	}
	readable, err := readableLog(f, num, synced)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if readable < synced {
		return fmt.Errorf("%w: %s is readable up to %d, and was synced up to %d", ErrDamagedLog, name, readable, synced)
	}
	return nil
}

// synced is what the note of a log says, 0 without one.
func (l *syncedLogs) synced(name string, num uint64) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.load(name); err != nil {
		return 0, err
	}
	for at := 0; at < notesSize; at += noteSize {
		n := l.notes[at : at+noteSize]
		if binary.BigEndian.Uint64(n) == num && binary.BigEndian.Uint64(n[16:]) == uint64(crc32.ChecksumIEEE(n[:16])) {
			return int64(binary.BigEndian.Uint64(n[8:])), nil
		}
	}
	return 0, nil
}

// load reads the notes beside a log; none are no error.
func (l *syncedLogs) load(log string) error {
	if l.notes != nil {
		return nil
	}
	notes := make([]byte, notesSize)
	f, err := l.FS.Open(l.PathJoin(l.PathDir(log), notesFile))
	if err == nil {
		_, err = io.ReadFull(f, notes)
		err = errors.Join(ignoreShort(err), f.Close())
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	l.notes = notes
	return nil
}

func ignoreShort(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// note has the syncs of a log noted.
func (l *syncedLogs) note(name string, f vfs.File, err error) (vfs.File, error) {
	num, ok := l.log(name)
	if err != nil || !ok {
		return f, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	err = l.load(name)
	if err == nil && l.out == nil {
		l.out, err = l.OpenReadWrite(l.PathJoin(l.PathDir(name), notesFile), "pebble-wal")
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	at := l.next
	l.next = (l.next + noteSize) % notesSize
	return &notedLog{File: f, logs: l, num: num, at: at}, nil
}

// notedLog is a log that is being written, by one goroutine at a time.
type notedLog struct {
	vfs.File
	logs    *syncedLogs
	num     uint64
	at      int // of its note
	written int64
}

// Write implements vfs.File.
func (f *notedLog) Write(b []byte) (int, error) {
	n, err := f.File.Write(b)
	f.written += int64(n)
	return n, err
}

// Sync implements vfs.File.
func (f *notedLog) Sync() error {
	if err := f.File.Sync(); err != nil {
		return err
	}
	return f.noteSync()
}

// SyncData implements vfs.File.
func (f *notedLog) SyncData() error {
	if err := f.File.SyncData(); err != nil {
		return err
	}
	return f.noteSync()
}

func (f *notedLog) noteSync() error {
	l := f.logs
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.notes[f.at : f.at+noteSize]
	binary.BigEndian.PutUint64(n, f.num)
	binary.BigEndian.PutUint64(n[8:], uint64(f.written))
	binary.BigEndian.PutUint64(n[16:], uint64(crc32.ChecksumIEEE(n[:16])))
	_, err := l.out.WriteAt(l.notes, 0)
	return err
}
