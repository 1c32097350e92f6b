package fair

import "sync"

// Line gives a number of places in the order in which they are asked for, without
// having anybody wait: whoever asks is called.
type Line struct {
	mu      sync.Mutex
	free    int
	waiting []*Place
}

// Place is one in a Line: asked for, then had, then left.
type Place struct {
	line  *Line
	start func()
	state placeState
}

type placeState uint8

const (
	waits placeState = iota
	had
	left
)

// NewLine makes a line with so many places.
func NewLine(places int) *Line { return &Line{free: places} }

// Enter asks for a place; start is called once it is there, at once or by whoever
// leaves one, and must not block.
func (l *Line) Enter(start func()) *Place {
	p := &Place{line: l, start: start}
	l.mu.Lock()
	l.waiting = append(l.waiting, p)
	next := l.next()
	l.mu.Unlock()
	call(next)
	return p
}

// Leave gives the place back, or gives up waiting for it. It may be called again,
// and of a nil place.
func (p *Place) Leave() {
	if p == nil {
		return
	}
	l := p.line
	l.mu.Lock()
	if p.state == had {
		l.free++
	}
	p.state = left
	next := l.next()
	l.mu.Unlock()
	call(next)
}

// next takes who has a place now off the line.
func (l *Line) next() (all []*Place) {
	for len(l.waiting) > 0 && (l.free > 0 || l.waiting[0].state == left) {
		p := l.waiting[0]
		l.waiting[0] = nil
		l.waiting = l.waiting[1:]
		if p.state == waits {
			p.state = had
			l.free--
			all = append(all, p)
		}
	}
	return all
}

func call(all []*Place) {
	for _, p := range all {
		p.start()
	}
}
