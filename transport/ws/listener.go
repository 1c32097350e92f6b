package ws

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/parley-im/parley/internal/fair"
)

// Bounds of a listener.
const (
	maxEntering = 128                    // connections whose first request is being read and answered
	entryTime   = 100 * time.Millisecond // after which one counts no more, so that the slow keep nobody out
	// sendBuffer is what the system may hold for a connection, or about that. A
	// larger one would hide for minutes that a slow peer still reads.
	sendBuffer = 128 << 10
)

// Listener accepts connections within bounds.
//
// Only so many are open, and no source has more than its share of them (see
// fair.Pool): a connection above is closed at once. Sockets whose users have
// logged in do not count for their source, and neither do connections of trusted
// proxies: those are many clients.
//
// And few connections at a time are on their way in: from their first byte until
// their first request is answered or has become a socket. A request costs little,
// but after a failure of the network thousands come at once, and would stand in
// front of the processors before the messages of those who are in. Sources enter
// in rotation; who says nothing waits for nothing and keeps nobody out.
//
// Its ConnState must be the http.Server's.
type Listener struct {
	net.Listener
	proxy func(netip.Addr) bool
	pool  *fair.Pool
	entry *fair.Queue
}

// NewListener bounds the connections of a listener; proxy says whether an address
// is a trusted proxy's.
func NewListener(l net.Listener, connections int, proxy func(netip.Addr) bool) *Listener {
	return &Listener{Listener: l, proxy: proxy, pool: fair.NewPool(connections), entry: fair.NewQueue(maxEntering)}
}

// tooMany is what one reads who is not let in, if it speaks HTTP.
const tooMany = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		a := &accepted{Conn: c, listener: l, closed: make(chan struct{})}
		if !a.takePlace() {
			_, _ = c.Write([]byte(tooMany)) // into an empty buffer: it does not block
			_ = c.Close()
			continue
		}
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetWriteBuffer(sendBuffer)
		}
		return a, nil
	}
}

// ConnState is what the http.Server calls when a connection changes its state.
func (l *Listener) ConnState(c net.Conn, s http.ConnState) {
	a := acceptedOf(c)
	if a == nil {
		return
	}
	switch s {
	case http.StateIdle:
		a.leaveEntry()
		if l.pool.Crowded() {
			_ = a.Close() // its client may connect again when it has something to ask
		}
	case http.StateHijacked, http.StateClosed:
		a.leaveEntry()
	}
}

// accepted is a connection of a Listener.
type accepted struct {
	net.Conn
	listener *Listener
	source   fair.Source
	closed   chan struct{}

	mu      sync.Mutex
	entry   entry
	timer   *time.Timer // ends the entry
	settled bool
	over    bool
}

// entry is how far a connection has come.
type entry int

const (
	outside  entry = iota // has sent nothing
	entering              // holds one of maxEntering places, or waits for it
	inside
)

// takePlace takes a place of all connections for a new one.
func (a *accepted) takePlace() bool {
	var addr netip.Addr
	if tcp, ok := a.RemoteAddr().(*net.TCPAddr); ok {
		addr = tcp.AddrPort().Addr()
	}
	a.source = fair.Of(addr)
	if a.settled = a.listener.proxy(addr); a.settled {
		return a.listener.pool.TakeSettled()
	}
	return a.listener.pool.Take(a.source)
}

// acceptedOf finds a listener's connection, under TLS or not.
func acceptedOf(c net.Conn) *accepted {
	for {
		switch within := c.(type) {
		case *accepted:
			return within
		case interface{ NetConn() net.Conn }:
			c = within.NetConn()
		default:
			return nil
		}
	}
}

// Read implements net.Conn. The first bytes are handed on when the connection's
// turn to enter has come.
func (a *accepted) Read(p []byte) (int, error) {
	n, err := a.Conn.Read(p)
	if n > 0 && a.begin() {
		a.enter()
	}
	return n, err
}

// begin says whether these are the first bytes.
func (a *accepted) begin() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.entry != outside {
		return false
	}
	a.entry = entering
	return true
}

// enter waits for a place.
func (a *accepted) enter() {
	if !a.listener.entry.Take(a.closed, a.source) {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over {
		a.listener.entry.Give(a.source)
		return
	}
	a.timer = time.AfterFunc(entryTime, a.leaveEntry)
}

// leaveEntry frees the place, once.
func (a *accepted) leaveEntry() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.freeEntry()
}

// freeEntry is leaveEntry with mu held.
func (a *accepted) freeEntry() {
	a.entry = inside
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
		a.listener.entry.Give(a.source)
	}
}

// settle has the connection no longer count for its source.
func (a *accepted) settle() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.settled && !a.over {
		a.settled = true
		a.listener.pool.Settle(a.source)
	}
}

// Close implements net.Conn.
func (a *accepted) Close() error {
	a.mu.Lock()
	if !a.over {
		a.over = true
		close(a.closed)
		a.freeEntry()
		if a.settled {
			a.listener.pool.GiveSettled()
		} else {
			a.listener.pool.Give(a.source)
		}
	}
	a.mu.Unlock()
	return a.Conn.Close()
}

// SyscallConn implements syscall.Conn if what was accepted does.
func (a *accepted) SyscallConn() (syscall.RawConn, error) {
	if sc, ok := a.Conn.(syscall.Conn); ok {
		return sc.SyscallConn()
	}
	return nil, syscall.EINVAL
}
