package fair

import "sync"

// Pool is a number of places. A source may take another one while it holds fewer
// than are free: a single source has half of them at most, two have a third each,
// and there is always room for one more. So nobody who has few neighbours is
// bounded tightly, and nobody keeps the others out.
//
// Whoever holds a place and is trusted, as they have logged in, is settled: the
// place is taken still, but no longer held against the source.
type Pool struct {
	mu      sync.Mutex
	size    int
	taken   int
	settled int // of taken
	held    map[Source]int
}

// NewPool makes a pool of free places.
func NewPool(size int) *Pool { return &Pool{size: size, held: make(map[Source]int)} }

// Take takes a place, or says that there is none for this source.
func (p *Pool) Take(s Source) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held[s] >= p.size-p.taken {
		return false
	}
	p.taken++
	p.held[s]++
	return true
}

// TakeSettled takes a place that is settled from the beginning, or says that
// there is none.
func (p *Pool) TakeSettled() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken >= p.size {
		return false
	}
	p.taken++
	p.settled++
	return true
}

// Give gives back a place that is not settled.
func (p *Pool) Give(s Source) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken--
	p.release(s)
}

// Settle has a place no longer count for its source.
func (p *Pool) Settle(s Source) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settled++
	p.release(s)
}

// GiveSettled gives back a place that was settled.
func (p *Pool) GiveSettled() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken--
	p.settled--
}

// Crowded says that those who are not settled hold half of what they may: places
// should become free soon.
func (p *Pool) Crowded() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.taken-p.settled >= p.size-p.taken
}

// Taken is how many places are taken.
func (p *Pool) Taken() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.taken
}

// release takes a place from a source's account; the caller holds mu.
func (p *Pool) release(s Source) {
	if p.held[s]--; p.held[s] <= 0 {
		delete(p.held, s)
	}
}
