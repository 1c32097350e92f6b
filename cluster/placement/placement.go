// Package placement decides where the replicas of a cluster's shards should be,
// and what to do next to bring them there: which nodes belong to the cluster
// and in which state (Registry), who should hold what (Desired), and the next
// few steps towards it (Next). All of that is pure. The Driver is the thin loop
// around it, on the node that leads the meta shard: it keeps the registry in
// the meta shard's document and has the steps done through its Cluster, which
// the node gives it.
//
// It moves nothing itself and decides no leadership: Raft does, and a step that
// comes too late or twice is refused or does nothing.
package placement

import (
	"cmp"
	"slices"
	"time"

	"github.com/parley-im/parley/storage"
)

// Replicas is how many replicas a shard has once there are as many nodes. All
// of them vote then; with two nodes the second replica is a learner, as two
// voters would stand still when either is gone.
const Replicas = 3

// SilentFor is how long a node may be silent before others take its replicas.
const SilentFor = 10 * time.Minute

// Bounds of what is under way at a time. Small shards have a bound of their own:
// what they cost is syncs, not bandwidth, and a new cluster has nothing but small
// ones.
const (
	MaxReshapes        = 4 // in the cluster
	MaxReshapesPerNode = 2 // that a node leads, gains or loses a replica by
	MaxSmallReshapes   = 32
	MaxTransfers       = 8
)

// Target is the set of replicas that a shard shall have, each list sorted.
type Target struct {
	Voters, Learners []storage.NodeID
}

// Shard is what is known of a shard: as its leader says, or, while it has none,
// as the last one said.
type Shard struct {
	ID     storage.ShardID
	Leader storage.NodeID // "": nobody is known to lead it
	Term   storage.Term
	Voters []storage.NodeID
	// Learners are replicas that do not vote.
	Learners []storage.NodeID
	// Joint says that a change is half done; Raft ends it by itself.
	Joint bool
	// Small says that its contents are moved in next to no time.
	Small bool
	// Behind are the replicas that lack more than the newest few entries.
	Behind []storage.NodeID
}

// is says whether the shard has exactly the replicas of a target.
func (s *Shard) is(t Target) bool {
	return !s.Joint && sameNodes(s.Voters, t.Voters) && sameNodes(s.Learners, t.Learners)
}

// holds says whether a node has a replica.
func (s *Shard) holds(n storage.NodeID) bool {
	return slices.Contains(s.Voters, n) || slices.Contains(s.Learners, n)
}

// View is all that the decisions rest on.
type View struct {
	Registry Registry
	Shards   []Shard
	// Alive are the nodes that are reached.
	Alive []storage.NodeID
	// Leaving are those of them that are about to stop, or are not to lead: nothing
	// is given to them.
	Leaving []storage.NodeID
	// InFlight are the steps under way.
	InFlight []Step
}

// Step is one thing to be done by a shard's leader. With To set it hands its
// leadership to that node; otherwise it brings the replicas to Target.
type Step struct {
	Shard  storage.ShardID
	Leader storage.NodeID
	To     storage.NodeID
	Target Target
	// Touches are the nodes that a change of replicas keeps busy, unless the shard
	// is Small.
	Touches []storage.NodeID
	Small   bool
}

func sameNodes(a, b []storage.NodeID) bool {
	if len(a) != len(b) {
		return false
	}
	for _, n := range a {
		if !slices.Contains(b, n) {
			return false
		}
	}
	return true
}

func sorted(nodes []storage.NodeID) []storage.NodeID {
	out := slices.Clone(nodes)
	slices.SortFunc(out, cmp.Compare[storage.NodeID])
	return out
}
