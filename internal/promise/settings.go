package promise

import (
	"pgregory.net/rapid"

	"github.com/parley-im/parley/chat"
)

// given draws one of some values, or none.
func given[V any](t *rapid.T, label string, of []V) *V {
	if i := rapid.IntRange(-1, len(of)-1).Draw(t, label); i >= 0 {
		return &of[i]
	}
	return nil
}

var flags = []bool{true, false}

func drawSettings(t *rapid.T, w *World) (uint16, chat.UpdateConversation, bool) {
	key := drawMember(t)
	return w.ofUser(key.User), chat.UpdateConversation{
		User: key.User, Conversation: key.Conversation,
		Pinned: given(t, "pinned", flags), Muted: given(t, "muted", flags), Draft: given(t, "draft", texts),
	}, true
}

// set: what is given is stored, the rest stays, as does the read mark; the
// conversation is in the list.
func (w *World) set(s *Shard, now int64, c chat.UpdateConversation) Want {
	m := s.listed(c.User, c.Conversation, now)
	if c.Pinned != nil {
		m.Pinned = *c.Pinned
	}
	if c.Muted != nil {
		m.Muted = *c.Muted
	}
	if c.Draft != nil {
		m.Draft = *c.Draft
	}
	s.lists[chat.MembershipKey{User: c.User, Conversation: c.Conversation}] = m
	return Want{Result: chat.Result{Membership: &m}}
}
