package memory

import (
	"encoding/gob"
	"maps"
	"slices"
)

// table is one kind of row: what is committed, and what the open batch wrote
// over it (a nil value is a deletion).
type table[K comparable, V any] struct {
	rows    map[K]V
	pending map[K]*V
	compare func(a, b K) int
}

// Get implements chat.Table.
func (t *table[K, V]) Get(k K) (V, bool) {
	if v, ok := t.pending[k]; ok {
		if v == nil {
			var none V
			return none, false
		}
		return *v, true
	}
	v, ok := t.rows[k]
	return v, ok
}

// Put implements chat.Table.
func (t *table[K, V]) Put(k K, v V) { t.pending[k] = &v }

// Delete implements chat.Table.
func (t *table[K, V]) Delete(k K) { t.pending[k] = nil }

// drop deletes the rows whose key matches.
func (t *table[K, V]) drop(match func(K) bool) {
	for k := range t.rows {
		if match(k) {
			t.pending[k] = nil
		}
	}
	for k := range t.pending {
		if match(k) {
			t.pending[k] = nil
		}
	}
}

func (t *table[K, V]) commit() (undo func()) {
	if len(t.pending) == 0 {
		return nil
	}
	before := make(map[K]*V, len(t.pending))
	for k, v := range t.pending {
		if old, ok := t.rows[k]; ok {
			before[k] = &old
		} else {
			before[k] = nil
		}
		t.set(k, v)
	}
	clear(t.pending)
	return func() {
		for k, v := range before {
			t.set(k, v)
		}
	}
}

func (t *table[K, V]) set(k K, v *V) {
	if v == nil {
		delete(t.rows, k)
	} else {
		t.rows[k] = *v
	}
}

func (t *table[K, V]) discard() { clear(t.pending) }

func (t *table[K, V]) copy(from anyTable) { t.rows = maps.Clone(from.(*table[K, V]).rows) }

// row is a row of a snapshot.
type row[K comparable, V any] struct {
	Key K
	Row V
}

func (t *table[K, V]) save(out *gob.Encoder) error {
	rows := make([]row[K, V], 0, len(t.rows))
	for k, v := range t.rows {
		rows = append(rows, row[K, V]{k, v})
	}
	slices.SortFunc(rows, func(a, b row[K, V]) int { return t.compare(a.Key, b.Key) })
	return out.Encode(rows)
}

func (t *table[K, V]) load(in *gob.Decoder) error {
	var rows []row[K, V]
	err := in.Decode(&rows)
	for _, r := range rows {
		t.rows[r.Key] = r.Row
	}
	return err
}
