package link_test

import (
	"net"
	"sync"
	"testing"
)

// proxy forwards connections to a target and lets a test damage them.
type proxy struct {
	addr   string
	target string
	done   sync.WaitGroup

	mu      sync.Mutex
	resumed *sync.Cond
	paused  bool
	conns   []net.Conn
	number  int // connections so far
	closed  bool
	// tamper sees what the dialer of connection number (0, 1 ...) sends, from
	// offset on, and may change it; false cuts the connection after it.
	tamper func(number, offset int, p []byte) ([]byte, bool)
}

func startProxy(t *testing.T, target string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{addr: listener.Addr().String(), target: target}
	p.resumed = sync.NewCond(&p.mu)
	p.done.Go(func() { p.accept(listener) })
	t.Cleanup(func() {
		_ = listener.Close()
		p.mu.Lock()
		p.closed = true
		p.mu.Unlock()
		p.cut()
		p.done.Wait()
	})
	return p
}

func (p *proxy) accept(listener net.Listener) {
	for {
		near, err := listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = near.Close()
			continue
		}
		p.mu.Lock()
		number := p.number
		p.number++
		p.conns = append(p.conns, near, far)
		if p.closed {
			_ = near.Close()
		}
		p.mu.Unlock()
		p.done.Go(func() { p.forward(number, near, far) })
		p.done.Go(func() { p.forward(-1, far, near) })
	}
}

// forward copies one direction; number is -1 for what the target says.
func (p *proxy) forward(number int, from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	buf := make([]byte, 32<<10)
	for offset := 0; ; {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		out, on := p.pass(number, offset, buf[:n])
		offset += n
		if _, err := to.Write(out); err != nil || !on {
			return
		}
	}
}

func (p *proxy) pass(number, offset int, b []byte) ([]byte, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.paused {
		p.resumed.Wait()
	}
	if number < 0 || p.tamper == nil {
		return b, true
	}
	return p.tamper(number, offset, b)
}

// pause keeps connections open and forwards nothing.
func (p *proxy) pause() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paused = true
}

func (p *proxy) resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paused = false
	p.resumed.Broadcast()
}

// cut breaks all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paused = false
	p.resumed.Broadcast()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

func (p *proxy) setTamper(f func(number, offset int, b []byte) ([]byte, bool)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tamper = f
}

// cutAt ends the first connection after its byte at.
func cutAt(at int) func(number, offset int, b []byte) ([]byte, bool) {
	return func(number, offset int, b []byte) ([]byte, bool) {
		if number > 0 || offset+len(b) <= at {
			return b, true
		}
		return b[:max(0, at-offset)], false
	}
}

// flipAt changes the first connection's byte at.
func flipAt(at int, bits byte) func(number, offset int, b []byte) ([]byte, bool) {
	return func(number, offset int, b []byte) ([]byte, bool) {
		if number == 0 && at >= offset && at < offset+len(b) {
			b[at-offset] ^= bits
		}
		return b, true
	}
}
