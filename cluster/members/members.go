// Package members finds the nodes of a cluster by gossip (memberlist): who is
// there, where each is reached, who has gone. It is a hint: Raft decides who
// leads, the registry who belongs. It also forms a cluster of nodes that start
// together (Form). The node starts it first and stops it last; nothing in it
// blocks but Form and Leave.
//
// Goroutines: memberlist's, and one that gathers changes, calls back, and joins
// nodes that should be there and are not. All end with Close.
package members

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
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
	// Key encrypts gossip: 16, 24 or 32 bytes; nil: plain.
	Key []byte
	// Expect is how many nodes found the cluster together; 0: without seeds alone.
	Expect int
	// GrantFile keeps which node this one has let found the cluster; "": nowhere.
	GrantFile string
	// Changed is told all live nodes of this cluster and those of none, this one
	// included, by ID, whenever that changes. Gone is told before it of each that
	// has ended or is not reached. Evicted says that the others had given this node
	// up. One goroutine calls them; they must not call Close.
	Changed func([]Node)
	Gone    func(Node)
	Evicted func()
	Timing  Timing
	Log     *slog.Logger
}

// Timing says how patient gossip is; zero values mean the defaults.
type Timing struct {
	Probe  time.Duration // between looks at single nodes: 500 ms
	Gather time.Duration // what changes together is told together: 100 ms
	Rejoin time.Duration // about how often missing nodes are looked for: 2 s
}

// rejoinTime is for how long a node that vanished is looked for.
const rejoinTime = 10 * time.Minute

// pausedTime is how long this process must have stood still for the others to
// have given it up.
const pausedTime = 3 * time.Second

// Members is this node's view of the others.
type Members struct {
	o     Options
	list  *memberlist.Memberlist
	wake  chan struct{}
	told  chan struct{} // a token: others say that they had given this node up
	stop  context.CancelFunc
	ctx   context.Context
	ended sync.WaitGroup

	mu    sync.Mutex
	self  Node
	heard map[string]memberlist.Node // by name; the library's own list changes while it is read

	// Of the goroutine.
	live   map[storage.NodeID]Node
	lost   map[storage.NodeID]lost // not live any more
	warned map[string]bool
}

// lost is a node that was there.
type lost struct {
	Node
	since time.Time
}

