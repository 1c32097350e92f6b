// Package replication hosts the shards of a node: one Raft group for each, over
// one store. It takes proposals for any of them, has them made durable and
// agreed, applied and answered. This package is the thin part with goroutines,
// clocks and connections; what decides is the pure core in round, and link is
// the wire between nodes. One node alone runs the same code with one voter per
// shard. See DESIGN.md for the round and why its order is safe.
//
// Goroutines: one for each worker, which owns a part of the shards; a few that
// serve reads; one that watches for a stalled disk; one for each snapshot that
// is sent. All end with Close.
package replication

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/replication/round"
	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
)

// Bounds of a worker's queues. A full queue answers CodeBusy; messages of other
// nodes are dropped, and Raft retransmits them.
const (
	maxQueuedBytes   = 32 << 20 // of proposals that are not answered
	maxInboxMessages = 64 << 10
)

// Peers carries messages to other nodes. link.Link is one.
type Peers interface {
	// Send never blocks; false says that the message was dropped.
	Send(to storage.NodeID, m *peerpb.Message) bool
	// SendSnapshot blocks until the other node has installed what next gives, up
	// to io.EOF, or said why not.
	SendSnapshot(ctx context.Context, to storage.NodeID, head *peerpb.Message, next func() ([]byte, error)) error
}

// Options says what a host works with.
type Options struct {
	Store storage.Store
	// Shards is S: the host has replicas of the shards 1 to S, and of the meta
	// shard, which is replicated as they are and led like them.
	Shards int
	// Voters are the nodes that a new cluster begins with; all of them must be
	// started with the same. A node that is not among them waits until it is made
	// a member.
	Voters []storage.NodeID
	// Peers is nil for a node that is alone.
	Peers Peers
	// Workers is how many loops share the shards; 0 means 1.
	Workers int
	// Stall is how long a commit may take before callers hear that this node
	// does not serve; 0 means round.ElectionTime.
	Stall time.Duration
	// Version is the one that the cluster agreed on, by which commands are to be
	// applied; nil: chat.Version.
	Version func() uint32
	// Now is the leader's clock.
	Now func() time.Time
	// Gained and Lost tell of leaderships, in order for each shard: Lost after
	// the answers to all that was proposed, and before this node says anything
	// that helps another leader. They must not block. Both may be nil.
	Gained, Lost func(storage.ShardID, storage.Term)
	// CommittedAfterTimeout tells that a proposal was carried out whose proposer had been told, so
	// long ago, that the outcome is unknown, in a leadership that goes on. It must
	// not block, and may be nil.
	CommittedAfterTimeout func(storage.ShardID, time.Duration)
	// Applied tells of what a replica here has applied, whoever leads, and Installed
	// that it has got its contents as a whole. They must not block, and may be nil.
	Applied   func(storage.ShardID, []chat.Event)
	Installed func(storage.ShardID)
	// Fatal is called once, on a failed commit, on a read that the disk fails, or
	// with storage.ErrOutdated when a leader counts on what the store has lost; it
	// must end the process, so that other replicas lead. The outcome of what was
	// proposed then is unknown.
	Fatal func(error)
	Log   *slog.Logger
}

// Host is a storage.Replicator over one store.
type Host struct {
	o       Options
	origin  uint64
	begun   time.Time
	number  atomic.Uint64
	leading []atomic.Uint64 // term by shard, 0: not led here
	workers []*worker
	reads   *readQueue
	closing atomic.Bool
	failed  atomic.Bool
	done    sync.WaitGroup // workers
	serving sync.WaitGroup // readers
	sending sync.WaitGroup // snapshots
	stop    context.Context
	cancel  context.CancelFunc
	ended   chan struct{} // closed when all goroutines have; nil before Start
	stats   counters

	mu        sync.Mutex
	reshaping map[storage.ShardID]*reshaping
}

var _ storage.Replicator = (*Host)(nil)

// Stats are running totals since the start.
type Stats struct {
	Rounds, Synced, Proposals, Answered uint64
	QueuedBytes                         int
	Commit                              time.Duration // time spent in commits
	Leading                             int           // of the shards 1 to S, those led
}

type counters struct {
	rounds, synced, proposals, answered, commitNanos atomic.Uint64
}

// New loads the store's replicas and makes those that a new cluster begins
// with. Nothing runs before Start.
func New(o Options) (*Host, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Version == nil {
		o.Version = func() uint32 { return chat.Version }
	}
	if o.Stall == 0 {
		o.Stall = defaultStall
	}
	h := &Host{
		o: o, origin: rand.Uint64(), begun: time.Now(), leading: make([]atomic.Uint64, o.Shards+1), reads: newReadQueue(),
		reshaping: make(map[storage.ShardID]*reshaping),
	}
	h.stop, h.cancel = context.WithCancel(context.Background())
	for i := range max(1, o.Workers) {
		w, err := h.newWorker(i)
		if err != nil {
			return nil, err
		}
		h.workers = append(h.workers, w)
	}
	return h, nil
}

