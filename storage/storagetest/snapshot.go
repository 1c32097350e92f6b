package storagetest

import (
	"errors"
	"fmt"
	"io"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

// chunks reads all of a frozen shard.
func (b *bench) chunks(f storage.Frozen, size int) (out [][]byte) {
	b.Helper()
	for {
		chunk, err := f.Next(size)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			b.Fatal(err)
		}
		out = append(out, chunk)
	}
}

// stage brings chunks into a staging of a shard.
func (b *bench) stage(shard storage.ShardID, chunks [][]byte) (storage.Staging, storage.Applied) {
	b.Helper()
	g, err := b.store.Stage(shard)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range chunks {
		if err := g.Write(c); err != nil {
			b.Fatal(err)
		}
	}
	a, err := g.Seal()
	if err != nil {
		b.Fatal(err)
	}
	return g, a
}

// fill gives shard 1 a log and rows of every table, named by a generation.
func (b *bench) fill(generation string, applied uint64) {
	b.Helper()
	b.batch(func(batch storage.Batch) {
		s := batch.State(1)
		for i := range 50 {
			s.Users.Put(chat.UserKey{App: app, ID: fmt.Sprintf("%s%d", generation, i)}, chat.User{Name: generation})
		}
		c := pairOfShard1()
		for i := range 3 {
			chat.Apply(s, sendAt(epoch+int64(i), message(c, i+1)))
		}
		s.Applied.Put(chat.EffectSource{Shard: 3, Epoch: 1}, applied)
		r, _ := b.store.Replica(1)
		batch.Append(1, entries(2, r.Last+1, applied+5))
		batch.SetApplied(1, storage.Applied{Position: storage.Position{Index: applied, Term: 2}, Descriptor: []byte(generation)})
	})
}

func pairOfShard1() chat.ConversationKey {
	for i := 0; ; i++ {
		if storage.ConversationShard(Shards, pair(i)) == 1 {
			return pair(i)
		}
	}
}

// holds wants shard 1 to hold what fill gave it for one generation, and
// nothing of another.
func (b *bench) holds(generation, not string) {
	b.Helper()
	b.view(1, func(v storage.View) error {
		for i := range 50 {
			_, there, err := v.User(chat.UserKey{App: app, ID: fmt.Sprintf("%s%d", generation, i)})
			_, old, err2 := v.User(chat.UserKey{App: app, ID: fmt.Sprintf("%s%d", not, i)})
			if !there || old || err != nil || err2 != nil {
				b.Fatalf("user %d: of %s %v, of %s %v, %v %v", i, generation, there, not, old, err, err2)
			}
		}
		return nil
	})
	b.chain(pairOfShard1(), 3)
}

// installReplaces freezes a shard, lets it go on, and installs the frozen
// contents.
func installReplaces(b *bench) {
	b.create()
	b.fill("old", 40)
	frozen, err := b.store.Freeze(1)
	if err != nil {
		b.Fatal(err)
	}
	b.batch(func(batch storage.Batch) {
		for i := range 50 {
			batch.State(1).Users.Put(chat.UserKey{App: app, ID: fmt.Sprintf("new%d", i)}, chat.User{Name: "new"})
		}
		batch.SetApplied(1, storage.Applied{Position: storage.Position{Index: 44, Term: 2}, Descriptor: []byte("new")})
		batch.SetHardState(1, storage.HardState{Term: 9, Vote: 2})
	})
	chunks := b.chunks(frozen, 300)
	if a := frozen.Applied(); a.Index != 40 || string(a.Descriptor) != "old" || len(chunks) < 5 {
		b.Errorf("frozen at %+v in %d chunks", a, len(chunks))
	}
	if err := frozen.Close(); err != nil {
		b.Error(err)
	}
	open, err := b.store.View(1)
	if err != nil {
		b.Fatal(err)
	}
	g, a := b.stage(1, chunks)
	if a.Index != 40 || string(a.Descriptor) != "old" {
		b.Errorf("staged is %+v", a)
	}
	if err := b.store.Install(1, g); err != nil {
		b.Fatal(err)
	}
	if err := open.Close(); !errors.Is(err, storage.ErrGone) {
		b.Errorf("a view over the installation closes with %v, want ErrGone", err)
	}
	for range 2 {
		b.holds("old", "new")
		b.log(40)
		if r, _ := b.store.Replica(1); r.ID != 7 || r.Term != 9 || r.Vote != 2 || r.Applied.Index != 40 || r.Base != (storage.Position{Index: 40, Term: 2}) {
			b.Errorf("after the installation the replica is %+v", r)
		}
		b.reopen()
	}
	b.batch(func(batch storage.Batch) { batch.Append(1, entries(9, 41, 42)) })
	b.log(40, entries(9, 41, 42))
}

// frozenStays reads a frozen shard after it was destroyed.
func frozenStays(b *bench) {
	b.create()
	b.fill("old", 40)
	frozen, err := b.store.Freeze(1)
	if err != nil {
		b.Fatal(err)
	}
	first, err := frozen.Next(100)
	if err != nil {
		b.Fatal(err)
	}
	if err := b.store.Destroy(1); err != nil {
		b.Fatal(err)
	}
	chunks := append([][]byte{first}, b.chunks(frozen, 300)...)
	if err := frozen.Close(); err != nil {
		b.Error(err)
	}
	b.batch(func(batch storage.Batch) { batch.Create(1, 8, begin) })
	g, _ := b.stage(1, chunks)
	if err := b.store.Install(1, g); err != nil {
		b.Fatal(err)
	}
	b.holds("old", "new")
}

