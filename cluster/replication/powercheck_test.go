package replication_test

import (
	"maps"
	"math"
	"slices"
	"sync"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

// check holds the logs against what was promised: every conversation from 1 to
// its head without a gap, its chain whole, each send once and as it was said,
// the acknowledged ones at their seq, and what was read still there.
func (w *world) check() {
	w.Helper()
	index := map[chat.ClientMessageID]int{}
	conversations := map[chat.ConversationKey]bool{}
	for i, s := range w.sends {
		index[s.ClientMessageID] = i
		conversations[s.Conversation] = true
	}
	found := map[int]uint64{}
	place := map[spot]chat.ClientMessageID{}
	for c := range conversations {
		for i, e := range w.log(c) {
			n, known := index[e.ClientMessageID]
			if _, twice := found[n]; !known || twice || e.Seq != uint64(i+1) {
				w.Errorf("entry %d at place %d: sent %v, twice %v", e.Seq, i+1, known, twice)
				continue
			}
			if s := w.sends[n]; s.Conversation != c || s.Sender != e.Sender || string(s.Content) != string(e.Content) {
				w.Errorf("entry %d is %+v, sent was %+v", e.Seq, e, s)
			}
			found[n] = e.Seq
			place[spot{c, e.Seq}] = e.ClientMessageID
		}
	}
	for i, seq := range w.acked {
		if found[i] != seq {
			w.Errorf("send %d was acknowledged as %d and is at %d", i, seq, found[i])
		}
	}
	for at, id := range w.seen {
		if place[at] != id {
			w.Errorf("entry %d was read and is another or gone", at.seq)
		}
	}
	var waiting sync.WaitGroup
	for _, i := range slices.Sorted(maps.Keys(w.acked)) {
		if w.rng.IntN(8) == 0 {
			w.propose(&waiting, i)
		}
	}
	waiting.Wait()
}

// log reads a whole conversation.
func (w *world) log(c chat.ConversationKey) (log []chat.Entry) {
	w.Helper()
	w.read(storage.ConversationShard(cutShards, c), func(v storage.View) error {
		head, _, err := v.Head(c)
		if err != nil {
			return err
		}
		log, err = v.Entries(c, 0, 0, math.MaxInt32, false)
		if uint64(len(log)) != head.Seq || chat.VerifyChain([32]byte{}, c, log) != head.Hash {
			w.Errorf("%d entries under head %d, or a broken chain", len(log), head.Seq)
		}
		return err
	})
	return log
}

func (w *world) read(shard storage.ShardID, f func(storage.View) error) {
	w.Helper()
	done := make(chan error, 1)
	w.host.Read(shard, storage.Asker{}, f, func(err error) { done <- err })
	if err := <-done; err != nil {
		w.Fatalf("read: %v", err)
	}
}

func (w *world) apply(shard storage.ShardID, body chat.CommandBody) {
	w.Helper()
	done := make(chan error, 1)
	w.submit(shard, body, func(r chat.Result, err error) {
		if err == nil && r.Err != nil {
			err = r.Err
		}
		done <- err
	})
	if err := <-done; err != nil {
		w.Errorf("%+v: %v", body, err)
	}
}

// carry brings what waits in the outboxes to its destinations, at most two
// effects at a time, and tells whether there was anything.
func (w *world) carry() (any bool) {
	for source := storage.ShardID(1); source <= cutShards; source++ {
		for to := storage.ShardID(1); to <= cutShards; to++ {
			var first uint64
			var effects []chat.Effect
			w.read(source, func(v storage.View) (err error) {
				first, effects, err = v.Effects(to, 2)
				return err
			})
			if len(effects) == 0 {
				continue
			}
			any = true
			w.apply(to, chat.Deliver{Source: chat.EffectSource{Shard: uint16(source), Epoch: 1}, First: first, Effects: effects})
			w.apply(source, chat.Delivered{Destination: uint16(to), Through: first + uint64(len(effects)) - 1})
		}
	}
	return any
}

// finish retries everything, carries all effects, and compares the end.
func (w *world) finish() {
	stop := w.start(math.MaxInt64)
	defer stop()
	w.retried = map[pair]uint64{} // what was queued before may have gone with the power
	w.check()
	var waiting sync.WaitGroup
	for i := range w.sends {
		w.propose(&waiting, i)
	}
	waiting.Wait()
	w.check()
	if len(w.acked) != len(w.sends) {
		w.Errorf("%d of %d sends are acknowledged in the end", len(w.acked), len(w.sends))
	}
	for w.carry() {
	}
	w.checkEffects()
}

// checkEffects wants every conversation in the lists of its two users, and the
// streams between shards applied up to exactly what was queued.
func (w *world) checkEffects() {
	want := map[chat.UserKey]map[chat.ConversationKey]bool{}
	queued := map[pair]uint64{}
	for _, s := range w.sends {
		first, second, _ := s.Conversation.Peers()
		for _, id := range []string{first, second} {
			u := chat.UserKey{App: 1, ID: id}
			if want[u] == nil {
				want[u] = map[chat.ConversationKey]bool{}
			}
			if !want[u][s.Conversation] {
				want[u][s.Conversation] = true
				queued[pair{storage.ConversationShard(cutShards, s.Conversation), storage.UserShard(cutShards, u)}]++
			}
		}
	}
	for u, conversations := range want {
		w.read(storage.UserShard(cutShards, u), func(v storage.View) error {
			n := 0
			err := v.Memberships(u, func(c chat.ConversationKey, _ chat.Membership) bool {
				n++
				if !conversations[c] {
					w.Errorf("%s is in a conversation that nobody opened", u.ID)
				}
				return true
			})
			if n != len(conversations) {
				w.Errorf("%s is in %d conversations, want %d", u.ID, n, len(conversations))
			}
			return err
		})
	}
	for pair, n := range queued {
		n = max(n, w.retried[pair]) // the last ones are those of retries, if there were any
		// The next number is the only one that fits after what was applied:
		// a hole is refused, an old number skipped.
		done := make(chan chat.Result, 1)
		probe := chat.Deliver{Source: chat.EffectSource{Shard: uint16(pair[0]), Epoch: 1}, First: n + 2}
		w.submit(pair[1], probe, func(r chat.Result, _ error) { done <- r })
		if r := <-done; r.Err == nil {
			w.Errorf("shard %d has applied more than the %d effects of shard %d", pair[1], n, pair[0])
		}
		w.apply(pair[1], chat.Deliver{Source: chat.EffectSource{Shard: uint16(pair[0]), Epoch: 1}, First: n + 1})
	}
}
