package link

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
)

var (
	errReplaced = errors.New("link: replaced by a later connection of the same node")
	errLeft     = errors.New("link: closed, or the peer was removed")
)

// peer is another node. Its goroutine, run, owns the connection for messages:
// it alone lets one begin and end, so that Up and Down alternate.
type peer struct {
	l      *Link
	node   storage.NodeID
	queue  *queue
	ctx    context.Context // ends with the link or RemovePeer
	cancel context.CancelFunc
	after  <-chan struct{} // ended of the peer's removed predecessor, or nil
	ended  chan struct{}
	wake   chan struct{} // one token: next or addr may have changed

	mu   sync.Mutex
	addr string
	next *conn // accepted, not yet in use
}

func newPeer(l *Link, node storage.NodeID, addr string) *peer {
	p := &peer{l: l, node: node, addr: addr, queue: newQueue(l.o.QueueBytes), ended: make(chan struct{}), wake: make(chan struct{}, 1)}
	p.ctx, p.cancel = context.WithCancel(l.ctx)
	return p
}

func (p *peer) address() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.addr
}

func (p *peer) setAddr(addr string) {
	p.mu.Lock()
	p.addr = addr
	p.mu.Unlock()
	p.signal()
}

func (p *peer) signal() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// offer hands an accepted connection over, in place of the one in use.
func (p *peer) offer(c *conn) {
	p.mu.Lock()
	old := p.next
	p.next = c
	p.mu.Unlock()
	if old != nil {
		old.close()
	}
	if p.ctx.Err() != nil { // run may have looked for the last time
		c.close()
	}
	p.signal()
}

// accepted gives what was offered, once, or nil.
func (p *peer) accepted() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.next
	p.next = nil
	return c
}

// run keeps the peer connected until it is removed or the link closed.
func (p *peer) run() {
	defer p.l.forget(p)
	defer close(p.ended)
	defer p.cancel()
	if p.after != nil {
		<-p.after
	}
	connect := p.await
	if p.l.o.Node < p.node {
		connect = new(dialer{peer: p}).connect
	}
	for p.ctx.Err() == nil {
		if c := connect(); c != nil {
			p.serve(c)
		}
	}
	if c := p.accepted(); c != nil {
		c.close()
	}
}

// await gives the next accepted connection, or nil.
func (p *peer) await() *conn {
	for {
		if c := p.accepted(); c != nil {
			return c
		}
		select {
		case <-p.wake:
		case <-p.ctx.Done():
			return nil
		}
	}
}

// serve lets messages flow until the connection ends.
func (p *peer) serve(c *conn) {
	log := p.l.o.Log.With("node", p.node, "origin", c.origin)
	p.queue.open()
	p.l.stats.up.Add(1)
	log.Info("node connected")
	p.l.o.Up(p.node)

	ends := make(chan error, 2)
	go func() { ends <- p.read(c) }()
	go func() { ends <- p.write(c) }()
	running, reason := p.watch(ends)
	p.queue.close()
	c.close()
	for range running {
		<-ends
	}

	p.l.stats.up.Add(-1)
	log.Warn("node disconnected", "error", reason)
	p.l.o.Down(p.node)
}

// watch waits for a reason to end a connection and says how many of its two
// goroutines still run.
func (p *peer) watch(ends <-chan error) (running int, reason error) {
	for {
		select {
		case err := <-ends:
			return 1, err
		case <-p.ctx.Done():
			return 2, errLeft
		case <-p.wake:
			p.mu.Lock()
			replaced := p.next != nil
			p.mu.Unlock()
			if replaced {
				p.signal()
				return 2, errReplaced
			}
		}
	}
}

// read hands on what arrives.
func (p *peer) read(c *conn) error {
	for {
		body, err := c.next(MaxFrame)
		if err != nil {
			return err
		}
		var all peerpb.Messages
		if err := all.UnmarshalVT(body); err != nil {
			return errors.Join(ErrCorrupt, err)
		}
		if all.Clock != nil && p.l.o.Clock != nil {
			c.clocks.take(p.node, all.Clock, p.l.o.Clock)
		}
		p.l.stats.received.Add(uint64(len(all.Messages)))
		for _, m := range all.Messages {
			p.l.o.Receive(p.node, m)
		}
	}
}

// write sends what waits, a frame at a time, readings of the clock, and pings.
func (p *peer) write(c *conn) error {
	idle, clock := time.NewTimer(p.l.o.PingEvery), time.NewTimer(0)
	defer idle.Stop()
	defer clock.Stop()
	if p.l.o.Clock == nil {
		clock.Stop()
	}
	for {
		err := p.writeNext(c, idle, clock)
		if err == errNothingWritten {
			continue
		}
		if err != nil {
			return err
		}
		idle.Reset(p.l.o.PingEvery)
	}
}

var (
	errNothingWritten = errors.New("link: something waits")
	errClosed         = errors.New("link: the connection was closed")
)

// writeNext writes one frame, and waits for it.
func (p *peer) writeNext(c *conn, idle, clock *time.Timer) error {
	select {
	case <-clock.C: // also when there is always something to send
		return p.writeClock(c, clock)
	default:
	}
	if frame := p.queue.take(); frame != nil {
		err := c.write(frame)
		p.queue.wrote(frame)
		return err
	}
	select {
	case <-p.queue.ready:
		return errNothingWritten
	case <-clock.C:
		return p.writeClock(c, clock)
	case <-idle.C:
		return c.ping()
	case <-c.closed:
		return errClosed
	}
}

func (p *peer) writeClock(c *conn, clock *time.Timer) error {
	err := c.send(c.clocks.next(p.l.o.Clock))
	clock.Reset(c.clocks.wait())
	return err
}
