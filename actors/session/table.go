package session

import (
	"cmp"
	"slices"
	"sort"
	"strings"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/storage"
)

// row is a conversation of the user: what orders it and how much is unread.
type row struct {
	key      chat.ConversationKey
	seq      uint64 // 0: nothing that was said there is known
	time     int64
	orderKey uint64
	others   uint64 // counted entries that are not the user's own
	mark     uint64 // seq of what is read
	read     uint64 // others when it was read
	settings
}

func (r *row) unread() uint64 {
	if r.seq <= r.mark {
		return 0
	}
	return r.others - r.read
}

// take takes a head in, unless the row has a newer one.
func (r *row) take(user string, h directory.Head) {
	if h.Seq <= r.seq {
		return
	}
	head := h.Chat()
	now := head.Mark(r.key, user)
	r.seq, r.time, r.orderKey, r.others = h.Seq, h.Time, h.OrderKey, now.Counted-now.Own
}

// setMembership takes what the user's own row says.
func (r *row) setMembership(m chat.Membership) {
	r.setMark(m.Mark)
	r.settings = settingsOf(m)
}

func (r *row) setMark(m chat.Mark) { r.mark, r.read = m.Seq, m.Counted-m.Own }

// table is the user's conversations in order, with what is unread: some 110 bytes
// each, their IDs included. It reads nothing.
//
// Invariants: byKey holds each row once, by key; order those of which something is
// known, as compare has it; unread is the sum of theirs.
type table struct {
	user   string
	rows   []row
	byKey  []uint32
	order  []uint32
	unread uint64
	sorted bool // until then order and unread are zero
}

// newTable takes the user's conversations.
func newTable(user string, rows []row) *table {
	t := &table{user: user, rows: slices.Clip(rows), byKey: make([]uint32, len(rows))}
	for i := range t.byKey {
		t.byKey[i] = uint32(i)
	}
	slices.SortFunc(t.byKey, func(i, j uint32) int { return compareKeys(&t.rows[i].key, &t.rows[j].key) })
	return t
}

// sort puts the rows in order, whose heads were taken in one by one.
func (t *table) sort() {
	t.sorted, t.unread = true, 0
	t.order = make([]uint32, 0, len(t.rows))
	for i := range t.rows {
		if t.rows[i].seq > 0 {
			t.order = append(t.order, uint32(i))
			t.unread += t.rows[i].unread()
		}
	}
	slices.SortFunc(t.order, func(i, j uint32) int { return t.compare(&t.rows[i], &t.rows[j]) })
}

func compareKeys(a, b *chat.ConversationKey) int {
	if a.Kind != b.Kind {
		return cmp.Compare(a.Kind, b.Kind)
	}
	return strings.Compare(a.ID, b.ID)
}

// compare is the order of the list: the newest first, and of one time by ID.
func (t *table) compare(a, b *row) int {
	if a.orderKey != b.orderKey {
		return cmp.Compare(b.orderKey, a.orderKey)
	}
	return strings.Compare(a.id(t.user), b.id(t.user))
}

// id is what the user calls the conversation.
func (r *row) id(user string) string {
	if peer, ok := r.key.Other(user); ok {
		return peer
	}
	return r.key.ID
}

// find gives a conversation's row, valid until the next add; nil when the user does
// not have it.
func (t *table) find(k chat.ConversationKey) *row {
	if at, ok := t.search(k); ok {
		return &t.rows[t.byKey[at]]
	}
	return nil
}

func (t *table) search(k chat.ConversationKey) (int, bool) {
	return slices.BinarySearchFunc(t.byKey, k, func(i uint32, k chat.ConversationKey) int { return compareKeys(&t.rows[i].key, &k) })
}

// add makes the conversation one of the user's; false when it is already.
func (t *table) add(k chat.ConversationKey) bool {
	at, ok := t.search(k)
	if ok {
		return false
	}
	t.byKey = slices.Insert(t.byKey, at, uint32(len(t.rows)))
	t.rows = append(t.rows, row{key: k})
	return true
}

// head moves a conversation up to where a newer head has it.
func (t *table) head(k chat.ConversationKey, h directory.Head) {
	at, ok := t.search(k)
	if !ok || h.Seq <= t.rows[t.byKey[at]].seq {
		return
	}
	i := t.byKey[at]
	r := &t.rows[i]
	if !t.sorted {
		r.take(t.user, h)
		return
	}
	from, was := len(t.order), r.unread()
	if r.seq > 0 {
		from = t.place(r)
	} else {
		t.order = append(t.order, i)
	}
	r.take(t.user, h)
	t.unread += r.unread() - was
	to := sort.Search(from, func(n int) bool { return t.compare(&t.rows[t.order[n]], r) > 0 })
	copy(t.order[to+1:from+1], t.order[to:from])
	t.order[to] = i
}

// place is where a row stands in the order.
func (t *table) place(r *row) int {
	return sort.Search(len(t.order), func(n int) bool { return t.compare(&t.rows[t.order[n]], r) >= 0 })
}

// mark notes how far the user has read.
func (t *table) mark(k chat.ConversationKey, m chat.Mark) {
	if r := t.find(k); r != nil && m.Seq > r.mark {
		was := r.unread()
		r.setMark(m)
		t.unread += r.unread() - was
	}
}

// page copies the rows from one place of the order on that changed since a time, or
// of these only the pinned ones, at most count of them; more says that others
// follow.
func (t *table) page(from, count int, since uint64, pinned bool) (rows []row, more bool) {
	for _, i := range t.order[from:] {
		r := &t.rows[i]
		if r.orderKey/1000 < since { // which is the time or later
			break
		}
		if uint64(r.time) < since || pinned && !r.pinned {
			continue
		}
		if len(rows) == count {
			return rows, true
		}
		rows = append(rows, *r)
	}
	return rows, false
}

// after is the place after a conversation that is shown with an order key; it may
// have moved since.
func (t *table) after(orderKey uint64, id string) int {
	return sort.Search(len(t.order), func(n int) bool {
		r := &t.rows[t.order[n]]
		return r.orderKey < orderKey || r.orderKey == orderKey && r.id(t.user) > id
	})
}

// in lists the conversations that live in some shards; nil means all.
func (t *table) in(shards int, some map[storage.ShardID]bool) (keys []chat.ConversationKey) {
	for i := range t.rows {
		if k := t.rows[i].key; some == nil || some[storage.ConversationShard(shards, k)] {
			keys = append(keys, k)
		}
	}
	return keys
}
