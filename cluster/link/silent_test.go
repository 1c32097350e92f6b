package link

import (
	"net"
	"testing"
	"time"

	"github.com/parley-im/parley/proto/peerpb"
)

// dialFrom connects to a link from an address of this machine.
func dialFrom(t *testing.T, ip, to string) net.Conn {
	t.Helper()
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
	c, err := from.DialContext(t.Context(), "tcp", to)
	if err != nil {
		t.Skipf("this machine has one loopback address only: %v", err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestSilentConnectionsDoNotKeepNodesOut opens so many that a node which had to
// wait for all of them would wait for longer than any test does.
func TestSilentConnectionsDoNotKeepNodesOut(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	t.Cleanup(func() { close(ended) }) // after the link's end
	h := newHost(t, nil)
	dialFrom(t, "127.0.0.2", h.addr) // or it is of no use to go on
	go func() {
		for { // one line for each
			select {
			case <-h.logged:
			case <-ended:
				return
			}
		}
	}()
	for range 8 * maxGreeting {
		dialFrom(t, "127.0.0.1", h.addr)
	}
	c := newConn(dialFrom(t, "127.0.0.2", h.addr), new(counters))
	_ = c.raw.SetDeadline(time.Now().Add(20 * time.Second))
	if err := c.send(helloOf("a", forMessages)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.readHello(); err != nil {
		t.Fatal(err)
	}
	if err := c.send(&peerpb.Verdict{Welcome: true}); err != nil {
		t.Fatal(err)
	}
	h.wantEvents("up")
}
