package promise

import (
	"pgregory.net/rapid"

	"github.com/parley-im/parley/chat"
)

func drawMember(t *rapid.T) chat.MembershipKey {
	c := rapid.SampledFrom(Conversations).Draw(t, "conversation")
	first, second, _ := c.Peers()
	return chat.MembershipKey{User: chat.UserKey{App: c.App, ID: rapid.SampledFrom([]string{first, second}).Draw(t, "user")}, Conversation: c}
}

// drawMark draws a mark at any entry, or before the first one.
func drawMark(t *rapid.T, w *World) (uint16, chat.MarkRead, bool) {
	key := drawMember(t)
	l := w.shards[w.ofConversation(key.Conversation)].logs[key.Conversation]
	seq := rapid.Uint64Range(0, uint64(len(l.entries))).Draw(t, "seq")
	mark := chat.Mark{Seq: seq, Counted: seq, Own: l.own(key.User.ID, seq)}
	return w.ofUser(key.User), chat.MarkRead{User: key.User, Conversation: key.Conversation, Mark: mark}, true
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

func (w *World) drawLeft(t *rapid.T) Step {
	key := drawMember(t)
	return Step{Shard: w.ofUser(key.User), Left: &key}
}

func (w *World) leave(key chat.MembershipKey) {
	w.left[key] = true
	delete(w.shards[w.ofUser(key.User)].lists, key)
}
