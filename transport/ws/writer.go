package ws

import (
	"errors"
	"os"
	"sync"
	"time"
)

// writer is the one goroutine that writes for all sockets.
type writer struct {
	mu     sync.Mutex
	dirty  []*conn
	closed bool
	signal chan struct{} // one token: the list is not empty, or closed
}

func newWriter() *writer { return &writer{signal: make(chan struct{}, 1)} }

// push adds a socket; the socket sees to it that it is on the list once.
func (w *writer) push(c *conn) {
	w.mu.Lock()
	w.dirty = append(w.dirty, c)
	first := len(w.dirty) == 1
	w.mu.Unlock()
	if first {
		w.notify()
	}
}

func (w *writer) notify() {
	select {
	case w.signal <- struct{}{}:
	default:
	}
}

func (w *writer) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.notify()
}

func (w *writer) run() {
	var list []*conn
	for range w.signal {
		w.mu.Lock()
		list, w.dirty = w.dirty, list[:0]
		closed := w.closed
		w.mu.Unlock()
		for i, c := range list {
			c.flush()
			list[i] = nil
		}
		if closed {
			return
		}
	}
}

// flush writes what waits without blocking. What the peer does not take goes
// on in a goroutine of the socket's own.
func (c *conn) flush() {
	c.mu.Lock()
	c.dirty = false
	if c.writing || c.dead || len(c.out) == 0 {
		c.mu.Unlock()
		return
	}
	buf := c.out
	c.out, c.writing = nil, true
	c.mu.Unlock()

	n, err := c.tryWrite(buf)
	if err == nil && n < len(buf) {
		c.mu.Lock()
		c.slow = true
		c.mu.Unlock()
		go c.drain(buf, n)
		return
	}
	if !c.wrote(buf, err) {
		c.mu.Lock()
		c.writing = false
		c.wake()
		c.mu.Unlock()
	}
}

// drain writes with blocking calls until nothing waits.
func (c *conn) drain(buf []byte, n int) {
	for {
		err := c.writeSlowly(buf[n:])
		if c.wrote(buf, err) {
			return
		}
		c.mu.Lock()
		buf, n = c.out, 0
		c.out = nil
		c.mu.Unlock()
	}
}

// writeSlowly writes slice by slice, for as long as the peer takes any bytes: it
// fails when none have moved for stalled.
func (c *conn) writeSlowly(rest []byte) error {
	for len(rest) > 0 {
		_ = c.Conn.SetWriteDeadline(time.Now().Add(stalled))
		n, err := c.Conn.Write(rest[:min(len(rest), sliceBytes)])
		rest = rest[n:]
		if err != nil && (n == 0 || !errors.Is(err, os.ErrDeadlineExceeded)) {
			return err
		}
	}
	return nil
}

// wrote accounts for a buffer that was written, or ends the socket. False means
// that more was enqueued meanwhile, and that the caller still is the one who
// writes.
func (c *conn) wrote(buf []byte, err error) (over bool) {
	c.mu.Lock()
	written := len(buf)
	putBuffer(buf)
	if err != nil {
		_ = c.kill()
	}
	if c.dead {
		c.writing, c.slow = false, false
		c.mu.Unlock()
		return true
	}
	c.queued -= written
	c.server.budget.give(written)
	if c.queued > 0 {
		c.mu.Unlock()
		return false
	}
	c.writing, c.slow = false, false
	drained := c.refused
	c.refused = false
	if c.finished {
		_ = c.kill()
	}
	c.mu.Unlock()
	if drained {
		c.handler.Drained()
	}
	return true
}

// Buffers up to this size are kept for reuse.
const pooledBuffer = 64 << 10

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 1024); return &b }}

func getBuffer() []byte { return (*buffers.Get().(*[]byte))[:0] }

func putBuffer(b []byte) {
	if b != nil && cap(b) <= pooledBuffer {
		buffers.Put(&b)
	}
}
