package pebble_test

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/storage/pebble"
	"github.com/parley-im/parley/storage/pebble/crashfs"
)

// crash runs work on a disk that has been prepared, cutting the power at every
// operation from the first on until work gets through, and has check look at
// what each cut left, several times with another part of what was not synced.
// dark tells work whether the power is gone: what it does then is in vain. crash
// returns how many cuts there were.
func crash(t *testing.T, prepare func(*pebble.Store), work func(s *pebble.Store, dark func() bool) error, check func(cut int64, s *pebble.Store)) (cuts int) {
	t.Helper()
	seeds := uint64(5)
	if testing.Short() || raceDetector {
		seeds = 1
	}
	for seed := range seeds {
		cuts += crashEverywhere(t, seed, prepare, work, check)
	}
	return cuts
}

func crashEverywhere(t *testing.T, seed uint64, prepare func(*pebble.Store), work func(s *pebble.Store, dark func() bool) error, check func(cut int64, s *pebble.Store)) (cuts int) {
	t.Helper()
	for at := int64(1); ; at++ {
		mem := vfs.NewCrashableMem()
		s := openOn(t, mem)
		prepare(s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		disk := crashfs.New(mem, crashfs.Options{Operations: at, Random: rand.New(rand.NewPCG(uint64(at), seed))})
		s = openOn(t, disk)
		err := work(s, disk.Dark)
		through := !disk.Dark()
		if err := errors.Join(err, s.Close()); err != nil {
			t.Fatalf("cut at %d: %v", at, err)
		}
		survived := disk.Cut()
		s = openOn(t, survived)
		check(at, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if through {
			return cuts
		}
		cuts++
	}
}

// named fills shard 1 with users of a generation.
func named(t *testing.T, s *pebble.Store, generation string, applied uint64) {
	t.Helper()
	b := s.Batch()
	if r, _ := s.Replica(1); r.ID == 0 {
		b.Create(1, 3, storage.Applied{Position: storage.Position{Index: 1, Term: 1}})
	}
	r, _ := s.Replica(1)
	from := max(1, r.Last) + 1
	for i := range 40 {
		b.State(1).Users.Put(chat.UserKey{App: 1, ID: fmt.Sprintf("user%d", i)}, chat.User{Name: generation})
		b.State(1).Users.Put(chat.UserKey{App: 1, ID: fmt.Sprintf("%s%d", generation, i)}, chat.User{Name: generation})
	}
	for i := from; i <= applied+4; i++ {
		b.Append(1, []storage.LogEntry{{Position: storage.Position{Index: i, Term: 2}, Data: []byte(generation)}})
	}
	b.SetApplied(1, storage.Applied{Position: storage.Position{Index: applied, Term: 2}, Descriptor: []byte(generation)})
	if err := b.Commit(true); err != nil {
		t.Fatal(err)
	}
}

// generation tells which contents shard 1 has; it must have one whole.
func generation(t *testing.T, cut int64, s *pebble.Store) string {
	t.Helper()
	r, err := s.Replica(1)
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.View(1)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	u, _, err := v.User(chat.UserKey{App: 1, ID: "user0"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		same, _, err := v.User(chat.UserKey{App: 1, ID: fmt.Sprintf("user%d", i)})
		for _, g := range []string{"old", "new"} {
			_, there, err2 := v.User(chat.UserKey{App: 1, ID: fmt.Sprintf("%s%d", g, i)})
			if there != (g == u.Name) || same.Name != u.Name || err != nil || err2 != nil {
				t.Fatalf("cut at %d: torn: user %d is of %q, user 0 of %q, a row of %s: %v; %v %v", cut, i, same.Name, u.Name, g, there, err, err2)
			}
		}
	}
	if string(r.Applied.Descriptor) != u.Name {
		t.Fatalf("cut at %d: torn: the rows are of %q, the applied state of %q", cut, u.Name, r.Applied.Descriptor)
	}
	if n := r.Last - r.Base.Index; n > 0 {
		if log, err := s.Log(1, r.Base.Index+1, r.Last+1, math.MaxInt); err != nil || uint64(len(log)) != n {
			t.Fatalf("cut at %d: the log (%d, %d] gives %d entries, %v", cut, r.Base.Index, r.Last, len(log), err)
		}
	}
	return u.Name
}

// TestACrashInAnInstallationLeavesTheOldShardOrTheNewOne cuts the power at every
// operation of staging and installing.
func TestACrashInAnInstallationLeavesTheOldShardOrTheNewOne(t *testing.T) {
	chunks := snapshotOf(t, func(s *pebble.Store) { named(t, s, "new", 90) })
	found := map[string]int{}
	cuts := crash(t,
		func(s *pebble.Store) { named(t, s, "old", 40) },
		func(s *pebble.Store, _ func() bool) error {
			g, err := s.Stage(1)
			if err != nil {
				return err
			}
			for _, c := range chunks {
				if err := g.Write(c); err != nil {
					return err
				}
			}
			if _, err := g.Seal(); err != nil {
				return err
			}
			b := s.Batch()
			b.SetHardState(1, storage.HardState{Term: 7, Vote: 2})
			return errors.Join(b.Commit(true), s.Install(1, g))
		},
		func(cut int64, s *pebble.Store) {
			g := generation(t, cut, s)
			found[g]++
			if r, _ := s.Replica(1); g == "new" && (r.Base.Index != 90 || r.Last != 90 || r.Term != 7) {
				t.Errorf("cut at %d: installed, and the replica is %+v", cut, r)
			}
			named(t, s, g, 120) // and it goes on
		})
	t.Logf("%d cuts: %v", cuts, found)
	if found["old"] == 0 || found["new"] == 0 {
		t.Error("the cuts do not lie around the installation")
	}
}

// TestACrashInADestructionIsMadeGood cuts the power at every operation of a
// destruction: the contents are whole or gone, and gone once there is a
// tombstone.
func TestACrashInADestructionIsMadeGood(t *testing.T) {
	tombs := 0
	cuts := crash(t,
		func(s *pebble.Store) { named(t, s, "old", 40) },
		func(s *pebble.Store, _ func() bool) error { return s.Destroy(1) },
		func(cut int64, s *pebble.Store) {
			r, err := s.Replica(1)
			if err != nil || r.ID != 3 {
				t.Fatalf("cut at %d: the replica is %+v, %v", cut, r, err)
			}
			want := "old"
			if r.Removed {
				tombs++
				want = ""
			}
			if g := generation(t, cut, s); g != want {
				t.Errorf("cut at %d: removed %v, and the contents are %q", cut, r.Removed, g)
			}
		})
	t.Logf("%d cuts, %d of them left a tombstone", cuts, tombs)
	if tombs == 0 || tombs > cuts {
		t.Error("the cuts do not lie around the destruction")
	}
}

// snapshotOf freezes shard 1 of a store that fill has made.
func snapshotOf(t *testing.T, fill func(*pebble.Store)) (chunks [][]byte) {
	t.Helper()
	s := openOn(t, vfs.NewMem())
	fill(s)
	f, err := s.Freeze(1)
	if err != nil {
		t.Fatal(err)
	}
	for {
		c, err := f.Next(500)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		chunks = append(chunks, c)
	}
	if err := errors.Join(f.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	return chunks
}
