package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/parley-im/parley/cluster/lineage"
	"github.com/parley-im/parley/cluster/replication/round"
	"github.com/parley-im/parley/storage"
)

// epoch is the wall clock's time at the start of a run, in ms since 1970.
const epoch = 1_700_000_000_000

// node is a machine with a disk: sometimes a running process, sometimes not.
type node struct {
	run    *run
	number int // 1, 2, 3 ...; its place in run.nodes is one less
	name   storage.NodeID
	medium Disk

	up     bool
	paused bool
	wiped  bool     // its disk is gone; it never comes back
	starts uint64   // of the process so far
	owed   int      // calls that this process has not answered
	held   []func() // what a pause keeps from happening
	trap   trap     // where it will crash
	skew   time.Duration

	copies  []Disk // of its disk, the oldest first
	joining bool   // asks the others whether its disk is the newest
	pinned  bool   // no fault happens to it
	keeper  *lineage.Keeper
	met     map[*node]uint64 // whom it has taken, and in which start of theirs

	disk     *disk
	workers  []*worker
	leading  []storage.Term // by shard, as the host publishes it
	origin   uint64
	proposed uint64
	begun    time.Duration
	promises []promise // by shard
}

// addNode makes a node with an empty disk.
func (r *run) addNode() *node {
	n := &node{run: r, number: len(r.nodes) + 1, promises: make([]promise, r.plan.shards+1)}
	n.name = storage.NodeID(fmt.Sprintf("n%d", n.number))
	if r.o.Disk != nil {
		n.medium = r.o.Disk(r.plan.shards, n.name)
	} else {
		n.medium = newModelDisk(r.plan.shards, n.name, r.o.Plant)
	}
	r.nodes = append(r.nodes, n)
	r.net.grow(len(r.nodes))
	return n
}

func (r *run) node(name storage.NodeID) *node {
	i := slices.IndexFunc(r.nodes, func(n *node) bool { return n.name == name })
	if i < 0 {
		return nil
	}
	return r.nodes[i]
}

// start boots the process unless it runs or is gone for good.
func (n *node) start() {
	if !n.up && !n.wiped && !n.joining {
		n.boot()
	}
}

func (n *node) boot() {
	r := n.run
	store, err := n.medium.Open()
	if err != nil {
		r.violate("n%d does not open its disk: %v", n.number, err)
	}
	n.starts++
	n.disk = newDisk(n, store)
	n.origin = r.rng.Uint64()
	if r.o.Restore {
		n.join()
		return
	}
	n.serve()
}

// serve has the node's replicas take part.
func (n *node) serve() {
	r := n.run
	n.up, n.trap, n.owed = true, noTrap, 0
	n.leading = make([]storage.Term, r.plan.shards+1)
	n.begun = r.now
	n.workers = nil
	replicas, err := n.disk.Replicas()
	if err != nil {
		r.violate("n%d: %v", n.number, err)
	}
	r.trace.add(evStart, n.number, uint64(len(replicas)))
	n.checkPromises()
	for i := range r.plan.workers {
		n.startWorker(i)
	}
}

func (n *node) startWorker(i int) {
	r := n.run
	var shards []storage.ShardID
	for s := 1; s <= r.plan.shards; s++ {
		if s%r.plan.workers == i {
			shards = append(shards, storage.ShardID(s))
		}
	}
	core, err := round.New(round.Options{Store: n.disk, Origin: n.origin, Keep: r.plan.keep, Plant: r.o.Plant.inside()}, shards)
	if err != nil {
		r.violate("n%d does not load: %v", n.number, err)
	}
	for _, s := range shards {
		if err := core.Bootstrap(s, r.voters()); err != nil {
			r.violate("n%d does not bootstrap shard %d: %v", n.number, s, err)
		}
	}
	w := &worker{n: n, number: i, core: core}
	n.workers = append(n.workers, w)
	w.wake()
	n.ticker(w, n.starts)
}

// ticker ticks a worker as a time.Ticker does: what comes while nobody listens
// is one tick.
func (n *node) ticker(w *worker, start uint64) {
	n.run.after(round.TickInterval, func() {
		if n.starts != start || !n.up {
			return
		}
		if !n.paused {
			w.ticked = true
			w.wake()
		}
		n.ticker(w, start)
	})
}

// after has f happen in this process: not when it has crashed by then, and
// later when it is paused.
func (n *node) after(d time.Duration, f func()) {
	start := n.starts
	n.run.after(d, func() {
		switch {
		case n.starts != start || !n.up:
		case n.paused:
			n.held = append(n.held, f)
		default:
			f()
		}
	})
}

// crash ends the process. A power cut loses what is not synced, or the end of
// it; the death of the process alone loses none of it.
func (n *node) crash(powerCut bool) {
	r := n.run
	if !n.up {
		return
	}
	n.up, n.paused, n.held, n.trap = false, false, nil, noTrap
	n.workers, n.leading = nil, make([]storage.Term, r.plan.shards+1)
	r.stats.Crashes++
	r.streamsBroken(n)
	n.disk.abandon()
	n.medium.Crash(func(unsynced int) int {
		kept := unsynced
		if powerCut && r.chance(0.5) {
			kept = 0
		} else if powerCut {
			kept = r.rng.IntN(unsynced + 1)
		}
		r.trace.add(evCrash, n.number, uint64(unsynced), uint64(kept))
		return kept
	})
	for _, other := range r.nodes {
		if other != n && r.chance(r.plan.notice) {
			r.net.noticeDown(other, n)
		}
	}
}

func (n *node) pause(d time.Duration) {
	if !n.up || n.paused {
		return
	}
	n.paused = true
	start := n.starts
	n.run.trace.add(evPause, n.number, uint64(d.Microseconds()))
	n.run.after(d, func() {
		if n.starts == start {
			n.resume()
		}
	})
}

func (n *node) resume() {
	if !n.paused {
		return
	}
	n.paused = false
	n.run.trace.add(evResume, n.number)
	held := n.held
	n.held = nil
	for _, f := range held {
		n.after(0, f)
	}
}

// wall is the node's clock in ms.
func (n *node) wall() int64 { return epoch + (n.run.now + n.skew).Milliseconds() }

func (n *node) worker(s storage.ShardID) *worker { return n.workers[int(s)%len(n.workers)] }

// replicaOf is what the node's store remembers of a shard's replica.
func (n *node) replicaOf(s storage.ShardID) storage.Replica {
	rep, err := n.disk.Replica(s)
	if err != nil {
		n.run.violate("n%d shard %d: %v", n.number, s, err)
	}
	return rep
}
