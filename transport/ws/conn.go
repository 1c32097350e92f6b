package ws

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/lxzan/gws"

	"github.com/parley-im/parley/internal/fair"
)

// Close codes of this package; connections have more (docs/protocol.md).
const (
	CloseGoingAway     uint16 = 1001
	closeProtocolError uint16 = 1002
)

const (
	opText   byte = 0x1
	opBinary byte = 0x2
	opClose  byte = 0x8
	opPong   byte = 0xA

	// pongLimit bounds what may wait when a pong is added: who has more to read
	// needs none, and nobody shall store pongs here who has not even logged in.
	pongLimit = 16 << 10
	// lingering is how long a closed socket may take to answer, and then to read
	// what waits.
	lingering   = 2 * time.Second
	maxLingered = 1 << 20 // bytes
	// stalled is how long a blocked write may move no byte before the peer is cut.
	stalled = 30 * time.Second
	// sliceBytes is how much a blocked write hands over at a time.
	sliceBytes = 64 << 10
)

// conn is one socket. It stands between the network connection and the
// WebSocket library, so that whatever the library writes (handshake, close
// frames) goes through the same buffer as everything else, whole and in order.
//
// Invariants, under mu: writing is set while somebody writes taken bytes, and
// only they take more; dirty is set while the socket stands on the writer's
// list; queued = len(out) + bytes taken and not yet written, and is part of the
// server's budget; slow is set while drain runs.
type conn struct {
	net.Conn
	server  *Server
	source  fair.Source
	raw     syscall.RawConn
	socket  *gws.Conn // the library's
	handler Handler
	text    bool
	lengths lengths // used by the reader only

	mu       sync.Mutex
	out      []byte // pooled, nil when idle
	queued   int
	dirty    bool
	writing  bool
	slow     bool // the peer has to be waited for
	refused  bool // a Write was refused since the buffer was last empty
	closing  bool // a close frame was enqueued: nothing else may be
	finished bool // close the network connection once the buffer is empty
	lost     bool // the peer has gone: nothing is read any more, and nothing written
	dead     bool
	place    place
}

// RemoteAddr is the peer's address.
func (c *conn) RemoteAddr() string { return c.Conn.RemoteAddr().String() }

// Read implements net.Conn, notes when the peer has gone, and ends what the
// library must not see.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.lengths.impossible(p[:n]) {
		c.Close(closeProtocolError, "a frame of an impossible length")
		return 0, io.ErrUnexpectedEOF
	}
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		c.mu.Lock()
		c.lost = true
		c.mu.Unlock()
	}
	return n, err
}

// libraryConn is what the WebSocket library is given: a net.Conn whose writes
// are enqueued as they are, and whose Close waits for them.
type libraryConn struct{ *conn }

// Write implements net.Conn.
func (l libraryConn) Write(framed []byte) (int, error) {
	c := l.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing || c.dead || c.lost { // lost: the library would send a close frame to a peer that has gone
		return 0, net.ErrClosed
	}
	c.server.budget.force(len(framed))
	c.grow()
	c.out = append(c.out, framed...)
	c.queued += len(framed)
	c.wake()
	return len(framed), nil
}

// Close implements net.Conn. An accepted socket is closed by OnClose, which the
// library calls next and which lets the peer read why.
func (l libraryConn) Close() error {
	if l.handler != nil {
		return nil
	}
	return l.finish()
}

// RemoteAddr implements net.Conn.
func (l libraryConn) RemoteAddr() net.Addr { return l.Conn.RemoteAddr() }

// Write implements Conn.
func (c *conn) Write(message []byte, limit int) bool {
	op := opBinary
	if c.text {
		op = opText
	}
	return c.enqueue(op, message, limit)
}

// enqueue frames a message into the out-buffer.
func (c *conn) enqueue(op byte, payload []byte, limit int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing || c.dead || c.lost {
		return true // nobody will read it, and nobody need do anything about it
	}
	size := headerSize(len(payload)) + len(payload)
	switch {
	case op == opClose:
		c.closing = true
		c.server.budget.force(size)
	case c.queued+len(payload) > limit || !c.server.budget.take(size, c.queued, c.slow):
		c.refused = true
		return false
	}
	c.grow()
	c.out = appendFrame(c.out, op, payload)
	c.queued += size
	c.wake()
	return true
}

func (c *conn) grow() {
	if c.out == nil {
		c.out = getBuffer()
	}
}

// wake puts the socket on the writer's list; the caller holds mu.
func (c *conn) wake() {
	if !c.dirty && !c.writing {
		c.dirty = true
		c.server.writer.push(c)
	}
}

// headerSize is how long the header of a frame is.
func headerSize(payload int) int {
	switch {
	case payload <= 125:
		return 2
	case payload < 1<<16:
		return 4
	}
	return 10
}

// appendFrame appends an unfragmented, unmasked frame.
func appendFrame(dst []byte, op byte, payload []byte) []byte {
	n := len(payload)
	dst = append(dst, 0x80|op)
	switch {
	case n <= 125:
		dst = append(dst, byte(n))
	case n < 1<<16:
		dst = binary.BigEndian.AppendUint16(append(dst, 126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, 127), uint64(n))
	}
	return append(dst, payload...)
}

// pong answers a ping.
func (c *conn) pong(payload []byte) { c.enqueue(opPong, payload, pongLimit) }

// Close implements Conn. There is room for a close frame whatever waits: it comes
// once.
func (c *conn) Close(code uint16, reason string) {
	payload := append(binary.BigEndian.AppendUint16(nil, code), reason...)
	c.enqueue(opClose, payload[:min(len(payload), 125)], math.MaxInt)
	_ = c.Conn.SetReadDeadline(time.Now().Add(lingering))
}

// place is how a socket counts in the server's pool.
type place int

const (
	held    place = iota // against its source
	settled              // among all only
	given                // not any more
)

// Authenticated implements Conn.
func (c *conn) Authenticated() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.place != held {
		return
	}
	c.place = settled
	c.server.pool.Settle(c.source)
	if a := acceptedOf(c.Conn); a != nil {
		a.settle()
	}
}

// givePlace gives the place back, once.
func (c *conn) givePlace() {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.place {
	case held:
		c.server.pool.Give(c.source)
	case settled:
		c.server.pool.GiveSettled()
	}
	c.place = given
}

func (c *conn) isClosing() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closing
}

// linger takes what the peer still sends, for a bounded time, after it broke
// the protocol: closing with unread data would reset the connection, and the
// peer would never read the close frame that says why.
func (c *conn) linger() {
	c.mu.Lock()
	c.closing = true
	lost := c.lost
	c.mu.Unlock()
	if lost {
		return
	}
	_ = c.Conn.SetReadDeadline(time.Now().Add(lingering))
	_, _ = io.CopyN(io.Discard, c.Conn, maxLingered)
}

// finish closes the network connection once what waits is written, or when it
// has lingered: nobody counts the socket any more, and a peer that takes a few
// bytes now and then must not keep what waits for hours.
func (c *conn) finish() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closing, c.finished = true, true
	if c.queued == 0 && !c.writing || c.lost {
		return c.kill()
	}
	time.AfterFunc(lingering, c.abort)
	c.wake()
	return nil
}

// kill closes the network connection; the caller holds mu.
func (c *conn) kill() error {
	if c.dead {
		return nil
	}
	c.dead = true
	putBuffer(c.out)
	c.server.budget.give(c.queued)
	c.out, c.queued = nil, 0
	return c.Conn.Close()
}

// abort closes at once.
func (c *conn) abort() {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.kill()
}
