package ws

import (
	"bufio"
	"errors"
	"net/http"
	"syscall"

	"github.com/lxzan/gws"

	"github.com/parley-im/parley/internal/fair"
)

// ServeHTTP upgrades a request. It answers 403 to a foreign origin, 503 when
// there are too many sockets, of all or of the request's source, 400 to what is no WebSocket handshake or asks for
// no subprotocol that the server speaks.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.o.AllowOrigin(r) {
		http.Error(w, "this origin may not connect; add it to the allowed origins", http.StatusForbidden)
		return
	}
	from := s.o.Source(r)
	if !s.expect(from) {
		w.Header().Set("Retry-After", "5")
		http.Error(w, "too many connections; try again later", http.StatusServiceUnavailable)
		return
	}
	give, ok := s.turns.take(r.Context().Done(), from)
	if !ok { // the client has gone
		s.pool.Give(from)
		return
	}
	defer give()
	c := s.upgrade(w, r, from)
	if c == nil {
		s.pool.Give(from)
		return
	}
	s.mu.Lock()
	s.conns[c] = struct{}{}
	closing := s.closing
	s.mu.Unlock()
	if closing {
		c.Close(CloseGoingAway, "the server is going away")
	}
	go c.socket.ReadLoop()
}

// upgrade makes the socket of a request; nil when there is none, which was
// answered if the client is there.
func (s *Server) upgrade(w http.ResponseWriter, r *http.Request, from fair.Source) *conn {
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		http.Error(w, "the connection cannot be upgraded", http.StatusInternalServerError)
		return nil
	}
	netConn, _, err := hijacker.Hijack()
	if err != nil {
		s.o.Log.Debug("upgrade failed", "error", err)
		return nil
	}
	c := &conn{Conn: netConn, server: s, source: from}
	if sc, ok := netConn.(syscall.Conn); ok {
		c.raw, _ = sc.SyscallConn() // nil: written by blocking calls
	}
	if c.socket, err = s.upgrader.UpgradeFromConn(libraryConn{c}, bufio.NewReaderSize(c, readBuffer), r); err != nil {
		return nil // answered by the upgrader
	}
	c.text = s.o.Text(c.socket.SubProtocol())
	c.handler = s.o.Accept(c, c.socket.SubProtocol())
	return c
}

// expect counts a socket that is about to be, unless there are too many.
func (s *Server) expect(from fair.Source) bool {
	s.mu.Lock()
	closing := s.closing
	s.mu.Unlock()
	return !closing && s.pool.Take(from)
}

// OnMessage implements gws.Event.
func (s *Server) OnMessage(socket *gws.Conn, message *gws.Message) {
	defer message.Close()
	c := socket.NetConn().(libraryConn).conn
	if !c.isClosing() {
		c.handler.Receive(message.Bytes(), message.Opcode == gws.OpcodeText)
	}
}

// OnPing implements gws.Event: the pong goes the way of all writes.
func (s *Server) OnPing(socket *gws.Conn, payload []byte) {
	socket.NetConn().(libraryConn).conn.pong(payload)
}

// OnClose implements gws.Event.
func (s *Server) OnClose(socket *gws.Conn, err error) {
	c := socket.NetConn().(libraryConn).conn
	give, _ := s.turns.take(nil, c.source) // never fails
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
	c.givePlace()
	c.handler.Closed()
	give()
	if !errors.As(err, new(*gws.CloseError)) {
		c.linger()
	}
	_ = c.finish()
}
