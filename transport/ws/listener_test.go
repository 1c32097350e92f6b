package ws

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

// arrivals is a listener to which tests connect from any address.
type arrivals chan net.Conn

func (a arrivals) Accept() (net.Conn, error) {
	c, ok := <-a
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (a arrivals) Close() error   { return nil }
func (a arrivals) Addr() net.Addr { return nil }

// from is a connection that comes from an address.
type from struct {
	net.Conn
	addr net.Addr
}

func (f from) RemoteAddr() net.Addr { return f.addr }

// house is a listener whose connections are read to their first bytes.
type house struct {
	t       *testing.T
	l       *Listener
	arrive  arrivals
	all     []net.Conn
	mu      sync.Mutex            // of entered, while it grows
	entered map[string][]net.Conn // by address
}

// in gives the connections of an address that have entered.
func (h *house) in(host string) []net.Conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.entered[host])
}

func newHouse(t *testing.T, connections int) *house {
	h := &house{t: t, arrive: make(arrivals), entered: make(map[string][]net.Conn)}
	h.l = NewListener(h.arrive, connections, netip.MustParsePrefix("203.0.113.0/24").Contains)
	go func() {
		for {
			c, err := h.l.Accept()
			if err != nil {
				return
			}
			h.all = append(h.all, c)
			go func() {
				if n, _ := c.Read(make([]byte, 10)); n > 0 {
					host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
					h.mu.Lock()
					defer h.mu.Unlock()
					h.entered[host] = append(h.entered[host], c)
				}
			}()
		}
	}()
	t.Cleanup(func() {
		close(h.arrive)
		synctest.Wait()
		for _, c := range h.all {
			_ = c.Close()
		}
	})
	return h
}

// connect comes from an address; what it gives is the client's end.
func (h *house) connect(addr string) net.Conn {
	client, server := net.Pipe()
	h.arrive <- from{server, net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(addr), 1))}
	return client
}

// request comes from an address and says something.
func (h *house) request(addr string) {
	c := h.connect(addr)
	go func() { _, _ = io.WriteString(c, "GET / ") }()
	synctest.Wait()
}

const (
	loud = "192.0.2.1"
	calm = "192.0.2.2"
)

func TestConnectionsEnterWhenOthersAreAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, 10*maxEntering)
		for range maxEntering + 5 {
			h.request(loud)
		}
		const alone = maxEntering/2 + 1 // places of a source that has no neighbours
		in := func() []net.Conn { return h.in(loud) }
		if len(in()) != alone {
			t.Errorf("%d have entered, want %d", len(in()), alone)
		}
		h.l.ConnState(in()[0], http.StateActive)
		synctest.Wait()
		if len(in()) != alone {
			t.Errorf("one whose request is under way has made room: %d", len(in()))
		}
		for i, s := range []http.ConnState{http.StateHijacked, http.StateIdle, http.StateClosed} {
			h.l.ConnState(in()[i], s)
			h.l.ConnState(in()[i], http.StateClosed) // counts once
		}
		_ = in()[3].Close()
		synctest.Wait()
		if len(in()) != alone+4 {
			t.Errorf("%d have entered when 4 are through, want %d", len(in()), alone+4)
		}
	})
}

func TestWhoSaysNothingKeepsNobodyOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, 10*maxEntering)
		for range 3 * maxEntering {
			h.connect(loud)
		}
		h.request(loud)
		h.request(calm)
		if len(h.in(loud)) != 1 || len(h.in(calm)) != 1 {
			t.Errorf("%d and %d have entered", len(h.in(loud)), len(h.in(calm)))
		}
	})
}

func TestTheSlowKeepNobodyOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, 20*maxEntering)
		for range 4 * maxEntering {
			h.request(loud) // and never goes on
		}
		if len(h.in(loud)) == 4*maxEntering {
			t.Error("there was room: the test did not fill it")
		}
		h.request(calm)
		if len(h.in(calm)) != 1 {
			t.Error("it waits for those who came before it from elsewhere")
		}
		pass(t, 8*entryTime)
		if len(h.in(loud)) != 4*maxEntering {
			t.Errorf("%d of %d have entered in the end", len(h.in(loud)), 4*maxEntering)
		}
	})
}

func TestASourceHasNoMoreThanItsShareOfTheConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const all = 40
		h := newHouse(t, all)
		for range all / 2 {
			h.request(loud)
		}
		refused := h.connect(loud)
		answer := make([]byte, 12)
		if _, err := io.ReadFull(refused, answer); err != nil || string(answer) != "HTTP/1.1 503" {
			t.Errorf("one too many is answered %q, %v", answer, err)
		}
		if _, err := io.ReadAll(refused); err != nil {
			t.Errorf("it is not closed: %v", err)
		}
		h.request(calm)
		if len(h.in(loud)) != all/2 || len(h.in(calm)) != 1 {
			t.Errorf("%d and %d have entered", len(h.in(loud)), len(h.in(calm)))
		}
		for _, c := range h.in(loud) {
			acceptedOf(c).settle()
		}
		h.request(loud)
		if len(h.in(loud)) != all/2+1 {
			t.Error("those who have logged in count for their source")
		}
		for _, c := range append(h.in(loud), h.in(calm)...) {
			_ = c.Close()
			_ = c.Close() // counts once
		}
		if left := h.l.pool.Taken(); left != 0 {
			t.Errorf("%d places are taken when all have gone", left)
		}
	})
}

func TestATrustedProxyMayHaveAllConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const all = 40
		h := newHouse(t, all)
		for range all {
			h.request("203.0.113.5")
		}
		if got := len(h.in("203.0.113.5")); got != all {
			t.Errorf("it has %d of %d", got, all)
		}
		if got, err := io.ReadAll(h.connect("203.0.113.5")); err != nil || len(got) == 0 {
			t.Errorf("one more than all is answered %q, %v", got, err)
		}
		for _, c := range h.all {
			_ = c.Close()
		}
		if left := h.l.pool.Taken(); left != 0 {
			t.Errorf("%d places are taken when all have gone", left)
		}
	})
}

func TestIdleConnectionsAreClosedWhenThereIsACrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const all = 40
		h := newHouse(t, all)
		for range all / 2 {
			h.request(loud)
		}
		open := func(c net.Conn) bool { return !acceptedOf(c).over }
		last := h.in(loud)[all/2-1]
		if h.l.ConnState(last, http.StateIdle); open(last) {
			t.Error("it is open, and half of all places are taken")
		}
		first := h.in(loud)[0]
		if h.l.ConnState(first, http.StateIdle); !open(first) {
			t.Error("it is closed although there is room")
		}
	})
}

// wrapped is TLS, as far as a Listener sees it.
type wrapped struct{ net.Conn }

func (w wrapped) NetConn() net.Conn { return w.Conn }

func TestAListenerKnowsItsConnectionsUnderTLS(t *testing.T) {
	a := new(accepted)
	if acceptedOf(wrapped{wrapped{a}}) != a || acceptedOf(from{}) != nil {
		t.Error("it does not")
	}
}
