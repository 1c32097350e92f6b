package sim

import (
	"slices"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/replication/round"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
)

// reshapeOn takes a shard a step nearer to its target, as Host.Reshape does; a
// wiped disk makes another target necessary.
func (r *run) reshapeOn(n *node, s *shardState) {
	if s.target == nil || r.namesWiped(s.target) {
		s.target = r.withoutWiped(n.worker(s.id).core.Descriptor(s.id))
	}
	if s.target == nil {
		return
	}
	n.worker(s.id).do(func(core *round.Worker) {
		t := s.target
		if t == nil {
			return
		}
		answered := n.owe("a reshape", s.id)
		core.Reshape(s.id, *t, func(reached bool, err error) {
			answered()
			if reached && s.target == t {
				s.target = nil
				r.stats.Changes++
			}
			r.trace.add(evChange, n.number, uint64(s.id), uint64(len(t.Learners)), uint64(len(t.Voters)), bit(reached), uint64(chat.CodeOf(err)))
		})
	})
}

func (r *run) namesWiped(t *round.Target) bool {
	return slices.ContainsFunc(slices.Concat(t.Voters, t.Learners), func(name storage.NodeID) bool { return r.node(name).wiped })
}

// withoutWiped is the set of a shard's replicas with others in place of those on
// wiped disks, nil when it has none or there is nobody to take their place.
func (r *run) withoutWiped(d *logpb.Descriptor) *round.Target {
	t, some := &round.Target{}, false
	for _, m := range d.GetMembers() {
		switch node := r.node(storage.NodeID(m.Node)); {
		case node.wiped:
			some = true
		case slices.Contains(d.Voters, m.Replica):
			t.Voters = append(t.Voters, node.name)
		case !slices.Contains(d.VotersOutgoing, m.Replica):
			t.Learners = append(t.Learners, node.name)
		}
	}
	for _, n := range slices.Backward(r.nodes) {
		if some && len(t.Voters) < 3 && !n.wiped && !slices.Contains(t.Voters, n.name) {
			t.Voters = append(t.Voters, n.name)
			t.Learners = slices.DeleteFunc(t.Learners, func(l storage.NodeID) bool { return l == n.name })
		}
	}
	if !some || len(t.Voters) < 3 {
		return nil
	}
	return t
}

// anyTarget draws a set of replicas.
func (r *run) anyTarget() *round.Target {
	var live []storage.NodeID
	for _, n := range r.nodes {
		if !n.wiped {
			live = append(live, n.name)
		}
	}
	r.rng.Shuffle(len(live), func(i, j int) { live[i], live[j] = live[j], live[i] })
	voters := 3
	if r.plan.shrink {
		voters = 1 + r.rng.IntN(3)
	}
	voters = min(voters, len(live))
	learners := r.rng.IntN(min(3, len(live)-voters+1))
	return &round.Target{Voters: live[:voters], Learners: live[voters : voters+learners]}
}
