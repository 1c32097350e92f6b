package link

import (
	"errors"
	"net"
	"time"

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
		select {
		case l.greeting <- struct{}{}:
			l.done.Go(func() { l.greet(raw) })
		case <-l.ctx.Done():
			_ = raw.Close()
		}
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
func (l *Link) greet(raw net.Conn) {
	c := newConn(raw, &l.stats)
	p, purpose, err := l.welcome(l.ctx, c)
	<-l.greeting
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