func destroyLeavesATombstone(b *bench) {
	b.create()
	b.fill("old", 40)
	if err := b.store.Destroy(1); err != nil {
		b.Fatal(err)
	}
	for range 2 {
		r, err := b.store.Replica(1)
		if err != nil || r.ID != 7 || !r.Removed || r.Last != 0 || r.Applied.Index != 0 || r.Term != 0 {
			b.Errorf("the tombstone is %+v, %v", r, err)
		}
		if all, _ := b.store.Replicas(); len(all) != 0 {
			b.Errorf("the replicas are %v", all)
		}
		b.view(1, func(v storage.View) error {
			_, there, err := v.User(chat.UserKey{App: app, ID: "old1"})
			if there {
				b.Error("a row of the destroyed replica is there")
			}
			return err
		})
		b.reopen()
	}
	b.batch(func(batch storage.Batch) { batch.Create(1, 9, begin) })
	b.log(1)
	if r, _ := b.store.Replica(1); r.ID != 9 || r.Removed {
		b.Errorf("the next replica is %+v", r)
	}
}

// malformed hands over what is no snapshot of the shard.
func malformed(b *bench) {
	b.create()
	b.fill("old", 40)
	frozen, err := b.store.Freeze(1)
	if err != nil {
		b.Fatal(err)
	}
	chunks := b.chunks(frozen, 300)
	if err := frozen.Close(); err != nil {
		b.Error(err)
	}
	b.batch(func(batch storage.Batch) {
		batch.Create(2, 1, begin)
		batch.State(2).Users.Put(user(1), chat.User{Name: "of another shard"})
	})
	other, err := b.store.Freeze(2)
	if err != nil {
		b.Fatal(err)
	}
	foreign := b.chunks(other, 300)
	if err := other.Close(); err != nil {
		b.Error(err)
	}
	for name, bad := range map[string][][]byte{
		"nothing":         {},
		"another shard":   foreign,
		"chunks twice":    append(append([][]byte{}, chunks...), chunks...),
		"another order":   append(append([][]byte{}, chunks[1:]...), chunks[0]),
		"garbage":         {[]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff garbage")},
		"a missing chunk": chunks[1:],
		"a half chunk":    append(append([][]byte{}, chunks[:len(chunks)-1]...), chunks[len(chunks)-1][:1]),
	} {
		g, err := b.store.Stage(1)
		if err != nil {
			b.Fatal(err)
		}
		for _, c := range bad {
			if err = g.Write(c); err != nil {
				break
			}
		}
		if err == nil {
			_, err = g.Seal()
		}
		if !errors.Is(err, storage.ErrMalformed) {
			b.Errorf("%s is refused with %v, want ErrMalformed", name, err)
		}
		if err := g.Discard(); err != nil {
			b.Error(err)
		}
	}
	b.holds("old", "new")
}

// stagingIsUsedUp tries what only a sealed staging of the shard allows.
func stagingIsUsedUp(b *bench) {
	b.create()
	b.fill("old", 40)
	b.batch(func(batch storage.Batch) { batch.Create(2, 8, begin) })
	frozen, err := b.store.Freeze(1)
	if err != nil {
		b.Fatal(err)
	}
	chunks := b.chunks(frozen, 300)
	if err := frozen.Close(); err != nil {
		b.Error(err)
	}
	open, err := b.store.Stage(1)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range chunks {
		if err := open.Write(c); err != nil {
			b.Fatal(err)
		}
	}
	sealed, _ := b.stage(1, chunks)
	refused := func(what string, shard storage.ShardID, g storage.Staging) {
		if err := b.store.Install(shard, g); !errors.Is(err, storage.ErrMalformed) {
			b.Errorf("%s is installed with %v, want ErrMalformed", what, err)
		}
	}
	refused("an open staging", 1, open)
	refused("a staging of another shard", 2, sealed)
	if err := b.store.Install(1, sealed); err != nil {
		b.Fatal(err)
	}
	refused("a used staging", 1, sealed)
	if err := errors.Join(open.Discard(), sealed.Discard()); err != nil {
		b.Error(err)
	}
	b.holds("old", "new")
	b.reopen()
	b.holds("old", "new")
}

// emptySnapshot installs a replica without rows over one with some.
func emptySnapshot(b *bench) {
	if _, err := b.store.Freeze(1); err == nil {
		b.Error("a shard without a replica is frozen")
	}
	b.create()
	frozen, err := b.store.Freeze(1)
	if err != nil {
		b.Fatal(err)
	}
	chunks := b.chunks(frozen, 300)
	if err := frozen.Close(); err != nil {
		b.Error(err)
	}
	b.fill("old", 40)
	g, a := b.stage(1, chunks)
	if a.Position != begin.Position || string(a.Descriptor) != string(begin.Descriptor) {
		b.Errorf("staged is %+v, want %+v", a, begin)
	}
	if err := b.store.Install(1, g); err != nil {
		b.Fatal(err)
	}
	b.log(1)
	b.batch(func(batch storage.Batch) { // what the store remembers of rows is gone too
		s := batch.State(1)
		_, user := s.Users.Get(chat.UserKey{App: app, ID: "old1"})
		_, head := s.Heads.Get(pairOfShard1())
		if user || head || effectMark(s, 3, 1) != 0 {
			b.Errorf("the next batch sees user %v, head %v, mark %d", user, head, effectMark(s, 3, 1))
		}
	})
}
