package pebble

import (
	"github.com/cockroachdb/pebble/v2"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/internal/broken"
	"github.com/parley-im/parley/proto/logpb"
)

// recentSends is how many dedupe rows of a conversation stay in memory between
// batches.
const recentSends = 16

// dedupes implements chat.Dedupes, so that a fresh send reads nothing from the
// disk.
//
// The idea: rows of a conversation that are not in its recent ones were issued at
// evicted or before, so a send issued later than that cannot have a row on disk.
// Ties go to the disk: two sends may share a millisecond. When a conversation is
// first met, evicted comes from its head.
//
// Invariants: every row with IssuedAt > evicted is in sends; all rows of the open
// batch are.
type dedupes struct {
	*table[chat.DedupeKey, chat.Dedupe]
	heads   chat.Table[chat.ConversationKey, chat.Head]
	of      map[chat.ConversationKey]*recent
	touched []*recent // by the open batch
}

type recent struct {
	sends   []recentSend
	evicted int64
	touched bool
}

type recentSend struct {
	key chat.DedupeKey
	row chat.Dedupe
}

func newDedupes(s *state, heads chat.Table[chat.ConversationKey, chat.Head]) *dedupes {
	d := &dedupes{
		table: &table[chat.DedupeKey, chat.Dedupe]{state: s, appendKey: appendDedupeKey, row: new(logpb.Dedupe)},
		heads: heads, of: make(map[chat.ConversationKey]*recent),
	}
	s.tables = append(s.tables, d)
	return d
}

func (d *dedupes) recent(c chat.ConversationKey) *recent {
	r := d.of[c]
	if r == nil {
		head, _ := d.heads.Get(c)
		r = &recent{evicted: head.MaxIssuedAt}
		d.of[c] = r
	}
	return r
}

// Get implements chat.Dedupes.
func (d *dedupes) Get(k chat.DedupeKey) (chat.Dedupe, bool) {
	if broken.NoDedupe {
		return chat.Dedupe{}, false
	}
	r := d.recent(k.Conversation)
	for i := len(r.sends) - 1; i >= 0; i-- {
		if r.sends[i].key == k {
			return r.sends[i].row, true
		}
	}
	if k.IssuedAt > r.evicted {
		return chat.Dedupe{}, false
	}
	return d.fetch(k)
}

// Put implements chat.Dedupes.
func (d *dedupes) Put(k chat.DedupeKey, v chat.Dedupe) {
	r := d.recent(k.Conversation)
	r.sends = append(r.sends, recentSend{k, v})
	if !r.touched {
		r.touched = true
		d.touched = append(d.touched, r)
	}
	d.store(k, v)
}

// DropBelow implements chat.Dedupes. The rows in memory stay for reads: Apply
// refuses what lies below the floor before it asks for a row.
func (d *dedupes) DropBelow(c chat.ConversationKey, last, floor int64) {
	shard := d.state.shard
	from, to := appendDedupePrefix(nil, shard, c, last), appendDedupePrefix(nil, shard, c, floor)
	if n := d.dropEach(from, to); n > maxSingleDrops {
		d.state.removeRange(from, to)
		return
	}
	for _, s := range d.recent(c).sends { // maybe of the open batch
		if s.key.IssuedAt < floor {
			d.remove(s.key)
		}
	}
}

// dropEach deletes the committed rows of a range one by one, unless there are too
// many, and counts them.
func (d *dedupes) dropEach(from, to []byte) (n int) {
	it, err := d.state.store.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		d.state.batch.fail(damaged(err))
		return 0
	}
	for ok := it.First(); ok && n <= maxSingleDrops; ok = it.Next() {
		d.state.remove(it.Key())
		n++
	}
	if err := it.Error(); err != nil {
		d.state.batch.fail(damaged(err))
	}
	if err := it.Close(); err != nil {
		d.state.batch.fail(damaged(err))
	}
	return n
}

// committed keeps the newest few sends of each conversation: the others are on
// the disk now.
func (d *dedupes) committed() {
	for i, r := range d.touched {
		if n := len(r.sends) - recentSends; n > 0 {
			for _, s := range r.sends[:n] {
				r.evicted = max(r.evicted, s.key.IssuedAt)
			}
			r.sends = append(r.sends[:0], r.sends[n:]...)
		}
		r.touched, d.touched[i] = false, nil
	}
	d.touched = d.touched[:0]
	for c := range d.of {
		if len(d.of) <= keptHot {
			return
		}
		delete(d.of, c)
	}
}

func (d *dedupes) forget() {
	clear(d.of)
	d.touched = nil
}
