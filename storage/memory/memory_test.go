package memory_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/storage/memory"
	"github.com/parley-im/parley/storage/storagetest"
)

func TestTheMemoryStoreKeepsTheContract(t *testing.T) {
	disks := map[*testing.T]*memory.Store{}
	storagetest.Run(t, func(t *testing.T) storage.Store {
		if disks[t] == nil {
			disks[t] = memory.New(storagetest.Shards, "n1")
		}
		return disks[t]
	})
}

func TestACrashLosesTheOpenBatchAndWhatIsNotSynced(t *testing.T) {
	s := memory.New(2, "n1")
	bo := chat.UserKey{App: 1, ID: "bo"}
	b := s.Batch()
	b.State(1).Users.Put(ann, chat.User{Name: "Ann"})
	if err := b.Commit(true); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Ann2", "Ann3", "Ann4"} {
		b = s.Batch()
		b.State(1).Users.Put(ann, chat.User{Name: name})
		if err := b.Commit(false); err != nil {
			t.Fatal(err)
		}
	}
	b = s.Batch()
	b.State(1).Users.Put(ann, chat.User{Name: "Anna"})
	b.State(1).Users.Put(bo, chat.User{Name: "Bo"})
	s.Crash(func(unsynced int) int { return unsynced - 2 })
	b = s.Batch()
	defer b.Discard()
	u, ok := b.State(1).Users.Get(ann)
	if _, there := b.State(1).Users.Get(bo); there || !ok || u.Name != "Ann2" {
		t.Errorf("after the crash ann is %+v, bo there: %v", u, there)
	}
}

var ann = chat.UserKey{App: 1, ID: "ann"}

// commit makes one commit of shard 1.
func commit(t *testing.T, s *memory.Store, sync bool, f func(storage.Batch)) {
	t.Helper()
	b := s.Batch()
	f(b)
	if err := b.Commit(sync); err != nil {
		t.Fatal(err)
	}
}

func create(shard storage.ShardID) func(storage.Batch) {
	return func(b storage.Batch) {
		b.Create(shard, 3, storage.Applied{Position: storage.Position{Index: 1, Term: 1}})
	}
}

func entry(index uint64, term storage.Term) []storage.LogEntry {
	return []storage.LogEntry{{Position: storage.Position{Index: index, Term: term}}}
}

// terms are those of the log of shard 1.
func terms(t *testing.T, s *memory.Store) (out []storage.Term) {
	t.Helper()
	r, err := s.Replica(1)
	if err != nil || r.Base.Index == r.Last {
		return nil
	}
	log, err := s.Log(1, r.Base.Index+1, r.Last+1, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range log {
		out = append(out, e.Term)
	}
	return out
}

func TestACrashBringsTheLogBack(t *testing.T) {
	for kept, want := range map[int][]storage.Term{0: {1, 1, 1}, 1: {1, 2}, 2: {2}, 3: {2, 3}} {
		s := memory.New(2, "n1")
		commit(t, s, false, create(1))
		commit(t, s, true, func(b storage.Batch) {
			for i := range uint64(3) {
				b.Append(1, entry(2+i, 1))
			}
		})
		commit(t, s, false, func(b storage.Batch) { b.Append(1, entry(3, 2)) })
		commit(t, s, false, func(b storage.Batch) {
			b.SetApplied(1, storage.Applied{Position: storage.Position{Index: 2, Term: 1}})
			b.Truncate(1, storage.Position{Index: 2, Term: 1})
		})
		commit(t, s, false, func(b storage.Batch) { b.Append(1, entry(4, 3)) })
		s.Crash(func(unsynced int) int {
			if unsynced != 3 {
				t.Errorf("%d unsynced commits, want 3", unsynced)
			}
			return kept
		})
		if got := terms(t, s); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("with %d commits kept the log's terms are %v, want %v", kept, got, want)
		}
	}
}

// staged freezes shard 1 and stages what was frozen.
func staged(t *testing.T, s *memory.Store) (g storage.Staging, all []byte) {
	t.Helper()
	f, err := s.Freeze(1)
	if err != nil {
		t.Fatal(err)
	}
	if g, err = s.Stage(1); err != nil {
		t.Fatal(err)
	}
	for {
		chunk, err := f.Next(100)
		if errors.Is(err, io.EOF) {
			break
		}
		all = append(all, chunk...)
		if err := errors.Join(err, g.Write(chunk)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := g.Seal(); err != nil {
		t.Fatal(err)
	}
	return g, all
}

func TestAnInstallationIsDurableAndNothingElseWithIt(t *testing.T) {
	for _, tear := range []bool{false, true} {
		s := memory.New(2, "n1")
		s.TearInstall = tear
		commit(t, s, true, func(b storage.Batch) {
			create(1)(b)
			b.State(1).Users.Put(ann, chat.User{Name: "installed"})
		})
		g, _ := staged(t, s)
		commit(t, s, false, func(b storage.Batch) {
			b.State(1).Users.Put(ann, chat.User{Name: "overwritten"})
			b.SetHardState(1, storage.HardState{Term: 9})
		})
		commit(t, s, false, create(2))
		if err := s.Install(1, g); err != nil {
			t.Fatal(err)
		}
		s.Crash(func(int) int { return 0 })
		b := s.Batch()
		u, there := b.State(1).Users.Get(ann)
		b.Discard()
		r, _ := s.Replica(1)
		if there == tear || there && (u.Name != "installed" || r.Applied.Index != 1) || r.ID != 3 || r.Term != 0 {
			t.Errorf("tearing %v: ann is %+v, %v, the replica %+v", tear, u, there, r)
		}
		if other, _ := s.Replica(2); other.ID != 0 {
			t.Errorf("tearing %v: the unsynced replica of another shard is %+v", tear, other)
		}
	}
}

func TestADestructionIsBehindTheCommitsBeforeIt(t *testing.T) {
	s := memory.New(2, "n1")
	commit(t, s, true, create(1))
	commit(t, s, false, create(2))
	if err := s.Destroy(1); err != nil {
		t.Fatal(err)
	}
	s.Crash(func(int) int { return 0 })
	one, _ := s.Replica(1)
	two, _ := s.Replica(2)
	if !one.Removed || two.ID != 3 {
		t.Errorf("the destroyed replica is %+v, that of the commit before %+v", one, two)
	}
}

func TestAFrozenShardIsTheSameInEveryRun(t *testing.T) {
	var first []byte
	for range 20 {
		s := memory.New(2, "n1")
		commit(t, s, true, func(b storage.Batch) {
			create(1)(b)
			for i := range 20 {
				b.State(1).Users.Put(chat.UserKey{App: 1, ID: fmt.Sprint(i)}, chat.User{Name: "x"})
				b.State(1).Applied.Put(chat.EffectSource{Shard: uint16(i), Epoch: 1}, 1)
			}
		})
		_, all := staged(t, s)
		if first == nil {
			first = all
		}
		if !bytes.Equal(first, all) {
			t.Fatal("the same contents are frozen in another way")
		}
	}
}
