package pebble

import (
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
)

// maxSingleDrops is up to how many rows are deleted one by one. They mostly are:
// each range that is deleted makes every read of the memtable more expensive
// until it is flushed.
const maxSingleDrops = 1024

// outbox implements chat.Outbox: rows that are numbered for each destination, of
// which those in (base, head] exist.
type outbox struct {
	state       *state
	heads, base *hot[uint16, uint64]
	key         []byte
}

// Queue implements chat.Outbox.
func (o *outbox) Queue(e chat.Effect) chat.EffectRef {
	destination := uint16(storage.AddresseeShard(o.state.store.shards, e.To))
	last, _ := o.heads.Get(destination)
	ref := chat.EffectRef{Destination: destination, Number: last + 1}
	o.heads.Put(destination, ref.Number)
	o.key = appendOutboxKey(o.key[:0], o.state.shard, ref)
	o.state.set(o.key, logpb.FromEffect(e))
	return ref
}

// Drop implements chat.Outbox.
func (o *outbox) Drop(destination uint16, through uint64) {
	last, _ := o.heads.Get(destination)
	base, _ := o.base.Get(destination)
	through = min(through, last)
	if through <= base {
		return
	}
	o.base.Put(destination, through)
	shard := o.state.shard
	if through-base > maxSingleDrops {
		o.state.removeRange(appendOutboxKey(nil, shard, chat.EffectRef{Destination: destination, Number: base + 1}),
			appendOutboxKey(nil, shard, chat.EffectRef{Destination: destination, Number: through + 1}))
		return
	}
	for n := base + 1; n <= through; n++ {
		o.key = appendOutboxKey(o.key[:0], shard, chat.EffectRef{Destination: destination, Number: n})
		o.state.remove(o.key)
	}
}
