package ws

import (
	"cmp"
	"slices"
	"sync/atomic"
)

// budget bounds the bytes that wait in the out-buffers of all sockets.
//
// A socket whose peer has to be waited for is slow. It may hold as much as is
// free: n of them that read nothing end with a (n+1)th of the budget each, whoever
// holds most is refused first, and room is left for the others. These may use a
// reserve on top, as what they hold leaves with the writer's next turn. A budget
// that is used up has the largest of the slow sockets cut.
type budget struct {
	most     int64
	held     atomic.Int64
	exceeded chan struct{} // one token: more than most is held
	cut      atomic.Uint64 // sockets
}

// reserve is a part of the budget on top of it.
const reserve = 4

func newBudget(most int) *budget { return &budget{most: int64(most), exceeded: make(chan struct{}, 1)} }

// take counts bytes that a socket adds to those that it has queued, or refuses
// them.
func (b *budget) take(bytes, queued int, slow bool) bool {
	held := b.held.Add(int64(bytes))
	if held > b.most {
		b.exceed()
	}
	if slow && int64(queued) <= b.most-held || !slow && held <= b.most+b.most/reserve {
		return true
	}
	b.held.Add(-int64(bytes))
	return false
}

// force counts bytes that must be taken: a close frame, a handshake.
func (b *budget) force(bytes int) { b.held.Add(int64(bytes)) }

// give takes back bytes that were written or dropped.
func (b *budget) give(bytes int) { b.held.Add(-int64(bytes)) }

func (b *budget) exceed() {
	select {
	case b.exceeded <- struct{}{}:
	default:
	}
}

// shed cuts slow sockets, those that hold most first, until the rest keeps to the
// budget.
func (s *Server) shed() {
	type holder struct {
		c     *conn
		bytes int
	}
	var slow []holder
	for _, c := range s.all() {
		c.mu.Lock()
		if c.slow && !c.dead {
			slow = append(slow, holder{c, c.queued})
		}
		c.mu.Unlock()
	}
	slices.SortFunc(slow, func(a, b holder) int { return cmp.Compare(b.bytes, a.bytes) })
	for _, h := range slow {
		if s.budget.held.Load() <= s.budget.most {
			return
		}
		h.c.abort()
		s.budget.cut.Add(1)
	}
}
