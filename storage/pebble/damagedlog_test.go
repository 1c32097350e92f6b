package pebble_test

import (
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	driver "github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/storage/pebble"
	"github.com/parley-im/parley/storage/storagetest"
)

// written fills a store's log with synced commits of one entry each, small ones
// and ones of several blocks, and gives the index of the last.
func written(t *testing.T, s *pebble.Store) (last uint64) {
	t.Helper()
	noise := rand.NewChaCha8([32]byte{3})
	b := s.Batch()
	b.Create(1, 3, storage.Applied{Position: storage.Position{Index: 1, Term: 1}})
	for last = 2; ; last++ {
		size := 100 + int(last)*7%900
		if last%50 == 0 {
			size = 34 << 10
		}
		data := make([]byte, size)
		_, _ = noise.Read(data)
		b.Append(1, []storage.LogEntry{{Position: storage.Position{Index: last, Term: 2}, Data: data}})
		if err := b.Commit(true); err != nil {
			t.Fatal(err)
		}
		if last == 120 {
			return last
		}
		b = s.Batch()
	}
}

// lastLog is the name and the contents of the log that is replayed.
func lastLog(t *testing.T, fs vfs.FS) (name string, data []byte) {
	t.Helper()
	names, err := fs.List("data")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		if strings.HasSuffix(n, ".log") && n > name {
			name = n
		}
	}
	name = fs.PathJoin("data", name)
	f, err := fs.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	data, err = io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return name, data
}

// damaged is a copy of a disk in which a bit of a file is turned.
func damaged(t *testing.T, disk *vfs.MemFS, name string, at int64, was byte, bit int) *vfs.MemFS {
	t.Helper()
	fs := disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(1, 1))})
	f, err := fs.OpenReadWrite(name, "test")
	if err == nil {
		_, err = f.WriteAt([]byte{was ^ 1<<bit}, at)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return fs
}

// TestADamagedLogIsNoticed turns bits all over a log of synced commits, after
// its process ended and after the store was closed: the store is to refuse, or
// to have every commit.
func TestADamagedLogIsNoticed(t *testing.T) {
	flips := 160 // Pebble looks for each, which takes it 0.1 s in a full block
	if raceDetector || testing.Short() {
		flips = 80
	}
	for _, closed := range []bool{false, true} {
		disk := vfs.NewCrashableMem()
		s := openOn(t, disk)
		last := written(t, s)
		left := disk
		if !closed { // what the system has of the process's writes
			left = disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(1, 1))})
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		name, log := lastLog(t, left)
		rng := rand.New(rand.NewPCG(uint64(flips), 11))
		refused, byNote := 0, 0
		for i := range flips {
			at, bit := rng.Int64N(int64(len(log))), rng.IntN(8)
			if i < 64 { // where nothing follows
				at = int64(len(log) - 1 - i)
			}
			if i == 64 { // the first chunk's log number, if even, turns into that of a proper end
				at, bit = 7, 0
			}
			s, err := pebble.Open(pebble.Options{Dir: "data", FS: damaged(t, left, name, at, log[at], bit), Shards: storagetest.Shards})
			switch {
			case errors.Is(err, pebble.ErrDamagedLog):
				byNote++
				refused++
			case errors.Is(err, driver.ErrCorruption):
				refused++
			case err != nil:
				t.Fatalf("bit %d of byte %d of %d: %v", bit, at, len(log), err)
			default:
				if r, err := s.Replica(1); err != nil || r.Last != last {
					t.Errorf("bit %d of byte %d of %d: opened with entries up to %d of %d, %v", bit, at, len(log), r.Last, last, err)
				}
				if entries, err := s.Log(1, 2, last+1, math.MaxInt); err != nil || len(entries) != int(last-1) {
					t.Errorf("bit %d of byte %d of %d: opened with %d entries, %v", bit, at, len(log), len(entries), err)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
		}
		t.Logf("closed %v: %d bits turned in %d bytes: refused %d, %d of them by the note", closed, flips, len(log), refused, byNote)
		if refused == 0 {
			t.Error("no damage was noticed")
		}
	}
}

// TestExaminingFindsWhatTheStoreWouldRefuse cuts a log off where an end that was
// never synced could be.
func TestExaminingFindsWhatTheStoreWouldRefuse(t *testing.T) {
	dir := t.TempDir()
	s, err := pebble.Open(pebble.Options{Dir: dir, Shards: storagetest.Shards})
	if err != nil {
		t.Fatal(err)
	}
	written(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if e, err := pebble.Examine(dir, nil); err != nil || e.Problems() > 0 {
		t.Fatalf("a whole log: %v, %+v", err, e)
	}
	logs, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil || len(logs) == 0 {
		t.Fatalf("the store has logs %v, %v", logs, err)
	}
	name := slices.Max(logs)
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, left := range []int{len(whole) / 4, len(whole) / 2, len(whole) * 3 / 4, len(whole) - 1} {
		if err := os.WriteFile(name, whole[:left], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := pebble.Examine(dir, nil); !errors.Is(err, pebble.ErrDamagedLog) && !errors.Is(err, driver.ErrCorruption) {
			t.Errorf("cut off at %d of %d bytes: %v", left, len(whole), err)
		}
	}
}

// TestExaminingFindsDamageAnywhereInATable turns bits all over a table: also where
// nobody looks who reads all rows.
func TestExaminingFindsDamageAnywhereInATable(t *testing.T) {
	dir := t.TempDir()
	o := pebble.Options{Dir: dir, Shards: storagetest.Shards}
	for again := range 2 { // the second start makes a table of the log
		s, err := pebble.Open(o)
		if err != nil {
			t.Fatal(err)
		}
		if again == 0 {
			written(t, s)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	tables, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("the store has tables %v, %v", tables, err)
	}
	if _, err := pebble.Examine(dir, nil); err != nil {
		t.Fatalf("before any damage: %v", err)
	}
	whole, err := os.ReadFile(tables[0])
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 12))
	for i := range 34 {
		at := rng.IntN(len(whole))
		if i < 32 { // the last blocks are small; large ones take Pebble long, which looks for the bit
			at = len(whole) - 100 - rng.IntN(1500) // the footer has no checksum
		}
		bad := slices.Clone(whole)
		bad[at] ^= 1 << rng.IntN(8)
		if err := os.WriteFile(tables[0], bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := pebble.Examine(dir, nil); err == nil {
			t.Errorf("a bit of byte %d of %d is turned, and nothing is found", at, len(whole))
		}
	}
}
