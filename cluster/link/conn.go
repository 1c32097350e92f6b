package link

import (
	"bufio"
	"errors"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
)

// ErrSilent is the end of a connection on which nothing was read for too long.
var ErrSilent = errors.New("link: the other node is silent")

// keptBuffer is the largest buffer for bodies that a connection keeps.
const keptBuffer = 2 * batchBytes

// conn is a connection past or within its handshake. One goroutine reads; any
// may write; close ends both at once.
type conn struct {
	raw    *watched
	net    net.Conn // raw, or TLS over it
	r      *bufio.Reader
	body   []byte
	count  *counters
	node   storage.NodeID // the other one, after the handshake
	origin uint64
	clocks readings

	once   sync.Once
	closed chan struct{}

	writing sync.Mutex
	out     []byte // send's, under writing
}

func newConn(raw net.Conn, count *counters) *conn {
	w := &watched{Conn: raw}
	c := &conn{raw: w, closed: make(chan struct{}), count: count}
	c.use(w)
	return c
}

// use makes n what bytes go through.
func (c *conn) use(n net.Conn) {
	c.net, c.r = n, bufio.NewReaderSize(n, 64<<10)
}

// close breaks the connection without a TLS alert, which could block.
func (c *conn) close() {
	c.once.Do(func() {
		close(c.closed)
		_ = c.raw.Close()
	})
}

// read gives the next body, valid until the next read; an empty one is a ping.
func (c *conn) read(limit int) ([]byte, error) {
	if cap(c.body) > keptBuffer {
		c.body = nil
	}
	var err error
	if c.body, err = readFrame(c.r, c.body, limit); err != nil {
		return nil, err
	}
	c.count.framesIn.Add(1)
	c.count.bytesIn.Add(uint64(headerSize + len(c.body)))
	return c.body, nil
}

// next is read past pings.
func (c *conn) next(limit int) ([]byte, error) {
	for {
		if body, err := c.read(limit); err != nil || len(body) > 0 {
			return body, err
		}
	}
}

// write seals a frame and writes it.
func (c *conn) write(frame []byte) error {
	seal(frame)
	c.writing.Lock()
	defer c.writing.Unlock()
	return c.put(frame)
}

// put writes a sealed frame, under writing.
func (c *conn) put(frame []byte) error {
	if _, err := c.net.Write(frame); err != nil {
		return err
	}
	c.count.framesOut.Add(1)
	c.count.bytesOut.Add(uint64(len(frame)))
	return nil
}

// ping writes an empty frame unless a frame is being written.
func (c *conn) ping() error {
	if !c.writing.TryLock() {
		return nil
	}
	defer c.writing.Unlock()
	var frame [headerSize]byte
	seal(frame[:])
	return c.put(frame[:])
}

// keepAlive pings beside somebody who writes now and then, until the connection
// is closed.
func (c *conn) keepAlive(every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if c.ping() != nil {
				c.close()
			}
		case <-c.closed:
			return
		}
	}
}

// encoder is what a frame holds.
type encoder interface {
	SizeVT() int
	MarshalToSizedBufferVT([]byte) (int, error)
}

var _ = []encoder{(*peerpb.Hello)(nil), (*peerpb.Verdict)(nil), (*peerpb.Message)(nil), (*peerpb.Chunk)(nil), (*peerpb.Messages)(nil), (*peerpb.Installed)(nil)}

// send writes m as a frame of its own.
func (c *conn) send(m encoder) error {
	size := m.SizeVT()
	if size > MaxFrame {
		return ErrTooLong
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	c.out = slices.Grow(c.out[:0], headerSize+size)[:headerSize+size]
	if _, err := m.MarshalToSizedBufferVT(c.out[headerSize:]); err != nil {
		return err
	}
	seal(c.out)
	return c.put(c.out)
}

// secondLook is how long a read goes on after its deadline.
const secondLook = 5 * time.Millisecond

// watched is a socket whose reads end with ErrSilent when nothing arrives for
// as long as silence. A process that was itself stopped that long finds its
// deadline passed although bytes wait in the kernel; it must not blame the
// other side, so it reads once more.
type watched struct {
	net.Conn
	silence time.Duration // 0: as the deadlines say
	first   func()        // called at the first bytes, once; may be nil
}

func (w *watched) Read(p []byte) (int, error) {
	if w.silence == 0 {
		n, err := w.Conn.Read(p)
		if n > 0 && w.first != nil {
			w.first()
			w.first = nil
		}
		return n, err
	}
	n, err := w.within(w.silence, p)
	if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) {
		n, err = w.within(secondLook, p)
	}
	if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) {
		err = ErrSilent
	}
	return n, err
}

func (w *watched) within(d time.Duration, p []byte) (int, error) {
	if err := w.SetReadDeadline(time.Now().Add(d)); err != nil {
		return 0, err
	}
	return w.Conn.Read(p)
}
