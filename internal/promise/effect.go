package promise

import (
	"pgregory.net/rapid"

	"github.com/parley-im/parley/chat"
)

// open queues the effect that puts a conversation into a user's list: numbers for
// a destination have no gaps.
func (w *World) open(s *Shard, c chat.ConversationKey, user string) chat.EffectRef {
	to := chat.Addressee{User: chat.UserKey{App: c.App, ID: user}}
	o := s.outbox[w.place(to)]
	o.effects = append(o.effects, chat.Effect{To: to, Body: chat.ConversationOpened{Conversation: c}})
	s.outbox[w.place(to)] = o
	return chat.EffectRef{Destination: w.place(to), Number: uint64(len(o.effects))}
}

func drawShard(t *rapid.T, w *World, label string) uint16 {
	return uint16(rapid.IntRange(1, len(w.shards)).Draw(t, label))
}

// drawDeliver draws a piece of an outbox that goes on where the destination is, or
// overlaps with what it has, or leaves a hole; of the outbox as it was counted first,
// or counted again after a restore.
func drawDeliver(t *rapid.T, w *World) (uint16, chat.Deliver, bool) {
	from, to := drawShard(t, w, "from"), drawShard(t, w, "to")
	source := chat.EffectSource{Shard: from, Epoch: rapid.SampledFrom([]uint64{1, 1, 1, 2}).Draw(t, "epoch")}
	all := w.shards[from].outbox[to].effects
	first := int(w.shards[to].applied[source]) + rapid.SampledFrom([]int{1, 1, 1, 0, -1, 2}).Draw(t, "first")
	if first < 1 || first > len(all) {
		return 0, chat.Deliver{}, false
	}
	end := rapid.IntRange(first-1, min(len(all), first+3)).Draw(t, "end")
	return to, chat.Deliver{Source: source, First: uint64(first), Effects: all[first-1 : end]}, true
}

// deliver: each effect is applied once, in the order of the numbers; a piece that
// leaves a hole is refused.
func (w *World) deliver(s *Shard, now int64, c chat.Deliver) Want {
	if c.First > s.applied[c.Source]+1 {
		return refused(chat.CodeInternal)
	}
	for i, e := range c.Effects {
		if n := c.First + uint64(i); n == s.applied[c.Source]+1 {
			s.applied[c.Source] = n
			s.listed(e.To.User, e.Body.(chat.ConversationOpened).Conversation, now)
		}
	}
	return Want{}
}

func drawDelivered(t *rapid.T, w *World) (uint16, chat.Delivered, bool) {
	from, to := drawShard(t, w, "from"), drawShard(t, w, "to")
	o := w.shards[from].outbox[to]
	return from, chat.Delivered{Destination: to, Through: uint64(rapid.IntRange(0, len(o.effects)+1).Draw(t, "through"))}, true
}

// delivered: what the destination has is deleted, and no number is given out again.
func (w *World) delivered(s *Shard, _ int64, c chat.Delivered) Want {
	if o, ok := s.outbox[c.Destination]; ok {
		o.dropped = max(o.dropped, min(int(c.Through), len(o.effects)))
		s.outbox[c.Destination] = o
	}
	return Want{}
}

// Undelivered are the effects that must wait in a shard for another one, and the
// number of the first; 0 when there are none.
func (w *World) Undelivered(shard, destination uint16) (first uint64, effects []chat.Effect) {
	o := w.shards[shard].outbox[destination]
	if o.dropped == len(o.effects) {
		return 0, nil
	}
	return uint64(o.dropped + 1), o.effects[o.dropped:]
}

// Deliveries are what every destination lacks, one step for each outbox: after them
// each conversation with a message must be in both lists, see Listed.
func (w *World) Deliveries() (out []Step) {
	for from := uint16(1); int(from) <= len(w.shards); from++ {
		for to := uint16(1); int(to) <= len(w.shards); to++ {
			source := chat.EffectSource{Shard: from, Epoch: 1}
			has := w.shards[to].applied[source]
			c := chat.Deliver{Source: source, First: has + 1, Effects: w.shards[from].outbox[to].effects[has:]}
			out = append(out, Step{Shard: to, Command: chat.Command{Version: chat.Version, Time: w.now, Body: c}})
		}
	}
	return out
}
