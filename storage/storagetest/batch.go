package storagetest

import (
	"sync"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

func manyShards(b *bench) {
	batch := b.store.Batch()
	for i := range 20 {
		batch.State(storage.UserShard(Shards, user(i))).Users.Put(user(i), chat.User{Name: user(i).ID, RegisteredAt: int64(i + 1)})
	}
	has := func(want bool) {
		b.Helper()
		for i := range 20 {
			b.view(storage.UserShard(Shards, user(i)), func(v storage.View) error {
				u, ok, err := v.User(user(i))
				if ok != want || ok && (u.Name != user(i).ID || u.RegisteredAt != int64(i+1)) {
					b.Errorf("user %d: %+v, %v, want %v", i, u, ok, want)
				}
				return err
			})
		}
	}
	has(false)
	if err := batch.Commit(true); err != nil {
		b.Fatal(err)
	}
	has(true)
	b.reopen()
	has(true)
}

func readYourWrites(b *bench) {
	c := pair(1)
	d := chat.DedupeKey{Conversation: c, IssuedAt: 5, Sender: "ann", ID: chat.ClientMessageID{1}}
	check := func(s *chat.State, want bool) {
		b.Helper()
		u, okUser := s.Users.Get(user(1))
		m, okMember := s.Memberships.Get(chat.MembershipKey{User: user(1), Conversation: c})
		h, okHead := s.Heads.Get(c)
		e, okEntry := s.Entries.Get(chat.EntryKey{Conversation: c, Seq: 1})
		r, okDedupe := s.Dedupes.Get(d)
		for name, ok := range map[string]bool{"user": okUser, "membership": okMember, "head": okHead, "entry": okEntry, "dedupe": okDedupe} {
			if ok != want {
				b.Errorf("%s is there: %v, want %v", name, ok, want)
			}
		}
		if want && (u.Name != "N" || m.Mark.Seq != 4 || m.Since != 6 || h.Seq != 1 || h.Own != [2]uint64{0, 1} || h.Hash[31] != 9 ||
			string(e.Content) != "content" || e.Sender != "ann" || r.Seq != 1 || r.Content[0] != 8) {
			b.Errorf("read %+v %+v %+v %+v %+v", u, m, h, e, r)
		}
		if _, ok := s.Entries.Get(chat.EntryKey{Conversation: c, Seq: 2}); ok {
			b.Error("entry 2 is there")
		}
		if _, ok := s.Dedupes.Get(chat.DedupeKey{Conversation: c, IssuedAt: 5, Sender: "bo", ID: d.ID}); ok {
			b.Error("another sender's dedupe row is there")
		}
	}
	shard := storage.ConversationShard(Shards, c)
	b.batch(func(batch storage.Batch) {
		s := batch.State(shard)
		check(s, false)
		s.Users.Put(user(1), chat.User{Name: "M"})
		s.Users.Put(user(1), chat.User{Name: "N"})
		s.Memberships.Put(chat.MembershipKey{User: user(1), Conversation: c}, chat.Membership{Mark: chat.Mark{Seq: 4}, Since: 6})
		s.Entries.Put(chat.EntryKey{Conversation: c, Seq: 1}, chat.Entry{Seq: 1, Sender: "ann", Content: []byte("content")})
		s.Dedupes.Put(d, chat.Dedupe{Seq: 1, Content: [32]byte{8}})
		s.Heads.Put(c, chat.Head{Seq: 1, MaxIssuedAt: 5, Own: [2]uint64{0, 1}, Hash: [32]byte{31: 9}})
		check(s, true)
		check(batch.State(shard), true)
	})
	b.batch(func(batch storage.Batch) { check(batch.State(shard), true) })
	b.reopen()
	b.batch(func(batch storage.Batch) { check(batch.State(shard), true) })
}

func discard(b *bench) {
	c := pair(1)
	shard := storage.ConversationShard(Shards, c)
	batch := b.store.Batch()
	s := batch.State(shard)
	chat.Apply(s, sendAt(epoch, message(c, 1)))
	s.Users.Put(user(1), chat.User{Name: "N"})
	s.Memberships.Put(chat.MembershipKey{User: user(1), Conversation: c}, chat.Membership{Since: 1})
	s.Applied.Put(chat.EffectSource{Shard: 3, Epoch: 1}, 9)
	batch.Discard()
	nothing := func() {
		b.Helper()
		b.view(shard, func(v storage.View) error {
			if head, ok, _ := v.Head(c); ok {
				b.Errorf("head %+v of a discarded batch", head)
			}
			entries, err := v.Entries(c, 0, 0, 10, false)
			if waiting, _ := v.Undelivered(); len(entries)+len(waiting) != 0 {
				b.Errorf("%d entries and effects for %v of a discarded batch", len(entries), waiting)
			}
			return err
		})
		b.batch(func(batch storage.Batch) {
			s := batch.State(shard)
			_, okUser := s.Users.Get(user(1))
			_, okMember := s.Memberships.Get(chat.MembershipKey{User: user(1), Conversation: c})
			_, okHead := s.Heads.Get(c)
			if okUser || okMember || okHead || effectMark(s, 3, 1) != 0 {
				b.Errorf("the next batch sees user %v, membership %v, head %v, mark %d", okUser, okMember, okHead, effectMark(s, 3, 1))
			}
		})
	}
	nothing()
	b.reopen()
	nothing()
}

// afterDiscard sends some, discards a batch with more and retries, and goes on.
func afterDiscard(b *bench) {
	c := pair(1)
	shard := storage.ConversationShard(Shards, c)
	b.send(message(c, 1), message(c, 2))
	batch := b.store.Batch()
	for n := range 30 {
		chat.Apply(batch.State(shard), sendAt(epoch+50, message(c, n+2)))
	}
	batch.Discard()
	res := b.send(message(c, 2), message(c, 3), message(c, 9), message(c, 3))
	for i, want := range []chat.Sent{{Seq: 2, Duplicate: true}, {Seq: 3}, {Seq: 4}, {Seq: 3, Duplicate: true}} {
		if res[i].Err != nil || res[i].Sent.Seq != want.Seq || res[i].Sent.Duplicate != want.Duplicate {
			b.Errorf("send %d gave %+v, want %+v", i, res[i], want)
		}
	}
	b.chain(c, 4)
}

// chain checks that the log of a conversation is whole up to want.
func (b *bench) chain(c chat.ConversationKey, want uint64) {
	b.Helper()
	b.view(storage.ConversationShard(Shards, c), func(v storage.View) error {
		head, ok, err := v.Head(c)
		if err != nil || !ok || head.Seq != want {
			b.Errorf("head %d, %v, want %d", head.Seq, ok, want)
			return err
		}
		log, err := v.Entries(c, 0, 0, int(want)+1, false)
		for i, e := range log {
			if e.Seq != uint64(i+1) {
				b.Fatalf("entry %d at place %d", e.Seq, i+1)
			}
		}
		if uint64(len(log)) != want || chat.VerifyChain([32]byte{}, c, log) != head.Hash {
			b.Errorf("%d entries, whole: %v, want %d", len(log), chat.VerifyChain([32]byte{}, c, log) == head.Hash, want)
		}
		return err
	})
}

func keepsItsName(b *bench) {
	name := b.store.Node()
	b.reopen()
	if again := b.store.Node(); name == "" || again != name {
		b.Errorf("the store is called %q, and %q when it is opened again", name, again)
	}
}

func keepsItsLineage(b *bench) {
	if l, err := b.store.Lineage(); l != nil || err != nil {
		b.Errorf("a new store has the lineage %q (%v)", l, err)
	}
	for i, sync := range []bool{true, false, true} {
		want := []byte{'l', byte(i)}
		if err := b.store.SetLineage(want, sync); err != nil {
			b.Fatal(err)
		}
		if l, err := b.store.Lineage(); string(l) != string(want) || err != nil {
			b.Errorf("the lineage is %q (%v), want %q", l, err, want)
		}
	}
	b.reopen()
	if l, err := b.store.Lineage(); string(l) != "l\x02" || err != nil {
		b.Errorf("the lineage is %q (%v) when the store is opened again", l, err)
	}
}

// concurrentViews reads heads and the entries below them while sends are
// committed: a reader never sees a head without its entries.
func concurrentViews(b *bench) {
	c := pair(1)
	shard := storage.ConversationShard(Shards, c)
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for last := uint64(0); ; {
				select {
				case <-stop:
					return
				default:
				}
				b.view(shard, func(v storage.View) error {
					head, _, err := v.Head(c)
					if head.Seq < last {
						b.Errorf("the head ran back from %d to %d", last, head.Seq)
					}
					last = head.Seq
					if log, err := v.Entries(c, 0, head.Seq+1, 1000, false); err != nil || uint64(len(log)) != head.Seq {
						b.Errorf("%d entries under head %d, %v", len(log), head.Seq, err)
					}
					return err
				})
			}
		})
	}
	for n := range 200 {
		b.send(message(c, 2*n), message(c, 2*n+1))
	}
	close(stop)
	readers.Wait()
	b.chain(c, 400)
}
