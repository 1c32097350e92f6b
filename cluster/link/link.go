// Package link is the wire between the nodes of a cluster: small messages both
// ways on one connection for each pair of nodes, and snapshots of shards on
// connections of their own. It knows nothing of Raft; the replication host says
// what to send and takes what arrives.
//
// What it guarantees. Messages of one connection arrive whole, in the order of
// their Sends, at most once; a damaged frame ends the connection and is never
// delivered. Up and Down of a node alternate, Up first, and every message of a
// connection arrives between its Up and its Down. A snapshot is installed only
// from all of its rows, in order, with the right checksum.
//
// What it does not do. Nothing survives its connection: what was queued when it
// broke is gone, and Send returning true only means queued. Raft sends
// it again. It does not find nodes (SetPeer names them), does not decide who is
// dead (Down is a hint), and does not ask whether a certificate belongs to the
// node ID that its holder claims: whoever the TLS config lets in is trusted.
//
// The pair's connection is dialed by the node with the lower ID, so that both
// agree on which one it is. Each side begins with a Hello that names its versions,
// cluster, node, purpose and the life of the node's data, then says whether it
// takes the other one's. A second connection of the same node replaces the first
// one: it was dialed later, so the first is dead, whether noticed or not.
// A side that writes nothing for PingEvery pings; a connection on which nothing
// was read for Silence is dead.
//
// Goroutines: one that accepts, one for each peer, which also calls Up and Down,
// a reader and a writer for each connection, one for each handshake and each
// snapshot that arrives. Nothing but SendSnapshot, Greet and Close blocks.
package link

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/internal/fair"
	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
)

// Options says what a link works with. The functions are called from the
// link's goroutines; they must not call Close.
type Options struct {
	// Node is this node; Origin is random, made at its start.
	Node   storage.NodeID
	Origin uint64
	// Cluster is the same on all nodes of a cluster; others are refused.
	Cluster string
	// Speaks are the versions that this node speaks. Who speaks none of them is
	// refused, and who does not speak the one that the cluster agreed on, which is
	// what Agreed gives, 0 while this node has not heard; nil: never.
	Speaks chat.Versions
	Agreed func() uint32
	// Listener takes the connections of other nodes. The link closes it.
	Listener net.Listener
	// TLS is used in both directions; nil: plain. When it names no ServerName,
	// the host of the peer's address must be in the peer's certificate.
	TLS *tls.Config
	// Dial connects to other nodes; nil: a net.Dialer's DialContext. Tests cut
	// nodes apart with it.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	// Receive takes a message, which is its own from then on. It must not block:
	// it bounds its inbox and drops.
	Receive func(from storage.NodeID, m *peerpb.Message)
	// Up and Down tell of connections for messages; Down is called once for each
	// Up. They must not block. Both may be nil.
	Up, Down func(storage.NodeID)
	// Snapshot begins to take in a snapshot that another node sends; an error
	// refuses it. nil refuses all.
	Snapshot func(from storage.NodeID, head *peerpb.Message) (Sink, error)
	// Lineage keeps out nodes whose data goes back in time; nil: nothing is
	// compared. Its functions may be called from any handshake, and may block.
	Lineage Lineage

	// Clock is compared with those of other nodes; nil: none is.
	Clock Clock

	// QueueBytes bounds what waits for a peer; 0: 16 MiB.
	QueueBytes int
	// PingEvery and Silence are for the noticing of dead connections; 0: 100 ms
	// and 400 ms.
	PingEvery, Silence time.Duration
	// SnapshotBytesPerSecond bounds what this node sends of all snapshots
	// together; 0: 64 MiB.
	SnapshotBytesPerSecond int
	// Snapshots bounds those that leave at a time, and those that arrive; 0: 32.
	// Each is a connection and a chunk: who sends them bounds them by their size.
	Snapshots int
	Log       *slog.Logger
}

// Lineage compares the lives of nodes' data folders. lineage.Keeper is one.
type Lineage interface {
	// Hello is what this node says of itself.
	Hello() *peerpb.Lineage
	// Judge takes in what another node tells, and remembers it: an error refuses
	// the connection, and storage.ErrOutdated the node for good.
	Judge(node storage.NodeID, theirs *peerpb.Lineage) error
	// Outdated hears that another node refuses this one for good.
	Outdated(by storage.NodeID, reason string)
}

