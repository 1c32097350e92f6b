package node_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
)

// switchboard makes the connections between nodes of this process, and cuts them.
type switchboard struct {
	home map[string]int // addresses of nodes; not changed once they run

	mu    sync.Mutex
	lost  map[[2]int]bool // from a node, to a node: nothing arrives
	lines map[*cutLine]bool
}

// The ways of a line, as its dialer sees them.
const (
	wayOut = iota
	wayIn
)

// cutLine is the dialer's end of a connection. It loses what goes a way that is
// cut.
type cutLine struct {
	net.Conn
	board    *switchboard
	from, to int
	torn     [2]bool // something was lost on the way out, on the way in; under board.mu
}

func newSwitchboard() *switchboard {
	return &switchboard{home: make(map[string]int), lost: make(map[[2]int]bool), lines: make(map[*cutLine]bool)}
}

func (s *switchboard) dialer(from int) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		to, known := s.home[addr]
		if !known {
			return nil, fmt.Errorf("%s is nobody's address", addr)
		}
		raw, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.lost[[2]int{from, to}] && s.lost[[2]int{to, from}] {
			return nil, errors.Join(errors.New("cut off"), raw.Close())
		}
		l := &cutLine{Conn: raw, board: s, from: from, to: to}
		s.lines[l] = true
		return l, nil
	}
}

// cut separates two groups of nodes: their connections end, others are refused.
func (s *switchboard) cut(a, b []int) {
	s.lose(a, b)
	s.lose(b, a)
	s.end(func(l *cutLine) bool { return s.lost[[2]int{l.from, l.to}] && s.lost[[2]int{l.to, l.from}] })
}

// lose has nothing arrive that goes from one group to the other.
func (s *switchboard) lose(from, to []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range from {
		for _, t := range to {
			s.lost[[2]int{f, t}] = true
		}
	}
}

// heal ends all cuts. No stream goes on after a hole, as none of TCP's would.
func (s *switchboard) heal() {
	s.mu.Lock()
	clear(s.lost)
	s.mu.Unlock()
	s.end(func(l *cutLine) bool { return l.torn[wayOut] || l.torn[wayIn] })
}

func (s *switchboard) end(which func(*cutLine) bool) {
	s.mu.Lock()
	var ending []*cutLine
	for l := range s.lines {
		if which(l) {
			ending = append(ending, l)
		}
	}
	s.mu.Unlock()
	for _, l := range ending {
		_ = l.Close()
	}
}

// loses says whether what goes this way is lost; then all after it is.
func (l *cutLine) loses(way int) bool {
	from, to := l.from, l.to
	if way == wayIn {
		from, to = to, from
	}
	l.board.mu.Lock()
	defer l.board.mu.Unlock()
	l.torn[way] = l.torn[way] || l.board.lost[[2]int{from, to}]
	return l.torn[way]
}

// Read implements net.Conn.
func (l *cutLine) Read(p []byte) (int, error) {
	for {
		n, err := l.Conn.Read(p)
		if n == 0 || !l.loses(wayIn) {
			return n, err
		}
		if err != nil {
			return 0, err
		}
	}
}

// Write implements net.Conn.
func (l *cutLine) Write(p []byte) (int, error) {
	if l.loses(wayOut) {
		return len(p), nil
	}
	return l.Conn.Write(p)
}

// Close implements net.Conn.
func (l *cutLine) Close() error {
	l.board.mu.Lock()
	delete(l.board.lines, l)
	l.board.mu.Unlock()
	return l.Conn.Close()
}
