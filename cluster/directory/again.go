package directory

import (
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/storage"
)

// PushAgain asks a shard's actor to push the newest message of conversations once
// more, to those of their users whom Wants names.
type PushAgain struct {
	Conversations []chat.ConversationKey
	Wants         func(chat.UserKey) bool
}

// againMargin is how far before a loss pushes are repeated: they may take that long
// after their message was applied here.
const againMargin = 5 * time.Second

// again has pushes of shards that this node leads repeated.
type again struct {
	shard storage.ShardID // 0: all
	since time.Duration   // by elapsed
	wants func(chat.UserKey) bool
}

func everybody(chat.UserKey) bool { return true }

// repeat has the pushes of conversations that this node leads repeated since a
// time.
func (n *notifier) repeat(a again) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.agains = append(n.agains, a)
	n.signal()
}

// sessionsOf says which users' sessions live in some shards.
func (d *Directory) sessionsOf(shards ...storage.ShardID) func(chat.UserKey) bool {
	some := make(map[storage.ShardID]bool, len(shards))
	for _, s := range shards {
		some[s] = true
	}
	return func(u chat.UserKey) bool { return some[storage.UserShard(d.o.Replicator.Shards(), u)] }
}

// ledBy lists the shards that a node leads, as far as is known.
func (d *Directory) ledBy(node storage.NodeID) (shards []storage.ShardID) {
	for shard := 1; shard < len(d.stripes); shard++ {
		if leader, _ := d.Leader(storage.ShardID(shard)); leader == node {
			shards = append(shards, storage.ShardID(shard))
		}
	}
	return shards
}

// do has the shards' actors push again what was said since. Where that is not known
// any more, all sessions look.
func (a again) do(d *Directory) {
	first, last := a.shard, a.shard
	if a.shard == 0 {
		first, last = 1, storage.ShardID(len(d.stripes)-1)
	}
	since := max(a.since-againMargin, 0)
	unknown := &actorpb.LookAgain{AgoMs: uint64((d.elapsed() - since).Milliseconds())}
	for shard := first; shard <= last; shard++ {
		if !d.leadsNow(shard) {
			continue
		}
		keys, all := d.stripes[shard].recent.since(since)
		if !all {
			unknown.Shards = append(unknown.Shards, uint32(shard))
		} else if keys = a.some(keys); len(keys) > 0 {
			if err := d.Send(ShardOf(shard), PushAgain{keys, a.wants}, nil); err != nil {
				unknown.Shards = append(unknown.Shards, uint32(shard))
			}
		}
	}
	if len(unknown.Shards) > 0 {
		d.TellAll(ownProcess, unknown)
		d.lookAgain(unknown)
	}
}

// some keeps the conversations of users who want it.
func (a again) some(keys []chat.ConversationKey) (rest []chat.ConversationKey) {
	for _, k := range keys {
		first, second, _ := k.Peers()
		if a.wants(chat.UserKey{App: k.App, ID: first}) || a.wants(chat.UserKey{App: k.App, ID: second}) {
			rest = append(rest, k)
		}
	}
	return rest
}

// maxAsking is for how many users one message asks.
const maxAsking = 1024

// PushAgain has all nodes repeat what they pushed to a user for so long: the
// session has moved, and a device is back.
func (d *Directory) PushAgain(u chat.UserKey, missed time.Duration) {
	n := d.notifier
	n.mu.Lock()
	defer n.mu.Unlock()
	n.missed = max(n.missed, missed)
	n.asking = append(n.asking, &actorpb.AgainUser{AppId: uint32(u.App), Id: u.ID})
	n.signal()
}

// askAll asks all nodes, and this one, to push again to users.
func (d *Directory) askAll(users []*actorpb.AgainUser, missed time.Duration) {
	for len(users) > 0 {
		some := users[:min(len(users), maxAsking)]
		users = users[len(some):]
		m := &actorpb.PushAgain{AgoMs: uint64(missed.Milliseconds()), Users: some}
		d.TellAll(ownProcess, m)
		d.pushAgain(m)
	}
}

// pushAgain takes that question.
func (d *Directory) pushAgain(m *actorpb.PushAgain) {
	some := make(map[chat.UserKey]bool, len(m.Users))
	for _, u := range m.Users {
		some[chat.UserKey{App: chat.AppID(u.AppId), ID: u.Id}] = true
	}
	d.notifier.repeat(again{since: d.elapsed() - ms(m.AgoMs), wants: func(u chat.UserKey) bool { return some[u] }})
}

// lookAgain has the sessions of this node look at their conversations in shards.
func (d *Directory) lookAgain(m *actorpb.LookAgain) {
	n := d.notifier
	n.mu.Lock()
	defer n.mu.Unlock()
	since := d.elapsed() - ms(m.AgoMs)
	for _, s := range m.Shards {
		shard := storage.ShardID(s)
		if int(shard) >= len(d.stripes) {
			continue
		}
		if was, ok := n.looks[shard]; !ok || since < was {
			n.looks[shard] = since
		}
	}
	n.signal()
}

func ms(n uint64) time.Duration { return time.Duration(min(n, 1<<40)) * time.Millisecond }