// Start binds the ports and begins to gossip. No seed needs to be there yet.
func Start(o Options) (*Members, error) {
	setDefault(&o.Timing.Probe, 500*time.Millisecond)
	setDefault(&o.Timing.Gather, 100*time.Millisecond)
	setDefault(&o.Timing.Rejoin, 2*time.Second)
	grant, err := readGrant(o.GrantFile)
	if err != nil {
		return nil, err
	}
	m := &Members{
		o: o, self: o.Self, wake: make(chan struct{}, 1), told: make(chan struct{}, 1), heard: make(map[string]memberlist.Node),
		live: make(map[storage.NodeID]Node), lost: make(map[storage.NodeID]lost), warned: make(map[string]bool),
	}
	m.self.Grant = grant
	if _, err := m.self.encode(); err != nil {
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
	m.ended.Go(m.run)
	return m, nil
}

func setDefault(to *time.Duration, value time.Duration) {
	if *to <= 0 {
		*to = value
	}
}

// config is memberlist's, quicker than its own for a local network: a node that
// was killed is given up after about 2 s, one that stood still for 1 s is not.
func (m *Members) config() (*memberlist.Config, error) {
	host, port, err := net.SplitHostPort(m.o.Bind)
	if err != nil {
		return nil, err
	}
	c := memberlist.DefaultLANConfig()
	if c.BindPort, err = strconv.Atoi(port); err != nil {
		return nil, err
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	c.BindAddr, c.AdvertisePort = host, c.BindPort
	if m.o.Advertise != "" {
		found, err := net.LookupIP(m.o.Advertise)
		if err != nil || len(found) == 0 {
			return nil, fmt.Errorf("find the address of %s, as this node is to be advertised: %w", m.o.Advertise, err)
		}
		c.AdvertiseAddr = found[0].String()
	}
	c.Name, c.SecretKey = string(m.o.Self.ID), m.o.Key
	c.ProbeInterval, c.ProbeTimeout = m.o.Timing.Probe, m.o.Timing.Probe/2
	c.SuspicionMult, c.SuspicionMaxTimeoutMult = 4, 2
	c.PushPullInterval, c.GossipInterval = 10*time.Second, m.o.Timing.Probe/5
	c.TCPTimeout = 2 * time.Second
	c.DeadNodeReclaimTime = m.o.Timing.Probe // for a node that comes back at another address
	c.Delegate, c.Events, c.Merge = m, m, m
	c.LogOutput = &logWriter{m.o.Log}
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
	for _, found := range m.heard {
		n, ok := decode(&found)
		switch {
		case !ok:
		case n.ID == self.ID:
			self.Gossip = n.Gossip
		case n.Cluster != "" && self.Cluster != "" && n.Cluster != self.Cluster:
			strangers = append(strangers, n)
		default:
			all = append(all, n)
		}
	}
	all = append(all, self)
	slices.SortFunc(all, func(a, b Node) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return newest(all), strangers
}

// newest drops nodes whose address a later start has taken.
func newest(all []Node) []Node {
	at := make(map[string]Node)
	for _, n := range all {
		if other, ok := at[n.Peer]; !ok || n.Start > other.Start {
			at[n.Peer] = n
		}
	}
	return slices.DeleteFunc(all, func(n Node) bool { return at[n.Peer].ID != n.ID })
}

// Update changes what is gossiped of this node.
func (m *Members) Update(change func(*Node)) {
	m.mu.Lock()
	change(&m.self)
	m.mu.Unlock()
	if err := m.list.UpdateNode(0); err != nil && m.ctx.Err() == nil {
		m.o.Log.Debug("gossip about this node is slow", "error", err)
	}
	m.signal()
}

// Leave tells the others that this node ends.
func (m *Members) Leave(ctx context.Context) error {
	patience := time.Second
	if at, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(at))
	}
	return m.list.Leave(patience)
}

// Close ends everything without a word to the others.
func (m *Members) Close() error {
	m.stop()
	err := m.list.Shutdown()
	m.ended.Wait()
	return err
}

func (m *Members) signal() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// run gathers changes and looks for nodes that are missing.
func (m *Members) run() {
	var joining sync.WaitGroup
	defer joining.Wait()
	busy := make(chan struct{}, 1)
	seek := func() {
		select {
		case busy <- struct{}{}:
			missing := m.missing()
			joining.Go(func() {
				m.join(missing)
				<-busy
			})
		default:
		}
	}
	rejoin := time.NewTimer(0)
	defer rejoin.Stop()
	look := time.NewTicker(pausedTime / 6)
	defer look.Stop()
	last, evicted := time.Now(), time.Time{}
	for {
		select {
		case <-m.ctx.Done():
			return
		case <-m.wake:
			if !m.pause(m.o.Timing.Gather) {
				return
			}
			m.gather()
		case <-rejoin.C:
			seek()
			rejoin.Reset(m.o.Timing.Rejoin/2 + rand.N(m.o.Timing.Rejoin))
		case <-look.C:
			if time.Since(last) > pausedTime {
				m.evict(&evicted)
			}
			last = time.Now()
		case <-m.told:
			m.evict(&evicted)
		}
	}
}

// evictAgain keeps what several others say from counting more than once.
const evictAgain = 5 * time.Second

func (m *Members) evict(last *time.Time) {
	if time.Since(*last) > evictAgain {
		*last = time.Now()
		m.o.Evicted()
	}
}

// pause waits; false when everything ends meanwhile.
func (m *Members) pause(d time.Duration) bool {
	wait := time.NewTimer(d)
	defer wait.Stop()
	select {
	case <-wait.C:
		return true
	case <-m.ctx.Done():
		return false
	}
}

// gather finds out what has changed and calls back.
func (m *Members) gather() {
	all, strangers := m.read()
	for _, n := range strangers {
		if key := string(n.ID) + n.Cluster; !m.warned[key] {
			m.warned[key] = true
			m.o.Log.Warn("a node of another cluster gossips here; it is passed over", "node", n.ID, "cluster", n.Cluster)
		}
	}
	live := make(map[storage.NodeID]Node, len(all))
	for _, n := range all {
		live[n.ID] = n
		if was, ok := m.lost[n.ID]; ok {
			delete(m.lost, n.ID)
			if was.Start == n.Start {
				m.tellEvicted(n)
			}
		}
	}
	changed := len(live) != len(m.live)
	for id, was := range m.live {
		n, ok := live[id]
		changed = changed || n != was
		if !ok {
			m.lost[id] = lost{was, time.Now()}
		}
		if !ok || n.Start != was.Start {
			m.o.Gone(was)
		}
	}
	m.live = live
	if changed {
		m.o.Changed(all)
	}
}

// evictedMessage is what a node is told that comes back from the dead.
var evictedMessage = []byte("evicted")

func (m *Members) tellEvicted(n Node) {
	m.mu.Lock()
	found, ok := m.heard[string(n.ID)]
	m.mu.Unlock()
	if !ok {
		return
	}
	if err := m.list.SendReliable(&found, evictedMessage); err != nil {
		m.o.Log.Debug("a node was not told that it had been given up", "node", n.ID, "error", err)
	}
}

// missing are addresses of nodes that should be there: seeds, and who was there
// a while ago.
func (m *Members) missing() (all []string) {
	there := make(map[string]bool)
	m.mu.Lock()
	for _, n := range m.heard {
		there[n.Address()] = true
	}
	m.mu.Unlock()
	for _, seed := range m.o.Seeds {
		if at, err := net.ResolveTCPAddr("tcp", seed); err == nil && !there[at.String()] {
			all = append(all, at.String())
		}
	}
	for id, n := range m.lost {
		if time.Since(n.since) > rejoinTime {
			delete(m.lost, id)
		} else if !there[n.Gossip] && !slices.Contains(all, n.Gossip) {
			all = append(all, n.Gossip)
		}
	}
	return all
}

func (m *Members) join(missing []string) {
	for _, addr := range missing {
		if m.ctx.Err() != nil {
			return
		}
		if _, err := m.list.Join([]string{addr}); err != nil {
			m.o.Log.Debug("node not joined", "gossip", addr, "error", err)
		}
	}
}

// NodeMeta implements memberlist.Delegate.
func (m *Members) NodeMeta(int) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	text, err := m.self.encode()
	if err != nil {
		m.o.Log.Error("this node cannot be described to others", "error", err)
	}
	return text
}

