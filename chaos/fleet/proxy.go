package fleet

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"time"
)

// proxies stand between the nodes of a fleet on loopback, so that they can be cut
// apart without root: each node tells the others a host at which not it but a
// proxy listens, with the same ports, which passes on what comes. Who sends is
// told from the socket's owner (see owner.go), or from the port that gossip comes
// from.
//
// What a cut forbids is held back on connections, as TCP would send it again
// until it gets through, and dropped of datagrams. Three things are not as on a
// network: a connection is accepted though nothing comes through, and also while
// the node is down, when it ends at once; and the end of a connection is told
// when the cut has ended.
type proxies struct {
	mu      sync.Mutex
	cuts    map[way]int   // how many forbid it
	hits    map[way]int   // datagrams and pieces of streams that were held back
	changed chan struct{} // closed and replaced when cuts change
	conns   map[*proxied]bool
	nodes   []*Node
	open    []interface{ Close() error } // listeners
	running sync.WaitGroup
}

// way is what goes from one node to another.
type way struct{ from, to *Node }

func newProxies() *proxies {
	return &proxies{cuts: make(map[way]int), hits: make(map[way]int), changed: make(chan struct{}), conns: make(map[*proxied]bool)}
}

// add has proxies listen for a node whose addresses are settled, and gives their
// host. Ports are those of the node.
func (p *proxies) add(n *Node, number int) (err error) {
	n.front = fmt.Sprintf("127.77.%d.%d", os.Getpid()%250+1, number%250+1)
	var open []interface{ Close() error }
	defer func() {
		if err != nil {
			for _, l := range open {
				_ = l.Close()
			}
		}
	}()
	var starts []func()
	for _, target := range []string{n.peer, n.actorAt, n.gossip} {
		l, err := net.Listen("tcp", n.at(target))
		if err != nil {
			return fmt.Errorf("fleet: a proxy of %s: %w", n.Name, err)
		}
		open = append(open, l)
		starts = append(starts, func() { p.accept(l, n, target) })
	}
	in, err := net.ListenPacket("udp", n.at(n.gossip))
	if err != nil {
		return fmt.Errorf("fleet: a proxy of %s: %w", n.Name, err)
	}
	open = append(open, in)
	out, err := net.Dial("udp", n.gossip)
	if err != nil {
		return fmt.Errorf("fleet: a proxy of %s: %w", n.Name, err)
	}
	open = append(open, out)
	starts = append(starts, func() { p.datagrams(in, out, n) })
	p.mu.Lock()
	p.nodes, p.open = append(p.nodes, n), append(p.open, open...)
	p.mu.Unlock()
	for _, start := range starts {
		p.running.Go(start)
	}
	return nil
}

// at is an address of the node as the others know it.
func (n *Node) at(addr string) string {
	if n.front == "" {
		return addr
	}
	_, port, _ := net.SplitHostPort(addr)
	return net.JoinHostPort(n.front, port)
}

// datagrams passes gossip on.
func (p *proxies) datagrams(in net.PacketConn, out net.Conn, to *Node) {
	b := make([]byte, 1<<16)
	for {
		size, from, err := in.ReadFrom(b)
		if err != nil {
			return
		}
		if w := (way{p.gossiper(from.String()), to}); w.from == nil || !p.hit(w) {
			_, _ = out.Write(b[:size]) // whose loss is not told, as that of any datagram
		}
	}
}

// gossiper is the node that gossips from an address, nil if none does.
func (p *proxies) gossiper(addr string) *Node {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.IndexFunc(p.nodes, func(n *Node) bool { return n.gossip == addr }); i >= 0 {
		return p.nodes[i]
	}
	return nil
}

// hit says whether a way is cut, and counts it if so.
func (p *proxies) hit(w way) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cuts[w] == 0 {
		return false
	}
	p.hits[w]++
	return true
}

// accept passes connections on.
func (p *proxies) accept(l net.Listener, to *Node, target string) {
	for {
		in, err := l.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.pass(in.(*net.TCPConn), to, target) })
	}
}

// proxied is one connection between two nodes; from is nil when nobody knows
// whose it is.
type proxied struct {
	from, to *Node
	in, out  *net.TCPConn
	once     sync.Once
	ended    chan struct{}
}

// connectTime is how long a node on this machine may take to accept.
const connectTime = 2 * time.Second

func (p *proxies) pass(in *net.TCPConn, to *Node, target string) {
	out, err := net.DialTimeout("tcp", target, connectTime)
	if err != nil {
		_ = in.SetLinger(0) // it is refused
		_ = in.Close()
		return
	}
	c := &proxied{to: to, in: in, out: out.(*net.TCPConn), ended: make(chan struct{})}
	p.mu.Lock()
	nodes := slices.Clone(p.nodes)
	p.mu.Unlock()
	c.from = ownerOf(in.RemoteAddr(), in.LocalAddr(), nodes)
	p.mu.Lock()
	p.conns[c] = true
	p.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { p.copy(c, c.out, c.in, way{c.from, c.to}) })
	both.Go(func() { p.copy(c, c.in, c.out, way{c.to, c.from}) })
	both.Wait()
	p.mu.Lock()
	delete(p.conns, c)
	p.mu.Unlock()
}

// copy passes on what comes from one end, and its end.
func (p *proxies) copy(c *proxied, to, from *net.TCPConn, w way) {
	defer c.end(false)
	b := make([]byte, 32<<10)
	for {
		size, err := from.Read(b)
		if c.from != nil && !p.await(w, c.ended) || err != nil {
			return
		}
		if _, err := to.Write(b[:size]); err != nil {
			return
		}
	}
}

// await waits until a way is not cut; false when the connection ends before.
func (p *proxies) await(w way, ended <-chan struct{}) bool {
	for first := true; ; first = false {
		p.mu.Lock()
		cut, changed := p.cuts[w] > 0, p.changed
		if cut && first {
			p.hits[w]++
		}
		p.mu.Unlock()
		if !cut {
			return true
		}
		select {
		case <-changed:
		case <-ended:
			return false
		}
	}
}

// end closes both ends, with a reset if they are to notice.
func (c *proxied) end(reset bool) {
	c.once.Do(func() {
		for _, one := range []*net.TCPConn{c.in, c.out} {
			if reset {
				_ = one.SetLinger(0)
			}
			_ = one.Close()
		}
		close(c.ended)
	})
}

// cut has ways be forbidden, or once more allowed.
func (p *proxies) cut(ways []way, by int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range ways {
		p.cuts[w] += by
	}
	close(p.changed)
	p.changed = make(chan struct{})
}

// held counts what was held back on ways, ever.
func (p *proxies) held(ways []way) (all int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range ways {
		all += p.hits[w]
	}
	return all
}

// reset ends the connections between nodes, and counts them.
func (p *proxies) reset(ways []way) (connections int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		if slices.Contains(ways, way{c.from, c.to}) || slices.Contains(ways, way{c.to, c.from}) {
			c.end(true)
			connections++
		}
	}
	return connections
}

// close ends all of it.
func (p *proxies) close() error {
	p.mu.Lock()
	var errs []error
	for _, l := range p.open {
		errs = append(errs, l.Close())
	}
	for c := range p.conns {
		c.end(false)
	}
	p.mu.Unlock()
	p.running.Wait()
	return errors.Join(errs...)
}
