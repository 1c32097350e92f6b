package ws

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"
)

// turns has sockets opened and closed a few at a time, in the order in which
// they ask, and with rests between. When a network or a proxy fails, thousands of
// clients go at once and are back a moment later. What they all cost together is
// some seconds of the processors; in front of these they would stand before the
// messages of everybody who has stayed.
//
// So half of the processors at most see to comings and goings, and each turn is
// followed by a rest in proportion to its work. What is busy takes longer for the
// work, and so rests longer: the others come first by themselves.
//
// A turn is held for work only, never while a peer is waited for: nobody can
// keep others out by being slow.
type turns struct {
	places  chan struct{}
	waiting atomic.Int32
	crowded atomic.Bool
}

// restFactor is how many times as long as a turn the rest behind it is: a login
// costs a few times more in the session and the log than at the socket. longestRest
// bounds it, for a turn that was itself kept waiting.
const (
	restFactor  = 4
	longestRest = 20 * time.Millisecond
)

func newTurns() *turns { return &turns{places: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))} }

// take waits for a turn; the error is the context's. The turn is given back, with
// the rest, by calling give.
func (t *turns) take(ctx context.Context) (give func(), err error) {
	if t.waiting.Add(1) == crowdSize && t.crowded.CompareAndSwap(false, true) {
		go t.seeOff()
	}
	defer t.waiting.Add(-1)
	select {
	case t.places <- struct{}{}:
		begun := time.Now()
		return func() {
			time.AfterFunc(min(restFactor*time.Since(begun), longestRest), func() { <-t.places })
		}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
