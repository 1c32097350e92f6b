// Package ws is the socket server: it upgrades HTTP requests at /ws to
// WebSockets, reads messages, and writes what connections enqueue. It knows
// bytes and close codes, not frames; node joins it to actors/connection.
//
// Writing is the hot path. Each socket has a bounded out-buffer, nil while
// there is nothing to say. Whoever enqueues puts the socket on a dirty list;
// one shared writer goroutine takes the list and writes each buffer with one
// non-blocking system call, so that many frames leave together and no frame
// costs a wake-up of its own. A socket whose peer does not read falls back to
// a goroutine of its own until it is empty again. What the buffer cannot hold
// is refused, and the connection gets Drained when there is room again. All
// buffers share one budget.
//
// What one source (see internal/fair) can take is bounded: connections by a
// Listener, sockets by the server's pool. And opening and closing is paced, the
// sources in rotation: a Listener lets few connections at a time make their first
// request, and turns open and close few sockets at once, with rests between, so
// that thousands who come back together do not delay those who stayed.
package ws

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/lxzan/gws"

	"github.com/parley-im/parley/internal/fair"
)

// Conn is a socket as its connection sees it. Methods may be called from any
// goroutine and never block.
type Conn interface {
	// Write enqueues one message. It says false, and drops the message, when
	// more than limit bytes would wait; Drained follows once none do. The bytes
	// are copied.
	Write(message []byte, limit int) bool
	// Authenticated lifts the bound of the socket's source: it counts among all
	// sockets only.
	Authenticated()
	// Close sends what waits and a close frame, and ends the socket when the
	// peer has answered or two seconds later.
	Close(code uint16, reason string)
	RemoteAddr() string
}

// Handler is a socket's connection. Receive and Closed are called from the
// socket's reader, one at a time; the others from any goroutine.
type Handler interface {
	// Receive takes one message, valid until it returns.
	Receive(message []byte, text bool)
	// Drained says that the buffer is empty after a Write was refused.
	Drained()
	// Tick comes about once a second. Crowded says that sockets which are not
	// authenticated take half of the places: those that have not said hello
	// should be given less time.
	Tick(crowded bool)
	// Closed is the end.
	Closed()
}

// Options says how a server behaves.
type Options struct {
	// Subprotocols that may be asked for, the preferred first, and whether
	// their messages are text.
	Subprotocols []string
	Text         func(subprotocol string) bool
	// Accept makes a socket's connection.
	Accept func(c Conn, subprotocol string) Handler
	// AllowOrigin judges the Origin header of browsers.
	AllowOrigin func(r *http.Request) bool
	// MaxMessage bounds an inbound message in bytes.
	MaxMessage int
	// MaxConnections bounds the sockets; above it, or above a source's share of
	// it, an upgrade is answered 503.
	MaxConnections int
	// MaxWaiting bounds the bytes that wait in the out-buffers of all sockets; 0:
	// 256 MiB. A quarter comes on top for sockets whose peers read.
	MaxWaiting int
	// Source says where a request comes from.
	Source func(r *http.Request) fair.Source
	Log    *slog.Logger
}

// Server is an http.Handler for the WebSocket's path.
type Server struct {
	gws.BuiltinEventHandler
	o        Options
	upgrader *gws.Upgrader
	writer   *writer
	turns    *turns
	pool     *fair.Pool
	budget   *budget

	mu      sync.Mutex
	conns   map[*conn]struct{}
	closing bool

	stop chan struct{}
	done sync.WaitGroup
}

// readBuffer is small: most messages are, and an idle socket pays for it.
const readBuffer = 512

// NewServer starts the shared writer and the ticker.
func NewServer(o Options) *Server {
	s := &Server{o: o, budget: newBudget(cmp.Or(o.MaxWaiting, 256<<20)), conns: make(map[*conn]struct{}), turns: newTurns(half()), pool: fair.NewPool(o.MaxConnections), stop: make(chan struct{})}
	s.writer = newWriter()
	s.upgrader = gws.NewUpgrader(s, &gws.ServerOption{
		ReadBufferSize:     readBuffer,
		ReadMaxPayloadSize: o.MaxMessage,
		SubProtocols:       o.Subprotocols,
		Recovery:           gws.Recovery,
	})
	s.done.Add(2)
	go func() { defer s.done.Done(); s.writer.run() }()
	go func() { defer s.done.Done(); s.tick() }()
	return s
}

// Connections is the number of open sockets.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Waiting is how many bytes wait in all sockets' out-buffers.
func (s *Server) Waiting() int64 { return s.budget.held.Load() }

// Cut is how many sockets were cut so that the others have room.
func (s *Server) Cut() uint64 { return s.budget.cut.Load() }

// Close closes all sockets with CloseGoingAway, waits for them, and stops.
func (s *Server) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	for _, c := range s.all() {
		c.Close(CloseGoingAway, "the server is going away")
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for s.Connections() > 0 && ctx.Err() == nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
			for _, c := range s.all() {
				c.abort()
			}
		}
	}
	close(s.stop)
	s.writer.close()
	s.done.Wait()
	return ctx.Err()
}

func (s *Server) all() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		all = append(all, c)
	}
	return all
}

func (s *Server) tick() {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-s.budget.exceeded:
			s.shed()
		case <-t.C:
			crowded := s.pool.Crowded()
			for _, c := range s.all() {
				c.handler.Tick(crowded)
			}
		}
	}
}
