package node

import (
	"context"
	"slices"

	"github.com/parley-im/parley/cluster/placement"
	"github.com/parley-im/parley/cluster/replication"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
)

// Observed implements placement.Cluster.
func (c *control) Observed() []placement.Shard {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]placement.Shard, 0, c.n.o.Shards+1)
	for id := storage.MetaShard; int(id) <= c.n.o.Shards; id++ {
		s, ok := c.seen[id]
		if !ok {
			all = append(all, placement.Shard{ID: id})
			continue
		}
		all = append(all, c.observed(id, s))
	}
	return all
}

// observed is one shard: led by whom the directory knows, if it reaches that
// node, with the replicas that a leader described last.
func (c *control) observed(id storage.ShardID, s seen) placement.Shard {
	out := placement.Shard{ID: id, Joint: len(s.Replicas.VotersOutgoing) > 0, Small: s.Small}
	node, term := c.n.directory.Leader(id)
	out.Term = term
	if node != "" && c.n.directory.Reaches(node, id) {
		out.Leader = node
	}
	out.Voters = placeOf(s.Replicas, s.Replicas.Voters)
	out.Learners = placeOf(s.Replicas, s.Replicas.Learners)
	for _, f := range s.Followers {
		if !f.CaughtUp {
			out.Behind = append(out.Behind, storage.NodeID(f.Node))
		}
	}
	return out
}

// placeOf gives the nodes of a descriptor's replicas.
func placeOf(d *logpb.Descriptor, replicas []uint64) (out []storage.NodeID) {
	for _, m := range d.Members {
		if slices.Contains(replicas, m.Replica) {
			out = append(out, storage.NodeID(m.Node))
		}
	}
	return out
}

// Members implements placement.Cluster.
func (c *control) Members() (all []placement.Member) {
	for _, m := range c.n.others() {
		if m.Cluster == c.n.mesh.Cluster {
			all = append(all, placement.Member{ID: m.ID, Zone: m.Zone, Speaks: m.Speaks(), Leaving: m.Draining || m.ClockWrong})
		}
	}
	return all
}

// Reshape implements placement.Cluster.
func (c *control) Reshape(ctx context.Context, leader storage.NodeID, shard storage.ShardID, t placement.Target) error {
	if leader == c.n.store.Node() {
		defer c.announce()
		return c.n.host.Reshape(ctx, shard, replication.Target{Voters: t.Voters, Learners: t.Learners})
	}
	return c.ask(ctx, leader, func(request uint32) any {
		return &actorpb.Reshape{Request: request, Shard: uint32(shard), Voters: texts(t.Voters), Learners: texts(t.Learners)}
	})
}

// Transfer implements placement.Cluster.
func (c *control) Transfer(_ context.Context, leader storage.NodeID, shard storage.ShardID, to storage.NodeID) error {
	if leader == c.n.store.Node() {
		c.n.host.Transfer(shard, to)
		return nil
	}
	c.n.directory.TellProcess(leader, controlProcess, &actorpb.TransferLeader{Shard: uint32(shard), To: string(to)}, controlProcess)
	return nil
}

// Meta implements placement.Cluster.
func (c *control) Meta(ctx context.Context) (storage.Document, error) { return c.n.host.Meta(ctx) }

// SetMeta implements placement.Cluster.
func (c *control) SetMeta(ctx context.Context, expect uint64, document []byte) error {
	return c.n.host.SetMeta(ctx, expect, document)
}

func (c *control) reshape(m *actorpb.Reshape) error {
	defer c.announce()
	return c.n.host.Reshape(c.ctx, storage.ShardID(m.Shard), replication.Target{Voters: nodes(m.Voters), Learners: nodes(m.Learners)})
}

func texts(all []storage.NodeID) (out []string) {
	for _, n := range all {
		out = append(out, string(n))
	}
	return out
}

func nodes(all []string) (out []storage.NodeID) {
	for _, n := range all {
		out = append(out, storage.NodeID(n))
	}
	return out
}
