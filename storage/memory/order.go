package memory

import (
	"cmp"
	"slices"

	"github.com/parley-im/parley/chat"
)

func byUser(a, b chat.UserKey) int {
	return cmp.Or(cmp.Compare(a.App, b.App), cmp.Compare(a.ID, b.ID))
}

func byConversation(a, b chat.ConversationKey) int {
	return cmp.Or(cmp.Compare(a.App, b.App), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
}

func byMembership(a, b chat.MembershipKey) int {
	return cmp.Or(byUser(a.User, b.User), byConversation(a.Conversation, b.Conversation))
}

func byEntry(a, b chat.EntryKey) int {
	return cmp.Or(byConversation(a.Conversation, b.Conversation), cmp.Compare(a.Seq, b.Seq))
}

func byChange(a, b chat.ChangeKey) int {
	return cmp.Or(byConversation(a.Conversation, b.Conversation), cmp.Compare(a.Rev, b.Rev))
}

func byDedupe(a, b chat.DedupeKey) int {
	return cmp.Or(byConversation(a.Conversation, b.Conversation), cmp.Compare(a.IssuedAt, b.IssuedAt),
		cmp.Compare(a.Sender, b.Sender), slices.Compare(a.ID[:], b.ID[:]))
}

func byEffect(a, b chat.EffectRef) int {
	return cmp.Or(cmp.Compare(a.Destination, b.Destination), cmp.Compare(a.Number, b.Number))
}

func bySource(a, b chat.EffectSource) int {
	return cmp.Or(cmp.Compare(a.Shard, b.Shard), cmp.Compare(a.Epoch, b.Epoch))
}