// Link is a node's end of its connections to other nodes. All methods may be
// called from any goroutine.
type Link struct {
	o       Options
	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	limiter *rate.Limiter
	stats   counters

	greeting  *fair.Pool    // a place for each handshake of an accepted connection
	sending   chan struct{} // a token for each snapshot that leaves
	receiving chan struct{} // a token for each snapshot that arrives

	mu      sync.RWMutex
	peers   map[storage.NodeID]*peer
	leaving map[storage.NodeID]*peer // removed, goroutine not yet seen to end
	closed  bool
	done    sync.WaitGroup // Add under mu, or from a goroutine that counts
}

// maxGreeting bounds the handshakes under way; one address has half at most.
const maxGreeting = 128

// New begins to accept connections. Without a SetPeer, all are refused.
func New(o Options) (*Link, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	l := &Link{
		o:         o,
		limiter:   rate.NewLimiter(rate.Limit(o.SnapshotBytesPerSecond), throttleBurst),
		greeting:  fair.NewPool(maxGreeting),
		sending:   make(chan struct{}, o.Snapshots),
		receiving: make(chan struct{}, o.Snapshots),
		peers:     map[storage.NodeID]*peer{},
		leaving:   map[storage.NodeID]*peer{},
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.done.Go(l.accept)
	return l, nil
}

// complete checks what must be set and fills in the rest.
func (o *Options) complete() error {
	if o.Node == "" || o.Cluster == "" || o.Listener == nil || o.Receive == nil {
		return errors.New("link: Node, Cluster, Listener and Receive must be set")
	}
	set(&o.QueueBytes, 16<<20)
	set(&o.PingEvery, 100*time.Millisecond)
	set(&o.Silence, 400*time.Millisecond)
	set(&o.SnapshotBytesPerSecond, 64<<20)
	set(&o.Snapshots, 32)
	if o.Silence < 2*o.PingEvery {
		return fmt.Errorf("link: a silence of %s is too short for a ping every %s", o.Silence, o.PingEvery)
	}
	ignore := func(storage.NodeID) {}
	if o.Up == nil {
		o.Up = ignore
	}
	if o.Down == nil {
		o.Down = ignore
	}
	if o.Snapshot == nil {
		o.Snapshot = func(storage.NodeID, *peerpb.Message) (Sink, error) { return nil, errNoSnapshots }
	}
	if o.Agreed == nil {
		o.Agreed = func() uint32 { return 0 }
	}
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}

var errNoSnapshots = errors.New("link: no snapshots are taken here")

func set[T int | time.Duration](option *T, value T) {
	if *option <= 0 {
		*option = value
	}
}

// SetPeer makes a node known, or changes its address, which holds from the next
// dial on. A node that is not connected is dialed at once: whoever says where it
// is has just heard of it. The own node is ignored, so that a whole cluster can
// be handed in.
func (l *Link) SetPeer(node storage.NodeID, addr string) {
	if node == l.o.Node {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	if p := l.peers[node]; p != nil {
		p.setAddr(addr)
		return
	}
	p := newPeer(l, node, addr)
	if old := l.leaving[node]; old != nil {
		p.after = old.ended
	}
	l.peers[node] = p
	l.done.Go(p.run)
}

// RemovePeer forgets a node and ends all connections with it.
func (l *Link) RemovePeer(node storage.NodeID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p := l.peers[node]; p != nil {
		delete(l.peers, node)
		l.leaving[node] = p
		p.cancel()
	}
}

// forget is the last that a removed peer does.
func (l *Link) forget(p *peer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.leaving[p.node] == p {
		delete(l.leaving, p.node)
	}
}

func (l *Link) peer(node storage.NodeID) *peer {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.peers[node]
}

// Send queues a message, which is encoded before Send returns. False: it was
// dropped because the node is not connected, because too much waits for it, or
// because the message is above MaxFrame. Messages without entries get through
// a little longer than others, so that appends do not keep heartbeats back.
func (l *Link) Send(to storage.NodeID, m *peerpb.Message) bool {
	if p := l.peer(to); p != nil && p.queue.push(m) {
		return true
	}
	l.stats.dropped.Add(1)
	return false
}

// Queued is how many bytes wait for a node or are being written to it.
func (l *Link) Queued(to storage.NodeID) int {
	if p := l.peer(to); p != nil {
		return p.queue.bytes()
	}
	return 0
}

// Close ends all connections, whatever waits on them, and waits for all
// goroutines or for ctx. Every Up has its Down by then.
func (l *Link) Close(ctx context.Context) error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.cancel()
	_ = l.o.Listener.Close()
	ended := make(chan struct{})
	go func() {
		l.done.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("link: close: %w", context.Cause(ctx))
	}
}
