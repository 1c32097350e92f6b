package workload

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
)

// sockets are those of all clients, so that they can be cut, and some of them
// not be read.
type sockets struct {
	open   *http.Client // for those who read
	drowsy *http.Client // for those who stop at times
	gate   gate

	mu  sync.Mutex
	all map[*socket]bool
}

func newSockets() *sockets {
	s := &sockets{all: make(map[*socket]bool)}
	s.open = s.client(&net.Dialer{}, nil)
	// A small buffer in the kernel, so that it is the node that has to wait.
	s.drowsy = s.client(&net.Dialer{Control: smallBuffer}, &s.gate)
	return s
}

// drowsyBuffer is asked for; the kernel takes twice as much.
const drowsyBuffer = 4096

func smallBuffer(_, _ string, raw syscall.RawConn) (err error) {
	if failed := raw.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, drowsyBuffer)
	}); failed != nil {
		return failed
	}
	return err
}

func (s *sockets) client(d *net.Dialer, g *gate) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := d.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		one := &socket{Conn: c, of: s, gate: g, ended: make(chan struct{})}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.all[one] = true
		return one, nil
	}}}
}

// cut ends the sockets to an address, to all addresses if it is empty, without a
// goodbye, and counts them.
func (s *sockets) cut(addr string) int {
	s.mu.Lock()
	var ends []*socket
	for one := range s.all {
		if addr == "" || one.RemoteAddr().String() == addr {
			ends = append(ends, one)
		}
	}
	s.mu.Unlock()
	for _, one := range ends {
		if tcp, ok := one.Conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // a reset
		}
		_ = one.Close()
	}
	return len(ends)
}

// close ends what HTTP has kept.
func (s *sockets) close() {
	s.open.CloseIdleConnections()
	s.drowsy.CloseIdleConnections()
}

// CutSockets ends the sockets of all users to a node's URL, to all nodes if it is
// empty, and says how many there were.
func (w *Workload) CutSockets(url string) int {
	return w.sockets.cut(strings.TrimPrefix(url, "http://"))
}

// socket is one connection of a client.
type socket struct {
	net.Conn
	of    *sockets
	gate  *gate // nil: always open
	once  sync.Once
	ended chan struct{}
}

// Read gives nothing while the gate is shut.
func (s *socket) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	if s.gate != nil && !s.gate.pass(s.ended) {
		return 0, net.ErrClosed
	}
	return n, err
}

// Close closes the connection.
func (s *socket) Close() error {
	s.once.Do(func() {
		close(s.ended)
		s.of.mu.Lock()
		defer s.of.mu.Unlock()
		delete(s.of.all, s)
	})
	return s.Conn.Close()
}

// gate is open unless somebody has shut it.
type gate struct {
	mu     sync.Mutex
	shut   int           // by so many
	opened chan struct{} // while it is shut: closed when it opens
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut++; g.shut == 1 {
		g.opened = make(chan struct{})
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut--; g.shut == 0 {
		close(g.opened)
	}
}

func (g *gate) isShut() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.shut > 0
}

// pass waits until the gate is open; false when it is ended before.
func (g *gate) pass(ended <-chan struct{}) bool {
	for {
		g.mu.Lock()
		shut, opened := g.shut > 0, g.opened
		g.mu.Unlock()
		if !shut {
			return true
		}
		select {
		case <-opened:
		case <-ended:
			return false
		}
	}
}
