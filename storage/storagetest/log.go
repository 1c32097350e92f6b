package storagetest

import (
	"errors"
	"fmt"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

// begin is where the replicas of the tests begin.
var begin = storage.Applied{Position: storage.Position{Index: 1, Term: 1}, Descriptor: []byte("descriptor")}

// entries makes entries of a term, [from, to].
func entries(term storage.Term, from, to uint64) []storage.LogEntry {
	var out []storage.LogEntry
	for i := from; i <= to; i++ {
		out = append(out, storage.LogEntry{Position: storage.Position{Index: i, Term: term}, Kind: uint8(i % 3), Data: fmt.Appendf(nil, "entry %d of term %d", i, term)})
	}
	return out
}

// log wants the log of shard 1 to be these entries after base.
func (b *bench) log(base uint64, want ...[]storage.LogEntry) {
	b.Helper()
	r, err := b.store.Replica(1)
	next := base + 1
	for _, run := range want {
		for _, e := range run {
			got, err := b.store.Log(1, next, next+1, 1)
			if err != nil || len(got) != 1 || fmt.Sprint(got[0]) != fmt.Sprint(e) {
				b.Errorf("entry %d is %v, %v, want %v", next, got, err, e)
			}
			next++
		}
	}
	if err != nil || r.Base.Index != base || r.Last != next-1 {
		b.Errorf("the replica is %+v, %v, want base %d and last %d", r, err, base, next-1)
	}
	if _, err := b.store.Log(1, base, next, 1); !errors.Is(err, storage.ErrTruncated) {
		b.Errorf("reading entry %d: %v, want ErrTruncated", base, err)
	}
	if _, err := b.store.Log(1, next, next+1, 1); !errors.Is(err, storage.ErrNoEntry) {
		b.Errorf("reading entry %d: %v, want ErrNoEntry", next, err)
	}
}

// create makes a replica of shard 1.
func (b *bench) create() {
	b.Helper()
	b.batch(func(batch storage.Batch) { batch.Create(1, 7, begin) })
}

func logGrows(b *bench) {
	b.create()
	b.log(1)
	b.batch(func(batch storage.Batch) {
		batch.Append(1, entries(1, 2, 5))
		if r, _ := b.store.Replica(1); r.Last != 1 {
			b.Errorf("an open batch shows: last %d", r.Last)
		}
	})
	b.batch(func(batch storage.Batch) { batch.Append(1, entries(2, 6, 9)) })
	b.log(1, entries(1, 2, 5), entries(2, 6, 9))
	got, err := b.store.Log(1, 2, 10, 60)
	if err != nil || len(got) < 1 || len(got) > 4 || got[0].Index != 2 {
		b.Errorf("60 bytes of the log are %v, %v", got, err)
	}
	b.reopen()
	b.log(1, entries(1, 2, 5), entries(2, 6, 9))
}

func logIsOverwritten(b *bench) {
	b.create()
	b.batch(func(batch storage.Batch) { batch.Append(1, entries(1, 2, 20)) })
	b.batch(func(batch storage.Batch) { batch.Append(1, entries(3, 10, 12)) })
	b.log(1, entries(1, 2, 9), entries(3, 10, 12))
	b.batch(func(batch storage.Batch) {
		batch.Append(1, entries(3, 13, 15))
		batch.Append(1, entries(4, 11, 11))
	})
	b.reopen()
	b.log(1, entries(1, 2, 9), entries(3, 10, 10), entries(4, 11, 11))
}

func logIsTruncated(b *bench) {
	b.create()
	b.batch(func(batch storage.Batch) {
		batch.Append(1, entries(1, 2, 20))
		batch.SetApplied(1, storage.Applied{Position: storage.Position{Index: 12, Term: 1}, Descriptor: begin.Descriptor})
		batch.Truncate(1, storage.Position{Index: 10, Term: 1})
	})
	b.log(10, entries(1, 11, 20))
	b.batch(func(batch storage.Batch) { batch.Append(1, entries(1, 21, 22)) })
	b.reopen()
	b.log(10, entries(1, 11, 22))
}

func replicaIsKept(b *bench) {
	if r, err := b.store.Replica(1); err != nil || r.ID != 0 {
		b.Errorf("an empty store has replica %+v, %v", r, err)
	}
	b.create()
	at := storage.Applied{Position: storage.Position{Index: 3, Term: 2}, Descriptor: []byte("another")}
	b.batch(func(batch storage.Batch) {
		batch.Append(1, entries(2, 2, 4))
		batch.SetHardState(1, storage.HardState{Term: 5, Vote: 3, Commit: 9})
		batch.SetApplied(1, at)
	})
	for range 2 {
		r, err := b.store.Replica(1)
		if err != nil || r.ID != 7 || r.Removed || r.Term != 5 || r.Vote != 3 || r.Last != 4 {
			b.Errorf("the replica is %+v, %v", r, err)
		}
		if r.Commit != 4 {
			b.Errorf("commit %d is beyond the log's end 4", r.Commit)
		}
		if r.Applied.Position != at.Position || string(r.Applied.Descriptor) != "another" {
			b.Errorf("applied is %+v", r.Applied)
		}
		if all, err := b.store.Replicas(); err != nil || len(all) != 1 || all[0] != 1 {
			b.Errorf("the replicas are %v, %v", all, err)
		}
		b.reopen()
	}
	b.batch(func(batch storage.Batch) { batch.SetHardState(1, storage.HardState{Term: 6, Commit: 1}) })
	if r, _ := b.store.Replica(1); r.Commit != 3 {
		b.Errorf("commit %d, but 3 is applied", r.Commit)
	}
}

// discardedLog leaves no trace of a discarded batch.
func discardedLog(b *bench) {
	b.create()
	b.batch(func(batch storage.Batch) { batch.Append(1, entries(1, 2, 5)) })
	batch := b.store.Batch()
	batch.Append(1, entries(2, 4, 9))
	batch.SetHardState(1, storage.HardState{Term: 8})
	batch.Discard()
	b.log(1, entries(1, 2, 5))
	b.batch(func(batch storage.Batch) { batch.Append(1, entries(1, 6, 6)) })
	if r, _ := b.store.Replica(1); r.Term != 0 {
		b.Errorf("the term of a discarded batch is there: %+v", r)
	}
	b.log(1, entries(1, 2, 6))
}

// twoBatches has batches of two workers open at once.
func twoBatches(b *bench) {
	one, other := b.store.Batch(), b.store.Batch()
	one.Create(1, 7, begin)
	other.Create(2, 8, begin)
	other.Append(2, entries(1, 2, 3))
	one.State(1).Users.Put(user(1), chat.User{Name: "one"})
	other.State(2).Users.Put(user(1), chat.User{Name: "other"})
	if err := errors.Join(other.Commit(false), one.Commit(true)); err != nil {
		b.Fatal(err)
	}
	for shard, want := range map[storage.ShardID]string{1: "one", 2: "other"} {
		b.view(shard, func(v storage.View) error {
			u, _, err := v.User(user(1))
			if u.Name != want {
				b.Errorf("shard %d has %q, want %q", shard, u.Name, want)
			}
			return err
		})
	}
	defer func() {
		if recover() == nil {
			b.Error("two open batches may touch a shard")
		}
	}()
	one, other = b.store.Batch(), b.store.Batch()
	defer one.Discard()
	one.State(1)
	other.State(1)
}
