package sim

import (
	"slices"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/replication/round"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
)

// moveInterval is how often moves look how far they are, as a host's do.
const moveInterval = 50 * time.Millisecond

// move gives a shard a replica on a node and takes another one away; either
// may be missing.
type move struct {
	to   *node
	from storage.ReplicaID
}

// moveOn takes the moves of all shards a step further, and begins those that a
// wiped disk makes necessary.
func (r *run) moveOn() {
	for _, s := range r.shards[1:] {
		n := r.leader(s.id)
		if n == nil || n.paused {
			continue
		}
		if r.o.Reshape {
			r.reshapeOn(n, s)
			continue
		}
		if s.move == nil {
			s.move = r.repair(n, s)
		}
		if s.move != nil {
			n.worker(s.id).do(func(core *round.Worker) { r.moveStep(n, s, core) })
		}
	}
	r.after(moveInterval, r.moveOn)
}

// repair is the move that a replica on a wiped disk needs.
func (r *run) repair(n *node, s *shardState) *move {
	d := n.worker(s.id).core.Descriptor(s.id)
	for _, m := range d.GetMembers() {
		if !r.node(storage.NodeID(m.Node)).wiped {
			continue
		}
		mv := &move{from: storage.ReplicaID(m.Replica)}
		if slices.Contains(d.Voters, m.Replica) && len(d.Voters) <= 3 {
			if mv.to = r.spare(d); mv.to == nil {
				return nil
			}
		}
		return mv
	}
	return nil
}

// spare is a node whose replica does not vote or that has none, the newest one.
func (r *run) spare(d *logpb.Descriptor) *node {
	for _, n := range slices.Backward(r.nodes) {
		if !n.wiped && !slices.Contains(d.Voters, uint64(replicaOn(d, n))) {
			return n
		}
	}
	return nil
}

func replicaOn(d *logpb.Descriptor, n *node) storage.ReplicaID {
	for _, m := range d.GetMembers() {
		if m.Node == string(n.name) {
			return storage.ReplicaID(m.Replica)
		}
	}
	return 0
}

// moveStep does the next thing that a move needs.
func (r *run) moveStep(n *node, s *shardState, core *round.Worker) {
	d, mv := core.Descriptor(s.id), s.move
	if d == nil || mv == nil || core.Leads(s.id) == 0 || len(d.VotersOutgoing) > 0 {
		return
	}
	if mv.to != nil && mv.to.wiped || mv.to == nil && len(d.Voters) <= 3 && slices.Contains(d.Voters, uint64(mv.from)) {
		s.move = nil // its node is gone, or the replica needs one in its place by now: repair looks again
		return
	}
	leaving := slices.ContainsFunc(d.Members, func(m *logpb.Member) bool { return m.Replica == uint64(mv.from) })
	c := round.Change{Shard: s.id}
	if mv.to != nil {
		replica := replicaOn(d, mv.to)
		switch {
		case replica == 0:
			c.Learners = []storage.NodeID{mv.to.name}
			r.change(n, core, c)
			return
		case !slices.Contains(d.Voters, uint64(replica)):
			if !core.CaughtUp(s.id, replica) {
				return
			}
			c.Promote = []storage.ReplicaID{replica}
		}
	}
	if leaving {
		c.Remove = []storage.ReplicaID{mv.from}
	}
	if len(c.Promote)+len(c.Remove) == 0 {
		s.move = nil
		return
	}
	if replicaOn(d, n) == mv.from && r.chance(0.9) { // hands over first, mostly
		r.handOver(s.id, core, d, mv.from)
		return
	}
	r.change(n, core, c)
}

// handOver transfers the leadership to a voter that is up.
func (r *run) handOver(s storage.ShardID, core *round.Worker, d *logpb.Descriptor, own storage.ReplicaID) {
	for _, m := range d.Members {
		if to := r.node(storage.NodeID(m.Node)); m.Replica != uint64(own) && slices.Contains(d.Voters, m.Replica) && to.up {
			core.Transfer(s, to.name)
			return
		}
	}
}

// change proposes a change unless it would leave too few voters.
func (r *run) change(n *node, core *round.Worker, c round.Change) {
	d := core.Descriptor(c.Shard)
	voters := len(d.GetVoters()) + len(c.Promote)
	for _, id := range c.Remove {
		if slices.Contains(d.GetVoters(), uint64(id)) {
			voters--
		}
	}
	if d == nil || voters < 3 && voters < len(d.GetVoters()) && !r.plan.shrink {
		return
	}
	var learner, promote, remove uint64
	if len(c.Learners) > 0 {
		if to := r.node(c.Learners[0]); to != nil {
			learner = uint64(to.number)
		}
	}
	if len(c.Promote) > 0 {
		promote = uint64(c.Promote[0])
	}
	if len(c.Remove) > 0 {
		remove = uint64(c.Remove[0])
	}
	answered := n.owe("a change", c.Shard)
	c.Done = func(err error) {
		answered()
		if err == nil {
			r.stats.Changes++
		}
		r.trace.add(evChange, n.number, uint64(c.Shard), learner, promote, remove, uint64(chat.CodeOf(err)))
	}
	core.Change(c)
}

