package replication

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/cluster/replication/round"
	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
)

// worker runs the rounds of its part of the shards. Fields of the second group
// are guarded by mu; core belongs to run.
type worker struct {
	h    *Host
	core *round.Worker

	mu        sync.Mutex
	proposals []round.Proposal
	reads     []round.Read
	messages  []arrived
	tasks     []func(*round.Worker) // whatever is rare
	calls     map[uint64]call       // proposals that the core has not answered, by number
	queued    int                   // bytes of those whose proposers wait
	ended     bool                  // nothing is taken any more
	spare     []round.Proposal      // empty: memory for proposals, while those taken last are handed on

	wake       chan struct{} // one token: the inbox is not empty
	committing atomic.Int64  // when the commit under way began, since h.begun; 0: none is
	stalled    atomic.Bool   // it takes too long
}

// call is somebody who waits for a proposal's outcome, or has given that up:
// then done is nil.
type call struct {
	shard storage.ShardID
	at    time.Duration // since h.begun
	bytes int
	done  func(storage.Outcome, error)
}

type arrived struct {
	from    storage.NodeID
	message *peerpb.Message
}

func (h *Host) newWorker(i int) (*worker, error) {
	var shards []storage.ShardID
	for s := int(storage.MetaShard); s <= h.o.Shards; s++ {
		if s%max(1, h.o.Workers) == i {
			shards = append(shards, storage.ShardID(s))
		}
	}
	core, err := round.New(round.Options{
		Store: h.o.Store, Origin: h.origin, Applied: h.o.Applied, Installed: h.o.Installed, Log: h.o.Log,
	}, shards)
	if err != nil {
		return nil, err
	}
	for _, s := range shards {
		if err := core.Bootstrap(s, h.o.Voters); err != nil {
			return nil, fmt.Errorf("bootstrap shard %d: %w", s, err)
		}
	}
	return &worker{h: h, core: core, calls: make(map[uint64]call), wake: make(chan struct{}, 1)}, nil
}

func (w *worker) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// propose queues a proposal. Its bytes count until it is answered.
func (w *worker) propose(p round.Proposal) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return errClosing
	}
	n := len(p.Data)
	if w.queued+n > maxQueuedBytes {
		return errQueueFull
	}
	w.queued += n
	w.calls[p.Number] = call{p.Shard, time.Since(w.h.begun), n, p.Done}
	p.Done = func(out storage.Outcome, err error) { w.settle(p.Number, out, err) }
	w.proposals = append(w.proposals, p)
	w.signal()
	return nil
}

// settle answers a proposal. Of one that was given up it tells that it was
// carried out after all.
func (w *worker) settle(number uint64, out storage.Outcome, err error) {
	w.mu.Lock()
	c, ok := w.calls[number]
	delete(w.calls, number)
	w.queued -= c.bytes
	w.mu.Unlock()
	switch {
	case ok && c.done != nil:
		c.done(out, err)
	case ok && err == nil && w.h.o.CommittedAfterTimeout != nil:
		w.h.o.CommittedAfterTimeout(c.shard, time.Since(w.h.begun)-c.at)
	}
}

// giveUp tells a proposer that the outcome is unknown.
func (w *worker) giveUp(number uint64) {
	w.mu.Lock()
	c, ok := w.calls[number]
	if ok {
		w.queued -= c.bytes
		w.calls[number] = call{shard: c.shard, at: c.at}
	}
	w.mu.Unlock()
	if ok && c.done != nil {
		c.done(storage.Outcome{}, errUnknownStalled)
	}
}

func (w *worker) read(r round.Read) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return errClosing
	}
	w.reads = append(w.reads, r)
	w.signal()
	return nil
}

func (w *worker) receive(from storage.NodeID, m *peerpb.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended || len(w.messages) >= maxInboxMessages {
		return
	}
	w.messages = append(w.messages, arrived{from, m})
	w.signal()
}

