package replication

import (
	"sync"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

// Bounds of reads.
const (
	readers        = 4
	maxQueuedReads = 8192            // of a class, and as many again of askers below their share
	readPatience   = 5 * time.Second // then nobody waits for the answer, if they are on another node
	repairTurn     = 8               // each so many-th read is a repair, if any waits
)

// servedRead is one that may be served.
type servedRead struct {
	shard storage.ShardID
	by    storage.Asker
	since time.Time
	read  func(storage.View) error
	done  func(error)
}

// stale says why nobody wants the read any more, or nil.
func (r *servedRead) stale() error {
	switch {
	case r.by.Gone != nil && r.by.Gone():
		return errGone
	case time.Since(r.since) > readPatience:
		return errWaited
	}
	return nil
}

var (
	errGone   = chat.Errorf(chat.CodeUnavailable, "read", "whoever asked has gone")
	errWaited = chat.Errorf(chat.CodeBusy, "read", "the node has too much to read; try again later")
)

// readQueue shares the readers among askers: classes in their order, and within a
// class one read of each asker in turn. At most one reader works for an asker at
// a time, so that what one of them asks for keeps no more than that one busy.
//
// A read is admitted when it is asked for, pushed when it may be served, and
// ended when it was answered.
type readQueue struct {
	mu      sync.Mutex
	ready   sync.Cond // for readers of all classes
	urgent  sync.Cond // for the one that leaves Client and Repair to the others
	classes [storage.Classes]readClass
	taken   int // reads, for the turns of Repair
	closed  bool
}

// readClass is the reads of one class.
//
// Invariant: ring holds the lines with reads that may be served, but for those
// that a reader works for.
type readClass struct {
	lines    map[string]*readLine
	ring     []*readLine
	admitted int
}

// readLine is the reads of one asker, in order.
type readLine struct {
	id       string
	class    storage.Class
	admitted int
	reads    []servedRead
	busy     bool // a reader works for it
}

func newReadQueue() *readQueue {
	q := &readQueue{}
	q.ready.L, q.urgent.L = &q.mu, &q.mu
	for i := range q.classes {
		q.classes[i].lines = make(map[string]*readLine)
	}
	return q
}

// admit counts a read that is asked for, or says that too many wait. An asker
// with less than its share of what may wait is never refused for the others'.
func (q *readQueue) admit(by storage.Asker) (*readLine, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	c := &q.classes[by.Class]
	line := c.lines[by.ID]
	if line == nil {
		line = &readLine{id: by.ID, class: by.Class}
	}
	if c.admitted >= maxQueuedReads && line.admitted >= maxQueuedReads/(len(c.lines)+1) {
		return nil, errQueueFull
	}
	c.lines[by.ID] = line
	c.admitted++
	line.admitted++
	return line, nil
}

// push has a read that was admitted served.
func (q *readQueue) push(line *readLine, r servedRead) {
	q.mu.Lock()
	defer q.mu.Unlock()
	line.reads = append(line.reads, r)
	if len(line.reads) == 1 && !line.busy {
		q.enter(line)
	}
}

// enter puts a line at the end of the ring.
func (q *readQueue) enter(line *readLine) {
	c := &q.classes[line.class]
	c.ring = append(c.ring, line)
	q.ready.Signal()
	if line.class < storage.Client {
		q.urgent.Signal()
	}
}

// end says that a read was answered.
func (q *readQueue) end(line *readLine) {
	q.mu.Lock()
	defer q.mu.Unlock()
	c := &q.classes[line.class]
	c.admitted--
	if line.admitted--; line.admitted == 0 {
		delete(c.lines, line.id)
	}
}

// next gives the next read of a class below the given one, and its line, which
// goes back by done. below is Classes or Client. False when the queue is closed
// and holds nothing of them.
func (q *readQueue) next(below storage.Class) (*readLine, servedRead, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		if c := q.choose(below); c != nil {
			line := c.ring[0]
			c.ring[0] = nil
			c.ring = c.ring[1:]
			r := line.reads[0]
			line.reads[0] = servedRead{}
			line.reads = line.reads[1:]
			line.busy = true
			q.taken++
			return line, r, true
		}
		if q.closed {
			return nil, servedRead{}, false
		}
		if below == storage.Classes {
			q.ready.Wait()
		} else {
			q.urgent.Wait()
		}
	}
}

// choose gives the class that has the turn, nil when nothing waits.
func (q *readQueue) choose(below storage.Class) *readClass {
	if repair := &q.classes[storage.Repair]; storage.Repair < below && q.taken%repairTurn == 0 && len(repair.ring) > 0 {
		return repair
	}
	for i := range q.classes[:below] {
		if c := &q.classes[i]; len(c.ring) > 0 {
			return c
		}
	}
	return nil
}

// done gives a line back, whose read was served.
func (q *readQueue) done(line *readLine) {
	q.mu.Lock()
	defer q.mu.Unlock()
	line.busy = false
	if len(line.reads) > 0 {
		q.enter(line)
	}
}

// close lets readers end once nothing waits.
func (q *readQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.ready.Broadcast()
	q.urgent.Broadcast()
}