// NotifyMsg implements memberlist.Delegate.
func (m *Members) NotifyMsg(text []byte) {
	if string(text) == string(evictedMessage) {
		select {
		case m.told <- struct{}{}:
		default:
		}
	}
}

// GetBroadcasts implements memberlist.Delegate.
func (m *Members) GetBroadcasts(int, int) [][]byte { return nil }

// LocalState implements memberlist.Delegate.
func (m *Members) LocalState(bool) []byte { return nil }

// MergeRemoteState implements memberlist.Delegate.
func (m *Members) MergeRemoteState([]byte, bool) {}

// NotifyJoin implements memberlist.EventDelegate.
func (m *Members) NotifyJoin(n *memberlist.Node) { m.hear(n) }

// NotifyLeave implements memberlist.EventDelegate.
func (m *Members) NotifyLeave(n *memberlist.Node) {
	m.mu.Lock()
	delete(m.heard, n.Name)
	m.mu.Unlock()
	m.signal()
}

// NotifyUpdate implements memberlist.EventDelegate.
func (m *Members) NotifyUpdate(n *memberlist.Node) { m.hear(n) }

// hear keeps what is gossiped of a node. The caller holds the library's lock.
func (m *Members) hear(n *memberlist.Node) {
	m.mu.Lock()
	m.heard[n.Name] = *n
	m.mu.Unlock()
	m.signal()
}

var errStranger = errors.New("it belongs to another cluster")

// NotifyMerge implements memberlist.MergeDelegate: clusters do not mix.
func (m *Members) NotifyMerge(peers []*memberlist.Node) error {
	m.mu.Lock()
	own := m.self.Cluster
	m.mu.Unlock()
	for _, p := range peers {
		if n, ok := decode(p); ok && own != "" && n.Cluster != "" && n.Cluster != own {
			return errStranger
		}
	}
	return nil
}
