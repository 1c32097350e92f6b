package node_test

import (
	"context"
	"slices"
	"testing"
	"time"
)

// TestANodeWhoseClockJumpsLeadsNothing sets the clocks of nodes a day ahead and
// back while everybody writes: the node that is apart from the two others gives up
// what it leads, and what it stamped until then has their time (see check). Of two
// that jump differently both do.
func TestANodeWhoseClockJumpsLeadsNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	const day = 24 * time.Hour
	c := beginCut(t)
	for _, jumps := range [][3]time.Duration{{day, 0, 0}, {0, -day, 0}, {0, day, -day}, {2 * time.Second, 0, 0}} {
		c.await("all nodes lead", c.spread)
		var right []string
		for i, n := range c.nodes {
			c.clocks[i].Store(int64(jumps[i]))
			if jumps[i] == 0 {
				right = append(right, n.Status().Node)
			}
		}
		since := time.Now()
		c.await("those lead whose clocks are right", func() bool {
			for _, n := range c.nodes {
				s := n.Status()
				for _, sh := range s.Shards {
					if !slices.Contains(right, sh.Leader) {
						return false
					}
				}
				if !slices.Contains(right, s.Meta.Leader) {
					return false
				}
			}
			return true
		})
		took, led := time.Since(since), time.Now()
		c.await("everybody is acknowledged", func() bool { return c.every([]int{0, 1, 2}, acknowledged(led)) })
		c.Logf("jumps of %v: given up after %v", jumps, took.Round(time.Millisecond))
		for i := range c.clocks {
			c.clocks[i].Store(0)
		}
	}
	c.await("all nodes lead", c.spread)
	c.finish()
}

// TestANodeThatStartsWithAWrongClockTakesGoodTokens logs in as soon as it can.
func TestANodeThatStartsWithAWrongClockTakesGoodTokens(t *testing.T) {
	if testing.Short() {
		t.Skip("runs three nodes")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := &cutCluster{T: t, ctx: ctx, board: newSwitchboard()}
	c.startNodes(3)
	c.await("replicas and leaders are spread", c.spread)
	for _, off := range []time.Duration{24 * time.Hour, -24 * time.Hour} {
		c.clocks[1].Store(int64(off))
		c.restart(1)
		c.logout(c.login(1, "ann"))
	}
}
