package memory

import (
	"cmp"
	"encoding/gob"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

// tables are a shard's rows.
type tables struct {
	users       *table[chat.UserKey, chat.User]
	memberships *table[chat.MembershipKey, chat.Membership]
	heads       *table[chat.ConversationKey, chat.Head]
	entries     *table[chat.EntryKey, chat.Entry]
	changes     *table[chat.ChangeKey, chat.Change]
	dedupes     *table[chat.DedupeKey, chat.Dedupe]
	applied     *table[chat.EffectSource, uint64]
	outbox      *table[chat.EffectRef, chat.Effect]
	outboxHeads *table[uint16, uint64]
	documents   *table[onlyKey, storage.Document]
	all         []anyTable // each of them, in the order of a snapshot
}

// onlyKey is that of a table with one row.
type onlyKey struct{}

func init() { gob.Register(chat.ConversationOpened{}) } // a row of the outbox is an interface

func newTables() tables {
	var t tables
	t.users = add[chat.UserKey, chat.User](&t, byUser)
	t.memberships = add[chat.MembershipKey, chat.Membership](&t, byMembership)
	t.heads = add[chat.ConversationKey, chat.Head](&t, byConversation)
	t.entries = add[chat.EntryKey, chat.Entry](&t, byEntry)
	t.changes = add[chat.ChangeKey, chat.Change](&t, byChange)
	t.dedupes = add[chat.DedupeKey, chat.Dedupe](&t, byDedupe)
	t.applied = add[chat.EffectSource, uint64](&t, bySource)
	t.outbox = add[chat.EffectRef, chat.Effect](&t, byEffect)
	t.outboxHeads = add[uint16, uint64](&t, cmp.Compare[uint16])
	t.documents = add[onlyKey, storage.Document](&t, func(_, _ onlyKey) int { return 0 })
	return t
}

// anyTable is what all tables have in common.
type anyTable interface {
	// commit takes the open batch's writes over and gives what brings the rows
	// back, nil when there were none.
	commit() (undo func())
	discard()
	// copy takes over what another table of the same kind has committed.
	copy(from anyTable)
	// save writes the committed rows in the order of their keys, load reads them
	// into an empty table.
	save(*gob.Encoder) error
	load(*gob.Decoder) error
}

// add makes a table and lists it.
func add[K comparable, V any](to *tables, compare func(a, b K) int) *table[K, V] {
	t := &table[K, V]{rows: make(map[K]V), pending: make(map[K]*V), compare: compare}
	to.all = append(to.all, t)
	return t
}

func (t *tables) clone() tables {
	c := newTables()
	for i, from := range t.all {
		c.all[i].copy(from)
	}
	return c
}

// state is the tables as Apply sees them.
func (t *tables) state(shards int) *chat.State {
	return &chat.State{
		Users: t.users, Memberships: t.memberships, Heads: t.heads, Entries: t.entries, Changes: t.changes, Dedupes: dedupes{t.dedupes}, Applied: t.applied,
		Outbox: outbox{t.outbox, t.outboxHeads, shards},
	}
}

// dedupes implements chat.Dedupes.
type dedupes struct {
	*table[chat.DedupeKey, chat.Dedupe]
}

// DropBelow implements chat.Dedupes.
func (d dedupes) DropBelow(c chat.ConversationKey, _, floor int64) {
	d.drop(func(k chat.DedupeKey) bool { return k.Conversation == c && k.IssuedAt < floor })
}

// outbox implements chat.Outbox.
type outbox struct {
	rows   *table[chat.EffectRef, chat.Effect]
	heads  *table[uint16, uint64]
	shards int
}

// Queue implements chat.Outbox.
func (o outbox) Queue(e chat.Effect) chat.EffectRef {
	destination := uint16(storage.AddresseeShard(o.shards, e.To))
	last, _ := o.heads.Get(destination)
	ref := chat.EffectRef{Destination: destination, Number: last + 1}
	o.heads.Put(destination, ref.Number)
	o.rows.Put(ref, e)
	return ref
}

// Drop implements chat.Outbox.
func (o outbox) Drop(destination uint16, through uint64) {
	o.rows.drop(func(r chat.EffectRef) bool { return r.Destination == destination && r.Number <= through })
}
