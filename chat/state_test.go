package chat_test

import (
	"maps"
	"reflect"

	"github.com/parley-im/parley/chat"
)

// shelf is the plainest State there is: one map per kind of row, and a count
// of the writes. Every user lives in destination 1 or 2, by the ID's length.
type shelf struct {
	users       map[chat.UserKey]chat.User
	memberships map[membershipKey]chat.Membership
	heads       map[chat.ConversationKey]chat.Head
	entries     map[entryKey]chat.Entry
	dedupe      map[dedupeKey]chat.Dedupe
	outbox      map[chat.EffectRef]chat.Effect
	last        map[uint16]uint64
	marks       map[[2]uint64]uint64
	writes      int
}

type membershipKey struct {
	user         chat.UserKey
	conversation chat.ConversationKey
}

type entryKey struct {
	conversation chat.ConversationKey
	seq          uint64
}

type dedupeKey struct {
	conversation chat.ConversationKey
	send         chat.DedupeKey
}

func newShelf() *shelf {
	return &shelf{
		users: map[chat.UserKey]chat.User{}, memberships: map[membershipKey]chat.Membership{}, heads: map[chat.ConversationKey]chat.Head{},
		entries: map[entryKey]chat.Entry{}, dedupe: map[dedupeKey]chat.Dedupe{}, outbox: map[chat.EffectRef]chat.Effect{},
		last: map[uint16]uint64{}, marks: map[[2]uint64]uint64{},
	}
}

func destination(u chat.UserKey) uint16 { return uint16(1 + len(u.ID)%2) }

// same tells whether two shelves hold the same rows.
func (s *shelf) same(o *shelf) bool {
	a, b := *s, *o
	a.writes, b.writes = 0, 0
	return reflect.DeepEqual(a, b)
}

func (s *shelf) User(u chat.UserKey) (chat.User, bool) { v, ok := s.users[u]; return v, ok }

func (s *shelf) PutUser(u chat.UserKey, v chat.User) { s.writes++; s.users[u] = v }

func (s *shelf) Membership(u chat.UserKey, c chat.ConversationKey) (chat.Membership, bool) {
	v, ok := s.memberships[membershipKey{u, c}]
	return v, ok
}

func (s *shelf) PutMembership(u chat.UserKey, c chat.ConversationKey, v chat.Membership) {
	s.writes++
	s.memberships[membershipKey{u, c}] = v
}

func (s *shelf) Head(c chat.ConversationKey) (chat.Head, bool) { v, ok := s.heads[c]; return v, ok }

func (s *shelf) PutHead(c chat.ConversationKey, v chat.Head) { s.writes++; s.heads[c] = v }

func (s *shelf) Entry(c chat.ConversationKey, seq uint64) (chat.Entry, bool) {
	v, ok := s.entries[entryKey{c, seq}]
	return v, ok
}

func (s *shelf) PutEntry(c chat.ConversationKey, v chat.Entry) {
	s.writes++
	s.entries[entryKey{c, v.Seq}] = v
}

func (s *shelf) Dedupe(c chat.ConversationKey, k chat.DedupeKey) (chat.Dedupe, bool) {
	v, ok := s.dedupe[dedupeKey{c, k}]
	return v, ok
}

func (s *shelf) PutDedupe(c chat.ConversationKey, k chat.DedupeKey, v chat.Dedupe) {
	s.writes++
	s.dedupe[dedupeKey{c, k}] = v
}

func (s *shelf) DropDedupe(c chat.ConversationKey, floor int64) {
	s.writes++
	maps.DeleteFunc(s.dedupe, func(k dedupeKey, _ chat.Dedupe) bool { return k.conversation == c && k.send.IssuedAt < floor })
}

func (s *shelf) QueueEffect(e chat.Effect) chat.EffectRef {
	s.writes++
	d := destination(e.ConversationOpened.User)
	s.last[d]++
	ref := chat.EffectRef{Destination: d, Number: s.last[d]}
	s.outbox[ref] = e
	return ref
}

func (s *shelf) DropEffects(d uint16, through uint64) {
	s.writes++
	maps.DeleteFunc(s.outbox, func(r chat.EffectRef, _ chat.Effect) bool { return r.Destination == d && r.Number <= through })
}

func (s *shelf) EffectMark(source uint16, epoch uint64) uint64 {
	return s.marks[[2]uint64{uint64(source), epoch}]
}

func (s *shelf) SetEffectMark(source uint16, epoch, through uint64) {
	s.writes++
	s.marks[[2]uint64{uint64(source), epoch}] = through
}

// log are the entries of a conversation from 1 to the head.
func (s *shelf) log(c chat.ConversationKey) []chat.Entry {
	var out []chat.Entry
	for seq := uint64(1); seq <= s.heads[c].Seq; seq++ {
		e, ok := s.entries[entryKey{c, seq}]
		if !ok {
			return out
		}
		out = append(out, e)
	}
	return out
}
