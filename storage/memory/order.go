package memory

import (
	"cmp"
	"slices"

	"github.com/parley-im/parley/chat"
)

// pair is a row of a snapshot.
type pair[K comparable, V any] struct {
	Key K
	Row V
}

// pairs gives the committed rows in the order of their keys: what is read of a
// store is the same in every run.
func (t *table[K, V]) pairs(compare func(a, b K) int) []pair[K, V] {
	out := make([]pair[K, V], 0, len(t.rows))
	for k, v := range t.rows {
		out = append(out, pair[K, V]{k, v})
	}
	slices.SortFunc(out, func(a, b pair[K, V]) int { return compare(a.Key, b.Key) })
	return out
}

// fill brings rows into an empty table.
func (t *table[K, V]) fill(rows []pair[K, V]) {
	for _, p := range rows {
		t.rows[p.Key] = p.Row
	}
}

func byUser(a, b chat.UserKey) int {
	return cmp.Or(cmp.Compare(a.App, b.App), cmp.Compare(a.ID, b.ID))
}

func byConversation(a, b chat.ConversationKey) int {
	return cmp.Or(cmp.Compare(a.App, b.App), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
}

func byMembership(a, b membershipKey) int {
	return cmp.Or(byUser(a.User, b.User), byConversation(a.Conversation, b.Conversation))
}

func byEntry(a, b entryKey) int {
	return cmp.Or(byConversation(a.Conversation, b.Conversation), cmp.Compare(a.Seq, b.Seq))
}

func byDedupe(a, b dedupeKey) int {
	return cmp.Or(byConversation(a.Conversation, b.Conversation), cmp.Compare(a.Send.IssuedAt, b.Send.IssuedAt),
		cmp.Compare(a.Send.Sender, b.Send.Sender), slices.Compare(a.Send.ID[:], b.Send.ID[:]))
}

func byEffect(a, b chat.EffectRef) int {
	return cmp.Or(cmp.Compare(a.Destination, b.Destination), cmp.Compare(a.Number, b.Number))
}

func byEpoch(a, b epochKey) int {
	return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Epoch, b.Epoch))
}
