package ws

import (
	"context"
	"net"
	"runtime"
)

// turns has sockets opened and closed a few at a time, in the order in which
// they ask. When a network or a proxy fails, thousands of clients go at once and
// are back a moment later; each costs little, but in front of the processors
// they would all stand before the messages of those who have stayed. So half of
// the processors at most see to comings and goings, and who waits for a turn is
// not in the processors' queues.
//
// A turn is held for work only, never while a peer is waited for: nobody can
// keep others out by being slow.
type turns chan struct{}

func newTurns() turns { return make(turns, max(1, runtime.GOMAXPROCS(0)/2)) }

// take waits for a turn; the error is the context's.
func (t turns) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turns) give() { <-t }

// Patient is a listener whose accept loop lets everybody run who can before it
// takes the next connection: else it takes all that wait, for as long as the
// scheduler allows, and puts them in front of the processors at once.
func Patient(l net.Listener) net.Listener { return patient{l} }

type patient struct{ net.Listener }

// Accept implements net.Listener.
func (p patient) Accept() (net.Conn, error) {
	runtime.Gosched()
	return p.Listener.Accept()
}
