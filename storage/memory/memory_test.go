package memory_test

import (
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
	ann, bo := chat.UserKey{App: 1, ID: "ann"}, chat.UserKey{App: 1, ID: "bo"}
	b := s.Batch()
	b.State(1).PutUser(ann, chat.User{Name: "Ann"})
	if err := b.Commit(true); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Ann2", "Ann3", "Ann4"} {
		b = s.Batch()
		b.State(1).PutUser(ann, chat.User{Name: name})
		if err := b.Commit(false); err != nil {
			t.Fatal(err)
		}
	}
	b = s.Batch()
	b.State(1).PutUser(ann, chat.User{Name: "Anna"})
	b.State(1).PutUser(bo, chat.User{Name: "Bo"})
	s.Crash(func(unsynced int) int { return unsynced - 2 })
	b = s.Batch()
	defer b.Discard()
	u, ok := b.State(1).User(ann)
	if _, there := b.State(1).User(bo); there || !ok || u.Name != "Ann2" {
		t.Errorf("after the crash ann is %+v, bo there: %v", u, there)
	}
}
