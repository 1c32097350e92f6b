// Package members finds the nodes of a cluster by gossip (memberlist): who is
// there, where each is reached, who has gone. It is a hint: Raft decides who
// leads, the registry who belongs. It also forms a cluster of nodes that start
// together (Form). The node starts it first and stops it last; nothing in it
// blocks but Form, Leave and Close.
//
// Goroutines: memberlist's; one that gathers changes and calls back (watch.go);
// one that notices when the process stood still; and a short one at a time that
// dials nodes that should be there and are not (join.go). All end with Close.
package members

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/parley-im/parley/storage"
)

// Options say who this node is and where others may be.
type Options struct {
	Self Node
	// Bind is HOST:PORT for TCP and UDP, port 0 picks one; Advertise the host that
	// others are told, when it is another one.
	Bind, Advertise string
	// Seeds are gossip addresses of other nodes.
	Seeds []string
	// Label and Key keep others out: gossip with another label or key is ignored.
	// Key encrypts: 16, 24 or 32 bytes; nil: plain.
	Label string
	Key   []byte
	// Expect is how many nodes found the cluster together; 0: without seeds alone.
	Expect int
	// GrantFile keeps which node this one has let found the cluster, PeersFile
	// where other nodes gossiped last, so that a start finds them without seeds; "":
	// nowhere.
	GrantFile, PeersFile string
	// Changed gets all live nodes of this cluster and those of none, this one
	// included, by ID, whenever that changes. Gone is called before it for each that
	// has ended or is not reached. Evicted says that the others had given this node
	// up. One goroutine calls them; they must not call Close.
	Changed func([]Node)
	Gone    func(Node)
	Evicted func()
	Timing  Timing
	Log     *slog.Logger

	transport memberlist.Transport // nil: a TCP and a UDP port
}

// Timing says how patient gossip is; zero values mean the defaults.
type Timing struct {
	Probe  time.Duration // between looks at single nodes: 500 ms
	Gather time.Duration // what changes together is reported together: 100 ms
	Rejoin time.Duration // about how often missing nodes are looked for: 2 s
}

// suspicion is for how many probes a silent node may defend itself. It makes a
// killed node's death known 2 to 3.5 s after, and leaves one that stood still for
// 1 s alone.
const suspicion = 3

// givenUp is how long this node must have stood still for the others to have
// declared it dead: the probe that failed, and suspicion.
func (t Timing) givenUp() time.Duration { return (1 + suspicion) * t.Probe }

// Members is this node's view of the others.
type Members struct {
	o       Options
	list    *memberlist.Memberlist
	port    int           // that it gossips at
	wake    chan struct{} // a token: something has changed
	told    chan struct{} // a token: the others had given this node up
	stop    context.CancelFunc
	ctx     context.Context
	ended   sync.WaitGroup
	leaving atomic.Bool

	// mu is taken by memberlist's callbacks under memberlist's own lock: nobody
	// calls memberlist while holding it.
	mu    sync.Mutex
	self  Node
	heard map[string]heard // by name: who is live

	// Of the goroutine that gathers.
	live   map[storage.NodeID]Node
	lost   map[storage.NodeID]lost // were live under this start, or in an earlier life of this node
	peers  []peer                  // as PeersFile has them
	warned map[string]bool         // strangers
}

// Start binds the ports and begins to gossip. No seed needs to be there yet.
func Start(o Options) (*Members, error) {
	setDefault(&o.Timing.Probe, 500*time.Millisecond)
	setDefault(&o.Timing.Gather, 100*time.Millisecond)
	setDefault(&o.Timing.Rejoin, 2*time.Second)
	grant, err := readGrant(o.GrantFile)
	if err != nil {
		return nil, fmt.Errorf("read who may found the cluster: %w", err)
	}
	m := &Members{
		o: o, self: o.Self, wake: make(chan struct{}, 1), told: make(chan struct{}, 1), heard: make(map[string]heard),
		live: make(map[storage.NodeID]Node), lost: make(map[storage.NodeID]lost), warned: make(map[string]bool),
	}
	m.self.Grant = grant
	m.readPeers()
	if err := m.self.checkRoom(); err != nil {
		return nil, err
	}
	m.ctx, m.stop = context.WithCancel(context.Background())
	c, err := m.config()
	if err != nil {
		return nil, err
	}
	if m.list, err = memberlist.Create(c); err != nil {
		return nil, fmt.Errorf("listen for gossip on %s: %w", o.Bind, err)
	}
	m.port = int(m.list.LocalNode().Port)
	m.ended.Go(m.run)
	started := time.Now()
	m.ended.Go(func() { m.watchClock(started) })
	return m, nil
}

func setDefault(to *time.Duration, value time.Duration) {
	if *to <= 0 {
		*to = value
	}
}

