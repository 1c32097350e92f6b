package fleet

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// pair is two nodes behind proxies: one is this process, the other says all back
// that it hears.
func pair(t *testing.T) (p *proxies, here, there *Node) {
	t.Helper()
	leaks := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, leaks) })
	p = newProxies()
	here = &Node{Name: "n1", cmd: &exec.Cmd{Process: &os.Process{Pid: os.Getpid()}}}
	there = &Node{Name: "n2"}
	for i, n := range []*Node{here, there} {
		if err := n.freePorts(); err != nil {
			t.Fatal(err)
		}
		if err := p.add(n, 100+i); err != nil {
			t.Skipf("no proxies here: %v", err)
		}
	}
	t.Cleanup(func() {
		if err := p.close(); err != nil {
			t.Error(err)
		}
	})
	l, err := net.Listen("tcp", there.peer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(c, c)
				_ = c.Close()
			}()
		}
	}()
	return p, here, there
}

// talk is a connection through the proxy of a node.
func talk(t *testing.T, to *Node) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", to.at(to.peer))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if got, err := echo(c); got != "hello" || err != nil {
		t.Fatalf("%q came back, %v", got, err)
	}
	return c
}

func echo(c net.Conn) (string, error) {
	if _, err := io.WriteString(c, "hello"); err != nil {
		return "", err
	}
	b := make([]byte, 5)
	_, err := io.ReadFull(c, b)
	return string(b), err
}

func TestAProxyHoldsBackWhatGoesTheWayThatIsCut(t *testing.T) {
	for name, which := range map[string]func(here, there *Node) way{
		"there": func(here, there *Node) way { return way{here, there} },
		"back":  func(here, there *Node) way { return way{there, here} },
	} {
		t.Run(name, func(t *testing.T) {
			p, here, there := pair(t)
			c := talk(t, there)
			w := []way{which(here, there)}
			p.cut(w, 1)
			p.cut(w, 1)
			came := make(chan error, 1)
			go func() {
				_, err := echo(c)
				came <- err
			}()
			for p.held(w) == 0 { // until it is held back
				select {
				case err := <-came:
					t.Fatalf("it came through: %v", err)
				case <-time.After(time.Millisecond):
				}
			}
			p.cut(w, -1)
			select {
			case err := <-came:
				t.Fatalf("the end of one cut has ended the other: %v", err)
			case <-time.After(20 * time.Millisecond):
			}
			p.cut(w, -1)
			if err := <-came; err != nil {
				t.Errorf("it did not come when the cut had ended: %v", err)
			}
		})
	}
}

func TestAProxyResetsTheConnectionsBetweenTwo(t *testing.T) {
	p, here, there := pair(t)
	c := talk(t, there)
	if n := p.reset([]way{{here, here}}); n != 0 {
		t.Errorf("%d connections of others were reset", n)
	}
	if n := p.reset([]way{{there, here}}); n != 1 {
		t.Errorf("%d connections were reset", n)
	}
	if _, err := echo(c); err == nil {
		t.Error("the connection goes on")
	}
	talk(t, there)
}

func TestAProxyOfANodeThatIsDownRefuses(t *testing.T) {
	_, here, _ := pair(t)
	c, err := net.Dial("tcp", here.at(here.actorAt))
	if err == nil {
		_, err = echo(c)
		_ = c.Close()
	}
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the error is %v", err)
	}
}

func TestAProxyDropsGossipOfTheWayThatIsCut(t *testing.T) {
	p, here, there := pair(t)
	heard, err := net.ListenPacket("udp", there.gossip)
	if err != nil {
		t.Fatal(err)
	}
	defer heard.Close()
	from, err := net.ListenPacket("udp", here.gossip)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := net.ResolveUDPAddr("udp", there.at(there.gossip))
	if err != nil {
		t.Fatal(err)
	}
	w := []way{{here, there}}
	p.cut(w, 1)
	if _, err := from.WriteTo([]byte("dropped"), to); err != nil {
		t.Fatal(err)
	}
	for p.held(w) == 0 {
		<-time.NewTimer(time.Millisecond).C
	}
	p.cut(w, -1)
	if _, err := from.WriteTo([]byte("heard"), to); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 20)
	if n, _, err := heard.ReadFrom(b); string(b[:n]) != "heard" || err != nil {
		t.Errorf("%q, %v", b[:n], err)
	}
}

func TestASocketIsFoundByItsTwoAddresses(t *testing.T) {
	const lines = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1001 1 0000000000000000 100 0 0 10 0
   1: 0100007F:D431 02014D7F:1F91 01 00000000:00000000 00:00000000 00000000  1000        0 1002 1 0000000000000000 20 4 30 10 -1
   2: 02014D7F:1F91 0100007F:D431 01 00000000:00000000 00:00000000 00000000  1000        0 1003 1 0000000000000000 20 4 30 10 -1
`
	from, to := "0100007F:D431", "02014D7F:1F91"
	if inode, ok := inodeOf(bufio.NewScanner(strings.NewReader(lines)), from, to); !ok || inode != "1002" {
		t.Errorf("found %q, %v", inode, ok)
	}
	if inode, ok := inodeOf(bufio.NewScanner(strings.NewReader(lines)), from, from); ok {
		t.Errorf("found %q, where there is none", inode)
	}
	if got := procAddr(&net.TCPAddr{IP: net.ParseIP("::1"), Port: 1}); got != "" {
		t.Errorf("an IPv6 address is %q", got)
	}
}