// do has f run on the worker before its next round; false when it has ended.
func (w *worker) do(f func(*round.Worker)) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return false
	}
	w.tasks = append(w.tasks, f)
	w.signal()
	return true
}

func (w *worker) queuedBytes() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.queued
}

// run is the worker's goroutine.
func (w *worker) run() {
	ticker := time.NewTicker(round.TickInterval)
	defer ticker.Stop()
	due := time.NewTimer(0)
	defer due.Stop()
	for {
		select {
		case <-w.wake:
		case <-ticker.C: // ticks that a slow disk held up are skipped
			w.take() // what others said comes before the clock
			w.core.Tick()
		case <-due.C:
		case <-w.h.stop.Done():
			w.end()
			return
		}
		for more := true; more; {
			more = w.round()
		}
		if w.h.failed.Load() || w.h.closing.Load() && w.queuedBytes() == 0 {
			w.end()
			return
		}
		if at, ok := w.core.Deadline(); ok {
			due.Reset(at - time.Since(w.h.begun))
		}
	}
}

// round takes what waits and runs one round; it tells whether another one has
// something to do.
func (w *worker) round() (more bool) {
	w.take()
	now := time.Since(w.h.begun)
	if at, ok := w.core.Deadline(); !w.core.Busy() && (!ok || at > now) {
		return false
	}
	r := w.core.Begin(now)
	w.send(r.Appends)
	w.h.lost(r.Lost, r.Answers)
	begin := time.Since(w.h.begun)
	w.committing.Store(int64(begin))
	err := r.Commit()
	w.committing.Store(0)
	w.stalled.Store(false)
	w.h.stats.commitNanos.Add(uint64(time.Since(w.h.begun) - begin))
	w.h.stats.rounds.Add(1)
	if r.Sync() {
		w.h.stats.synced.Add(1)
	}
	var after *round.After
	if err == nil {
		after, err = w.core.Finish()
	}
	if err != nil {
		w.fail(err)
		return false
	}
	w.send(after.Messages)
	w.h.gained(after.Gained)
	w.h.answer(after.Answers)
	for _, rd := range after.Reads {
		rd.Serve()
	}
	for _, s := range after.Snapshots {
		w.sendSnapshot(s)
	}
	return true
}

// take hands the inbox to the core: messages first, so that a leader's word is
// heard before a clock says that it is silent.
func (w *worker) take() {
	w.mu.Lock()
	messages, tasks, proposals, reads := w.messages, w.tasks, w.proposals, w.reads
	w.messages, w.tasks, w.proposals, w.reads = nil, nil, w.spare, nil
	w.mu.Unlock()
	for _, m := range messages {
		w.core.Step(m.from, m.message)
	}
	for _, f := range tasks {
		f(w.core)
	}
	for _, p := range proposals {
		w.core.Propose(p)
	}
	clear(proposals)
	w.spare = proposals[:0]
	for _, r := range reads {
		w.core.Read(r)
	}
}

func (w *worker) send(all []round.Outgoing) {
	for _, o := range all {
		if w.h.o.Peers == nil || !w.h.o.Peers.Send(o.To, o.Message) {
			w.unreachable(o)
		}
	}
}

// unreachable tells the core after the round, which may still be open.
func (w *worker) unreachable(o round.Outgoing) {
	w.do(func(core *round.Worker) { core.Unreachable(o) })
}

// fail answers whatever waits and takes nothing more, so that nobody is
// acknowledged while Fatal works.
func (w *worker) fail(err error) {
	first := w.h.failed.CompareAndSwap(false, true)
	w.end()
	if first {
		if !errors.Is(err, storage.ErrOutdated) {
			err = fmt.Errorf("commit: %w", err)
		}
		w.h.o.Fatal(err)
	}
}

// end gives up the leaderships and answers everything.
func (w *worker) end() {
	w.mu.Lock()
	w.ended = true
	w.mu.Unlock()
	w.take()
	w.h.lost(w.core.Abandon())
}
