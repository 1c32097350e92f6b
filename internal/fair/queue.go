package fair

import (
	"container/list"
	"sync"
)

// Queue gives a number of turns, at the same time, to whoever waits: to the
// sources in rotation, and within a source in the order of asking. A source may
// have another turn while it has no more than are free, so that the turns of one
// that takes long over them are not all there are, and however many wait for it,
// another source waits for no more than one turn of each.
type Queue struct {
	mu       sync.Mutex
	free     int
	waiting  int
	had      map[Source]int // turns under way
	lines    map[Source]*line
	rotation *list.List // of *line, those with somebody waiting; the front is next
}

// line is who waits of one source.
type line struct {
	source  Source
	waiters *list.List // of chan struct{}, closed when the turn begins
	at      *list.Element
}

// NewQueue makes a queue that gives so many turns at a time.
func NewQueue(turns int) *Queue {
	return &Queue{free: turns, had: make(map[Source]int), lines: make(map[Source]*line), rotation: list.New()}
}

// Take waits for a turn of a source, and says false when done is closed before.
// Each turn is given back once.
func (q *Queue) Take(done <-chan struct{}, s Source) bool {
	ready := make(chan struct{})
	q.mu.Lock()
	q.waiting++
	l := q.line(s)
	place := l.waiters.PushBack(ready)
	q.next()
	q.mu.Unlock()
	select {
	case <-ready:
		return true
	case <-done:
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	select {
	case <-ready: // it came all the same
		q.end(s)
	default:
		q.waiting--
		l.waiters.Remove(place)
		q.tidy(l)
	}
	return false
}

// Give ends a turn of a source.
func (q *Queue) Give(s Source) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.end(s)
}

// Waiting is how many wait.
func (q *Queue) Waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting
}

// line finds or makes a source's line; the caller holds mu.
func (q *Queue) line(s Source) *line {
	l := q.lines[s]
	if l == nil {
		l = &line{source: s, waiters: list.New()}
		l.at = q.rotation.PushBack(l)
		q.lines[s] = l
	}
	return l
}

// end frees a turn; the caller holds mu.
func (q *Queue) end(s Source) {
	q.free++
	if q.had[s]--; q.had[s] == 0 {
		delete(q.had, s)
	}
	q.next()
}

// next gives the turns that are free to those who may have one; the caller holds
// mu. Lines that may not are no more than there are turns under way.
func (q *Queue) next() {
	for at := q.rotation.Front(); at != nil && q.free > 0; {
		l := at.Value.(*line)
		if q.had[l.source] > q.free {
			at = at.Next()
			continue
		}
		q.free--
		q.waiting--
		q.had[l.source]++
		close(l.waiters.Remove(l.waiters.Front()).(chan struct{}))
		q.rotation.MoveToBack(at)
		q.tidy(l)
		at = q.rotation.Front()
	}
}

// tidy forgets a line in which nobody waits; the caller holds mu.
func (q *Queue) tidy(l *line) {
	if l.waiters.Len() == 0 {
		q.rotation.Remove(l.at)
		delete(q.lines, l.source)
	}
}
