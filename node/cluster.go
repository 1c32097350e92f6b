package node

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/link"
	"github.com/parley-im/parley/cluster/members"
	"github.com/parley-im/parley/internal/durable"
	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/transport/ws"
)

// ClusterOptions say how a node meets others. Addresses are HOST:PORT; an empty
// one is a free port on loopback.
type ClusterOptions struct {
	PeerAddr, ActorAddr, GossipAddr string
	// Advertise is the host that others get instead of those above.
	Advertise string
	// Join are gossip addresses of other nodes, Expect how many found the cluster
	// together.
	Join   []string
	Expect int
	Zone   string
	// TLS is used between nodes in both directions; nil: plain.
	TLS *tls.Config
	// GossipKey encrypts gossip; nil: plain.
	GossipKey []byte
	// Dial connects both links to other nodes; nil: plainly. Gossip does not use it.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// mesh is the node's place among the others: gossip tells who there is, and two
// links reach them, one for Raft, one for actors.
type mesh struct {
	membership
	members     *members.Members
	peer, actor net.Listener
	raft, talk  *link.Link

	mu    sync.Mutex
	nodes []members.Node // as last heard of

	saving sync.Mutex // the membership, once the node has met others
}

// membership is what the data directory remembers of the cluster.
type membership struct {
	// Cluster is the cluster's ID, S included.
	Cluster string `json:"cluster"`
	// Founding is set until the founder has made all shards: until then nobody
	// else may know of the cluster.
	Founding bool `json:"founding,omitempty"`
	// Version is the one that the cluster agreed on, 0: not heard yet.
	Version uint32 `json:"version,omitempty"`
}

func (n *Node) membershipFile() string { return filepath.Join(n.o.Data, "cluster.json") }

// recall reads the membership. A store with replicas and no word of a cluster
// was alone: it is a cluster of its own.
func (n *Node) recall() error {
	text, err := os.ReadFile(n.membershipFile())
	if err == nil {
		err = json.Unmarshal(text, &n.mesh.membership)
	}
	if err == nil {
		n.agreed.Store(n.mesh.Version)
		return canSpeak(n.mesh.Version)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	replicas, err := n.store.Replicas()
	if err == nil && len(replicas) > 0 {
		n.mesh.membership = membership{Cluster: "parley-" + string(n.store.Node()) + "-" + strconv.Itoa(n.o.Shards), Founding: true}
	}
	return err
}

// remember makes the membership durable. A node over a store of its caller's
// remembers nothing.
func (n *Node) remember() error {
	if n.o.Data == "" {
		return nil
	}
	text, err := json.Marshal(n.mesh.membership)
	if err != nil {
		return err
	}
	return durable.WriteFile(n.membershipFile(), text)
}

// amend changes the membership of a node that has one.
func (n *Node) amend(change func(*membership)) error {
	n.mesh.saving.Lock()
	defer n.mesh.saving.Unlock()
	change(&n.mesh.membership)
	return n.remember()
}

// listenPeers binds the ports for the links of other nodes.
func (n *Node) listenPeers() (err error) {
	bind := func(setting, addr, host string) (net.Listener, error) {
		return listen(setting, cmp.Or(addr, net.JoinHostPort(host, "0")))
	}
	o := n.o.Cluster
	if n.mesh.peer, err = bind("peer-addr", o.PeerAddr, "127.0.0.1"); err != nil {
		return err
	}
	host, _, _ := net.SplitHostPort(n.mesh.peer.Addr().String())
	n.mesh.actor, err = bind("actor-addr", o.ActorAddr, host)
	return err
}

// meet begins to gossip, and finds the cluster or founds it.
func (n *Node) meet(ctx context.Context) (err error) {
	if err := n.recall(); err != nil {
		return fmt.Errorf("read the node's membership: %w", err)
	}
	o := n.o.Cluster
	self := members.Node{
		ID: n.store.Node(), Start: uint64(n.o.Now().UnixMilli()), Zone: o.Zone, Client: n.mount(),
		Oldest: chat.Spoken().Oldest, Newest: chat.Spoken().Newest, Agreed: n.agreed.Load(),
	}
	if self.Peer, err = advertised(n.mesh.peer, o.Advertise); err != nil {
		return err
	}
	if self.Actor, err = advertised(n.mesh.actor, o.Advertise); err != nil {
		return err
	}
	if !n.mesh.Founding {
		self.Cluster = n.mesh.Cluster
	}
	n.mesh.members, err = members.Start(members.Options{
		Self: self, Label: "parley", Bind: cmp.Or(o.GossipAddr, "127.0.0.1:0"), Advertise: o.Advertise, Seeds: o.Join, Key: o.GossipKey, Expect: o.Expect, Log: n.o.Log,
		GrantFile: n.dataFile("grant"), PeersFile: n.dataFile("peers.json"), Changed: n.membersChanged, Gone: n.memberGone, Evicted: n.evicted,
	})
	if err != nil {
		return fmt.Errorf("begin to gossip at --gossip-addr %s: %w", cmp.Or(o.GossipAddr, "(none: a free port)"), err)
	}
	if n.mesh.Cluster != "" {
		return n.checkShards()
	}
	cluster, found, err := n.mesh.members.Form(ctx)
	if err != nil {
		return fmt.Errorf("find the cluster: %w", err)
	}
	if found {
		cluster += "-" + strconv.Itoa(n.o.Shards)
	}
	n.mesh.membership = membership{Cluster: cluster, Founding: found}
	if err := errors.Join(n.checkShards(), n.canJoin(n.mesh.members.Nodes())); err != nil {
		return err
	}
	if err := n.remember(); err != nil {
		return fmt.Errorf("write the node's membership: %w", err)
	}
	if !found {
		n.belong()
	}
	return nil
}

// belong tells the others of which cluster this node is.
func (n *Node) belong() { n.mesh.members.Update(func(m *members.Node) { m.Cluster = n.mesh.Cluster }) }

// dataFile is a file of the data directory, "" for a node that has none.
func (n *Node) dataFile(name string) string {
	if n.o.Data == "" {
		return ""
	}
	return filepath.Join(n.o.Data, name)
}

// checkShards refuses a cluster that has another S than this node's store.
func (n *Node) checkShards() error {
	_, shards, _ := cutLast(n.mesh.Cluster, "-")
	if shards != strconv.Itoa(n.o.Shards) {
		return fmt.Errorf("the cluster has %s shards, this node is set up for %d: set shards to %s, which must not hold data of another number", shards, n.o.Shards, shards)
	}
	return nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// advertised is where others reach a listener.
func advertised(l net.Listener, host string) (string, error) {
	bound, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return "", err
	}
	if host == "" {
		host = bound
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		return "", fmt.Errorf("%s is every address of this machine; say with --advertise by which one others reach it", l.Addr())
	}
	return net.JoinHostPort(host, port), nil
}

// connect makes the links; they accept nobody yet.
func (n *Node) connect() (err error) {
	origin, speaks := originOf(n.id), chat.Spoken()
	n.mesh.raft, err = link.New(link.Options{
		Speaks: speaks, Agreed: n.agreed.Load,
		Node: n.store.Node(), Origin: origin, Cluster: n.mesh.Cluster, Listener: n.mesh.peer, TLS: n.o.Cluster.TLS, Dial: n.o.Cluster.Dial, Log: n.o.Log, Clock: n.clock,
		Lineage: n.lineage, Receive: n.receive,
		Down: func(node storage.NodeID) { n.host.LinkDown(node) },
		Snapshot: func(from storage.NodeID, head *peerpb.Message) (link.Sink, error) {
			return n.host.StageSnapshot(from, head)
		},
	})
	if err != nil {
		return err
	}
	n.mesh.talk, err = link.New(link.Options{
		Speaks: speaks, Agreed: n.agreed.Load,
		Node: n.store.Node(), Origin: origin, Cluster: n.mesh.Cluster + "/actors", Listener: n.mesh.actor, TLS: n.o.Cluster.TLS, Dial: n.o.Cluster.Dial, Log: n.o.Log,
		Receive: func(from storage.NodeID, m *peerpb.Message) { n.directory.Receive(from, m) },
		Up:      func(node storage.NodeID) { n.directory.Up(node); n.control.announce() },
		Down:    func(node storage.NodeID) { n.directory.Down(node); n.control.failCalls(node) },
	})
	return err
}

// originOf is a number of this start of the node.
func originOf(id string) uint64 {
	origin, _ := strconv.ParseUint(id, 16, 64)
	return origin
}

// membersChanged tells the links where the others are.
func (n *Node) membersChanged(all []members.Node) {
	n.mesh.mu.Lock()
	n.mesh.nodes = all
	n.mesh.mu.Unlock()
	n.reach(all)
}

// reach has the links connect, once there is something that answers on them.
func (n *Node) reach(all []members.Node) {
	if !n.isLinked() {
		return
	}
	for _, m := range all {
		if m.Cluster == n.mesh.Cluster {
			n.mesh.raft.SetPeer(m.ID, m.Peer)
			n.mesh.talk.SetPeer(m.ID, m.Actor)
		}
	}
	if err := n.canJoin(all); err != nil {
		n.refuse(err)
	}
	n.driver.Nudge()
}

// others is who was last heard of.
func (n *Node) others() []members.Node {
	n.mesh.mu.Lock()
	defer n.mesh.mu.Unlock()
	return n.mesh.nodes
}

func (n *Node) memberGone(m members.Node) {
	n.o.Log.Warn("node gone", "node", m.ID)
	if n.isLinked() {
		n.directory.NodeGone(m.ID)
	}
}

// evicted is called when others had given this node up: it trusts nothing that it
// believed of who leads, and its connections attach again.
func (n *Node) evicted() {
	n.o.Log.Warn("the others had given this node up; it starts again from what they say")
	if n.isLinked() {
		n.directory.Fence()
	}
}

// settled makes a founded cluster known, as all its shards stand.
func (n *Node) settled() error {
	if !n.mesh.Founding {
		return nil
	}
	if err := n.amend(func(m *membership) { m.Founding = false }); err != nil {
		return fmt.Errorf("write the node's membership: %w", err)
	}
	n.belong()
	return nil
}

// servers are the origins of nodes that clients may go to.
func (n *Node) servers() (all []string) {
	for _, m := range n.others() {
		if m.Client != "" && m.Cluster == n.mesh.Cluster && !m.Draining {
			all = append(all, m.Client)
		}
	}
	return all
}

// mount is by what URL clients reach this node; empty when nobody has said.
func (n *Node) mount() string {
	if n.o.ClientURL == "" {
		return ""
	}
	return n.o.ClientURL + n.o.PathPrefix
}

// originPolicy also lets in the pages of other nodes, whose clients come here
// when these are gone.
func (n *Node) originPolicy() func(*http.Request) bool {
	configured := ws.OriginPolicy(n.o.Proxies, append(slices.Clone(n.o.Origins), n.o.ClientURL), n.o.LoopbackOrigins)
	return func(r *http.Request) bool {
		return configured(r) || slices.ContainsFunc(n.servers(), func(server string) bool { return ws.SameOrigin(server, r.Header.Get("Origin")) })
	}
}

// voters are the nodes that the shards begin with: the founder, or, on all
// others, whoever has made this node a member.
func (n *Node) voters() []storage.NodeID {
	if n.mesh.Founding {
		return []storage.NodeID{n.store.Node()}
	}
	return nil
}

// close ends the node's connections; the ports too, when no link took them over.
func (m *mesh) close(ctx context.Context) error {
	var errs []error
	if m.members != nil {
		_ = m.members.Leave(ctx) // else the others find out by themselves
		errs = append(errs, m.members.Close())
	}
	for _, end := range []struct {
		link *link.Link
		port net.Listener
	}{{m.talk, m.actor}, {m.raft, m.peer}} {
		switch {
		case end.link != nil:
			errs = append(errs, end.link.Close(ctx))
		case end.port != nil:
			errs = append(errs, end.port.Close())
		}
	}
	return errors.Join(errs...)
}
