package members

import (
	"errors"
	"io"
	"log"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"
)

// wires are the network between nodes, and may be cut.
type wires struct {
	mu   sync.Mutex
	side map[string]int // by gossip address; those on different sides are apart
	deaf bool           // no connections
}

func (w *wires) packetsOnly(yes bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deaf = yes
}

func (w *wires) mayDial() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.deaf
}

func (w *wires) split(sides map[*witness]int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.side = make(map[string]int)
	for n, side := range sides {
		w.side[n.Addr()] = side
	}
}

func (w *wires) apart(a, b string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.side[a] != w.side[b]
}

// plug is one node's end.
type plug struct {
	*memberlist.NetTransport
	wires *wires
	own   string
}

func (w *wires) plug(t *testing.T) func(*Options) {
	t.Helper()
	net, err := memberlist.NewNetTransport(&memberlist.NetTransportConfig{BindAddrs: []string{"127.0.0.1"}, Logger: log.New(io.Discard, "", 0)})
	if err != nil {
		t.Fatal(err)
	}
	ip, port, err := net.FinalAdvertiseAddr("", 0)
	if err != nil {
		t.Fatal(err)
	}
	own := memberlist.Node{Addr: ip, Port: uint16(port)}
	return func(o *Options) { o.transport = &plug{net, w, own.Address()} }
}

var errCut = errors.New("the wire is cut")

// WriteTo implements memberlist.Transport: packets over a cut wire vanish.
func (p *plug) WriteTo(b []byte, addr string) (time.Time, error) {
	return p.WriteToAddress(b, memberlist.Address{Addr: addr})
}

// WriteToAddress implements memberlist.NodeAwareTransport.
func (p *plug) WriteToAddress(b []byte, to memberlist.Address) (time.Time, error) {
	if p.wires.apart(p.own, to.Addr) {
		return time.Now(), nil
	}
	return p.NetTransport.WriteToAddress(b, to)
}

// DialTimeout implements memberlist.Transport.
func (p *plug) DialTimeout(addr string, patience time.Duration) (net.Conn, error) {
	return p.DialAddressTimeout(memberlist.Address{Addr: addr}, patience)
}

// DialAddressTimeout implements memberlist.NodeAwareTransport.
func (p *plug) DialAddressTimeout(to memberlist.Address, patience time.Duration) (net.Conn, error) {
	if !p.wires.mayDial() || p.wires.apart(p.own, to.Addr) {
		return nil, errCut
	}
	return p.NetTransport.DialAddressTimeout(to, patience)
}

// The partition lasts until memberlist has forgotten the dead, and nobody has
// seeds, so that only looking for those who vanished heals it.
func TestHalvesFindEachOtherAgain(t *testing.T) {
	w := new(wires)
	a := start(t, "a", w.plug(t))
	b, c, d := start(t, "b", w.plug(t)), start(t, "c", w.plug(t)), start(t, "d", w.plug(t))
	if _, err := a.list.Join([]string{b.Addr(), c.Addr(), d.Addr()}); err != nil {
		t.Fatal(err)
	}
	for _, n := range []*witness{a, b, c, d} {
		n.sees("a b c d")
	}
	w.split(map[*witness]int{a: 0, b: 0, c: 1, d: 1})
	for _, n := range []*witness{a, b} {
		n.sees("a b")
	}
	for _, n := range []*witness{c, d} {
		n.sees("c d")
	}
	while(t, 6*time.Second, "the halves stay apart", func() bool { return len(a.Nodes()) == 2 && len(c.Nodes()) == 2 })
	w.split(nil)
	healed := time.Now()
	for _, n := range []*witness{a, b, c, d} {
		n.sees("a b c d")
	}
	for _, n := range []*witness{a, b, c, d} {
		await(t, "each learns that the other half had given it up", func() bool { return n.evictions() > 0 })
	}
	t.Logf("healed in %v", time.Since(healed))
}

// A word that does not arrive is said again: packets pass, so that a hears that b
// is alive, connections do not.
func TestWhoCannotBeToldIsToldLater(t *testing.T) {
	w := new(wires)
	a := start(t, "a", w.plug(t))
	b := start(t, "b", func(o *Options) {
		w.plug(t)(o)
		seeds(a)(o)
	})
	a.sees("a b")
	b.sees("a b")
	w.split(map[*witness]int{a: 0, b: 1})
	a.sees("a")
	b.sees("b")
	w.packetsOnly(true)
	w.split(nil)
	a.sees("a b")
	b.sees("a b")
	while(t, time.Second, "nobody can be told", func() bool { return a.evictions()+b.evictions() == 0 })
	w.packetsOnly(false)
	await(t, "both hear of it in the end", func() bool { return a.evictions() == 1 && b.evictions() == 1 })
}
