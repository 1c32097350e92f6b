package ws

import (
	"sync"
	"syscall"
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

// tryWrite writes what the kernel takes at once.
func (c *conn) tryWrite(buf []byte) (n int, err error) {
	if c.raw == nil {
		return 0, nil
	}
	a := attempts.Get().(*attempt)
	a.buf = buf
	rawErr := c.raw.Write(a.do)
	n, err = a.n, a.err
	a.buf, a.err = nil, nil
	attempts.Put(a)
	if err == syscall.EAGAIN || err == syscall.EINTR {
		return 0, nil
	}
	if err == nil {
		err = rawErr
	}
	return max(n, 0), err
}

// attempt is one write call. Its function is kept with it: one for each call
// would be a tenth of all that a busy node allocates.
type attempt struct {
	buf []byte
	n   int
	err error
	do  func(fd uintptr) bool
}

var attempts = sync.Pool{New: func() any {
	a := new(attempt)
	a.do = func(fd uintptr) bool {
		a.n, a.err = syscall.Write(int(fd), a.buf)
		return true
	}
	return a
}}

// drain writes with blocking calls until nothing waits.
func (c *conn) drain(buf []byte, n int) {
	for {
		_ = c.Conn.SetWriteDeadline(time.Now().Add(stalled))
		_, err := c.Conn.Write(buf[n:])
		if c.wrote(buf, err) {
			return
		}
		c.mu.Lock()
		buf, n = c.out, 0
		c.out = nil
		c.mu.Unlock()
	}
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
		c.writing = false
		c.mu.Unlock()
		return true
	}
	c.queued -= written
	if c.queued > 0 {
		c.mu.Unlock()
		return false
	}
	c.writing = false
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
