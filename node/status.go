package node

import (
	"context"
	"slices"
	"strings"

	"github.com/parley-im/parley/cluster/members"
	"github.com/parley-im/parley/cluster/placement"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/transport/api"
)

// Status is the cluster as this node knows it.
func (n *Node) Status() api.ClusterStatus {
	c := n.control
	out := api.ClusterStatus{
		Cluster: n.mesh.Cluster, Node: string(n.store.Node()), TimeMs: n.o.Now().UnixMilli(), ShardsTotal: n.o.Shards, Version: n.version(),
		Nodes: []api.NodeStatus{}, Shards: []api.ShardStatus{}, Moves: []api.MoveStatus{},
	}
	replicas, leaders := make(map[storage.NodeID]int), make(map[storage.NodeID]int)
	for _, s := range c.Observed() {
		if s.ID == storage.MetaShard {
			out.Meta = api.MetaStatus{Leader: string(s.Leader), Term: uint64(s.Term), Voters: append([]string{}, texts(s.Voters)...)}
			continue
		}
		for _, node := range slices.Concat(s.Voters, s.Learners) {
			replicas[node]++
		}
		leaders[s.Leader]++
		out.Shards = append(out.Shards, c.shardStatus(s))
	}
	registry, silent := c.known(&out)
	alive := make(map[storage.NodeID]members.Node)
	for _, m := range n.others() {
		if m.Cluster == n.mesh.Cluster {
			alive[m.ID] = m
		}
	}
	for _, r := range registry.Nodes {
		m, live := alive[r.ID]
		status := api.NodeStatus{
			ID: string(r.ID), State: string(r.State), Alive: live, Zone: r.Zone, Client: m.Client, Peer: m.Peer, Actor: m.Actor, Newest: r.Newest,
			Replicas: replicas[r.ID], Leaders: leaders[r.ID],
		}
		if !live {
			status.SilentMs = silent[string(r.ID)]
		}
		out.Nodes = append(out.Nodes, status)
	}
	slices.SortFunc(out.Nodes, func(a, b api.NodeStatus) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// known is the registry as last heard of, and for how many milliseconds nodes
// have been silent; the moves go into the status.
func (c *control) known(out *api.ClusterStatus) (r placement.Registry, silent map[string]int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.registry == nil {
		return r, nil
	}
	silent = make(map[string]int64)
	for _, s := range c.registry.Silent {
		silent[s.Node] = int64(s.Ms)
	}
	for _, m := range c.registry.Moving {
		out.Moves = append(out.Moves, api.MoveStatus{Shard: int(m.Shard), Voters: m.Voters, SinceMs: m.SinceMs})
	}
	r, err := placement.Decode(c.registry.Document)
	if err != nil {
		c.n.o.Log.Error("registry not read", "error", err)
	}
	return r, silent
}

func (c *control) shardStatus(s placement.Shard) api.ShardStatus {
	out := api.ShardStatus{
		Shard: int(s.ID), Leader: string(s.Leader), Term: uint64(s.Term), Voters: append([]string{}, texts(s.Voters)...),
		Learners: append([]string{}, texts(s.Learners)...), Lag: map[string]uint64{},
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if led := c.seen[s.ID].Led; led != nil {
		out.Applied = led.Applied
		for _, f := range led.Followers {
			if led.Applied > f.Match {
				out.Lag[f.Node] = led.Applied - f.Match
			} else {
				out.Lag[f.Node] = 0
			}
		}
	}
	return out
}

// operators is what the API offers to those who run the cluster.
func (n *Node) operators() api.Cluster {
	do := func(action actorpb.Action) func(context.Context, string) error {
		return func(ctx context.Context, node string) error { return n.control.Administer(ctx, action, node) }
	}
	return api.Cluster{
		Token: n.o.AdminToken, Status: n.Status,
		Drain: do(actorpb.Action_ACTION_DRAIN), Undrain: do(actorpb.Action_ACTION_UNDRAIN), Remove: do(actorpb.Action_ACTION_REMOVE),
	}
}
