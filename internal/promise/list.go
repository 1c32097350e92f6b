package promise

import (
	"pgregory.net/rapid"

	"github.com/parley-im/parley/chat"
)

// drawMark draws a mark at any entry, or before the first one.
func drawMark(t *rapid.T, w *World) (uint16, chat.MarkRead, bool) {
	key := rapid.SampledFrom(Conversations).Draw(t, "conversation")
	first, second, _ := key.Peers()
	user := chat.UserKey{App: key.App, ID: rapid.SampledFrom([]string{first, second}).Draw(t, "user")}
	l := w.shards[w.ofConversation(key)].logs[key]
	seq := rapid.Uint64Range(0, uint64(len(l.entries))).Draw(t, "seq")
	return w.ofUser(user), chat.MarkRead{User: user, Conversation: key, Mark: chat.Mark{Seq: seq, Counted: seq, Own: l.own(user.ID, seq)}}, true
}

// markRead: the furthest mark counts, and the conversation is in the list.
func (w *World) markRead(s *Shard, now int64, c chat.MarkRead) Want {
	m := s.listed(c.User, c.Conversation, now)
	if c.Mark.Seq > m.Mark.Seq {
		m.Mark = c.Mark
		s.lists[chat.MembershipKey{User: c.User, Conversation: c.Conversation}] = m
	}
	return Want{Result: chat.Result{Mark: m.Mark}}
}

// listed puts a conversation into a user's list, unless it is there.
func (s *Shard) listed(u chat.UserKey, c chat.ConversationKey, now int64) chat.Membership {
	key := chat.MembershipKey{User: u, Conversation: c}
	if _, ok := s.lists[key]; !ok {
		s.lists[key] = chat.Membership{Since: now}
	}
	return s.lists[key]
}
