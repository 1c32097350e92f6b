package link

import (
	"errors"
	"net"
	"time"

	"github.com/parley-im/parley/internal/fair"
	"github.com/parley-im/parley/proto/peerpb"
)

// accept takes connections until the link is closed.
func (l *Link) accept() {
	for l.ctx.Err() == nil {
		raw, err := l.o.Listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			l.o.Log.Error("accept a node's connection", "error", err)
			l.pause() // out of descriptors, most likely
			continue
		}
		from := fair.OfConn(raw)
		if !l.greeting.Take(from) {
			_ = raw.Close() // a node dials again
			continue
		}
		l.done.Go(func() { l.greet(raw, from) })
	}
}

func (l *Link) pause() {
	select {
	case <-time.After(maxBackoff / 10):
	case <-l.ctx.Done():
	}
}

// greet brings an accepted connection through its handshake to where it
// belongs.
func (l *Link) greet(raw net.Conn, from fair.Source) {
	c := newConn(raw, &l.stats)
	p, purpose, err := l.welcome(l.ctx, c)
	l.greeting.Give(from)
	if err != nil {
		c.close()
		if l.ctx.Err() == nil {
			l.o.Log.Warn("connection refused", "from", raw.RemoteAddr(), "error", err)
		}
		return
	}
	switch purpose {
	case peerpb.Purpose_PURPOSE_MESSAGES:
		p.offer(c)
	case peerpb.Purpose_PURPOSE_SNAPSHOTS:
		l.takeSnapshot(c, p)
	default:
		c.close()
	}
}
