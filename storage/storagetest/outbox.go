package storagetest

import (
	"slices"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

func effects(b *bench) {
	queued := map[storage.ShardID][]chat.Effect{}
	queue := func(batch storage.Batch, from, to int) {
		for i := from; i < to; i++ {
			e := chat.Effect{To: chat.Addressee{User: user(i)}, Body: chat.ConversationOpened{Conversation: pair(i)}}
			d := storage.UserShard(Shards, user(i))
			if i%3 == 0 { // for the conversation itself
				e.To = chat.Addressee{Conversation: pair(i)}
				d = storage.ConversationShard(Shards, pair(i))
			}
			queued[d] = append(queued[d], e)
			if ref := batch.State(1).Outbox.Queue(e); ref != (chat.EffectRef{Destination: uint16(d), Number: uint64(len(queued[d]))}) {
				b.Errorf("effect for %d stands at %+v, want %d", d, ref, len(queued[d]))
			}
		}
	}
	b.batch(func(batch storage.Batch) { queue(batch, 0, 30) })
	b.outbox(queued, nil)
	b.reopen()
	b.batch(func(batch storage.Batch) { queue(batch, 30, 60) })
	b.outbox(queued, nil)

	dropped := map[storage.ShardID]int{}
	b.batch(func(batch storage.Batch) {
		for d := range queued {
			dropped[d] = min(int(d), len(queued[d]))
			batch.State(1).Outbox.Drop(uint16(d), uint64(dropped[d]))
		}
		queue(batch, 60, 70)
	})
	b.outbox(queued, dropped)
	b.batch(func(batch storage.Batch) {
		for d := range queued {
			dropped[d] = len(queued[d])
			batch.State(1).Outbox.Drop(uint16(d), uint64(dropped[d]))
			batch.State(1).Outbox.Drop(uint16(d), 1) // again, as a retry may
		}
	})
	b.outbox(queued, dropped)
	b.reopen()
	b.batch(func(batch storage.Batch) { queue(batch, 70, 80) })
	b.outbox(queued, dropped)
}

// outbox checks what waits in shard 1.
func (b *bench) outbox(queued map[storage.ShardID][]chat.Effect, dropped map[storage.ShardID]int) {
	b.Helper()
	b.view(1, func(v storage.View) error {
		var want []storage.ShardID
		for d := storage.ShardID(1); d <= Shards; d++ {
			rest := queued[d][dropped[d]:]
			if len(rest) > 0 {
				want = append(want, d)
			}
			for _, limit := range []int{1, 2, 1000} {
				first, got, err := v.Effects(d, limit)
				if err != nil {
					return err
				}
				if !slices.Equal(got, rest[:min(limit, len(rest))]) || len(got) > 0 && first != uint64(dropped[d]+1) {
					b.Errorf("effects for %d from %d are %v, want from %d %v", d, first, got, dropped[d]+1, rest)
				}
			}
		}
		got, err := v.Undelivered()
		if !slices.Equal(got, want) {
			b.Errorf("undelivered %v, want %v", got, want)
		}
		return err
	})
}

func effectMarks(b *bench) {
	set := func(shard storage.ShardID, source uint16, epoch, n uint64) {
		b.batch(func(batch storage.Batch) {
			s := batch.State(shard)
			s.Applied.Put(chat.EffectSource{Shard: source, Epoch: epoch}, n)
			if got := effectMark(s, source, epoch); got != n {
				b.Errorf("mark %d in its own batch, want %d", got, n)
			}
		})
	}
	set(1, 2, 1, 10)
	set(1, 2, 1, 11)
	set(1, 2, 2, 20)
	set(1, 3, 1, 30)
	set(2, 2, 1, 40)
	check := func() {
		b.Helper()
		b.batch(func(batch storage.Batch) {
			one, two := batch.State(1), batch.State(2)
			got := []uint64{effectMark(one, 2, 1), effectMark(one, 2, 2), effectMark(one, 3, 1), effectMark(two, 2, 1), effectMark(two, 3, 1)}
			if want := []uint64{11, 20, 30, 40, 0}; !slices.Equal(got, want) {
				b.Errorf("marks %v, want %v", got, want)
			}
		})
	}
	check()
	b.reopen()
	check()
}
