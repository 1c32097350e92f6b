package replication_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"net"
	"net/rpc"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/link"
	"github.com/parley-im/parley/cluster/replication"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/storage/pebble"
	"github.com/parley-im/parley/storage/pebble/crashfs"
)

func TestMain(m *testing.M) {
	if config := os.Getenv(nodeEnv); config != "" {
		if err := runNode(config); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// Node is what a node's process answers over net/rpc.
type Node struct {
	host  *replication.Host
	store *pebble.Store
	link  *link.Link
	disk  atomic.Pointer[Fault]
}

// Fault is how a node's disk misbehaves from a moment on: Full refuses to
// write, Broken fails each sync, Stall delays the first sync.
type Fault struct {
	Full, Broken bool
	Stall        time.Duration
}

// Break gives the node's disk a fault.
func (n *Node) Break(f Fault, _ *bool) error {
	n.disk.Store(&f)
	return nil
}

func (n *Node) fault(op crashfs.Op, _ string) error {
	f := n.disk.Load()
	switch {
	case f == nil:
	case f.Full && op == crashfs.Write:
		return syscall.ENOSPC
	case f.Broken && op == crashfs.Sync:
		return syscall.EIO
	case f.Stall > 0 && op == crashfs.Sync && n.disk.CompareAndSwap(f, nil):
		stall := time.NewTimer(f.Stall)
		<-stall.C
	}
	return nil
}

// Peer is another node and where it is.
type Peer struct {
	Name storage.NodeID
	Addr string
}

// runNode is a node's process: it prints where it answers, and ends by a
// signal.
func runNode(config string) error {
	var c nodeConfig
	if err := json.Unmarshal([]byte(config), &c); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	fatal := func(err error) { fmt.Fprintln(os.Stderr, c.Name, "ends:", err); os.Exit(3) }
	n := &Node{}
	disk := crashfs.New(vfs.Default, crashfs.Options{Fault: n.fault})
	store, err := pebble.Open(pebble.Options{Dir: c.Dir, FS: disk, Shards: c.Shards, Node: c.Name, Failed: fatal, Logger: log})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return err
	}
	n.store = store
	ready := make(chan struct{}) // the link calls back before New has returned
	n.link, err = link.New(link.Options{
		Node: c.Name, Origin: rand.Uint64(), Cluster: "test", Listener: listener, Log: log,
		Receive: func(from storage.NodeID, m *peerpb.Message) { <-ready; n.host.Receive(from, m) },
		Down:    func(node storage.NodeID) { <-ready; n.host.LinkDown(node) },
		Snapshot: func(from storage.NodeID, head *peerpb.Message) (link.Sink, error) {
			<-ready
			return n.host.StageSnapshot(from, head)
		},
	})
	if err != nil {
		return err
	}
	n.host, err = replication.New(replication.Options{
		Store: store, Shards: c.Shards, Voters: c.Voters, Peers: n.link, Now: time.Now, Log: log,
		Fatal: fatal,
	})
	if err != nil {
		return err
	}
	n.host.Start()
	close(ready)
	for name, addr := range c.Peers {
		n.link.SetPeer(name, addr)
	}
	server := rpc.NewServer()
	if err := server.Register(n); err != nil {
		return err
	}
	control, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(control.Addr())
	server.Accept(control)
	return nil
}

// Meet makes another node known.
func (n *Node) Meet(p Peer, _ *bool) error {
	n.link.SetPeer(p.Name, p.Addr)
	return nil
}

// Leading gives the shards that the node leads, with the term.
func (n *Node) Leading(_ int, led *map[storage.ShardID]uint64) error {
	*led = make(map[storage.ShardID]uint64)
	for s := 1; s <= n.host.Shards(); s++ {
		if term, err := n.host.Leader(storage.ShardID(s)); err == nil {
			(*led)[storage.ShardID(s)] = uint64(term)
		}
	}
	return nil
}

// Sent is the answer to a Send. Code is that of an error, 0 without one.
type Sent struct {
	Seq       uint64
	Duplicate bool
	Code      uint32
	Reason    string
}

// Send proposes a message.
func (n *Node) Send(s chat.Send, sent *Sent) error {
	shard := storage.ConversationShard(n.host.Shards(), s.Conversation)
	term, err := n.host.Leader(shard)
	if err == nil {
		done := make(chan answer, 1)
		n.host.Propose(shard, term, []chat.CommandBody{&s}, func(out storage.Outcome, err error) { done <- answer{out, err} })
		a := <-done
		if err = a.err; err == nil && a.out.Results[0].Err != nil {
			err = a.out.Results[0].Err
		}
		if err == nil {
			sent.Seq, sent.Duplicate = a.out.Results[0].Sent.Seq, a.out.Results[0].Sent.Duplicate
		}
	}
	if err != nil {
		sent.Code, sent.Reason = uint32(chat.CodeOf(err)), err.Error()
	}
	return nil
}

// Log is a conversation as a replica has it.
type Log struct {
	Replica storage.ReplicaID // 0: the node has none
	Seq     uint64            // of the head
	Whole   bool              // the hash chain holds up to the head
	IDs     []chat.ClientMessageID
}

// Log reads a conversation from the node's own replica, whoever leads.
func (n *Node) Log(c chat.ConversationKey, log *Log) error {
	shard := storage.ConversationShard(n.host.Shards(), c)
	v, err := n.store.View(shard)
	if err != nil {
		return err
	}
	head, _, err := v.Head(c)
	if err != nil {
		return errors.Join(err, v.Close())
	}
	entries, err := v.Entries(c, 0, 0, math.MaxInt32, false)
	if err := errors.Join(err, v.Close()); err != nil {
		return err
	}
	for i, e := range entries {
		if e.Seq != uint64(i+1) {
			return fmt.Errorf("entry %d stands at place %d", e.Seq, i+1)
		}
		log.IDs = append(log.IDs, e.ClientMessageID)
	}
	log.Seq = head.Seq
	log.Whole = uint64(len(entries)) == head.Seq && chat.VerifyChain([32]byte{}, c, entries) == head.Hash
	r, err := n.store.Replica(shard)
	if !r.Removed {
		log.Replica = r.ID
	}
	return err
}

// Reshape is what Host.Reshape is asked to do.
type Reshape struct {
	Shard  storage.ShardID
	Target replication.Target
}

// Reshape changes a shard's replicas, on the node that leads it.
func (n *Node) Reshape(r Reshape, done *string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := n.host.Reshape(ctx, r.Shard, r.Target); err != nil {
		*done = err.Error()
	}
	return nil
}

// Descriptor is a shard's configuration as this node has applied it.
func (n *Node) Descriptor(s storage.ShardID, d *logpb.Descriptor) error {
	found, err := n.host.Descriptor(context.Background(), s)
	if err != nil {
		return err
	}
	d.Members, d.Voters, d.Version = found.Members, found.Voters, found.Version
	return nil
}

// Stats gives the host's counters.
func (n *Node) Stats(_ int, s *replication.Stats) error {
	*s = n.host.Stats()
	return nil
}

// Work is closed-loop work for a node: so many proposers in each shard that it
// leads, for a time.
type Work struct {
	Proposers int
	For       time.Duration
	Bytes     int
}

// Worked is what came of it: how many messages were acknowledged, and how long
// each took.
type Worked struct {
	Acked  int
	Took   []time.Duration // sorted
	Failed int
}

// Run has the node propose to its own shards.
func (n *Node) Run(w Work, out *Worked) error {
	var mu sync.Mutex
	var proposers sync.WaitGroup
	end := time.Now().Add(w.For)
	for s := storage.ShardID(1); int(s) <= n.host.Shards(); s++ {
		if _, err := n.host.Leader(s); err != nil {
			continue
		}
		for i := range w.Proposers {
			proposers.Go(func() {
				worked := n.propose(s, i, end, w.Bytes)
				mu.Lock()
				defer mu.Unlock()
				out.Acked += worked.Acked
				out.Failed += worked.Failed
				out.Took = append(out.Took, worked.Took...)
			})
		}
	}
	proposers.Wait()
	slices.Sort(out.Took)
	return nil
}

// propose sends one message after the other to a conversation of its own.
func (n *Node) propose(s storage.ShardID, i int, end time.Time, bytes int) (out Worked) {
	var k chat.ConversationKey
	for u := i << 16; ; u++ {
		if k = chat.PeerConversation(1, "ann", fmt.Sprintf("u%d", u)); storage.ConversationShard(n.host.Shards(), k) == s {
			break
		}
	}
	done := make(chan answer, 1)
	for time.Now().Before(end) {
		m := chat.Send{
			Conversation: k, Sender: "ann", IssuedAt: time.Now().UnixMilli(), Window: chat.DefaultLimits().Dedupe,
			Type: chat.TypeText, Content: make([]byte, bytes),
		}
		binary.BigEndian.PutUint64(m.ClientMessageID[:], rand.Uint64())
		begun := time.Now()
		term, err := n.host.Leader(s)
		if err == nil {
			n.host.Propose(s, term, []chat.CommandBody{&m}, func(o storage.Outcome, err error) { done <- answer{o, err} })
			err = (<-done).err
		}
		if err != nil {
			out.Failed++
			continue
		}
		out.Acked++
		out.Took = append(out.Took, time.Since(begun))
	}
	return out
}

// Fill is a batch of large messages that a shard shall hold more.
type Fill struct {
	Shard storage.ShardID
	Peer  string // of the conversation, which is one of the shard's
}

// fillBody and fillBatch are the size and the number of a batch's messages.
const fillBody, fillBatch = 32 << 10, 32

// Fill proposes large messages to a shard that the node leads.
func (n *Node) Fill(f Fill, _ *bool) error {
	var commands []chat.CommandBody
	for range fillBatch {
		m := &chat.Send{
			Conversation: chat.PeerConversation(1, "filler", f.Peer), Sender: "filler", IssuedAt: time.Now().UnixMilli(), Window: chat.DefaultLimits().Dedupe,
			Type: chat.TypeText, Content: make([]byte, fillBody),
		}
		for i := 0; i < fillBody; i += 8 { // nothing that compresses
			binary.BigEndian.PutUint64(m.Content[i:], rand.Uint64())
		}
		binary.BigEndian.PutUint64(m.ClientMessageID[:], rand.Uint64())
		commands = append(commands, m)
	}
	term, err := n.host.Leader(f.Shard)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	n.host.Propose(f.Shard, term, commands, func(_ storage.Outcome, err error) { done <- err })
	return <-done
}

// Scan reads all rows of all replicas: those that a snapshot of each would have,
// and the log.
func (n *Node) Scan(_ int, bytes *int) error {
	for s := storage.MetaShard; int(s) <= n.host.Shards(); s++ {
		r, err := n.store.Replica(s)
		if err == nil && (r.ID == 0 || r.Removed) {
			continue
		}
		err = errors.Join(err, n.scanRows(s, bytes), n.scanLog(s, r, bytes))
		if err != nil && !errors.Is(err, storage.ErrGone) {
			return err
		}
	}
	return nil
}

func (n *Node) scanRows(s storage.ShardID, bytes *int) error {
	f, err := n.store.Freeze(s)
	if err != nil {
		return err
	}
	for err == nil {
		var chunk []byte
		chunk, err = f.Next(1 << 20)
		*bytes += len(chunk)
	}
	return errors.Join(f.Close(), ignoreEOF(err))
}

// scanLog reads the entries that the replica had; some may be gone meanwhile.
func (n *Node) scanLog(s storage.ShardID, r storage.Replica, bytes *int) error {
	if r.Last == r.Base.Index {
		return nil
	}
	entries, err := n.store.Log(s, r.Base.Index+1, r.Last+1, math.MaxInt)
	for _, e := range entries {
		*bytes += len(e.Data)
	}
	if errors.Is(err, storage.ErrTruncated) || errors.Is(err, storage.ErrNoEntry) {
		return nil
	}
	return err
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
