// Package sim tries to prove the replication core wrong: it runs real round
// workers with the real chat.Apply over model disks and a model network, in one
// goroutine and in virtual time, with everything random taken from one seed. A
// seed that fails prints itself and fails again, event for event.
//
// A run has three parts: some seconds of clients and faults, as the seed's plan
// says; healing, until everything is answered and at rest; and the checks of
// check.go over what was recorded. Invariants that need no end of the run
// (one leader for a term, promises that outlive a crash, an applied index that
// never runs back) are watched all the time. A panic is a violation too.
package sim

import (
	crand "crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/replication/round"
	"github.com/parley-im/parley/storage"
)

// Options says what a run is made of beside its seed.
type Options struct {
	// Plant is a deliberate bug; none outside of tests.
	Plant Plant
	// Disk makes a node's disk; nil stands for the model disk of storage/memory,
	// with which a seed replays exactly.
	Disk func(shards int, node storage.NodeID) Disk
	// Reshape has replicas moved by Worker.Reshape, to whole sets, instead of by
	// single changes of all kinds.
	Reshape bool
	// Restore has nodes' disks put back from earlier copies, and the lineages that
	// notice it; without, nodes take one another as they are.
	Restore bool
	// Trace gets every event as a line; nil keeps the last ones only.
	Trace io.Writer
}

// Result is what a run gave.
type Result struct {
	Seed uint64
	// Violation is empty when everything held.
	Violation string
	// Hash is one of all events in order.
	Hash uint64
	// Tail are the last events before a violation.
	Tail []string
	Stats
}

// Stats count what happened in a run, so that a run that tests nothing shows.
type Stats struct {
	Events, Acked, Reads, Crashes, Snapshots, Installs, Changes, Destroys, Gained, Wiped, Truncations, Restored uint64
	// Recovery is how long after healing the slowest shard took its first write.
	Recovery time.Duration
	Virtual  time.Duration
}

// run is one simulation.
type run struct {
	o     Options
	plan  plan
	seed  uint64
	rng   *rand.Rand
	trace trace
	stats Stats

	now      time.Duration
	queue    eventQueue
	stamp    uint64 // counts calls and answers of the history
	healed   bool   // faults have ended, and clients begin nothing new
	healedAt time.Duration

	nodes   []*node // all that there ever were
	net     *network
	streams []*stream
	clients []*client
	ops     []*op
	shards  []*shardState // by shard ID; 0 is unused
}

// shardState is what the simulation knows of a shard as a whole.
type shardState struct {
	id            storage.ShardID
	conversations []chat.ConversationKey
	acked         []map[storage.Term]uint64 // newest acknowledged seq by conversation and the term that the write was made in
	leaders       map[storage.Term]storage.NodeID
	applied       map[uint64]storage.Position // by index: the same on all replicas
	descriptor    descriptor                  // the newest applied anywhere
	move          *move                       // under way
	target        *round.Target               // under way, in its place
	recovered     bool                        // has taken a write since healing
}

// violation is panicked with; Run reports it.
type violation string

func (r *run) violate(format string, args ...any) { panic(violation(fmt.Sprintf(format, args...))) }

// Run simulates one seed. Runs must not overlap: they replace crypto/rand's
// Reader, which etcd's raft draws its election timeouts from.
func Run(seed uint64, o Options) (res Result) {
	r := &run{o: o, seed: seed, rng: rand.New(rand.NewPCG(seed, 0x7061726c6579))}
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	before := crand.Reader
	crand.Reader = &lockedReader{from: rand.NewChaCha8(key)}
	r.trace.out, r.trace.now = o.Trace, &r.now
	defer func() {
		crand.Reader = before
		if p := recover(); p != nil {
			res.Violation = describePanic(p)
			res.Tail = r.trace.tail()
		}
		r.tearDown()
		r.stats.Events, r.stats.Virtual = r.trace.count, r.now
		res.Seed, res.Hash, res.Stats = seed, r.trace.hash, r.stats
	}()
	r.setUp()
	r.until(r.plan.duration, nil)
	r.heal()
	r.until(r.now+healingTime, func() bool { return r.unrest() == "" })
	r.check()
	return res
}

// lockedReader is for disks that have goroutines of their own.
type lockedReader struct {
	mu   sync.Mutex
	from io.Reader
}

// Read implements io.Reader.
func (l *lockedReader) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.from.Read(p)
}

func describePanic(p any) string {
	if v, ok := p.(violation); ok {
		return string(v)
	}
	return fmt.Sprintf("panic: %v\n%s", p, debug.Stack())
}

// setUp makes nodes, shards and clients as the plan says and starts them.
func (r *run) setUp() {
	r.plan = drawPlan(r.rng)
	r.plan.withhold = draw{rand.New(rand.NewPCG(r.seed, 0x636c6f636b))}.every(0.25, 200*time.Millisecond, 3*time.Second)
	r.net = &network{run: r}
	r.shards = make([]*shardState, r.plan.shards+1)
	for i := 1; i <= r.plan.shards; i++ {
		r.shards[i] = r.newShard(storage.ShardID(i))
	}
	for range r.plan.nodes {
		r.addNode()
	}
	for _, n := range r.nodes {
		r.after(r.between(0, 20*time.Millisecond), n.start)
	}
	for i := range r.plan.clients {
		c := &client{run: r, id: i}
		r.clients = append(r.clients, c)
		r.after(r.between(0, time.Second), c.next)
	}
	r.startFaults()
}

// tearDown drops what a disk may not be closed with.
func (r *run) tearDown() {
	for _, st := range r.streams {
		_ = st.Frozen.Close()
	}
	for _, n := range r.nodes {
		if n.up {
			n.disk.abandon()
		}
	}
}

// voters are the nodes that the cluster begins with.
func (r *run) voters() []storage.NodeID {
	out := make([]storage.NodeID, r.plan.voters)
	for i := range out {
		out[i] = r.nodes[i].name
	}
	return out
}

func (r *run) newShard(id storage.ShardID) *shardState {
	s := &shardState{id: id, leaders: make(map[storage.Term]storage.NodeID), applied: make(map[uint64]storage.Position)}
	for i := range r.plan.conversations {
		s.conversations = append(s.conversations, chat.PeerConversation(1, fmt.Sprintf("a%d.%d", id, i), fmt.Sprintf("b%d.%d", id, i)))
	}
	for range s.conversations {
		s.acked = append(s.acked, make(map[storage.Term]uint64))
	}
	return s
}

// chance is true with a probability.
func (r *run) chance(p float64) bool { return p > 0 && r.rng.Float64() < p }

// between draws evenly from a range.
func (r *run) between(from, to time.Duration) time.Duration {
	return from + time.Duration(r.rng.Float64()*float64(to-from))
}

// around draws from an exponential distribution.
func (r *run) around(mean time.Duration) time.Duration {
	return time.Duration(r.rng.ExpFloat64() * float64(mean))
}
