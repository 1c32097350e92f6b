// Package pending correlates answers with what was asked: a table of questions
// under numbers of the asker's own. Connections and actors keep one each; the
// numbers travel in their requests and come back in the answers. It is not safe
// for concurrent use, and nothing in it blocks.
package pending

import (
	"iter"
	"maps"
)

// Table is what awaits an answer. The zero value is empty.
type Table[T any] struct {
	last uint32
	of   map[uint32]T
}

// Add takes a question in and gives its number: never 0, and none that is in
// use.
func (t *Table[T]) Add(q T) uint32 {
	if t.of == nil {
		t.of = make(map[uint32]T)
	}
	for {
		t.last++
		if _, used := t.of[t.last]; !used && t.last != 0 {
			break
		}
	}
	t.of[t.last] = q
	return t.last
}

// Take ends a question; false when it was answered before, or never asked.
func (t *Table[T]) Take(number uint32) (T, bool) {
	q, ok := t.of[number]
	delete(t.of, number)
	return q, ok
}

// Len is how many await an answer.
func (t *Table[T]) Len() int { return len(t.of) }

// All gives what awaits an answer, by number, in no particular order.
func (t *Table[T]) All() iter.Seq2[uint32, T] { return maps.All(t.of) }
