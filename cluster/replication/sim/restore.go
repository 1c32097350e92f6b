package sim

import (
	"errors"
	"time"

	"github.com/parley-im/parley/cluster/lineage"
	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
)

// Timing of the guard against older copies, quicker than a node's so that a run
// sees much of it.
const (
	joinLook  = 30 * time.Millisecond
	beatEvery = 300 * time.Millisecond
	copies    = 4 // that are kept of a disk
)

// copier is a disk that can be copied.
type copier interface{ Copy() Disk }

// Copy implements copier.
func (d modelDisk) Copy() Disk { return modelDisk{d.Store.Copy()} }

// copyOne copies a disk, of a node that runs or of one that is down.
func (r *run) copyOne() {
	n := r.anyNode()
	if medium, ok := n.medium.(copier); ok && !n.wiped {
		n.copies = append(n.copies, medium.Copy())
		n.copies = n.copies[max(0, len(n.copies)-copies):]
	}
}

// restoreOne puts a node's disk back to an earlier copy. Somebody is up who knows
// a later state, and stays; the others may be down. The node must be refused. Its
// disk has gone with that, so that it must have been spare.
func (r *run) restoreOne() {
	n, witness := r.anyNode(), r.anyNode()
	if n == witness || len(n.copies) == 0 || witness.wiped || witness.paused || !r.canGo(n) {
		return
	}
	older := n.copies[r.rng.IntN(len(n.copies))]
	if !r.isOlder(n, older, witness) {
		return
	}
	r.trace.add(evRestore, n.number, uint64(witness.number))
	r.stats.Restored++
	n.crash(r.chance(0.5))
	n.medium, n.copies = older, nil
	witness.pinned, witness.trap, witness.disk.failing = true, noTrap, false
	for _, other := range r.nodes {
		if other != witness && other.up && r.chance(0.3) {
			other.crash(true)
			r.restart(other)
		}
	}
	if r.o.Plant == GuardOff {
		witness.pinned = false
		r.restart(n)
		return
	}
	r.replace(n) // whatever comes of its start
	r.after(r.between(0, 20*time.Millisecond), n.boot)
	r.after(time.Second, func() {
		if n.joining {
			r.violate("n%d is not refused with an older copy, which n%d knows", n.number, witness.number)
		}
		witness.pinned = false
	})
}

// isOlder says whether a node knows of a moment that a copy of another's disk
// does not have.
func (r *run) isOlder(n *node, older Disk, by *node) bool {
	store, err := older.Open()
	var data []byte
	if err == nil {
		data, err = store.Lineage()
	}
	line := new(peerpb.Lineage)
	if err == nil {
		err = line.UnmarshalVT(data)
	}
	if err != nil {
		r.violate("n%d: a copy of the disk: %v", n.number, err)
	}
	line.Beat++ // by its next start
	line.Starts = append(line.Starts, &peerpb.Moment{Beat: line.Beat})
	for _, s := range by.keeper.Hello().Seen {
		if s.Node == string(n.name) && !lineage.Holds(line, s.Moment) {
			return true
		}
	}
	return false
}

// join is what a node does before its replicas take part: it asks the others
// whether they know of a later state of its disk.
func (n *node) join() {
	r := n.run
	start := n.starts
	keeper, err := lineage.Open(n.disk, n.origin, func(error) {
		if n.starts == start && !n.up {
			r.refused(n, n)
		}
	})
	if err != nil {
		r.violate("n%d: %v", n.number, err)
	}
	n.keeper, n.met, n.joining = keeper, make(map[*node]uint64), true
	if n.run.chance(0.05) && !n.wiped { // a crash before anybody has heard of the start
		n.joining = false
		r.restart(n)
		return
	}
	patience := r.now + r.between(20*time.Millisecond, 300*time.Millisecond)
	if keeper.First() || r.o.Plant == GuardOff {
		patience = r.now
	}
	n.greet(patience)
	n.beat(start)
}

// greet meets the others until all have answered or its patience ends.
func (n *node) greet(patience time.Duration) {
	r, start := n.run, n.starts
	all := true
	for _, other := range r.nodes {
		if other != n && !other.wiped && n.joining {
			r.after(r.between(0, 10*time.Millisecond), func() {
				if n.joining && n.starts == start {
					r.meet(n, other)
				}
			})
			all = all && n.met[other] != 0
		}
	}
	r.after(joinLook, func() {
		switch {
		case !n.joining || n.starts != start:
		case n.wiped: // was restored: waits to be refused
			n.greet(patience)
		case all || r.now >= patience:
			n.joining = false
			n.serve()
		default:
			n.greet(patience)
		}
	})
}

// meet is the handshake of two nodes.
func (r *run) meet(a, b *node) {
	running := func(n *node) bool { return (n.up || n.joining) && !n.paused }
	blocked := r.net.link(a, b).blocked > 0 || r.net.link(b, a).blocked > 0
	if !running(a) || !running(b) || blocked && !a.pinned && !b.pinned {
		return
	}
	if r.judges(b, a) && r.judges(a, b) {
		a.met[b], b.met[a] = b.starts, a.starts
	}
}

// judges has a node look at another one's lineage.
func (r *run) judges(n, other *node) bool {
	if r.o.Plant == GuardOff {
		return true
	}
	err := n.keeper.Judge(other.name, other.keeper.Hello())
	if errors.Is(err, storage.ErrOutdated) {
		r.refused(other, n)
	} else if err != nil {
		r.violate("n%d: %v", n.number, err)
	}
	return err == nil
}

// refused ends a node that others say is too old.
func (r *run) refused(n, by *node) {
	r.trace.add(evRefused, n.number, uint64(by.number))
	if !n.wiped {
		r.violate("n%d is refused by n%d, and its disk was never put back", n.number, by.number)
	}
	n.joining = false
}

// takes says whether a message of a start of a node is listened to.
func (r *run) takes(n, from *node, start uint64) bool {
	if !r.o.Restore {
		return true
	}
	if n.met[from] != start && from.starts == start && from.up {
		r.meet(n, from)
	}
	return n.met[from] == start
}

// beat counts and tells a beat now and then while the process lives.
func (n *node) beat(start uint64) {
	r := n.run
	synced := n.disk.synced
	r.after(beatEvery, func() {
		if n.starts != start || !n.up && !n.joining {
			return
		}
		m, err := n.keeper.Beat(n.disk.synced != synced)
		if err != nil {
			r.violate("n%d: %v", n.number, err)
		}
		for _, other := range r.nodes {
			if m != nil && other.met[n] == start && r.net.link(n, other).blocked == 0 && !n.paused {
				r.after(r.net.delay(), func() {
					if other.up && other.met[n] == start {
						other.keeper.Heard(n.name, m)
					}
				})
			}
		}
		n.beat(start)
	})
}