// config is memberlist's, quicker than its own for a local network.
func (m *Members) config() (*memberlist.Config, error) {
	bind, err := net.ResolveTCPAddr("tcp", m.o.Bind)
	if err != nil {
		return nil, fmt.Errorf("gossip at %q: %w", m.o.Bind, err)
	}
	if len(bind.IP) == 0 {
		bind.IP = net.IPv4zero
	}
	c := memberlist.DefaultLANConfig()
	c.BindAddr, c.BindPort, c.AdvertisePort = bind.IP.String(), bind.Port, bind.Port
	if m.o.Advertise != "" {
		host, err := net.ResolveIPAddr("ip", m.o.Advertise)
		if err != nil {
			return nil, fmt.Errorf("find the address of %s, as this node is to be advertised: %w", m.o.Advertise, err)
		}
		c.AdvertiseAddr = host.IP.String()
	}
	c.Name, c.Label, c.SecretKey = m.o.Self.name(), m.o.Label, m.o.Key
	c.ProbeInterval, c.ProbeTimeout = m.o.Timing.Probe, m.o.Timing.Probe/2
	c.SuspicionMult, c.SuspicionMaxTimeoutMult = suspicion, 2
	c.PushPullInterval, c.GossipInterval = 10*time.Second, m.o.Timing.Probe/5
	c.TCPTimeout = 2 * time.Second
	c.GossipToTheDeadTime = 20 * m.o.Timing.Probe // this package itself looks for the dead
	c.Transport, c.Delegate, c.Events = m.o.transport, m, m
	c.LogOutput = &logWriter{log: m.o.Log}
	return c, nil
}

// Addr is where this node gossips.
func (m *Members) Addr() string { return m.list.LocalNode().Address() }

// Nodes lists all live nodes of this cluster and those of none, this one
// included, by ID.
func (m *Members) Nodes() []Node {
	all, _ := m.read()
	return all
}

// read also gives the nodes of other clusters.
func (m *Members) read() (all, strangers []Node) {
	m.mu.Lock()
	defer m.mu.Unlock()
	self := m.self
	for _, h := range m.heard {
		n, ok := decode(h)
		switch {
		case !ok:
		case n.ID == self.ID:
			if n.Start == self.Start {
				self.Gossip = n.Gossip
			}
		case n.Cluster != "" && self.Cluster != "" && n.Cluster != self.Cluster:
			strangers = append(strangers, n)
		default:
			all = append(all, n)
		}
	}
	all = append(all, self)
	slices.SortFunc(all, func(a, b Node) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return newest(self.ID, all), strangers
}

// newest drops starts of nodes that a later one of the same node follows, or
// whose address a later start of another node has taken, but never this one.
func newest(self storage.NodeID, all []Node) []Node {
	last, at := make(map[storage.NodeID]Node), make(map[string]Node)
	for _, n := range all {
		if other, ok := last[n.ID]; !ok || n.Start > other.Start {
			last[n.ID] = n
		}
		if other, ok := at[n.Peer]; !ok || n.Start > other.Start {
			at[n.Peer] = n
		}
	}
	return slices.DeleteFunc(all, func(n Node) bool {
		return n.Start != last[n.ID].Start || n.Peer != "" && at[n.Peer].ID != n.ID && n.ID != self
	})
}

// Update changes what is gossiped of this node; the others hear of it a little
// later. A change that makes it too long is not made.
func (m *Members) Update(change func(*Node)) {
	m.mu.Lock()
	next := m.self
	change(&next)
	_, err := next.encode()
	if err == nil {
		m.self = next
	}
	m.mu.Unlock()
	if err != nil {
		m.o.Log.Error("this node cannot be described to the others", "error", err)
		return
	}
	// It queues the news at once, then waits until they were sent often enough,
	// which never happens after Close or when the others are dead: do not wait.
	_ = m.list.UpdateNode(time.Nanosecond)
	m.signal()
}

// Leave tells the others that this node ends, and waits for at most a second, or
// until ctx's deadline, that they hear it. Only Close may follow.
func (m *Members) Leave(ctx context.Context) error {
	patience := time.Second
	if at, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(at))
	}
	if err := ctx.Err(); err != nil || patience <= 0 {
		return context.Cause(ctx)
	}
	m.leaving.Store(true)
	return m.list.Leave(patience)
}

// Close ends everything without a word to the others.
func (m *Members) Close() error {
	m.stop()
	err := m.list.Shutdown()
	m.ended.Wait()
	return err
}

// heard is a live node as memberlist has it. The callbacks copy it, because
// memberlist changes what its own list points at.
type heard struct{ memberlist.Node }

// NodeMeta implements memberlist.Delegate.
func (m *Members) NodeMeta(int) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	text, _ := m.self.encode() // Start and Update have seen to it that it fits
	return text
}

// NotifyMsg implements memberlist.Delegate.
func (m *Members) NotifyMsg(text []byte) {
	if string(text) == string(evictedMessage) {
		m.tell()
	}
}

// GetBroadcasts implements memberlist.Delegate.
func (m *Members) GetBroadcasts(int, int) [][]byte { return nil }

// LocalState implements memberlist.Delegate.
func (m *Members) LocalState(bool) []byte { return nil }

// MergeRemoteState implements memberlist.Delegate.
func (m *Members) MergeRemoteState([]byte, bool) {}

// NotifyJoin implements memberlist.EventDelegate.
func (m *Members) NotifyJoin(n *memberlist.Node) { m.NotifyUpdate(n) }

// NotifyLeave implements memberlist.EventDelegate.
func (m *Members) NotifyLeave(n *memberlist.Node) {
	m.mu.Lock()
	delete(m.heard, n.Name)
	m.mu.Unlock()
	m.signal()
}

// NotifyUpdate implements memberlist.EventDelegate.
func (m *Members) NotifyUpdate(n *memberlist.Node) {
	m.mu.Lock()
	m.heard[n.Name] = heard{*n}
	m.mu.Unlock()
	m.signal()
}
