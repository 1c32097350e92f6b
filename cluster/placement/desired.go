package placement

import (
	"cmp"
	"slices"

	"github.com/parley-im/parley/storage"
)

// Desired says where the replicas of the known shards should be. It keeps what
// is where it may be, so that a node that comes or goes moves little more than
// its own share, and holds to this, in order:
//
//   - only active nodes hold replicas: those that live, and others that hold some
//     already, unless they are silent for SilentFor and three live;
//   - the replicas of a shard are in as many zones as can be;
//   - nodes hold equally many replicas, but for one, as far as zones allow.
//
// Among equals the rendezvous hash decides. A step of Next that is done makes
// the way shorter, so Desired may be asked again at any time. The meta shard is a
// shard as any other. It is empty while no node may hold anything.
func Desired(v View) map[storage.ShardID]Target {
	holders := v.holders()
	if len(holders) == 0 {
		return nil
	}
	b := newBalance(holders)
	for _, s := range v.Shards {
		if len(s.Voters) > 0 {
			b.add(v.current(s))
		}
	}
	b.fill()
	b.even()
	out := make(map[storage.ShardID]Target, len(b.shards))
	for i := range b.shards {
		out[b.shards[i].ID] = v.target(&b.shards[i], b.nodesOf(i), holders)
	}
	return out
}

// holders are the nodes that may hold replicas, in the order of the registry.
func (v *View) holders() []Node {
	var all, heard []Node
	alive := 0
	for _, n := range v.Registry.Nodes {
		lives := v.alive(n.ID)
		if n.State != Active || !lives && !v.holding(n.ID) {
			continue
		}
		all = append(all, n)
		if lives {
			alive++
		}
		if lives || n.SilentMs < SilentFor.Milliseconds() {
			heard = append(heard, n)
		}
	}
	if alive >= Replicas {
		return heard
	}
	return all
}

// holding says whether a node has a replica of any shard.
func (v *View) holding(n storage.NodeID) bool {
	return slices.ContainsFunc(v.Shards, func(s Shard) bool { return s.holds(n) })
}

func (v *View) alive(n storage.NodeID) bool { return slices.Contains(v.Alive, n) }

// current is a shard as it is, or as it will be after the step under way.
func (v *View) current(s Shard) Shard {
	for _, f := range v.InFlight {
		if f.Shard == s.ID && f.To == "" {
			s.Voters, s.Learners = f.Target.Voters, f.Target.Learners
		}
	}
	return s
}

// target makes voters and learners of the holders of a shard.
func (v *View) target(s *Shard, nodes []storage.NodeID, holders []Node) Target {
	if len(holders) >= Replicas || len(nodes) == 1 {
		return Target{Voters: sorted(nodes)}
	}
	// The voter stays; of several, that of the node that has been there longest.
	slices.SortFunc(nodes, func(a, b storage.NodeID) int {
		rank := func(n storage.NodeID) (r int) {
			if !v.alive(n) {
				r += 2
			}
			if !slices.Contains(s.Voters, n) {
				r += 4
			}
			return r
		}
		at := func(n storage.NodeID) int { return slices.IndexFunc(holders, func(h Node) bool { return h.ID == n }) }
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(at(a), at(b)))
	})
	return Target{Voters: nodes[:1], Learners: sorted(nodes[1:])}
}
