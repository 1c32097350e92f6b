package ws

import (
	"runtime"
	"time"

	"github.com/parley-im/parley/internal/fair"
)

// turns has sockets opened and closed a few at a time, the sources in rotation,
// and with rests between. When a network or a proxy fails, thousands of clients
// go at once and are back a moment later. What they all cost together is some
// seconds of the processors, which would delay the messages of everybody who has
// stayed.
//
// So half of the processors at most open and close sockets, and each turn is
// followed by a rest in proportion to its work. On a busy node the work takes
// longer, and so the rest is longer too: the others come first by themselves.
//
// A turn is held for work only, never while a peer is waited for: nobody can
// keep others out by being slow.
type turns struct{ queue *fair.Queue }

// restFactor is how many times as long as a turn the rest after it is: a login
// costs a few times more in the session and the log than at the socket. longestRest
// bounds it, for a turn that was itself kept waiting.
const (
	restFactor  = 4
	longestRest = 20 * time.Millisecond
)

func newTurns(atOnce int) *turns { return &turns{fair.NewQueue(atOnce)} }

// half of the processors.
func half() int { return max(1, runtime.GOMAXPROCS(0)/2) }

// take waits for a turn, and says false when done is closed before. The turn ends,
// after the rest, by calling give.
func (t *turns) take(done <-chan struct{}, s fair.Source) (give func(), ok bool) {
	if !t.queue.Take(done, s) {
		return nil, false
	}
	begun := time.Now()
	return func() { time.AfterFunc(min(restFactor*time.Since(begun), longestRest), func() { t.queue.Give(s) }) }, true
}
