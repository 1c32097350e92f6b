package chat_test

import (
	"maps"
	"reflect"

	"github.com/parley-im/parley/chat"
)

// shelf is the plainest State there is: one map per kind of row, and a count
// of the writes. Every user lives in destination 1 or 2, by the ID's length.
type shelf struct {
	chat.State
	users       map[chat.UserKey]chat.User
	memberships map[chat.MembershipKey]chat.Membership
	heads       map[chat.ConversationKey]chat.Head
	entries     map[chat.EntryKey]chat.Entry
	changes     map[chat.ChangeKey]chat.Change
	dedupe      map[chat.DedupeKey]chat.Dedupe
	applied     map[chat.EffectSource]uint64
	outbox      map[chat.EffectRef]chat.Effect
	last        map[uint16]uint64
	writes      int
}

func newShelf() *shelf {
	s := &shelf{outbox: map[chat.EffectRef]chat.Effect{}, last: map[uint16]uint64{}}
	s.Users, s.users = plain[chat.UserKey, chat.User](s)
	s.Memberships, s.memberships = plain[chat.MembershipKey, chat.Membership](s)
	s.Heads, s.heads = plain[chat.ConversationKey, chat.Head](s)
	s.Entries, s.entries = plain[chat.EntryKey, chat.Entry](s)
	s.Changes, s.changes = plain[chat.ChangeKey, chat.Change](s)
	s.Applied, s.applied = plain[chat.EffectSource, uint64](s)
	t, dedupe := plain[chat.DedupeKey, chat.Dedupe](s)
	s.Dedupes, s.dedupe = dedupes{t}, dedupe
	s.Outbox = (*outbox)(s)
	return s
}

func destination(u chat.UserKey) uint16 { return uint16(1 + len(u.ID)%2) }

// same tells whether two shelves hold the same rows.
func (s *shelf) same(o *shelf) bool {
	a, b := *s, *o
	a.writes, b.writes = 0, 0
	a.State, b.State = chat.State{}, chat.State{}
	return reflect.DeepEqual(a, b)
}

// table is a map that counts its writes.
type table[K comparable, V any] struct {
	rows   map[K]V
	writes *int
}

func plain[K comparable, V any](s *shelf) (table[K, V], map[K]V) {
	rows := map[K]V{}
	return table[K, V]{rows, &s.writes}, rows
}

func (t table[K, V]) Get(k K) (V, bool) { v, ok := t.rows[k]; return v, ok }

func (t table[K, V]) Put(k K, v V) { *t.writes++; t.rows[k] = v }

func (t table[K, V]) Delete(k K) { *t.writes++; delete(t.rows, k) }

type dedupes struct {
	table[chat.DedupeKey, chat.Dedupe]
}

func (d dedupes) DropBelow(c chat.ConversationKey, _, floor int64) {
	*d.writes++
	maps.DeleteFunc(d.rows, func(k chat.DedupeKey, _ chat.Dedupe) bool { return k.Conversation == c && k.IssuedAt < floor })
}

type outbox shelf

func (o *outbox) Queue(e chat.Effect) chat.EffectRef {
	o.writes++
	d := destination(e.To.User)
	o.last[d]++
	ref := chat.EffectRef{Destination: d, Number: o.last[d]}
	o.outbox[ref] = e
	return ref
}

func (o *outbox) Drop(d uint16, through uint64) {
	o.writes++
	maps.DeleteFunc(o.outbox, func(r chat.EffectRef, _ chat.Effect) bool { return r.Destination == d && r.Number <= through })
}

// log are the entries of a conversation from 1 to the head.
func (s *shelf) log(c chat.ConversationKey) []chat.Entry {
	var out []chat.Entry
	for seq := uint64(1); seq <= s.heads[c].Seq; seq++ {
		e, ok := s.entries[chat.EntryKey{c, seq}]
		if !ok {
			return out
		}
		out = append(out, e)
	}
	return out
}
