package ws

import (
	"bufio"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"github.com/lxzan/gws"
)

// ServeHTTP upgrades a request. It answers 403 to a foreign origin, 503 when
// there are too many sockets, 400 to what is no WebSocket handshake or asks for
// no subprotocol that the server speaks.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.o.AllowOrigin(r) {
		http.Error(w, "this origin may not connect; add it to the allowed origins", http.StatusForbidden)
		return
	}
	if s.full() {
		w.Header().Set("Retry-After", "5")
		http.Error(w, "too many connections; try again later", http.StatusServiceUnavailable)
		return
	}
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		http.Error(w, "the connection cannot be upgraded", http.StatusInternalServerError)
		return
	}
	netConn, _, err := hijacker.Hijack()
	if err != nil {
		s.o.Log.Debug("upgrade failed", "error", err)
		return
	}
	c := &conn{Conn: netConn, server: s}
	if sc, ok := netConn.(syscall.Conn); ok {
		c.raw, _ = sc.SyscallConn() // nil: written by blocking calls
	}
	socket, err := s.upgrader.UpgradeFromConn(libraryConn{c}, bufio.NewReaderSize(netConn, readBuffer), r)
	if err != nil {
		return // answered by the upgrader
	}
	c.text = s.o.Text(socket.SubProtocol())
	c.handler = s.o.Accept(c, socket.SubProtocol())
	s.unauthenticated.Add(1)
	s.mu.Lock()
	s.conns[c] = struct{}{}
	closing := s.closing
	s.mu.Unlock()
	if closing {
		c.Close(CloseGoingAway, "the server is going away")
	}
	go socket.ReadLoop()
}

func (s *Server) full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing || len(s.conns) >= s.o.MaxConnections || s.unauthenticated.Load() >= int64(s.o.MaxUnauthenticated)
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
	socket.NetConn().(libraryConn).conn.enqueue(opPong, payload, controlLimit)
}

// OnClose implements gws.Event.
func (s *Server) OnClose(socket *gws.Conn, err error) {
	c := socket.NetConn().(libraryConn).conn
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
	c.Authenticated()
	c.handler.Closed()
	if !errors.As(err, new(*gws.CloseError)) {
		c.linger()
	}
	_ = c.finish()
}

// OriginPolicy allows requests without an Origin (not a browser), of the same
// origin, of the listed origins ("https://app.example.com", or "*" for any),
// and, when loopback is set, of any origin on this machine.
func OriginPolicy(allowed []string, loopback bool) func(*http.Request) bool {
	list := make(map[string]bool, len(allowed))
	for _, o := range allowed {
		list[strings.ToLower(strings.TrimSuffix(o, "/"))] = true
	}
	return func(r *http.Request) bool {
		origin := strings.ToLower(r.Header.Get("Origin"))
		if origin == "" || list["*"] || list[origin] {
			return true
		}
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" {
			return false
		}
		if strings.EqualFold(u.Host, r.Host) {
			return true
		}
		host := u.Hostname()
		return loopback && (host == "localhost" || host == "127.0.0.1" || host == "::1")
	}
}
