package memory

import (
	"bytes"
	"slices"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

// view reads the committed rows of a shard: those of the contents that it was
// opened on, also when others are installed meanwhile.
type view struct {
	tables
	store      *Store
	of         *shard
	generation int // when it was opened
}

// View implements storage.Store.
func (s *Store) View(id storage.ShardID) (storage.View, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	sh := s.shards[id]
	return view{tables: sh.tables, store: s, of: sh, generation: sh.generation}, nil
}

// Close implements storage.View.
func (v view) Close() error {
	v.store.mu.RLock()
	defer v.store.mu.RUnlock()
	if v.of.generation != v.generation {
		return storage.ErrGone
	}
	return nil
}

func committed[K comparable, V any](s *Store, t *table[K, V], k K) (V, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r, ok := t.rows[k]
	return r, ok, nil
}

// User implements storage.View.
func (v view) User(u chat.UserKey) (chat.User, bool, error) { return committed(v.store, v.users, u) }

// Head implements storage.View.
func (v view) Head(c chat.ConversationKey) (chat.Head, bool, error) {
	return committed(v.store, v.heads, c)
}

// Membership implements storage.View.
func (v view) Membership(u chat.UserKey, c chat.ConversationKey) (chat.Membership, bool, error) {
	return committed(v.store, v.memberships, chat.MembershipKey{User: u, Conversation: c})
}

// Entries implements storage.View.
func (v view) Entries(c chat.ConversationKey, after, before uint64, limit int, newest bool) ([]chat.Entry, error) {
	if limit < 1 {
		return nil, nil
	}
	v.store.mu.RLock()
	defer v.store.mu.RUnlock()
	last := v.heads.rows[c].Seq
	if before != 0 {
		last = min(last, before-1)
	}
	first := after + 1
	switch n := uint64(limit); {
	case after >= last:
		return nil, nil
	case newest && last-first+1 > n:
		first = last - n + 1
	case last-first+1 > n:
		last = first + n - 1
	}
	var out []chat.Entry
	for seq := first; seq <= last; seq++ {
		if e, ok := v.entries.rows[chat.EntryKey{Conversation: c, Seq: seq}]; ok {
			out = append(out, e)
		}
	}
	return out, nil
}

// Changes implements storage.View.
func (v view) Changes(c chat.ConversationKey, after uint64, limit int) (out []chat.Change, err error) {
	v.store.mu.RLock()
	defer v.store.mu.RUnlock()
	for rev := after + 1; len(out) < limit; rev++ {
		change, ok := v.changes.rows[chat.ChangeKey{Conversation: c, Rev: rev}]
		if !ok {
			break
		}
		out = append(out, change)
	}
	return out, nil
}

// Memberships implements storage.View.
func (v view) Memberships(u chat.UserKey, visit func(chat.ConversationKey, chat.Membership) bool) error {
	v.store.mu.RLock()
	defer v.store.mu.RUnlock()
	var of []chat.ConversationKey
	for k := range v.memberships.rows {
		if k.User == u {
			of = append(of, k.Conversation)
		}
	}
	slices.SortFunc(of, byConversation)
	for _, c := range of {
		if !visit(c, v.memberships.rows[chat.MembershipKey{User: u, Conversation: c}]) {
			return nil
		}
	}
	return nil
}

// Effects implements storage.View.
func (v view) Effects(destination storage.ShardID, limit int) (first uint64, effects []chat.Effect, err error) {
	v.store.mu.RLock()
	defer v.store.mu.RUnlock()
	var numbers []uint64
	for r := range v.outbox.rows {
		if r.Destination == uint16(destination) {
			numbers = append(numbers, r.Number)
		}
	}
	slices.Sort(numbers)
	for _, n := range numbers[:min(limit, len(numbers))] {
		effects = append(effects, v.outbox.rows[chat.EffectRef{Destination: uint16(destination), Number: n}])
	}
	if len(effects) > 0 {
		first = numbers[0]
	}
	return first, effects, nil
}

// Undelivered implements storage.View.
func (v view) Undelivered() ([]storage.ShardID, error) {
	v.store.mu.RLock()
	defer v.store.mu.RUnlock()
	var out []storage.ShardID
	for r := range v.outbox.rows {
		out = append(out, storage.ShardID(r.Destination))
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// Document implements storage.View.
func (v view) Document() (storage.Document, error) {
	d, _, err := committed(v.store, v.documents, onlyKey{})
	d.Content = bytes.Clone(d.Content) // the caller's
	return d, err
}
