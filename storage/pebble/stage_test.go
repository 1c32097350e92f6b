package pebble_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/storage/pebble"
	"github.com/parley-im/parley/storage/pebble/crashfs"
)

// TestALargeShardIsStagedInSeveralTables brings a shard of 72 MiB over, whose
// tables are split at 32.
func TestALargeShardIsStagedInSeveralTables(t *testing.T) {
	if testing.Short() {
		t.Skip("72 MiB")
	}
	const entries, size = 288, 256 << 10
	c := chat.PeerConversation(1, "ann", "bo")
	noise := rand.NewChaCha8([32]byte{1})
	chunks := snapshotOf(t, func(s *pebble.Store) {
		b := s.Batch()
		b.Create(1, 3, storage.Applied{Position: storage.Position{Index: 9, Term: 2}})
		for seq := range uint64(entries) {
			body := make([]byte, size)
			_, _ = noise.Read(body)
			b.State(1).Entries.Put(chat.EntryKey{Conversation: c, Seq: seq + 1}, chat.Entry{Seq: seq + 1, Content: body})
		}
		if err := b.Commit(true); err != nil {
			t.Fatal(err)
		}
	})
	mem := vfs.NewMem()
	s := openOn(t, mem)
	named(t, s, "old", 40)
	g, err := s.Stage(1)
	if err != nil {
		t.Fatal(err)
	}
	for _, chunk := range chunks {
		if err := g.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	if a, err := g.Seal(); err != nil || a.Index != 9 {
		t.Fatalf("sealed %+v, %v", a, err)
	}
	if tables := stagedTables(t, mem); len(tables) != 3 {
		t.Errorf("staged are %v, want 3 tables", tables)
	}
	if err := s.Install(1, g); err != nil {
		t.Fatal(err)
	}
	if left := stagedTables(t, mem); len(left) != 0 {
		t.Errorf("after the installation there are %v", left)
	}
	v, err := s.View(1)
	if err != nil {
		t.Fatal(err)
	}
	got, err := v.Entries(c, 0, 0, math.MaxInt, false)
	if err != nil || len(got) != entries || got[entries-1].Seq != entries || len(got[7].Content) != size {
		t.Errorf("%d entries, %v", len(got), err)
	}
	if _, there, _ := v.User(chat.UserKey{App: 1, ID: "old1"}); there {
		t.Error("a row of the old contents is there")
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// stagedTables lists what lies in the staging directory.
func stagedTables(t *testing.T, fs vfs.FS) (out []string) {
	t.Helper()
	dirs, err := fs.List("data/staging")
	if err != nil {
		return nil
	}
	for _, d := range dirs {
		files, err := fs.List(fs.PathJoin("data/staging", d))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, files...)
	}
	return out
}

func TestAnOpenDeletesWhatWasStaged(t *testing.T) {
	chunks := snapshotOf(t, func(s *pebble.Store) { named(t, s, "new", 90) })
	mem := vfs.NewMem()
	s := openOn(t, mem)
	g, err := s.Stage(1)
	if err != nil {
		t.Fatal(err)
	}
	for _, chunk := range chunks {
		if err := g.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := g.Seal(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if tables := stagedTables(t, mem); len(tables) != 1 {
		t.Fatalf("staged are %v, want 1 table", tables)
	}
	s = openOn(t, mem)
	if left := stagedTables(t, mem); len(left) != 0 {
		t.Errorf("after an open there are %v", left)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// lying flips a bit of the first thing that is written to a staged table.
type lying struct{ vfs.FS }

func (l lying) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := l.FS.Create(name, c)
	if err == nil && strings.Contains(name, "staging") {
		f = &flipping{File: f}
	}
	return f, err
}

type flipping struct {
	vfs.File
	done bool
}

func (f *flipping) Write(b []byte) (int, error) {
	if !f.done {
		f.done = true
		b = append([]byte(nil), b...)
		b[len(b)/3] ^= 4
	}
	return f.File.Write(b)
}

func TestADamagedStagingIsNotSealed(t *testing.T) {
	chunks := snapshotOf(t, func(s *pebble.Store) { named(t, s, "new", 90) })
	s := openOn(t, lying{vfs.NewMem()})
	named(t, s, "old", 40)
	g, err := s.Stage(1)
	if err != nil {
		t.Fatal(err)
	}
	for _, chunk := range chunks {
		if err := g.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	if a, err := g.Seal(); err == nil || !strings.Contains(err.Error(), "not what was written") {
		t.Errorf("sealed %+v, %v", a, err)
	}
	if err := s.Install(1, g); err == nil {
		t.Error("it is installed")
	}
	if got := generation(t, 0, s); got != "old" {
		t.Errorf("the contents are %q", got)
	}
	if err := g.Discard(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestAViewWithinAnInstallationIsGone opens and closes a view while Pebble takes
// the tables over: whether that saw the old rows, the new ones or none, nobody
// can tell.
func TestAViewWithinAnInstallationIsGone(t *testing.T) {
	chunks := snapshotOf(t, func(s *pebble.Store) { named(t, s, "new", 90) })
	var s *pebble.Store
	var installing atomic.Bool
	disk := crashfs.New(vfs.NewMem(), crashfs.Options{Fault: func(op crashfs.Op, name string) error {
		if op != crashfs.Other || !strings.HasSuffix(name, ".sst") || !installing.CompareAndSwap(true, false) {
			return nil
		}
		v, err := s.View(1)
		if err == nil {
			err = v.Close()
		}
		if !errors.Is(err, storage.ErrGone) {
			t.Errorf("the view closes with %v, want ErrGone", err)
		}
		return nil
	}})
	s = openOn(t, disk)
	named(t, s, "old", 40)
	g, err := s.Stage(1)
	if err != nil {
		t.Fatal(err)
	}
	for _, chunk := range chunks {
		if err := g.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := g.Seal(); err != nil {
		t.Fatal(err)
	}
	installing.Store(true)
	if err := s.Install(1, g); err != nil {
		t.Fatal(err)
	}
	if installing.Load() {
		t.Error("no table was taken over")
	}
	if got := generation(t, 0, s); got != "new" {
		t.Errorf("the contents are %q", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
