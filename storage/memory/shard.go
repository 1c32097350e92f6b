package memory

import (
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

// The keys' fields are exported for a snapshot's encoding.
type membershipKey struct {
	User         chat.UserKey
	Conversation chat.ConversationKey
}

type entryKey struct {
	Conversation chat.ConversationKey
	Seq          uint64
}

type dedupeKey struct {
	Conversation chat.ConversationKey
	Send         chat.DedupeKey
}

type epochKey struct {
	Source uint16
	Epoch  uint64
}

// onlyKey is that of a table with one row.
type onlyKey struct{}

// tables are a shard's rows.
type tables struct {
	users       *table[chat.UserKey, chat.User]
	memberships *table[membershipKey, chat.Membership]
	heads       *table[chat.ConversationKey, chat.Head]
	entries     *table[entryKey, chat.Entry]
	dedupe      *table[dedupeKey, chat.Dedupe]
	outbox      *table[chat.EffectRef, chat.Effect]
	outboxHeads *table[uint16, uint64]
	marks       *table[epochKey, uint64]
	documents   *table[onlyKey, storage.Document]
}

func newTables() tables {
	return tables{
		users:       newTable[chat.UserKey, chat.User](),
		memberships: newTable[membershipKey, chat.Membership](),
		heads:       newTable[chat.ConversationKey, chat.Head](),
		entries:     newTable[entryKey, chat.Entry](),
		dedupe:      newTable[dedupeKey, chat.Dedupe](),
		outbox:      newTable[chat.EffectRef, chat.Effect](),
		outboxHeads: newTable[uint16, uint64](),
		marks:       newTable[epochKey, uint64](),
		documents:   newTable[onlyKey, storage.Document](),
	}
}

func (t *tables) clone() tables {
	return tables{
		users: t.users.clone(), memberships: t.memberships.clone(), heads: t.heads.clone(), entries: t.entries.clone(), dedupe: t.dedupe.clone(),
		outbox: t.outbox.clone(), outboxHeads: t.outboxHeads.clone(), marks: t.marks.clone(), documents: t.documents.clone(),
	}
}

// each is what all tables have in common.
func (t *tables) each() []interface {
	commit() func()
	discard()
} {
	return []interface {
		commit() func()
		discard()
	}{t.users, t.memberships, t.heads, t.entries, t.dedupe, t.outbox, t.outboxHeads, t.marks, t.documents}
}

// shard is one shard's replica: chat.State for the open batch, and what views
// and the log's readers see.
type shard struct {
	store *Store
	id    storage.ShardID
	batch *batch // the open one that touches it

	tables
	replica    storage.Replica
	log        []storage.LogEntry // replica.Base < Index <= replica.Last
	generation int                // counts Install and Destroy
}

func newShard(s *Store, id storage.ShardID) *shard {
	return &shard{store: s, id: id, tables: newTables()}
}

// User implements chat.State.
func (s *shard) User(u chat.UserKey) (chat.User, bool) { return s.users.get(u) }

// PutUser implements chat.State.
func (s *shard) PutUser(u chat.UserKey, v chat.User) { s.users.put(u, v) }

// Membership implements chat.State.
func (s *shard) Membership(u chat.UserKey, c chat.ConversationKey) (chat.Membership, bool) {
	return s.memberships.get(membershipKey{u, c})
}

// PutMembership implements chat.State.
func (s *shard) PutMembership(u chat.UserKey, c chat.ConversationKey, v chat.Membership) {
	s.memberships.put(membershipKey{u, c}, v)
}

// Head implements chat.State.
func (s *shard) Head(c chat.ConversationKey) (chat.Head, bool) { return s.heads.get(c) }

// PutHead implements chat.State.
func (s *shard) PutHead(c chat.ConversationKey, h chat.Head) { s.heads.put(c, h) }

// Entry implements chat.State.
func (s *shard) Entry(c chat.ConversationKey, seq uint64) (chat.Entry, bool) {
	return s.entries.get(entryKey{c, seq})
}

// PutEntry implements chat.State.
func (s *shard) PutEntry(c chat.ConversationKey, e chat.Entry) { s.entries.put(entryKey{c, e.Seq}, e) }

// Dedupe implements chat.State.
func (s *shard) Dedupe(c chat.ConversationKey, d chat.DedupeKey) (chat.Dedupe, bool) {
	return s.dedupe.get(dedupeKey{c, d})
}

// PutDedupe implements chat.State.
func (s *shard) PutDedupe(c chat.ConversationKey, d chat.DedupeKey, v chat.Dedupe) {
	s.dedupe.put(dedupeKey{c, d}, v)
}

// DropDedupe implements chat.State.
func (s *shard) DropDedupe(c chat.ConversationKey, floor int64) {
	s.dedupe.drop(func(k dedupeKey) bool { return k.Conversation == c && k.Send.IssuedAt < floor })
}

// QueueEffect implements chat.State.
func (s *shard) QueueEffect(e chat.Effect) chat.EffectRef {
	destination := uint16(storage.UserShard(s.store.count, e.ConversationOpened.User))
	last, _ := s.outboxHeads.get(destination)
	ref := chat.EffectRef{Destination: destination, Number: last + 1}
	s.outboxHeads.put(destination, ref.Number)
	s.outbox.put(ref, e)
	return ref
}

// DropEffects implements chat.State.
func (s *shard) DropEffects(destination uint16, through uint64) {
	s.outbox.drop(func(r chat.EffectRef) bool { return r.Destination == destination && r.Number <= through })
}

// EffectMark implements chat.State.
func (s *shard) EffectMark(source uint16, epoch uint64) uint64 {
	n, _ := s.marks.get(epochKey{source, epoch})
	return n
}

// SetEffectMark implements chat.State.
func (s *shard) SetEffectMark(source uint16, epoch, through uint64) {
	s.marks.put(epochKey{source, epoch}, through)
}
