package storagetest

import (
	"bytes"
	"fmt"
	"math"
	"slices"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

func entryRanges(b *bench) {
	c := pair(1)
	var sends []chat.Send
	for n := range 10 {
		sends = append(sends, message(c, n))
	}
	b.send(sends[:7]...)
	b.send(sends[7:]...)
	const all = math.MaxUint64
	for _, q := range []struct {
		after, before uint64
		limit         int
		newest        bool
		first, last   uint64 // 0, 0: nothing
	}{
		{0, 0, 100, false, 1, 10}, {0, 0, 100, true, 1, 10}, {0, 0, 3, false, 1, 3}, {0, 0, 3, true, 8, 10},
		{4, 0, 100, false, 5, 10}, {4, 0, 2, true, 9, 10}, {0, 5, 100, false, 1, 4}, {0, 5, 2, true, 3, 4},
		{4, 8, 100, false, 5, 7}, {4, 8, 2, false, 5, 6}, {4, 8, 2, true, 6, 7}, {4, 8, 1, true, 7, 7}, {9, 11, 1, true, 10, 10},
		{4, 5, 9, false, 0, 0}, {4, 5, 9, true, 0, 0}, {8, 4, 9, false, 0, 0}, {8, 4, 9, true, 0, 0}, {10, 0, 9, false, 0, 0},
		{0, 1, 9, true, 0, 0}, {5, 100, 9, false, 6, 10}, {0, all, 9, true, 2, 10}, {all, 0, 9, false, 0, 0}, {all, 0, 9, true, 0, 0},
		{all - 1, all, 9, true, 0, 0}, {0, 0, 0, false, 0, 0}, {0, 0, 0, true, 0, 0},
	} {
		b.view(storage.ConversationShard(Shards, c), func(v storage.View) error {
			log, err := v.Entries(c, q.after, q.before, q.limit, q.newest)
			var got, want []uint64
			for _, e := range log {
				got = append(got, e.Seq)
				if n := int(e.Seq) - 1; !bytes.Equal(e.Content, sends[n].Content) || e.ClientMessageID != sends[n].ClientMessageID || e.Salt != sends[n].Salt {
					b.Errorf("entry %d is %+v", e.Seq, e)
				}
			}
			for seq := q.first; seq <= q.last && seq > 0; seq++ {
				want = append(want, seq)
			}
			if !slices.Equal(got, want) {
				b.Errorf("after %d, before %d, limit %d, newest %v: %v, want %v", q.after, q.before, q.limit, q.newest, got, want)
			}
			return err
		})
	}
}

// neighbours are keys that a careless layout would run together: prefixes of
// each other, other apps and other kinds with the same ID.
func neighbours(b *bench) {
	keys := []chat.ConversationKey{
		{App: app, Kind: chat.KindGroup, ID: "g"}, {App: app, Kind: chat.KindGroup, ID: "gg"}, {App: app, Kind: chat.KindGroup, ID: "g\x00"},
		{App: app, Kind: chat.KindRoom, ID: "g"}, {App: app + 1, Kind: chat.KindGroup, ID: "g"}, {App: app, Kind: chat.KindGroup, ID: "h"},
		{App: app, Kind: chat.KindGroup, ID: "\xff"}, {App: app, Kind: chat.KindGroup, ID: "\xff\xff"}, {App: math.MaxUint32, Kind: chat.KindGroup, ID: "\xff"},
	}
	b.batch(func(batch storage.Batch) {
		s := batch.State(1)
		for i, k := range keys {
			for seq := uint64(1); seq <= uint64(i+1); seq++ {
				s.Entries.Put(chat.EntryKey{Conversation: k, Seq: seq}, chat.Entry{Seq: seq, Sender: k.ID})
				s.Dedupes.Put(chat.DedupeKey{Conversation: k, IssuedAt: int64(seq)}, chat.Dedupe{Seq: uint64(i)})
			}
			s.Heads.Put(k, chat.Head{Seq: uint64(i + 1), MaxIssuedAt: int64(i + 1)})
			s.Users.Put(chat.UserKey{App: k.App, ID: k.ID + string(rune('0'+k.Kind))}, chat.User{RegisteredAt: int64(i + 1)})
		}
	})
	b.batch(func(batch storage.Batch) { batch.State(1).Dedupes.DropBelow(keys[1], 0, math.MaxInt64) })
	b.reopen()
	for i, k := range keys {
		b.view(1, func(v storage.View) error {
			log, err := v.Entries(k, 0, 0, 100, i%2 == 0)
			head, _, _ := v.Head(k)
			u, _, _ := v.User(chat.UserKey{App: k.App, ID: k.ID + string(rune('0'+k.Kind))})
			if len(log) != i+1 || head.Seq != uint64(i+1) || u.RegisteredAt != int64(i+1) {
				b.Errorf("%+v has %d entries, head %d, user %d, want %d", k, len(log), head.Seq, u.RegisteredAt, i+1)
			}
			return err
		})
		b.batch(func(batch storage.Batch) {
			row, ok := batch.State(1).Dedupes.Get(chat.DedupeKey{Conversation: k, IssuedAt: 1})
			if ok != (i != 1) || ok && row.Seq != uint64(i) {
				b.Errorf("%+v: dedupe row %+v, %v", k, row, ok)
			}
		})
		b.view(2, func(v storage.View) error {
			_, ok, err := v.Head(k)
			if ok {
				b.Errorf("%+v is in another shard too", k)
			}
			return err
		})
	}
}

func memberships(b *bench) {
	an, ann, other := chat.UserKey{App: app, ID: "an"}, chat.UserKey{App: app, ID: "ann"}, chat.UserKey{App: app + 1, ID: "ann"}
	b.batch(func(batch storage.Batch) {
		s := batch.State(1)
		for i := range 20 {
			s.Memberships.Put(chat.MembershipKey{User: ann, Conversation: pair(i)}, chat.Membership{Since: int64(i), Mark: chat.Mark{Seq: uint64(i), Counted: 2, Own: 1}})
		}
		s.Memberships.Put(chat.MembershipKey{User: ann, Conversation: pair(3)}, chat.Membership{Since: 33})
		s.Memberships.Put(chat.MembershipKey{User: ann, Conversation: chat.ConversationKey{App: app, Kind: chat.KindGroup, ID: pair(3).ID}}, chat.Membership{Since: 99})
		s.Memberships.Put(chat.MembershipKey{User: an, Conversation: pair(1)}, chat.Membership{Since: 50})
		s.Memberships.Put(chat.MembershipKey{User: other, Conversation: pair(1)}, chat.Membership{Since: 60})
	})
	b.reopen()
	b.view(1, func(v storage.View) error {
		got := map[string]int64{}
		err := v.Memberships(ann, func(c chat.ConversationKey, m chat.Membership) bool {
			got[fmt.Sprintf("%d%s", c.Kind, c.ID)] = m.Since
			if c.App != app {
				b.Errorf("the conversation %+v is of another app", c)
			}
			return true
		})
		if len(got) != 21 || got["1"+pair(3).ID] != 33 || got["3"+pair(3).ID] != 99 || got["1"+pair(19).ID] != 19 {
			b.Errorf("memberships %v", got)
		}
		return err
	})
	b.view(1, func(v storage.View) error {
		visits := 0
		err := v.Memberships(ann, func(chat.ConversationKey, chat.Membership) bool { visits++; return visits < 3 })
		if visits != 3 {
			b.Errorf("%d visits after the visitor had enough of 3", visits)
		}
		m, ok, _ := v.Membership(ann, pair(4))
		if want := (chat.Membership{Since: 4, Mark: chat.Mark{Seq: 4, Counted: 2, Own: 1}}); !ok || m != want {
			b.Errorf("membership %+v, %v, want %+v", m, ok, want)
		}
		if _, ok, _ := v.Membership(an, pair(4)); ok {
			b.Error("a membership of a longer user ID was found")
		}
		return err
	})
}

// changesAfter reads a conversation's changes, among those of another one.
func changesAfter(b *bench) {
	c := pair(1)
	b.batch(func(batch storage.Batch) {
		s := batch.State(storage.ConversationShard(Shards, c))
		for rev := uint64(1); rev <= 300; rev++ {
			s.Changes.Put(chat.ChangeKey{Conversation: c, Rev: rev}, chat.Change{Seq: 1000 - rev, What: chat.ChangeErased})
		}
		s.Changes.Put(chat.ChangeKey{Conversation: chat.PeerConversation(app, "ann", "zoe"), Rev: 1}, chat.Change{Seq: 1})
	})
	b.view(storage.ConversationShard(Shards, c), func(v storage.View) error {
		for _, want := range []struct{ after, first, n uint64 }{{0, 1, 100}, {255, 256, 45}, {299, 300, 1}, {300, 0, 0}, {math.MaxUint64, 0, 0}} {
			got, err := v.Changes(c, want.after, 100)
			if err != nil || uint64(len(got)) != want.n || want.n > 0 && got[0].Seq != 1000-want.first {
				b.Errorf("after %d: %d changes from %+v, %v", want.after, len(got), got[:min(1, len(got))], err)
			}
		}
		return nil
	})
}
