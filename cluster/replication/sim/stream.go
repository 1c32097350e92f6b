package sim

import (
	"errors"
	"io"
	"slices"
	"time"

	"github.com/parley-im/parley/cluster/replication/round"
	"github.com/parley-im/parley/storage"
)

// stream is a snapshot on its way from one node to another, on a connection of
// its own. It ends with a report to the sender, unless that has crashed.
type stream struct {
	run      *run
	from, to *node
	starts   [2]uint64 // of both processes
	worker   *worker   // the sender's
	round.Snapshot
	staging storage.Staging
	handed  bool // the receiver's core has it
	over    bool
	chunk   int
}

// send is the host's sendSnapshot.
func (r *run) send(w *worker, s round.Snapshot) {
	r.stats.Snapshots++
	st := &stream{run: r, from: w.n, to: r.node(s.To), worker: w, Snapshot: s, chunk: 200 + r.rng.IntN(8000)}
	r.trace.add(evSnapshot, w.n.number, uint64(st.to.number), uint64(s.Head.Shard), s.Head.Snapshot.Index, 2)
	st.starts = [2]uint64{st.from.starts, st.to.starts}
	r.streams = append(r.streams, st)
	w.n.after(r.net.delay(), st.next)
	w.n.after(streamTimeout, func() { st.end(false) })
}

// streamTimeout is when a sender gives up.
const streamTimeout = 3 * time.Second

// connected says whether both processes are those that began.
func (st *stream) connected() bool {
	return st.to.up && st.to.starts == st.starts[1] && st.run.net.link(st.from, st.to).blocked == 0
}

// next carries a chunk over and stages it.
func (st *stream) next() {
	r := st.run
	switch {
	case st.over:
		return
	case !st.connected():
		st.end(false)
		return
	case st.to.paused:
		st.from.after(10*time.Millisecond, st.next)
		return
	}
	shard := storage.ShardID(st.Head.Shard)
	if st.staging == nil {
		staging, err := st.to.disk.Stage(shard)
		if err != nil {
			r.violate("n%d does not stage shard %d: %v", st.to.number, shard, err)
		}
		st.staging = staging
	}
	data, err := st.Frozen.Next(st.chunk)
	if errors.Is(err, io.EOF) {
		st.hand(shard)
		return
	}
	if errors.Is(err, storage.ErrGone) {
		st.end(false)
		return
	}
	if err := errors.Join(err, st.staging.Write(data)); err != nil {
		r.violate("snapshot of shard %d from n%d to n%d: %v", shard, st.from.number, st.to.number, err)
	}
	st.from.after(r.net.delay(), st.next)
}

// hand gives the sealed contents to the receiver's core.
func (st *stream) hand(shard storage.ShardID) {
	r := st.run
	applied, err := st.staging.Seal()
	if err != nil {
		r.violate("snapshot of shard %d from n%d to n%d: seal: %v", shard, st.from.number, st.to.number, err)
	}
	st.handed = true
	s := round.Staged{From: st.from.name, Head: st.Head, Applied: applied, Staging: st.staging, Done: st.done()}
	st.to.worker(shard).do(func(core *round.Worker) { core.Staged(s) })
}

// done takes the core's answer, which must come once, back to the sender.
func (st *stream) done() func(error) {
	called := false
	return func(err error) {
		if called {
			st.run.violate("the snapshot of shard %d to n%d is answered twice", st.Head.Shard, st.to.number)
		}
		called = true
		st.run.after(st.run.net.delay(), func() {
			if st.run.net.link(st.to, st.from).blocked == 0 {
				st.end(err == nil)
			}
		})
	}
}

// end reports to the sender and drops what was staged in vain.
func (st *stream) end(ok bool) {
	if st.over {
		return
	}
	st.over = true
	r := st.run
	r.streams = slices.DeleteFunc(r.streams, func(x *stream) bool { return x == st })
	if st.staging != nil && !st.handed && st.to.up && st.to.starts == st.starts[1] {
		if err := st.staging.Discard(); err != nil {
			r.violate("discard: %v", err)
		}
	}
	if err := st.Frozen.Close(); err != nil {
		r.violate("close a frozen shard: %v", err)
	}
	if !st.from.up || st.from.starts != st.starts[0] {
		return
	}
	r.trace.add(evSnapshot, st.from.number, uint64(st.to.number), uint64(st.Head.Shard), st.Head.Snapshot.Index, bit(ok))
	st.worker.do(func(core *round.Worker) { core.SnapshotSent(st.Head, ok) })
}

// streamsBroken ends the streams of a node that crashed.
func (r *run) streamsBroken(n *node) {
	for _, st := range slices.Clone(r.streams) {
		switch n {
		case st.from:
			st.end(false)
		case st.to:
			st.from.after(r.net.delay(), func() { st.end(false) })
		}
	}
}
