package sim

import "time"

// scheduled is something that will happen.
type scheduled struct {
	at    time.Duration
	order uint64 // of those at the same time
	f     func()
}

func (a *scheduled) before(b *scheduled) bool {
	return a.at < b.at || a.at == b.at && a.order < b.order
}

// eventQueue is a binary heap, earliest first.
type eventQueue struct {
	heap  []scheduled
	count uint64
}

func (q *eventQueue) push(at time.Duration, f func()) {
	q.count++
	q.heap = append(q.heap, scheduled{at, q.count, f})
	i := len(q.heap) - 1
	for i > 0 {
		up := (i - 1) / 2
		if !q.heap[i].before(&q.heap[up]) {
			break
		}
		q.heap[i], q.heap[up] = q.heap[up], q.heap[i]
		i = up
	}
}

func (q *eventQueue) pop() scheduled {
	first, last := q.heap[0], len(q.heap)-1
	q.heap[0] = q.heap[last]
	q.heap[last] = scheduled{}
	q.heap = q.heap[:last]
	for i := 0; ; {
		least, left := i, 2*i+1
		for _, c := range [2]int{left, left + 1} {
			if c < last && q.heap[c].before(&q.heap[least]) {
				least = c
			}
		}
		if least == i {
			return first
		}
		q.heap[i], q.heap[least] = q.heap[least], q.heap[i]
		i = least
	}
}

// after has f happen after a delay.
func (r *run) after(d time.Duration, f func()) { r.queue.push(r.now+max(0, d), f) }

// lookInterval is how often until asks whether it is over.
const lookInterval = 100 * time.Millisecond

// until lets events happen up to a time, or until over says so.
func (r *run) until(end time.Duration, over func() bool) {
	look := r.now + lookInterval
	for len(r.queue.heap) > 0 {
		if over != nil && r.queue.heap[0].at >= look {
			if look += lookInterval; over() {
				return
			}
		}
		if r.queue.heap[0].at > end {
			break
		}
		e := r.queue.pop()
		r.now = e.at
		e.f()
	}
	r.now = end
}
