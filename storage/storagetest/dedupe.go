package storagetest

import (
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

// again retries all sends, one batch each or all in one, and wants the first
// seqs: 1, 2, 3 ...
func (b *bench) again(sends []chat.Send, together bool) {
	b.Helper()
	var got []chat.Result
	if together {
		got = b.send(sends...)
	} else {
		for i := range sends {
			got = append(got, b.send(sends[len(sends)-1-i])...)
		}
		for i, j := 0, len(got)-1; i < j; i, j = i+1, j-1 {
			got[i], got[j] = got[j], got[i]
		}
	}
	for i, r := range got {
		if r.Err != nil || r.Sent.Seq != uint64(i+1) || !r.Sent.Duplicate {
			b.Errorf("retry of %d gave %+v, %v", i+1, r.Sent, r.Err)
		}
	}
}

// retries sends more than a cache of recent sends may hold, many within the
// same millisecond and some issued long before their neighbours.
func retries(b *bench) {
	c := pair(1)
	var sends []chat.Send
	for n := range 120 {
		s := message(c, n)
		switch {
		case n%10 == 9:
			s.IssuedAt = epoch - int64(n) // late
		default:
			s.IssuedAt = epoch + int64(n/40) // ties of 40
		}
		if n%3 == 0 {
			s.Sender = user(1).ID
		}
		sends = append(sends, s)
	}
	for n := 0; n < len(sends); n += 5 {
		b.send(sends[n : n+5]...)
		b.again(sends[:n+5], n%2 == 0)
	}
	other := sends[50]
	other.ClientMessageID[5] = 1
	if res := b.send(other); res[0].Err != nil || res[0].Sent.Seq != 121 || res[0].Sent.Duplicate {
		b.Errorf("a new id in an old millisecond gave %+v", res[0])
	}
	b.again(sends, false)
	b.reopen()
	b.again(sends, true)
	b.again(sends, false)
	conflict := sends[7]
	conflict.Content = []byte("else")
	if res := b.send(conflict); res[0].Err == nil || res[0].Err.Code != chat.CodeIDConflict {
		b.Errorf("another content under a used id gave %+v", res[0])
	}
	b.chain(c, 121)
}

func retryInBatch(b *bench) {
	c := pair(1)
	var sends []chat.Send
	for n := range 60 {
		sends = append(sends, message(c, n%20)) // three times each
	}
	for i, r := range b.send(sends...) {
		if r.Err != nil || r.Sent.Seq != uint64(i%20+1) || r.Sent.Duplicate != (i >= 20) {
			b.Errorf("send %d gave %+v, %v", i, r.Sent, r.Err)
		}
	}
	b.again(sends[:20], true)
}

// manyConversations fills a shard with more conversations than a store may
// cache, some in one batch and some over many, then goes round them again.
func manyConversations(b *bench) {
	const count = 1300
	var keys []chat.ConversationKey
	for i := 0; len(keys) < count; i++ {
		if c := pair(i); storage.ConversationShard(Shards, c) == 1 {
			keys = append(keys, c)
		}
	}
	var sends []chat.Send
	for _, c := range keys {
		sends = append(sends, message(c, 1))
	}
	b.send(sends[:700]...)
	for n := 700; n < count; n += 100 {
		b.send(sends[n : n+100]...)
	}
	for round := uint64(2); round < 5; round++ {
		for n := 0; n < count; n += 130 {
			for i, c := range keys[n : n+130] {
				res := b.sendBoth(sends[n+i], message(c, int(round)))
				if !res[0].Sent.Duplicate || res[0].Sent.Seq != 1 || res[1].Sent.Seq != round || res[1].Sent.Duplicate {
					b.Fatalf("round %d of conversation %d: %+v", round, n+i, res)
				}
			}
			if n%260 == 0 {
				b.flush()
			}
		}
	}
	b.flush()
	for _, c := range keys[:50] {
		b.chain(c, 4)
	}
}

// sendBoth applies in the open batch of the bench, to save commits.
func (b *bench) sendBoth(sends ...chat.Send) []chat.Result {
	if b.pending == nil {
		b.pending = b.store.Batch()
	}
	var out []chat.Result
	for _, s := range sends {
		b.now++
		state := b.pending.State(storage.ConversationShard(Shards, s.Conversation))
		res, _ := chat.Apply(state, sendAt(epoch+b.now, s))
		out = append(out, res)
	}
	return out
}

// flush commits the open batch of the bench.
func (b *bench) flush() {
	b.Helper()
	if b.pending == nil {
		return
	}
	if err := b.pending.Commit(true); err != nil {
		b.Fatal(err)
	}
	b.pending = nil
}

// window moves the floor over restarts: refused is what lies below, found what
// lies above.
func window(b *bench) {
	c := pair(1)
	small := chat.DedupeWindow{Age: 5 * time.Millisecond, Messages: 20}
	send := func(n int) chat.Result {
		s := message(c, n)
		s.Window = small
		return b.send(s)[0]
	}
	for n := 1; n <= 192; n++ {
		if n%50 == 0 {
			b.reopen()
		}
		if r := send(n); r.Err != nil || r.Sent.Seq != uint64(n) {
			b.Fatalf("send %d: %+v", n, r)
		}
	}
	// The floor of 192 is the time of 172; times run as the numbers do.
	for range 2 {
		for n := 1; n <= 192; n++ {
			r := send(n)
			if n < 172 && (r.Err == nil || r.Err.Code != chat.CodeDedupeWindowPassed) || n >= 172 && (r.Err != nil || r.Sent.Seq != uint64(n)) {
				b.Errorf("retry of %d: %+v", n, r)
			}
		}
		b.reopen()
	}
	b.chain(c, 192)
}

// dropInBatch puts rows and deletes those below a floor in the same batch.
func dropInBatch(b *bench) {
	c := pair(1)
	key := func(at int64) chat.DedupeKey { return chat.DedupeKey{Conversation: c, IssuedAt: at, Sender: "ann"} }
	b.batch(func(batch storage.Batch) {
		s := batch.State(1)
		for at := range int64(10) {
			s.Dedupes.Put(key(at), chat.Dedupe{Seq: uint64(at)})
		}
		s.Heads.Put(c, chat.Head{Seq: 9, MaxIssuedAt: 9})
		s.Dedupes.DropBelow(c, 0, 5)
	})
	b.reopen()
	b.batch(func(batch storage.Batch) {
		for at := range int64(10) {
			if _, ok := batch.State(1).Dedupes.Get(key(at)); ok != (at >= 5) {
				b.Errorf("the row issued at %d is there: %v", at, ok)
			}
		}
	})
}
