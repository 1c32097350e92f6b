package workload

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// greeter is a server that greets, and then reads until the connection ends.
func greeter(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, "hello")
			go func() {
				_, _ = io.Copy(io.Discard, c)
				_ = c.Close()
			}()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l
}

func dial(t *testing.T, over *http.Client, addr string) net.Conn {
	t.Helper()
	c, err := over.Transport.(*http.Transport).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestSocketsAreCutByNodeOrAllAtOnce(t *testing.T) {
	s := newSockets()
	one, other := greeter(t).Addr().String(), greeter(t).Addr().String()
	var conns []net.Conn
	for _, addr := range []string{one, one, other} {
		conns = append(conns, dial(t, s.open, addr))
	}
	if err := conns[0].Close(); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		addr string
		want int
	}{{one, 1}, {one, 0}, {"", 1}, {"", 0}} {
		if n := s.cut(step.addr); n != step.want {
			t.Errorf("to %q %d were cut, want %d", step.addr, n, step.want)
		}
	}
	if _, err := conns[2].Write([]byte("x")); err == nil {
		t.Error("a socket that was cut can be written to")
	}
}

func TestADrowsySocketGivesNothingUntilAllHaveWokenIt(t *testing.T) {
	s := newSockets()
	addr := greeter(t).Addr().String()
	c, awake := dial(t, s.drowsy, addr), dial(t, s.open, addr)
	s.gate.close()
	s.gate.close()
	if _, err := io.ReadFull(awake, make([]byte, 5)); err != nil {
		t.Fatalf("a socket of others: %v", err)
	}
	read := make(chan error, 1)
	go func() {
		_, err := io.ReadFull(c, make([]byte, 5))
		read <- err
	}()
	s.gate.open()
	select {
	case err := <-read:
		t.Fatalf("something was read: %v", err)
	default:
	}
	if !s.gate.isShut() {
		t.Fatal("one of two has opened the gate")
	}
	s.gate.open()
	if err := <-read; err != nil {
		t.Fatal(err)
	}
}

func TestADrowsySocketCanBeClosedWhileItSleeps(t *testing.T) {
	s := newSockets()
	c := dial(t, s.drowsy, greeter(t).Addr().String())
	s.gate.close()
	defer s.gate.open()
	read := make(chan error, 1)
	go func() {
		_, err := c.Read(make([]byte, 5))
		read <- err
	}()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-read; err == nil {
		t.Error("a closed socket was read")
	}
}

func TestSocketsThatHTTPKeepsAreClosed(t *testing.T) {
	s := newSockets()
	h := httptest.NewServer(http.NotFoundHandler())
	defer h.Close()
	answer, err := s.open.Get(h.URL)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	s.close()
	if n := s.cut(""); n != 0 {
		t.Errorf("%d are left", n)
	}
}
