// Package replication hosts the shards of a node: it takes proposals for any
// of them, makes them durable and agreed, applies them and answers. Today each
// shard has one voter, this node; the round, the log's form of a proposal and
// the promises to callers are those of the replicated host.
//
// The round: one worker drains the queue of proposals, applies them all, shard
// by shard through chat.Apply, into ONE batch, commits it with one fsync, and
// only then answers the callers. Proposals that arrive meanwhile wait for the
// next round, so the batch grows with the load and no timer delays anybody.
// Why answers after the commit: an acknowledged command must survive a power
// cut. Why the process ends when a commit fails: what the disk holds is not
// known any more, and neither an ack nor a refusal would be true.
package replication

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

// Bounds of the host's queues. A full queue answers CodeBusy.
const (
	maxQueuedBytes = 32 << 20
	maxRoundBytes  = 4 << 20
	maxQueuedReads = 8192
	readers        = 4
)

// Options says what a host works with.
type Options struct {
	Store  storage.Store
	Shards int
	// Now is the leader's clock.
	Now func() time.Time
	// Fatal is called once, on a failed commit; it must end the process. The
	// proposals of that round were answered CodeTimeout, outcome unknown.
	Fatal func(error)
	Log   *slog.Logger
}

// Host is a storage.Replicator over one store. Fields of the second group are
// guarded by mu.
type Host struct {
	o    Options
	term storage.Term

	mu     sync.Mutex
	queue  []proposal
	queued int // bytes
	closed bool
	failed bool // a commit failed: nothing is taken any more

	wake  chan struct{} // one token: the queue is not empty, or closed
	reads chan read
	done  sync.WaitGroup
	stats counters
}

var _ storage.Replicator = (*Host)(nil)

type proposal struct {
	shard storage.ShardID
	data  []byte // logpb.Proposal
	done  func(storage.Outcome, error)
}

type read struct {
	shard storage.ShardID
	read  func(storage.View) error
	done  func(error)
}

// Stats are running totals since the start.
type Stats struct {
	Rounds, Proposals, Commands, Bytes uint64
	QueuedBytes                        int
	Commit                             time.Duration // time spent in commits
}

type counters struct {
	rounds, proposals, commands, bytes, commitNanos atomic.Uint64
}

// Start counts up the store's term and starts the worker and the readers.
func Start(o Options) (*Host, error) {
	term, err := o.Store.NextTerm()
	if err != nil {
		return nil, err
	}
	h := &Host{o: o, term: term, wake: make(chan struct{}, 1), reads: make(chan read, maxQueuedReads)}
	h.done.Add(1 + readers)
	go h.work()
	for range readers {
		go h.serveReads()
	}
	return h, nil
}

// Close refuses new work, finishes what is queued, and stops. The store stays
// open.
func (h *Host) Close(ctx context.Context) error {
	h.mu.Lock()
	if !h.closed {
		h.closed = true
		close(h.reads)
		h.signal()
	}
	h.mu.Unlock()
	stopped := make(chan struct{})
	go func() { h.done.Wait(); close(stopped) }()
	select {
	case <-stopped:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Shards implements storage.Replicator.
func (h *Host) Shards() int { return h.o.Shards }

// Leader implements storage.Replicator.
func (h *Host) Leader(storage.ShardID) (storage.Term, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.refusal(); err != nil {
		return 0, err
	}
	return h.term, nil
}

// refusal is why the host takes nothing any more, or nil; the caller holds mu.
func (h *Host) refusal() error {
	switch {
	case h.failed:
		return errFailed
	case h.closed:
		return errClosing
	}
	return nil
}

// Stats gives the running totals.
func (h *Host) Stats() Stats {
	h.mu.Lock()
	defer h.mu.Unlock()
	return Stats{
		Rounds: h.stats.rounds.Load(), Proposals: h.stats.proposals.Load(), Commands: h.stats.commands.Load(), Bytes: h.stats.bytes.Load(),
		QueuedBytes: h.queued, Commit: time.Duration(h.stats.commitNanos.Load()),
	}
}

var (
	errClosing = chat.Errorf(chat.CodeUnavailable, "replicate", "the node is shutting down")
	errBusy    = chat.Errorf(chat.CodeBusy, "replicate", "the node has too much to write; try again later")
	errUnknown = chat.Errorf(chat.CodeTimeout, "replicate", "the disk failed; the outcome is unknown")
	errFailed  = chat.Errorf(chat.CodeUnavailable, "replicate", "the disk failed; the node is ending")
	errTerm    = chat.Errorf(chat.CodeUnavailable, "replicate", "this leadership has ended")
)
