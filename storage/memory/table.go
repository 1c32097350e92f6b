package memory

import "maps"

// table is one kind of row: what is committed, and what the open batch wrote
// over it (a nil value is a deletion).
type table[K comparable, V any] struct {
	rows    map[K]V
	pending map[K]*V
}

func newTable[K comparable, V any]() *table[K, V] {
	return &table[K, V]{rows: make(map[K]V), pending: make(map[K]*V)}
}

func (t *table[K, V]) get(k K) (V, bool) {
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

func (t *table[K, V]) put(k K, v V) { t.pending[k] = &v }

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

// commit takes the open batch's writes over and gives what brings the rows
// back.
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

// clone copies what is committed.
func (t *table[K, V]) clone() *table[K, V] {
	return &table[K, V]{rows: maps.Clone(t.rows), pending: make(map[K]*V)}
}

func (t *table[K, V]) discard() { clear(t.pending) }
