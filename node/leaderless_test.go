package node_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/node"
	"github.com/parley-im/parley/transport/api"
)

// TestShardsWithoutAMajorityKeepNobodyFromServing has five nodes and cuts two off
// from everybody: of the shards whose three voters include both, none has a
// leader any more.
func TestShardsWithoutAMajorityKeepNobodyFromServing(t *testing.T) {
	if testing.Short() {
		t.Skip("runs five nodes")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c := &cutCluster{T: t, ctx: ctx, board: newSwitchboard()}
	c.startNodes(5)
	c.await("every shard has three voters, spread over all nodes", func() bool {
		s := c.nodes[0].Status()
		idle := slices.ContainsFunc(s.Nodes, func(n api.NodeStatus) bool { return n.Replicas == 0 })
		return len(s.Nodes) == 5 && !idle && len(s.Moves) == 0 && !slices.ContainsFunc(s.Shards, func(sh api.ShardStatus) bool { return sh.Leader == "" || len(sh.Voters) != 3 || len(sh.Learners) > 0 })
	})
	a, b := c.sharing()
	var rest []int
	for i := range c.nodes {
		if i != a && i != b {
			rest = append(rest, i)
		}
	}
	c.board.cut([]int{a}, append([]int{b}, rest...))
	c.board.cut([]int{b}, rest)

	var lost int // placement may have made a further step before they were cut off
	c.await("the shards of both have no leader, the others do", func() bool {
		lost = c.shared(rest[0], a, b)
		return c.readiness(rest[0]).WithoutLeader == lost
	})
	for _, i := range rest {
		if r := c.readiness(i); !r.Ready || r.Shards != cutShards {
			t.Errorf("node %d says %+v", i+1, r)
		}
	}
	c.restart(rest[2])
	if r := c.readiness(rest[2]); !r.Ready || r.WithoutLeader < lost {
		t.Errorf("the node that started again says %+v", r)
	}
	c.await("those that are cut off say so", func() bool {
		r := c.readiness(a)
		return !r.Ready && strings.Contains(r.Reason, "cut off")
	})
}

// sharing gives two nodes that are both voters of some shards, but of less than
// half.
func (c *cutCluster) sharing() (a, b int) {
	c.Helper()
	for a = range c.nodes {
		for b = range a {
			if shards := c.shared(0, a, b); shards > 0 && 2*shards < cutShards {
				return a, b
			}
		}
	}
	c.Fatalf("no two nodes share a few shards: %+v", c.nodes[0].Status().Shards)
	return 0, 0
}

// shared is of how many shards two nodes are voters, as a third one says.
func (c *cutCluster) shared(says, a, b int) (shards int) {
	for _, sh := range c.nodes[says].Status().Shards {
		if slices.Contains(sh.Voters, c.id(a)) && slices.Contains(sh.Voters, c.id(b)) {
			shards++
		}
	}
	return shards
}

func (c *cutCluster) id(node int) string { return c.nodes[node].Status().Node }

// readiness is what a node says of itself.
func (c *cutCluster) readiness(node int) (r api.Readiness) {
	c.Helper()
	status, body := page(c.T, http.MethodGet, c.nodes[node].URL()+"/readyz")
	if err := json.Unmarshal([]byte(body), &r); err != nil || r.Ready != (status == http.StatusOK) {
		c.Fatalf("node %d answers %d %s: %v", node+1, status, body, err)
	}
	return r
}

// restart ends a node in order and starts it again.
func (c *cutCluster) restart(i int) {
	c.Helper()
	if err := c.nodes[i].Close(c.ctx); err != nil {
		c.Fatal(err)
	}
	n, err := node.Start(c.ctx, c.options[i])
	if err != nil {
		c.Fatal(err)
	}
	c.nodes[i] = n
}
