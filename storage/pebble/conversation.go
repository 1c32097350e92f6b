package pebble

import (
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/internal/broken"
	"github.com/parley-im/parley/proto/logpb"
)

// cachedConversations bounds a shard's cache; with 128 shards that is 65,536
// conversations of about 2 KiB.
const cachedConversations = 512

// recentSends is how many dedupe rows of a conversation stay in memory between
// batches.
const recentSends = 16

// keptPending is how much room for entries a conversation keeps for the next
// batch.
const keptPending = 16

// conversation is what sending needs of a conversation: its head and enough of
// its dedupe rows that a fresh send reads nothing from the disk.
//
// The idea: dedupe rows that are not in recent were issued at evicted or
// before, so a send issued later than that cannot have a row on disk. Ties go
// to the disk: two sends may share a millisecond.
//
// Invariants: every dedupe row with IssuedAt > evicted is in recent; all rows
// and entries of the open batch are in recent and pending.
type conversation struct {
	key     chat.ConversationKey
	head    chat.Head
	exists  bool
	dirty   bool
	recent  []recentSend
	evicted int64
	pending []chat.Entry // of the open batch, ascending
}

type recentSend struct {
	key chat.DedupeKey
	row chat.Dedupe
}

// conversation finds or loads the cached conversation.
func (s *state) conversation(k chat.ConversationKey) *conversation {
	c := s.conversations[k]
	if c == nil {
		c = &conversation{key: k}
		var r logpb.Head
		s.key = appendHeadKey(s.key[:0], s.shard, k)
		if c.exists = s.get(s.key, &r); c.exists {
			c.head = r.Chat()
			c.evicted = c.head.MaxIssuedAt
		}
		s.conversations[k] = c
	}
	return c
}

// touch notes that the open batch changes the conversation.
func (s *state) touch(k chat.ConversationKey) *conversation {
	c := s.conversation(k)
	if !c.dirty {
		c.dirty = true
		s.dirty = append(s.dirty, c)
	}
	return c
}

// Head implements chat.State.
func (s *state) Head(k chat.ConversationKey) (chat.Head, bool) {
	c := s.conversation(k)
	return c.head, c.exists
}

// PutHead implements chat.State.
func (s *state) PutHead(k chat.ConversationKey, h chat.Head) {
	c := s.touch(k)
	c.head, c.exists = h, true
}

// Entry implements chat.State.
func (s *state) Entry(k chat.ConversationKey, seq uint64) (chat.Entry, bool) {
	c := s.conversation(k)
	if n := len(c.pending); n > 0 && seq >= c.pending[0].Seq {
		if i := seq - c.pending[0].Seq; i < uint64(n) {
			return c.pending[i], true
		}
		return chat.Entry{}, false
	}
	var r logpb.Entry
	s.key = appendEntryKey(s.key[:0], s.shard, k, seq)
	ok := s.get(s.key, &r)
	return r.Chat(), ok
}

// PutEntry implements chat.State.
func (s *state) PutEntry(k chat.ConversationKey, e chat.Entry) {
	c := s.touch(k)
	c.pending = append(c.pending, e)
	s.key = appendEntryKey(s.key[:0], s.shard, k, e.Seq)
	s.entry.Set(&c.pending[len(c.pending)-1])
	s.set(s.key, &s.entry)
}

// Dedupe implements chat.State.
func (s *state) Dedupe(k chat.ConversationKey, d chat.DedupeKey) (chat.Dedupe, bool) {
	if broken.NoDedupe {
		return chat.Dedupe{}, false
	}
	c := s.conversation(k)
	for i := len(c.recent) - 1; i >= 0; i-- {
		if c.recent[i].key == d {
			return c.recent[i].row, true
		}
	}
	if d.IssuedAt > c.evicted {
		return chat.Dedupe{}, false
	}
	var r logpb.Dedupe
	s.key = appendDedupeKey(s.key[:0], s.shard, k, d)
	ok := s.get(s.key, &r)
	return r.Chat(), ok
}

// PutDedupe implements chat.State.
func (s *state) PutDedupe(k chat.ConversationKey, d chat.DedupeKey, v chat.Dedupe) {
	c := s.touch(k)
	c.recent = append(c.recent, recentSend{d, v})
	s.key = appendDedupeKey(s.key[:0], s.shard, k, d)
	s.set(s.key, logpb.FromDedupe(v))
}

// DropDedupe implements chat.State. Rows in recent stay: Apply refuses what
// lies below the floor before it asks for a row.
func (s *state) DropDedupe(k chat.ConversationKey, floor int64) {
	s.dropRange(appendDedupePrefix(nil, s.shard, k, 0), appendDedupePrefix(nil, s.shard, k, floor))
}

// committed keeps the newest few sends and lets the others go to the disk,
// where they now are.
func (c *conversation) committed() {
	if n := len(c.recent) - recentSends; n > 0 {
		for _, r := range c.recent[:n] {
			c.evicted = max(c.evicted, r.key.IssuedAt)
		}
		c.recent = append(c.recent[:0], c.recent[n:]...)
	}
	clear(c.pending)
	if c.pending = c.pending[:0]; cap(c.pending) > keptPending {
		c.pending = nil
	}
	c.dirty = false
}

// evict drops arbitrary conversations above the bound; the next send to
// them reads their head again.
func (s *state) evict() {
	for k := range s.conversations {
		if len(s.conversations) <= cachedConversations {
			return
		}
		delete(s.conversations, k)
	}
}