// Start lets the shards run. It must be called once, before anything else but
// Close.
func (h *Host) Start() {
	h.ended = make(chan struct{})
	for _, w := range h.workers {
		h.done.Go(w.run)
	}
	for range readers {
		h.serving.Go(func() { h.serveReads(storage.Classes) })
	}
	h.serving.Go(func() { h.serveReads(storage.Client) }) // what is more urgent waits for no client's read
	h.serving.Go(h.watch)
	go func() {
		defer close(h.ended)
		h.done.Wait()
		h.cancel()
		h.reads.close()
		h.serving.Wait()
		h.sending.Wait()
	}()
}

// Close refuses new work, finishes what was proposed while ctx allows, and
// stops. When ctx ends first, everything that waits is answered and the host
// ends as soon as the commit under way does; Close may be called again to wait
// for it. The store stays open.
func (h *Host) Close(ctx context.Context) error {
	h.closing.Store(true)
	if h.ended == nil {
		return nil
	}
	for _, w := range h.workers {
		w.signal()
	}
	select {
	case <-h.ended:
		return nil
	case <-ctx.Done():
		h.cancel()
		return ctx.Err()
	}
}

// Shards implements storage.Replicator.
func (h *Host) Shards() int { return h.o.Shards }

// Leader implements storage.Replicator.
func (h *Host) Leader(shard storage.ShardID) (storage.Term, error) {
	if err := h.refusal(); err != nil {
		return 0, err
	}
	if w := h.workerOf(shard); w != nil {
		if w.stalled.Load() {
			return 0, errStalled
		}
		if term := h.leading[shard].Load(); term != 0 {
			return storage.Term(term), nil
		}
	}
	return 0, round.ErrNotLeader
}

// fail has the host take nothing more, so that nobody waits for an answer while
// Fatal works.
func (h *Host) fail(err error) {
	if h.failed.CompareAndSwap(false, true) {
		h.o.Fatal(err)
	}
}

// refusal is why the host takes nothing any more, or nil.
func (h *Host) refusal() error {
	switch {
	case h.failed.Load():
		return errFailed
	case h.closing.Load():
		return errClosing
	}
	return nil
}

// Stats gives the running totals.
func (h *Host) Stats() Stats {
	s := Stats{
		Rounds: h.stats.rounds.Load(), Synced: h.stats.synced.Load(), Proposals: h.stats.proposals.Load(), Answered: h.stats.answered.Load(),
		Commit: time.Duration(h.stats.commitNanos.Load()),
	}
	for _, w := range h.workers {
		s.QueuedBytes += w.queuedBytes()
	}
	for i := 1; i <= h.o.Shards; i++ {
		if h.leading[i].Load() != 0 {
			s.Leading++
		}
	}
	return s
}

// workerOf is the worker that owns a shard, nil when there is no such shard.
func (h *Host) workerOf(shard storage.ShardID) *worker {
	if int(shard) > h.o.Shards {
		return nil
	}
	return h.workers[int(shard)%len(h.workers)]
}

// gained publishes leaderships.
func (h *Host) gained(all []round.Leadership) {
	for _, l := range all {
		h.leading[l.Shard].Store(uint64(l.Term))
		h.o.Log.Debug("leading", "shard", l.Shard, "term", l.Term)
		if h.o.Gained != nil {
			h.o.Gained(l.Shard, l.Term)
		}
	}
}

// lost has the end of leaderships known, answers what was proposed in them, and
// tells those who served in them, in this order: nothing is taken in between,
// and an actor that is asked to stop has all its answers.
func (h *Host) lost(all []round.Leadership, answers []round.Answer) {
	for _, l := range all {
		h.leading[l.Shard].Store(0)
	}
	h.answer(answers)
	for _, l := range all {
		h.o.Log.Debug("no longer leading", "shard", l.Shard, "term", l.Term)
		if h.o.Lost != nil {
			h.o.Lost(l.Shard, l.Term)
		}
	}
}

func (h *Host) answer(all []round.Answer) {
	h.stats.answered.Add(uint64(len(all))) // first: whoever has an answer may look
	for _, a := range all {
		a.Done(a.Outcome, a.Err)
	}
}

var (
	errClosing   = chat.Errorf(chat.CodeUnavailable, "replicate", "the node is shutting down")
	errQueueFull = chat.Errorf(chat.CodeBusy, "replicate", "the node has too much to write; try again later")
	errFailed    = chat.Errorf(chat.CodeUnavailable, "replicate", "the disk failed; the node is ending")
)
