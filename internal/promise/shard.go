package promise

import (
	"maps"
	"slices"

	"github.com/parley-im/parley/chat"
)

// Shard is what one shard must hold.
type Shard struct {
	users   map[chat.UserKey]chat.User
	lists   map[chat.MembershipKey]chat.Membership
	logs    map[chat.ConversationKey]log
	applied map[chat.EffectSource]uint64
	outbox  map[uint16]stream // by destination
}

// log is a conversation.
type log struct {
	entries []chat.Entry // as they must stand now
	said    []chat.Send  // as they were accepted
	changes []chat.Change
	floor   int64 // what was issued before is refused
	hash    [32]byte
}

// stream is all effects that ever were for a destination: the first has number 1.
type stream struct {
	effects []chat.Effect
	dropped int // of those, the first so many
}

func newShard() *Shard {
	return &Shard{
		users: map[chat.UserKey]chat.User{}, lists: map[chat.MembershipKey]chat.Membership{}, logs: map[chat.ConversationKey]log{},
		applied: map[chat.EffectSource]uint64{}, outbox: map[uint16]stream{},
	}
}

func (s *Shard) clone() *Shard {
	c := &Shard{maps.Clone(s.users), maps.Clone(s.lists), maps.Clone(s.logs), maps.Clone(s.applied), maps.Clone(s.outbox)}
	for key, l := range c.logs {
		l.entries, l.said, l.changes = slices.Clone(l.entries), slices.Clone(l.said), slices.Clone(l.changes)
		c.logs[key] = l
	}
	for key, o := range c.outbox {
		o.effects = slices.Clone(o.effects)
		c.outbox[key] = o
	}
	return c
}

// Saved is how the shards of a world stood at some time.
type Saved map[uint16]*Shard

// Save keeps how all shards stand, for Restore.
func (w *World) Save() Saved {
	saved := Saved{}
	for n, s := range w.shards {
		saved[n] = s.clone()
	}
	return saved
}

// Discard takes all shards back to how they stood: a batch was discarded.
func (w *World) Discard(to Saved) { w.shards = to }

// Install replaces one shard by how it stood at some time, or by an empty one: what
// other shards know of it may then be wrong, and is no longer checked.
func (w *World) Install(shard uint16, from Saved) {
	w.torn = true
	w.shards[shard] = newShard()
	if s := from[shard]; s != nil {
		w.shards[shard] = s.clone()
	}
}

// head is found by looking through the log.
func (l *log) head(c chat.ConversationKey) chat.Head {
	h := chat.Head{DedupeFloor: l.floor, Hash: l.hash, Rev: uint64(len(l.changes))}
	first, _, _ := c.Peers()
	for i := range l.entries {
		e := &l.entries[i]
		if i == 0 {
			h.CreatedAt = e.Time
		}
		h.Seq, h.Time, h.OrderKey = e.Seq, e.Time, e.OrderKey
		h.MaxIssuedAt = max(h.MaxIssuedAt, e.IssuedAt)
		h.Counted++
		if e.Sender == first {
			h.Own[0]++
		} else {
			h.Own[1]++
		}
	}
	return h
}

// unread counts what others than the user sent after a seq.
func (l *log) unread(user string, read uint64) (n uint64) {
	for i := range l.entries {
		if e := &l.entries[i]; e.Seq > read && e.Sender != user {
			n++
		}
	}
	return n
}

// own counts what the user sent up to a seq.
func (l *log) own(user string, through uint64) (n uint64) {
	for i := range l.entries {
		if e := &l.entries[i]; e.Seq <= through && e.Sender == user {
			n++
		}
	}
	return n
}
