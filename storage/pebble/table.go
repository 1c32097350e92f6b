package pebble

import (
	"encoding/binary"
	"fmt"

	"github.com/parley-im/parley/storage"
)

// keptWritten is how much room for the rows of a batch a table keeps for the next
// one.
const keptWritten = 64

// keptHot bounds a hot table; with 128 shards that is 65,536 heads of about
// 300 bytes.
const keptHot = 512

// rowOf is a row that is encoded for values V: a message of proto/log.
type rowOf[V any] interface {
	row
	Reset()
	Set(*V)
	Chat() V
}

// table is a table of one shard: what the open batch has written lies over the
// database. To Put allocates nothing: the key is made in the table's own buffer,
// and the value goes through a row that is used again.
//
// Invariant: at holds the place in written of each key that the open batch wrote.
type table[K comparable, V any] struct {
	state     *state
	appendKey func(dst []byte, shard storage.ShardID, k K) []byte
	row       rowOf[V]
	key       []byte
	scratch   V // what row is set from: a parameter's address would escape
	at        map[K]int
	written   []written[V]
}

// written is what the open batch made of a row; deleted when it does not exist.
type written[V any] struct {
	value  V
	exists bool
}

// anyTable is what a batch asks of all tables.
type anyTable interface {
	// flush writes what waits for the end of the batch.
	flush()
	// committed forgets what only the open batch needed, forget all that is not
	// on the disk.
	committed()
	forget()
}

func newTable[K comparable, V any](s *state, key func([]byte, storage.ShardID, K) []byte, row rowOf[V]) *table[K, V] {
	t := &table[K, V]{state: s, appendKey: key, row: row, at: make(map[K]int)}
	s.tables = append(s.tables, t)
	return t
}

// Get implements chat.Table.
func (t *table[K, V]) Get(k K) (V, bool) {
	if i, ok := t.at[k]; ok {
		return t.written[i].value, t.written[i].exists
	}
	return t.fetch(k)
}

// Put implements chat.Table.
func (t *table[K, V]) Put(k K, v V) {
	t.note(k, written[V]{v, true})
	t.store(k, v)
}

// Delete implements chat.Table.
func (t *table[K, V]) Delete(k K) {
	t.note(k, written[V]{})
	t.remove(k)
}

func (t *table[K, V]) note(k K, w written[V]) {
	if i, ok := t.at[k]; ok {
		t.written[i] = w
		return
	}
	t.at[k] = len(t.written)
	t.written = append(t.written, w)
}

// fetch reads a committed row.
func (t *table[K, V]) fetch(k K) (v V, ok bool) {
	t.key = t.appendKey(t.key[:0], t.state.shard, k)
	t.row.Reset() // what was read before keeps its slices
	if !t.state.get(t.key, t.row) {
		return v, false
	}
	return t.row.Chat(), true
}

// store writes a row into the batch.
func (t *table[K, V]) store(k K, v V) {
	t.key = t.appendKey(t.key[:0], t.state.shard, k)
	t.scratch = v
	t.row.Set(&t.scratch)
	t.state.set(t.key, t.row)
}

func (t *table[K, V]) remove(k K) {
	t.key = t.appendKey(t.key[:0], t.state.shard, k)
	t.state.remove(t.key)
}

func (t *table[K, V]) flush() {}

func (t *table[K, V]) committed() {
	if len(t.written) == 0 {
		return
	}
	clear(t.at)
	clear(t.written)
	if t.written = t.written[:0]; cap(t.written) > keptWritten {
		t.written, t.at = nil, make(map[K]int)
	}
	var none V
	t.scratch = none
	t.row.Set(&t.scratch)
}

func (t *table[K, V]) forget() { t.committed() }

// hot is a table whose rows stay in memory between batches, and are written once
// a batch however often they change.
//
// Invariant: a row in slots is what the database will say once the open batch is
// committed; without an open batch none is dirty.
type hot[K comparable, V any] struct {
	*table[K, V]
	slots map[K]*slot[K, V]
	dirty []*slot[K, V]
}

type slot[K comparable, V any] struct {
	key           K
	value         V
	exists, dirty bool
}

func newHot[K comparable, V any](s *state, key func([]byte, storage.ShardID, K) []byte, row rowOf[V]) *hot[K, V] {
	h := &hot[K, V]{table: &table[K, V]{state: s, appendKey: key, row: row}, slots: make(map[K]*slot[K, V])}
	s.tables = append(s.tables, h)
	return h
}

func (h *hot[K, V]) slot(k K) *slot[K, V] {
	s := h.slots[k]
	if s == nil {
		s = &slot[K, V]{key: k}
		s.value, s.exists = h.fetch(k)
		h.slots[k] = s
	}
	return s
}

// Get implements chat.Table.
func (h *hot[K, V]) Get(k K) (V, bool) {
	s := h.slot(k)
	return s.value, s.exists
}

// Put implements chat.Table.
func (h *hot[K, V]) Put(k K, v V) { h.change(k, v, true) }

// Delete implements chat.Table.
func (h *hot[K, V]) Delete(k K) {
	var none V
	h.change(k, none, false)
}

func (h *hot[K, V]) change(k K, v V, exists bool) {
	s := h.slot(k)
	s.value, s.exists = v, exists
	if !s.dirty {
		s.dirty = true
		h.dirty = append(h.dirty, s)
	}
}

func (h *hot[K, V]) flush() {
	for _, s := range h.dirty {
		if s.exists {
			h.store(s.key, s.value)
		} else {
			h.remove(s.key)
		}
	}
}

// committed deletes arbitrary rows from memory above the bound.
func (h *hot[K, V]) committed() {
	for _, s := range h.dirty {
		s.dirty = false
	}
	clear(h.dirty)
	h.dirty = h.dirty[:0]
	for k := range h.slots {
		if len(h.slots) <= keptHot {
			return
		}
		delete(h.slots, k)
	}
}

func (h *hot[K, V]) forget() {
	clear(h.slots)
	h.dirty = nil
}

// count is the row of a number: 8 bytes, big-endian.
type count struct{ n uint64 }

func (c *count) Reset()        { c.n = 0 }
func (c *count) Set(n *uint64) { c.n = *n }
func (c *count) Chat() uint64  { return c.n }

// SizeVT implements row.
func (c *count) SizeVT() int { return 8 }

// MarshalToSizedBufferVT implements row.
func (c *count) MarshalToSizedBufferVT(b []byte) (int, error) {
	binary.BigEndian.PutUint64(b, c.n)
	return 8, nil
}

// UnmarshalVT implements row.
func (c *count) UnmarshalVT(b []byte) error {
	if len(b) != 8 {
		return fmt.Errorf("a number has %d bytes, want 8", len(b))
	}
	c.n = binary.BigEndian.Uint64(b)
	return nil
}