// changeSome begins a move or makes a change that may make no sense.
func (r *run) changeSome() {
	s := r.shards[1+r.rng.IntN(r.plan.shards)]
	n := r.leader(s.id)
	if r.o.Reshape {
		s.target = r.anyTarget()
		return
	}
	if n == nil {
		return
	}
	again := r.chance(0.1)
	n.worker(s.id).do(func(core *round.Worker) {
		d := core.Descriptor(s.id)
		if d == nil {
			return
		}
		if s.move == nil && r.chance(0.5) {
			s.move = r.anyMove(d)
			return
		}
		r.change(n, core, r.anyChange(s.id, d))
		if again {
			r.change(n, core, r.anyChange(s.id, d))
		}
	})
}

// anyMove moves a replica to a node that has none.
func (r *run) anyMove(d *logpb.Descriptor) *move {
	to := r.anyNode()
	if to.wiped || replicaOn(d, to) != 0 || len(d.Voters) == 0 {
		return nil
	}
	mv := &move{to: to, from: storage.ReplicaID(d.Voters[r.rng.IntN(len(d.Voters))])}
	if len(d.Voters) < 5 && r.chance(0.3) || len(d.Voters) < 3 {
		mv.from = 0
	}
	return mv
}

// anyChange is a change of one to three parts, most often a sensible one.
func (r *run) anyChange(s storage.ShardID, d *logpb.Descriptor) round.Change {
	c := round.Change{Shard: s}
	member := func() storage.ReplicaID {
		if r.chance(0.1) || len(d.Members) == 0 {
			return storage.ReplicaID(r.rng.IntN(int(d.NextReplica) + 2))
		}
		return storage.ReplicaID(d.Members[r.rng.IntN(len(d.Members))].Replica)
	}
	for len(c.Learners)+len(c.Promote)+len(c.Remove) == 0 || r.chance(0.2) {
		switch r.rng.IntN(4) {
		case 0:
			if n := r.anyNode(); !n.wiped {
				c.Learners = append(c.Learners, n.name)
			}
		case 1:
			if r.plan.shrink {
				c.Promote = append(c.Promote, member())
			}
		default:
			c.Remove = append(c.Remove, member())
		}
	}
	return c
}

// wipeOne takes a node's disk away for good and brings a new node. A majority
// of each shard's replicas keeps its disks: nobody may need an earlier wiped
// one any more, whatever a power cut takes.
func (r *run) wipeOne() {
	n := r.anyNode()
	if !r.canGo(n) {
		return
	}
	n.crash(true)
	r.replace(n)
	r.stats.Wiped++
	r.trace.add(evWipe, n.number, uint64(len(r.nodes)))
}

// replace has a node that is down stay so, and brings a new one.
func (r *run) replace(n *node) {
	n.wiped = true
	r.after(r.between(0, time.Second), r.addNode().start)
}

// canGo says whether a node's disk may go now.
func (r *run) canGo(n *node) bool {
	if n.wiped || n.pinned || len(r.nodes) > 12 {
		return false
	}
	for _, other := range r.nodes {
		if !other.wiped && (!other.up || !r.settled(other)) {
			return false
		}
	}
	for _, other := range r.nodes {
		if !other.wiped {
			if err := other.disk.Store.Batch().Commit(true); err != nil {
				r.violate("n%d: %v", other.number, err)
			}
		}
	}
	return true
}

// settled says whether all replicas of a node that are members have applied the
// newest configuration, and that has three voters and no wiped node.
func (r *run) settled(n *node) bool {
	for _, s := range r.shards[1:] {
		newest := s.descriptor
		if len(newest.GetVotersOutgoing()) > 0 || len(newest.GetVoters()) < 3 {
			return false
		}
		for _, m := range newest.Members {
			if r.node(storage.NodeID(m.Node)).wiped {
				return false
			}
		}
		if replicaOn(newest.Descriptor, n) == 0 {
			continue
		}
		if d := n.worker(s.id).core.Descriptor(s.id); d.GetVersion() != newest.Version {
			return false
		}
	}
	return true
}
