package promise

import (
	"crypto/sha256"
	"fmt"
	"reflect"

	"github.com/parley-im/parley/chat"
)

// Check holds a shard's rows against the world: those that a step may change, or
// all of them.
func (w *World) Check(shard uint16, rows *chat.State, all bool) error {
	s := w.shards[shard]
	for _, u := range Users {
		if w.ofUser(u) != shard {
			continue
		}
		if err := s.checkUser(u, rows); err != nil {
			return err
		}
	}
	for _, c := range Conversations {
		if w.ofConversation(c) != shard {
			continue
		}
		if err := w.checkConversation(s, c, rows, all); err != nil {
			return err
		}
	}
	for from := uint16(1); int(from) <= len(w.shards); from++ {
		for epoch := uint64(1); epoch <= 2; epoch++ {
			source := chat.EffectSource{Shard: from, Epoch: epoch}
			if got, _ := rows.Applied.Get(source); got != s.applied[source] {
				return fmt.Errorf("of %+v the effects up to %d are applied, want %d", source, got, s.applied[source])
			}
		}
	}
	return nil
}

// same compares a row with what it must be, and whether it is there at all.
func same[R any](what any, got R, there bool, want R, wanted bool) error {
	if there != wanted || there && !reflect.DeepEqual(got, want) {
		return fmt.Errorf("of %+v there is %+v, %v, want %+v, %v", what, got, there, want, wanted)
	}
	return nil
}

func (s *Shard) checkUser(u chat.UserKey, rows *chat.State) error {
	got, there := rows.Users.Get(u)
	want, wanted := s.users[u]
	if err := same(u, got, there, want, wanted); err != nil {
		return err
	}
	for _, c := range Conversations {
		if c.App != u.App {
			continue // no row can name both
		}
		key := chat.MembershipKey{User: u, Conversation: c}
		got, there := rows.Memberships.Get(key)
		want, wanted := s.lists[key]
		if there != wanted || got != want {
			return same(key, got, there, want, wanted)
		}
	}
	return nil
}

func (w *World) checkConversation(s *Shard, c chat.ConversationKey, rows *chat.State, all bool) error {
	l := s.logs[c]
	head, there := rows.Heads.Get(c)
	if want := l.head(c); there != (len(l.entries) > 0) || head != want {
		return fmt.Errorf("the head of %+v is %+v, %v, want %+v", c, head, there, want)
	}
	if _, ok := rows.Entries.Get(chat.EntryKey{Conversation: c, Seq: head.Seq + 1}); ok {
		return fmt.Errorf("%+v has an entry after the head's, %d", c, head.Seq)
	}
	from := len(l.entries) - 1
	if all {
		from = 0
	}
	var log []chat.Entry
	for i := max(from, 0); i < len(l.entries); i++ {
		e, err := l.checkEntry(c, i, rows)
		if err != nil {
			return err
		}
		log = append(log, e)
	}
	if all && chat.VerifyChain([32]byte{}, c, log) != head.Hash {
		return fmt.Errorf("the entries of %+v do not hash to what the head says", c)
	}
	if err := l.checkChanges(c, rows, all); err != nil {
		return err
	}
	return w.checkUnread(&l, c, &head)
}

// checkEntry wants the entry as it must stand, and a retry of it to be found.
func (l *log) checkEntry(c chat.ConversationKey, i int, rows *chat.State) (chat.Entry, error) {
	want, said := &l.entries[i], &l.said[i]
	e, there := rows.Entries.Get(chat.EntryKey{Conversation: c, Seq: uint64(i + 1)})
	if !there || !reflect.DeepEqual(e, *want) {
		return e, fmt.Errorf("entry %d of %+v is %+v, %v, want %+v", i+1, c, e, there, *want)
	}
	if e.OrderKey >= 1<<53 {
		return e, fmt.Errorf("order key %d does not fit JavaScript's numbers", e.OrderKey)
	}
	if e.IssuedAt < l.floor {
		return e, nil
	}
	key := chat.DedupeKey{Conversation: c, IssuedAt: said.IssuedAt, Sender: said.Sender, ID: said.ClientMessageID}
	first := chat.Dedupe{Seq: e.Seq}
	if e.Kind != chat.EntryErased {
		first.Content = sha256.Sum256(said.Content)
	}
	if d, ok := rows.Dedupes.Get(key); !ok || d != first {
		return e, fmt.Errorf("a retry of entry %d of %+v finds %+v, %v", e.Seq, c, d, ok)
	}
	return e, nil
}

// checkUnread counts for both, by the marks in their lists.
func (w *World) checkUnread(l *log, c chat.ConversationKey, head *chat.Head) error {
	if w.torn {
		return nil
	}
	first, second, _ := c.Peers()
	for _, id := range []string{first, second} {
		u := chat.UserKey{App: c.App, ID: id}
		m := w.shards[w.ofUser(u)].lists[chat.MembershipKey{User: u, Conversation: c}]
		if got, want := head.Unread(c, id, m.Mark), l.unread(id, m.Mark.Seq); got != want {
			return fmt.Errorf("%+v has %d unread in %+v after %+v, want %d", u, got, c, m.Mark, want)
		}
	}
	return nil
}

// Listed says whether each conversation with a message is in the lists of both, but
// for those that were taken out.
func (w *World) Listed() error {
	for _, c := range Conversations {
		first, second, _ := c.Peers()
		for _, id := range []string{first, second} {
			key := chat.MembershipKey{User: chat.UserKey{App: c.App, ID: id}, Conversation: c}
			_, listed := w.shards[w.ofUser(key.User)].lists[key]
			if said := w.shards[w.ofConversation(c)].logs[c].said; len(said) > 0 && !listed && !w.left[key] {
				return fmt.Errorf("%+v is in no list, though all effects were delivered", key)
			}
		}
	}
	return nil
}
