package replication

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

// ask has a read served, which is known by its asker.
func (q *readQueue) ask(t *testing.T, by storage.Asker) {
	t.Helper()
	line, err := q.admit(by)
	if err != nil {
		t.Fatalf("%v: %v", by, err)
	}
	q.push(line, servedRead{by: by, since: time.Now(), done: func(error) { q.end(line) }})
}

// serve takes n reads of the classes below one and gives their askers.
func (q *readQueue) serve(n int, below storage.Class) (ids string) {
	for range n {
		line, r, _ := q.next(below)
		r.done(nil)
		q.done(line)
		ids += r.by.ID
	}
	return ids
}

func TestReadsOfManyAskersTakeTurns(t *testing.T) {
	q := newReadQueue()
	for _, n := range []struct {
		id string
		n  int
	}{{"a", 5}, {"b", 1}, {"c", 2}} {
		for range n.n {
			q.ask(t, storage.Asker{Class: storage.Client, ID: n.id})
		}
	}
	if got := q.serve(8, storage.Classes); got != "abcacaaa" {
		t.Errorf("the order is %s", got)
	}
	if c := q.classes[storage.Client]; len(c.lines) != 0 || c.admitted != 0 {
		t.Errorf("everything was answered, %d askers and %d reads are kept", len(c.lines), c.admitted)
	}
}

func TestOneReaderAtATimeWorksForAnAsker(t *testing.T) {
	q := newReadQueue()
	a := storage.Asker{Class: storage.Client, ID: "a"}
	q.ask(t, a)
	q.ask(t, a)
	first, r, _ := q.next(storage.Classes)
	q.ask(t, storage.Asker{Class: storage.Client, ID: "b"})
	if got := q.serve(1, storage.Classes); got != "b" {
		t.Errorf("while a reader works for a, another one serves %s", got)
	}
	r.done(nil)
	q.done(first)
	if got := q.serve(1, storage.Classes); got != "a" {
		t.Errorf("then comes %s", got)
	}
}

func TestUrgentReadsComeFirstAndRepairsHaveAPart(t *testing.T) {
	q := newReadQueue()
	for n := range 20 {
		q.ask(t, storage.Asker{Class: storage.Client, ID: "c"})
		q.ask(t, storage.Asker{Class: storage.Repair, ID: fmt.Sprint("r", n%2)})
	}
	q.ask(t, storage.Asker{Class: storage.Login, ID: "l"})
	q.ask(t, storage.Asker{Class: storage.Cluster, ID: "p"})
	if got := q.serve(2, storage.Client); got != "pl" {
		t.Errorf("the reader of urgent reads serves %s", got)
	}
	if got := q.serve(14, storage.Classes); got != "ccccccr0ccccccc" {
		t.Errorf("clients and repairs are served as %s", got)
	}
}

// TestOnlyWhoHasTooMuchWaitingIsRefused fills the queue with one asker's reads.
func TestOnlyWhoHasTooMuchWaitingIsRefused(t *testing.T) {
	q := newReadQueue()
	greedy := storage.Asker{Class: storage.Client, ID: "greedy"}
	for n := 0; ; n++ {
		if _, err := q.admit(greedy); err != nil {
			if n != maxQueuedReads || chat.CodeOf(err) != chat.CodeBusy {
				t.Fatalf("after %d: %v", n, err)
			}
			break
		}
	}
	for n := range 1000 {
		if _, err := q.admit(storage.Asker{Class: storage.Client, ID: fmt.Sprint(n)}); err != nil {
			t.Fatalf("asker %d, with nothing waiting: %v", n, err)
		}
	}
	if _, err := q.admit(greedy); err == nil {
		t.Error("the greedy one gets in again")
	}
	if _, err := q.admit(storage.Asker{Class: storage.Cluster, ID: "placement"}); err != nil {
		t.Errorf("placement: %v", err)
	}
}

func TestReadsThatNobodyWaitsForAreNotServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := false
		r := servedRead{since: time.Now(), by: storage.Asker{Gone: func() bool { return gone }}}
		if err := r.stale(); err != nil {
			t.Errorf("at once: %v", err)
		}
		gone = true
		if err := r.stale(); err == nil {
			t.Error("it would be served to somebody who has gone")
		}
		gone = false
		<-time.NewTimer(readPatience + time.Second).C
		if err := r.stale(); chat.CodeOf(err) != chat.CodeBusy {
			t.Errorf("after too long: %v", err)
		}
	})
}
